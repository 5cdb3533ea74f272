"""`eventhive-cli`: options and contract of 0.5.0, and what was wrong with it."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

CLI = "eventhive.cli"

TEMPLATE = """\
connectors:
  {network}:
    pubsub_type: fastapi
    input_channel: '{receiver}'
    init: {host: 127.0.0.1, port: PORT, endpoint: /pubsub}
"""

HOSTING = TEMPLATE + """\
servers:
  {network}: {pubsub_type: fastapi, create: always, init: {host: 127.0.0.1, port: PORT}}
"""

# Of the page of 0.5.0.
USAGE = {
    "--network NETWORK": "eventhive",
    "--receiver RECEIVER": "cli",
    "--event EVENT": "do",
    "--json-data JSON_DATA": "False",
    "--target-event TARGET_EVENT": "None",
    "--json-fallback JSON_FALLBACK": '{"no":"output"}',
    "--config CONFIG": ".eventhive-config.yaml",
    "--timeout TIMEOUT": "6",
    "--secret SECRET": "None",
    "--debug, -d": "30",
    "--verbose, -v": "None",
}

FALLBACK = ['{"no":"output"}']


@pytest.fixture
def config(tmp_path: Path, server: Any) -> Path:
    """The template that is looked for, of a network that has a server."""
    path = tmp_path / ".eventhive-config.yaml"
    path.write_text(TEMPLATE.replace("PORT", str(server.port)))
    return path


def test_usage_of_the_page(start: Callable[..., Any]) -> None:
    code, out, _ = start(CLI, "--help", COLUMNS="300").end()
    text = " ".join(" ".join(out).split())
    assert code == 0
    for option, default in USAGE.items():
        described = re.search(rf" {re.escape(option)} [A-Z].*?\(default: (.*?)\) ", text)
        assert described, option
        assert described[1] == default
    assert "EVENTHIVE_SECRET" in text
    usage = out[0]
    assert re.findall(r"--[a-z-]+", usage) == [
        *[option.split()[0].rstrip(",") for option in list(USAGE)[:9]],
        "--first",
        "--debug",
        "--verbose",
    ]


def test_the_entry_point() -> None:
    setup = (Path(__file__).parents[2] / "setup.py").read_text()
    assert '"eventhive-cli = eventhive.cli.classic:main"' in setup


@pytest.mark.usefixtures("config")
class TestReceiver:
    def test_the_last_message_at_the_end_of_the_time(self, start: Callable[..., Any]) -> None:
        receiver = start(CLI, "--timeout", "2")
        receiver.expect("[CLI] Waiting for: 'cli/do'")
        for data in ("[1]", '{"a": {"b": "ä"}}'):
            assert start(CLI, "--timeout", "0", "--json-data", data).end()[0] == 0
        code, out, err = receiver.end()
        assert (code, out) == (0, ['{"a": {"b": "\\u00e4"}}'])
        assert [line for line in err if "Received" in line] == [
            "[CLI] Received: '[1]'",
            "[CLI] Received: '{\"a\": {\"b\": \"\\u00e4\"}}'",
        ]

    def test_first(self, start: Callable[..., Any]) -> None:
        # Without --first, this would outlast the deadline.
        receiver = start(CLI, "--timeout", "600", "--first", "--receiver", "me", "--event", "it")
        receiver.expect("[CLI] Waiting for: 'me/it'")
        sender = start(CLI, "--timeout", "0", "--receiver", "me", "--event", "it", "--json-data", "null")
        assert sender.end()[0] == 0
        assert receiver.end()[:2] == (0, ["null"])

    def test_the_fallback(self, start: Callable[..., Any]) -> None:
        assert start(CLI, "--timeout", "0.1").end()[:2] == (1, FALLBACK)
        assert start(CLI, "--timeout", "0.1", "--json-fallback", '{"a": 1}').end()[:2] == (1, ['{"a": 1}'])

    def test_logs(self, start: Callable[..., Any]) -> None:
        def lines(*words: str) -> list[str]:
            return [line for line in start(CLI, "--timeout", "0.1", *words).end()[2] if "[CLI]" not in line]

        assert lines() == []
        assert any("INFO eventhive: eventhive: connected" in line for line in lines("-v"))
        assert any("DEBUG" in line for line in lines("-d"))


@pytest.mark.usefixtures("config")
class TestSender:
    @pytest.mark.parametrize("data", ["{}", "false", "0", "null", '""', "[]", '{"a": "it\'s"}'])
    def test_everything_is_sent(self, start: Callable[..., Any], data: str) -> None:
        sender = start(CLI, "--timeout", "0", "--json-data", data)
        assert sender.end()[:2] == (0, [json.dumps(json.loads(data))])

    def test_in_the_middle_of_the_time(self, start: Callable[..., Any]) -> None:
        """Whoever is started together with it gets it."""
        sender = start(CLI, "--timeout", "6", "--json-data", "1")
        receiver = start(CLI, "--timeout", "60", "--first")
        assert receiver.end()[:2] == (0, ["1"])
        assert sender.end()[:2] == (0, ["1"])

    def test_a_target_and_no_answer(self, start: Callable[..., Any]) -> None:
        words = ["--json-data", "1", "--target-event", "eventhive/other/event"]
        receiver = start(CLI, "--timeout", "60", "--first", "--receiver", "other", "--event", "event")
        receiver.expect("Waiting")
        assert start(CLI, "--timeout", "0.2", *words).end()[:2] == (0, FALLBACK)
        assert receiver.end()[:2] == (0, ["1"])

    def test_an_answer(self, start: Callable[..., Any]) -> None:
        words = ["--json-data", "1", "--target-event", "eventhive/other/event"]
        receiver = start(CLI, "--timeout", "60", "--first", "--receiver", "other", "--event", "event")
        receiver.expect("Waiting")
        sender = start(CLI, "--timeout", "6", "--first", *words)
        receiver.end()
        assert start(CLI, "--timeout", "0", "--json-data", '"answer"').end()[0] == 0
        assert sender.end()[:2] == (0, ['"answer"'])

    def test_no_server(self, start: Callable[..., Any], config: Path) -> None:
        config.write_text(TEMPLATE.replace("PORT", "1"))
        code, out, err = start(CLI, "--timeout", "0.1", "--json-data", "1").end()
        assert (code, out) == (1, FALLBACK)
        assert err[-1].startswith("eventhive-cli: eventhive/cli/do is not confirmed after 1 s: waiting for ws://127.0")
        assert "refused" in err[-1]


def test_a_configuration_with_a_server(start: Callable[..., Any], tmp_path: Path, port: int) -> None:
    (tmp_path / "hosting.yaml").write_text(HOSTING.replace("PORT", str(port)))
    (tmp_path / "joining.yaml").write_text(TEMPLATE.replace("PORT", str(port)))
    host = start(CLI, "--config", "hosting.yaml", "--timeout", "60", "--first", "--network", "n")
    host.expect("Waiting")
    sender = start(CLI, "--config", "joining.yaml", "--timeout", "0", "--network", "n", "--json-data", "7")
    assert sender.end()[0] == 0
    assert host.end()[:2] == (0, ["7"])


@pytest.mark.usefixtures("config")
class TestBadInput:
    def check(self, done: tuple[int, list[str], list[str]], code: int, *parts: str) -> None:
        assert done[0] == code
        assert done[1] == []
        assert all(part in done[2][-1] for part in parts), done[2]
        assert not any("Traceback" in line for line in done[2])

    @pytest.mark.parametrize(
        ("words", "part"),
        [
            (["--json-data", "{x"], "not JSON"),
            (["--json-data", "NaN"], "NaN is not JSON"),
            (["--timeout", "soon"], "'soon'"),
            (["--timeout", "-1"], "'-1'"),
            (["--timeout", "nan"], "'nan'"),
            (["--config", "nope.yaml"], "can't open 'nope.yaml': No such file"),
            (["--target-event", "do", "--json-data", "1"], "network/channel/event"),
            (["--receiver", "a b"], "a b"),
            (["--network", ""], "empty part"),
            (["--fly"], "--fly"),
            (["--secret", "s3cr3t-word"], "no {secret}"),
        ],
    )
    def test_usage(self, start: Callable[..., Any], words: list[str], part: str) -> None:
        self.check(start(CLI, "--timeout", "0.1", *words).end(), 2, part)

    def test_configurations(self, start: Callable[..., Any], config: Path) -> None:
        for text, part in (
            ("connectors: {a: {pubsub_type: fastapi, input_chanel: x}}", "yaml:1:40: unknown key 'input_chanel'"),
            ("connectors:\n  {network}: [", "cannot be read"),
            (config.read_text().replace("'{receiver}'", "other"), "no input_channel 'cli' (there are: other)"),
        ):
            config.write_text(text)
            self.check(start(CLI, "--timeout", "0.1").end(), 1, str(config.name), part)
        self.check(
            start(CLI, "--timeout", "0.1", "--json-data", "1", "--target-event", "b/c/d").end(), 1, "connector 'b'"
        )

    def test_a_name_that_is_yaml(self, start: Callable[..., Any]) -> None:
        done = start(CLI, "--timeout", "0", "--network", "a'b:{c", "--receiver", "it's:#", "--json-data", "1").end()
        assert done[:2] == (0, ["1"])


SECRET = "it's: a {secret}"
ENVIRONMENT = {"EVENTHIVE_SECRET": "eventhive:environment-s3cr3t"}


class TestSecret:
    @pytest.fixture(autouse=True)
    def sealed(self, config: Path) -> None:
        text = config.read_text()
        config.with_name("plain.yaml").write_text(text)
        config.write_text(text.replace("init:", "secret: '{secret}'\n    init:"))

    def test_none_is_none(self, start: Callable[..., Any]) -> None:
        """In 0.5.0 it is the word None, and all who forgot theirs share it."""
        receiver = start(CLI, "--timeout", "60", "--first")
        receiver.expect("Waiting")
        assert start(CLI, "--config", "plain.yaml", "--timeout", "0", "--json-data", "1").end()[0] == 0
        assert receiver.end()[:2] == (0, ["1"])

    def test_an_argument(self, start: Callable[..., Any]) -> None:
        words = ["--secret", SECRET]
        receiver = start(CLI, "--timeout", "60", "--first", *words)
        receiver.expect("Waiting")
        assert start(CLI, "--timeout", "0", "--json-data", '{"a": 1}').end()[0] == 0
        code, _, err = start(CLI, "--timeout", "0", "--json-data", '{"a": 2}', *words).end()
        assert code == 0
        assert sum("--secret shows in process lists" in line for line in err) == 1
        code, out, err = receiver.end()
        assert (code, out) == (0, ['{"a": 2}'])
        assert SECRET not in "\n".join(err)

    def test_the_environment(self, start: Callable[..., Any]) -> None:
        receiver = start(CLI, "--timeout", "60", "--first", "--config", "plain.yaml", **ENVIRONMENT)
        receiver.expect("Waiting")
        assert start(CLI, "--timeout", "0", "--json-data", '{"a": 1}').end()[0] == 0
        code, _, err = start(CLI, "--timeout", "0", "--json-data", '{"a": 2}', **ENVIRONMENT).end()
        assert code == 0
        assert not any("process lists" in line for line in err)
        code, out, err = receiver.end()
        assert (code, out) == (0, ['{"a": 2}'])
        assert "environment-s3cr3t" not in "\n".join(err)

    def test_data_that_cannot_be_sealed(self, start: Callable[..., Any]) -> None:
        code, out, err = start(CLI, "--timeout", "0", "--json-data", "1", **ENVIRONMENT).end()
        assert (code, out) == (1, FALLBACK)
        assert err[-1].startswith("eventhive-cli: with a 'secret', data must be a dict")
