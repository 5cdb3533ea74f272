"""Websocket connections: asyncio drivers over the sans-I/O protocols of `websockets`.

Rules of this folder:
1. Callbacks, no tasks. Callbacks run in the loop and must not block; `closed` is the last one of a connection.
2. Whole, unfragmented data frames are read and written here, which halves their cost. The upgrade, control frames,
   fragments and everything faulty are left to `websockets`, which is always handed whole frames.
3. The frames of one piece of input, or of one loop iteration, leave in one write.
4. Nothing is compressed: a message could inflate to a thousand times its length, and a connection costs 35 KB more.
"""

from .client import NO_CREDENTIALS, ClientConnection, Credentials, Unauthorized, connect
from .connection import Limits
from .listener import Listener, descriptors
from .server import UNAUTHORIZED, AddressInUse, ServerConnection, serve

__all__ = [
    "NO_CREDENTIALS",
    "UNAUTHORIZED",
    "AddressInUse",
    "ClientConnection",
    "Credentials",
    "Limits",
    "Listener",
    "ServerConnection",
    "Unauthorized",
    "connect",
    "descriptors",
    "serve",
]
