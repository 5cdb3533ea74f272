"""Who is admitted, and what becomes of sessions, commands and acknowledgements: no I/O, both ends are real sessions."""

import dataclasses
import logging
import os

import pytest
from pure import SEALED, TIME_MS, UNKEYED, Stand, enrolled

from eventhive.core.requests import MAX_REQUESTS
from eventhive.replies import Question

LED = "my-hive/a/led"
EVENT = "my-hive/queen/event"

UNKNOWN = "unknown id, or wrong key"


@pytest.fixture
def stand() -> Stand:
    return Stand()


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, "eventhive")
    return caplog


class TestAdmission:
    def test_a_device_with_its_key(self, stand: Stand, log: pytest.LogCaptureFixture) -> None:
        board = stand.board("a").connect()
        assert not board.refused
        assert board.time_ms == TIME_MS
        assert log.messages == ["device a: online over websocket from 192.0.2.1:5, sealed"]

    def test_wrong_key_unknown_id_and_unknown_key_number_look_alike(
        self, stand: Stand, log: pytest.LogCaptureFixture
    ) -> None:
        answers = set()
        for name, key, keygen in (("a", os.urandom(32), 0), ("nobody", os.urandom(32), 0), ("a", "its own", 1)):
            board = stand.board(name, key, keygen).dial()
            board.greet()
            assert UNKNOWN in board.refused
            answers.add((board.refused, board.session.refused))
            assert f"device '{name}' is unknown, or its key is not the one on file" in log.messages[-1]
        assert len(answers) == 1
        assert stand.device("a").session is None

    def test_nothing_changes_before_the_proof(self, stand: Stand) -> None:
        first = stand.board("a").connect()
        session = stand.device("a").session
        thief = stand.board("a").dial()
        thief.end.pump.receive(first.hello)
        thief.end.pump.receive(bytes(40))
        assert stand.device("a").session is session
        first.call(EVENT, 1)
        assert stand.hub.events == [(EVENT, 1)]

    def test_a_device_that_was_removed(self, stand: Stand) -> None:
        board = stand.board("a").connect()
        del stand.entries["a"]
        stand.bridge.enrol(stand.entries)
        board.take()
        assert board.session.closed == "the other end said goodbye: this device was removed from the key file"
        assert UNKNOWN in board.connect().refused

    def test_a_device_with_a_new_key(self, stand: Stand) -> None:
        board = stand.board("a").connect(LED)
        stand.entries["a"] = enrolled("a")
        stand.bridge.enrol(stand.entries)
        board.take()
        assert "this device has a new key" in board.session.closed
        assert UNKNOWN in board.connect().refused
        assert not stand.board("a").connect().refused
        # What the device with the old key hooked is forgotten with it.
        assert stand.hub.participants[LED] == []

    def test_an_old_boot_count(self, stand: Stand, log: pytest.LogCaptureFixture) -> None:
        board = stand.board("a").connect()
        board.connection = 0
        assert "this boot count was used before" in board.connect(address="192.0.2.9:5").refused
        # Both addresses, to find the two boards.
        why = "websocket 192.0.2.9:5: device 'a' came with an old boot count, after a session from 192.0.2.1:5: "
        assert log.messages[-1].startswith(why)
        assert stand.device("a").session is not None

    def test_the_newest_session_wins(self, stand: Stand, log: pytest.LogCaptureFixture) -> None:
        board = stand.board("a").connect()
        first = board.session, board.end
        board.connect(address="192.0.2.9:5")
        for message in first[1].sent:
            first[0].receive_data(message)
        first[0].next_event()
        assert first[0].closed == "the other end said goodbye: replaced by a connection from 192.0.2.9:5"
        assert log.messages[1:] == [
            "device a: offline: replaced by a connection from 192.0.2.9:5",
            "device a: online over websocket from 192.0.2.9:5, sealed",
        ]
        board.call(EVENT, 1)
        assert stand.hub.events == [(EVENT, 1)]

    def test_another_version(self, stand: Stand, log: pytest.LogCaptureFixture) -> None:
        board = stand.board("a").dial()
        board.end.pump.receive(b"\x02\x02" + bytes(32) + b"\x01a")
        board.end.pump.flush()
        assert board.end.sent == [b"\x03\x01"]
        assert log.messages == ["websocket 192.0.2.1:5: a device that speaks link version 2, not 1"]

    def test_one_that_says_nothing(self, stand: Stand, log: pytest.LogCaptureFixture) -> None:
        end = stand.board("a").dial().end
        end.session.tick(4999)
        end.pump.flush()
        assert not end.over
        end.session.tick(1)
        end.pump.flush()
        assert (end.over, end.sent) == (True, [])
        assert log.messages == ["websocket 192.0.2.1:5: hand-shake: nothing heard for 5 s"]

    def test_one_that_says_hello_and_no_more(self, stand: Stand) -> None:
        board = stand.board("a").dial()
        board.end.session.tick(4000)
        board.end.pump.receive(b"\x02\x01\x01\x00\x04\x00" + bytes(28) + b"\x01a")
        board.end.session.tick(1000)
        board.end.pump.flush()
        assert board.end.over
        assert stand.device("a").session is None

    def test_a_heartbeat_that_stays_out(self, stand: Stand, log: pytest.LogCaptureFixture) -> None:
        board = stand.board("a").connect()
        board.end.session.tick(39_999)
        board.end.pump.flush()
        assert not board.end.over
        board.end.session.tick(1)
        board.end.pump.flush()
        assert log.messages[-1] == "device a: offline: running: nothing heard for 40 s"


