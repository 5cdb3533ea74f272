r"""Frames on a serial line that also carries boot text, prints, tracebacks and REPL banners.

    line = "#<" (device) or "#>" (gateway)  kind  sequence  acknowledged  base64(payload || crc32)  "\r\n"

Rules of the line:
1. Printable bytes only, and "#" first: whatever REPL such a line meets, it is a comment. `\r\n` because MicroPython
   1.25 does not end a line at a lone `\n`.
2. Kinds: R ready, C challenge, H hello, D data, A acknowledgement, X no session. `sequence` and `acknowledged` are one
   base64 character each; crc32 covers kind, sequence, acknowledged and payload.
3. H (number 0) and D (from 1, modulo 64) are sent again, byte for byte, until acknowledged; one is under way per
   direction. C stands for number 0 of the gateway; R, A and X have no number. C and H begin the numbers anew.
4. A side takes only lines of the other side, so an echo is nothing. The last marker on a line counts, what stands
   before it is text. A line that is not intact is dropped; it will come again.
"""

from binascii import a2b_base64, b2a_base64, crc32

READY = b"R"
CHALLENGE = b"C"
HELLO = b"H"
DATA = b"D"
ACKNOWLEDGE = b"A"
NO_SESSION = b"X"

# Events of a line beside (kind, payload): a line of console text, and a dead line.
TEXT = b"T"

_DIGITS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_HEAD = 5
_CRC_BYTES = 4

# The first pause is longer than a round trip at 9600 baud with 126 bytes each way; the last keeps a dead line quiet.
FIRST_RETRY_MS = 250
MAX_RETRY_MS = 4000
# 0.25 + 0.5 + 1 + 2 + 4 + 4 s without an acknowledgement: nobody is there.
MAX_TRIES = 6

# Text without an end is cut into lines of this length, the longest that any firmware's banner or traceback has.
MAX_TEXT = 2048


def line_bytes(payload: int) -> int:
    """Length of the line, with its end, that carries a payload of so many bytes."""
    return _HEAD + (payload + _CRC_BYTES + 2) // 3 * 4 + 2


def pack_line(marker: bytes, kind: bytes, sequence: int, acknowledged: int, payload: bytes = b"") -> bytes:
    """One line, with its end; `marker` is `#<` or `#>`, the numbers are taken modulo 64."""
    head = kind + _DIGITS[sequence & 63 : (sequence & 63) + 1] + _DIGITS[acknowledged & 63 : (acknowledged & 63) + 1]
    check = crc32(payload, crc32(head)).to_bytes(_CRC_BYTES, "big")
    return marker + head + b2a_base64(payload + check)[:-1] + b"\r\n"


def parse_line(line: bytes) -> "tuple[bytes, int, int, bytes] | None":
    """(kind, sequence, acknowledged, payload) of a line from its marker on, without its end; None if it is damaged."""
    head = line[2:_HEAD]
    sequence, acknowledged = _DIGITS.find(head[1:2]), _DIGITS.find(head[2:3])
    if len(head) < 3 or sequence < 0 or acknowledged < 0:
        return None
    try:
        body = a2b_base64(line[_HEAD:])
    except ValueError:
        return None
    # Readers of base64 skip what is no base64, so a line passes only when it is what a writer would have written.
    if len(body) < _CRC_BYTES or b2a_base64(body)[:-1] != line[_HEAD:]:
        return None
    payload = body[:-_CRC_BYTES]
    if crc32(payload, crc32(head)).to_bytes(_CRC_BYTES, "big") != body[-_CRC_BYTES:]:
        return None
    return head[:1], sequence, acknowledged, payload


