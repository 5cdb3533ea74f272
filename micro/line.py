"""The carrier of a session over a serial line: a stream, the frames of `framing.py`, and the text between them.

The device asks first (`ready`, every two seconds, until it is challenged), because nobody may write into what could
still be a REPL.
"""

import asyncio

from eventhive.core.framing import CHALLENGE, DATA, HELLO, NO_SESSION, READY, SerialLine

from .node import part
from .port import sleep_ms

READY_MS = 2000

# A read takes what is there, up to this; a line of text in a burst is rarely longer.
_READ_BYTES = 256


async def connect(link, limit):
    """A carrier over the serial line of a link; OSError when it cannot be opened."""
    return SerialCarrier(await part(link["type"])(link), limit)


class SerialCarrier:
    """A carrier over a port: `read(n)` waits for some bytes, up to n; `queue(data)` and `drain()` write.

    `receive` begins with the gateway's challenge.
    `wake()` is called when there may be a line to write; `gone` is set when the port has to be opened again.
    """

    tick_ms = 50

    def __init__(self, port, limit):
        self.wake = None
        self.gone = False
        self._port = port
        self._line = SerialLine(True, limit)
        self._messages = []
        self._greeted = False
        self._in_session = False

    async def begin(self):
        """Ask until the gateway challenges; returns this carrier."""
        self._in_session = self._greeted = False
        self.wake = None
        asking = asyncio.create_task(self._ask())
        try:
            while not self._messages:
                await self._read()
        finally:
            asking.cancel()
        return self

    async def _ask(self):
        while True:
            self._line.send(READY)
            await self.drain()
            await sleep_ms(READY_MS)

    def send(self, message):
        """Queue one message; the first of a session is its hello."""
        self._line.send(DATA if self._greeted else HELLO, message)
        self._greeted = True

    async def drain(self):
        """Write what the line has to send now."""
        if self._line.dead:
            raise EOFError("nobody acknowledges on the serial line")
        lines = self._line.data_to_send()
        while lines:
            self._port.queue(lines)
            await self._port.drain()
            lines = self._line.data_to_send()

    def tick(self, elapsed_ms):
        """Let time pass: unacknowledged lines are sent again."""
        self._line.tick(elapsed_ms)

    def close(self, reason):
        """End the session; the port stays open."""
        self._in_session = False

    async def receive(self):
        """The next message of the gateway; EOFError when the line is dead or the gateway knows no session."""
        while not self._messages:
            await self._read()
            # During the hand-shake there is no writer to wake.
            if self.wake:
                self.wake()
            else:
                await self.drain()
        return self._messages.pop(0)

    async def _read(self):
        data = await self._port.read(_READ_BYTES)
        if not data:
            self.gone = True
            raise EOFError("the serial port is gone")
        for kind, payload in self._line.receive_data(data):
            if kind == CHALLENGE and not self._in_session:
                self._line.reset()
                self._in_session = True
                self._messages = [payload]
            elif kind == DATA and self._in_session:
                self._messages.append(payload)
            elif kind == NO_SESSION and self._greeted and self._in_session:
                raise EOFError("the gateway has no session for this device")
