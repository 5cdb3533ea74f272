"""The second implementation of the device link against a running gateway; nothing of EventHive is imported here."""

import hashlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
import tty
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from second_implementation import DEADLINE, Device, Link, Wire, line
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

ROOT = Path(__file__).parents[2]

NAMES = [f"device-{number}" for number in range(150)]
# How long a command lives, as the page says.
TTL_MS = 3_600_000

KEYS = {name: hashlib.sha256(name.encode()).digest() for name in NAMES}

PROGRAM = """
import json, sys, eventhive
eventhive.CONFIG.read_file("gateway.yaml")

@eventhive.hook("queen/event")
@eventhive.hook("queen/other")
def arrived(data):
    print(json.dumps([eventhive.get_event_name(), data]), flush=True)

eventhive.init()
from eventhive.gateway.control import request
print(request("gateway.sock", "ping")["address"], flush=True)
for line in sys.stdin:
    name, data = json.loads(line)
    eventhive.EVENTS.call(name, data)
"""

CONFIG = """
connectors:
  my-hive: {pubsub_type: memory, input_channel: queen}
gateway:
  websocket: {host: 127.0.0.1, port: 0}
  serial:
"""


class Gateway:
    """A process with a gateway, an embedded network and a hook; its serial port is a PTY."""

    def __init__(self, folder: Path):
        self.port, slave = os.openpty()
        tty.setraw(slave)
        (folder / "gateway.yaml").write_text(f"{CONFIG}    - {{port: {os.ttyname(slave)}}}\n")
        entry = {"keygen": 0, "publish": ["my-hive/*/*"]}
        keys = {name: {**entry, "key": KEYS[name].hex(), "receive": [f"{name}/*"]} for name in NAMES}
        (folder / "gateway.keys").touch(mode=0o600)
        (folder / "gateway.keys").write_text(json.dumps(keys))
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()
        self.address = self._lines.get(timeout=DEADLINE)

    def _read(self) -> None:
        assert self.process.stdout is not None
        for text in self.process.stdout:
            self._lines.put(text.rstrip("\n"))

    def arrived(self) -> Any:
        """[name, data] of the next event that the hook gets."""
        return json.loads(self._lines.get(timeout=DEADLINE))

    def command(self, name: str, data: object) -> None:
        """Call an event in the gateway's process."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps([name, data]) + "\n")
        self.process.stdin.flush()

    def end(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.communicate()


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    gateway = Gateway(tmp_path_factory.mktemp("second"))
    yield gateway
    gateway.end()


@pytest.fixture
def link(gateway: Gateway, device: Device) -> Iterator[Callable[[], Link]]:
    """Makes links of the test's device; all are closed at its end."""
    made = []

    def make(another: Device | None = None) -> Link:
        made.append(Link(gateway.address, another or device))
        return made[-1]

    yield make
    for one in made:
        one.close()


_unused = count()


def unused() -> Device:
    """An enrolled device that no other test uses."""
    name = NAMES[next(_unused)]
    return Device(name, KEYS[name])


@pytest.fixture
def device() -> Device:
    """The device of a test."""
    return unused()


Make = Callable[..., Link]


