"""Events on flash: moved there, found again after a restart, sent under their numbers, and never twice as others."""

import os
import unittest

from ends import Connection, Device, Gateway

from eventhive import init
from eventhive.core.envelope import EVENT
from eventhive.core.errors import LocalError
from eventhive.core.greet import greet
from eventhive.core.opening import open_session
from eventhive.core.session import Session

FOLDER = "spill_under_test"
BOOT = "boot_under_test"
NAME = "my-hive/queen/t"


def settings(**changes):
    whole = {
        "id": "sensor-1",
        "key": "00" * 32,
        "link": {"type": "websocket", "host": "127.0.0.1"},
        "connectors": {"my-hive": {}},
        "outbox_bytes": 1024,
        "spill": {"bytes": 8192, "folder": FOLDER},
    }
    whole.update(changes)
    return whole


def names():
    """What lies in the folder."""
    return sorted(os.listdir(FOLDER))


def path(name):
    return FOLDER + "/" + name


def content(name):
    with open(path(name), "rb") as file:
        return file.read()


def clear():
    try:
        for name in os.listdir(FOLDER):
            os.remove(path(name))
        os.rmdir(FOLDER)
    except OSError:
        pass


class Board(Device):
    """A device of the tests' connections, whose events are those of a real node, from a start of its program on."""

    def __init__(self, attempt=0, **changes):
        Device.__init__(self)
        self.attempt = attempt
        self.node = init(settings(**changes), BOOT)
        self.outbox = self.node.outbox

    def greet(self, challenge):
        self.attempt += 1
        session = Session(self.limit, self.node.spill.start(), self.mark)
        stream = session.outbox.stream
        hello, keys = greet(challenge, self.name, self.key, 0, self.attempt, self.seed, self.limit, stream)
        open_session(session, challenge, hello, keys, self.heartbeat_s)
        return hello, session

    def call(self, *values):
        return [self.node.call(NAME, value) for value in values]


class Link(Connection):
    """A connection of a board: as `Node._serve` has it."""

    def to_device(self):
        opening = not self.welcomed
        Connection.to_device(self)
        if opening:
            node = self.device_end.node
            node.session = self.device
            node.spill.join(self.device)

    def cut(self):
        """It is gone."""
        self.device_end.node.session = None
        return self


def linked(board, gateway):
    link = Link(board, gateway)
    link.settle()
    return link


def confirmed(link):
    """What the gateway had taken before is confirmed now."""
    link.gateway_end.confirm(link.gateway)
    link.settle()


def values(gateway):
    """What the gateway got, in order."""
    return [event[2] for event in gateway.events if event[0] == EVENT]


