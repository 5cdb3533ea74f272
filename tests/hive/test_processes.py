"""Workers and queens in processes of their own, as users write them."""

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]

CONNECTOR = """
connectors:
  my-hive: {{pubsub_type: fastapi, input_channel: '{channel}', init: {{port: {port}, endpoint: /pubsub}}}}
"""
SERVER = """
servers:
  my-hive: {{pubsub_type: fastapi, create: always, broadcast: false, init: {{host: 127.0.0.1, port: {port}}}}}
"""


def program(port: int, channel: str, body: str, server: bool = False, more: str = "") -> str:
    """A program with a connector, perhaps a server, and then `body`."""
    yaml = (CONNECTOR + (SERVER if server else "")).format(port=port, channel=channel) + more
    return f"import eventhive, sys, threading\neventhive.CONFIG.read_string({yaml!r})\n{body}"


LISTEN = """
done = threading.Event()
@eventhive.hook("worker/action")
def work(arg):
    print("Working with:", arg)
eventhive.init()
print("ready")
done.wait()
"""


WORKER_PAGE = """
import eventhive
eventhive.CONFIG.read_string('''
connectors:
  my-hive:
    pubsub_type: fastapi
    input_channel: 'worker'
    init:
      host: 127.0.0.1
      port: 8085
      endpoint: /pubsub
''')
eventhive.EVENTS.append("worker/action")

@eventhive.hook("worker/action")
def work(arg): print("Working with: %s" % arg)

eventhive.init()
print("ready")
input()
"""

QUEEN_PAGE = """
import eventhive
eventhive.CONFIG.read_string('''
connectors:
  my-hive:
    pubsub_type: fastapi
    input_channel: 'queen'
    init:
      host: 127.0.0.1
      port: 8085
      endpoint: /pubsub

servers:
  my-hive:
    pubsub_type: fastapi
    create: always
    broadcast: false
    init:
      host: 0.0.0.0
      port: 8085
      endpoint: /pubsub
''')
eventhive.EVENTS.append("my-hive/worker/action")
eventhive.init()
print("ready")
input()
eventhive.EVENTS.call("my-hive/worker/action", {"param1":1, "param2":2})
"""


def test_the_programs_of_the_first_page(run: Run, port: int) -> None:
    queen = run(QUEEN_PAGE.replace("8085", str(port)))
    queen.expect("ready")
    worker = run(WORKER_PAGE.replace("8085", str(port)))
    worker.expect("ready")
    queen.tell()
    worker.expect("Working with: {'param1': 1, 'param2': 2}")
    worker.tell()
    worker.end()
    assert re.search(r"my-hive: anyone who can reach 0\.0\.0\.0:\d+ can read and send", queen.end())


BURST = """
for number in range(5000):
    eventhive.EVENTS.call("my-hive/%s/burst", {"number": number})
"""
COUNT = """
seen = []
done = threading.Event()
@eventhive.hook("%s/burst")
def count(arg):
    seen.append(arg["number"])
    if len(seen) == 5000:
        done.set()
eventhive.init()
print("ready")
assert done.wait(20), len(seen)
print("in order" if seen == list(range(5000)) else "out of order")
"""


@pytest.mark.parametrize("server_calls", [True, False])
def test_a_burst_arrives_whole_and_in_order(run: Run, port: int, server_calls: bool) -> None:
    calls = "eventhive.init()\nprint('ready')\ninput()\n" + BURST
    if server_calls:
        first = run(program(port, "queen", calls % "worker", server=True))
        first.expect("ready")
        second = run(program(port, "worker", COUNT % "worker"))
        second.expect("ready")
        first.tell()
        second.expect("in order")
    else:
        first = run(program(port, "queen", COUNT % "queen", server=True))
        first.expect("ready")
        second = run(program(port, "worker", calls % "queen"))
        second.expect("ready")
        second.tell()
        first.expect("in order")
    first.end()
    second.end()


def test_an_exit_right_after_a_call_loses_nothing(run: Run, port: int) -> None:
    queen = run(
        program(
            port,
            "queen",
            LISTEN.replace("worker/action", "queen/action").replace("done.wait()", "input()"),
            server=True,
        )
    )
    queen.expect("ready")
    caller = run(program(port, "", "eventhive.init()\neventhive.EVENTS.call('my-hive/queen/action', {'last': 1})"))
    caller.end()
    queen.expect("Working with: {'last': 1}")


def test_the_server_itself_may_exit_right_after_a_call(run: Run, port: int) -> None:
    body = "eventhive.init()\nprint('ready')\ninput()\n" + BURST % "worker"
    queen = run(program(port, "queen", body, server=True))
    queen.expect("ready")
    worker = run(program(port, "worker", COUNT % "worker"))
    worker.expect("ready")
    queen.tell()
    queen.end()
    worker.expect("in order")


