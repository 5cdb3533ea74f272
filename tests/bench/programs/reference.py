"""What rates are compared with: `websockets` as it comes, one request and its answer at a time on each connection.

`reference.py serve` answers each message with itself and prints {"port": n}. `reference.py ask` is told {"connect": n,
"port": p} and then {"run": n, "connections": c}, and answers {"start_ns", "end_ns"}. Both end with their input.
"""

import asyncio
import json
import os
import sys
import threading
import time
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve

# The JSON of one event of the benchmark that this stands beside.
PAYLOAD = b'{"celsius":21.5,"device":10,"n":1000000}'


async def echo(connection: ServerConnection) -> None:
    async for message in connection:
        await connection.send(message)


async def serve_forever() -> None:
    async with serve(echo, "127.0.0.1", 0, compression=None) as server:
        print(json.dumps({"port": next(iter(server.sockets)).getsockname()[1]}), flush=True)
        await asyncio.Event().wait()


def end_with_input() -> None:
    sys.stdin.read()
    os._exit(0)


async def ask(connection: ClientConnection, count: int) -> None:
    for _ in range(count):
        await connection.send(PAYLOAD)
        assert await connection.recv() == PAYLOAD


async def run(connections: list[ClientConnection], count: int) -> dict[str, Any]:
    start = time.monotonic_ns()
    each = count // len(connections)
    await asyncio.gather(*[ask(connection, each) for connection in connections])
    return {"sent": each * len(connections), "start_ns": start, "end_ns": time.monotonic_ns()}


async def ask_forever() -> None:
    connections: list[ClientConnection] = []
    while line := await asyncio.to_thread(sys.stdin.readline):
        question = json.loads(line)
        if "connect" in question:
            uri = f"ws://127.0.0.1:{question['port']}"
            connections = [await connect(uri, compression=None) for _ in range(question["connect"])]
            answer: dict[str, Any] = {"connected": len(connections)}
        else:
            answer = await run(connections[: question["connections"]], question["run"])
        print(json.dumps(answer), flush=True)
    os._exit(0)


if sys.argv[1] == "serve":
    threading.Thread(target=end_with_input, daemon=True).start()
    asyncio.run(serve_forever())
else:
    asyncio.run(ask_forever())
