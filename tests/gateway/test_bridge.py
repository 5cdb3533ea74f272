"""Routing between devices and networks: no I/O."""

import logging

import pytest
from pure import Hub, Stand

from eventhive.core.outcomes import NobodyHooks, RemoteError, RequestTimeout
from eventhive.core.requests import MAX_REQUESTS
from eventhive.gateway.bridge import MAX_HOOKS, MAX_ROUTES, printable

EVENT = "my-hive/queen/event"


@pytest.fixture
def stand() -> Stand:
    return Stand()


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, "eventhive")
    return caplog


def test_to_the_network_and_back_and_to_another_device(stand: Stand) -> None:
    a = stand.board("a").connect("my-hive/a/led")
    b = stand.board("b").connect("my-hive/b/led")
    a.call(EVENT, {"c": 21.5}).call("my-hive/b/led", "from a")
    stand.hub.publish("my-hive/a/led", "from outside", None)
    assert stand.hub.events[:2] == [(EVENT, {"c": 21.5}), ("my-hive/b/led", "from a")]
    assert b.exchange().got == [("my-hive/b/led", "from a")]
    assert a.exchange().got == [("my-hive/a/led", "from outside")]


def test_its_own_events_do_not_come_back(stand: Stand) -> None:
    board = stand.board("a").connect("my-hive/a/led").call("my-hive/a/led", 1)
    assert stand.hub.events == [("my-hive/a/led", 1)]
    assert board.got == []


def test_a_hook_that_is_told_twice_is_one(stand: Stand) -> None:
    stand.board("a").connect("my-hive/a/led", "my-hive/a/led").connect("my-hive/a/led")
    assert len(stand.hub.participants["my-hive/a/led"]) == 1


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("other-hive/queen/event", "its network is not under 'connectors' in the gateway's configuration"),
        ("queen/event", "its network is not under 'connectors'"),
        ("event", "its network is not under 'connectors'"),
        ("my-hive/queen/secret", "not among what it may publish in the gateway's key file"),
    ],
)
def test_an_event_without_a_way_is_put_aside_and_said_once(
    stand: Stand, log: pytest.LogCaptureFixture, name: str, why: str
) -> None:
    stand.entries["a"].publish[:] = ["my-hive/*/event", "other-hive/*/*"]
    stand.bridge.enrol(stand.entries)
    board = stand.board("a").connect()
    for number in range(5):
        board.call(name, number)
    board.call(EVENT, "next")
    assert stand.hub.events == [(EVENT, "next")]
    assert board.outbox.acked == 6
    assert stand.device("a").refused == 5
    assert [line for line in log.messages if "put aside" in line] == [log.messages[1]]
    assert log.messages[1].startswith(f"device a: events {name} are put aside: {why}")


def test_names_without_end_are_not_kept(stand: Stand) -> None:
    board = stand.board("a").connect()
    for number in range(2 * MAX_ROUTES + 10):
        board.call(f"my-hive/queen/event-{number}", number)
    assert len(stand.hub.events) == 2 * MAX_ROUTES + 10
    assert len(stand.device("a").routes) <= MAX_ROUTES


@pytest.mark.parametrize(
    ("hook", "why"),
    [
        (
            '"my-hive/b/led"',
            "not among what it may receive in the gateway's key file; to allow it: "
            "eventhive device allow a --receive b/led",
        ),
        ('"other-hive/a/led"', "its network is not under 'connectors' in the gateway's configuration"),
        ('"a/led"', "its network is not under 'connectors' in the gateway's configuration"),
        ('"led"', "its network is not under 'connectors' in the gateway's configuration"),
        ('"my-hive/a/*"', "it is no event name"),
        ('"my-hive/a/l\\ned"', "it is no event name"),
        ('"my-hive/a/\\ud800"', "it is no event name"),
        ('""', "it is no event name"),
    ],
)
def test_a_hook_without_a_way_is_named_with_the_reason(
    stand: Stand, log: pytest.LogCaptureFixture, hook: str, why: str
) -> None:
    board = stand.board("a").connect().say(f'[11,{hook},"my-hive/a/led"]')
    assert list(stand.hub.participants) == ["my-hive/a/led"]
    assert log.messages[1].endswith(f"will not reach it: {why} (1 so far)")
    assert log.messages[1].isprintable()
    assert not board.session.closed


