"""One target, fuzzed in a process of its own: `python worker.py JOB`, a JSON object as `supervisor.py` writes it.

It ends with 0, or with `FOUND_CODE` after it has written the finding to the job's file. libFuzzer, which is behind
atheris, ends the process itself.
"""

import importlib.util
import json
import logging
import os
import resource
import sys
import time
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any

import catalogue
from mutate import WORDS, Mutator
from region import Region

catalogue.extend_path()

from oracle import Finding, examine, require  # noqa: E402 (its path was just added)

FOUND_CODE = 77

# A parser of ours needs none of it; libraries and the coverage table need some 300 MB of addresses.
MEMORY_BYTES = 512 * 1024 * 1024
ADDRESS_BYTES = 2 * 1024 * 1024 * 1024

# Inputs between two looks at the memory of the process.
LOOK_EVERY = 256

# Hangs are the supervisor's.
NEVER_S = 1_000_000

ENGINES = ("atheris", "mutator")


class Reading(logging.Handler):
    """Makes the text of each record, as a program with a log does, and looks at it."""

    def emit(self, record: logging.LogRecord) -> None:
        """A record of the parser."""
        text = record.getMessage()
        require(text.isprintable(), f"control characters in the log: {text!r}")
        require(record.exc_info is None, f"an exception was logged: {text}: {record.exc_info}")


class Worker:
    """Gives inputs to a target, counts them, and ends the process at a finding."""

    def __init__(self, target: ModuleType, job: dict[str, Any]):
        self.target = target
        self._job = job
        self._region = Region(Path(job["region"]))
        self._count = 0
        self._end = time.monotonic() + job["seconds"] if job["seconds"] else None

    @property
    def over(self) -> bool:
        """True when its time is up."""
        return self._end is not None and time.monotonic() >= self._end

    def one(self, data: bytes) -> None:
        """Try one input."""
        self._count += 1
        self._region.put(self._count, data)
        try:
            examine(self.target, data)
            if self._count % LOOK_EVERY == 0:
                peak = peak_bytes(resource.RUSAGE_SELF)
                require(peak <= MEMORY_BYTES, f"{peak >> 20} MB after {self._count} inputs: not given back")
        except Exception as error:
            self._found(data, error)

    def _found(self, data: bytes, error: BaseException) -> None:
        what = str(error) if isinstance(error, Finding) else f"{type(error).__name__}: {error}"
        finding = {
            "kind": type(error).__name__.lower(),
            "input": data.hex(),
            "what": what[:1000],
            "trace": traceback.format_exc()[-4000:],
        }
        Path(self._job["finding"]).write_text(json.dumps(finding))
        os._exit(FOUND_CODE)


def peak_bytes(whose: int) -> int:
    """The most memory that this process, or the largest of its children, has had."""
    # In kilobytes, but for macOS.
    return resource.getrusage(whose).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def has_atheris() -> bool:
    """True where the coverage-guided engine is installed."""
    return importlib.util.find_spec("atheris") is not None


def read_log() -> None:
    """Have all that is logged formatted, and nothing shown."""
    root = logging.getLogger()
    root.handlers[:] = [Reading()]
    root.setLevel(logging.DEBUG)


def mutate(job: dict[str, Any]) -> None:
    """Fuzz without coverage."""
    worker = Worker(catalogue.load(job["target"], Path(job["folder"])), job)
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_BYTES, ADDRESS_BYTES))
    corpus = [path.read_bytes() for path in map(Path, job["corpus"])]
    for data in corpus:
        worker.one(data)
    mutator = Mutator(corpus, worker.target.LONGEST, job["seed"])
    left = (job["inputs"] or sys.maxsize) - len(corpus)
    while left > 0 and not worker.over:
        left -= 1
        worker.one(mutator.next())


def guide(job: dict[str, Any]) -> None:
    """Fuzz guided by the coverage of our own modules."""
    import atheris

    with atheris.instrument_imports(include=["eventhive", "micro"]):
        worker = Worker(catalogue.load(job["target"], Path(job["folder"])), job)
        # What a parser loads with its first input is to be covered as well.
        for path in job["corpus"]:
            worker.one(Path(path).read_bytes())
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_BYTES, ADDRESS_BYTES))
    atheris.Setup(command(worker.target.LONGEST, job), worker.one)
    atheris.Fuzz()


def command(longest: int, job: dict[str, Any]) -> list[str]:
    """The command line of libFuzzer, and the files that it names."""
    scratch = Path(job["scratch"])
    start, kept, dictionary = scratch / "start", scratch / "kept", scratch / "words"
    start.mkdir()
    kept.mkdir()
    for number, path in enumerate(job["corpus"]):
        (start / str(number)).write_bytes(Path(path).read_bytes())
    dictionary.write_text("".join([quoted(word) + "\n" for word in WORDS]))
    bound = f"-max_total_time={job['seconds']:.0f}" if job["seconds"] else f"-runs={job['inputs']}"
    limits = [f"-max_len={longest}", f"-rss_limit_mb={MEMORY_BYTES >> 20}", f"-timeout={NEVER_S}", bound]
    ways = [f"-seed={job['seed']}", f"-dict={dictionary}", f"-artifact_prefix={scratch}/", "-verbosity=0"]
    return [sys.argv[0], *limits, *ways, str(kept), str(start)]


def quoted(word: bytes) -> str:
    """A word in the format of libFuzzer's dictionaries."""
    return '"' + "".join([f"\\x{byte:02x}" for byte in word]) + '"'


if __name__ == "__main__":
    _job = json.loads(sys.argv[1])
    read_log()
    (guide if _job["engine"] == "atheris" else mutate)(_job)
