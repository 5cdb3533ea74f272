"""24 hours of a device that sleeps and of one whose Wi-Fi comes and goes: nothing is lost, nothing comes twice.

What others are told of the two is right, too. The core of a device, and the sessions, the bridge and the availability
of a gateway, in one process; a second is one step, and no time passes otherwise. Connections are as TCP has them: in
order, late while the air is away, gone when either end gives up, of which the other end is told if the air is there.
"""

import gc
import itertools
import random
import sys
from typing import Any

from pure import HEARTBEAT_S, Board, Stand

from eventhive.config import Settings, build
from eventhive.core.backoff import MAX_MS, delays
from eventhive.gateway.availability import ASLEEP, FLAPPING_GRACE_S, OFFLINE, ONLINE
from eventhive.gateway.presence import Presence

DAY_S = 24 * 3600
HOUR_S = 3600

EVENT = "my-hive/queen/event"
AVAILABILITY = "my-hive/gateway/device"
CONFIG = """
connectors: {my-hive: {pubsub_type: memory}}
gateway: {name: gateway, websocket: {port: 8086}, state: false}
"""

# A state, and whether the device is flapping: always the same objects, which are no leak of a gateway.
NEWS = {(state, flapping): (state, flapping) for state in (ONLINE, OFFLINE, ASLEEP) for flapping in (False, True)}
COMMAND_EVERY_S = 600

# The sleeper: events of one wake, and how long it sleeps.
READINGS = 3
SLEEP_S = 300

# The other one: an event every so often, and how long the air is there, and away.
EVENT_EVERY_S = 10
THERE_S = (10, 900)
AWAY_S = (1, 150)
# The hive confirms what it was sent so often: what was taken before an outage may be sent again after it.
CONFIRM_EVERY_S = 7

# Either end knows after two intervals, and looks once a second.
GONE_S = 2 * HEARTBEAT_S + 1

# Blocks of memory that may come and go between two looks. A leak of one for each event, or each wake, would be
# thousands, or hundreds.
SLACK = 200


class Life:
    """A device, the numbers of the events that it called, and those of the commands that were called for it."""

    def __init__(self, stand: Stand, name: str):
        self.stand = stand
        self.board: Board = stand.board(name)
        self.command = f"my-hive/{name}/led"
        self.called = self.commanded = 0
        # What came last of each, and how much came in all.
        self.arrived = self.obeyed = 0

    @property
    def known(self) -> Any:
        """What the gateway knows of it."""
        return self.stand.device(self.board.name)

    def call(self) -> None:
        self.called += 1
        assert self.board.outbox.put(EVENT, b'{"from":"%s","n":%d}' % (self.board.name.encode(), self.called))

    def order(self) -> None:
        """Somebody in the hive calls a command for it."""
        self.commanded += 1
        for participant in self.stand.hub.participants[self.command]:
            participant.deliver(self.command, {"n": self.commanded})

    def check(self) -> None:
        """Look through what came: all of it, in order, once."""
        for name, data in self.board.got:
            self.obeyed += 1
            assert (name, data["n"]) == (self.command, self.obeyed)
        self.board.got.clear()


class Sleeper(Life):
    """Wakes up with empty memory, tells what it has measured, takes commands, and sleeps again."""

    def second(self, now_s: int) -> None:
        if now_s % SLEEP_S:
            return
        self.board.restart()
        self.board.connect(self.command)
        assert self.known.session is not None
        assert self.known.asleep_until == 0
        for _ in range(READINGS):
            self.call()
        self.board.exchange()
        confirm(self.stand)
        self.board.exchange()
        assert not self.board.outbox.entries
        self.board.session.close("sleeping", SLEEP_S)
        self.board.exchange()
        assert self.known.session is None
        assert self.known.asleep_until == self.stand.now_ms + SLEEP_S * 1000


