"""Devices made of the same core, on CPython and many in one process: `drivers.py`.

{"connect": {id: key}, "port": n} connects them. {"run": n, "devices": d, "outstanding": w, "batch": b} then has the
first d of them send n events in all, each keeping w unacknowledged, in records of up to b bytes (0: one event a
record), and is answered once all are acknowledged: {"sent", "start_ns", "end_ns", "cpu_s"}; with "calls": true also
when each event was called, in nanoseconds of CLOCK_MONOTONIC. It ends with its input.
"""

import asyncio
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from eventhive.core.envelope import HOOKS, encode
from eventhive.core.greet import greet
from eventhive.core.mark import Mark
from eventhive.core.opening import open_session
from eventhive.core.pump import Pump
from eventhive.core.ring import Outbox
from eventhive.core.session import Session
from eventhive.core.welcome import welcome
from eventhive.websocket import ClientConnection, connect

EVENT = "my-hive/queen/temperature"

# Two digits and seven, whatever the run: the JSON of an event always has 40 bytes.
FIRST_DEVICE = 10
FIRST_NUMBER = 1_000_000

LIMIT = 4096
# An hour: between two runs nobody answers pings.
HEARTBEAT_S = 3600
OUTBOX_BYTES = 1 << 20
# The first connection of the first boot.
FIRST_ATTEMPT = 1 << 12


class Greeter:
    """The beginning of one device's connection; the one place here that knows how the core makes a session."""

    def __init__(
        self,
        name: str,
        key: bytes,
        outbox: Outbox,
        mark: Mark | None = None,
        connection: int = 0,
        heartbeat_s: int = HEARTBEAT_S,
        *hooks: str,
    ):
        self.session: Any = None
        self._who = (name, key, 0, FIRST_ATTEMPT + connection)
        self._outbox = outbox
        self._mark = mark or Mark()
        self._heartbeat_s = heartbeat_s
        self._hooks = hooks
        self._challenge = b""

    def answer(self, message: bytes) -> list[bytes]:
        """What answers a message of the gateway; an empty list once `session` runs."""
        if self.session is None:
            self._challenge = message
            hello, keys = greet(message, *self._who, os.urandom(24), LIMIT, self._outbox.stream)
            self.session = Session(LIMIT, self._outbox, self._mark)
            open_session(self.session, message, hello, keys, self._heartbeat_s)
            if self._hooks:
                self.session.say(encode([HOOKS, *self._hooks]))
            return [hello, self.session.data_to_send()]
        welcome(self.session, self._challenge, message)
        return []


class Device(ClientConnection):
    """One device; `fleet` is told when it has something to send and when all it sent is acknowledged."""

    __slots__ = (
        "calls",
        "fleet",
        "greeter",
        "left",
        "name",
        "next",
        "number",
        "outbox",
        "outstanding",
        "pump",
        "welcomed",
    )

    def __init__(self, fleet: "Fleet", name: str, key: str, number: int):
        super().__init__()
        self.fleet = fleet
        self.name = name
        self.number = number
        self.next = FIRST_NUMBER
        self.outbox = Outbox(OUTBOX_BYTES, LIMIT)
        self.greeter = Greeter(name, bytes.fromhex(key), self.outbox)
        self.outstanding = self.left = 0
        self.pump: Any = None
        self.welcomed = asyncio.get_running_loop().create_future()
        self.calls: list[int] | None = None

    def message(self, data: str | bytes) -> None:
        assert isinstance(data, bytes)
        if self.pump is not None:
            self.pump.receive(data)
            self.fleet.has_to_send(self)
        elif answers := self.greeter.answer(data):
            for answer in answers:
                self.send(answer)
        else:
            self.pump = Pump(self.greeter.session, self, self.handle)
            self.welcomed.set_result(None)

    def handle(self, event: tuple[Any, ...]) -> None:
        """Acknowledgements are in the outbox already, and nothing else comes."""

    def closed(self, code: int, reason: str) -> None:
        sys.exit(f"{self.name}: {code} {reason} {self.pump and self.pump.session.closed}")

    def send(self, message: bytes) -> None:
        self.send_bytes(message)

    def begin(self, count: int, outstanding: int, batch: int, calls: list[int] | None) -> None:
        """Send `count` events."""
        self.left, self.outstanding, self.calls = count, outstanding, calls
        self.pump.session.batch = batch

    def go_on(self) -> None:
        """Call as many events as may be outstanding, and send them."""
        outbox = self.outbox
        while self.left and len(outbox.entries) < self.outstanding:
            if self.calls is not None:
                self.calls.append(time.monotonic_ns())
            outbox.put(EVENT, encode({"celsius": 21.5, "device": self.number, "n": self.next}))
            self.next += 1
            self.left -= 1
        self.pump.flush()
        self.flush()


class Fleet:
    """All devices of this process."""

    def __init__(self) -> None:
        self.devices: list[Device] = []
        self._waiting: list[Device] = []
        self._active: set[Device] = set()
        self._done: asyncio.Future[None] | None = None

    def has_to_send(self, device: Device) -> None:
        """Have a device go on after all connections were read that can be."""
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self._go_on)
        self._waiting.append(device)

    async def connect(self, keys: dict[str, str], port: int) -> dict[str, Any]:
        for number, (name, key) in enumerate(keys.items(), FIRST_DEVICE):
            device = await connect(lambda: Device(self, name, key, number), "127.0.0.1", port, "/device")  # noqa: B023
            self.devices.append(device)
        async with asyncio.timeout(10):
            await asyncio.gather(*[device.welcomed for device in self.devices])
        return {"connected": len(self.devices)}

    async def run(self, count: int, devices: int, outstanding: int, batch: int, timed: bool) -> dict[str, Any]:
        each = count // devices
        calls: list[int] | None = [] if timed else None
        self._done = asyncio.get_running_loop().create_future()
        self._active = set(self.devices[:devices])
        cpu, start = time.process_time(), time.monotonic_ns()
        for device in self.devices[:devices]:
            device.begin(each, outstanding, batch, calls)
            device.go_on()
        await self._done
        end = time.monotonic_ns()
        result = {"sent": each * devices, "start_ns": start, "end_ns": end, "cpu_s": time.process_time() - cpu}
        return {**result, "calls": calls} if timed else result

    def _go_on(self) -> None:
        waiting, self._waiting = self._waiting, []
        for device in waiting:
            device.go_on()
            if not device.left and not device.outbox.entries and device in self._active:
                self._active.discard(device)
                if not self._active and self._done is not None:
                    self._done.set_result(None)


async def answer(fleet: Fleet, question: dict[str, Any]) -> dict[str, Any]:
    if "connect" in question:
        return await fleet.connect(question["connect"], question["port"])
    return await fleet.run(
        question["run"],
        question["devices"],
        question["outstanding"],
        question["batch"],
        question.get("calls", False),
    )


def main() -> None:
    """Serve until the input ends."""
    loop = asyncio.new_event_loop()
    fleet = Fleet()
    for line in sys.stdin:
        print(json.dumps(loop.run_until_complete(answer(fleet, json.loads(line)))), flush=True)
    os._exit(0)


if __name__ == "__main__":
    main()