class TestSession:
    def test_an_event_and_its_acknowledgement(self, gateway: Gateway, link: Make) -> None:
        one = link().greet()
        assert one.acked == 0
        assert abs(one.time_ms - time.time() * 1000) < 5000
        one.say(one.stream(1), '[2,"my-hive/queen/event",{"c":21.5}]')
        assert gateway.arrived() == ["queen/event", {"c": 21.5}]
        assert one.receive() == [3, 1]

    def test_the_clear_frames(self, link: Make) -> None:
        challenge = link().challenge
        assert (len(challenge), challenge[0], challenge[1:3], challenge[3]) == (22, 1, b"\1\1", 0)
        assert int.from_bytes(challenge[4:6], "big") == 4096
        assert challenge[6:] != link().challenge[6:]

    def test_events_of_one_record_and_aliases(self, gateway: Gateway, link: Make) -> None:
        one = link().greet()
        one.say(
            one.stream(1), '[2,"my-hive/queen/event",1]', "[2,1,2]", '[2,"my-hive/queen/other",3]', "[2,2,4]", "[2,1,5]"
        )
        names = ["queen/event", "queen/event", "queen/other", "queen/other", "queen/event"]
        assert [gateway.arrived() for _ in names] == [[name, number + 1] for number, name in enumerate(names)]
        while one.receive() != [3, 5]:
            pass

    def test_names_of_once_count_as_aliases(self, gateway: Gateway, link: Make) -> None:
        one = link().greet('[10,"my-hive/queen/other",1]', "[10,1,2]")
        one.say(one.stream(1), '[2,"my-hive/queen/event",3]', "[2,2,4]")
        names = ["queen/other", "queen/other", "queen/event", "queen/event"]
        assert [gateway.arrived() for _ in names] == [[name, number + 1] for number, name in enumerate(names)]

    def test_requests_in_both_directions(self, gateway: Gateway, link: Make, device: Device) -> None:
        led = f"my-hive/{device.name}/led"
        one = link().greet(f'[11,"{led}"]')
        one.say('[8,7,"my-hive/queen/other",{"n":1}]', '[8,8,"my-hive/nobody/hooks",1]')
        answers = sorted([one.receive(), one.receive()])
        assert answers[0] == [9, 7, 0, None]
        assert answers[1][:3] == [9, 8, 2]
        assert gateway.arrived() == ["queen/other", {"n": 1}]
        two = link(unused()).greet()
        two.say(f'[8,1,"{led}",[21]]')
        kind, number, name, data = one.receive()
        assert (kind, name, data) == (8, led, [21])
        one.say(f'[9,{number},0,"on"]')
        assert two.receive() == [9, 1, 0, "on"]

    def test_the_33rd_name_has_no_alias(self, gateway: Gateway, link: Make) -> None:
        one = link().greet()
        strangers = [f'[2,"my-hive/nobody/{number}",0]' for number in range(31)]
        one.say(one.stream(1), *strangers, '[2,"my-hive/queen/event",1]', '[2,"my-hive/queen/other",2]', "[2,32,3]")
        assert [gateway.arrived()[0] for _ in range(3)] == ["queen/event", "queen/other", "queen/event"]
        one.say("[2,33,4]")
        assert one.closed()[1] == 1001

    def test_further_items_are_ignored(self, gateway: Gateway, link: Make) -> None:
        one = link().greet()
        one.say(f'[4,"{one.device.stream.hex()}",1,"x"]', '[2,"my-hive/queen/event",1,[],"x"]', '[5,77,"x"]')
        assert gateway.arrived() == ["queen/event", 1]
        assert [one.receive(), one.receive()] == [[6, 77], [3, 1]]

    def test_goodbye(self, link: Make) -> None:
        one = link().greet()
        one.say('[7,"stopped",0]')
        assert one.closed()[1] == 1001


