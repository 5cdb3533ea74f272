"""One network as the spool sees it: its lanes, and which names nobody hooks.

Rules of this file:
1. In the loop, without I/O: what goes to disk is handed to `disk`.
2. Devices share a network fairly: what was kept on disk during an outage leaves room for what comes in now.
3. What a quota refuses is not acknowledged, and waits in order until there is room; so the devices keep it.
"""

import logging
from collections.abc import Callable, Iterable
from typing import Any

from ..core.errors import LimitError
from .ends import Disk, Network
from .hearing import WAITING_S, Hearing
from .lane import NONE_ASIDE, Entry, Lane, Stream
from .quota import OLDEST, REFUSE, Quota

# Events that were on disk and are on their way to a network at a time; the carrier takes ten times as many.
REPLAYED = 2_000

# Events that are passed on together: so many more may wait for the carrier than it wanted to have.
COLLECTED = 100

# Without a confirmation for so long, an event is kept on disk, and its device told so: what takes longer than this is
# an outage. The carrier of a hive on the same network answers in a few milliseconds.
UNCONFIRMED_S = 0.25

logger = logging.getLogger("eventhive.gateway")


class Outlet:
    """The way to one network. `once`: events are kept until hooks have confirmed them, else until the carrier has.

    `retired`: the network is configured no more. Counters: `events` on disk, or on their way there, `sent_again` events
    that were sent more than once.
    """

    def __init__(self, network: Network, once: bool, quota: Quota, disk: Disk):
        self.name = network.name
        self.once = once
        self.quota = quota
        self.events = self.sent_again = 0
        self.lanes: dict[str, Lane] = {}
        # On a network with `once`: what is passed on at the end of this iteration, together.
        self._fresh: list[tuple[Any, ...]] = []
        self._collected: list[Entry] = []
        # The carrier did not take all of it: nothing more before the next tick.
        self._pressed = False
        self.network = network
        self._disk = disk
        self._active: dict[Lane, None] = {}
        self._hearing = Hearing()
        # Events of lanes that are behind, on their way; counted anew at each tick.
        self._replayed = 0
        self._connections = network.connections
        self._away = self.retired = False
        self.now = disk.now
        self._since = 0.0
        if once:
            network.expect(self._taken)

    @property
    def connected(self) -> bool:
        """True while the network's carrier is there."""
        return self.network.connected

    @property
    def held_s(self) -> float:
        """Seconds for which there have been events on disk without a break, since this start at most; 0 without any."""
        return self.now() - self._since if self.events else 0.0

    @property
    def unheard(self) -> dict[str, float]:
        """Names that nobody hooks."""
        return self._hearing.unheard

    @property
    def busy(self) -> bool:
        """True where events on their way may still be confirmed."""
        return self.connected and any(lane.flying for lane in self._active)

    def take(self, device: Any, topic: str, data: Any, receipt: Any) -> None:
        """Take an event of a device; its receipt is called once it is on disk, or confirmed."""
        lane = self.lanes.get(device.name)
        if lane is None:
            lane = self.lanes[device.name] = Lane(self, device.name)
        name = receipt.mark.stream
        stream = lane.streams.get(name) or self._stream(lane, name)
        if not self.once and self.network.ready and lane.idle and not self.quota.refused:
            self._pass(lane, stream, device, topic, data, receipt)
            return
        if self.once and receipt.number <= stream.top:
            # A gateway before this one had it on disk, and did not come to acknowledge it.
            device.confirm(receipt)
            return
        device.await_confirmation(receipt)
        entry = Entry(lane, stream, receipt.number, topic, data, receipt)
        if self.quota.spent:
            self._over(entry)
        else:
            self._admit(entry)

    def settle(self, ended: Callable[[], None]) -> bool:
        """Have `ended` called when hooks of this process have run for what was taken; false where none have to."""
        self._pass_on()
        return self.once and self.network.settle(ended)

    def hurry(self) -> None:
        """Have hooks of this process begin with what was taken, and take what is confirmed already."""
        self._pass_on()
        if self.once:
            self.network.hurry()

    def restore(self, device: str, stream: Stream, size: int) -> None:
        """Take over a stream that is on disk, when the gateway starts."""
        lane = self.lanes.setdefault(device, Lane(self, device))
        lane.restore(stream)
        if not self.events:
            self._since = self.now()
        self.events += stream.events
        self.quota.used += size
        self._active[lane] = None

    def tick(self) -> None:
        """Let time pass: go on after an outage, send again what is not confirmed, ask for names that nobody hooked."""
        if self.retired:
            return
        network = self.network
        self._pressed = False
        self._tell()
        self._replayed = sum([len(lane.flying) for lane in self._active if lane.behind])
        again = network.connections != self._connections
        self._connections = network.connections
        for lane in list(self._active):
            if not self.once:
                self._expose(lane)
            elif network.connected:
                self._look_after(lane, again)
            lane.pump()
            if lane.idle:
                del self._active[lane]
        if network.ready:
            self._ask()
        for entry in self.quota.admitted():
            self._admit(entry)

    def retire(self) -> None:
        """Its network, which has stopped, is configured no more: all that was not confirmed is kept on disk."""
        self.retired = True
        self._fresh.clear()
        self._collected.clear()
        for lane in self._active:
            if not self.once:
                self._expose(lane)
        refused = self.quota.refused
        while refused:
            # Beyond the quota, because what came after it waits for its acknowledgement, also that for other networks.
            self._admit(refused.popleft())

    def resume(self, network: Network, once: bool, limit: int, policy: str) -> None:
        """There is such a network again: go on with what is on disk."""
        self.network, self.once = network, once
        self.quota.change(limit, policy)
        self._connections = network.connections
        self._away = self.retired = False
        self._hearing = Hearing()
        if once:
            network.expect(self._taken)
        for lane in self.lanes.values():
            lane.aside = NONE_ASIDE
            lane.begin_anew()
            self._active[lane] = None

    def put(self, stream: Stream) -> None:
        """An event is on its way to disk."""
        if not self.events:
            self._since = self.now()
        self.events += 1
        stream.events += 1

    def written(self, entry: Entry, size: int) -> None:
        """It gets a row of its own."""
        entry.size = size
        self.quota.used += size

    def erased(self, stream: Stream, size: int) -> None:
        """An event is no longer on disk; `size` is 0 where it had no row of its own."""
        stream.events -= 1
        self.events -= 1
        self.quota.used -= size

    def trimmed(self, rows: list[tuple[int, int, int]]) -> None:
        """The oldest events are no longer on disk: (id, stream id, bytes)."""
        ids = {row[0] for row in rows}
        streams = {stream.id: stream for lane in self.lanes.values() for stream in lane.streams.values()}
        for _, number, size in rows:
            if number in streams:
                self.erased(streams[number], size)
        self.quota.dropped += len(rows)
        for lane in self.lanes.values():
            lane.drop(ids)

    # For its lanes

    def may_publish(self, lane: Lane) -> bool:
        """True while the network takes events of this lane."""
        if (lane.behind and self._replayed >= REPLAYED) or self.retired or self._pressed:
            return False
        return bool(self._fresh) or self.network.ready

    def publish(self, entry: Entry, before: int, carried: Callable[[], None] | None = None) -> bool:
        """Pass an event on."""
        lane, receipt = entry.lane, entry.receipt
        if lane.behind:
            self._replayed += 1
        origin = self._disk.origin(lane.device) if receipt is None else receipt.device
        if not self.once:
            return self.network.publish(entry.topic, entry.data, origin, entry)
        event = entry.topic, entry.data, lane.device, entry.stream.name, entry.number, before, origin
        if carried is not None:
            self._pass_on()
            if not self.network.publish_once([event], carried):
                raise LimitError(f"network {self.name} takes no more")
            return False
        if not self._fresh:
            self._disk.soon(self._pass_on)
        self._fresh.append(event)
        self._collected.append(entry)
        if len(self._fresh) >= COLLECTED:
            self._pass_on()
        return False

    def read(self, lane: Lane) -> None:
        """Fetch what is on disk."""
        self._disk.read(self, lane)

    def forget(self, entry: Entry) -> None:
        """It is confirmed."""
        if entry.lane.behind:
            self._replayed -= 1
        self._disk.erase(entry)

    # The rest is private.

    def _pass_on(self) -> None:
        """Publish what was collected."""
        if not self._fresh:
            return
        fresh, self._fresh = self._fresh, []
        entries, self._collected = self._collected, []
        taken = self.network.publish_once(fresh)
        self._pressed = taken < len(fresh)
        for entry in reversed(entries[taken:]):
            if entry.lane.behind:
                self._replayed -= 1
            entry.lane.take_back(entry)

    def _stream(self, lane: Lane, name: str) -> Stream:
        if lane.idle and not self.quota.refused:
            # Nothing refers to them; a device that restarts often has many.
            for other in [one for one in lane.streams.values() if not one.events]:
                del lane.streams[other.name]
        stream = lane.streams[name] = Stream(0, name)
        return stream

    def _pass(self, lane: Lane, stream: Stream, device: Any, topic: str, data: Any, receipt: Any) -> None:
        """Publish an event at once, without the disk."""
        entry = Entry(lane, stream, receipt.number, topic, data, receipt)
        try:
            done = self.network.publish(topic, data, device, entry)
        except LimitError:
            device.await_confirmation(receipt)
            self._admit(entry)
            return
        if done:
            stream.cursor = receipt.number
            device.confirm(receipt)
            return
        device.await_confirmation(receipt)
        device.overtaken = True
        lane.fly(entry)
        self._active[lane] = None

    def _admit(self, entry: Entry) -> None:
        self._active[entry.lane] = None
        entry.lane.add(entry)
        self._disk.keep(entry)

    def _over(self, entry: Entry) -> None:
        """There is no room on disk for an event."""
        quota = self.quota
        quota.exceeded()
        if quota.policy == REFUSE:
            entry.receipt.device.overtaken = True
            quota.refused.append(entry)
        elif quota.policy == OLDEST:
            self._disk.trim(self)
            self._admit(entry)
        else:
            quota.dropped += 1
            entry.gone = True
            self._disk.keep(entry)

    def _expose(self, lane: Lane) -> None:
        """Keep what the carrier does not confirm on disk, and have it acknowledged."""
        flying = lane.flying
        if flying and (not self.network.connected or self.now() - flying[0].since > UNCONFIRMED_S):
            for entry in flying:
                if entry.receipt is not None and not entry.queued and not entry.gone:
                    self._disk.keep(entry)

    def _look_after(self, lane: Lane, again: bool) -> None:
        """Send again what may be lost, and put a name aside that nobody hooks."""
        if not lane.flying:
            return
        topic = lane.flying[0].topic
        if again:
            self.sent_again += lane.send_again()
        else:
            self.sent_again += lane.retry()
        if lane.silent_s > WAITING_S:
            self._hearing.wait_for(topic)
        if topic not in self.unheard:
            if not self._hearing.give_up(topic, lane.stalled_s, self.now()):
                return
            logger.warning("network %s: nobody hooks %s: its events wait in the spool", self.name, topic)
        lane.put_aside(topic)

    def _ask(self) -> None:
        for topic in self._hearing.to_ask(self.now()):
            self.network.publish_once([(topic, None, "", "", 0, 0, None)])

    def _taken(self, answers: Iterable[tuple[str, str, str, int, int]]) -> None:
        heard = ""
        for topic, device, stream, number, again in answers:
            if topic != heard:
                heard = topic
                self._heard(topic)
            lane = self.lanes.get(device)
            if lane is not None:
                lane.taken(topic, stream, number, again == 1)

    def _heard(self, topic: str) -> None:
        """Somebody hooks a name."""
        # Who answers after a silence was started just now, and has missed what is on its way.
        missed = self._hearing.is_silent(topic)
        if self._hearing.confirmed(topic, self.now()):
            logger.warning("network %s: %s is hooked again", self.name, topic)
            for lane in self.lanes.values():
                lane.bring_back(topic)
                self._active[lane] = None
        if missed:
            self.sent_again += sum([lane.hooked(topic) for lane in self._active])

    def _tell(self) -> None:
        """Log when the spool begins to fill, and when it is empty again."""
        if self.events and not self.network.connected and not self._away:
            self._away = True
            logger.warning("network %s is away: events for it are kept in the spool", self.name)
        elif self._away and not self.events:
            self._away = False
            logger.info("network %s: everything that was kept for it has been sent", self.name)
