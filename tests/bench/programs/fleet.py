"""Devices of the same core that live as boards do, on CPython and many in one process: `fleet.py`.

Each comes from a loopback address of its own, hooks one event, sends heartbeats at their interval, whatever is asked
meanwhile, and keeps its outbox, its stream and its numbers over connections. Questions, and answers when it is done:

{"connect": {id: key}, "port": n}         all of them at once               {"connected", "seconds"}
{"pace": r, "seconds": s, "devices": d}   r events a second of the first d  {"sent", "calls"}
{"reconnect": n}                          the first n drop, and come back   {"sent", "seconds"}

Paced events come at random times (a Poisson process), from one device after the other; `calls` is when each was put
into the outbox of its device, in nanoseconds of CLOCK_MONOTONIC: in the same callback, it is handed to the kernel. Who
reconnects has an event waiting; `seconds` is until the last one is acknowledged. Numbers of events grow by one, whoever
sends them. It ends with its input.
"""

import asyncio
import gc
import json
import os
import random
import sys
import time
from itertools import count, islice
from typing import Any

from drivers import EVENT, FIRST_DEVICE, FIRST_NUMBER, LIMIT, OUTBOX_BYTES, Greeter
from websockets.uri import parse_uri

from eventhive.core.envelope import encode
from eventhive.core.errors import PeerError
from eventhive.core.mark import Mark
from eventhive.core.pump import Pump
from eventhive.core.ring import Outbox
from eventhive.websocket import ClientConnection

# What a board says where nobody configured anything else.
HEARTBEAT_S = 20
# How exact heartbeats are: one device after the other is looked at within this.
TICK_MS = 1000
SLICES = 100

# Everybody has to be there, or to be acknowledged, within this.
DEADLINE_S = 60
# A board that was not let in tries again after so long, and up to three times as long.
RETRY_S = 0.5


class Board:
    """What a device keeps over connections, and the newest of these."""

    def __init__(self, fleet: "Fleet", name: str, key: str, number: int):
        self.fleet = fleet
        self.number = number
        self.outbox = Outbox(OUTBOX_BYTES, LIMIT)
        self.link: Link | None = None
        # All within 127/8, and none of them 127.0.0.1.
        self.address = f"127.{1 + number // 250 // 250}.{number // 250 % 250}.{1 + number % 250}"
        self._who = (name, bytes.fromhex(key), self.outbox, Mark())
        self._connections = count()
        self._hook = f"my-hive/{name}/led"

    async def connect(self) -> None:
        """Connect until it is welcomed."""
        while True:
            link = Link(self, Greeter(*self._who, next(self._connections), HEARTBEAT_S, self._hook))
            if await link.dial(self.fleet.port, self.address):
                self.link = link
                return
            self.fleet.refused += 1
            await asyncio.sleep(RETRY_S * random.uniform(1, 3))

    def call(self, number: int) -> None:
        """Call an event, and send it where there is a connection."""
        self.fleet.waiting += 1
        self.outbox.put(EVENT, encode({"celsius": 21.5, "device": self.number, "n": number}))
        if self.link is not None and self.link.pump is not None:
            self.link.go_on()


class Link(ClientConnection):
    """One connection of a board; `welcomed` is false for one that was closed before."""

    __slots__ = ("board", "greeter", "pump", "welcomed")

    def __init__(self, board: Board, greeter: Greeter):
        super().__init__()
        self.board = board
        self.greeter = greeter
        self.pump: Any = None
        self.welcomed: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    async def dial(self, port: int, own: str) -> bool:
        """Connect from an address of its own; False where it was not let in."""
        self.uri = parse_uri(f"ws://127.0.0.1:{port}/device")
        try:
            await asyncio.get_running_loop().create_connection(
                lambda: self, self.uri.host, self.uri.port, local_addr=(own, 0)
            )
            await self.ready()
        except (OSError, PeerError):
            return False
        return await self.welcomed

    def message(self, data: str | bytes) -> None:
        waiting = len(self.board.outbox.entries)
        self._take(data)
        self.board.fleet.acknowledged(waiting - len(self.board.outbox.entries))

    def _take(self, data: str | bytes) -> None:
        assert isinstance(data, bytes)
        if self.pump is not None:
            self.pump.receive(data)
        elif answers := self.greeter.answer(data):
            for answer in answers:
                self.send(answer)
        else:
            self.pump = Pump(self.greeter.session, self, lambda event: None)
            self.welcomed.set_result(True)
            self.pump.take()
        if self.pump is not None:
            self.go_on()

    def send(self, message: bytes) -> None:
        self.send_bytes(message)

    def go_on(self) -> None:
        """Send what there is to send."""
        self.pump.flush()
        self.flush()

    def tick(self, elapsed_ms: int) -> None:
        """Let time pass."""
        if self.pump is not None:
            self.pump.session.tick(elapsed_ms)
            self.go_on()

    def closed(self, code: int, reason: str) -> None:
        if not self.welcomed.done():
            self.welcomed.set_result(False)
        elif self.board.link is self:
            why = self.pump and self.pump.session.closed
            sys.exit(f"device {self.board.number}: {code} {reason} {why}")


