"""Programs of their own on a real Redis server, as users write them."""

import re
import signal
from collections.abc import Callable
from typing import Any

from redis_server import RedisServer

Run = Callable[..., Any]
Start = Callable[..., RedisServer]

CONNECTOR = "connectors: {{net: {{pubsub_type: redis, input_channel: '{channel}', init: {init}}}}}\n"


def program(server: RedisServer, channel: str, body: str, **init: Any) -> str:
    """A program with a connector, and then `body`."""
    keywords = ", ".join(f"{key}: {value}" for key, value in {"port": server.port, **init}.items())
    yaml = CONNECTOR.format(channel=channel, init=f"{{{keywords}}}")
    return f"import eventhive, sys, threading, time\neventhive.CONFIG.read_string({yaml!r})\n{body}"


PRINT = """
@eventhive.hook("worker/action")
def work(arg):
    print("got", arg)
    if arg == "raise":
        raise ValueError("on purpose")
eventhive.init()
print("ready")
"""
WAIT = PRINT + "threading.Event().wait()\n"
CALL = """
eventhive.init()
print("ready")
for line in sys.stdin:
    eventhive.EVENTS.call("net/worker/action", line.strip())
"""


def client(server: RedisServer) -> Any:
    """A client of the server that knows nothing of EventHive."""
    import redis

    return redis.Redis(port=server.port)


def test_a_burst_arrives_whole_and_in_order(run: Run, redis_server: RedisServer) -> None:
    count = """
seen = []
done = threading.Event()
@eventhive.hook("worker/burst")
def burst(arg):
    seen.append(arg["number"])
    if len(seen) == 20_000:
        done.set()
eventhive.init()
print("ready")
assert done.wait(20), len(seen)
print("in order" if seen == list(range(20_000)) else "out of order")
"""
    call = """
eventhive.init()
for number in range(20_000):
    eventhive.EVENTS.call("net/worker/burst", {"number": number})
"""
    worker = run(program(redis_server, "worker", count))
    worker.expect("ready")
    # It ends right after the last call: nothing is lost by that.
    run(program(redis_server, "", call)).end()
    worker.expect("in order")
    worker.end()


def test_a_server_that_is_killed_in_mid_traffic(run: Run, redis_server: RedisServer) -> None:
    worker = run(program(redis_server, "worker", WAIT))
    queen = run(program(redis_server, "queen", CALL))
    for one in (worker, queen):
        one.expect("ready")
    queen.tell("before")
    worker.expect("got before")
    redis_server.kill()
    for one in (worker, queen):
        one.expect(f"net: waiting for redis://localhost:{redis_server.port}/0: ")
    # The worker has to be back first: Redis keeps nothing for who is away.
    queen.process.send_signal(signal.SIGSTOP)
    redis_server.start()
    with client(redis_server) as other:
        while not other.publish("net/worker/action", '"probe"'):
            pass
    for number in range(100):
        queen.tell(f"outage {number}")
    queen.process.send_signal(signal.SIGCONT)
    for number in range(100):
        worker.expect(f"got outage {number}")


def test_poison_and_raising_hooks_leave_a_worker_alive(run: Run, redis_server: RedisServer) -> None:
    worker = run(program(redis_server, "worker", WAIT))
    worker.expect("ready")
    with client(redis_server) as other:
        for poison in (b"{", b"\xff", b"", b'"raise"', b"[" * 5000, b'"raise"'):
            assert other.publish("net/worker/action", poison) == 1
        assert other.publish("net/worker/action", '{"still": "alive"}') == 1
    worker.expect("got {'still': 'alive'}")
    assert worker.lines.count("got raise") == 2
    assert any("net/worker/action" in line and "not JSON" in line for line in worker.lines)
    assert sum("raised ValueError: on purpose" in line for line in worker.lines) == 2


def test_an_idle_worker_uses_no_processor(run: Run, redis_server: RedisServer) -> None:
    measure = """
before = time.process_time(), time.monotonic()
threading.Event().wait(1.5)
spent = (time.process_time() - before[0]) / (time.monotonic() - before[1])
print(f"spent {spent:.4f}")
"""
    worker = run(program(redis_server, "worker", PRINT + measure))
    spent = float(worker.expect("spent").split()[1])
    worker.end()
    assert spent < 0.02


