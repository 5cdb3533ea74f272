"""What a service manager is told over the socket that it names in NOTIFY_SOCKET; without one, nothing.

Rules of this file: a message is one datagram of KEY=value lines. A manager that does not listen stops nobody: what
cannot be sent is left out.
"""

import contextlib
import os
import socket
import time
from collections.abc import Mapping


class Notifier:
    """The service manager of this process. `watchdog_s`: it wants a sign of life that often; 0 where it wants none."""

    def __init__(self, environment: Mapping[str, str] = os.environ):
        self._address = environment.get("NOTIFY_SOCKET", "")
        if self._address.startswith("@"):
            # A name without a file, as the kernel has it.
            self._address = "\0" + self._address[1:]
        self.watchdog_s = _watchdog_s(environment) if self._address else 0.0

    def ready(self, status: str) -> None:
        """It has started, or has read its configuration again."""
        self._send("READY=1", f"STATUS={_line(status)}")

    def reloading(self) -> None:
        """It begins to read its configuration again."""
        self._send("RELOADING=1", f"MONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")

    def stopping(self) -> None:
        """It has begun to end."""
        self._send("STOPPING=1", "STATUS=stopping")

    def status(self, text: str) -> None:
        """What it is at, for a person."""
        self._send(f"STATUS={_line(text)}")

    def alive(self) -> None:
        """The sign of life."""
        self._send("WATCHDOG=1")

    def _send(self, *lines: str) -> None:
        if not self._address:
            return
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.setblocking(False)
            sender.sendto("\n".join(lines).encode(), self._address)


def _watchdog_s(environment: Mapping[str, str]) -> float:
    """Seconds within which a sign of life must come; 0 where none is wanted, or of another process."""
    if environment.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return 0.0
    microseconds = environment.get("WATCHDOG_USEC", "")
    return int(microseconds) / 1e6 if microseconds.isdecimal() else 0.0


def _line(text: str) -> str:
    return " ".join(text.split())
