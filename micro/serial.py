"""The carrier of a session over a serial line: a stream, the frames of `framing.py`, and the text between them.

The device asks first (`ready`, every two seconds, until it is challenged), because nobody may write into what could
still be a REPL.
"""

import asyncio

from eventhive.core.framing import CHALLENGE, DATA, HELLO, NO_SESSION, READY, SerialLine

from .port import sleep_ms

READY_MS = 2000

# A read takes what is there, up to this; a line of text in a burst is rarely longer.
_READ_BYTES = 256


if hasattr(asyncio, "sleep_ms"):

    async def open_serial(path):
        """The (reader, writer) of the serial device at a path, in raw mode."""
        import termios

        file = open(path, "r+b", 0)
        termios.setraw(file.fileno())
        # `read(n)` waits for all n bytes, with the whole interpreter, unless VMIN (6) is 0:
        # then it takes what is there.
        attributes = termios.tcgetattr(file.fileno())
        attributes[6][6] = 0
        termios.tcsetattr(file.fileno(), termios.TCSANOW, attributes)
        stream = asyncio.StreamReader(file)
        return stream, stream

    def queue(stream, data):
        """Have `drain` write the data; `write` would not ask the port first whether it can take any."""
        stream.out_buf += data

else:
    from .port_cpython import open_serial, queue


async def connect(device, limit):
    """A carrier over the serial device at this path; OSError when it cannot be opened."""
    return SerialCarrier(await open_serial(device), limit)


class SerialCarrier:
    """A carrier over a pair of asyncio streams; `receive` begins with the gateway's challenge.

    `wake()` is called when there may be a line to write; `gone` is set when the port has to be opened again.
    """

    tick_ms = 50

    def __init__(self, streams, limit):
        self.wake = None
        self.gone = False
        self._reader, self._writer = streams
        self._line = SerialLine(True, limit)
        self._messages = []
        self._greeted = False
        self._in_session = False

    async def begin(self):
        """Ask until the gateway challenges."""
        self._in_session = self._greeted = False
        self.wake = None
        asking = asyncio.create_task(self._ask())
        try:
            while not self._messages:
                await self._read()
        finally:
            asking.cancel()

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
            queue(self._writer, lines)
            await self._writer.drain()
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
        data = await self._reader.read(_READ_BYTES)
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
