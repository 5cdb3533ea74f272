"""What may end a session on a serial line: nothing that somebody without the key can say in a hand-shake.

The gateway is a process, the line is a pair of pseudo-terminals, and the devices are the second implementation.
"""

import json
import os
from collections.abc import Iterator

import pytest
from boards import Hub, Place
from second_implementation import DEADLINE, Device, Wire, line

EVENT = "my-hive/queen/event"

Line = tuple[str, int, int, bytes]


class Board:
    """A device on the line; several may share it, as a board that restarted shares it with what it was before."""

    def __init__(self, wire: Wire, device: Device):
        self.wire = wire
        self.device = device
        self.number = 1
        self.event = 0
        self.stream = ""
        # The number of the gateway's line that was taken last.
        self.taken = 0

    def hello(self) -> "Board":
        """Ask, and answer the challenge, as far as the acknowledgement of the hello."""
        self.wire.write(line("R", 0, 0))
        challenge = self.next("C")
        self.greeting = self.device.hello(limit=512)
        self.device.attempt += 1
        self.up, self.down = self.device.directions(challenge[3], self.greeting)
        self.wire.write(line("H", 0, 0, self.greeting))
        assert self.next("A")[2] == 0
        return self

    def open(self, heartbeat: int = 3600) -> "Board":
        """The first record, and the welcome."""
        self.wire.write(line("D", 1, 0, self.up.seal(b"[0,%d]" % heartbeat)))
        answer = self.next("D")
        assert answer[:3] == ("D", 1, 1)
        kind, _, self.stream, _ = json.loads(self.down.open(answer[3]))
        assert kind == 1
        self.taken = 1
        return self

    def call(self, data: object) -> "Board":
        """One event, until the gateway acknowledges it in a record."""
        self.event += 1
        text = f'[[4,"{self.stream}",{self.event}],[2,"{EVENT}",{json.dumps(data)}]]'
        self.number += 1
        self.wire.write(line("D", self.number, self.taken, self.up.seal(text.encode())))
        answer = self.next("D")
        assert answer[1:3] == ((self.taken + 1) % 64, self.number % 64)
        assert json.loads(self.down.open(answer[3])) == [3, self.event]
        self.taken += 1
        self.wire.write(line("A", 0, self.taken))
        return self

    def reach(self, number: int) -> "Board":
        """Call events until the next line has this number."""
        while (self.number + 1) % 64 != number:
            self.call(None)
        return self

    def next(self, kind: str) -> Line:
        """The next line of this kind; of `D`, the one that is expected: a device ignores all others."""
        while True:
            found = self.wire.read()
            assert found is not None, f"no {kind} within {DEADLINE:g} s"
            if found[0] == kind and (kind != "D" or found[1] == (self.taken + 1) % 64):
                return found


@pytest.fixture
def wire(place: Place) -> Iterator[Wire]:
    """The device's end of the gateway's serial line."""
    end = os.open(place.plug()[1], os.O_RDWR | os.O_NOCTTY)
    yield Wire(end)
    os.close(end)


@pytest.fixture
def hub(place: Place, wire: Wire) -> Hub:
    hub = place.hub("queen/event")
    hub.expect("open at")
    return hub


def device(place: Place, name: str = "s1") -> Device:
    return Device(name, place.enrol(name))


def test_a_hello_without_a_record(place: Place, wire: Wire, hub: Hub) -> None:
    own = device(place)
    board = Board(wire, own).hello().open().call("before")
    Board(wire, own).hello()
    board.call("after")
    hub.expect("the session before it goes on")
    assert hub.arrived(EVENT.partition("/")[2], 2) == ["before", "after"]
    assert not hub.seen("offline")


def test_a_stolen_hello(place: Place, wire: Wire, hub: Hub) -> None:
    board = Board(wire, device(place)).hello().open().call(1)
    for _ in range(3):
        wire.write(line("R", 0, 0))
        board.next("C")
        wire.write(line("H", 0, 0, board.greeting))
        assert board.next("A")[2] == 0
    board.call(2)
    assert hub.arrived("queen/event", 2) == [1, 2]
    assert not hub.seen("offline")


