"""Secrets between processes over the websocket: the right one, a wrong one, none; and somebody who replays."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from websockets.asyncio.client import connect

from eventhive import classic

Run = Callable[..., Any]

SERVER = """
servers:
  net: {{pubsub_type: fastapi, create: always, init: {{port: {port}}}}}
"""
CONNECTOR = """
connectors:
  net: {{pubsub_type: fastapi, input_channel: {channel}, init: {{port: {port}}}{more}}}
"""
WORKER = """
@eventhive.hook(["worker/action", "worker/other"])
def work(data):
    print(eventhive.get_event_name(), "with", {key: data[key] for key in data if key != "__eventhive__"})
eventhive.init()
print("ready")
input()
"""
QUEEN = """
eventhive.init()
print("ready")
for line in sys.stdin:
    eventhive.EVENTS.call("net/worker/action", {"line": line.strip()})
"""
SEALS = [", secret: s3cr3t", ", secret: s3cr3t, remove_metadata: false", ", secret: s3cr3t, seal: strict"]


def program(body: str, port: int, channel: str, more: str, server: bool = False) -> str:
    yaml = (CONNECTOR + (SERVER if server else "")).format(port=port, channel=channel, more=more)
    return f"import eventhive, sys\neventhive.CONFIG.read_string({yaml!r})\n{body}"


async def overhear(port: int, act: Callable[[], None]) -> str:
    """The data that travels when `act` makes somebody call net/worker/action."""
    async with connect(f"ws://127.0.0.1:{port}/pubsub") as socket:
        await socket.send(classic.subscribe(["net/worker/action"], "s").decode())
        await socket.recv()
        act()
        call = classic.read(str(await asyncio.wait_for(socket.recv(), 20)))
        assert isinstance(call, classic.Call)
        return str(call.arguments["data"])


async def publish(port: int, *events: tuple[str, str]) -> None:
    async with connect(f"ws://127.0.0.1:{port}/pubsub") as socket:
        for number, (topic, data) in enumerate(events):
            head = classic.publish_head(topic)
            await socket.send(classic.publish(head, classic.Payload(text=data), number).decode())
            await asyncio.wait_for(socket.recv(), 20)


@pytest.mark.parametrize("more", SEALS)
def test_what_is_captured_cannot_be_sent_again(run: Run, port: int, more: str) -> None:
    queen = run(program(QUEEN, port, "queen", more, server=True))
    queen.expect("ready")
    worker = run(program(WORKER, port, "worker", more))
    worker.expect("ready")
    captured = asyncio.run(overhear(port, lambda: queen.tell("first")))
    worker.expect("worker/action with {'line': 'first'}")
    assert "first" not in captured
    asyncio.run(publish(port, ("net/worker/action", captured)))
    if more != SEALS[0]:
        # As 0.5.0 does it, the name is bound by metadata only.
        asyncio.run(publish(port, ("net/worker/other", captured)))
    asyncio.run(publish(port, ("net/worker/action", '{"line": "forged"}')))
    queen.tell("second")
    worker.expect("worker/action with {'line': 'second'}")
    worker.tell()
    output = worker.end()
    assert output.count(" with {") == 2
    assert "net: an event net/worker/action is dropped: it was received before" in output
    assert "net: an event net/worker/action is dropped: it is not sealed: give its sender the secret" in output
    other = "it was signed for another event" if "remove" in more else "its signature is wrong"
    assert (f"net: an event net/worker/other is dropped: {other}" in output) == (more != SEALS[0])


@pytest.mark.parametrize(
    ("of_queen", "of_worker", "why"),
    [
        (SEALS[0], ", secret: other", "it cannot be decrypted: give its sender the secret of this network"),
        (SEALS[2], ", secret: other, seal: strict", "its signature is wrong: its sender has another secret"),
        (SEALS[0], "", "it is sealed, and this process has no secret for the network"),
        (SEALS[2], "", "it is sealed, and this process has no secret for the network"),
        ("", SEALS[0], "it is not sealed: give its sender the secret of this network"),
        ("", SEALS[2], "it is not sealed: give its sender the secret of this network"),
        (SEALS[0], SEALS[2], "it is sealed in another way: set the same 'seal' (classic or strict) in all members"),
        (SEALS[2], SEALS[0], "it is sealed in another way: set the same 'seal' (classic or strict) in all members"),
    ],
)
def test_members_that_do_not_agree(run: Run, port: int, of_queen: str, of_worker: str, why: str) -> None:
    queen = run(program(QUEEN, port, "queen", of_queen, server=True))
    queen.expect("ready")
    worker = run(program(WORKER, port, "worker", of_worker))
    worker.expect("ready")
    queen.tell("first")
    worker.expect(f"net: an event net/worker/action is dropped: {why}")
    queen.tell("second")
    worker.tell()
    output = worker.end()
    assert " with {" not in output and output.count("dropped") == 1 and "s3cr3t" not in output


@pytest.mark.parametrize("more", SEALS)
def test_what_is_called_before_there_is_a_server_arrives_once_and_in_order(run: Run, port: int, more: str) -> None:
    queen = run(program(QUEEN, port, "queen", more))
    queen.expect("ready")
    for number in range(20):
        queen.tell(f"{number}")
    worker = run(program(WORKER, port, "worker", more, server=True))
    for number in range(20):
        worker.expect(f"worker/action with {{'line': '{number}'}}")
    worker.tell()
    assert worker.end().count(" with {") == 20


def test_a_secret_of_the_environment(run: Run, port: int) -> None:
    queen = run(program(QUEEN, port, "queen", "", server=True), EVENTHIVE_SECRET="net:a:b:c")
    queen.expect("ready")
    worker = run(program(WORKER, port, "worker", ", secret: ignored"), EVENTHIVE_SECRET="net:a:b:c")
    worker.expect("ready")
    queen.tell("first")
    worker.expect("worker/action with {'line': 'first'}")
    assert json.loads(asyncio.run(overhear(port, lambda: queen.tell("second")))).keys() == {"iv", "ciphertext"}
