"""Events on flash: what found no room in memory during an outage, or waits while the board sleeps.

Rules of this file:
1. Events go to flash oldest first, all that are in memory at a time, as one segment (`core/segment.py`); and from flash
   to the gateway under the numbers they have, before any other. What is sent stays on flash until it is acknowledged.
2. While there is a segment, no number above the last one on flash has ever been sent. So a board that restarts goes on
   in the same stream with the next number, and none stands for two events.
3. Wear: a segment is written when memory is full, and otherwise at most every `WRITE_MS`; a segment that is drained is
   removed, not rewritten. `written` counts the bytes, `writes` the segments since the start.
"""

from os import listdir, mkdir, remove, stat

from eventhive.core.errors import LocalError
from eventhive.core.ring import ENTRY_BYTES, Outbox
from eventhive.core.segment import lines, pack

from .port import ticks_diff, ticks_ms

KEYS = {"bytes": int, "folder": str}
FOLDER = "eventhive.spill"
# A quarter of the file system of a Pico W, and three hours of an event every ten seconds.
QUOTA = 131072
# Half a minute lost at most when the power fails in an outage, and 2,880 segments a day in one that lasts: on a file
# system of 200 blocks of 4 KB, each good for 100,000 erasures, that is more than ten years without a pause.
WRITE_MS = 30000
# Of segments in memory at a time.
LOAD_BYTES = 2048
# Numbers to leave out where the head of the last segment is lost: more than an outbox of 256 KB holds.
SKIPPED = 4096


def load(node, settings):
    """The events on flash of a node; settings are `bytes`, and `folder`, where they lie."""
    for key, value in settings.items():
        if key not in KEYS or type(value) is not KEYS[key]:
            raise LocalError("spill.%s: known are 'bytes', an integer, and 'folder', a string" % key)
    return Spill(node, settings.get("folder", FOLDER), settings.get("bytes", QUOTA))


class _Outbox(Outbox):
    """What a session sends from while there is a segment: the next events of the oldest ones."""

    def __init__(self, spill):
        Outbox.__init__(self, 0, 0)
        self._spill = spill

    def remove(self, start, end):
        """As of any outbox; after the last one, the next come from flash."""
        Outbox.remove(self, start, end)
        if not self.entries:
            self._spill.refill()