def test_hooks_that_are_no_names_are_nothing(stand: Stand) -> None:
    board = stand.board("a").connect().say("[11,1,null,true,[],{}]")
    assert (stand.hub.participants, board.session.closed) == ({}, None)


def test_hooks_without_end_are_not_kept(stand: Stand, log: pytest.LogCaptureFixture) -> None:
    board = stand.board("a").connect()
    for number in range(MAX_HOOKS + 2):
        board.say(f'[11,"my-hive/a/hook-{number}"]')
    assert len(stand.hub.participants) == MAX_HOOKS
    assert f"my-hive/a/hook-{MAX_HOOKS} will not reach it: it hooks {MAX_HOOKS} others already" in log.messages[1]


def test_what_cannot_be_read_is_put_aside(stand: Stand, log: pytest.LogCaptureFixture) -> None:
    board = stand.board("a").connect().call(EVENT, 1)
    board.outbox.put(EVENT, b'{"c":1e999}')
    board.exchange().call(EVENT, 3)
    assert stand.hub.events == [(EVENT, 1), (EVENT, 3)]
    assert board.outbox.acked == 3
    assert stand.device("a").rejected == 1
    assert "device a: event 2 put aside: inf has no JSON form (1 so far)" in log.messages


def test_a_log_is_not_filled_by_one_device(stand: Stand, log: pytest.LogCaptureFixture) -> None:
    board = stand.board("a").connect()
    for number in range(150):
        board.outbox.put(EVENT, b'{"c":1e999}')
        board.exchange().say(f'[11,"my-hive/b/led-{number}"]')
    assert len([line for line in log.messages if "put aside" in line]) == 3
    assert len([line for line in log.messages if "will not reach it" in line]) == 3
    assert stand.device("a").rejected == 150


def test_one_that_may_be_lost_is_routed_without_a_number(stand: Stand) -> None:
    stand.board("a").connect().say(f'[10,"{EVENT}","once"]').say('[10,"other-hive/x/y","nowhere"]')
    assert stand.hub.events == [(EVENT, "once")]


def test_a_device_that_is_removed_hooks_nothing_any_more(stand: Stand) -> None:
    stand.board("a").connect("my-hive/a/led")
    del stand.entries["a"]
    stand.bridge.enrol(stand.entries)
    assert stand.hub.participants == {"my-hive/a/led": []}


def test_a_network_comes_and_goes_and_comes_again(stand: Stand) -> None:
    other = Hub()
    stand.entries["a"].publish[:] = ["*/*/*"]
    stand.bridge.enrol(stand.entries)
    board = stand.board("a").connect("my-hive/a/led", "other-hive/a/led").call("other-hive/queen/event", "before")
    for turn in (1, 2):
        stand.bridge.networks["other-hive"] = other
        stand.bridge.came()
        other.publish("other-hive/a/led", turn, None)
        assert board.exchange().got[-1] == ("other-hive/a/led", turn)
        board.call("other-hive/queen/event", turn)
        stand.bridge.went("other-hive")
        del stand.bridge.networks["other-hive"]
        assert other.participants == {"other-hive/a/led": []}
        board.call("other-hive/queen/event", "after")
    assert [data for name, data in other.events if name.endswith("event")] == [1, 2]
    assert len(stand.hub.participants["my-hive/a/led"]) == 1
    assert not board.session.closed and not board.outbox.entries


def test_a_right_that_is_given_later_is_good_at_once(stand: Stand) -> None:
    board = stand.board("a").connect("my-hive/b/led")
    for receive in (["b/*"], [], ["b/led"]):
        stand.entries["a"].receive[:] = receive
        stand.bridge.enrol(stand.entries)
        assert len(stand.hub.participants["my-hive/b/led"]) == (1 if receive else 0)
    # What another boot wanted, this one need not want.
    board.restart()
    board.connect()
    stand.bridge.enrol(stand.entries)
    assert stand.hub.participants["my-hive/b/led"] == []


