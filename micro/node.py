"""A device: the events of its program, its outbox, and the link to the gateway that comes and goes.

An outage is a state, not an error: `EVENTS.call` puts into the outbox whether or not there is a connection.
"""

import asyncio
import gc
import sys

from eventhive.core.envelope import ACK, encode
from eventhive.core.errors import LocalError, PeerError
from eventhive.core.names import split_name
from eventhive.core.ring import Outbox

from .port import sleep_ms, ticks_diff, ticks_ms

# What an event may have before a gateway has said what it takes.
EVENT_BYTES = 1024

# The largest message taken from the gateway. A message is copied while it is opened and parsed, so a small heap needs
# several times this; a serial line is slower to fill and is answered line by line.
WEBSOCKET_LIMIT = 1024
SERIAL_LIMIT = 512

# Time for the last acknowledgements, and again for the goodbye; a link that is slower is as good as lost.
GOODBYE_S = 2

def forget(name):
    """Give back the heap of a module that has done its work; it is loaded again when it is needed again."""
    if name in sys.modules:
        package, _, last = name.rpartition(".")
        del sys.modules[name]
        delattr(sys.modules[package], last)
    # Now, not when the heap is full: what is loaded next then lies together, and a small heap is not cut into pieces.
    gc.collect()


def part(name):
    """`load` of a module that a board has where it was asked for when its files were staged."""
    try:
        package = __import__("eventhive." + name)
    except ImportError:
        raise LocalError("this board has no '%s': stage its files with '--with %s'" % (name, name))
    # A function of this name is what programs find there, not its module.
    package.__dict__.pop(name, None)
    return sys.modules["eventhive." + name].load


async def within(seconds, work):
    """Await a coroutine, or a task, in this task; asyncio.TimeoutError, and its end, when it takes longer.

    As `asyncio.wait_for`, which on a board makes two tasks for it.
    """
    timer = asyncio.create_task(_cancel(asyncio.current_task(), seconds))
    try:
        return await work
    except asyncio.CancelledError:
        # Somebody else's wish is passed on.
        if not timer.done():
            raise
        raise asyncio.TimeoutError
    finally:
        timer.cancel()


async def _cancel(task, seconds):
    await asyncio.sleep(seconds)
    task.cancel()


