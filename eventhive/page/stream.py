"""The live tail as server-sent events: one browser, one task.

Rules of this file: who does not take what is sent within `WRITE_S` is dropped; nobody else waits for that.
"""

import asyncio
import json
from contextlib import suppress

from aiohttp import web

from .guard import problem
from .tail import Filter, Seen, Tail

# A phone that lost its radio comes back sooner, or is gone.
WRITE_S = 10.0

# As many pieces a second as an eye follows.
PACE_S = 0.1

# Proxies and browsers take a connection that is silent for longer for a dead one.
SILENCE_S = 15.0

# What waits in the process for one browser, besides the socket's buffer.
BUFFERED_BYTES = 64 * 1024

_HEADERS = {"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"}


async def stream(request: web.Request, tail: Tail) -> web.StreamResponse:
    """Send what comes until the browser is gone, or too slow."""
    woken = asyncio.Event()
    query = request.query
    wanted = Filter(query.get("device", ""), query.get("name", ""))
    reader = tail.open(wanted, _number(request.headers.get("Last-Event-ID", "")), woken.set)
    if reader is None:
        return problem(503, f"{len(tail.readers)} others look on already: close a window")
    answer = web.StreamResponse(headers=_HEADERS)
    slow = False
    try:
        await answer.prepare(request)
        if request.transport is not None:
            request.transport.set_write_buffer_limits(BUFFERED_BYTES)
        await answer.write(b"retry: 2000\n\n")
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(woken.wait(), SILENCE_S)
            woken.clear()
            await asyncio.wait_for(answer.write(_piece(*reader.take())), WRITE_S)
            await asyncio.sleep(PACE_S)
    except TimeoutError:
        slow = True
        if request.transport is not None:
            request.transport.abort()
    except ConnectionError:
        pass
    finally:
        tail.close(reader, slow)
    return answer


def _piece(events: list[Seen], skipped: int) -> bytes:
    lines = [f"id: {one.number}\ndata: {json.dumps(one.shown())}\n\n" for one in events]
    if skipped:
        lines.append(f"event: skipped\ndata: {skipped}\n\n")
    return "".join(lines).encode() or b": still here\n\n"


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0