class TestAgain:
    def test_a_repeated_event_is_taken_once(self, gateway: Gateway, link: Make) -> None:
        one = link().greet()
        one.say(one.stream(1), '[2,"my-hive/queen/event","first"]')
        assert one.receive() == [3, 1]
        one.close()
        two = link().greet(
            one.stream(1), '[2,"my-hive/queen/other","again"]', '[2,1,"second"]', '[2,"my-hive/queen/event","third"]'
        )
        assert two.acked == 1
        assert [gateway.arrived() for _ in range(3)] == [
            ["queen/event", "first"],
            ["queen/other", "second"],
            ["queen/event", "third"],
        ]
        while two.receive() != [3, 3]:
            pass

    def test_a_declared_gap_is_passed(self, gateway: Gateway, link: Make) -> None:
        one = link().greet()
        one.say(one.stream(10), '[2,"my-hive/queen/event",10]', one.stream(1000000), "[2,1,1000000]")
        assert [gateway.arrived()[1], gateway.arrived()[1]] == [10, 1000000]
        while one.receive() != [3, 1000000]:
            pass

    def test_a_new_boot_gets_a_new_stream(self, gateway: Gateway, link: Make, device: Device) -> None:
        one = link().greet()
        one.say(one.stream(1), '[2,"my-hive/queen/event","old"]')
        assert one.receive() == [3, 1]
        before = device.stream
        device.restart()
        two = link().greet()
        assert device.stream not in (before, bytes(8))
        assert two.acked == 0
        two.say(two.stream(1), '[2,"my-hive/queen/event","new"]')
        assert [gateway.arrived()[1], gateway.arrived()[1]] == ["old", "new"]

    def test_the_newest_session_wins(self, link: Make) -> None:
        one = link().greet()
        link().greet()
        kind, reason, wake = one.receive()
        assert (kind, wake) == (7, 0)
        assert reason.startswith("replaced by a connection from 127.0.0.1:")
        assert one.closed()[1] == 1001

    def test_a_used_attempt_is_refused(self, link: Make, device: Device) -> None:
        link().greet()
        device.attempt -= 1
        two = link()
        two.keys()
        two.socket.send(two.hello)
        two.say("[0,20]")
        assert two.closed() == ([b"\3\5"], 1008, "")


class TestCommands:
    def test_a_command(self, gateway: Gateway, link: Make, device: Device) -> None:
        hook = f'[11,"my-hive/{device.name}/led"]'
        one = link().greet(hook, "[5,1]")
        assert one.receive() == [6, 1]
        gateway.command(f"my-hive/{device.name}/led", {"on": True})
        kind, stream, first = one.receive()
        assert (kind, len(bytes.fromhex(stream)), first) == (4, 8, 1)
        assert one.receive() == [2, f"my-hive/{device.name}/led", {"on": True}, TTL_MS]
        one.say("[3,1]")
        gateway.command(f"my-hive/{device.name}/led", {"on": "again"})
        assert one.receive() == [2, 1, {"on": "again"}, TTL_MS]
        one.close()
        # Without an acknowledgement: the same boot gets it again, under its number.
        two = link().greet(hook)
        assert two.receive() == [4, stream, 2]
        kind, name, data, left = two.receive()
        assert (kind, name, data) == (2, f"my-hive/{device.name}/led", {"on": "again"})
        assert 0 < left < TTL_MS
        two.close()
        # Another boot does not: nobody knows what became of it.
        device.restart()
        three = link().greet(hook, "[5,2]")
        assert three.receive() == [6, 2]
        gateway.command(f"my-hive/{device.name}/led", "next")
        assert three.receive() == [4, stream, 3]
        assert three.receive() == [2, f"my-hive/{device.name}/led", "next", TTL_MS]

    def test_an_acknowledgement_of_what_was_never_sent(self, link: Make) -> None:
        one = link().greet()
        one.say("[3,1]")
        assert one.closed()[1] == 1001


class TestPutAside:
    @pytest.mark.parametrize("bad", [b'{"', b"\xff\xfe", b"", b"[]", b"[true,1]", b'[2,"my-hive/queen/event",'])
    def test_an_unreadable_record_is_one_event(self, gateway: Gateway, link: Make, bad: bytes) -> None:
        one = link().greet()
        one.say(one.stream(1), '[2,"my-hive/queen/event",1]')
        one.send(bad)
        one.say("[2,1,3]")
        assert [gateway.arrived()[1], gateway.arrived()[1]] == [1, 3]
        while one.receive() != [3, 3]:
            pass

    @pytest.mark.parametrize("data", ["[" * 17 + "]" * 17, "1e999", '{"c":-1e999}'])
    def test_data_out_of_rules(self, gateway: Gateway, link: Make, data: str) -> None:
        one = link().greet()
        one.say(one.stream(1), f'[2,"my-hive/queen/event",{data}]', "[2,1,2]")
        assert gateway.arrived()[1] == 2
        while one.receive() != [3, 2]:
            pass

    @pytest.mark.parametrize("name", ["event", "queen/event", "other-hive/queen/event"])
    def test_a_name_that_leads_nowhere(self, gateway: Gateway, link: Make, name: str) -> None:
        one = link().greet()
        one.say(one.stream(1), f'[2,"{name}",1]', '[2,"my-hive/queen/event",2]')
        assert gateway.arrived()[1] == 2
        while one.receive() != [3, 2]:
            pass


