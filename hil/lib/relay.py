"""A TCP port in front of the gateway's, whose connections a test can cut or mute."""

import contextlib
import socket
import threading

from hil.lib.frames import Frames

READ_BYTES = 16384

# The gateway is on this machine and accepts at once, or is not there.
CONNECT_S = 5.0


class Relay:
    """Listens at `host` on a free `port`, and passes what comes to `target` on 127.0.0.1; in `mute`, nothing passes."""

    def __init__(self, host: str, target: int, frames: Frames):
        self.mute = False
        self._target = target
        self._frames = frames
        self._sockets: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._server = socket.create_server((host, 0))
        self.host: str = host
        self.port: int = self._server.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def cut(self) -> None:
        """Break all connections."""
        with self._lock:
            sockets, self._sockets = self._sockets, set()
        for one in sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """End it."""
        with contextlib.suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self._thread.join()
        self.cut()

    def _accept(self) -> None:
        while True:
            try:
                device, _ = self._server.accept()
            except OSError:
                return
            try:
                gateway = socket.create_connection(("127.0.0.1", self._target), CONNECT_S)
            except OSError:
                device.close()
                continue
            gateway.settimeout(None)
            for one in (device, gateway):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._sockets |= {device, gateway}
            ends = ((device, gateway, "<"), (gateway, device, ">"))
            pumps = [threading.Thread(target=self._pump, args=end, daemon=True) for end in ends]
            for one in pumps:
                one.start()
            threading.Thread(target=self._end, args=(pumps, device, gateway), daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket, direction: str) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(READ_BYTES):
                self._frames.note(f"lost {direction}" if self.mute else direction, data)
                if not self.mute:
                    target.sendall(data)
        # Where nothing passes, no end does: an end whose clock is slower hears nothing, and has to notice by itself.
        if self.mute:
            return
        for one in (source, target):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _end(self, pumps: list[threading.Thread], *sockets: socket.socket) -> None:
        for one in pumps:
            one.join()
        with self._lock:
            self._sockets -= set(sockets)
        for one in sockets:
            one.close()
