"""A device: the events of its program, its outbox, and the link to the gateway that comes and goes.

An outage is a state, not an error: `EVENTS.call` puts into the outbox whether or not there is a connection.
"""

import asyncio
from os import rename, urandom

from eventhive.core.backoff import MAX_MS, delays
from eventhive.core.device_session import DeviceSession
from eventhive.core.envelope import EVENT, ONCE, encode
from eventhive.core.errors import LocalError
from eventhive.core.names import SEPARATOR, local_name, split_name
from eventhive.core.pump import Pump
from eventhive.core.ring import Marks, Outbox
from eventhive.core.seal import link_mac
from eventhive.core.session import ACK, OPENED, REJECTED

from .port import print_exception, sleep_ms, ticks_diff, ticks_ms, ticks_us

# The largest message taken from the gateway. A message is copied while it is opened and parsed, so a small heap needs
# several times this; a serial line is slower to fill and is answered line by line.
WEBSOCKET_LIMIT = 1024
SERIAL_LIMIT = 512

# Time for a goodbye and the last acknowledgements; a link that is slower is as good as lost.
GOODBYE_S = 2

# `attempt` is the boot in 20 bits and the connection of that boot in 12.
_CONNECTIONS = 1 << 12
_BOOTS = 1 << 20


class Node:
    """One device and its link. `settings` are what `settings.check` gives; `events` its EventList.

    Counters: `received` events given to hooks, `failed` hooks that raised, `unclaimed` events that nothing hooks;
    those of what is sent are `outbox`'s. `log(text)` may be replaced.
    """

    def __init__(self, settings, events, boot_file):
        self.log = print
        self.events = events
        self.received = self.failed = self.unclaimed = 0
        self.outbox = Outbox(settings["outbox_bytes"], WEBSOCKET_LIMIT)
        self.session = None
        self._settings = settings
        self._link = link_mac(settings["key"]) if settings["key"] else None
        self._marks = Marks()
        self._boot_file = boot_file
        self._boot = self._connection = 0
        self._woken = asyncio.Event()
        self._acked = asyncio.Event()
        self._stopped = asyncio.Event()
        self._slow = self._opened = False
        self._arrived = []
        self._ticks = ticks_ms()
        self._time_ms = 0
        self._serial = None
        events.outlet = self.call
        events.declared = self._declared

    @property
    def connected(self):
        """True while the gateway knows this device on the present connection."""
        return self.session is not None and self._time_ms > 0 and not self.session.closed

    def time_ms(self):
        """The gateway's time in milliseconds since 1970, 0 before the first connection; exact to a second or so."""
        return self._time_ms

    def call(self, name, data):
        """Queue an event for the network in its name; False when the outbox is full (counted in `outbox.dropped`)."""
        return self._put(name, data) > 0

    async def send(self, name, data, timeout_s):
        """Queue an event and wait for its acknowledgement; False when there was no room, or none came in time."""
        number = self._put(name, data)
        try:
            return number > 0 and await asyncio.wait_for(self._acknowledged(number), timeout_s)
        except asyncio.TimeoutError:
            return False

    def post(self, name, data):
        """Send an event that may be lost, if there is a connection right now; True when it was written."""
        payload = self._payload(name, data)
        sent = self.connected and self.session.once(name, payload)
        self._woken.set()
        return sent

    def stop(self):
        """End `run` after what can be sent at once was sent, with a goodbye."""
        if self.session:
            self.session.close("stopped")
        self._woken.set()
        self._stopped.set()

    async def run(self):
        """Keep the link up until `stop`."""
        keeping = asyncio.create_task(self._keep())
        await self._stopped.wait()
        try:
            await asyncio.wait_for(keeping, GOODBYE_S if self.session else 0.001)
        except asyncio.TimeoutError:
            pass

    async def _keep(self):
        try:
            if "wifi" in self._settings:
                from .wifi import join

                await join(self._settings["wifi"], self.log)
            waits = self._waits()
            while not self._stopped.is_set():
                try:
                    if await self._serve():
                        waits = self._waits()
                except (OSError, EOFError) as error:
                    self.log("eventhive: no connection: %s" % error)
                if not self._stopped.is_set():
                    await sleep_ms(MAX_MS if self._slow else next(waits))
        finally:
            self._stopped.set()

    def _waits(self):
        return delays(lambda below: int.from_bytes(urandom(2), "big") % below)

    async def _serve(self):
        carrier, limit = await self._carrier()
        session = self._session(limit)
        pump = Pump(session, carrier, self._handle)
        self.session = session
        self._opened = self._slow = False
        try:
            await pump.run(self._woken, self._settle, sleep_ms, self._passed)
        finally:
            self.session = None
        self._slow = session.refused > 0
        if not self._stopped.is_set():
            self.log("eventhive: link down: %s" % session.closed)
        return self._opened

    async def _carrier(self):
        link = self._settings["link"]
        if link["type"] == "serial":
            if not self._serial:
                from .serial import connect

                self._serial = await connect(link["device"], SERIAL_LIMIT)
            await self._serial.begin()
            return self._serial, SERIAL_LIMIT
        from .ws import connect

        return await connect(link["host"], link["port"], link["endpoint"], WEBSOCKET_LIMIT), WEBSOCKET_LIMIT

    def _session(self, limit):
        if self._connection % _CONNECTIONS == 0:
            self._boot = next_boot(self._boot_file)
        attempt = self._boot * _CONNECTIONS + self._connection % _CONNECTIONS
        self._connection += 1
        seed = urandom(16) + ticks_us().to_bytes(8, "big")
        name, heartbeat = self._settings["id"], self._settings["heartbeat"]
        keygen = self._settings.get("keygen", 0)
        return DeviceSession(
            name, self._link, keygen, attempt, seed, limit, heartbeat, self._hooks(), self.outbox, self._marks
        )

    def _hooks(self):
        names = []
        for network, connector in self._settings["connectors"].items():
            for name in self.events.match("%s%s*" % (connector.get("input_channel", ""), SEPARATOR)):
                names.append(network + SEPARATOR + name)
        return names

    def _declared(self, name):
        if self.session and split_name(name)[0] is None:
            for network, connector in self._settings["connectors"].items():
                if split_name(name)[1] == connector.get("input_channel"):
                    self.session.hooks([network + SEPARATOR + name])
                    self._woken.set()

    def _payload(self, name, data):
        if split_name(name)[0] not in self._settings["connectors"]:
            raise LocalError("%s: its network is not under 'connectors' in eventhive.json" % name)
        options = self._settings["eventhive"]
        if not options.get("remove_metadata", True) and type(data) is dict:
            from .metadata import with_metadata

            data = with_metadata(name, data, options.get("metadata_key", "__eventhive__"), self._time_ms)
        return encode(data)

    def _put(self, name, data):
        number = self.outbox.put(name, self._payload(name, data))
        self._woken.set()
        return number

    async def _acknowledged(self, number):
        while self.outbox.acked < number:
            self._acked.clear()
            await self._acked.wait()
        return True

    def _handle(self, event):
        kind = event[0]
        if kind == EVENT or kind == ONCE:
            self._arrived.append((event[1], event[2]))
        elif kind == ACK:
            self._acked.set()
        elif kind == OPENED:
            self._opened = True
            self._time_ms = event[1]
            self._acked.set()
            self.log("eventhive: link up")
        if kind == EVENT or kind == REJECTED:
            self.session.confirm()

    async def _settle(self):
        # A turn of the loop: the writer sends the acknowledgements before any hook runs, as a hook may reset the board.
        if self._arrived:
            await sleep_ms(0)
        while self._arrived:
            name, data = self._arrived.pop(0)
            self.received += 1
            if not self.events.deliver(local_name(name), data, self._hook_failed):
                self.unclaimed += 1
            await sleep_ms(0)

    def _hook_failed(self, name, function, error):
        self.failed += 1
        self.log("eventhive: a hook of %s failed:" % name)
        print_exception(error)

    def _passed(self):
        # Boards' ticks wrap after twelve days; the ticker of a session asks twice a second.
        now = ticks_ms()
        elapsed = ticks_diff(now, self._ticks)
        self._ticks = now
        if self._time_ms:
            self._time_ms += elapsed
        return elapsed


def next_boot(path):
    """The number of this boot, saved before it is used: no two connections of a device may ever begin alike.

    Boards are known whose `os.urandom` gives the same bytes after each start, so the number is what tells their
    sessions apart; `LocalError` when it cannot be saved.
    """
    try:
        with open(path) as file:
            boot = int(file.read())
    except (OSError, ValueError):
        boot = 0
    boot = (boot + 1) % _BOOTS
    try:
        with open(path + ".new", "w") as file:
            file.write(str(boot))
        rename(path + ".new", path)
    except OSError as error:
        raise LocalError("%s cannot be written (%s): without a boot count no session is safe" % (path, error))
    return boot