def test_events_of_an_outage_arrive_when_the_server_is_back(run: Run, port: int) -> None:
    echo = """
seen = []
@eventhive.hook("queen/event")
def event(arg):
    print("queen got", arg)
    eventhive.EVENTS.call("my-hive/worker/answer", arg)
eventhive.init()
print("ready")
threading.Event().wait()
"""
    call = """
@eventhive.hook("worker/answer")
def answer(arg):
    print("answered", arg)
eventhive.init()
print("ready")
for line in sys.stdin:
    eventhive.EVENTS.call("my-hive/queen/event", line.strip())
    print("called", line.strip())
"""
    queen = run(program(port, "queen", echo, server=True))
    queen.expect("ready")
    worker = run(program(port, "worker", call))
    worker.expect("ready")
    worker.tell("before")
    worker.expect("answered before")
    queen.kill()
    worker.expect("my-hive: waiting for ws://")
    for number in range(3):
        worker.tell(f"outage {number}")
        worker.expect(f"called outage {number}")
    queen = run(program(port, "queen", echo, server=True))
    for number in range(3):
        queen.expect(f"queen got outage {number}")
    worker.tell("after")
    worker.expect("answered after")
    output = "\n".join(queen.lines)
    assert output.count("queen got outage 1") == 1


def test_a_worker_may_start_before_the_server(run: Run, port: int) -> None:
    worker = run(program(port, "worker", "import logging\nlogging.basicConfig(level=logging.INFO)\n" + LISTEN))
    worker.expect("my-hive: waiting for ws://")
    worker.expect("ready")
    queen = run(program(port, "queen", "eventhive.init()\nprint('ready')\nthreading.Event().wait()", server=True))
    queen.expect("ready")
    worker.expect("my-hive: connected to ws://")
    run(program(port, "", "eventhive.init()\neventhive.EVENTS.call('my-hive/worker/action', 5)")).end()
    worker.expect("Working with: 5")


def test_own_events_are_not_received(run: Run, port: int) -> None:
    both = """
@eventhive.hook("group/news")
def news(arg):
    print(sys.argv[0], "got", arg)
eventhive.init()
print("ready")
for line in sys.stdin:
    eventhive.EVENTS.call("my-hive/group/news", line.strip())
"""
    first = run(program(port, "group", both, server=True))
    first.expect("ready")
    second = run(program(port, "group", both))
    second.expect("ready")
    first.tell("from the first")
    second.expect("got from the first")
    second.tell("from the second")
    first.expect("got from the second")
    assert not [line for line in first.lines if "from the first" in line]
    first.tell("again")
    second.expect("got again")
    assert not [line for line in second.lines if "from the second" in line]


def test_events_declared_after_init(run: Run, port: int) -> None:
    late = """
eventhive.init()
@eventhive.hook("worker/late")
def late(arg):
    print("late got", arg, eventhive.get_event_name())
print("ready")
threading.Event().wait()
"""
    worker = run(program(port, "worker", late, server=True))
    worker.expect("ready")
    queen = run(program(port, "queen", "eventhive.init()\neventhive.EVENTS.call('my-hive/worker/late', [1])"))
    queen.end()
    worker.expect("late got [1] worker/late")
    second = run(program(port, "worker", late))
    second.expect("ready")
    queen = run(
        program(
            port,
            "queen",
            "eventhive.init()\neventhive.EVENTS.call('my-hive/worker/late', 2)",
        )
    )
    queen.end()
    second.expect("late got 2")


def test_a_raising_hook_harms_nobody(run: Run, port: int) -> None:
    hooks = """
@eventhive.hook("worker/action")
def first(arg): raise ValueError("no good: %s" % arg)
@eventhive.hook("worker/action")
def second(arg): sys.exit(3)
@eventhive.hook("worker/action")
def third(arg): print("third got", arg)
eventhive.init()
print("ready")
threading.Event().wait()
"""
    worker = run(program(port, "worker", hooks, server=True))
    worker.expect("ready")
    queen = run(program(port, "", "eventhive.init()\n" + "eventhive.EVENTS.call('my-hive/worker/action', 1)\n" * 2))
    queen.end()
    for _ in range(2):
        worker.expect("worker/action: hook first raised ValueError: no good: 1")
        worker.expect("worker/action: sys.exit() in a hook does not end the program")
    assert not [line for line in worker.lines if "Traceback" in line]


def test_a_port_in_use_is_one_line(run: Run, port: int) -> None:
    queen = run(program(port, "queen", "eventhive.init()\nprint('ready')\ninput()", server=True))
    queen.expect("ready")
    body = """
try:
    eventhive.init()
except eventhive.LocalError as error:
    print("failed:", error)
"""
    second = run(program(port, "queen", body, server=True)).end()
    assert (
        second == f"failed: cannot listen on 127.0.0.1:{port}: another program listens there: stop it, or configure "
        "another port"
    )
    third = run(
        program(
            port,
            "third",
            "eventhive.init()\nprint(sorted(eventhive.SERVERS), eventhive.CONNECTORS)\n"
            "eventhive.EVENTS.call('my-hive/queen/x', 1)",
            server=True,
        ).replace("always", "needed")
    ).end()
    assert third.startswith("[] {'my-hive'")


