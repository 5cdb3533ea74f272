"""When a device is online, offline or asleep, as others are told: with a clock that the test moves."""

import logging
from typing import Any

import pytest
from pure import Stand

from eventhive.availability_config import GRACE_S, OVERSLEEP_S, AvailabilityConfig
from eventhive.core.errors import LimitError
from eventhive.gateway.announcer import Announcer, channels_of
from eventhive.gateway.availability import (
    APART_MS,
    CALM_S,
    FLAP_WINDOW_S,
    FLAPPING_GRACE_S,
    FLAPS,
    NEVER_SEEN,
    NOT_SEEN,
    OVERSLEEP_PART,
    REMOVED,
    START_S,
    Availability,
)

START_MS = 1_750_000_000_000
WHERE = "websocket", "192.0.2.7:50112"


class World:
    """Availability of some devices, in a time of its own, in seconds; `told` is what others were told."""

    def __init__(self, *names: str, **limits: int):
        self.now_s = 1000.0
        self.set_s = 0.0
        self.told: list[dict[str, Any]] = []
        self.availability = Availability(
            AvailabilityConfig(**limits), self.clock_ms, self.time_ms, lambda name, payload: self.told.append(payload)
        )
        self.availability.enrol(names)

    def clock_ms(self) -> int:
        return round(self.now_s * 1000)

    def time_ms(self) -> int:
        return START_MS + round((self.now_s + self.set_s - 1000) * 1000)

    def wait(self, seconds: float, step: float = 0.5) -> "World":
        end = self.now_s + seconds
        while self.now_s < end:
            self.now_s = min(self.now_s + step, end)
            self.availability.tick()
        return self

    def up(self, name: str = "a") -> "World":
        self.availability.up(name, *WHERE)
        return self

    def down(self, name: str = "a", why: str = "gone", wakes_in_s: float = 0, silent_s: float = 0) -> "World":
        wakes_ms = self.clock_ms() + round(wakes_in_s * 1000) if wakes_in_s else 0
        self.availability.down(name, why, wakes_ms, self.clock_ms() - round(silent_s * 1000))
        return self

    @property
    def states(self) -> list[str]:
        return [payload["state"] for payload in self.told]


def date(seconds: float) -> float:
    """Seconds after the beginning of a world, as others are told."""
    return START_MS / 1000 + seconds


class TestOnlineAndOffline:
    def test_online_is_told_at_once(self) -> None:
        world = World("a").up()
        assert world.told == [
            {
                "device": "a",
                "state": "online",
                "since": date(0),
                "last_seen": date(0),
                "reason": "connected",
                "link": "websocket",
                "address": "192.0.2.7:50112",
                "wakes": None,
                "flapping": False,
                "flaps": 0,
            }
        ]

    def test_offline_is_told_after_the_grace_with_when_and_why(self) -> None:
        world = World("a").up().wait(100).down(why="nothing heard for 40 s", silent_s=40).wait(GRACE_S - 0.5)
        assert world.states == ["online"]
        world.wait(0.5)
        assert world.states == ["online", "offline"]
        told = world.told[1]
        assert (told["since"], told["last_seen"], told["flaps"]) == (date(100), date(60), 1)
        assert (told["reason"], told["address"]) == ("nothing heard for 40 s", "192.0.2.7:50112")
        world.wait(100_000, 1000).up()
        assert world.states == ["online", "offline", "online"]
        assert (world.told[2]["since"], world.told[2]["flaps"]) == (date(100 + GRACE_S + 100_000), 0)

    def test_one_that_is_back_within_the_grace_is_no_news(self) -> None:
        world = World("a", grace=10).up()
        for _ in range(FLAPS - 1):
            world.wait(3600).down().wait(9.5).up()
        assert world.states == ["online"]
        found = world.availability.payload("a")
        assert found is not None and (found["flaps"], found["since"]) == (FLAPS - 1, date(0))

    def test_without_a_grace_it_is_told_at_once(self) -> None:
        assert World("a", grace=0).up().wait(2).down().states == ["online", "offline"]

    def test_a_clock_that_is_set_changes_nothing_but_dates(self) -> None:
        world = World("a").up().wait(60)
        world.set_s = 86_400
        assert world.wait(60).states == ["online"]
        world.down().wait(GRACE_S)
        assert world.told[1]["since"] == date(86_400 + 120)

    def test_a_goodbye_of_one_that_is_not_there(self) -> None:
        world = World("a").down().wait(1)
        world.down("nobody")
        assert world.told == []