class Fleet:
    """All devices of this process; `waiting` are events that are not acknowledged, `refused` connections not let in."""

    def __init__(self) -> None:
        self.boards: list[Board] = []
        self.port = 0
        self.refused = self.waiting = 0
        self._number = FIRST_NUMBER
        self._done: asyncio.Event | None = None
        # With a seed: the same times, and the same order, in every run.
        self._random = random.Random(1)

    async def answer(self, question: dict[str, Any]) -> dict[str, Any]:
        async with asyncio.timeout(DEADLINE_S + question.get("seconds", 0)):
            if "connect" in question:
                return await self._connect(question["connect"], question["port"])
            if "reconnect" in question:
                return await self._reconnect(self.boards[: question["reconnect"]])
            return await self._pace(question["pace"], question["seconds"], self.boards[: question["devices"]])

    async def beat(self) -> None:
        """Let time pass for all devices, of which none is looked at together with all others."""
        for at in count():
            await asyncio.sleep(TICK_MS / SLICES / 1000)
            for board in islice(self.boards, at % SLICES, None, SLICES):
                if board.link is not None:
                    board.link.tick(TICK_MS)

    def acknowledged(self, events: int) -> None:
        """So many more were."""
        self.waiting -= events
        if self._done is not None and not self.waiting:
            self._done.set()

    async def _connect(self, keys: dict[str, str], port: int) -> dict[str, Any]:
        self.port = port
        new = [Board(self, name, key, number) for number, (name, key) in enumerate(keys.items(), FIRST_DEVICE)]
        began = time.monotonic()
        await asyncio.gather(*[board.connect() for board in new])
        seconds = time.monotonic() - began
        self.boards += new
        for board in new:
            # As if they had been switched on one after the other.
            board.link.tick(self._random.randrange(1000 * HEARTBEAT_S))  # type: ignore[union-attr]
        return {"connected": len(new), "seconds": seconds, "refused": self.refused}

    async def _reconnect(self, boards: list[Board]) -> dict[str, Any]:
        for board in boards:
            link, board.link = board.link, None
            if link is not None:
                link.abort()
            board.call(self._next())
        # What the other end sent to those that are gone does not count.
        await asyncio.sleep(0)
        self.refused = 0
        began = time.monotonic()
        await asyncio.gather(*[board.connect() for board in boards])
        await self._quiet()
        return {"sent": len(boards), "seconds": time.monotonic() - began, "refused": self.refused}

    async def _pace(self, rate: float, seconds: float, boards: list[Board]) -> dict[str, Any]:
        order = self._random.sample(boards, len(boards))
        calls: list[int] = []
        due = time.monotonic()
        end = due + seconds
        while due < end:
            await asyncio.sleep(due - time.monotonic())
            while due <= time.monotonic() and due < end:
                board = order[len(calls) % len(order)]
                calls.append(time.monotonic_ns())
                board.call(self._next())
                due += self._random.expovariate(rate)
        await self._quiet()
        return {"sent": len(calls), "calls": calls}

    async def _quiet(self) -> None:
        """Wait until everything is acknowledged."""
        self._done = asyncio.Event()
        self.acknowledged(0)
        await self._done.wait()
        self._done = None

    def _next(self) -> int:
        self._number += 1
        return self._number - 1


async def serve() -> None:
    """Answer questions until the input ends."""
    fleet = Fleet()
    # The pauses that it makes here are none of the gateway.
    gc.disable()
    beats = asyncio.create_task(fleet.beat())
    while line := await asyncio.to_thread(sys.stdin.readline):
        print(json.dumps(await fleet.answer(json.loads(line))), flush=True)
    beats.cancel()
    os._exit(0)


if __name__ == "__main__":
    asyncio.run(serve())
