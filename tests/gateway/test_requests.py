"""Requests between devices that run MicroPython, over both links, and programs of the hive."""

import json
from typing import Any

import pytest
from boards import BoardProcess, Hub, Place

from eventhive.device.tools import micropython

pytestmark = pytest.mark.skipif(
    micropython() is None, reason="no MicroPython for this platform on PyPI: Linux x86_64 and macOS arm64 have one"
)

BOTH = pytest.mark.parametrize("link", ["websocket", "serial"])

# Hooks that answer, raise, wait and never end.
HOOKS = """
import asyncio, json, sys, eventhive
def double(data): return {"twice": 2 * data["n"]}
def silent(data): return None
def fails(data): raise ValueError("no such thing")
async def later(data):
    await asyncio.sleep(0.01)
    return ["later", data]
async def breaks(data):
    await asyncio.sleep(0)
    raise KeyError("gone")
async def never(data):
    print("asked")
    await asyncio.sleep(3600)
def large(data): return "x" * 5000
for function in (double, silent, fails, later, breaks, never, large):
    eventhive.hook(sys.argv[-1] + "/" + function.__name__)(function)
async def asking(event, data, timeout):
    try:
        answer = repr(await eventhive.request_async(event, data, timeout))
    except eventhive.EventHiveError as error:
        answer = type(error).__name__ + " " + str(error)
    print("answer", event, answer)
"""

BOARD = (
    HOOKS
    + """
async def commands():
    lines = asyncio.StreamReader(sys.stdin)
    while True:
        line = await lines.readline()
        if not line:
            break
        event, data, timeout = json.loads(line)
        asyncio.create_task(asking(event, data, timeout))
eventhive.init()
asyncio.run(eventhive.run(commands()))
"""
)

HUB = (
    HOOKS
    + """
from eventhive.cli.output import log_to_stderr
sys.stdout.reconfigure(line_buffering=True)
log_to_stderr("info")
eventhive.CONFIG.read_file(sys.argv[1])
eventhive.init()
print("ready", flush=True)
for line in sys.stdin:
    asyncio.run(asking(*json.loads(line)))
eventhive.stop()
"""
)


def hub(place: Place) -> Hub:
    """The gateway, whose hooks are queen/*."""
    return place.hub("queen", program=HUB)


def board(place: Place, name: str, link: str = "websocket") -> BoardProcess:
    """A device whose hooks are NAME/*, with its link up."""
    settings = place.settings(name, place.plug()[1] if link == "serial" else "")
    one = place.board(settings, name, program=BOARD)
    one.expect("link up")
    return one


def asked(process: Any, event: str, data: Any = None, timeout: float = 20) -> str:
    """What a process was answered."""
    before = len(process.seen(f"answer {event} "))
    process.tell(json.dumps([event, data, timeout]))
    line: str = process.expect(f"answer {event} ", before + 1)[-1]
    return line.partition(event + " ")[2]


@BOTH
def test_from_a_program_to_a_device(place: Place, link: str) -> None:
    gateway = hub(place)
    board(place, "s1", link)
    assert asked(gateway, "my-hive/s1/double", {"n": 21}) == "{'twice': 42}"
    assert asked(gateway, "my-hive/s1/silent") == "None"
    assert asked(gateway, "my-hive/s1/later", 5) == "['later', 5]"
    assert asked(gateway, "my-hive/s1/fails") == "RemoteError my-hive/s1/fails: ValueError: no such thing"
    assert asked(gateway, "my-hive/s1/breaks").startswith("RemoteError my-hive/s1/breaks: KeyError: ")
    assert asked(gateway, "my-hive/s1/unknown").startswith("NobodyHooks my-hive/s1/unknown: ")
    assert asked(gateway, "my-hive/s1/never", None, 0.2) == "RequestTimeout my-hive/s1/never: no reply within 0.2 s"
    large = asked(gateway, "my-hive/s1/large")
    assert large.startswith("RemoteError my-hive/s1/large: what the hook returned cannot travel: an answer of 5002")
    assert asked(gateway, "my-hive/s1/double", {"n": 1}) == "{'twice': 2}"


@BOTH
def test_from_a_device_to_a_program(place: Place, link: str) -> None:
    hub(place)
    one = board(place, "s1", link)
    assert asked(one, "my-hive/queen/double", {"n": 21}) == "{'twice': 42}"
    assert asked(one, "my-hive/queen/silent") == "None"
    assert asked(one, "my-hive/queen/later", 5) == "['later', 5]"
    assert asked(one, "my-hive/queen/fails") == "RemoteError my-hive/queen/fails: ValueError: no such thing"
    assert asked(one, "my-hive/queen/unknown").startswith("NobodyHooks my-hive/queen/unknown: ")
    assert asked(one, "my-hive/queen/never", None, 0.5) == "RequestTimeout my-hive/queen/never: no reply within 0.5 s"
    large = asked(one, "my-hive/queen/large")
    assert large.startswith("RequestError my-hive/queen/large: what the hook returned cannot travel: an answer of 5002")
    assert asked(one, "other/queen/double").startswith("LocalError other/queen/double: its network is not under")


def test_from_device_to_device(place: Place) -> None:
    hub(place)
    one, other = board(place, "s1"), board(place, "s2", "serial")
    assert asked(one, "my-hive/s2/double", {"n": 4}) == "{'twice': 8}"
    assert asked(other, "my-hive/s1/later", "x") == "['later', 'x']"
    assert asked(other, "my-hive/s1/fails") == "RemoteError my-hive/s1/fails: ValueError: no such thing"
    # It is not asked itself.
    assert asked(one, "my-hive/s1/double", {"n": 4}).startswith("NobodyHooks my-hive/s1/double: ")


def test_a_device_that_dies_while_it_is_asked(place: Place) -> None:
    gateway = hub(place)
    one = board(place, "s1")
    gateway.tell(json.dumps(["my-hive/s1/never", None, 20]))
    one.expect("asked")
    one.kill()
    answer = gateway.expect("answer my-hive/s1/never ")[-1]
    assert "RemoteError my-hive/s1/never: device 's1' " in answer
    assert asked(gateway, "my-hive/s1/double").endswith("device 's1' is offline: it was not asked")


def test_a_gateway_that_dies_while_it_is_asked(place: Place) -> None:
    gateway = hub(place)
    one = board(place, "s1")
    one.tell(json.dumps(["my-hive/queen/never", None, 20]))
    assert asked(one, "my-hive/queen/double", {"n": 1}) == "{'twice': 2}"
    gateway.kill()
    answer = one.expect("answer my-hive/queen/never ")[-1]
    assert answer.endswith("RequestError my-hive/queen/never: the link went down, it may have been dealt with")
    assert asked(one, "my-hive/queen/double").endswith("is not sent: there is no connection")
