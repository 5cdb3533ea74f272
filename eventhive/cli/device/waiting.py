"""Waiting for the first event of a board that has been started, and saying why it does not come."""

import json
import re
import time
from collections.abc import Iterator
from typing import Any

from ...core.errors import LocalError
from ..output import printable, say

# How often the gateway is asked.
ASK_S = 0.25

# What lines of a board's console mean (micro/wifi.py, outage.py), and what is to be done.
_WIFI = re.compile(r"wifi '.*': (wrong password|not found|no address)")
_ADVICE = {
    "wrong password": "the password of the wireless network is wrong: correct it, and run this command again",
    "not found": "there is no such wireless network here: check its name; boards see 2.4 GHz only, not 5 GHz",
    "no address": "the wireless network gives the board no address: check the password, and DHCP of the access point",
}
# What the REPL itself says on the way.
_PROMPT = (">", "MicroPython v", 'Type "help()"', "MPY: soft reboot")
_REFUSED = re.compile(r"eventhive: no connection to (\S+): (.*)")


class Waiting:
    """What is known of a device `name` of a gateway, and of what its board said."""

    def __init__(self, control: Any, name: str, port: str):
        self._control = control
        self._name = name
        self._port = port
        self._before = self.state()
        self._welcomed = False
        self._asked = 0.0
        self._last = ""
        self._failing = False
        self._way = ""

    def state(self) -> dict[str, Any]:
        """What the gateway says of the device; empty for one that it does not know."""
        from ...gateway.control import request

        devices = request(self._control, "devices")["devices"]
        return next((one for one in devices if one["name"] == self._name), {})

    def first_event(self, lines: Iterator[str | None]) -> dict[str, Any]:
        """Look at the gateway and at the board's lines until there is an event; `LocalError` says why there is none."""
        for line in lines:
            if line and not line.startswith("#<"):
                self._said(line)
            if time.monotonic() >= self._asked + ASK_S:
                self._asked = time.monotonic()
                state = self.state()
                if state.get("events", 0) > self._before.get("events", 0):
                    self._welcome(state)
                    return state
                if state.get("online") and self._way == "up":
                    self._welcome(state)
        raise self._nothing()

    def _welcome(self, state: dict[str, Any]) -> None:
        if not self._welcomed:
            self._welcomed = True
            say(f"   the gateway has welcomed '{self._name}', over {state.get('link')} from {state.get('address')}")

    def _said(self, line: str) -> None:
        if line.startswith(_PROMPT):
            return
        say(f"   board: {line}")
        if line == "eventhive: link up":
            self._way = "up"
        found = _WIFI.search(line)
        if found:
            raise LocalError(f"{self._port}: {_ADVICE[found[1]]}")
        refused = _REFUSED.search(line)
        if refused:
            self._way = f"{refused[1]} ({refused[2]})"
        # What stands behind a failed hook does not end the program.
        if line.startswith("Traceback ") and not self._last.endswith("failed:"):
            self._failing = True
        elif self._failing and not line.startswith("File "):
            raise LocalError(f"{self._port}: the board's program failed: {line}")
        self._last = line

    def _nothing(self) -> LocalError:
        if self._welcomed or self._way == "up":
            return LocalError(f"{self._port}: the board is connected, but its program has called no event: look at it")
        if self._way:
            return LocalError(
                f"{self._port}: the board does not reach {self._way}: is that this machine, seen from"
                " the board's network, and does its firewall let the port through? --host names another address"
            )
        said = f", and said last: {self._last}" if self._last else ", and said nothing"
        return LocalError(f"{self._port}: no word from the board at the gateway{said}: see 'eventhive device ports'")


def silence(seconds: float) -> Iterator[None]:
    """For a board whose console is the gateway's: nothing, now and then, for so long."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield None
        time.sleep(ASK_S)


def shown(state: dict[str, Any]) -> str:
    """The event that a device sent last, for a person."""
    last = state.get("last") or {}
    return f"{last.get('event', '?')}  {printable(json.dumps(last.get('data'), ensure_ascii=False))}"
