"""A port for a server that starts later, and may start again."""

import socket
import sys
from collections import deque

# More servers than one test or run starts; descriptors are few.
KEPT = 64

_kept: deque[socket.socket] = deque()


def free_port() -> int:
    """A port of this machine that nobody uses, and that nobody else is given while the last `KEPT` are asked for.

    A socket that is bound and does not listen stays there: a server that allows `SO_REUSEADDR`, as asyncio's do, takes
    the port none the less, while the kernel gives it neither to a connection nor to whoever asks for any port, at any
    address of this machine.
    """
    kept = socket.socket()
    kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    kept.bind(("", 0))
    port: int = kept.getsockname()[1]
    _kept.append(kept)
    # Only Linux lets a server in beside it.
    if sys.platform != "linux":
        _kept.pop().close()
    while len(_kept) > KEPT:
        _kept.popleft().close()
    return port
