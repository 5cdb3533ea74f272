"""Keys: a wrong one, and a new one for a device that is in use."""

import json
from typing import Any

from hil.lib.hub import DEVICE, Gateway, Listener
from hil.targets.base import Target

PROGRAM = """
import asyncio
import eventhive

async def main():
    print("acknowledged", await eventhive.send("my-hive/tests/hello", None, 600))

eventhive.init()
asyncio.run(eventhive.run(main()))
"""


def test_a_wrong_key(dut: Target, listener: Listener, settings: dict[str, Any]) -> None:
    """A wrong key is refused, and a right one on the same board is taken: nothing of the refusal stays."""
    listener.hook("hello")
    dut.run(PROGRAM, {**settings, "key": "ab" * 32})
    dut.console.expect("eventhive: .*refused")
    dut.run(PROGRAM, settings)
    assert listener.next() == ("hello", None)
    assert listener.waiting() == 0


def test_a_new_key(dut: Target, listener: Listener, gateway: Gateway, settings: dict[str, Any]) -> None:
    """The old key is good until the new one was used, and then no more."""
    listener.hook("hello")
    new = {**settings, **json.loads(gateway.command("device", "rekey", DEVICE))}
    assert new["key"] != settings["key"]
    dut.run(PROGRAM, settings)
    assert listener.next() == ("hello", None)
    dut.run(PROGRAM, new)
    assert listener.next() == ("hello", None)
    gateway.expect("uses its new key; the old one is worth nothing any more")
    dut.run(PROGRAM, settings)
    dut.console.expect("eventhive: .*refused")
