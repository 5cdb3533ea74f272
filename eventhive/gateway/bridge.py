"""Pure routing between device sessions and networks; no I/O.

A device's event goes to the network in its name, and is acknowledged once that network's carrier has it. What a device
hooks is subscribed on the network it names, so that a device is one more member of the network: its events reach the
hooks of this process, other devices and the wire alike, and its own events never come back to it.
"""

import contextlib
import logging
import shlex
from collections.abc import Callable
from functools import partial
from typing import Protocol

from ..bounded_log import BoundedLog
from ..core.envelope import ASK, BYE, EVENT, HOOKS, ONCE, PONG, REPLY, STATUS
from ..core.errors import LimitError, LocalError
from ..core.gateway_session import GatewaySession, Hello
from ..core.json_host import dumps
from ..core.names import is_remote, local_name, split_name
from ..core.outcomes import UNDONE, RequestError, status_of
from ..core.requests import MAX_REQUEST_S, MAX_REQUESTS
from ..core.session import REJECTED
from ..core.spelling import check_name
from .crashes import Crash
from .device import NO_NAMES, Carrier, Device, Receipt
from .devices import Devices, Enrolled

# Names one device may hook: each is a subscription of the gateway on the network.
MAX_HOOKS = 64

# What is taken on from one device without being acknowledged: several times what an honest one has in its outbox.
MAX_UNACKNOWLEDGED = 2048

# Names whose route is remembered per device; a device that sends more than these pays for the look-up again.
MAX_ROUTES = 128

# Lines of one minute about strangers: enough to see who and why, for a person and for a tool that bans addresses.
STRANGER_LINES = 30

NO_NAME = "it is no event name"
NO_NETWORK = "its network is not under 'connectors' in the gateway's configuration"

NOT_PUBLISHED = "not among what it may publish in the gateway's key file; to allow it: "
NOT_RECEIVED = "not among what it may receive in the gateway's key file; to allow it: "

logger = logging.getLogger("eventhive.gateway")


class Network(Protocol):
    """What the bridge needs of a network of the hive."""

    def publish(self, topic: str, data: object, origin: object, confirm: Callable[[], None] | None = None) -> bool:
        """Pass an event on; False: `confirm` will be called later. LimitError when no more can wait for the carrier."""

    def ask(
        self,
        topic: str,
        data: object,
        seconds: float,
        answered: "Callable[[object, RequestError | None], object]",
        origin: Device,
    ) -> None:
        """Pass a request on; `answered(value, error)` is called once. `LocalError` when it cannot travel."""

    def subscribe(self, topic: str, participant: Device) -> None:
        """Have `participant.deliver(topic, data)`, or `.ask(topic, question)`, called for what has this full name."""

    def unsubscribe(self, topic: str, participant: Device) -> None:
        """The reverse."""


class Outlet(Protocol):
    """What the bridge needs of the way to a network through the spool."""

    def take(self, device: Device, topic: str, data: object, receipt: Receipt) -> None:
        """Take an event, and call its receipt when it is on disk, or confirmed."""


