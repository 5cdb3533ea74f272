"""Programs that run until somebody ends them."""

from collections.abc import Callable
from typing import Any

Run = Callable[..., Any]

WORKER = """
import eventhive
eventhive.CONFIG.read_string('''
connectors: {my-hive: {pubsub_type: websocket, input_channel: worker, init: {port: %d}}}
servers: {my-hive: {pubsub_type: websocket, create: always, init: {host: 127.0.0.1, port: %d}}}
''')

@eventhive.hook("worker/action")
def work(what):
    print(what)
    if what == "before the end":
        eventhive.EVENTS.call("my-hive/caller/end")

eventhive.init()
print("ready")
eventhive.run_forever()
"""

CALLER = """
import os, signal, eventhive
eventhive.CONFIG.read_string('''
connectors: {my-hive: {pubsub_type: websocket, input_channel: caller, init: {port: %d}}}
''')

@eventhive.hook("caller/end")
def end(data):
    while signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    # Stopping waits for this hook.
    while eventhive.EVENTS.declared:
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    eventhive.EVENTS.call("my-hive/worker/action", "at the end")

eventhive.init()
eventhive.EVENTS.call("my-hive/worker/action", "before the end")
eventhive.run_forever()
print("ended")
"""

# The signal comes at the first call of what the main thread does in there, then at the second, and so on, until it
# comes while that waits.
AT_EACH_CALL = """
import os, signal, sys, threading, eventhive

mine = lambda number, frame: None
signal.signal(signal.SIGTERM, mine)

def waits(at):
    calls, ended, late = 0, threading.Event(), False

    def step(frame, what, argument):
        nonlocal calls
        if signal.getsignal(signal.SIGTERM) is not mine:
            calls += 1
            if calls == at:
                os.kill(os.getpid(), signal.SIGTERM)

    def wait():
        nonlocal late
        if not ended.wait(0.5):
            late = True
            os.kill(os.getpid(), signal.SIGTERM)

    waiting = threading.Thread(target=wait)
    waiting.start()
    sys.setprofile(step)
    eventhive.run_forever()
    sys.setprofile(None)
    ended.set()
    waiting.join()
    return late

at = 1
while not waits(at):
    at += 1
print(at)
"""


def test_sigterm_flushes_and_a_second_one_cuts_nothing_short(run: Run, port: int) -> None:
    worker = run(WORKER % (port, port))
    worker.expect("ready")
    assert run(CALLER % port).end().splitlines()[-1] == "ended"
    worker.expect("before the end")
    worker.expect("at the end")


def test_a_signal_at_any_moment(run: Run) -> None:
    assert int(run(AT_EACH_CALL).end()) > 2
