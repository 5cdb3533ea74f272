"""docs/protocol.md against the code and the vectors: every example, every constant, the table of bytes."""

import ast
import importlib.util
import json
import re
from pathlib import Path
from typing import Any

import pytest

from eventhive.core.envelope import EVENT, messages
from eventhive.core.framing import CHALLENGE, DATA, READY, SerialLine, line_bytes
from eventhive.core.gateway_session import GatewaySession
from eventhive.core.greet import greet
from eventhive.core.keys import link_mac
from eventhive.core.mark import Mark
from eventhive.core.marks import Marks
from eventhive.core.opening import open_session
from eventhive.core.refusals import refusal_text
from eventhive.core.ring import Outbox
from eventhive.core.session import OPENED, Session
from eventhive.core.welcome import welcome

ROOT = Path(__file__).resolve().parents[1]
VECTORS = ROOT / "tests/vectors"
TEXT = (ROOT / "docs/protocol.md").read_text(encoding="utf-8")

# Without line ends, for sentences that hold figures.
FLAT = " ".join(TEXT.split())

# (kind, name, content) of each fenced block that has a kind.
BLOCKS = re.findall(r"^```(\w+) ?([^\n]*)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


def blocks(kind: str) -> list[tuple[str, str]]:
    return [(name, content) for found, name, content in BLOCKS if found == kind]


def vector(path: str) -> Any:
    """The value at a place like `link.records.0.record`."""
    name, *rest = path.split(".")
    value = json.loads((VECTORS / f"{name}.json").read_text())
    for key in rest:
        value = value[int(key) if isinstance(value, list) else key]
    return value


def test_every_block_is_checked() -> None:
    assert {kind for kind, _, _ in BLOCKS} == {"hex", "json", "transcript", "lines"}


@pytest.mark.parametrize(("path", "content"), blocks("hex"))
def test_hex(path: str, content: str) -> None:
    assert re.sub(r"\s", "", content) == vector(path)


@pytest.mark.parametrize(("name", "content"), blocks("json"))
def test_messages(name: str, content: str) -> None:
    assert name == "messages"
    for line in content.splitlines():
        assert messages(line.encode()), line


def rendered(session: dict[str, Any]) -> str:
    """A transcript as the document shows it."""
    counts = {"device": 0, "gateway": 0}
    lines = []
    for message in session["messages"]:
        sender, what = message["from"], message["kind"]
        if what == "record":
            what = f"record {counts[sender]}  {message['plaintext']}"
            counts[sender] += 1
        lines.append(f"{sender:9}{what}")
        lines += [f"    {piece}" for piece in re.findall(".{1,100}", message["message"])]
    return "\n".join(lines) + "\n"


def rendered_lines(session: dict[str, Any]) -> str:
    lines = []
    for line in session["lines"]:
        lines.append(line["line"])
        if "arrives" in line:
            lines.append(f"! {line['arrives']}")
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(("name", "content"), blocks("transcript"))
def test_transcript(name: str, content: str) -> None:
    assert content == rendered(vector(f"transcript.{name}"))


@pytest.mark.parametrize(("name", "content"), blocks("lines"))
def test_lines(name: str, content: str) -> None:
    assert content == rendered_lines(vector(f"transcript.{name}"))


def test_the_vectors_are_what_their_program_makes() -> None:
    spec = importlib.util.spec_from_file_location("generate", VECTORS / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    program = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(program)
    for name, content in program.made().items():
        assert (VECTORS / name).read_text() == content, name


CONSTANT = re.compile(r"^\| `(\w+)` \| ([^|]+) \| `([^`]+)` \|", re.MULTILINE)


def defined(path: str, name: str) -> int:
    """The value of a constant, read in its file: device modules cannot be imported beside the host's."""
    for node in ast.parse((ROOT / path).read_text()).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == name:
            return eval(ast.unparse(node.value), {})  # type: ignore[no-any-return]
    raise AssertionError(f"{path} defines no {name}")


@pytest.mark.parametrize(("name", "value", "path"), CONSTANT.findall(TEXT))
def test_constant(name: str, value: str, path: str) -> None:
    assert defined(path, name) == eval(value.replace("^", "**"), {})


def test_every_row_of_constants_was_found() -> None:
    section = TEXT.split("## 18. Constants")[1].split("\n## ")[0]
    assert len(CONSTANT.findall(section)) == section.count("\n| `") > 40


def test_refusals() -> None:
    section = TEXT.split("### Refusals")[1].split("\n## ")[0]
    told = [int(reason) for reason in re.findall(r"^\| (\d) \|", section, re.MULTILINE)]
    known = [reason for reason in range(256) if "does not know" not in refusal_text(reason)]
    assert told == known


class GatewaysEnd:
    """Says what the gateway says in the transcript, given what the device says."""

    def __init__(self) -> None:
        self.vector = vector("transcript")
        self.outbox = Outbox(4096, 1024, self.vector["command_stream"])
        self.marks = Marks()
        self.events: list[tuple[Any, ...]] = []

    def challenge(self, part: str, mode: int, nonce: bytes) -> bytes:
        """Begin a session."""
        self.part = self.vector[part]
        link = link_mac(bytes.fromhex(self.vector["device_key"]))
        self.session = GatewaySession(nonce, mode, self.part["gateway_limit"], lambda hello: link)
        return self.session.data_to_send() or b""

    def receive(self, message: bytes, time_ms: int = 0) -> None:
        """Take one message of the device."""
        self.session.receive_data(message)
        while event := self.session.next_event():
            if event[0] == OPENED:
                stream = self.session.stream(self.vector["stream"])
                self.session.accept(stream, self.outbox, self.marks, time_ms)
            elif event[0] == EVENT:
                self.events.append(event[1:])
                self.session.incoming().confirm()

    def command(self, data: str) -> None:
        assert self.outbox.put("my-hive/sensor-1/led", data.encode())

    def messages(self, sender: str) -> list[bytes]:
        return [bytes.fromhex(one["message"]) for one in self.part["messages"] if one["from"] == sender]


def test_the_gateways_end_of_the_transcript() -> None:
    gateway = GatewaysEnd()
    time_ms = gateway.vector["time_ms"]
    on_a_websocket(gateway, time_ms)
    on_a_serial_line(gateway, time_ms + 3000)
    temperature, door = "my-hive/queen/temperature", "my-hive/queen/door"
    assert gateway.events == [
        (temperature, {"c": 21.5}, 1),
        (temperature, {"c": 21.75}, 2),
        (door, True, 3),
        (door, False, 4),
        (temperature, {"c": 22.25}, 5),
        (door, True, 6),
    ]


def on_a_websocket(gateway: GatewaysEnd, time_ms: int) -> None:
    said = [gateway.challenge("websocket", 1, bytes(range(0x40, 0x50)))]
    for number, message in enumerate(gateway.messages("device")[:-1]):
        gateway.receive(message, time_ms)
        answer = gateway.session.data_to_send()
        said += [answer] if answer else []
        if number == 3:
            gateway.command('{"on":true}')
            said.append(gateway.session.data_to_send() or b"")
    assert said == gateway.messages("gateway")
    # The last event is taken, but its acknowledgement never leaves.
    gateway.receive(gateway.messages("device")[-1])


def on_a_serial_line(gateway: GatewaysEnd, time_ms: int) -> None:
    line = SerialLine(False, 1500)
    gateway.command('{"on":false}')
    said = b""
    for one in gateway.vector["serial"]["lines"]:
        if one["from"] == "gateway":
            continue
        for kind, payload in line.receive_data(one.get("arrives", one["line"]).encode() + b"\r\n"):
            if kind == READY:
                line.send(CHALLENGE, gateway.challenge("serial", 0, bytes(range(0x50, 0x60))))
            else:
                gateway.receive(payload, time_ms)
                answer = gateway.session.data_to_send() if kind == DATA else None
                if answer:
                    line.send(DATA, answer)
        said += line.data_to_send()
    lines = [one["line"] for one in gateway.vector["serial"]["lines"] if one["from"] == "gateway"]
    assert said.decode().splitlines() == lines
    assert line.damaged == 1


class Ends:
    """Both ends of a session in this process; `mode` is what the device uses."""

    def __init__(self, sealed: bool, number: int, data: bytes, count: int):
        key = bytes(range(32)) if sealed else None
        link = link_mac(key) if key else None
        self.gateway = GatewaySession(bytes(16), 0, 4096, lambda hello: link)
        outbox = Outbox(1 << 20, 4096)
        challenge = self.gateway.data_to_send()
        assert challenge is not None
        hello, keys = greet(challenge, "sensor-1", key, 0, 4096, bytes(24), 1024, None)
        self.device = Session(1024, outbox, Mark())
        open_session(self.device, challenge, hello, keys, 20)
        self.gateway.receive_data(hello)
        self.gateway.receive_data(self.device.data_to_send() or b"")
        event = self.gateway.next_event()
        assert event is not None
        assert event[0] == OPENED
        self.gateway.accept("a1a2a3a400000001", Outbox(1024, 1024, "b1"), Marks(), 1767225600000)
        welcome(self.device, challenge, self.gateway.data_to_send() or b"")
        # One event before, so that the name has its alias.
        outbox.next = number - 1
        self.outbox, self.data = outbox, data
        self.exchange(1)
        self.sizes = self.exchange(count)

    def exchange(self, count: int) -> tuple[list[int], list[int]]:
        """Send events; returns the sizes of the messages up and down."""
        for _ in range(count):
            assert self.outbox.put("my-hive/queen/temperature", self.data)
        up, down = [], []
        while message := self.device.data_to_send():
            up.append(len(message))
            self.gateway.receive_data(message)
            while self.gateway.next_event():
                pass
            self.gateway.incoming().confirm()
            answer = self.gateway.data_to_send()
            assert answer is not None
            down.append(len(answer))
            self.device.receive_data(answer)
            while self.device.next_event():
                pass
        return up, down


def on_websocket(up: list[int], down: list[int]) -> tuple[int, int]:
    """Sums with the headers of RFC 6455, 5.2: the device masks, the gateway does not."""

    def head(size: int) -> int:
        return 2 if size < 126 else 4

    return sum(size + head(size) + 4 for size in up), sum(size + head(size) for size in down)


ROWS = re.findall(r"^\| (\d+) \| (\d+) \| (\d+) \| (\d+) \| (\d+) \|$", TEXT, re.MULTILINE)


@pytest.mark.parametrize("row", ROWS)
def test_bytes_of_an_event(row: tuple[str, ...]) -> None:
    number, plain, sealed, event, acknowledgement = map(int, row)
    data = b'{"d":"' + bytes(b"x" * 32) + b'"}'
    assert len(data) == 40
    assert sum(on_websocket(*Ends(False, number, data, 1).sizes)) == plain
    assert on_websocket(*Ends(True, number, data, 1).sizes) == (event, acknowledgement)
    assert event + acknowledgement == sealed


def test_bytes_of_a_backlog() -> None:
    data = b'{"d":"' + bytes(b"x" * 32) + b'"}'
    found = re.search(r"A backlog in full records[^:]*: ([\d.]+) bytes per event, sealed", FLAT)
    assert found
    count = 21 * 100
    assert round(sum(on_websocket(*Ends(True, 12345, data, count).sizes)) / count, 1) == float(found[1])


def test_lengths_of_lines() -> None:
    found = re.search(
        r"is a line of (\d+) bytes, its acknowledgement one of (\d+), and the device acknowledges that line with (\d+)",
        FLAT,
    )
    assert found
    assert [line_bytes(62), line_bytes(25), line_bytes(0)] == [int(size) for size in found.groups()]
    found = re.search(r"takes lines of (\d+), which is a limit of (\d+) bytes", FLAT)
    assert found
    assert line_bytes(int(found[2])) == int(found[1])
