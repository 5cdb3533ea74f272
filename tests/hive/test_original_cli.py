"""The command `eventhive-cli` of EventHive 0.5.0 with a hive of ours, and ours with a process of 0.5.0."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import original
import pytest
from programs import DEADLINE, ROOT

DATA = {"n": 1, "text": 'é "', "list": [None, True]}
CONNECTORS = """
connectors:
  {network}:
    pubsub_type: fastapi
    input_channel: '{receiver}'
    init: {{host: 127.0.0.1, port: PORT, endpoint: /pubsub, scheme: ws}}
"""
SEALED = "    secret: '{secret}'\n"
SERVER = "servers: {my-hive: {pubsub_type: fastapi, create: always, broadcast: false, init: %s}}\n"
ADDRESS = "{host: 127.0.0.1, port: %d, endpoint: /pubsub, scheme: ws}"
OURS = "connectors: {my-hive: {pubsub_type: fastapi, input_channel: %s%s, init: %s}}\n"
SECRETS = pytest.mark.parametrize("secret", ["", "s3cr3t"])

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def python() -> Path:
    try:
        return original.environment()
    except original.Unavailable as error:
        pytest.skip(str(error))


@pytest.fixture
def start(tmp_path: Path, port: int) -> Iterator[Start]:
    """Start a CLI on a template: `start(command, secret, *options)`; each is a session of its own."""
    started: list[subprocess.Popen[str]] = []

    def begin(command: list[str], secret: str, *options: str) -> "subprocess.Popen[str]":
        (tmp_path / "template.yaml").write_text((CONNECTORS + SEALED * bool(secret)).replace("PORT", str(port)))
        more = ["--secret", secret] if secret else []
        words = [*command, "--network", "my-hive", "--config", "template.yaml", *more, *options]
        process = subprocess.Popen(
            words,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT) if command[0] == sys.executable else ""},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield begin
    for process in started:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


OWN = [sys.executable, "-m", "eventhive.cli"]


def queen(port: int, secret: str) -> str:
    """A configuration of the queen, who has the server."""
    more = f", secret: {secret}" if secret else ""
    return OURS % ("queen", more, ADDRESS % port) + SERVER % (ADDRESS % port)


@SECRETS
def test_its_receiver_prints_what_we_call(
    python: Path, start: Start, here: Any, wait_for: Any, port: int, secret: str
) -> None:
    ours = here(queen(port, secret))
    process = start([str(python.parent / "eventhive-cli")], secret, "--timeout", "4")

    def called() -> bool:
        # It does not say when it has subscribed; the last event before its time is over is what it prints.
        ours.events.call("my-hive/cli/do", DATA)
        return process.poll() is not None

    wait_for(called, "its end")
    assert json.loads(process.communicate(timeout=DEADLINE)[0]) == DATA


@SECRETS
def test_its_sender_reaches_our_hook(
    python: Path, start: Start, here: Any, wait_for: Any, port: int, secret: str
) -> None:
    ours = here(queen(port, secret))
    got: list[Any] = []
    ours.events.hook(got.append, "queen/do")
    words = ("--json-data", json.dumps(DATA), "--target-event", "my-hive/queen/do", "--timeout", "2")
    start([str(python.parent / "eventhive-cli")], secret, *words)
    wait_for(lambda: got, "its event")
    assert {key: value for key, value in got[0].items() if key != "__eventhive__"} == DATA


@pytest.fixture
def theirs(python: Path, tmp_path: Path) -> Iterator[Callable[[str], original.Original]]:
    """A queen of 0.5.0, who has the server."""
    members: list[original.Original] = []

    def begin(text: str) -> original.Original:
        members.append(original.Original(python, tmp_path, "queen", text))
        return members[-1]

    yield begin
    for member in members:
        member.kill()


@SECRETS
def test_our_receiver_prints_what_it_calls(
    start: Start, theirs: Any, wait_for: Any, port: int, secret: str
) -> None:
    queen_of_theirs = theirs(queen(port, secret))
    process = start(OWN, secret, "--receiver", "worker", "--event", "action", "--first", "--timeout", "20")

    def called() -> bool:
        queen_of_theirs.call("my-hive/worker/action", DATA)
        return process.poll() is not None

    wait_for(called, "its end")
    output, errors = process.communicate(timeout=DEADLINE)
    assert process.returncode == 0, errors
    data = json.loads(output)
    assert {key: value for key, value in data.items() if key != "__eventhive__"} == DATA


@SECRETS
def test_our_sender_reaches_its_hook(start: Start, theirs: Any, wait_for: Any, port: int, secret: str) -> None:
    queen_of_theirs = theirs(queen(port, secret))
    words = ("--json-data", json.dumps(DATA), "--target-event", "my-hive/queen/action", "--timeout", "4")
    process = start(OWN, secret, *words)
    assert process.wait(DEADLINE) == 0, process.communicate()[1]
    wait_for(lambda: queen_of_theirs.got, "our event")
    assert queen_of_theirs.got == [DATA]