class Flapper(Life):
    """Is always awake, but not always heard. `lost` counts its connections that ended."""

    def __init__(self, stand: Stand, name: str, chance: random.Random):
        super().__init__(stand, name)
        self.lost = 0
        self._chance = chance
        self._air = False
        self._changed_s = self._changes_s = 0
        self._late: list[bytes] = []
        self._on = False
        self._pauses = delays(chance.randrange)
        self._again_ms = 0.0
        # When it was last there, for the gateway.
        self._away_s = 0

    def second(self, now_s: int) -> None:
        if now_s >= self._changes_s:
            self._air = not self._air
            self._changed_s = now_s
            self._changes_s = now_s + self._chance.randint(*(THERE_S if self._air else AWAY_S))
        if now_s % EVENT_EVERY_S == 0:
            self.call()
        if self._on:
            self._carry()
        elif self.stand.now_ms >= self._again_ms:
            self._connect()
        self._as_expected(now_s - self._changed_s)

    def as_told(self, now_s: int, presence: Presence) -> None:
        """Whoever is told that it is online, or offline, can rely on it, in time."""
        state = presence.of(self.known)["state"]
        if self.known.session is not None:
            self._away_s = now_s
            assert state == ONLINE
        elif now_s - self._away_s > FLAPPING_GRACE_S:
            assert state == OFFLINE

    def _connect(self) -> None:
        if self._air:
            self.board.connect(self.command)
            self._on = True
            self._pauses = delays(self._chance.randrange)
        else:
            self._again_ms = self.stand.now_ms + next(self._pauses)

    def _carry(self) -> None:
        board, end = self.board, self.board.end
        board.session.tick(1000)
        while (message := board.session.data_to_send()) is not None:
            self._late.append(message)
        if self._air and not end.over:
            for message in self._late:
                end.pump.receive(message)
            self._late.clear()
            board.exchange()
        if board.session.closed or (self._air and end.over):
            self._give_up()

    def _give_up(self) -> None:
        self.lost += 1
        self._on = False
        self._late.clear()
        self._again_ms = self.stand.now_ms + next(self._pauses)
        if self._air:
            self.board.end.session.fail("connection lost")
            self.board.end.pump.flush()

    def _as_expected(self, seconds: int) -> None:
        """What the gateway thinks of it is right, in time."""
        if not self._air and seconds > GONE_S:
            assert self.known.session is None
        if self._air and seconds > GONE_S + MAX_MS // 1000:
            assert self.known.session is not None


def confirm(stand: Stand) -> None:
    """The hive confirms what it was sent."""
    waiting, stand.hub.waiting = stand.hub.waiting, []
    for confirmed in waiting:
        confirmed()


def let_pass(stand: Stand) -> None:
    """A second of the gateway."""
    for device in stand.devices.by_name.values():
        carrier: Any = device.carrier
        if carrier is not None:
            carrier.session.tick(1000)
            carrier.flush_now()


def watched(stand: Stand) -> Presence:
    """Have the network told how the devices are."""
    settings = Settings()
    settings.read_string(CONFIG)
    presence = Presence(stand.bridge, build(settings))
    presence.enrol()
    return presence


def taken(stand: Stand, lives: dict[str, Life], told: dict[str, list[tuple[str, bool]]]) -> None:
    """Look through what came to the network: all events, in order, once; add to what was `told` of the devices."""
    for name, data in stand.hub.events:
        if name == AVAILABILITY:
            news = data["state"], data["flapping"]
            told[data["device"]].append(NEWS[news])
            continue
        life = lives[data["from"]]
        life.arrived += 1
        assert (name, data["n"]) == (EVENT, life.arrived)
    stand.hub.events.clear()


def blocks() -> int:
    """Allocated blocks of memory, without what only waits to be found."""
    gc.collect()
    return sys.getallocatedblocks()


def test_a_day() -> None:
    stand = Stand()
    stand.hub.holds = True
    sleeper, flapper = Sleeper(stand, "a"), Flapper(stand, "b", random.Random(1))
    lives: dict[str, Life] = {"a": sleeper, "b": flapper}
    presence = watched(stand)
    # Of each device, the states, and whether it was flapping.
    told: dict[str, list[tuple[str, bool]]] = {name: [] for name in stand.entries}
    held = []
    for now_s in range(DAY_S):
        stand.now_ms = now_s * 1000
        sleeper.second(now_s)
        flapper.second(now_s)
        let_pass(stand)
        presence.tick()
        flapper.as_told(now_s, presence)
        if now_s % CONFIRM_EVERY_S == 0:
            confirm(stand)
        if now_s % COMMAND_EVERY_S == COMMAND_EVERY_S - 1:
            sleeper.order()
            flapper.order()
        if now_s % HOUR_S == HOUR_S - 1:
            taken(stand, lives, told)
            sleeper.check()
            flapper.check()
            held.append(blocks())
    # It has seen what it is about: outages that both ends noticed, and such that only held events up.
    assert flapper.lost > 50
    assert sleeper.called == sleeper.arrived == DAY_S // SLEEP_S * READINGS
    assert flapper.called == DAY_S // EVENT_EVERY_S
    assert flapper.called - flapper.arrived == len(flapper.board.outbox.entries)
    assert len(flapper.board.outbox.entries) <= (AWAY_S[1] + GONE_S) // EVENT_EVERY_S
    # The last command for the sleeper waits for its next wake.
    assert (sleeper.commanded, sleeper.obeyed) == (DAY_S // COMMAND_EVERY_S, DAY_S // COMMAND_EVERY_S - 1)
    assert flapper.commanded - flapper.obeyed == len(flapper.known.outbox.entries)
    # Each wake and each sleep was told, and it was never taken for lost.
    assert told["a"] == [(ONLINE, False), (ASLEEP, False)] * (DAY_S // SLEEP_S)
    # It never came.
    assert told["c"] == [(OFFLINE, False)]
    # News, each time, and far fewer than it has lost connections.
    assert all(before != after for before, after in itertools.pairwise(told["b"]))
    assert {state for state, _ in told["b"]} <= {ONLINE, OFFLINE} and (ONLINE, True) in told["b"]
    assert len(told["b"]) < flapper.lost
    assert max(held[2:]) - held[1] < SLACK