def test_what_was_not_configured_well(run: Run, port: int) -> None:
    body = """
eventhive.EVENTS.call("my-hive/a/b", 1)
eventhive.init()
for name in ("other/a/b", "other/a/c", "more/a/b"):
    assert eventhive.EVENTS.call(name, 1) == {name: {name.split("/")[0]: False}}
for data in (object(), {1, 2}, b"bytes"):
    try:
        eventhive.EVENTS.call("my-hive/a/b", data)
    except eventhive.LocalError as error:
        print(error)
try:
    eventhive.EVENTS.call("my-hive/a/b", "x" * 1100000)
except eventhive.LimitError as error:
    print(error)
eventhive.stop()
try:
    eventhive.init(required=["my-hive", "gone"])
except eventhive.ConnectorInitializationException as error:
    print(error)
eventhive.init()
"""
    output = run(program(port, "", body, server=True)).end().splitlines()
    assert output[0] == "my-hive/a/b is not sent: eventhive.init() was not called"
    assert output[1] == "other/a/b is not sent: there is no connector 'other' (there are: my-hive)"
    assert output[2] == "more/a/b is not sent: there is no connector 'more' (there are: my-hive)"
    assert output[3] == "data of an event must be JSON: Object of type object is not JSON serializable"
    assert output[6].startswith("1100006 bytes of data: a hive carries ")
    assert output[7:] == ["connector 'gone' is required, but not configured"]


def test_a_required_network_that_is_away(run: Run, port: int) -> None:
    body = """
try:
    eventhive.init(["my-hive"])
except eventhive.ConnectorInitializationException as error:
    print(error)
"""
    output = run(program(port, "worker", body)).end()
    assert f"connector 'my-hive' is required: waiting for ws://127.0.0.1:{port}/pubsub: Connection refused" in output


def test_metadata_is_added_where_it_is_wanted_and_the_data_of_the_caller_is_left_alone(run: Run, port: int) -> None:
    worker = run(program(port, "worker", LISTEN, server=True))
    worker.expect("ready")
    body = """
eventhive.init()
data = {"a": 1}
eventhive.EVENTS.call("my-hive/worker/action", data)
data["a"] = 2
assert data == {"a": 2}
"""
    run(program(port, "", body, more="eventhive: {remove_metadata: false}")).end()
    line = worker.expect("Working with: {'a': 1, '__eventhive__': {'time': ")
    assert "'event': 'my-hive/worker/action'" in line


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_configuration_files_are_found(run: Run, port: int, tmp_path: Path) -> None:
    (tmp_path / "eventhive.yaml").write_text("connectors: {from-folder: {pubsub_type: memory}}")
    (tmp_path / "other.yaml").write_text("connectors: {from-variable: {pubsub_type: memory}}")
    body = "import eventhive\neventhive.init()\nprint(list(eventhive.CONNECTORS))"
    assert run(body).end() == "['from-folder']"
    assert run(body, EVENTHIVE_CONFIG="other.yaml").end() == "['from-variable']"
    # What a program reads lies over the file, as in 0.5.0.
    read = body.replace("init()", "CONFIG.read_string('connectors: {more: {pubsub_type: memory}}')\neventhive.init()")
    assert run(read).end() == "['from-folder', 'more']"


def test_importing_loads_nothing_heavy(run: Run) -> None:
    heavy = ["asyncio", "websockets", "yaml", "dataclasses", "Crypto", "zeroconf", "serial", "uuid", "json"]
    output = run(f"import sys, eventhive\nprint([name for name in {heavy} if name in sys.modules])").end()
    assert output == "[]"


def test_nothing_that_is_called_at_the_end_can_hang_the_exit(run: Run, port: int) -> None:
    body = """
import time
@eventhive.hook("worker/action")
def slow(arg):
    print("slow")
    time.sleep(3600)
eventhive.init()
print("ready")
input()
eventhive.stop(0.5)
print("stopped")
"""
    worker = run(program(port, "worker", body, server=True))
    worker.expect("ready")
    run(program(port, "", "eventhive.init()\neventhive.EVENTS.call('my-hive/worker/action', 1)\n" * 1)).end()
    worker.expect("slow")
    worker.tell()
    worker.expect("stopped")
    worker.end()


def test_hooks_may_call_while_the_program_stops(run: Run) -> None:
    body = """
import asyncio, eventhive, threading
eventhive.CONFIG.read_string("connectors: {net: {pubsub_type: memory, input_channel: here}}")
@eventhive.hook("here/event")
def hooked(data):
    while not hive._stopped:
        threading.Event().wait(0.005)
    print(eventhive.EVENTS.call("net/there/answer", data)["net/there/answer"]["net"])
eventhive.init()
hive = eventhive._hive
hive.loop.call_soon_threadsafe(hive.networks["net"].publish, "net/here/event", 1)
hive.run_in_loop(asyncio.sleep(0))
eventhive.stop()
"""
    assert run(body).end() == "True"
