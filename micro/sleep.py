"""Going to sleep until a time that the gateway knows. Loaded where a program does."""

import asyncio

import machine

from eventhive.core.errors import LocalError

from .node import GOODBYE_S, within
from .port import sleep_ms

# For the last acknowledgements: a radio that is on costs more than anything else in a board.
FLUSH_S = 10
_STEP_MS = 20


def load(node):
    """`sleep` of a node."""

    async def sleep(ms, timeout_s=FLUSH_S):
        """Send what waits, tell the gateway, switch the radio off, and sleep deeply for so many milliseconds.

        What is not acknowledged within `timeout_s` goes to flash, where `spill` is set, and is lost otherwise. It does
        not come back: the board starts anew when it wakes. `LocalError` where this port has no deep sleep.
        """
        if not hasattr(machine, "deepsleep"):
            raise LocalError("this port of MicroPython has no machine.deepsleep")
        try:
            await within(timeout_s, _flushed(node))
        except asyncio.TimeoutError:
            pass
        if not (node.spill and node.spill.write()) and node.outbox.entries:
            node.log("eventhive: %d events that nobody acknowledged are lost" % len(node.outbox.entries))
        session = node.session
        if session:
            session.close("asleep", (ms + 999) // 1000)
            node.woken.set()
            try:
                await within(GOODBYE_S, _gone(node, session))
            except asyncio.TimeoutError:
                pass
        try:
            import network

            network.WLAN(network.STA_IF).active(False)
        except ImportError:
            # A board without a radio.
            pass
        machine.deepsleep(ms)

    return sleep


async def _flushed(node):
    while node.outbox.acked < node.outbox.next - 1:
        await sleep_ms(_STEP_MS)


async def _gone(node, session):
    while node.session is session:
        await sleep_ms(_STEP_MS)
