"""A gateway that may open few files: what strangers cannot take, and what happens when devices have taken them all."""

import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress

import pytest
from boards import HUB, Hub, Place
from second_implementation import DEADLINE, Device, Link
from websockets.exceptions import WebSocketException

# The process has some twenty open for itself.
DESCRIPTORS = 64

FEW = f"import resource; resource.setrlimit(resource.RLIMIT_NOFILE, ({DESCRIPTORS}, {DESCRIPTORS}))\n" + HUB

# A hook of it opens files until there are no more, or closes them.
EATER = FEW.replace(
    "eventhive.init()",
    """
eaten = []

@eventhive.hook("queen/eat")
def eat(more):
    import os
    try:
        while more:
            eaten.append(os.open(os.devnull, os.O_RDONLY))
    except OSError:
        print("eaten", flush=True)
    else:
        for file in eaten:
            os.close(file)

eventhive.init()
""",
)

EXHAUSTED = "nobody can connect: "


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def hub(place: Place) -> Hub:
    return place.hub("queen/event", program=FEW)


def connect(place: Place, stack: ExitStack) -> socket.socket:
    return stack.enter_context(socket.create_connection(("127.0.0.1", place.port), DEADLINE))


def enter(place: Place, stack: ExitStack, number: int) -> Link:
    """A device that has proved itself."""
    link = Link(f"ws://127.0.0.1:{place.port}/device", Device(f"s{number}", None))
    stack.callback(link.close)
    return link.greet()


def enter_in_the_end(place: Place, stack: ExitStack) -> Link:
    """A device that comes again until it is let in."""
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end:
        with suppress(WebSocketException, EOFError, OSError):
            return enter(place, stack, 999)
    raise AssertionError("it was never let in")


def test_strangers_take_a_share(place: Place, hub: Hub, stack: ExitStack) -> None:
    strangers = [connect(place, stack) for _ in range(DESCRIPTORS)]
    # The first ones stay, as long as they may; the others are cut off at once.
    with suppress(ConnectionResetError):
        assert strangers[-1].recv(1) == b""
    hub.expect(f"not let in: {DESCRIPTORS // 4} connections have not proved a key yet")
    strangers[0].close()
    # Its place is free as soon as the gateway has noticed.
    link = enter_in_the_end(place, stack)
    link.say(link.stream(1), '[2,"my-hive/queen/event",1]')
    assert hub.arrived("queen/event", 1) == [1]
    assert not hub.seen(EXHAUSTED)


def test_devices_leave_some_to_the_process(place: Place, hub: Hub, stack: ExitStack) -> None:
    links: list[Link] = []
    with suppress(WebSocketException, EOFError, OSError):
        while len(links) < DESCRIPTORS:
            links.append(enter(place, stack, len(links)))
    hub.expect(EXHAUSTED)
    # Those that are in go on, which takes modules that were not loaded before.
    links[0].say(links[0].stream(1), '[2,"my-hive/queen/event",1]')
    assert hub.arrived("queen/event", 1) == [1]
    place.enrol("new")
    # Who comes when others have left gets in.
    for link in links[1:4]:
        link.close()
    last = enter_in_the_end(place, stack)
    last.say(last.stream(1), '[2,"my-hive/queen/event",2]')
    assert hub.arrived("queen/event", 2) == [1, 2]
    assert len(hub.seen(EXHAUSTED)) == 1
    assert not hub.seen("Traceback")


def test_no_descriptor_at_all(place: Place, stack: ExitStack) -> None:
    hub = place.hub("queen/event", program=EATER)
    early = enter(place, stack, 1)
    early.say(early.stream(1), '[2,"my-hive/queen/eat",true]')
    hub.expect("eaten")
    # It waits until there are some again.
    late = stack.enter_context(ThreadPoolExecutor(1)).submit(enter, place, stack, 2)
    hub.expect(EXHAUSTED)
    early.say('[2,"my-hive/queen/eat",false]')
    link = late.result()
    link.say(link.stream(1), '[2,"my-hive/queen/event",1]')
    assert hub.arrived("queen/event", 1) == [1]
    assert len(hub.seen(EXHAUSTED)) == 1
    assert not hub.seen("Traceback")