class TestFaults:
    @pytest.mark.parametrize(
        "message",
        [
            '[2,"my-hive/queen/event",1]',
            '[4,"0011223344556677",0]',
            '[4,"001122334455667",1]',
            "[4,1,1]",
            '[4,"0011223344556677",true]',
            "[0,20]",
            '[1,1,"0011223344556677",0]',
            "[8,1,2,3]",
            "[9,1,true,3]",
            "[99]",
            "[2]",
            "[5]",
            "[5,-1]",
            "[5,true]",
            '[7,"stopped"]',
            "[3]",
            "[3,-1]",
            "[10,1,2]",
            '[10,"a b/c/d",2]',
            '[10,"a//d",2]',
            '[10,"a/b/*",2]',
            '[10,"a/b/\\ud800",2]',
            "[10,true,2]",
            f'[10,"a/b/{"x" * 93}",2]',
        ],
    )
    def test_it_ends_the_session(self, link: Make, message: str) -> None:
        one = link().greet()
        one.say(message)
        got, code, reason = one.closed()
        assert (got, code) == ([], 1001)
        assert reason

    def test_an_unreadable_record_before_a_stream(self, link: Make) -> None:
        one = link().greet()
        one.send("nonsense")
        assert one.closed()[1] == 1001

    def test_an_unknown_alias(self, link: Make) -> None:
        one = link().greet()
        one.say(one.stream(1), "[2,1,2]")
        assert one.closed()[1] == 1001

    def test_a_text_message(self, link: Make) -> None:
        one = link().greet()
        one.socket.send("text")
        assert one.closed()[1] == 1003

    def test_a_message_that_is_too_long(self, link: Make) -> None:
        one = link().greet()
        one.socket.send(bytes(4097))
        assert one.closed()[1] == 1009


