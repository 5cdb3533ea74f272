"""What is in the way between board and gateway: none of it loses an event, or needs a hand at the board."""

from typing import Any

import pytest

from hil.lib.hub import Gateway, Listener
from hil.targets.base import Target

# Calls an event with the next number all the time, and does what it is asked to.
PROGRAM = """
import asyncio
import eventhive

@eventhive.hook("dut/echo")
def echo(data):
    return data

@eventhive.hook("dut/leave")
def leave(data):
    import network
    print("leaves")
    network.WLAN(network.STA_IF).active(False)

async def main():
    number = 0
    while True:
        if eventhive.outbox.next - eventhive.outbox.acked < 20:
            eventhive.EVENTS.call("my-hive/tests/number", number)
            number += 1
        await asyncio.sleep(0.02)

eventhive.init()
asyncio.run(eventhive.run(main()))
"""

# Nothing is heard for twice that, and the other end is taken for dead.
HEARTBEAT_S = 5

# More than wait in the board during an outage, so that some were called after it.
AFTER = 25

BANNER = b'\r\nMPY: soft reboot\r\nMicroPython v1.28.0 on 2026-01-01; Generic board\r\nType "help()"\r\n>>> '
GARBAGE = (BANNER, bytes(range(128, 256)) * 8, b"#<D", b"#>D" + b"A" * 300 + b"\r\n", b"\x00\x1b[2J\r\n\r\r\n" * 20)


class Numbers:
    """What arrives of a board that counts."""

    def __init__(self, listener: Listener):
        self._listener = listener
        self._listener.hook("number")
        self._next = 0

    def come(self, count: int, again: bool = False) -> None:
        """The next ones arrive, none is left out, and none comes twice, unless `again`; then it answers a request."""
        end = self._next + count
        while self._next < end:
            number = self._listener.next()[1]
            assert number == self._next or (again and number < self._next)
            self._next = max(self._next, number + 1)
        assert self._listener.request("echo", end) == end


def test_a_gateway_that_is_killed(dut: Target, listener: Listener, gateway: Gateway, settings: dict[str, Any]) -> None:
    numbers = Numbers(listener)
    dut.run(PROGRAM, settings)
    numbers.come(3)
    for _ in range(2):
        gateway.kill()
        gateway.start()
        gateway.expect("device dut: online")
        # What nobody acknowledged may come again.
        numbers.come(AFTER, again=True)


@pytest.mark.serial
def test_a_cable_that_is_unplugged(dut: Target, listener: Listener, gateway: Gateway) -> None:
    assert dut.wire is not None
    numbers = Numbers(listener)
    dut.run(PROGRAM, gateway.enrol("serial"))
    numbers.come(3)
    for count in (1, 2):
        dut.wire.unplug()
        gateway.expect("lost: it was unplugged, or closed at its other end", count)
        dut.wire.plug()
        gateway.expect("device dut: online", count + 1)
        numbers.come(AFTER)


@pytest.mark.serial
def test_garbage_on_the_line(dut: Target, listener: Listener, gateway: Gateway) -> None:
    """What no gateway and no board writes, in both directions, before and in a session."""
    assert dut.wire is not None
    numbers = Numbers(listener)
    for piece in GARBAGE:
        dut.wire.to_gateway(piece)
    dut.run(PROGRAM, gateway.enrol("serial"))
    for piece in GARBAGE:
        numbers.come(3)
        dut.wire.to_gateway(piece)
        dut.wire.to_board(piece)
    numbers.come(3)


@pytest.mark.network
def test_a_network_in_which_nothing_passes(dut: Target, listener: Listener, gateway: Gateway) -> None:
    """Half-open: no end is told, and both notice."""
    numbers = Numbers(listener)
    dut.run(PROGRAM, {**gateway.enrol("websocket"), "heartbeat": HEARTBEAT_S})
    numbers.come(3)
    gateway.relay.mute = True
    dut.console.expect("link down: .*nothing heard")
    gateway.relay.mute = False
    gateway.expect("device dut: online", 2)
    numbers.come(AFTER)


@pytest.mark.network
@pytest.mark.wifi
def test_a_radio_that_is_off(dut: Target, listener: Listener, gateway: Gateway) -> None:
    numbers = Numbers(listener)
    dut.run(PROGRAM, {**gateway.enrol("websocket"), "heartbeat": HEARTBEAT_S})
    numbers.come(3)
    dut.radio(there=False)
    listener.call("leave")
    dut.console.expect("leaves$")
    # Where the radio is a stand-in, the connection is not: it goes with it.
    gateway.relay.cut()
    dut.console.expect("link down")
    dut.radio(there=True)
    gateway.expect("device dut: online", 2)
    numbers.come(AFTER)
