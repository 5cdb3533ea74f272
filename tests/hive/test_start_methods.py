"""Servers and workers under each way of multiprocessing to start a process, and what a signal leaves behind."""

import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]

PROGRAM = """
import multiprocessing
import sys

import eventhive

def configure(channel, server):
    text = "connectors: {net: {pubsub_type: fastapi, input_channel: %s, init: {port: PORT}}}"
    eventhive.CONFIG.read_string(text % channel)
    if server:
        eventhive.CONFIG.read_string(
            "servers: {net: {pubsub_type: fastapi, create: always, init: {host: 127.0.0.1, port: PORT}}}"
        )

def work(questions, answers):
    configure("worker", server=True)

    @eventhive.hook("worker/action")
    def action(data):
        eventhive.EVENTS.call("net/queen/answer", data + 1)

    eventhive.init()
    answers.put("ready")
    questions.get()

if __name__ == "__main__":
    context = multiprocessing.get_context(sys.argv[1])
    questions, answers = context.Queue(), context.Queue()
    child = context.Process(target=work, args=(questions, answers))
    child.start()
    assert answers.get(timeout=20) == "ready"
    configure("queen", server=False)

    @eventhive.hook("queen/answer")
    def answer(data):
        answers.put(data)

    eventhive.init(required=["net"])
    eventhive.EVENTS.call("net/worker/action", 41)
    print("answer:", answers.get(timeout=20))
    questions.put("end")
    child.join(20)
    print("exit code:", child.exitcode)
"""

SERVER = """
import eventhive, signal, threading
eventhive.CONFIG.read_string("servers: {net: {pubsub_type: fastapi, create: always, init: {port: PORT}}}")
eventhive.init()
"""
WAIT = """
print("ready", flush=True)
threading.Event().wait()
"""
RUN_FOREVER = """
def tell():
    while signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        pass
    print("ready", flush=True)
threading.Thread(target=tell).start()
eventhive.run_forever()
"""


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_start_methods(tmp_path: Path, port: int, method: str) -> None:
    script = tmp_path / "program.py"
    script.write_text(PROGRAM.replace("PORT", str(port)))
    done = subprocess.run(
        [sys.executable, str(script), method],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.stdout, done.returncode) == ("answer: 42\nexit code: 0\n", 0), done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="process groups and signals of POSIX")
@pytest.mark.parametrize(("rest", "code"), [(WAIT, -signal.SIGTERM), (RUN_FOREVER, 0)])
def test_sigterm_leaves_no_process(
    tmp_path: Path, port: int, wait_for: Callable[..., None], rest: str, code: int
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", (SERVER + rest).replace("PORT", str(port))],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdout and process.stdout.readline() == b"ready\n"
    process.terminate()
    process.stdout.close()
    assert process.wait(20) == code

    def is_alone() -> bool:
        try:
            os.killpg(process.pid, 0)
        except ProcessLookupError:
            return True
        return False

    wait_for(is_alone)


def test_a_program_that_forgets_to_stop_ends(run: Any, port: int) -> None:
    assert run(SERVER.replace("PORT", str(port))).end() == ""
