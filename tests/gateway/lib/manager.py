"""A service manager at the other end of a real notify socket."""

import socket

import pytest

# Longer than anything here takes on a busy machine.
DEADLINE_S = 60


class Manager:
    """A service manager, as far as a service sees it: a datagram socket. `path` may be abstract (begin with "@")."""

    def __init__(self, path: str):
        self.path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.settimeout(DEADLINE_S)
        self._socket.bind(path.replace("@", "\0", 1))

    def told(self) -> dict[str, str]:
        """The next message."""
        return dict(line.split("=", 1) for line in self._socket.recv(4096).decode().splitlines())

    def expect(self, key: str) -> dict[str, str]:
        """The next message with this key."""
        while key not in (message := self.told()):
            pass
        return message

    def drained(self) -> None:
        """There is no message that was not read."""
        self._socket.setblocking(False)
        with pytest.raises(BlockingIOError):
            self._socket.recv(4096)
        self._socket.settimeout(DEADLINE_S)

    def close(self) -> None:
        self._socket.close()