class TestRekeying:
    def rekeyed(self, stand: Stand) -> bytes:
        new = os.urandom(32)
        stand.entries["a"] = dataclasses.replace(stand.entries["a"], next_secret=(new, 1))
        stand.bridge.enrol(stand.entries)
        return new

    def test_the_old_key_is_good_until_the_new_one_is_used(self, stand: Stand, log: pytest.LogCaptureFixture) -> None:
        promoted: list[tuple[str, bytes]] = []
        stand.devices.promoted = lambda name, key: promoted.append((name, key))
        board = stand.board("a").connect().call(EVENT, 1)
        new = self.rekeyed(stand)
        assert not board.session.closed
        board.connect()
        board.restart()
        board.connect().call(EVENT, 2)
        assert promoted == []
        newer = stand.board("a", new, 1).connect().call(EVENT, 3)
        assert promoted == [("a", new)]
        assert board.end.over
        assert "device a: uses its new key" in log.text
        newer.restart()
        newer.connect().call(EVENT, 4)
        assert promoted == [("a", new)]
        assert [data for _, data in stand.hub.events] == [1, 2, 3, 4]
        assert "wrong key" in stand.board("a").connect().refused
        # What the file says by then changes nothing.
        stand.entries["a"] = dataclasses.replace(stand.entries["a"], key=new, keygen=1, next_secret=None)
        stand.bridge.enrol(stand.entries)
        assert not newer.session.closed

    def test_a_key_with_another_number_is_a_wrong_key(self, stand: Stand) -> None:
        new = self.rekeyed(stand)
        assert "wrong key" in stand.board("a", new, 0).connect().refused
        assert "wrong key" in stand.board("a", new, 2).connect().refused
        assert "wrong key" in stand.board("a", "its own", 1).connect().refused
        assert not stand.board("a").connect().refused

    def test_what_waits_for_a_device_outlives_its_old_key(self, stand: Stand) -> None:
        board = stand.board("a").connect(LED)
        board.end.close("gone")
        stand.hub.publish(LED, "later", None)
        newer = stand.board("a", self.rekeyed(stand), 1).connect(LED)
        assert newer.got == [(LED, "later")]

    def test_keys_are_in_no_repr(self, stand: Stand) -> None:
        assert self.rekeyed(stand).hex() not in repr(stand.entries)
        assert repr(stand.entries["a"].next_secret) not in repr(stand.entries)


class TestUnkeyed:
    def test_where_it_is_trusted(self, stand: Stand, log: pytest.LogCaptureFixture) -> None:
        board = stand.board("stranger", None).connect(mode=UNKEYED)
        assert not board.refused
        board.call(EVENT, {"c": 21.5})
        assert stand.hub.events == [(EVENT, {"c": 21.5})]
        assert log.messages == ["device stranger: online over websocket from 192.0.2.1:5, WITHOUT A KEY"]

    def test_under_a_name_that_is_enrolled(self, stand: Stand) -> None:
        board = stand.board("a", None).connect(mode=UNKEYED)
        assert "takes no device without a key" in board.refused
        assert stand.device("a").session is None

    def test_where_a_key_is_demanded(self, stand: Stand) -> None:
        board = stand.board("stranger", None).dial(SEALED)
        with pytest.raises(Exception, match="takes no device without a key"):
            board.greet()
        # Whatever its own opinion: the gateway does not let it in.
        board.end.pump.receive(b"\x02\x01\x00\x00\x04\x00" + bytes(28) + b"\x01s")
        board.end.pump.flush()
        assert board.end.sent == [b"\x03\x03"]

    def test_a_sealed_stranger_is_unknown(self, stand: Stand) -> None:
        stand.board("stranger", None).connect(mode=UNKEYED)
        assert UNKNOWN in stand.board("stranger", bytes(32)).connect(mode=UNKEYED).refused

    def test_one_that_is_enrolled_later(self, stand: Stand) -> None:
        board = stand.board("stranger", None).connect(mode=UNKEYED)
        stand.entries["stranger"] = enrolled("stranger")
        stand.bridge.enrol(stand.entries)
        board.take()
        assert board.session.closed
        assert "takes no device without a key" in board.connect(mode=UNKEYED).refused
        assert not stand.board("stranger").connect().refused


