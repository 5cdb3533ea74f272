"""A serial port for another computer over TCP (RFC 2217): `python rfc2217_server.py PORT` prints its URL.

For a farm, ser2net and the like do the same for many.
"""

import contextlib
import socket
import sys
import threading

import serial
from serial.rfc2217 import PortManager

READ_BYTES = 4096
# A read waits so long; then it looks whether the other computer is still there.
READ_S = 0.1


class Port(serial.Serial):
    """A port whose lines may be missing: those of a pseudo-terminal are."""

    def _update_dtr_state(self) -> None:
        with contextlib.suppress(OSError):
            super()._update_dtr_state()

    def _update_rts_state(self) -> None:
        with contextlib.suppress(OSError):
            super()._update_rts_state()

    def _reconfigure_port(self, force_update: bool = False) -> None:
        with contextlib.suppress(OSError):
            super()._reconfigure_port(force_update)

    cts = dsr = ri = cd = property(lambda self: True)


class Connection:
    """What another computer has of the port; `write` is what pyserial's manager answers with."""

    def __init__(self, port: Port, connection: socket.socket):
        self._port = port
        self._connection = connection
        self._lock = threading.Lock()
        self._manager = PortManager(port, self)

    def write(self, data: bytes) -> None:
        """Send to the other computer."""
        with self._lock:
            self._connection.sendall(data)

    def serve(self) -> None:
        """Pass bytes in both directions until the other computer goes."""
        reader = threading.Thread(target=self._from_port, daemon=True)
        reader.start()
        with contextlib.suppress(OSError):
            while data := self._connection.recv(READ_BYTES):
                self._port.write(b"".join(self._manager.filter(data)))
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)
        reader.join()
        self._connection.close()

    def _from_port(self) -> None:
        with contextlib.suppress(OSError):
            while self._connection.fileno() >= 0:
                data = self._port.read(max(1, min(self._port.in_waiting, READ_BYTES)))
                if data:
                    self.write(b"".join(self._manager.escape(data)))
                else:
                    # Nothing to send, and the way to notice that nobody is there any more.
                    self._connection.getpeername()


def main(path: str) -> None:
    """Serve the port, one computer after the other."""
    port = Port(path, 115200, timeout=READ_S)
    with socket.create_server(("127.0.0.1", 0)) as server:
        print(f"rfc2217://127.0.0.1:{server.getsockname()[1]}", flush=True)
        while True:
            connection, _ = server.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            Connection(port, connection).serve()


if __name__ == "__main__":
    main(sys.argv[1])
