"""Requests on the control socket of a gateway: `gateway/control.py`."""

import asyncio
import json

from cutting import DEEP
from oracle import require
from still import standing_still

from eventhive.core.errors import LocalError
from eventhive.gateway.control import ControlServer

PORTABLE = False
STREAM = True
LONGEST = 300
SHARE = 4
ERRORS = ()


class Writer:
    """As much of a StreamWriter as an answer needs."""

    def __init__(self):
        self.written = []
        self.closed = False

    def write(self, data):
        self.written.append(data)

    async def drain(self):
        pass

    def close(self):
        self.closed = True


def _devices(request):
    if "name" in request:
        raise LocalError("there is no such device")
    return {"devices": []}


def feed(pieces, seen):
    with standing_still() as loop:
        reader, writer = asyncio.StreamReader(loop=loop), Writer()
        server = ControlServer("unused.sock", {"ping": lambda request: {}, "devices": _devices})
        serving = loop.create_task(server._serve(reader, writer))
        for piece in pieces:
            reader.feed_data(piece)
            loop.run()
        reader.feed_eof()
        loop.run()
        require(serving.done() and writer.closed, "it does not end with its client")
        serving.result()
    for line in writer.written:
        answer = json.loads(line)
        require(type(answer["ok"]) is bool and line.endswith(b"\n"), f"no answer: {line!r}")
        seen.append(answer)


def seeds():
    return {
        "ping": b'{"command":"ping"}\n{"command":"devices"}\n',
        "error": b'{"command":"devices","name":"x"}\n{"command":"no"}\n',
        "no-request": b'[]\n\n"ping"\n{"command":[]}\n{"command":{}}\nping\n\xff\n',
        "deep": DEEP + b"\n",
        "no-end": b'{"command":"ping"}',
    }