class TestProof:
    """Nobody gets in, or learns anything, without the key."""

    def outcome(self, link: Make, device: Device) -> tuple[list[bytes], int, str]:
        one = link(device)
        one.keys()
        one.socket.send(one.hello)
        one.say("[0,20]")
        return one.closed()

    def test_wrong_key_unknown_id_and_unknown_key_number_look_alike(self, link: Make, device: Device) -> None:
        wrong = Device(device.name, os.urandom(32))
        unknown = Device("nobody-knows-me", os.urandom(32))
        number = Device(device.name, device.key, keygen=1)
        assert [self.outcome(link, one) for one in (wrong, unknown, number)] == [([b"\3\2"], 1008, "")] * 3

    def test_a_first_record_that_is_no_open(self, link: Make) -> None:
        one = link()
        one.keys()
        one.socket.send(one.hello)
        one.say("[5,0]")
        assert one.closed() == ([], 1008, "")

    def test_flipped_bits(self, link: Make, device: Device) -> None:
        for part, size in (("challenge", 22), ("hello", 35 + len(device.name)), ("record", 7 + 16)):
            for at in range(size):
                one = link()
                record = self.altered(one, part, at)
                one.socket.send(one.hello)
                # What is no hello may have ended it by now.
                with suppress(ConnectionClosed):
                    one.socket.send(record)
                got, code, reason = one.closed()
                assert (code, reason) == (1008, ""), (part, at)
                # What is no hello gets no answer; what is one of somebody else, an answer that says so.
                assert got in ([], [b"\3\1"], [b"\3\2"], [b"\3\3"]), (part, at)
                assert part == "hello" or got == [b"\3\2"], (part, at)

    def altered(self, link: Link, part: str, at: int) -> bytes:
        """Flip a bit of the challenge as this end saw it, of the hello or of the first record; returns the record."""

        def flip(data: bytes) -> bytes:
            return data[:at] + bytes((data[at] ^ 1 << at % 8,)) + data[at + 1 :]

        if part == "challenge":
            link.challenge = flip(link.challenge)
        link.keys()
        record = link.up.seal(b"[0,600]")
        if part == "hello":
            link.hello = flip(link.hello)
        return flip(record) if part == "record" else record

    @pytest.mark.parametrize("size", range(16))
    def test_a_piece_of_the_tag(self, link: Make, size: int) -> None:
        one = link()
        one.keys()
        one.socket.send(one.hello)
        one.socket.send(one.up.seal(b"[0,20]")[: 6 + size])
        assert one.closed() == ([b"\3\2"], 1008, "")

    def test_a_record_again(self, gateway: Gateway, link: Make) -> None:
        one = link().greet()
        record = one.say(one.stream(1), '[10,"my-hive/queen/event","once"]')
        assert gateway.arrived()[1] == "once"
        one.socket.send(record)
        assert one.closed()[1] == 1001

    def test_a_session_again(self, link: Make) -> None:
        one = link()
        one.keys()
        one.socket.send(one.hello)
        record = one.say("[0,20]")
        assert one.receive()[0] == 1
        two = link()
        two.socket.send(one.hello)
        two.socket.send(record)
        assert two.closed() == ([b"\3\2"], 1008, "")
        one.say("[5,3]")
        assert one.receive() == [6, 3]

    def test_the_gateways_own_record(self, link: Make) -> None:
        one = link()
        one.keys()
        one.socket.send(one.hello)
        one.say("[0,20]")
        welcome = one.socket.recv(DEADLINE)
        one.socket.send(welcome)
        assert one.closed()[1] == 1001

    def test_a_hello_alone_changes_nothing(self, link: Make) -> None:
        one = link().greet()
        two = link()
        two.socket.send(two.hello)
        two.socket.send(bytes(23))
        assert two.closed()[1] == 1008
        one.say("[5,4]")
        assert one.receive() == [6, 4]

    @pytest.mark.parametrize(("size", "code"), [(1025, 1008), (4097, 1009)])
    def test_too_much_before_it(self, link: Make, size: int, code: int) -> None:
        one = link()
        one.socket.send(one.hello)
        one.socket.send(bytes(size - len(one.hello) if code == 1008 else size))
        assert one.closed()[:2] == ([], code)

    @pytest.mark.parametrize("heartbeat", ["4", "3601", "true", "20.0", '"20"'])
    def test_heartbeats_out_of_range(self, link: Make, heartbeat: str) -> None:
        one = link()
        one.keys()
        one.socket.send(one.hello)
        one.say(f"[0,{heartbeat}]")
        assert one.closed() == ([], 1008, "")

    def test_another_version(self, link: Make) -> None:
        one = link()
        one.socket.send(one.hello[:1] + b"\2" + one.hello[2:])
        assert one.closed() == ([b"\3\1"], 1008, "")


class TestUnkeyed:
    def test_an_unknown_id_on_loopback(self, gateway: Gateway, link: Make) -> None:
        one = link(Device("unkeyed-1", None)).greet()
        one.say(one.stream(1), '[2,"my-hive/queen/event","in clear"]')
        assert gateway.arrived() == ["queen/event", "in clear"]
        assert one.receive() == [3, 1]

    def test_an_enrolled_id(self, link: Make, device: Device) -> None:
        one = link(Device(device.name, None))
        one.socket.send(one.hello)
        assert one.closed() == ([b"\3\3"], 1008, "")


