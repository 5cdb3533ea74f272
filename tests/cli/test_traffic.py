"""`eventhive listen` and `eventhive send`, with servers of ours and configurations as programs have them."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from redis_server import MISSING, PROGRAM, RedisServer

from eventhive.cli.send import documents
from eventhive.core.errors import LocalError

CONFIG = """\
connectors:
  my-hive: {pubsub_type: websocket, input_channel: queen, init: {host: 127.0.0.1, port: PORT}}
  inside: {pubsub_type: memory}
servers:      # of the program that this configuration was written for: it has the port
  my-hive: {pubsub_type: websocket, create: always, init: {host: 127.0.0.1, port: PORT}}
gateway: {}
"""

INTERFACE = "eventhive: {interfaces: [127.0.0.1]}\n"
ANNOUNCED = INTERFACE + """\
connectors:
  NETWORK: {pubsub_type: websocket, input_channel: cli, init: {host: 127.0.0.1, port: PORT}}
servers:
  NETWORK: {pubsub_type: websocket, create: always, broadcast: true, init: {host: 127.0.0.1, port: PORT}}
"""
LOOKS_UP = INTERFACE + """\
connectors:
  NETWORK: {pubsub_type: websocket, from_broadcast: 10}
"""

READY = "eventhive listen: ready"


@pytest.fixture
def config(tmp_path: Path, server: Any) -> Path:
    path = tmp_path / "eventhive.yaml"
    path.write_text(CONFIG.replace("PORT", str(server.port)))
    return path


def check_error(done: tuple[int, list[str], list[str]], code: int, *parts: str) -> None:
    """It ended with this exit code, and the last line on stderr says all of this."""
    assert done[0] == code, done
    assert done[1] == []
    assert all(part in done[2][-1] for part in parts), done[2]
    assert not any("Traceback" in line for line in done[2]), done[2]


def send(start: Callable[..., Any], *words: str) -> None:
    code, out, err = start("eventhive", "send", *words).end()
    assert (code, out, err) == (0, [], [])


class TestListen:
    def test_exact_names(self, start: Callable[..., Any], server: Any) -> None:
        listener = start("eventhive", "listen", "my-hive/a/b", "my-hive/a/c", "--url", server.url, "--count", "2")
        listener.expect(f"{READY}: my-hive/a/b, my-hive/a/c (connected to {server.url})")
        for name, data in (("my-hive/a/b", '{"a": "ä"}'), ("my-hive/a/bc", "1"), ("my-hive/a/c", "[2]")):
            send(start, name, data, "--url", server.url)
        code, out, _ = listener.end()
        assert code == 0
        assert [line.split("  ")[1:] for line in out] == [["my-hive/a/b", '{"a": "ä"}'], ["my-hive/a/c", "[2]"]]
        time.strptime(out[0].split("  ")[0], "%H:%M:%S.%f")

    def test_globs_get_each_event_once(self, start: Callable[..., Any], server: Any) -> None:
        words = ["my-hive/a/*", "my-hive/a/b", "my-hive/?/x", "--json", "--count", "3"]
        listener = start("eventhive", "listen", *words, "--url", server.url)
        listener.expect(READY)
        for name in ("my-hive/a/b", "my-hive/b/b", "other/a/b", "my-hive/a/b/c", "my-hive/b/x"):
            send(start, name, "{}", "--url", server.url)
        code, out, _ = listener.end()
        assert code == 0
        assert [json.loads(line)["event"] for line in out] == ["my-hive/a/b", "my-hive/a/b/c", "my-hive/b/x"]

    def test_a_whole_network(self, start: Callable[..., Any], server: Any) -> None:
        words = ["listen", "my-hive/*", "hers/*", "--count", "2", "--url", server.url]
        listener = start("eventhive", *words)
        listener.expect(READY)
        for name in ("my-hive/a/b", "other/a/b", "hers/a/b"):
            send(start, name, "{}", "--url", server.url)
        code, out, _ = listener.end()
        assert code == 0
        assert sorted(line.split("  ")[1] for line in out) == ["hers/a/b", "my-hive/a/b"]

    def test_json_lines(self, start: Callable[..., Any], server: Any) -> None:
        listener = start("eventhive", "listen", "my-hive/json/*", "--json", "--count", "1", "--url", server.url)
        listener.expect(READY)
        before = time.time()
        send(start, "my-hive/json/x", '{"a": "\\u001b"}', "--url", server.url)
        [line] = listener.end()[1]
        event = json.loads(line)
        assert before <= event.pop("time") <= time.time()
        assert event == {"event": "my-hive/json/x", "data": {"a": "\x1b"}}

    def test_control_characters_do_not_reach_a_terminal(self, start: Callable[..., Any], server: Any) -> None:
        listener = start("eventhive", "listen", "my-hive/esc/*", "--count", "1", "--url", server.url)
        listener.expect(READY)
        send(start, "my-hive/esc/x", '"\\u009b2J"', "--url", server.url)
        [line] = listener.end()[1]
        assert line.endswith('my-hive/esc/x  "\\x9b2J"')

    def test_timeout(self, start: Callable[..., Any], server: Any) -> None:
        words = ["eventhive", "listen", "my-hive/quiet/*", "--url", server.url, "--timeout", "0.2"]
        assert start(*words).end()[:2] == (0, [])
        check_error(start(*words, "--count", "2").end(), 1, "eventhive: 0 of 2 events in 0.2 s")

    def test_no_server(self, start: Callable[..., Any], port: int) -> None:
        words = ["listen", "my-hive/a/b", "--url", f"ws://127.0.0.1:{port}/pubsub", "--timeout", "0.2"]
        done = start("eventhive", *words).end()
        why = f"my-hive: waiting for ws://127.0.0.1:{port}/pubsub: Connection refused"
        check_error(done, 1, f"0 events in 0.2 s ({why})")
        assert not any(READY in line for line in done[2])

    def test_a_server_that_comes_later(
        self, start: Callable[..., Any], start_server: Callable[[int], Any], port: int
    ) -> None:
        url = f"ws://127.0.0.1:{port}/pubsub"
        listener = start("eventhive", "listen", "my-hive/late/*", "--url", url, "--count", "1")
        listener.expect("Connection refused")
        start_server(port)
        listener.expect("my-hive: connected to")
        send(start, "my-hive/late/x", "1", "--url", url)
        assert listener.end()[0] == 0

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_an_interrupt_is_its_end(self, start: Callable[..., Any], server: Any, number: int) -> None:
        listener = start("eventhive", "listen", "my-hive/a/*", "--url", server.url)
        listener.expect(READY)
        code, out, err = listener.end(number)
        assert (code, out) == (0, [])
        assert not any("Traceback" in line for line in err)
        listener = start("eventhive", "listen", "my-hive/a/*", "--url", server.url, "--count", "1")
        listener.expect(READY)
        assert listener.end(number)[0] == 130

    def test_an_output_that_is_closed(self, start: Callable[..., Any], server: Any) -> None:
        read_end, write_end = os.pipe()
        os.close(read_end)
        process = subprocess.Popen(
            [sys.executable, "-m", "eventhive", "listen", "my-hive/pipe/*", "--url", server.url],
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
            stdout=write_end,
            stderr=subprocess.PIPE,
            text=True,
        )
        os.close(write_end)
        with process:
            assert process.stderr
            lines = []
            while READY not in (line := process.stderr.readline()):
                lines.append(line)
            send(start, "my-hive/pipe/x", "1", "--url", server.url)
            lines += process.stderr.readlines()
            assert process.wait() == 1
        assert not any("Error" in line for line in lines), lines

    def test_a_slow_reader_loses_nothing(self, start: Callable[..., Any], server: Any) -> None:
        """More than what waits here at most: the rest stays with the carrier until it is read."""
        number = 30_000
        words = ["listen", "my-hive/many/*", "--json", "--url", server.url, "--count", str(number)]
        listener = start("eventhive", *words, reads=False)
        listener.expect(READY)
        sender = start("eventhive", "send", "my-hive/many/x", "-", "--json", "--url", server.url)
        sender.tell("".join(f"{one}\n" for one in range(number)))
        assert sender.end()[:2] == (0, [json.dumps({"event": "my-hive/many/x", "confirmed": number})])
        listener.expect("the output is behind")
        listener.read()
        code, out, err = listener.end()
        assert code == 0
        assert "the output has caught up" in "\n".join(err)
        assert [json.loads(line)["data"] for line in out] == list(range(number))


@pytest.mark.usefixtures("config")
class TestConfiguration:
    def test_the_file_that_a_program_reads(self, start: Callable[..., Any], config: Path) -> None:
        listener = start("eventhive", "listen", "my-hive/conf/x", "--count", "3")
        listener.expect(READY)
        send(start, "my-hive/conf/x", "1")
        send(start, "my-hive/conf/x", "2", "--config", str(config))
        moved = config.rename(config.with_name("other.yaml"))
        done = start("eventhive", "send", "my-hive/conf/x", "3", EVENTHIVE_CONFIG=str(moved)).end()
        assert done == (0, [], [])
        assert [line.split("  ")[2] for line in listener.end()[1]] == ["1", "2", "3"]

    def test_metadata_is_configured_and_shown(self, start: Callable[..., Any], config: Path) -> None:
        config.write_text(config.read_text() + "eventhive: {remove_metadata: false}\n")
        listener = start("eventhive", "listen", "my-hive/meta/x", "--count", "1", "--json")
        listener.expect(READY)
        send(start, "my-hive/meta/x", '{"a": 1}')
        data = json.loads(listener.end()[1][0])["data"]
        assert data["a"] == 1
        assert data["__eventhive__"]["event"] == "my-hive/meta/x"

    @pytest.mark.parametrize("command", [["listen"], ["send"]])
    def test_what_it_does_not_have(self, start: Callable[..., Any], config: Path, command: list[str]) -> None:
        data = ["1"] if command == ["send"] else []

        def end(name: str, *words: str) -> tuple[int, list[str], list[str]]:
            done: tuple[int, list[str], list[str]] = start("eventhive", *command, name, *data, *words).end()
            return done

        check_error(end("hive/a/b"), 1, "no connector 'hive' (it has: my-hive, inside)")
        check_error(end("inside/a/b"), 1, "'inside'", "within one process")
        config.write_text("connectors: {my-hive: {pubsub_type: websockets}}")
        check_error(end("my-hive/a/b"), 1, "eventhive.yaml:1:24: ", "websockets")
        config.unlink()
        check_error(end("my-hive/a/b"), 2, "no eventhive.yaml here", "--config", "--url ws://127.0.0.1:8085/pubsub")
        check_error(end("my-hive/a/b", "--config", "no.yaml"), 1, "no.yaml: No such file")


SEALS = ["secret: s3cr3t-word", "secret: s3cr3t-word, seal: strict"]


@pytest.mark.parametrize("seal", SEALS)
def test_a_network_with_a_secret(start: Callable[..., Any], config: Path, server: Any, seal: str) -> None:
    config.write_text(config.read_text().replace("input_channel: queen", seal))
    listener = start("eventhive", "listen", "my-hive/sealed/*", "--json", "--count", "2")
    listener.expect(READY)
    outside = start("eventhive", "listen", "my-hive/sealed/*", "--url", server.url)
    outside.expect(READY)
    for data, environment in (('{"a": 1}', {}), ('{"a": 2}', {"EVENTHIVE_SECRET": "my-hive:s3cr3t-word"})):
        assert start("eventhive", "send", "my-hive/sealed/x", data, **environment).end() == (0, [], [])
    code, out, err = listener.end()
    assert code == 0
    assert [json.loads(line)["data"] for line in out] == [{"a": 1}, {"a": 2}]
    outside.expect("my-hive/sealed/x")
    assert outside.end(signal.SIGINT)[1] == []
    assert "s3cr3t-word" not in "\n".join(err)


def test_data_that_a_network_cannot_seal(start: Callable[..., Any], config: Path) -> None:
    config.write_text(config.read_text().replace("input_channel: queen", "secret: s3cr3t-word"))
    done = start("eventhive", "send", "my-hive/sealed/x", "21.5").end()
    check_error(done, 1, "with a 'secret', data must be a dict")


def test_a_server_that_is_announced(start: Callable[..., Any], tmp_path: Path, port: int) -> None:
    """A network whose server may be elsewhere: it is found, and all of its events are subscribed there."""
    network = f"announced-{port}"
    (tmp_path / "host.yaml").write_text(ANNOUNCED.replace("NETWORK", network).replace("PORT", str(port)))
    host = start("eventhive.cli", "--config", "host.yaml", "--network", network, "--first", "--timeout", "60")
    host.expect("Waiting")
    (tmp_path / "eventhive.yaml").write_text(LOOKS_UP.replace("NETWORK", network))
    listener = start("eventhive", "listen", f"{network}/*", "--count", "1", "--timeout", "60")
    listener.expect(READY)
    assert start("eventhive", "send", f"{network}/cli/do", "1", "--timeout", "30").end() == (0, [], [])
    assert listener.end()[1][0].endswith(f"{network}/cli/do  1")
    assert host.end()[:2] == (0, ["1"])


@pytest.fixture
def redis_url(tmp_path: Path) -> Iterator[str]:
    if PROGRAM is None:
        pytest.skip(MISSING)
    server = RedisServer(tmp_path).start()
    yield f"redis://127.0.0.1:{server.port}/0"
    server.kill()


def test_redis(start: Callable[..., Any], redis_url: str) -> None:
    listener = start("eventhive", "listen", "my-hive/redis/x", "--count", "1", "--url", redis_url)
    listener.expect(READY)
    send(start, "my-hive/redis/y", "1", "--url", redis_url)
    send(start, "my-hive/redis/x", "2", "--url", redis_url)
    code, out, _ = listener.end()
    assert (code, len(out)) == (0, 1)
    assert out[0].endswith("my-hive/redis/x  2")
    done = start("eventhive", "listen", "my-hive/redis/*", "--url", redis_url).end()
    check_error(done, 1, "my-hive", "exact names only")


class TestSend:
    def test_stdin(self, start: Callable[..., Any], server: Any) -> None:
        listener = start("eventhive", "listen", "my-hive/in/x", "--json", "--count", "4", "--url", server.url)
        listener.expect(READY)
        lines = start("eventhive", "send", "my-hive/in/x", "-", "--url", server.url)
        lines.tell('{"a": 1}\n\n[2]\n"3"')
        assert lines.end() == (0, [], [])
        whole = start("eventhive", "send", "my-hive/in/x", "-", "--url", server.url)
        whole.tell('{\n  "b": [\n    4\n  ]\n}\n')
        assert whole.end() == (0, [], [])
        assert [json.loads(line)["data"] for line in listener.end()[1]] == [{"a": 1}, [2], "3", {"b": [4]}]

    def test_each_line_as_it_comes(self, start: Callable[..., Any], server: Any) -> None:
        sender = start("eventhive", "send", "my-hive/tail/x", "-", "--url", server.url)
        for number in range(2):
            listener = start("eventhive", "listen", "my-hive/tail/x", "--count", "1", "--url", server.url)
            listener.expect(READY)
            sender.tell(f"{number}\n")
            assert listener.end()[1][0].endswith(f"  {number}")
        assert sender.end()[0] == 0

    def test_a_line_that_is_no_json(self, start: Callable[..., Any], server: Any) -> None:
        sender = start("eventhive", "send", "my-hive/bad/x", "-", "--url", server.url)
        sender.tell("1\n2\n{3\n4\n")
        code, out, err = sender.end()
        assert (code, out) == (1, [])
        assert err[0] == "eventhive: 2 events before that are confirmed"
        assert err[1].startswith("eventhive: stdin, from line 3 on: not JSON")

    def test_no_server(self, start: Callable[..., Any], port: int) -> None:
        words = ["send", "my-hive/a/b", "1", "--timeout", "0.2", "--url", f"ws://127.0.0.1:{port}"]
        done = start("eventhive", *words).end()
        assert done[2] == [
            "eventhive: my-hive/a/b is not confirmed after 0.2 s: "
            f"waiting for ws://127.0.0.1:{port}/pubsub: Connection refused"
        ]
        check_error(done, 1)

    def test_a_server_that_does_not_answer(self, start: Callable[..., Any]) -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            url = f"ws://127.0.0.1:{silent.getsockname()[1]}/pubsub"
            done = start("eventhive", "send", "my-hive/a/b", "1", "--timeout", "0.2", "--url", url).end()
        check_error(done, 1, f"my-hive/a/b is not confirmed after 0.2 s: connecting to {url}")

    def test_a_server_that_comes_in_time(
        self, start: Callable[..., Any], start_server: Callable[[int], Any], port: int
    ) -> None:
        url = f"ws://127.0.0.1:{port}/pubsub"
        sender = start("eventhive", "send", "my-hive/a/b", "1", "--timeout", "30", "--url", url, "--log-level", "info")
        sender.expect("Connection refused")
        start_server(port)
        assert sender.end()[0] == 0

    def test_too_much(self, start: Callable[..., Any], server: Any) -> None:
        sender = start("eventhive", "send", "my-hive/a/b", "-", "--url", server.url)
        sender.tell(json.dumps("x" * 2_000_000))
        check_error(sender.end(), 1, "bytes of data")


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["send", "my-hive/a/b", "{x"], "not JSON"),
        (["send", "my-hive/a/b", "NaN"], "NaN is not JSON"),
        (["send", "a/b", "1"], "network/channel/event"),
        (["send", "my-hive/a/*", "1"], "'*'"),
        (["send", "my-hive/a b/c", "1"], "no space"),
        (["send", "my-hive/a/b"], "DATA"),
        (["send", "my-hive/a/b", "1", "--timeout", "0"], "above 0"),
        (["listen"], "NAME"),
        (["listen", "a/b"], "network/channel/event"),
        (["listen", "*/a/b"], "must be a name"),
        (["listen", "my-hive//*"], "no empty part"),
        (["listen", "my-hive/a/b", "--count", "0"], "'0'"),
        (["listen", "my-hive/a/b", "--timeout", "x"], "'x'"),
        (["listen", "my-hive/a/b", "--url", "http://h"], "is not like ws://"),
        (["listen", "my-hive/a/b", "--url", "ws://h:x"], "ws://h:x"),
        (["listen", "my-hive/a/b", "--url", "ws://h/p?q=1"], "no '?'"),
        (["listen", "my-hive/a/b", "--url", "ws://h", "--config", "c"], "not allowed with"),
    ],
)
def test_wrong_usage(start: Callable[..., Any], words: list[str], part: str) -> None:
    check_error(start("eventhive", *words).end(), 2, part)


def test_a_password_in_an_argument(start: Callable[..., Any]) -> None:
    done = start("eventhive", "listen", "my-hive/a/b", "--url", "redis://:s3cr3t-word@127.0.0.1").end()
    check_error(done, 2, "process lists")
    assert not any("s3cr3t-word" in line for line in done[2])


def test_documents() -> None:
    assert list(documents([])) == []
    assert list(documents([b"\n", b"[1,\n", b"2]\n"])) == [[1, 2]]
    for bad in ([b"\xff\n"], [b"1\n", b"x\n"], [b"[" * 100_000], [b"{\n", b"1"]):
        with pytest.raises(LocalError, match="stdin, from line"):
            list(documents(bad))