class TestTheStart:
    def test_nothing_is_said_before_the_grace_has_passed(self) -> None:
        world = World("a", "b").wait(5).up().wait(START_S - 5.5)
        assert [(one["device"], one["state"]) for one in world.told] == [("a", "online")]
        world.wait(0.5)
        assert [(one["device"], one["state"]) for one in world.told] == [("a", "online"), ("b", "offline")]
        assert (world.told[1]["reason"], world.told[1]["last_seen"], world.told[1]["link"]) == (NOT_SEEN, None, None)

    def test_one_that_is_enrolled_later_has_its_own_grace(self) -> None:
        world = World("a").up().wait(1000)
        world.availability.enrol(["a", "b"])
        world.wait(START_S - 0.5)
        assert world.states == ["online"]
        world.wait(0.5)
        assert (world.told[1]["device"], world.told[1]["reason"]) == ("b", NEVER_SEEN)

    def test_one_that_was_asleep_before_the_start_is_asleep(self) -> None:
        world = World("a", "b")
        world.availability.restore("a", date(-600), date(300))
        world.availability.restore("b", date(-600), 0)
        assert world.states == ["asleep"]
        assert (world.told[0]["last_seen"], world.told[0]["wakes"]) == (date(-600), date(300))
        world.wait(START_S)
        told = world.told[1]
        assert (told["device"], told["state"], told["last_seen"]) == ("b", "offline", date(-600))
        world.wait(300 + OVERSLEEP_S + 900 / OVERSLEEP_PART)
        assert (world.told[2]["device"], world.told[2]["state"]) == ("a", "offline")

    def test_what_a_device_says_now_counts_more_than_what_it_said_before(self) -> None:
        world = World("a").up()
        world.availability.restore("a", date(-600), date(300))
        assert world.states == ["online"]


class TestSleepers:
    def test_one_that_wakes_in_time(self) -> None:
        world = World("a").up().wait(5).down(why="asleep", wakes_in_s=600)
        assert world.states == ["online", "asleep"]
        assert (world.told[1]["wakes"], world.told[1]["reason"]) == (date(605), "asleep")
        world.wait(600 + OVERSLEEP_S).up()
        assert world.states == ["online", "asleep", "online"]
        assert world.told[2]["flaps"] == 0

    def test_one_that_oversleeps(self) -> None:
        world = World("a").up().wait(5).down(wakes_in_s=600).wait(600 + OVERSLEEP_S + 60 - 0.5)
        assert world.states == ["online", "asleep"]
        world.wait(0.5)
        told = world.told[2]
        assert (told["state"], told["since"]) == ("offline", date(605))
        assert (told["last_seen"], told["wakes"]) == (date(5), None)
        assert told["reason"] == "it has not come back from its sleep"
        assert world.wait(100).up().states[3:] == ["online"]

    def test_one_that_is_gone_right_after_its_waking(self) -> None:
        world = World("a").up().wait(5).down(wakes_in_s=60).wait(60).up().wait(1).down().wait(GRACE_S)
        assert world.states == ["online", "asleep", "online", "offline"]

    def test_sleep_is_no_flapping(self) -> None:
        world = World("a")
        for _ in range(3 * FLAPS):
            world.up().wait(5).down(wakes_in_s=30).wait(30)
        assert world.states == ["online", "asleep"] * (3 * FLAPS)
        assert not any(one["flapping"] or one["flaps"] for one in world.told)


