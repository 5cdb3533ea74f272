"""The gateway's websocket endpoint: who is trusted by address, what a connection may cost, and for how long."""

import asyncio
import gc
import logging
import os
import weakref
from typing import Any

import pytest
from pure import Stand

from eventhive.core.envelope import encode
from eventhive.core.greet import greet
from eventhive.core.mark import Mark
from eventhive.core.opening import open_session
from eventhive.core.ring import Outbox
from eventhive.core.session import Session
from eventhive.gateway.bridge import STRANGER_LINES
from eventhive.gateway.half_open import MAX_HALF_OPEN, MAX_PER_ADDRESS, SHARE, HalfOpen, origin
from eventhive.gateway.websocket_link import UPGRADE_BYTES, DeviceConnection, WebsocketLinks

# More than any limit leaves to strangers.
DESCRIPTORS = 1 << 20

UPGRADE = (
    b"GET /device HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n%s\r\n"
)


class Clock(asyncio.SelectorEventLoop):
    """A loop whose time can be moved."""

    ahead = 0.0

    def time(self) -> float:
        return super().time() + self.ahead


class Wire(asyncio.Transport):
    """A transport that keeps what is written, with a peer wherever one likes."""

    def __init__(self, host: str):
        super().__init__({"peername": (host, 50000)})
        self.written = b""
        self.over = False

    def write(self, data: Any) -> None:
        self.written += data

    def write_eof(self) -> None:
        self.over = True

    def can_write_eof(self) -> bool:
        return True

    def get_write_buffer_size(self) -> int:
        return 0

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def resume_reading(self) -> None:
        pass

    def abort(self) -> None:
        self.over = True

    close = abort


class Visit:
    """One connection, from an address, as far as its upgrade."""

    def __init__(self, links: WebsocketLinks, host: str = "127.0.0.1", headers: bytes = b""):
        self.wire = Wire(host)
        self.connection: DeviceConnection = links()
        self.connection.connection_made(self.wire)
        self.request = UPGRADE % headers

    def upgrade(self) -> "Visit":
        self.connection.data_received(self.request)
        self.connection.flush()
        return self

    @property
    def status(self) -> int:
        return int(self.wire.written.split()[1])

    @property
    def challenge(self) -> bytes:
        return self.wire.written.partition(b"\r\n\r\n")[2][2:24]

    def send(self, *messages: bytes) -> None:
        """Messages of the device, each in a frame with a mask of zeros."""
        for message in messages:
            size = len(message)
            head = bytes((0x82, 0x80 | size)) if size < 126 else b"\x82\xfe" + size.to_bytes(2, "big")
            self.connection.data_received(head + bytes(4) + message)
        self.connection.flush_now()

    def hang_up(self) -> None:
        self.connection.connection_lost(None)


@pytest.fixture
def stand() -> Stand:
    return Stand()


@pytest.fixture
def loop(stand: Stand) -> Any:
    """The running loop of a test that is called in it."""
    loop = Clock()
    yield loop
    loop.close()


def within(loop: Clock, function: Any) -> Any:
    """Call a function inside the loop."""

    async def call() -> Any:
        return function()

    return loop.run_until_complete(call())


@pytest.mark.parametrize(
    ("host", "insecure", "mode"),
    [
        ("127.0.0.1", False, 0),
        ("127.9.9.9", False, 0),
        ("::1", False, 0),
        ("192.0.2.7", False, 1),
        ("2001:db8::7", False, 1),
        ("fe80::7%eth0", False, 1),
        ("0.0.0.0", False, 1),
        ("192.0.2.7", True, 0),
    ],
)
def test_a_key_is_demanded_of_everyone_who_is_not_on_this_machine(
    stand: Stand, loop: Clock, host: str, insecure: bool, mode: int
) -> None:
    def visit() -> int:
        return Visit(WebsocketLinks(stand.bridge, "/device", insecure, DESCRIPTORS), host).upgrade().challenge[3]

    assert within(loop, visit) == mode


def first_flight(visit: Visit, key: bytes, name: str = "a") -> tuple[bytes, bytes]:
    outbox = Outbox(8192, 1024)
    hello, keys = greet(visit.challenge, name, key, 0, 4096, os.urandom(24), 1024, None)
    session = Session(1024, outbox, Mark())
    open_session(session, visit.challenge, hello, keys, 20)
    return hello, session.data_to_send() or b""


def test_a_proof_ends_the_waiting(stand: Stand, loop: Clock) -> None:
    def visit() -> None:
        links = WebsocketLinks(stand.bridge, "/device", False, DESCRIPTORS)
        one = Visit(links).upgrade()
        assert links.half_open.count == 1
        one.send(*first_flight(one, stand.entries["a"].key))
        assert links.half_open.count == 0
        assert stand.device("a").session is one.connection.session
        links.tick(6000)
        assert one.connection.is_open
        one.hang_up()
        assert (links.half_open.count, len(links.connections), stand.device("a").session) == (0, 0, None)

    within(loop, visit)