class TestCommands:
    def deliver(self, stand: Stand, *values: object) -> None:
        for value in values:
            stand.hub.publish(LED, value, None)

    def test_in_order_and_acknowledged(self, stand: Stand) -> None:
        board = stand.board("a").connect(LED)
        self.deliver(stand, 1, 2)
        board.exchange()
        assert board.got == [(LED, 1), (LED, 2)]
        assert stand.device("a").outbox.entries == []

    def test_what_the_same_boot_did_not_acknowledge_comes_again_and_runs_once(self, stand: Stand) -> None:
        board = stand.board("a").connect(LED)
        self.deliver(stand, 1)
        board.take()
        # Its acknowledgement is lost with the connection.
        board.end.close("gone")
        board.connect()
        self.deliver(stand, 2)
        board.exchange()
        assert board.got == [(LED, 1), (LED, 2)]
        assert stand.device("a").outbox.entries == []

    def test_what_was_sent_to_a_boot_that_ended_is_reported_and_not_sent_again(
        self, stand: Stand, log: pytest.LogCaptureFixture
    ) -> None:
        board = stand.board("a").connect(LED)
        self.deliver(stand, "sent")
        board.end.close("gone")
        self.deliver(stand, "never sent")
        board.restart()
        board.connect(LED).exchange()
        assert board.got == [(LED, "never sent")]
        assert f"device a: {LED}: outcome unknown, not sent again: the device restarted" in log.text

    def test_they_wait_for_a_device_that_is_away(self, stand: Stand) -> None:
        stand.board("a").connect(LED).end.close("gone")
        self.deliver(stand, 1)
        board = stand.board("a")
        board.boot = 7
        assert board.connect(LED).got == [(LED, 1)]

    def test_metadata_of_a_hive_is_taken_off_and_the_senders_dict_kept(self, stand: Stand) -> None:
        board = stand.board("a").connect(LED)
        data = {"on": True, "__eventhive__": {"time": 1.5, "id": "x"}}
        self.deliver(stand, data)
        assert board.exchange().got == [(LED, {"on": True})]
        assert "__eventhive__" in data

    @pytest.mark.parametrize(
        ("value", "why"),
        [(float("inf"), "has no JSON form"), ("x" * 2000, "the link takes"), ({1: 2}, "is not a string")],
    )
    def test_what_cannot_be_sent_is_named_and_blocks_nothing(
        self, stand: Stand, log: pytest.LogCaptureFixture, value: object, why: str
    ) -> None:
        board = stand.board("a").connect(LED)
        self.deliver(stand, value, "next")
        assert board.exchange().got == [(LED, "next")]
        assert stand.device("a").undelivered == 1
        assert f"device a: {LED} not sent: " in log.text
        assert why in log.text

    def test_a_full_outbox_is_counted_and_not_said_each_time(self, stand: Stand, log: pytest.LogCaptureFixture) -> None:
        stand.board("a").connect(LED).end.close("gone")
        self.deliver(stand, *["x" * 900] * 100)
        dropped = stand.device("a").outbox.dropped
        assert 10 < dropped < 100
        said = [line for line in log.messages if "dropped" in line]
        assert len(said) == 2
        assert said[0].startswith(f"device a: {LED} dropped: {100 - dropped} commands wait for it already")
        board = stand.board("a")
        board.boot = 7
        assert len(board.connect(LED).got) == 100 - dropped


class TestConfirmation:
    def test_nothing_is_acknowledged_before_the_network_confirms_and_all_in_order(self, stand: Stand) -> None:
        board = stand.board("a").connect()
        stand.hub.holds = True
        board.call(EVENT, 1).call(EVENT, 2)
        stand.hub.holds = False
        board.call(EVENT, 3)
        assert board.outbox.acked == 0
        first, second = stand.hub.waiting
        second()
        assert board.exchange().outbox.acked == 0
        first()
        assert board.exchange().outbox.acked == 3

    def test_a_confirmation_after_a_reconnect(self, stand: Stand) -> None:
        board = stand.board("a").connect()
        stand.hub.holds = True
        board.call(EVENT, 1)
        board.end.close("gone")
        board.connect()
        assert stand.hub.events == [(EVENT, 1)]
        stand.hub.waiting[0]()
        assert board.exchange().outbox.acked == 1

    def test_a_network_that_is_full(self, stand: Stand, log: pytest.LogCaptureFixture) -> None:
        board = stand.board("a").connect()
        stand.hub.full = True
        board.call(EVENT, 1)
        assert "20000 events wait already" in board.session.closed
        assert board.outbox.acked == 0
        assert "device a: offline: my-hive: 20000 events wait already" in log.messages
        stand.hub.full = False
        assert board.connect().outbox.acked == 1
        assert stand.hub.events == [(EVENT, 1)]