def test_names_that_are_wanted_are_bounded(stand: Stand) -> None:
    board = stand.board("a").connect()
    for number in range(MAX_HOOKS + 2):
        board.say(f'[11,"other-hive/a/hook-{number}"]')
    board.say('[11,"my-hive/a/*"]')
    assert len(stand.device("a").unmet) == MAX_HOOKS


def test_a_goodbye_is_in_the_log_and_cannot_forge_lines(stand: Stand, log: pytest.LogCaptureFixture) -> None:
    stand.board("a").connect().say('[7,"bye\\nFORGED \\u001b[2J",0]')
    assert log.messages[-1] == "device a: offline: the other end said goodbye: bye?FORGED ?[2J"


def test_printable() -> None:
    assert printable("a\x1b[2J\nb\u202eü") == "a?[2J?b?ü"
    assert len(printable("x" * 10_000)) == 200


class TestRequests:
    """What devices ask of the network."""

    def test_an_answer(self, stand: Stand) -> None:
        board = stand.board("a").connect().say(f'[8,5,"{EVENT}",[1]]')
        ((topic, data, seconds, answered),) = stand.hub.requests
        assert (topic, data, seconds) == (EVENT, [1], 60)
        assert board.replies == []
        answered({"c": 1}, None)
        assert board.exchange().replies == [(5, 0, {"c": 1})]

    @pytest.mark.parametrize(
        ("error", "reply"),
        [
            (RemoteError(f"{EVENT}: ValueError: no"), (5, 1, f"{EVENT}: ValueError: no")),
            (NobodyHooks(f"{EVENT}: nobody hooks it"), (5, 2, f"{EVENT}: nobody hooks it")),
            (RequestTimeout(f"{EVENT}: no reply"), (5, 3, f"{EVENT}: no reply")),
        ],
    )
    def test_no_answer(self, stand: Stand, error: Exception, reply: object) -> None:
        board = stand.board("a").connect().say(f'[8,5,"{EVENT}",[1]]')
        stand.hub.requests[0][3](None, error)  # type: ignore[arg-type]
        assert board.exchange().replies == [reply]

    def test_what_it_may_not_ask(self, stand: Stand, log: pytest.LogCaptureFixture) -> None:
        board = stand.board("a").connect().say('[8,5,"other/queen/event",1]').say('[8,6,"my-hive/queen/event",1]')
        assert board.replies == [(5, 3, "the gateway passes it on to nobody; its log says why")]
        assert "device a: events other/queen/event are put aside: its network is not" in log.text
        assert [request[0] for request in stand.hub.requests] == [EVENT]
        assert stand.device("a").refused == 1

    def test_what_the_network_does_not_take(self, stand: Stand) -> None:
        stand.hub.full = True
        board = stand.board("a").connect().say(f'[8,5,"{EVENT}",1]')
        assert board.replies == [(5, 3, "too long for one event")]
        assert stand.device("a").asking == 0

    def test_too_many(self, stand: Stand) -> None:
        board = stand.board("a").connect()
        for number in range(MAX_REQUESTS + 1):
            board.say(f'[8,{number},"{EVENT}",1]')
        assert [reply[:2] for reply in board.replies] == [(MAX_REQUESTS, 3)]
        stand.hub.requests[3][3]("late", None)
        board.exchange().say(f'[8,99,"{EVENT}",1]')
        assert board.replies[1:] == [(3, 0, "late")]
        assert len(stand.hub.requests) == MAX_REQUESTS + 1

    def test_an_answer_for_a_session_that_is_over(self, stand: Stand) -> None:
        board = stand.board("a").connect().say(f'[8,5,"{EVENT}",1]')
        board.connect()
        stand.hub.requests[0][3]("late", None)
        assert board.exchange().replies == []
        assert stand.device("a").asking == 0
