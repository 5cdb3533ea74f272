"""All devices that the gateway knows, and who is admitted.

Rules of this file: no I/O and no clock. The newest session that proved its key is the one that a device has. Nothing
changes for a device before that proof.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from ..core.clear import SEALED, STREAM_BYTES
from ..core.gateway_session import GatewaySession, Hello
from ..core.keys import KEY_BYTES, link_mac
from ..core.mac import Mac
from ..core.refusals import REFUSE_ATTEMPT, REFUSE_BUSY
from .device import CONNECTION_BITS, Carrier, Device, Secret
from .rights import Rights

# Without a key, anybody can name as many devices as they like, and each costs memory until the gateway ends.
MAX_DEVICES = 10_000

logger = logging.getLogger("eventhive.gateway")


@dataclass(frozen=True)
class Enrolled:
    """What the key file says of one device; keys stay out of its repr. `next_secret`: one that it has not used yet."""

    key: bytes = field(repr=False)
    keygen: int
    publish: list[str]
    receive: list[str]
    next_secret: Secret | None = field(default=None, repr=False)
    rate: float = 0
    burst: int = 0
    size: int = 0
    ttl_s: int = 0


class Devices:
    """All devices that are enrolled, or were admitted without a key.

    `random_bytes(n)` gives fresh random bytes; `networks` are the names that an unkeyed device may publish to;
    `clock_ms()` is a clock that nobody sets; `command_ttl_s` how long commands live where nothing else is
    said, 0 for ever.
    `promoted(name, key)` is called when a device has used its next key for the first time, `left(device, session, why)`
    when one has lost its session.
    """

    def __init__(
        self,
        random_bytes: Callable[[int], bytes],
        networks: list[str],
        metadata_key: str,
        clock_ms: Callable[[], int],
        command_ttl_s: int = 0,
    ):
        self.clock_ms = clock_ms
        self.command_ttl_s = command_ttl_s
        self.by_name: dict[str, Device] = {}
        self._random = random_bytes
        self._networks = networks
        self._metadata_key = metadata_key
        # An unknown id is asked for the proof of a key that nobody has, so that it looks like one with a wrong key.
        self._nobody = link_mac(random_bytes(KEY_BYTES))
        # What is on disk of their streams; each device takes its own, once.
        self.kept_marks: dict[str, list[tuple[str, int]]] = {}
        self.promoted: Callable[[str, bytes], object] = lambda name, key: None
        self.left: Callable[[Device, GatewaySession, str], object] = lambda device, session, why: None
        self._watch: Callable[[str, str, object], None] | None = None

    def enrol(self, entries: dict[str, Enrolled]) -> list[Device]:
        """Take over the content of the key file: new devices, keys and rights; returns those that are no more."""
        gone = []
        for name, device in list(self.by_name.items()):
            if name not in entries and device.enrolled:
                self._end(device, "this device was removed from the key file")
                gone.append(self.by_name.pop(name))
        for name, entry in entries.items():
            known = self.by_name.get(name)
            fresh = self._new(name, entry)
            if known is None or known.secret != fresh.secret:
                if known is not None:
                    self._end(known, "this device has a new key")
                    gone.append(known)
                    fresh.marks = known.marks
                self.by_name[name] = fresh
            else:
                known.rights = fresh.rights
                known.give(fresh.secret, fresh.next_secret)
                known.routes.clear()
        return gone

    def open_to(self, networks: list[str]) -> None:
        """Let devices without a key publish to these networks, and to no others."""
        self._networks = networks
        for name, device in self.by_name.items():
            if not device.enrolled:
                device.rights = self._new(name, None).rights

    def watch(self, watch: Callable[[str, str, object], None]) -> None:
        """Have `watch(device, name, data)` called for what is for devices."""
        self._watch = watch
        for device in self.by_name.values():
            device.watch = watch

    def find(self, hello: Hello) -> Mac | None:
        """The code under which the device of a hello must prove itself; None for an unknown one without a key."""
        device = self.by_name.get(hello.name)
        if device is not None and device.enrolled:
            return device.proof(hello.keygen) or self._nobody
        return self._nobody if hello.mode == SEALED else None

    def admit(self, session: GatewaySession, hello: Hello, carrier: Carrier, time_ms: int) -> Device | None:
        """Give a proven device its session; None when it was refused. What it had before is told goodbye."""
        device = self.by_name.get(hello.name)
        if device is None:
            if len(self.by_name) >= MAX_DEVICES:
                session.refuse(REFUSE_BUSY, f"device '{hello.name}' has no key, and {MAX_DEVICES} devices are known")
                return None
            device = self.by_name[hello.name] = self._new(hello.name, None)
        stream = session.stream(self._random(STREAM_BYTES).hex())
        same_boot = hello.attempt >> CONNECTION_BITS == device.boot
        if stream == device.stream and hello.attempt <= device.attempt:
            why = (
                f"device '{hello.name}' came with an old boot count, after a session from {device.address}: "
                "is there a second one with this id and key, or was its file system restored?"
            )
            session.refuse(REFUSE_ATTEMPT, why)
            return None
        if device.next_secret is not None and device.next_secret[1] == hello.keygen:
            used = device.next_secret
            device.give(used, None)
            logger.info("device %s: uses its new key; the old one is worth nothing any more", device.name)
            self.promoted(device.name, used[0])
        if not same_boot:
            self._forget_sent(device)
        self._end(device, f"replaced by a connection from {carrier.address}")
        device.attempt, device.stream = hello.attempt, stream
        device.session, device.carrier, device.address = session, carrier, carrier.address
        device.slept(0)
        device.expire()
        device.outbox.stamp(self.clock_ms())
        session.accept(stream, device.outbox, device.marks, time_ms)
        return device

    def leave(self, device: Device, reason: str) -> None:
        """Take its session from a device, if it has one; it keeps everything else."""
        session = device.session
        device.greet()
        device.detach()
        if session is not None:
            logger.info("device %s: offline: %s", device.name, reason)
            self.left(device, session, reason)

    def _new(self, name: str, entry: Enrolled | None) -> Device:
        if entry is None:
            publish = [f"{network}/*/*" for network in self._networks]
            return self._made(name, Rights(publish, [f"{name}/*"], ttl_s=self.command_ttl_s), None)
        ttl_s = entry.ttl_s or self.command_ttl_s
        rights = Rights(entry.publish, entry.receive, entry.rate, entry.burst, entry.size, ttl_s)
        device = self._made(name, rights, (entry.key, entry.keygen))
        device.give(device.secret, entry.next_secret)
        return device

    def _made(self, name: str, rights: Rights, secret: Secret | None) -> Device:
        device = Device(name, rights, secret, self._random(STREAM_BYTES).hex(), self._metadata_key, self.clock_ms)
        device.watch = self._watch
        for stream, number in self.kept_marks.pop(device.name, ()):
            device.marks.restore(stream, number)
        return device

    def _forget_sent(self, device: Device) -> None:
        outbox = device.outbox
        lost = [name for number, name, _ in outbox.entries if number <= outbox.sent]
        outbox.remove(0, len(lost))
        for topic in lost:
            why = "outcome unknown, not sent again: the device restarted before it confirmed it"
            logger.warning("device %s: %s: %s", device.name, topic, why)

    def _end(self, device: Device, reason: str) -> None:
        session, carrier = device.session, device.carrier
        self.leave(device, reason)
        if session is not None and carrier is not None:
            session.close(reason)
            carrier.flush_now()
