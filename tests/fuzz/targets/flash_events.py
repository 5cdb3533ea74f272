"""What a board finds on its flash when it starts: `micro/spill.py`, over files.

The input is up to three segments and the file of the stream, each behind a record separator; what is on flash is sent
and acknowledged to the end, and nothing may be left then.
"""

import os

from device import module
from oracle import require

from eventhive.core.ring import Outbox
from eventhive.core.segment import pack, parse

PORTABLE = True
STREAM = False
LONGEST = 400
SHARE = 3
ERRORS = ()

SEPARATOR = b"\x1e"
NAMES = ("1", "2", "3", "stream")
# The largest event that a link takes is several lines of these.
ROOM = 1024

_folder = []


class Woken:
    """As much of an asyncio.Event as is set."""

    def set(self):
        pass


class Node:
    """As much of a node as what is on flash needs."""

    def __init__(self):
        self.outbox = Outbox(4096, ROOM)
        self.session = None
        self.woken = Woken()
        self.before = None

    def log(self, text):
        pass


class Session:
    """A session that sends from an outbox."""

    def __init__(self, outbox):
        self.outbox = outbox


def feed(pieces, seen):
    where = emptied()
    files = pieces[0].split(SEPARATOR)[: len(NAMES)]
    for at in range(len(files)):
        with open("%s/%s" % (where, NAMES[at]), "wb") as file:
            file.write(files[at])
    given = last_given(files[:3])
    sound = given is not None
    node = Node()
    spill = module("spill").load(node, {"folder": where, "bytes": 8192})
    node.session = Session(spill.start())
    seen.append((spill.waiting, spill.damaged))
    last = 0
    while node.session.outbox is not node.outbox:
        outbox = node.session.outbox
        require(outbox.entries, "it sends from a segment without events")
        for number, _, _ in outbox.entries:
            require(number > last or not sound, "event %d after event %d" % (number, last))
            last = max(last, number)
        outbox.sent = max(outbox.sent, last)
        outbox.acknowledge(last)
    require(not sound or node.outbox.next > max(last, given), "number %d is given again" % node.outbox.next)
    require((spill.waiting, spill.bytes) == (0, 0), "%d events wait in %d bytes" % (spill.waiting, spill.bytes))
    left = os.listdir(where)
    require(not left, "left over: %r" % left)
    seen.append(last)


def last_given(files):
    """The last number that segments with events name; None where they are as no board has written them.

    Lines that are copied to elsewhere are no damage. What is lost with all its events was never sent.
    """
    last = given = 0
    for data in files:
        records = [record for record in [parse(line + b"\n") for line in data.split(b"\n")[:-1]] if record]
        named = [int(record[2]) for record in records if not record[0] and record[2].isdigit()]
        if len(named) > 1:
            return None
        numbers = [record[0] for record in records if record[0]]
        if numbers and named:
            given = named[0]
        for number in numbers:
            if number <= last or (named and number > named[0]):
                return None
            last = number
    return given


def folder():
    """One folder for all inputs."""
    if not _folder:
        if hasattr(os, "getpid"):
            import tempfile

            _folder.append(tempfile.mkdtemp())
        else:
            _folder.append("fuzzed-flash")
            os.mkdir(_folder[0])
    return _folder[0]


def emptied():
    """The folder, without what another input has left there."""
    for name in os.listdir(folder()):
        os.remove("%s/%s" % (folder(), name))
    return folder()


def seeds():
    first = pack(0, "a1a2a3a400000001", b"2") + pack(1, "net/queen/t", b'{"c":21.5}') + pack(2, "net/queen/t", b"[]")
    second = pack(0, "", b"4") + pack(3, "net/queen/t", b"3") + pack(4, "net/queen/t", b"4")
    stream = pack(0, "a1a2a3a400000002", b"0")
    return {
        "two": SEPARATOR.join([first, second]),
        "stream-given-later": SEPARATOR.join([second, b"", b"", stream]),
        "torn": SEPARATOR.join([first[:-9], second[:-3]]),
        "head-lost": SEPARATOR.join([first[5:], b"", second]),
        "twice": SEPARATOR.join([first, first]),
        "nothing": b"",
    }
