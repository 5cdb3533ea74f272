"""Bytes on the wire per event, both ways, websocket headers included, counted by a TCP relay before the gateway.

An event has 40 bytes of JSON and the name my-hive/queen/temperature. Event numbers have five digits: ten thousand
events come first. The connection's beginning is not counted.

plain_bytes    one event in flight, a device without a key
sealed_bytes   one event in flight
batched_bytes  a backlog, queued at once and sent in records of up to 1 KiB, sealed
up, down       of each, towards the gateway and back; frames: websocket frames of all events, both ways
largest_record bytes of the longest websocket payload of the backlog
sealed_bytes_at  as sealed_bytes, at these event numbers
"""

import argparse
import socket
import threading
from dataclasses import dataclass
from typing import Any

import support
from stand import FIRST, Bench, Child, bench, interpreter
from support import BenchmarkError

EVENTS = 1000
BEFORE = 10_000
QUICK_EVENTS, QUICK_BEFORE = 50, 20
AT_NUMBERS = (7, 12345, 1234567)

# Room for a backlog of EVENTS; what a device holds otherwise is some sixty.
OUTBOX_BYTES = 256 * 1024


class Relay:
    """Passes TCP connections on to a port of this machine and keeps what went by, `up` and `down`."""

    def __init__(self, port: int):
        self.up, self.down = bytearray(), bytearray()
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Take no more connections."""
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                here, _ = self._listener.accept()
            except OSError:
                return
            there = socket.create_connection(("127.0.0.1", self._target))
            for source, sink, kept in ((here, there, self.up), (there, here, self.down)):
                source.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=self._pass_on, args=(source, sink, kept), daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket, kept: bytearray) -> None:
        try:
            while data := source.recv(65536):
                # Kept first: when the device has its acknowledgement, all that led to it has been counted.
                kept += data
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass


class Line:
    """A device that reaches the gateway through a relay."""

    def __init__(self, stand: Bench, name: str, number: int, gateway: Child):
        self.lost = 0
        self._relay = Relay(stand.gateway_port())
        self._number, self._gateway, self._next = number, gateway, FIRST
        self._device = stand.device(name, self._relay.port, "sender.py", outbox_bytes=OUTBOX_BYTES)

    def send(self, count: int, **how: Any) -> "Traffic":
        """Send events; what went over the wire for them."""
        up, down = len(self._relay.up), len(self._relay.down)
        done = self._device.ask(send=count, first=self._next, device=self._number, **how)
        self._next += count
        seen = self._gateway.ask(expect=count)
        self.lost += count - min(seen["right"], done["acknowledged"]) + seen["wrong"]
        return Traffic(count, bytes(self._relay.up[up:]), bytes(self._relay.down[down:]))

    def close(self) -> None:
        """End the device."""
        self._device.close()
        self._relay.close()


@dataclass(frozen=True)
class Traffic:
    """What a relay saw of so many events."""

    events: int
    up: bytes
    down: bytes

    def per_event(self) -> dict[str, Any]:
        """Bytes of an event: in all, and each way; and the websocket frames of all events."""
        sizes = {"bytes": len(self.up) + len(self.down), "up": len(self.up), "down": len(self.down)}
        found = [len(payload_sizes(stream)) for stream in (self.up, self.down)]
        return {**{key: round(size / self.events, 2) for key, size in sizes.items()}, "frames": found}


def payload_sizes(stream: bytes) -> list[int]:
    """Of the websocket frames of a stream, which begins and ends between two of them."""
    sizes = []
    at = 0
    while at < len(stream):
        masked, size = stream[at + 1] & 0x80, stream[at + 1] & 0x7F
        at += 2
        if size == 126:
            size = int.from_bytes(stream[at : at + 2], "big")
            at += 2
        at += (4 if masked else 0) + size
        sizes.append(size)
    if at != len(stream):
        raise BenchmarkError("what was counted does not begin and end between two frames")
    return sizes


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """All figures."""
    events, before = (QUICK_EVENTS, QUICK_BEFORE) if options.quick else (EVENTS, BEFORE)
    figures: dict[str, Any] = {"interpreter": interpreter(), "lost": 0}
    with bench() as stand:
        stand.enrol("sealed", "batched", *[f"at-{number}" for number in AT_NUMBERS])
        gateway = stand.gateway()
        for device, name in enumerate(("plain", "sealed", "batched"), 10):
            line = Line(stand, name, device, gateway)
            line.send(before)
            traffic = line.send(events, backlog=name == "batched")
            wire = traffic.per_event()
            figures[f"{name}_bytes"] = wire["bytes"]
            for key in ("up", "down", "frames"):
                figures.setdefault(key, {})[name] = wire[key]
            figures["lost"] += line.lost
            line.close()
        figures["largest_record"] = max(payload_sizes(traffic.up))
        figures["sealed_bytes_at"] = {}
        for device, number in enumerate(AT_NUMBERS, 20):
            line = Line(stand, f"at-{number}", device, gateway)
            # The first event of a connection gives its name in full.
            line.send(1, number=number - 1)
            figures["sealed_bytes_at"][str(number)] = line.send(1).per_event()["bytes"]
            figures["lost"] += line.lost
            line.close()
    return figures


if __name__ == "__main__":
    support.main(measure)
