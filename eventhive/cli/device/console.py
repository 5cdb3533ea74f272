"""`eventhive device console`: what a board prints, through the running gateway, and what is typed for it."""

import argparse
import contextlib
import json
import os
import select
import socket
import sys
from collections.abc import Iterator
from typing import Any

from ...core.errors import LocalError
from ..gateway.status import ago
from ..output import printable, say
from .shared import action, add_config, config_of

LEAVE = b"\x1d"
READ_BYTES = 4096

_EXAMPLES = """\
For a board on a serial line of the gateway, which goes on with its events meanwhile. What is typed goes to the board:
Ctrl-C interrupts its program and leads to the prompt of MicroPython, Ctrl-D at the prompt starts it again. Lines of the
link that you see there begin with #, and are comments. Ctrl-] leaves; the board stays as it is.

  eventhive device console sensor-1
  eventhive device console /dev/ttyACM0      a port of the gateway, also when no device is connected there
"""


def configure(actions: Any) -> None:
    """Add the command."""
    command = action(actions, "console", "show what a board prints, and type for it", run, _EXAMPLES)
    command.add_argument("name", metavar="NAME", help="of the device, or a port of the gateway's configuration")
    add_config(command)


def run(arguments: argparse.Namespace) -> int:
    """Copy lines out and keys in, until Ctrl-]."""
    from ...gateway.control import read_answer

    control = config_of(arguments.config).gateway.control
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as gateway:
        try:
            gateway.connect(os.fspath(control))
        except OSError:
            raise LocalError(f"no gateway is running at {control}: eventhive gateway -c {arguments.config}") from None
        _send(gateway, {"command": "console", "name": arguments.name})
        waiting = b""
        while b"\n" not in waiting:
            waiting += _received(gateway, control)
        line, _, waiting = waiting.partition(b"\n")
        read_answer(control, line)
        _tell_crash(control, arguments.name)
        say(f"console of {arguments.name}; Ctrl-] leaves")
        with _keys():
            _copy(gateway, control, waiting)
    return 0


def _tell_crash(control: Any, name: str) -> None:
    from ...gateway.control import request

    for device in request(control, "devices")["devices"]:
        crash = device["crash"]
        if crash and name in (device["name"], device["address"]):
            say(f"last crash, {ago(crash['time'])}:")
            for line in crash["text"]:
                say(f"  {printable(line)}")


def _copy(gateway: socket.socket, control: Any, waiting: bytes) -> None:
    typed, screen = [sys.stdin.fileno()], _Screen()
    while True:
        *lines, waiting = waiting.split(b"\n")
        for line in lines:
            screen.show(json.loads(line))
        ready, _, _ = select.select([gateway, *typed], [], [])
        if gateway in ready:
            waiting += _received(gateway, control)
        if typed and typed[0] in ready:
            keys = os.read(typed[0], READ_BYTES)
            if LEAVE in keys:
                return
            if keys:
                # As a terminal sends them; MicroPython ends a line at a carriage return.
                _send(gateway, {"keys": keys.decode(errors="replace").replace("\n", "\r")})
            else:
                typed = []


class _Screen:
    """Lines that may grow, on stdout."""

    def __init__(self) -> None:
        self._shown = ""

    def show(self, message: dict[str, Any]) -> None:
        """A message of the gateway."""
        if "lost" in message:
            say(f"({message['lost']} lines were too fast)")
            return
        text = printable(message["text"])
        if not text.startswith(self._shown):
            # It was deleted in part: the line is written anew.
            sys.stdout.write("\r\x1b[K" if sys.stdout.isatty() else "\n")
            self._shown = ""
        sys.stdout.write(text[len(self._shown) :] + ("\n" if message["end"] else ""))
        sys.stdout.flush()
        self._shown = "" if message["end"] else text


@contextlib.contextmanager
def _keys() -> Iterator[None]:
    """Each key as it is pressed, where it is a terminal: Ctrl-C is for the board."""
    if not sys.stdin.isatty():
        yield
        return
    import termios
    import tty

    before = termios.tcgetattr(sys.stdin)
    try:
        tty.setcbreak(sys.stdin)
        now = termios.tcgetattr(sys.stdin)
        now[3] &= ~termios.ISIG
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, now)
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


def _received(gateway: socket.socket, control: Any) -> bytes:
    try:
        data = gateway.recv(READ_BYTES)
    except OSError:
        data = b""
    if not data:
        raise LocalError(f"the gateway at {control} went away")
    return data


def _send(gateway: socket.socket, message: dict[str, Any]) -> None:
    try:
        gateway.sendall(json.dumps(message).encode() + b"\n")
    except OSError:
        raise LocalError("the gateway went away") from None