def test_upgrade_and_proof_share_one_deadline(
    stand: Stand, loop: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    def visit() -> None:
        links = WebsocketLinks(stand.bridge, "/device", False, DESCRIPTORS)
        one = Visit(links)
        loop.ahead += 3
        one.upgrade()
        links.tick(1500)
        assert one.connection.is_open
        links.tick(501)
        assert not one.connection.is_open
        one.hang_up()
        assert links.half_open.count == 0

    within(loop, visit)
    assert caplog.messages == ["websocket 127.0.0.1:50000: hand-shake: nothing heard for 5 s"]


def test_an_upgrade_that_never_comes(stand: Stand, loop: Clock) -> None:
    def visit() -> Visit:
        one = Visit(WebsocketLinks(stand.bridge, "/device", False, DESCRIPTORS))
        one.connection.data_received(one.request[:50])
        return one

    one = within(loop, visit)
    loop.ahead += 5.1
    within(loop, lambda: None)
    assert one.wire.over
    assert one.wire.written == b""


def address(number: int) -> str:
    return f"192.0.2.{number}"


def test_those_without_a_proof_are_bounded(stand: Stand, loop: Clock) -> None:
    def visit() -> None:
        links = WebsocketLinks(stand.bridge, "/device", False, DESCRIPTORS)
        visits = [Visit(links, address(number // MAX_PER_ADDRESS)) for number in range(MAX_HALF_OPEN)]
        assert not any(one.wire.over for one in visits)
        # Half of them go on to the upgrade: that proves nothing.
        assert {one.upgrade().status for one in visits[::2]} == {101}
        assert not links.admits("198.51.100.1")
        refused = Visit(links, "198.51.100.1")
        assert refused.wire.over
        refused.hang_up()
        visits[0].hang_up()
        assert links.admits("198.51.100.1")
        assert Visit(links, "198.51.100.1").upgrade().status == 101
        assert links.half_open.count == MAX_HALF_OPEN
        for one in visits[1:]:
            one.hang_up()
        assert links.half_open.count == 1

    within(loop, visit)


@pytest.mark.parametrize("upgraded", [False, True])
def test_one_address_shuts_out_no_other(stand: Stand, loop: Clock, upgraded: bool) -> None:
    def visit() -> None:
        links = WebsocketLinks(stand.bridge, "/device", False, DESCRIPTORS)
        visits = [Visit(links, "192.0.2.1") for _ in range(MAX_PER_ADDRESS)]
        if upgraded:
            assert {one.upgrade().status for one in visits} == {101}
        assert not links.admits("192.0.2.1")
        assert Visit(links, "192.0.2.1").wire.over
        assert links.admits("192.0.2.2")
        other = Visit(links, "192.0.2.2").upgrade()
        other.send(*first_flight(other, stand.entries["a"].key))
        assert stand.device("a").session is other.connection.session
        # Whoever has proved a key takes nobody's place.
        if not upgraded:
            visits[0].upgrade()
        visits[0].send(*first_flight(visits[0], stand.entries["b"].key, "b"))
        assert links.admits("192.0.2.1")
        visits[1].hang_up()
        assert links.half_open.count == MAX_PER_ADDRESS - 2

    within(loop, visit)


def test_an_address_is_forgotten_with_its_last_stranger() -> None:
    half_open = HalfOpen(DESCRIPTORS)
    for number in range(1000):
        half_open.enter(f"198.51.100.{number % 250}")
        half_open.enter("192.0.2.1")
        half_open.leave(f"198.51.100.{number % 250}")
        half_open.leave("192.0.2.1")
    assert half_open.count == 0
    assert half_open._of == {}


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("fe80::1%eth0", "fe80::2%eth1", True),
    ],
)
def test_what_is_one_address(one: str, other: str, same: bool) -> None:
    assert (origin(one) == origin(other)) is same


def test_strangers_leave_descriptors_to_the_others(stand: Stand, loop: Clock) -> None:
    def visit() -> None:
        links = WebsocketLinks(stand.bridge, "/device", False, 64)
        visits = [Visit(links, address(number)) for number in range(17)]
        assert [one.wire.over for one in visits] == [False] * (64 // SHARE) + [True]

    within(loop, visit)


def test_one_that_is_gone_before_it_is_looked_at(stand: Stand, loop: Clock) -> None:
    def visit() -> None:
        links = WebsocketLinks(stand.bridge, "/device", False, DESCRIPTORS)
        one = links()
        wire = Wire("")
        wire._extra = {}  # type: ignore[attr-defined]
        one.connection_made(wire)
        one.connection_lost(None)
        assert wire.over
        assert links.half_open.count == 0

    within(loop, visit)


@pytest.mark.parametrize("way", ["connect", "upgrade", "garbage", "wrong key", "wrong path"])
def test_a_stranger_leaves_no_garbage(stand: Stand, loop: Clock, way: str) -> None:
    """Nothing that only the search for cycles would free: that comes late where many live for seconds."""

    def visit() -> list[Any]:
        one = Visit(WebsocketLinks(stand.bridge, "/other" if way == "wrong path" else "/device", False, DESCRIPTORS))
        if way != "connect":
            one.upgrade()
        if way == "garbage":
            one.send(os.urandom(200))
        if way == "wrong key":
            one.send(*first_flight(one, os.urandom(32)))
        one.hang_up()
        made = one.connection._made, one.connection.session
        return [weakref.ref(thing) for thing in made if thing is not None]

    gc.disable()
    try:
        left = within(loop, visit)
        # What the loop still had to call.
        within(loop, lambda: None)
        assert [found() for found in left if found() is not None] == []
    finally:
        gc.enable()


def test_a_flood_in_the_log(stand: Stand, loop: Clock, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "eventhive")
    now = [stand.bridge.seconds()]

    def visit() -> None:
        stand.bridge.strangers._room._clock = lambda: now[0]
        links = WebsocketLinks(stand.bridge, "/other", False, DESCRIPTORS)
        for _ in range(STRANGER_LINES + 500):
            one = Visit(links).upgrade()
            assert one.status == 404
            one.hang_up()
        links.endpoint = "/device"
        for _ in range(300):
            one = Visit(links).upgrade()
            one.send(*first_flight(one, os.urandom(32)))
            one.hang_up()
        assert len(caplog.messages) == STRANGER_LINES
        now[0] += 60
        stand.bridge.strangers.tick()

    within(loop, visit)
    assert caplog.messages[STRANGER_LINES:] == ["800 more connections of strangers failed within a minute"]
    assert caplog.records[-1].levelno == logging.WARNING


@pytest.mark.parametrize("size", [UPGRADE_BYTES + 1, 1_000_000])
def test_a_flood_of_headers(stand: Stand, loop: Clock, size: int) -> None:
    def visit() -> Visit:
        one = Visit(WebsocketLinks(stand.bridge, "/device", False, DESCRIPTORS))
        for at in range(0, size, 1000):
            one.connection.data_received(b"x" * min(1000, size - at))
        one.connection.flush()
        return one

    one = within(loop, visit)
    assert one.status == 431
    assert len(one.connection._rest) <= UPGRADE_BYTES
    assert one.wire.over


@pytest.mark.parametrize(
    ("path", "header", "status", "said"),
    [
        (b"/other", b"", 404, "devices connect to /device"),
        (b"/device", b"Origin: http://127.0.0.1\r\n", 403, "not for browsers or proxies (header Origin)"),
        (b"/device", b"Via: 1.1 proxy\r\n", 403, "not for browsers or proxies (header Via)"),
    ],
)
def test_an_upgrade_that_no_device_sends(
    stand: Stand, loop: Clock, caplog: pytest.LogCaptureFixture, path: bytes, header: bytes, status: int, said: str
) -> None:
    caplog.set_level(logging.INFO, "eventhive")

    def visit() -> Visit:
        one = Visit(WebsocketLinks(stand.bridge, "/device", True, DESCRIPTORS), headers=header)
        one.request = one.request.replace(b"/device", path)
        return one.upgrade()

    one = within(loop, visit)
    assert one.status == status
    assert said in one.wire.written.decode()
    assert caplog.messages[0].startswith("websocket 127.0.0.1:50000: refused: ")
    assert said in caplog.messages[0]


@pytest.mark.parametrize(("size", "code"), [(1025, 1009), (4097, 1009)])
def test_little_is_taken_from_one_without_a_proof(stand: Stand, loop: Clock, size: int, code: int) -> None:
    def visit() -> bytes:
        one = Visit(WebsocketLinks(stand.bridge, "/device", False, DESCRIPTORS)).upgrade()
        before = len(one.wire.written)
        one.send(bytes(size))
        return one.wire.written[before:]

    closed = within(loop, visit)
    assert closed[0] == 0x88
    assert int.from_bytes(closed[2:4], "big") == code


def test_more_is_taken_from_one_with_a_proof(stand: Stand, loop: Clock) -> None:
    def visit() -> Visit:
        one = Visit(WebsocketLinks(stand.bridge, "/device", False, DESCRIPTORS)).upgrade()
        outbox = Outbox(8192, 1024)
        hello, keys = greet(one.challenge, "a", stand.entries["a"].key, 0, 4096, os.urandom(24), 1024, None)
        session = Session(1024, outbox, Mark())
        open_session(session, one.challenge, hello, keys, 20)
        one.send(hello, session.data_to_send() or b"")
        session.say(encode([10, "my-hive/queen/event", "x" * 4000]))
        session.room = 4080
        one.send(session.data_to_send() or b"")
        return one

    within(loop, visit)
    assert stand.hub.events == [("my-hive/queen/event", "x" * 4000)]
