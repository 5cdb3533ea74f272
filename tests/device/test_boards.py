"""What is worked out about boards without one: the parts they need, and what is said of what cannot be used."""

import errno
from dataclasses import replace
from typing import Any

import pytest

from eventhive.boards import ports
from eventhive.boards.facts import Facts
from eventhive.boards.parts import needed
from eventhive.core.errors import LocalError

GOOD = Facts("micropython", (1, 25, 0), "Raspberry Pi Pico W", 4870, 200_000, 205_000, 800_000, ("asyncio", "hashlib"))
GOOD = replace(GOOD, modules=(*GOOD.modules, "cryptolib"))


@pytest.mark.parametrize(
    ("settings", "program", "expected"),
    [
        ({}, "", []),
        ({"spill": {}, "status": 60}, "", ["spill", "status"]),
        ({"eventhive": {"remove_metadata": False}}, "", ["metadata"]),
        ({"eventhive": {"remove_metadata": True}}, "", []),
        ({"link": {"type": "usb"}}, "", ["usb"]),
        ({"link": [{"type": "uart"}, {"type": "websocket", "scheme": "wss"}]}, "", ["tls", "uart"]),
        ({"link": {"type": "serial"}}, "import eventhive\neventhive.keep('a', 'latest')", ["keep", "serial"]),
        ({}, "import eventhive\nasync def f():\n    await eventhive.sleep(1)", ["sleep"]),
        ({}, "asyncio.run(eventhive.run(eventhive.lasting(main)))", ["lasting"]),
        ({}, "node = eventhive.init()\nnode.keep('a')", ["keep"]),
        ({}, "from eventhive import keep, hook", ["keep"]),
        ({}, "import asyncio, time\ntime.sleep(1)\nasyncio.sleep(2)\n'eventhive.keep('", []),
    ],
)
def test_parts(settings: dict[str, Any], program: str, expected: list[str]) -> None:
    assert needed(settings, program, "main.py") == expected
    assert needed(settings, program, "main.py", ["usb"]) == sorted({*expected, "usb"})


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"firmware": "circuitpython"}, "circuitpython, which is not MicroPython"),
        ({"version": (1, 19, 1)}, "MicroPython 1.19.1 is too old"),
        ({"mpy": 5}, "no compiled files of version 6"),
        ({"modules": ("asyncio", "hashlib")}, "no 'cryptolib'"),
    ],
)
def test_firmware_that_will_not_do(changes: dict[str, Any], text: str) -> None:
    GOOD.check("/dev/ttyACM0")
    replace(GOOD, modules=("asyncio", "hashlib", "ucryptolib")).check("/dev/ttyACM0")
    with pytest.raises(LocalError, match=text) as raised:
        replace(GOOD, **changes).check("/dev/ttyACM0")
    assert str(raised.value).startswith("/dev/ttyACM0: ")
    assert "eventhive device flash PORT FIRMWARE" in str(raised.value)


@pytest.mark.parametrize(
    ("number", "text"),
    [(errno.EACCES, "dialout"), (errno.EBUSY, "another program has it open"), (errno.EIO, "it went away")],
)
def test_what_is_said_of_a_port(number: int, text: str) -> None:
    assert text in str(ports.fault("/dev/ttyACM0", OSError(number, "?")))