class SpillTest(unittest.TestCase):
    def setUp(self):
        clear()

    tearDown = setUp

    def test_an_outbox_that_is_full_goes_to_flash_and_comes_back_in_order(self):
        board, gateway = Board(), Gateway()
        numbers = board.call(*range(40))
        self.assertEqual(numbers, list(range(1, 41)))
        spill = board.node.spill
        self.assertEqual(spill.waiting + len(board.outbox.entries), 40)
        self.assertTrue(spill.writes >= 2 and spill.written == spill.bytes)
        linked(board, gateway)
        self.assertEqual(values(gateway), list(range(40)))
        self.assertEqual((board.outbox.acked, spill.waiting, spill.bytes, names()), (40, 0, 0, []))
        self.assertEqual(gateway.marks.last.gaps, 0)

    def test_after_a_restart_they_are_sent_under_their_numbers(self):
        for connected in (False, True):
            clear()
            board, gateway = Board(), Gateway()
            if connected:
                linked(board, gateway).cut()
            board.call(*range(30))
            self.assertTrue(board.node.spill.write())
            board = Board(board.attempt)
            self.assertEqual(board.node.spill.waiting, 30)
            board.call(30, 31)
            linked(board, gateway)
            self.assertEqual(values(gateway), list(range(32)))
            self.assertEqual([event[3] for event in gateway.events], list(range(1, 33)))
            self.assertEqual(names(), [])

    def test_what_the_gateway_has_is_not_taken_again(self):
        board, gateway = Board(), Gateway()
        linked(board, gateway)
        board.call(*range(5))
        gateway.confirms = False
        link = Link(board, gateway)
        link.settle()
        self.assertEqual(len(values(gateway)), 5)
        # In the middle of it all: not acknowledged, written to flash, started anew.
        board.node.spill.write()
        gateway.confirms = True
        board = Board(board.attempt)
        board.call(5)
        confirmed(linked(board, gateway))
        self.assertEqual(values(gateway), list(range(6)))

    def test_events_move_to_flash_under_a_running_session(self):
        board, gateway = Board(), Gateway()
        link = linked(board, gateway)
        gateway.confirms = False
        board.call(*range(10))
        link.settle()
        # The gateway has them, and does not acknowledge: memory fills up.
        board.call(*range(10, 40))
        self.assertTrue(board.node.spill.waiting > 10)
        gateway.confirms = True
        link.settle()
        board.call(40)
        link.settle()
        self.assertEqual(values(gateway), list(range(41)))
        self.assertEqual((names(), board.outbox.entries), ([], []))

    def test_a_stream_given_late_is_kept_for_the_next_start(self):
        board, gateway = Board(), Gateway()
        board.call(*range(40))
        board.node.spill.write()
        link = Link(board, gateway)
        # The welcome, and a record of events; then the board starts anew.
        while link.up:
            link.to_gateway()
        link.flush()
        link.to_device()
        link.flush()
        link.to_gateway()
        some = len(values(gateway))
        self.assertTrue(0 < some < 40)
        self.assertIn("stream", names())
        board = Board(board.attempt)
        linked(board, gateway)
        self.assertEqual(values(gateway), list(range(40)))

    def test_torn_at_any_byte_no_intact_event_is_lost_and_no_later_one(self):
        board, gateway = Board(), Gateway()
        linked(board, gateway).cut()
        board.call(1, 2)
        board.node.spill.write()
        board.call(3, 4, 5)
        board.node.spill.write()
        whole, attempt = content("2"), board.attempt
        first = content("1")
        for size in range(len(whole)):
            clear()
            os.mkdir(FOLDER)
            for name, data in (("1", first), ("2", whole[:size])):
                with open(path(name), "wb") as file:
                    file.write(data)
            there = Gateway()
            there.streams = 1
            board = Board(attempt)
            board.call("new")
            linked(board, there)
            intact = whole[:size].count(b"\n")
            self.assertEqual(values(there), [1, 2] + [3, 4, 5][: max(0, intact - 1)] + ["new"])
            self.assertEqual(names(), [])

    def test_events_that_were_sent_before_a_torn_write_are_not_taken_for_others(self):
        board, gateway = Board(), Gateway()
        linked(board, gateway).cut()
        board.call(1, 2, 3)
        gateway.confirms = False
        linked(board, gateway).cut()
        board.node.spill.write()
        data = content("1")
        for lines in (2, 1):
            kept = b"".join([line + b"\n" for line in data.split(b"\n")[:lines]])
            with open(path("1"), "wb") as file:
                file.write(kept)
            again = Board(board.attempt)
            again.call("new")
            there = Gateway()
            there.streams = 1
            there.marks.resume("a1a2a3a400000001", 1).taken = 3
            confirmed(linked(again, there))
            self.assertEqual(values(there), ["new"])

    def test_a_damaged_segment_still_says_which_numbers_were_sent(self):
        for damaged in (b"\nhead left", b""):
            clear()
            board, gateway = Board(), Gateway()
            linked(board, gateway).cut()
            board.call(1, 2)
            board.node.spill.write()
            # Sent from memory before, with the first ones still there: not possible; so as if it had been.
            board.call(3, 4)
            board.node.spill.write()
            head = content("2").split(b"\n")[0]
            with open(path("2"), "wb") as file:
                file.write(head + damaged if damaged else b"?" * 40)
            there = Gateway()
            there.marks.resume("a1a2a3a400000001", 1).taken = 4
            there.streams = 1
            for start in ("first", "second"):
                again = Board(board.attempt)
                board.attempt = again.attempt
                number = again.call(start)[0]
                self.assertTrue(number > 4)
            confirmed(linked(again, there))
            self.assertEqual(values(there), ["second"])
            self.assertEqual(names(), [])

    def test_a_lost_head_leaves_numbers_out(self):
        board = Board()
        board.call(1, 2)
        board.node.spill.write()
        with open(path("1"), "r+b") as file:
            file.write(b"?")
        board, gateway = Board(), Gateway()
        self.assertTrue(board.call(3)[0] > 1000)
        linked(board, gateway)
        self.assertEqual(values(gateway), [1, 2, 3])

    def test_nothing_but_rubbish_is_no_event(self):
        os.mkdir(FOLDER)
        with open(path("7"), "wb") as file:
            file.write(b"\x00\xff" * 5000)
        with open(path("not-ours"), "wb") as file:
            file.write(b"x")
        board, gateway = Board(), Gateway()
        self.assertEqual((board.node.spill.waiting, names()), (0, ["not-ours"]))
        self.assertTrue(board.node.spill.damaged > 0)
        board.call(1)
        linked(board, gateway)
        self.assertEqual(values(gateway), [1])

    def test_a_full_flash_refuses_and_counts(self):
        board = Board(spill={"bytes": 1500, "folder": FOLDER})
        numbers = board.call(*range(60))
        kept = [number for number in numbers if number]
        self.assertTrue(0 < len(kept) < 60)
        self.assertEqual(board.node.outbox.dropped, 60 - len(kept))
        self.assertTrue(board.node.spill.full > 0 and board.node.spill.bytes <= 1500)
        gateway = Gateway()
        linked(board, gateway)
        self.assertEqual(values(gateway), list(range(len(kept))))

    def test_an_event_that_the_link_does_not_take_blocks_no_other(self):
        board, gateway = Board(outbox_bytes=4096), Gateway(limit=256)
        board.call(1, "x" * 300, 2)
        board.node.spill.write()
        linked(board, gateway)
        self.assertEqual(values(gateway), [1, 2])
        self.assertEqual(names(), [])

    def test_an_outage_writes_every_half_minute_and_not_at_each_attempt(self):
        board = Board()
        board.call(1)
        board.node.spill.outage(True)
        board.node.spill.outage(False)
        self.assertEqual(board.node.spill.writes, 0)

    def test_settings_are_checked(self):
        for wrong, key in (({"bytes": "64"}, "bytes"), ({"path": "x"}, "path"), ({"folder": 1}, "folder")):
            with self.assertRaises(LocalError) as caught:
                Board(spill=wrong)
            self.assertIn(key, str(caught.exception))


if __name__ == "__main__":
    unittest.main()