class TestUpgrade:
    @pytest.mark.parametrize(
        ("path", "header", "status"),
        [
            ("", ("Origin", "http://127.0.0.1"), 403),
            ("", ("X-Forwarded-For", "10.0.0.1"), 403),
            ("", ("Forwarded", "for=10.0.0.1"), 403),
            ("", ("X-Real-IP", "10.0.0.1"), 403),
            ("", ("Via", "1.1 proxy"), 403),
            ("/other", ("X", "y"), 404),
            ("?query", ("X", "y"), 404),
            ("", ("X", "y" * 1024), 431),
        ],
    )
    def test_refused(self, gateway: Gateway, path: str, header: tuple[str, str], status: int) -> None:
        with (
            pytest.raises(InvalidStatus) as refused,
            connect(gateway.address + path, compression=None, additional_headers=[header], proxy=None),
        ):
            pass
        assert refused.value.response.status_code == status


def test_silence(link: Make, device: Device) -> None:
    """Two silences at once: one before the first record, one of a device with the shortest heartbeat."""
    began = time.monotonic()
    mute = link()
    silent = link(unused()).greet(heartbeat=5)
    assert mute.closed() == ([], 1008, "")
    # The gateway looks at its clock twice a second.
    assert time.monotonic() - began > 4.4
    assert silent.receive() == [5, 0]
    assert silent.closed()[1] == 1001
    assert time.monotonic() - began > 9.4


def test_a_serial_line(gateway: Gateway, device: Device) -> None:
    wire = Wire(gateway.port)
    wire.write(b"MPY: soft reboot\r\n>>> ")
    # Nobody writes to what could be a REPL.
    assert wire.read(0.5) is None
    wire.write(line("R", 0, 0))
    challenge = wire.read()
    assert challenge is not None
    assert (challenge[0], challenge[1], len(challenge[3])) == ("C", 0, 22)
    # Asked again before an answer: the same challenge.
    wire.write(b"noise" + line("R", 0, 0))
    assert wire.read() == challenge
    hello = device.hello(limit=512)
    up, down = device.directions(challenge[3], hello)
    wire.write(line("H", 0, 0, hello))
    assert wire.read() == ("A", 0, 0, b"")
    first = line("D", 1, 0, up.seal(f'[[0,20],[11,"my-hive/{device.name}/led"]]'.encode()))
    # A damaged line gets no answer, the whole one does, and so does its repetition, without being taken twice.
    wire.write(first[:20] + b"print()\r\n" + first)
    answer = wire.read()
    assert answer is not None
    assert answer[:3] == ("D", 1, 1)
    welcome = json.loads(down.open(answer[3]))
    wire.write(first)
    assert wire.after(answer) == ("A", 0, 1, b"")
    event = up.seal(f'[[4,"{welcome[2]}",1],[2,"my-hive/queen/event","serial"]]'.encode())
    wire.write(line("D", 2, 1, event))
    assert gateway.arrived() == ["queen/event", "serial"]
    answer = wire.after(answer)
    assert answer is not None
    assert answer[:3] == ("D", 2, 2)
    assert json.loads(down.open(answer[3])) == [3, 1]
    # Not acknowledged: the same line again, after a quarter of a second.
    assert wire.read() == answer
    wire.write(line("A", 0, 2))
    # An echo of the gateway's own line is nothing.
    wire.write(b"#>" + line("D", 9, 9, b"x")[2:])
    gateway.command(f"my-hive/{device.name}/led", [1])
    answer = wire.after(answer)
    assert answer is not None
    assert answer[:3] == ("D", 3, 2)
    assert json.loads(down.open(answer[3]))[1] == [2, f"my-hive/{device.name}/led", [1], TTL_MS]
    wire.write(line("D", 3, 3, up.seal(b'[[3,1],[7,"stopped",0]]')))
    assert wire.after(answer) == ("A", 0, 3, b"")
    # There is no session any more.
    wire.write(line("D", 4, 3, b"anything"))
    assert {wire.read(), wire.read()} == {("X", 0, 4, b""), ("A", 0, 4, b"")}