class TestFlapping:
    def test_the_fifth_loss_within_an_hour_is_told(self, caplog: pytest.LogCaptureFixture) -> None:
        world = World("a").up()
        with caplog.at_level(logging.WARNING, "eventhive.gateway"):
            for _ in range(FLAPS):
                world.wait(60).down(why="Wi-Fi").wait(2).up()
        assert world.states == ["online", "online"]
        told = world.told[1]
        assert (told["flapping"], told["flaps"]) == (True, FLAPS)
        assert told["reason"] == "connected, but flapping: Wi-Fi"
        assert caplog.messages == [
            "device a: flapping: it lost its connection 5 times within 5 min, now: Wi-Fi",
        ]

    def test_rare_losses_are_none(self) -> None:
        world = World("a").up()
        for _ in range(10 * FLAPS):
            world.wait(FLAP_WINDOW_S / (FLAPS - 1), 10).down().wait(2).up()
        assert world.states == ["online"]

    def test_a_longer_grace_until_it_is_calm(self) -> None:
        world = World("a").up()
        for _ in range(FLAPS):
            world.wait(60).down().wait(FLAPPING_GRACE_S / 2 if world.told[-1]["flapping"] else 2).up()
        assert world.states == ["online", "online"]
        # Longer than the usual grace, and no news.
        world.down().wait(FLAPPING_GRACE_S - 1).up()
        assert len(world.told) == 2
        world.wait(CALM_S - FLAPPING_GRACE_S)
        assert len(world.told) == 2
        world.wait(FLAPPING_GRACE_S)
        assert [one["flapping"] for one in world.told] == [False, True, False]
        # That it was lost once more since then is told with it.
        assert (world.told[2]["state"], world.told[2]["flaps"]) == ("online", 1)
        assert world.wait(10).down().wait(GRACE_S).states == ["online", "online", "online", "offline"]

    def test_one_that_stays_away_is_offline_all_the_same(self) -> None:
        world = World("a").up()
        for _ in range(FLAPS):
            world.wait(60).down().wait(2).up()
        world.down().wait(FLAPPING_GRACE_S)
        assert world.states == ["online", "online", "offline"]
        assert world.told[2]["flapping"]
        # That it has calmed down meanwhile is told when it is back.
        assert len(world.wait(2 * CALM_S).told) == 3
        world.up()
        assert (world.told[3]["state"], world.told[3]["flapping"]) == ("online", False)

    @pytest.mark.parametrize("away_s", [2, GRACE_S + 10, FLAPPING_GRACE_S + 10])
    def test_events_of_a_day_are_bounded(self, away_s: int) -> None:
        world = World("a")
        for _ in range(86_400 // (10 + away_s)):
            world.up().wait(10).down().wait(away_s)
        assert len(world.told) <= 24 * 2 * (3600 // FLAPPING_GRACE_S)
        assert sum(one["flaps"] for one in world.told) + (world.availability.payload("a") or {})["flaps"] == (
            86_400 // (10 + away_s)
        )

    def test_one_that_says_goodbye_in_a_loop(self) -> None:
        world = World("a")
        for _ in range(1000):
            world.up().down(wakes_in_s=1).wait(0.01, 0.01)
        assert len(world.told) <= 10 * 1000 / APART_MS + 1
        assert world.wait(1).states[-1] == "asleep"


def test_one_that_is_removed_is_offline_and_forgotten() -> None:
    world = World("a", "b").up()
    world.availability.enrol(["b"])
    assert (world.told[1]["state"], world.told[1]["reason"]) == ("offline", REMOVED)
    assert world.availability.payload("a") is None
    assert [one["device"] for one in world.wait(1000).told] == ["a", "a", "b"]


class Net:
    """A network that may be away, or full."""

    def __init__(self) -> None:
        self.connected = True
        self.full = False
        self.events: list[tuple[str, Any]] = []

    def publish(self, topic: str, data: Any, origin: object = None, confirm: Any = None) -> bool:
        if self.full:
            raise LimitError("full")
        self.events.append((topic, data["state"]))
        return True


class TestAnnouncer:
    def announcer(self, *publish: str) -> Announcer:
        self.nets = {"one": Net(), "two": Net()}
        return Announcer(self.nets, {"one": "gateway", "two": "house"}, lambda device: publish)

    def test_who_is_told_of_what(self) -> None:
        self.announcer("one/*/*").tell("a", {"state": "online"})
        assert [net.events for net in self.nets.values()] == [[("one/gateway/device", "online")], []]
        self.announcer("*/queen/*").tell("a", {"state": "online"})
        assert [len(net.events) for net in self.nets.values()] == [1, 1]
        self.announcer().tell("a", {"state": "online"})
        assert self.nets["two"].events == [("two/house/device", "online")]

    @pytest.mark.parametrize("what", ["away", "full"])
    def test_the_last_state_is_told_when_a_network_is_back(self, what: str) -> None:
        announcer, net = self.announcer("one/*/*"), self.nets["one"]
        net.connected, net.full = what != "away", what == "full"
        for state in ("online", "offline", "online", "asleep"):
            announcer.tell("a", {"state": state})
        announcer.tick()
        assert net.events == []
        net.connected, net.full = True, False
        announcer.tick()
        announcer.tick()
        assert net.events == [("one/gateway/device", "asleep")]

    def test_nobody_is_told_where_that_is_switched_off(self) -> None:
        announcer = self.announcer()
        announcer.told = False
        announcer.tell("a", {"state": "online"})
        announcer.tick()
        assert [net.events for net in self.nets.values()] == [[], []]

    def test_a_network_that_comes_is_told_how_devices_are(self) -> None:
        announcer, third = self.announcer("one/*/*", "th*/*/*"), Net()
        announcer.tell("a", {"state": "online"})
        self.nets["one"].connected = False
        announcer.tell("a", {"state": "asleep"})
        nets = {"one": self.nets["one"], "three": third}
        announcer.serve(nets, {"one": "gateway", "three": "gateway"}, {"a": {"state": "asleep"}})
        assert third.events == [("three/gateway/device", "asleep")]
        # What another one has missed is not forgotten for that; one that went is told nothing any more.
        self.nets["one"].connected = True
        announcer.tick()
        assert self.nets["one"].events[1:] == [("one/gateway/device", "asleep")]
        assert self.nets["two"].events == []

    def test_the_channel_of_a_gateway(self) -> None:
        class Connector:
            def __init__(self, channel: str):
                self.input_channel = channel

        connectors = {"one": Connector("queen"), "two": Connector("")}
        assert channels_of("", connectors) == {"one": "queen", "two": "gateway"}
        assert channels_of("cellar", connectors) == {"one": "cellar", "two": "cellar"}


class TestSessions:
    """What the bridge tells of sessions."""

    def test_hooks_are_there_when_a_device_is_online(self) -> None:
        stand = Stand()
        later: list[Any] = []
        seen: list[list[str]] = []
        stand.bridge.soon = later.append
        stand.bridge.joined = lambda device: seen.append(sorted(stand.hub.participants))
        stand.board("a").connect("my-hive/a/led")
        assert seen == []
        for call in later:
            call()
        assert seen == [["my-hive/a/led"]]

    def test_one_that_leaves_at_once_was_there(self) -> None:
        stand = Stand()
        told: list[tuple[str, str]] = []
        stand.bridge.soon = lambda call: None
        stand.bridge.joined = lambda device: told.append((device.name, "joined"))
        stand.devices.left = lambda device, session, why: told.append((device.name, why))
        stand.board("a").connect().say('[7,"asleep",60]')
        assert told == [("a", "joined"), ("a", "the other end said goodbye: asleep")]
        assert stand.device("a").asleep_until == 60_000

    def test_how_long_nothing_was_heard(self) -> None:
        stand = Stand()
        told: list[int] = []
        stand.devices.left = lambda device, session, why: told.append(session.silent_ms)
        board = stand.board("a").connect()
        board.end.session.tick(40_000)
        board.end.pump.flush()
        assert told == [40_000]