def test_events_that_are_declared_later(run: Run, redis_server: RedisServer) -> None:
    body = """
@eventhive.hook("worker/answer")
def answer(arg):
    print("answered", arg)
eventhive.init()
eventhive.EVENTS.append("net/queen/late")
print("ready")
input()
eventhive.EVENTS.call("net/queen/late", 1)
input()
"""
    late = """
eventhive.init()
@eventhive.hook("queen/late")
def late(arg):
    eventhive.EVENTS.call("net/worker/answer", arg + 1)
print("ready")
input()
"""
    queen = run(program(redis_server, "queen", late))
    worker = run(program(redis_server, "worker", body))
    for one in (queen, worker):
        one.expect("ready")
    with client(redis_server) as other:
        while other.pubsub_numsub("net/queen/late") != [(b"net/queen/late", 1)]:
            pass
    worker.tell()
    worker.expect("answered 2")
    for one in (queen, worker):
        one.tell()
        one.end()


def test_two_connectors_publish_each_event_once_and_only_on_its_own(run: Run, start_redis: Start) -> None:
    first, second = start_redis(), start_redis()
    body = f"""
eventhive.CONFIG.read_string("connectors: {{other: {{pubsub_type: redis, init: {{port: {second.port}}}}}}}")
@eventhive.hook("*")
def everything(arg):
    pass
eventhive.init()
eventhive.EVENTS.append(["local", "worker/local", "net/x/1", "other/x/2"])
for event in eventhive.events():
    eventhive.EVENTS.call(event, {{"event": event}})
"""
    heard = []
    for server in (first, second):
        subscriber = client(server).pubsub(ignore_subscribe_messages=False)
        subscriber.psubscribe("*")
        assert subscriber.get_message(timeout=10)["type"] == "psubscribe"
        heard.append(subscriber)
    run(program(first, "worker", body)).end()
    for server, subscriber, event in ((first, heard[0], "net/x/1"), (second, heard[1], "other/x/2")):
        with client(server) as other:
            other.publish("end", "")
        messages = [subscriber.get_message(timeout=10) for _ in range(2)]
        assert [(one["channel"].decode(), one["data"]) for one in messages] == [
            (event, b'{"event": "%s"}' % event.encode()),
            ("end", b""),
        ]
        subscriber.close()


def test_a_process_does_not_hear_itself(run: Run, redis_server: RedisServer) -> None:
    body = PRINT + "for line in sys.stdin:\n    eventhive.EVENTS.call('net/worker/action', line.strip())\n"
    one, two = (run(program(redis_server, "worker", body)) for _ in range(2))
    for each in (one, two):
        each.expect("ready")
    one.tell("of one")
    two.expect("got of one")
    two.tell("of two")
    one.expect("got of two")
    assert not any("of one" in line for line in one.lines)


def test_a_wrong_password_is_one_line(run: Run, start_redis: Start) -> None:
    server = start_redis("--requirepass", "right")
    body = """
try:
    eventhive.init(required=["net"])
except eventhive.ConnectorInitializationException as error:
    print("error:", error)
"""
    output = run(program(server, "worker", body, password="wr0ng")).end()
    assert re.search(
        r"^error: connector 'net' is required: waiting for redis://localhost:\d+/0: .*password", output, re.M
    )
    assert "wr0ng" not in output and "Traceback" not in output
    assert len(output.splitlines()) == 2


def test_stopping_has_a_deadline(run: Run, redis_server: RedisServer) -> None:
    body = """
eventhive.init()
print("ready")
input()
eventhive.EVENTS.call("net/worker/action", 1)
started = time.monotonic()
eventhive.stop(0.3)
print("stopped in time" if time.monotonic() - started < 5 else "late")
"""
    queen = run(program(redis_server, "queen", body))
    queen.expect("ready")
    redis_server.freeze()
    queen.tell()
    queen.expect("net: 1 events were not sent in time")
    queen.expect("stopped in time")
    queen.end()
