"""Commands that live for a while: they wait for a device that is away, or asleep, and for no longer than they live."""

import json
import logging
from typing import Any

import pytest
from pure import Stand

from eventhive.gateway.commands import Commands
from eventhive.gateway.keys import KeyStore

LED = "my-hive/a/led"
STREAM = "b1b2b3b400000001"


def entries(commands: Commands) -> list[tuple[int, str, Any]]:
    """Numbers, names, and what stands behind the name in the message."""
    return [(number, name, json.loads(f"[{payload.decode()}]")) for number, name, payload in commands.entries]


class TestCommands:
    def test_what_is_left_travels(self) -> None:
        commands = Commands(1000, 1000, STREAM)
        commands.add("a", b'{"x":1}', 60_000, 1_000)
        commands.put("b", b"2")
        assert entries(commands) == [(1, "a", [{"x": 1}, 59_000]), (2, "b", [2])]
        commands.stamp(59_990)
        assert entries(commands) == [(1, "a", [{"x": 1}, 10]), (2, "b", [2])]
        commands.stamp(70_000)
        assert entries(commands)[0] == (1, "a", [{"x": 1}, 0])

    def test_only_what_was_never_sent_expires(self) -> None:
        commands = Commands(1000, 1000, STREAM)
        for number in range(1, 5):
            commands.add(f"n{number}", b"1", number * 100, 0)
        commands.sent, commands.cursor = 1, 1
        assert commands.expire(99) == []
        assert commands.expire(300) == ["n2", "n3"]
        assert [entry[0] for entry in commands.entries] == [1, 4]
        assert (commands.cursor, commands.expired, commands.dropped) == (1, 2, 0)

    def test_the_room_comes_back(self) -> None:
        commands = Commands(1000, 1000, STREAM)
        room = commands.room
        for now in (0, 5, 123_456):
            for _ in range(5):
                assert commands.add("a/b", b"1", now + 1_000_000, now)
            commands.stamp(now + 999_999)
            commands.acknowledge(commands.next - 3)
            commands.expire(now + 2_000_000)
            assert (commands.room, commands.entries, commands._alive) == (room, [], [])


class TestDevice:
    def test_a_device_that_comes_back_in_time_gets_what_is_left(self) -> None:
        stand = Stand(command_ttl_s=60)
        stand.device("a").deliver(LED, "on")
        stand.now_ms = 45_000
        assert stand.board("a").connect().got == [(LED, "on", 15_000)]

    def test_one_that_comes_too_late_does_not(self, caplog: pytest.LogCaptureFixture) -> None:
        stand = Stand(command_ttl_s=60)
        device = stand.device("a")
        device.deliver(LED, "on")
        stand.now_ms = 30_000
        device.deliver(LED, "off")
        stand.now_ms = 60_000
        with caplog.at_level(logging.WARNING):
            board = stand.board("a").connect()
        assert board.got == [(LED, "off", 30_000)]
        assert f"device a: {LED} expired: it was not there to take it within 60 s" in caplog.text
        assert (device.outbox.expired, device.outbox.entries) == (1, [])

    def test_a_sleeper_has_the_whole_time_once_it_is_awake(self) -> None:
        stand = Stand(command_ttl_s=60)
        board = stand.board("a").connect()
        board.session.close("asleep", 7_200)
        board.exchange()
        device = stand.device("a")
        assert device.session is None and device.asleep_until == 7_200_000
        device.deliver(LED, "on")
        stand.now_ms = 7_205_000
        device.expire()
        assert stand.board("a").connect().got == [(LED, "on", 55_000)]
        assert device.asleep_until == 0

    def test_without_a_limit_nothing_is_added_and_nothing_expires(self) -> None:
        stand = Stand()
        stand.device("a").deliver(LED, "on")
        stand.now_ms = 10**9
        assert stand.board("a").connect().got == [(LED, "on")]

    def test_what_a_device_reports_is_taken_as_far_as_it_can_be_shown(self) -> None:
        stand = Stand(command_ttl_s=60)
        board = stand.board("a").connect()
        good = {"heap": 1000, "version": "1.0", "flash": [1, 2]}
        bad = {"x" * 40: 1, "text": "y" * 40, "nested": {}, "list": [1, "2"], "bool": True, "line": "a\nb", "less": -1}
        board.say(json.dumps([12, {**good, **bad}]))
        assert stand.device("a").reported == good
        board.say(json.dumps([12, {f"k{number}": number for number in range(100)}]))
        assert len(stand.device("a").reported) == 32
        board.say("[12]").say('[12,"nothing"]')
        assert len(stand.device("a").reported) == 32


def test_a_device_may_have_its_own(tmp_path: Any) -> None:
    store = KeyStore(tmp_path / "keys")
    store.add("a", ["my-hive"])
    assert store.allow("a", [], [], ttl=5).ttl == 5
    assert store.load()["a"].ttl == 5
    store.allow("a", [], [], ttl=0)
    assert "ttl" not in (tmp_path / "keys").read_text()