class Node:
    """One device and its link. `settings` are what `settings.check` gives; `events` is its EventList, once it has one.

    `session` is None while there is no connection. Counters: `received` events given to hooks, `failed` hooks that
    raised, `unclaimed` events that nothing hooks, `rejected` unusable ones, `expired` ones that waited for their hook
    longer than they live; those of what is sent are `outbox`'s. `time_ms` is the gateway's time in milliseconds since
    1970, 0 before the first connection. `woken` is set when there is something to send. `spill` and `outage` are None
    while there is none, `at` is the index of the link in use; `before(name, payload)`, if set, is called before an
    event is put into the outbox. `log(text)` may be replaced.
    """

    # Here, because an object with fewer attributes grows its table in smaller pieces.
    before = outage = spill = events = session = mark = None
    failed = unclaimed = rejected = expired = boot = connection = at = 0

    def __init__(self, settings, boot_file):
        self.log = print
        self.received = self.time_ms = 0
        self.outbox = Outbox(settings["outbox_bytes"], EVENT_BYTES)
        self._settings = settings
        self.boot_file = boot_file
        self.woken = asyncio.Event()
        self._acked = asyncio.Event()
        self._stopped = asyncio.Event()
        self._opened = False
        self._failure = None
        self._arrivals = None
        self._ticks = ticks_ms()
        if "spill" in settings:
            self.spill = part("spill")(self, settings["spill"])

    def listen(self, events):
        """Take what is called in this EventList, and give it what arrives."""
        self.events = events
        events.outlet = self.call
        events.declared = self._declared

    def call(self, name, data):
        """Queue an event for the network in its name: its number, or 0 when the outbox is full (`outbox.dropped`)."""
        payload = self.payload(name, data)
        if self.before:
            self.before(name, payload)
        number = self.outbox.put(name, payload)
        self.woken.set()
        return number

    async def send(self, name, data=None, timeout_s=30):
        """Queue an event and wait for its acknowledgement; False when there was no room, or none came in time."""
        number = self.call(name, data)
        try:
            return number > 0 and await within(timeout_s, self._acknowledged(number))
        except asyncio.TimeoutError:
            return False

    def post(self, name, data=None):
        """Send an event that may be lost, if there is a connection right now; True when it was written."""
        from .post import post

        sent = self._opened and post(self.session, name, self.payload(name, data))
        self.woken.set()
        return sent

    def stop(self):
        """End `run` with a goodbye: over a working link once all events are acknowledged, or after two seconds."""
        self._stopped.set()

    async def run(self, *tasks):
        """Keep the link up, and run these coroutines beside it, until `stop`, or until one raises: so does this."""
        tasks = (self._keep(),) + tasks
        if "status" in self._settings:
            tasks += (part("status")(self, self._settings["status"]),)
        started = [asyncio.create_task(self._guard(task)) for task in tasks]
        await self._stopped.wait()
        for last in (self._acknowledged(self.outbox.next - 1), started[0]):
            try:
                await within(GOODBYE_S if self.session else 0.001, last)
            except asyncio.TimeoutError:
                pass
            if self.session:
                self.session.close("stopped")
            self.woken.set()
        for task in started:
            task.cancel()
        if self.spill:
            self.spill.write()
        if self._failure:
            raise self._failure

    async def _guard(self, task):
        try:
            await task
        except Exception as error:
            self._failure = self._failure or error
            self.stop()

    async def _keep(self):
        links = self._settings["link"]
        while not self._stopped.is_set():
            session = error = None
            try:
                session = await self._serve(links[self.at])
            # ValueError is what a board's TLS raises for a certificate.
            except (OSError, EOFError, PeerError, MemoryError, ValueError, asyncio.TimeoutError) as raised:
                error = raised
            if not self.outage:
                from .outage import Outage

                self.outage = Outage(self, links)
            opened, self._opened, self.session = self._opened, False, None
            pause_ms = self.outage.take(opened, session, error)
            # A session that stays in this frame would stay in memory.
            session = error = None
            if not self._stopped.is_set():
                await sleep_ms(pause_ms)

    async def _serve(self, link):
        self._passed()
        # What stays is loaded and made first, and in a heap in one piece; a hand-shake in between would cut it up.
        gc.collect()
        from eventhive.core.session import Session

        limit = WEBSOCKET_LIMIT if "host" in link else SERIAL_LIMIT
        session = Session(limit, self.spill.start() if self.spill else self.outbox, self.mark)
        try:
            from .dial import dial

            opening = await dial(self, self._settings, link, session.limit)
            # A name that stays in this frame would keep the whole module.
            dial = None
            forget("eventhive.dial")
            carrier = await opening
            opening = None
            forget("eventhive.ws_connect")
            from .shake import shake_hands

            await shake_hands(self, self._settings, carrier, session)
        finally:
            dial = shake_hands = None
            for name in ("dial", "wifi", "ws_connect", "shake", "boot"):
                forget("eventhive." + name)
            for name in ("keys", "greet", "opening", "welcome", "ids"):
                forget("eventhive.core." + name)
        from eventhive.core.pump import Pump

        self.session = session
        if session.closed:
            return session
        if self.spill:
            self.spill.join(session)
        self._opened = True
        self._acked.set()
        self.log("eventhive: link up")
        await Pump(session, carrier, self._handle).run(self.woken, self._settle, sleep_ms, self._passed)
        return session

    def _declared(self, name):
        if self.session:
            from .tell import tell_hooks

            tell_hooks(self.session, self._settings, [name])
            self.woken.set()

    def payload(self, name, data):
        """The encoded data of an event for a network of this device; `LocalError` says why it cannot travel."""
        if split_name(name)[0] not in self._settings["connectors"]:
            raise LocalError("%s: its network is not under 'connectors' in eventhive.json" % name)
        options = self._settings["eventhive"]
        if not options.get("remove_metadata", True) and type(data) is dict:
            data = part("metadata")(name, data, options.get("metadata_key", "__eventhive__"), self.time_ms)
        return encode(data)

    async def _acknowledged(self, number):
        while self.outbox.acked < number:
            self._acked.clear()
            await self._acked.wait()
        return True

    def _handle(self, event):
        if event[0] == ACK:
            self._acked.set()
            return
        if not self._arrivals:
            from .arrivals import Arrivals

            self._arrivals = Arrivals(self)
        self._arrivals.take(event)

    async def _settle(self):
        if self._arrivals:
            await self._arrivals.settle()

    def _passed(self):
        # Boards' ticks wrap after twelve days; the ticker of a session asks more than once a second.
        now = ticks_ms()
        elapsed = ticks_diff(now, self._ticks)
        self._ticks = now
        if self.time_ms:
            self.time_ms += elapsed
        return elapsed