class Spill:
    """What a node has on flash. `waiting` events there, of `bytes`; `full` counts how often more found no room."""

    def __init__(self, node, folder, quota):
        self.waiting = self.bytes = self.written = self.writes = self.full = self.damaged = 0
        self._node = node
        self._folder = folder
        self._quota = quota
        self._saved = ticks_ms()
        self._outbox = _Outbox(self)
        self._offset = 0
        node.before = self.before
        try:
            mkdir(folder)
        except OSError:
            pass
        # (number, bytes, intact events), oldest first.
        self._segments = []
        self._recover(sorted([int(name) for name in listdir(folder) if name.isdigit()]))

    def before(self, name, payload):
        """Make room in memory for an event that is to be put there."""
        if len(name) + len(payload) + ENTRY_BYTES > self._node.outbox.room:
            self.write()

    def outage(self, begins):
        """There is no connection: what is in memory goes to flash, unless that was a short while ago."""
        if begins:
            self._saved = ticks_ms()
        elif ticks_diff(ticks_ms(), self._saved) >= WRITE_MS:
            self.write()

    def write(self):
        """Move what is in memory to flash; False when it does not fit there."""
        live, node = self._node.outbox, self._node
        entries = live.entries
        self._saved = ticks_ms()
        if not entries:
            return True
        last = entries[-1][0]
        data = [pack(0, live.stream or "", b"%d" % last)]
        data += [pack(*entry) for entry in entries]
        size = sum([len(line) for line in data])
        if self.bytes + size > self._quota:
            self.full += 1
            return False
        number = self._segments[-1][0] + 1 if self._segments else 1
        try:
            with open(self._path(number), "wb") as file:
                for line in data:
                    file.write(line)
        except OSError as error:
            node.log("eventhive: events cannot be kept on flash: %s" % error)
            self._remove(number)
            self.full += 1
            return False
        self._add(number, size, len(entries))
        self.written += size
        self.writes += 1
        live.remove(0, len(entries))
        live.cursor = 0
        outbox = self._outbox
        outbox.next = last + 1
        # What was sent may still be acknowledged.
        outbox.sent = max(outbox.sent, live.sent)
        session = node.session
        if session and session.outbox is live:
            # It begins anew with what is on flash; the gateway drops what it had already.
            session.outbox = self.start()
        return True

    def start(self):
        """What a new session starts to send from."""
        if not self._segments:
            return self._node.outbox
        self._outbox.stream = self._node.outbox.stream
        self._outbox.cursor = 0
        self._load()
        return self._outbox

    def join(self, session):
        """A session begins: its stream is written down before any event on flash is sent under it."""
        live, outbox = self._node.outbox, session.outbox
        if self._segments and live.stream != outbox.stream:
            with open(self._path("stream"), "wb") as file:
                file.write(pack(0, outbox.stream, b"0"))
        live.stream, live.largest = outbox.stream, outbox.largest
        self._switch(session)

    def refill(self):
        """What was loaded is acknowledged: go on with the next."""
        live = self._node.outbox
        live.acked = max(live.acked, self._outbox.acked)
        self._load()
        self._switch(self._node.session)
        self._node.woken.set()

    def _switch(self, session):
        """After the last event on flash, a session goes on with those in memory."""
        live = self._node.outbox
        if session and session.outbox is self._outbox and not self._segments:
            live.cursor = 0
            live.sent = max(live.sent, self._outbox.sent)
            session.outbox = live

    def _load(self):
        """Take the next events of the oldest segment into memory, if there are none; drop segments that are done."""
        outbox = self._outbox
        while self._segments and not outbox.entries:
            number = self._segments[0][0]
            size = 0
            with open(self._path(number), "rb") as file:
                start = self._offset
                file.seek(start)
                for record, length in lines(file.read):
                    self._offset = start + length
                    if record and record[0] > outbox.acked:
                        outbox.entries.append(record)
                        size += len(record[2])
                        if size > LOAD_BYTES:
                            break
            if not outbox.entries:
                self._done(number)
        outbox.cursor = 0

    def _done(self, number):
        # An error here ends the session: with this one still there, nothing after it may be sent (rule 2).
        remove(self._path(number))
        _, size, count = self._segments.pop(0)
        self.bytes -= size
        self.waiting -= count
        self._offset = 0
        if not self._segments:
            self._remove("stream")

    def _add(self, number, size, count):
        self._segments.append((number, size, count))
        self.bytes += size
        self.waiting += count

    def _recover(self, numbers):
        """Take over what an earlier boot left."""
        live, outbox = self._node.outbox, self._outbox
        stream, last = "", 0
        for number in numbers:
            head = None
            highest = count = 0
            with open(self._path(number), "rb") as file:
                for record, _ in lines(file.read):
                    if not record:
                        self.damaged += 1
                    elif record[0]:
                        highest = record[0]
                        count += 1
                    elif record[2].isdigit():
                        head = record
            # One without an intact event stays as well, until those before it are gone: its head, or its being there,
            # says which numbers may have been sent.
            self._add(number, stat(self._path(number))[6], count)
            stream = head[1] if head else stream
            last = max(last, int(head[2]) if head else max(last, highest) + SKIPPED)
        if not self.waiting:
            for number in numbers:
                self._remove(number)
            self._segments, self.bytes = [], 0
            self._remove("stream")
            return
        self._node.log("eventhive: %d events of an earlier start wait on flash" % self.waiting)
        live.stream = stream or self._given()
        live.next = outbox.next = last + 1
        live.sent = outbox.sent = last

    def _given(self):
        """The stream that the gateway gave when all segments were there already, or None."""
        try:
            with open(self._path("stream"), "rb") as file:
                for record, _ in lines(file.read):
                    if record:
                        return record[1]
        except OSError:
            pass
        return None

    def _path(self, name):
        return "%s/%s" % (self._folder, name)

    def _remove(self, name):
        try:
            remove(self._path(name))
        except OSError:
            pass
