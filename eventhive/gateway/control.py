"""The control socket of a running gateway: a unix socket of the owner alone, one JSON object a line each way.

    {"command": "ping"}  ->  {"ok": true, ...}      {"command": "no"}  ->  {"ok": false, "error": "..."}

The file is never there with other rights than 600: it is made in a folder of the owner and then moved to its place.
"""

import asyncio
import json
import logging
import os
import socket
import stat
import tempfile
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any

from ..core.errors import LocalError

# Requests are short; answers list devices, some 200 bytes each.
MAX_REQUEST = 64 * 1024
MAX_ANSWER = 4 * 1024 * 1024

# Handlers only look things up: whoever takes longer hangs.
TIMEOUT_S = 5.0
# But for a reload: networks are looked up, connected to and left meanwhile, each within some seconds.
RELOAD_TIMEOUT_S = 30.0

# What a socket address has room for on Linux, with the folder that the socket is made in.
MAX_PATH_BYTES = 107
_SCRATCH = ".eventhive-"
_SCRATCH_BYTES = len("/" + _SCRATCH) + 8 + len("/s")

Handler = Callable[[dict[str, Any]], Mapping[str, Any] | Coroutine[Any, Any, Mapping[str, Any]]]

# What goes on with a connection after the answer, until its client has had enough.
Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]

logger = logging.getLogger("eventhive.gateway")


class NotRunningError(LocalError):
    """Nobody listens on the control socket."""


class ControlServer:
    """The server's end; `handlers` maps commands to functions of the request, whose `LocalError` is the answer.

    They may be coroutines: others are answered meanwhile.

    `talks` maps those that go on after an empty answer to functions that return how.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        handlers: Mapping[str, Handler],
        talks: Mapping[str, Callable[[dict[str, Any]], Talk]] | None = None,
    ):
        self.path = Path(path)
        self._handlers = handlers
        self._talks = talks or {}
        self._server: asyncio.Server | None = None
        self._inode = 0
        self._writers: set[asyncio.StreamWriter] = set()

    async def start(self) -> None:
        """Listen; a socket that a dead gateway left is replaced. `LocalError` when one is running, or why not."""
        await self._check_free()
        listener = self._bind()
        self._inode = self.path.stat().st_ino
        self._server = await asyncio.start_unix_server(self._serve, sock=listener, limit=MAX_REQUEST)

    async def stop(self) -> None:
        """Close, and remove the socket if it is still this one."""
        if self._server is None:
            return
        self._server.close()
        for writer in list(self._writers):
            writer.close()
        try:
            if self.path.stat().st_ino == self._inode:
                self.path.unlink()
        except FileNotFoundError:
            pass

    async def _check_free(self) -> None:
        try:
            mode = self.path.stat().st_mode
        except FileNotFoundError:
            return
        except OSError as error:
            raise LocalError(f"control socket {self.path}: {error.strerror}") from None
        if not stat.S_ISSOCK(mode):
            raise LocalError(f"control socket {self.path}: a file is in its place: set gateway.control to another path")
        try:
            _, writer = await asyncio.open_unix_connection(self.path)
        except OSError:
            return
        writer.close()
        raise LocalError(f"control socket {self.path}: a gateway is already running with it: stop that one first")

    def _bind(self) -> socket.socket:
        longest = max(len(os.fsencode(self.path)), len(os.fsencode(self.path.parent)) + _SCRATCH_BYTES)
        if longest > MAX_PATH_BYTES:
            raise LocalError(f"control socket {self.path}: the path is too long: set gateway.control to a shorter one")
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            with tempfile.TemporaryDirectory(prefix=_SCRATCH, dir=self.path.parent) as scratch:
                made = Path(scratch) / "s"
                listener.bind(str(made))
                made.chmod(0o600)
                made.replace(self.path)
        except OSError as error:
            listener.close()
            raise LocalError(f"control socket {self.path}: {error.strerror or error}") from None
        return listener

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while line := await reader.readline():
                answer, talk = await self._answer(line)
                writer.write(_encode(answer))
                await writer.drain()
                if talk is not None:
                    await talk(reader, writer)
                    break
        except ValueError:
            writer.write(_encode({"ok": False, "error": f"a request is longer than {MAX_REQUEST} bytes"}))
        except OSError:
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _answer(self, line: bytes) -> tuple[dict[str, Any], Talk | None]:
        known = {**self._handlers, **self._talks}
        try:
            request = json.loads(line)
            command = request["command"]
            handler = known[command]
        except (ValueError, TypeError, RecursionError):
            return {"ok": False, "error": 'a request is a JSON object with a "command"'}, None
        except KeyError:
            return {"ok": False, "error": f"unknown command; known: {', '.join(sorted(known))}"}, None
        try:
            result: Any = handler(request)
            if asyncio.iscoroutine(result):
                result = await result
            return ({"ok": True}, result) if command in self._talks else ({"ok": True, **result}, None)
        except LocalError as error:
            return {"ok": False, "error": str(error)}, None
        except Exception:
            logger.exception("the control command %r failed", command)
            return {"ok": False, "error": "the command failed: the log of the gateway says why"}, None


def request(path: str | os.PathLike[str], command: str, timeout: float = TIMEOUT_S, **arguments: Any) -> dict[str, Any]:
    """Send one command and return the answer; `NotRunningError` when no gateway runs, or `LocalError`."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.settimeout(timeout)
            client.connect(os.fspath(path))
            client.sendall(_encode({"command": command, **arguments}))
            with client.makefile("rb") as stream:
                line = stream.readline(MAX_ANSWER)
    except (FileNotFoundError, ConnectionRefusedError):
        raise NotRunningError(f"no gateway is running at {path}") from None
    except TimeoutError:
        raise LocalError(f"the gateway at {path} does not answer within {timeout:g} s") from None
    except OSError as error:
        raise LocalError(f"control socket {path}: {error.strerror or error}") from None
    return read_answer(path, line)


def read_answer(path: str | os.PathLike[str], line: bytes) -> dict[str, Any]:
    """The members of the answer that a gateway gave in a line, beside "ok"; `LocalError` where there is none."""
    try:
        answer: dict[str, Any] = json.loads(line)
        if not answer.pop("ok"):
            raise LocalError(f"the gateway at {path}: {answer['error']}")
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise LocalError(f"the gateway at {path} went away before it answered") from None
    return answer


def _encode(message: Mapping[str, Any]) -> bytes:
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"
