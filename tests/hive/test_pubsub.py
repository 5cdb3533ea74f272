"""Classes of fastapi-websocket-pubsub 1.x, as other programs use them, with a server and a connector of ours."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import original
import pubsub
import pytest
from programs import Program, script

DATA = {"n": 1, "text": 'é "\n', "list": [None, 1.5]}

# Subscribes the topics that it is given, prints what it is told, and publishes what it reads: lines of topic and data.
CLIENT = """
import asyncio, json, sys
from fastapi_websocket_pubsub import PubSubClient
from fastapi_websocket_pubsub.event_notifier import ALL_TOPICS

async def told(data, topic):
    print("GOT", topic, json.dumps(data))

async def main(url, *topics):
    client = PubSubClient()
    for topic in topics:
        client.subscribe(ALL_TOPICS if topic == "*" else topic, told)
    client.start_client(url)
    await client.wait_until_ready()
    print("READY")
    while line := await asyncio.to_thread(sys.stdin.readline):
        topic, data = line.split(" ", 1)
        print("SENT", (await client.publish([topic], data=json.loads(data))).result)

asyncio.run(main(*sys.argv[1:]))
"""

SERVER = """
import asyncio, json, sys
import uvicorn
from fastapi import FastAPI
from fastapi_websocket_pubsub import PubSubEndpoint

app, endpoint = FastAPI(), PubSubEndpoint()
endpoint.register_route(app, "/pubsub")

async def told(subscription, data):
    print("GOT", subscription.topic, json.dumps(data))

async def main(port, *topics):
    await endpoint.subscribe(topics, told)
    server = uvicorn.Server(uvicorn.Config(app, "127.0.0.1", int(port), log_level="warning"))
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    print("READY")
    while line := await asyncio.to_thread(sys.stdin.readline):
        topic, data = line.split(" ", 1)
        await endpoint.publish([topic], json.loads(data))

asyncio.run(main(*sys.argv[1:]))
"""

OURS = "connectors: {net: {pubsub_type: websocket, input_channel: here, init: {port: %d}}}\n"
OUR_SERVER = "servers: {net: {pubsub_type: websocket, create: always, init: {port: %d}}}\n"

Start = Callable[..., Program]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a program of the library."""
    try:
        python = pubsub.environment()
    except original.Unavailable as error:
        pytest.skip(str(error))
    programs: list[Program] = []

    def begin(source: str, *arguments: str) -> Program:
        words = [*script(source), *arguments]
        programs.append(Program(words, tmp_path, {"PYTHONPATH": ""}, str(python)))
        programs[-1].expect("READY")
        return programs[-1]

    yield begin
    for program in programs:
        program.release()


def test_its_client_and_our_server(start: Start, here: Any, wait_for: Any, port: int) -> None:
    ours = here(OURS % port + OUR_SERVER % port)
    got: list[Any] = []
    ours.events.hook(got.append, "here/a")
    url = f"ws://127.0.0.1:{port}/pubsub"
    one, all_topics = start(CLIENT, url, "net/other/b"), start(CLIENT, url, "*")
    ours.events.call("net/other/b", DATA)
    # The JSON text of the data, as 0.5.0 sends it.
    text = json.dumps(json.dumps(DATA))
    assert one.expect("GOT") == f"GOT net/other/b {text}"
    assert all_topics.expect("GOT") == f"GOT net/other/b {text}"
    one.tell("net/here/a " + json.dumps(DATA))
    one.tell("net/here/a " + text)
    assert one.expect("SENT") == "SENT True"
    wait_for(lambda: got == [DATA, DATA])
    assert all_topics.expect("GOT") == f"GOT net/here/a {json.dumps(DATA)}"


def test_its_server_and_our_connector(start: Start, here: Any, wait_for: Any, port: int) -> None:
    server = start(SERVER, str(port), "net/other/b")
    ours = here(OURS % port)
    got: list[Any] = []
    ours.events.hook(got.append, "here/a")
    ours.events.call("net/other/b", DATA)
    assert server.expect("GOT") == f"GOT net/other/b {json.dumps(json.dumps(DATA))}"
    client = start(CLIENT, f"ws://127.0.0.1:{port}/pubsub", "net/other/b")
    client.tell("net/here/a " + json.dumps(DATA))
    wait_for(lambda: got == [DATA])
    server.tell("net/here/a " + json.dumps(DATA))
    wait_for(lambda: got == [DATA, DATA])
    ours.events.call("net/other/b", [2])
    assert client.expect("GOT") == 'GOT net/other/b "[2]"'