class SerialLine:
    """One end of a serial line: bytes in, events (kind, payload) and (TEXT, bytes) out, lines to write.

    `damaged` counts lines that were not intact, `repeated` those sent again, `stray` those whose number belongs to
    another hand-shake; `dead` is set when nobody acknowledges.
    """

    def __init__(self, is_device: bool, longest: int):
        self.damaged = 0
        self.repeated = 0
        self.stray = 0
        self.dead = False
        self._challenged = False
        self._mine, self._theirs = (b"#<", b"#>") if is_device else (b"#>", b"#<")
        self._longest = max(line_bytes(longest), MAX_TEXT)
        self._buffer = b""
        self._queue: "list[tuple[bytes, bytes]]" = []
        self._loose: "list[bytes]" = []
        self.reset()

    def reset(self) -> None:
        """Begin a new hand-shake: numbers from 0, nothing under way."""
        self.dead = False
        self._queue = []
        self._flying = b""
        self._flying_number = 0
        self._next_out = 0
        self._last_in = 0
        self._hello = b""
        self._ack_due = False
        self._tries = 0
        self._waited_ms = 0

    def send(self, kind: bytes, payload: bytes = b"") -> None:
        """Queue a payload: HELLO and DATA until acknowledged, the other kinds once, at once."""
        if kind == CHALLENGE:
            self._challenged = True
        if kind in (HELLO, DATA):
            self._queue.append((kind, payload))
        else:
            self._loose.append(pack_line(self._mine, kind, 0, self._last_in, payload))

    def data_to_send(self) -> bytes:
        """The lines to write now, joined; empty when there are none."""
        lines = self._loose
        self._loose = []
        if self._queue and not self._flying:
            kind, payload = self._queue.pop(0)
            self._flying_number = self._next_out
            self._flying = pack_line(self._mine, kind, self._next_out, self._last_in, payload)
            self._next_out = (self._next_out + 1) & 63
            self._tries = self._waited_ms = 0
            self._ack_due = False
            lines.append(self._flying)
        if self._ack_due:
            self._ack_due = False
            lines.append(pack_line(self._mine, ACKNOWLEDGE, 0, self._last_in))
        return b"".join(lines)

    def tick(self, elapsed_ms: int) -> None:
        """Let time pass: what is under way and not acknowledged is sent again, in the end `dead` is set."""
        if not self._flying or self.dead:
            return
        self._waited_ms += elapsed_ms
        if self._waited_ms < min(FIRST_RETRY_MS << self._tries, MAX_RETRY_MS):
            return
        self._waited_ms = 0
        self._tries += 1
        if self._tries >= MAX_TRIES:
            self.dead = True
            return
        self.repeated += 1
        self._loose.append(self._flying)

    def receive_data(self, data: bytes) -> "list[tuple[bytes, bytes]]":
        """Take bytes; returns what they completed, in order."""
        events: "list[tuple[bytes, bytes]]" = []
        lines = (self._buffer + data).split(b"\n")
        self._buffer = lines.pop()
        if len(self._buffer) > self._longest:
            lines.append(self._buffer)
            self._buffer = b""
        for line in lines:
            self._line(line.rstrip(b"\r"), events)
        return events

    def _line(self, line: bytes, events: "list[tuple[bytes, bytes]]") -> None:
        at = line.rfind(self._theirs)
        text = line if at < 0 else line[:at]
        if text and self._mine not in text:
            events.append((TEXT, text))
        if at < 0:
            return
        frame = parse_line(line[at:])
        if frame is None:
            self.damaged += 1
        else:
            self.take(frame, events)

    def take(self, frame: "tuple[bytes, int, int, bytes]", events: "list[tuple[bytes, bytes]]") -> None:
        """Take an intact frame, as `parse_line` gives it; appends what it completes."""
        kind, sequence, acknowledged, payload = frame
        if kind == HELLO and payload != self._hello:
            # A hello that nobody asked for ends nothing.
            if not self._challenged:
                return
            self._challenged = False
            self.reset()
            self._hello = payload
            self._last_in = sequence
            # The challenge that it answers was number 0 of this direction.
            self._next_out = 1
            self._ack_due = True
            events.append((kind, payload))
            return
        if self._flying and acknowledged == self._flying_number and kind not in (READY, CHALLENGE):
            self._flying = b""
        if kind in (HELLO, DATA):
            self._numbered(kind, sequence, payload, events)
        elif kind != ACKNOWLEDGE:
            events.append((kind, payload))

    def _numbered(self, kind: bytes, sequence: int, payload: bytes, events: "list[tuple[bytes, bytes]]") -> None:
        if sequence == ((self._last_in + 1) & 63) and kind == DATA:
            self._last_in = sequence
            events.append((kind, payload))
        if sequence == self._last_in:
            self._ack_due = True
        else:
            self.stray += 1