class Bridge:
    """Joins `devices` to `networks`; `clock_ms()` is the time told to devices."""

    def __init__(self, devices: Devices, networks: dict[str, Network], clock_ms: Callable[[], int]):
        self.devices = devices
        self.networks = networks
        # Networks whose events go through the spool.
        self.outlets: dict[Network, Outlet] = {}
        # Where somebody looks on: told of each event, with its network if it has one; gives the receipt to be used.
        self.watch: Callable[[Network | None, str, object, Receipt], Receipt] | None = None
        # `call` when what arrives at this moment has been dealt with: the hooks of a device come with its hello.
        self.soon: Callable[[Callable[[], None]], object] = lambda call: call()
        # Told of what devices print, by device and port, and of their crashes.
        self.printed: Callable[[str, str, str], object] = lambda device, port, text: None
        self.crashed: Callable[[str, str, Crash], object] = lambda device, port, crash: None
        # Told of each device that has a session, and whose hooks are subscribed.
        self.joined: Callable[[Device], object] = lambda device: None
        self._clock_ms = clock_ms
        self.strangers = BoundedLog(logger, "connections of strangers failed", STRANGER_LINES, self.seconds)

    def seconds(self) -> float:
        """The time, for logs."""
        return self._clock_ms() / 1000

    def enrol(self, entries: dict[str, Enrolled]) -> None:
        """Take over the content of the key file; what devices may no longer do ends at once."""
        for device in self.devices.enrol(entries):
            self._unhook(device, list(device.hooks))
        for device in self.devices.by_name.values():
            self._withdraw(device, [name for name in device.hooks if not device.rights.may_receive(name)])
            self._hook_again(device)

    def came(self) -> None:
        """There is a network more: devices use it from now on."""
        for device in self.devices.by_name.values():
            device.routes.clear()
            self._hook_again(device)

    def went(self, network: str) -> None:
        """A network is going to be taken out of `networks`, in the same step: nothing may lead there any more."""
        for device in self.devices.by_name.values():
            device.routes.clear()
            self._withdraw(device, [name for name in device.hooks if split_name(name)[0] == network])

    def opened(self, session: GatewaySession, hello: Hello, carrier: Carrier) -> Device | None:
        """A device has proved itself: give it its session, unless it must be refused."""
        known = self.devices.by_name.get(hello.name)
        boot = known.boot if known is not None else None
        device = self.devices.admit(session, hello, carrier, self._clock_ms())
        if device is not None:
            if device.boot != boot:
                # What an earlier boot hooked, this one need not hook; its first record says what it does.
                self._unhook(device, list(device.hooks))
                device.unmet = NO_NAMES
            device.greeting = partial(self._greet, device, carrier)
            self.soon(device.greet)
        return device

    def _greet(self, device: Device, carrier: Carrier) -> None:
        sealed = "sealed" if device.enrolled else "WITHOUT A KEY"
        logger.info("device %s: online over %s from %s, %s", device.name, carrier.kind, carrier.address, sealed)
        self.joined(device)

    def closed(self, device: Device | None, session: GatewaySession, carrier: Carrier) -> None:
        """The carrier of a session is gone; a device keeps everything but the session."""
        if device is None:
            why = printable(session.closed or "gone")
            self.strangers(logging.WARNING, "%s %s: %s", carrier.kind, carrier.address, why)
        elif device.session is session:
            self.devices.leave(device, printable(session.closed or "connection lost"))

    def event(self, device: Device, event: "tuple") -> None:  # type: ignore[type-arg]
        """Route one event of the session of an admitted device."""
        kind = event[0]
        if kind == EVENT:
            _, name, data, number = event[:4]
            self._numbered(device, name, data, number)
        elif kind == ONCE:
            network = self._route(device, event[1])
            if network is not None:
                # It may be lost: here, when no more can wait for the network.
                with contextlib.suppress(LimitError):
                    network.publish(event[1], event[2], device)
        elif kind == ASK:
            self._ask(device, *event[1:])
        elif kind == REPLY:
            device.replied(*event[1:])
        elif kind == HOOKS:
            for name in event[1]:
                self._hook(device, name)
        elif kind == BYE:
            device.slept(event[2])
        elif kind == STATUS:
            device.report(event[1][0] if event[1] else None)
        elif kind == PONG:
            device.round_trip.answered(event[1], device.clock_ms())
        elif kind == REJECTED:
            device.rejected += 1
            device.warn(device.rejected, "event %d put aside: %s", event[1], event[2])
            device.confirm(Receipt(device, device.mark, event[1]))

    def _numbered(self, device: Device, name: str, data: object, number: int) -> None:
        network = self._route(device, name)
        receipt = Receipt(device, device.mark, number)
        if self.watch is not None:
            receipt = self.watch(network, name, data, receipt)
        device.count(name, data)
        if network is None or (device.rights.size and self._too_long(device, name, data)):
            device.refused += 1
            device.confirm(receipt)
            return
        if device.unacknowledged >= MAX_UNACKNOWLEDGED:
            device.not_taken(receipt, f"{MAX_UNACKNOWLEDGED} events wait for acknowledgements already")
            return
        outlet = self.outlets.get(network)
        if outlet is not None:
            outlet.take(device, name, data, receipt)
            return
        try:
            confirmed = network.publish(name, data, device, receipt)
        except LimitError as error:
            device.not_taken(receipt, str(error))
            return
        if confirmed:
            device.confirm(receipt)
        else:
            device.await_confirmation(receipt)

    def _too_long(self, device: Device, name: str, data: object) -> bool:
        size = len(dumps(data))
        if size <= device.rights.size:
            return False
        what = "an event %s is put aside: %d characters, it may send %d (eventhive device allow --size)"
        device.warn(device.refused + 1, what, printable(name), size, device.rights.size)
        return True

    def _ask(self, device: Device, name: str, data: object, number: int) -> None:
        network, session = self._route(device, name), device.session
        if network is None:
            device.refused += 1
            device.reply(session, number, UNDONE, "the gateway passes it on to nobody; its log says why")
            return
        if device.asking >= MAX_REQUESTS:
            device.reply(session, number, UNDONE, f"{MAX_REQUESTS} requests of this device wait for answers already")
            return

        def answered(value: object, error: RequestError | None) -> None:
            device.asking -= 1
            device.reply(session, number, status_of(error), value if error is None else str(error))

        device.asking += 1
        try:
            network.ask(name, data, MAX_REQUEST_S, answered, device)
        except LocalError as error:
            answered(None, RequestError(str(error)))

    def _route(self, device: Device, name: str) -> Network | None:
        network: Network | None
        try:
            network = device.routes[name]
        except KeyError:
            network = device.routes[name] = self._find_route(device, name)
        return network

    def _find_route(self, device: Device, name: str) -> Network | None:
        if len(device.routes) >= MAX_ROUTES:
            device.routes.clear()
        network = self.networks.get(split_name(name)[0] or "") if is_remote(name) else None
        if network is None:
            why = NO_NETWORK
        elif not device.rights.may_publish(name):
            why = NOT_PUBLISHED + _allow(device, "publish", name)
            network = None
        else:
            return network
        logger.warning("device %s: events %s are put aside: %s", device.name, printable(name), why)
        return None

    def _hook(self, device: Device, name: object) -> None:
        if not isinstance(name, str) or name in device.hooks:
            return
        why = self._no_hook(device, name)
        if why:
            if why is not NO_NAME and len(device.unmet) < MAX_HOOKS:
                device.unmet |= {name}
            device.unhooked += 1
            device.warn(device.unhooked, "events %s will not reach it: %s", printable(name), why)
            return
        device.hooks.add(name)
        self._network(name).subscribe(name, device)

    def _unhook(self, device: Device, names: list[str]) -> None:
        for name in names:
            device.hooks.discard(name)
            self._network(name).unsubscribe(name, device)

    def _withdraw(self, device: Device, names: list[str]) -> None:
        """Unhook what a device goes on wanting."""
        self._unhook(device, names)
        device.unmet |= set(names)

    def _hook_again(self, device: Device) -> None:
        """Hook what a device wants and may hook by now."""
        for name in [name for name in device.unmet if not self._no_hook(device, name)]:
            device.unmet -= {name}
            self._hook(device, name)

    def _no_hook(self, device: Device, name: str) -> str:
        """Why a device may not hook a name; empty when it may."""
        try:
            check_name(name)
        except (LocalError, UnicodeError):
            return NO_NAME
        if not is_remote(name) or split_name(name)[0] not in self.networks:
            return NO_NETWORK
        if not device.rights.may_receive(name):
            return NOT_RECEIVED + _allow(device, "receive", local_name(name))
        return f"it hooks {MAX_HOOKS} others already" if len(device.hooks) >= MAX_HOOKS else ""

    def _network(self, name: str) -> Network:
        return self.networks[split_name(name)[0] or ""]


def printable(text: str) -> str:
    """Text of a peer as it may appear in a log: no control characters, not endless."""
    text = text[:200]
    return text if text.isprintable() else "".join(one if one.isprintable() else "?" for one in text)


def _allow(device: Device, right: str, name: str) -> str:
    """The command that gives a device a right."""
    return f"eventhive device allow {device.name} --{right} {shlex.quote(printable(name))}"