class TestRights:
    def test_new_ones_take_effect_at_once(self, stand: Stand, log: pytest.LogCaptureFixture) -> None:
        board = stand.board("a").connect(LED).call(EVENT, 1)
        entry = dataclasses.replace(stand.entries["a"], publish=["my-hive/king/*"], receive=["a/lamp"])
        stand.bridge.enrol({**stand.entries, "a": entry})
        board.call(EVENT, 2).call("my-hive/king/event", 3)
        assert stand.hub.events == [(EVENT, 1), ("my-hive/king/event", 3)]
        assert board.outbox.acked == 3
        assert stand.device("a").refused == 1
        assert stand.hub.participants[LED] == []
        assert not board.session.closed

    def test_none_are_none(self, stand: Stand) -> None:
        stand.bridge.enrol({**stand.entries, "a": dataclasses.replace(stand.entries["a"], publish=[], receive=[])})
        board = stand.board("a").connect(LED).call(EVENT, 1)
        assert (stand.hub.events, stand.hub.participants, board.outbox.acked) == ([], {}, 1)

    def test_the_key_is_in_no_repr(self, stand: Stand) -> None:
        key = stand.entries["a"].key
        assert repr(key) not in repr(stand.entries)
        assert key.hex() not in repr(stand.entries)


class TestRequests:
    """What the network asks of a device; `answers` is what went back."""

    def ask(self, stand: Stand, data: object = None) -> list[dict[str, object]]:
        answers: list[dict[str, object]] = []
        stand.device("a").ask(LED, Question(data, answers.append))
        return answers

    def test_a_device_that_answers(self, stand: Stand) -> None:
        board = stand.board("a").connect(LED)
        answers = self.ask(stand, {"on": True, "__eventhive__": {"id": "1"}})
        board.take()
        assert board.asked == [(LED, {"on": True}, 1)]
        board.say("[9,1,0,[21.5]]")
        assert answers == [{"value": [21.5]}]
        board.say('[9,1,0,"again"]').say('[9,77,0,"never asked"]')
        assert answers == [{"value": [21.5]}]

    @pytest.mark.parametrize(
        ("reply", "answer"),
        [
            ('[9,1,1,"ValueError: no"]', {"error": "ValueError: no"}),
            ('[9,1,2,"nothing here hooks it"]', {"nobody": True}),
            ('[9,1,3,"too long"]', {"error": "too long"}),
            ("[9,1,44,null]", {"error": "None"}),
        ],
    )
    def test_a_device_that_has_no_answer(self, stand: Stand, reply: str, answer: dict[str, object]) -> None:
        board = stand.board("a").connect(LED)
        answers = self.ask(stand)
        board.say(reply)
        assert answers == [answer]

    def test_one_that_is_offline(self, stand: Stand) -> None:
        assert self.ask(stand) == [{"error": "device 'a' is offline: it was not asked"}]

    def test_one_that_goes_offline(self, stand: Stand) -> None:
        board = stand.board("a").connect(LED)
        answers = self.ask(stand)
        board.end.close("cut")
        assert answers == [{"error": "device 'a' went offline: it may have been carried out"}]

    def test_one_that_comes_back(self, stand: Stand) -> None:
        board = stand.board("a").connect(LED)
        answers = self.ask(stand)
        board.connect(LED)
        assert answers == [{"error": "device 'a' went offline: it may have been carried out"}]
        assert board.asked == []

    def test_one_that_never_answers(self, stand: Stand) -> None:
        stand.board("a").connect(LED)
        asked = [self.ask(stand) for _ in range(MAX_REQUESTS + 2)]
        assert asked[:2] == [[{"error": "device 'a' leaves requests unanswered"}]] * 2
        assert asked[2:] == [[]] * MAX_REQUESTS

    def test_data_that_it_does_not_take(self, stand: Stand) -> None:
        stand.board("a").connect(LED)
        (answer,) = self.ask(stand, "x" * 2000)
        assert "a request of 20" in str(answer["error"])
        (answer,) = self.ask(stand, float("nan"))
        assert "finite" in str(answer["error"]) or "nan" in str(answer["error"])