@pytest.mark.parametrize("number", [2, 0, 1, 63])
def test_a_wrong_first_record(place: Place, wire: Wire, hub: Hub, number: int) -> None:
    """Also where the running session's next line has the number of a first record."""
    own = device(place)
    board = Board(wire, own).hello().open().reach(number)
    thief = Board(wire, Device("s1", os.urandom(32))).hello()
    wire.write(line("D", 1, 0, thief.up.seal(b"[0,20]")))
    if number not in (1, 2):
        # Where the running device may expect a line of that number, it would be the end of its session.
        assert thief.next("D")[3] == bytes((3, 2))
    hub.expect("is unknown, or its key is not the one on file")
    # It did not hear the refusal, and says it again.
    wire.write(line("D", 1, 0, thief.up.seal(b"[0,20]")))
    board.call("goes on").call("and on")
    assert not hub.seen("offline")


def test_the_record_of_a_running_session_that_looks_like_a_first_one(place: Place, wire: Wire, hub: Hub) -> None:
    own = device(place)
    board = Board(wire, own).hello().open().reach(1)
    Board(wire, own).hello()
    board.call("mine")
    hub.expect("the session before it goes on")
    assert not hub.seen("offline")


def test_a_device_that_restarted_has_the_line(place: Place, wire: Wire, hub: Hub) -> None:
    own = device(place)
    Board(wire, own).hello().open().call("first boot")
    own.restart()
    Board(wire, own).hello().open().call("second boot").call("and on")
    assert hub.arrived("queen/event", 3) == ["first boot", "second boot", "and on"]
    hub.expect("device s1: offline: replaced by a connection from")


def test_another_device_has_the_line(place: Place, wire: Wire, hub: Hub) -> None:
    Board(wire, device(place)).hello().open()
    Board(wire, device(place, "s2")).hello().open().call("other")
    assert hub.arrived("queen/event", 1) == ["other"]
    hub.expect("device s1: offline: another session began on this line")


def test_nothing_of_the_old_session_comes_before_the_welcome(place: Place, wire: Wire, hub: Hub) -> None:
    own = device(place)
    first = Board(wire, own).hello()
    wire.write(line("D", 1, 0, first.up.seal(b'[[0,3600],[11,"my-hive/s1/led"]]')))
    assert first.next("D")[1] == 1
    # Not acknowledged, so it is repeated, and a command waits behind it.
    hub.call("my-hive/s1/led", 1)
    own.restart()
    again = Board(wire, own).hello()
    # Two repetitions would be due in this time.
    assert wire.read(0.8) is None
    again.open().call("next boot")


def test_a_command_that_waited_for_a_proof_that_never_came(place: Place, wire: Wire, hub: Hub) -> None:
    own = device(place)
    board = Board(wire, own).hello()
    wire.write(line("D", 1, 0, board.up.seal(b'[[0,3600],[11,"my-hive/s1/led"]]')))
    answer = board.next("D")
    board.stream = json.loads(board.down.open(answer[3]))[2]
    board.taken = 1
    wire.write(line("A", 0, 1))
    Board(wire, own).hello()
    hub.call("my-hive/s1/led", 1)
    assert wire.read(0.8) is None
    # Nothing but time ends the hand-shake.
    answer = board.next("D")
    assert answer[1] == 2
    assert json.loads(board.down.open(answer[3]))[1][:3] == [2, "my-hive/s1/led", 1]
    hub.expect("waiting for the first record: nothing heard for 5 s")
    assert not hub.seen("offline")


@pytest.mark.parametrize("noise", [b"\xff\x00\x80" * 700 + b"\n", line("H", 0, 0, b"no hello"), line("D", 9, 0, b"x")])
def test_noise_in_a_hand_shake(place: Place, wire: Wire, hub: Hub, noise: bytes) -> None:
    own = device(place)
    board = Board(wire, own).hello().open().call(1)
    wire.write(noise + line("R", 0, 0))
    board.next("C")
    wire.write(noise)
    board.call(2)
    own.restart()
    again = Board(wire, own).hello()
    wire.write(noise)
    again.open().call(3)
    assert hub.arrived("queen/event", 3) == [1, 2, 3]
    assert len(hub.seen("offline")) == 1


def test_a_refused_attempt_displaces_nothing(place: Place, wire: Wire, hub: Hub) -> None:
    own = device(place)
    board = Board(wire, own).hello().open().call(1)
    own.stream, own.attempt = bytes.fromhex(board.stream), own.attempt - 1
    clone = Board(wire, own).hello()
    wire.write(line("D", 1, 0, clone.up.seal(b"[0,20]")))
    assert clone.next("D")[3] == bytes((3, 5))
    hub.expect("came with an old boot count")
    board.call(2)
    assert not hub.seen("offline")
