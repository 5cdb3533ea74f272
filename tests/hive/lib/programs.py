"""Programs of a hive as processes."""

import contextlib
import os
import queue
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path
from typing import IO

ROOT = Path(__file__).parents[3]
DEADLINE = 20.0


class Lines:
    """The lines of a stream, read as they come; `seen` are those that were waited for, or passed on the way."""

    def __init__(self, stream: IO[str]):
        self.seen: list[str] = []
        self._queue: queue.Queue[str | None] = queue.Queue()
        self._reader = threading.Thread(target=self._read, args=(stream,), daemon=True)
        self._reader.start()

    def expect(self, text: str, seconds: float = DEADLINE) -> str:
        """Wait for a line that contains `text`."""
        end = time.monotonic() + seconds
        while True:
            try:
                line = self._queue.get(timeout=max(end - time.monotonic(), 0.01))
            except queue.Empty:
                line = None
            if line is None:
                raise AssertionError(f"no line with {text!r} in:\n" + "\n".join(self.seen))
            self.seen.append(line)
            if text in line:
                return line

    def rest(self, seconds: float = DEADLINE) -> list[str]:
        """All lines, those seen before too, once the stream has ended."""
        while (line := self._queue.get(timeout=seconds)) is not None:
            self.seen.append(line)
        return self.seen

    def join(self) -> None:
        """Wait for the end of the stream."""
        self._reader.join()

    def _read(self, stream: IO[str]) -> None:
        for line in stream:
            self._queue.put(line.rstrip("\n"))
        self._queue.put(None)


class Program:
    """A Python program in a process of its own, whose output is read line by line: `words` are its file, or options."""

    def __init__(self, words: list[str], folder: Path, environment: dict[str, str], python: str = sys.executable):
        self.folder = folder
        self.process = subprocess.Popen(
            [python, *words],
            cwd=folder,
            # Buffered, so that a line leaves in one write and no line of a log gets into it.
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "", **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        assert self.process.stdout
        self._output = Lines(self.process.stdout)
        self.lines = self._output.seen
        self.expect = self._output.expect

    def tell(self, line: str = "") -> None:
        """Write a line to its standard input."""
        assert self.process.stdin
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def end(self) -> str:
        """Wait until it has ended by itself; returns all it wrote."""
        code = self.process.wait(DEADLINE)
        output = "\n".join(self._output.rest())
        assert code == 0, output
        return output

    def kill(self) -> None:
        """End it as a crash would, and with it whatever it has started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def release(self) -> None:
        """See that nothing is left of it."""
        self.kill()
        self._output.join()
        for stream in (self.process.stdin, self.process.stdout):
            assert stream
            # What was told to one that had ended is still in the pipe.
            with contextlib.suppress(BrokenPipeError):
                stream.close()


def script(source: str) -> list[str]:
    """The words of a program whose lines leave as soon as they end."""
    return ["-c", "import sys; sys.stdout.reconfigure(line_buffering=True)\n" + textwrap.dedent(source)]
