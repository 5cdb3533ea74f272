"""Runs workers, one for each target, and collects what they found."""

import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import catalogue
from region import Region
from worker import FOUND_CODE, peak_bytes

# No input takes longer than a fraction of this, even on a busy machine; what does hangs.
STALL_S = 20.0
# To load a target, on a busy machine, before its first input.
START_S = 60.0

POLL_S = 0.5
PROGRESS_S = 10.0

# A worker has at least this: below, its start is all there is.
LEAST_S = 1.0


@dataclass(frozen=True)
class Plan:
    """What a run is to do: `inputs` or `seconds` in all, of these targets, on `jobs` processes at a time."""

    targets: tuple[str, ...]
    engine: str
    seed: int
    jobs: int
    inputs: int = 0
    seconds: float = 0.0
    folder: Path = catalogue.TARGETS
    corpus: Path = catalogue.CORPUS
    save: Path = catalogue.CORPUS


@dataclass(frozen=True)
class Finding:
    """An input that a parser fails at, in hexadecimal, where it was saved, and the command that replays it."""

    target: str
    what: str
    input: str
    saved: str
    replay: str
    trace: str = ""


@dataclass(frozen=True)
class Report:
    """What a run has done."""

    inputs: int
    by_target: dict[str, int]
    findings: list[Finding]
    seconds: float
    seed: int
    engine: str
    rss_peak_bytes: int

    def as_json(self) -> str:
        """One line."""
        return json.dumps(asdict(self))


def run(plan: Plan, tell: Callable[[str], None]) -> Report:
    """Fuzz all targets of the plan; `tell` gets a line now and then."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="eventhive-fuzz-") as scratch, ThreadPoolExecutor(plan.jobs) as pool:
        runs = [_Run(plan, name, inputs, Path(scratch), tell) for name, inputs in shares(plan)]
        findings = [one for one in pool.map(_Run.supervise, runs) if one is not None]
    counts = {one.target: one.count for one in runs}
    peak = peak_bytes(resource.RUSAGE_CHILDREN)
    seconds = round(time.monotonic() - began, 1)
    return Report(sum(counts.values()), counts, findings, seconds, plan.seed, plan.engine, peak)


def shares(plan: Plan) -> Iterator[tuple[str, int]]:
    """How many inputs each target gets; 0 where the time is what bounds it."""
    weights = {name: catalogue.load(name, plan.folder).SHARE for name in plan.targets}
    total, left = sum(weights.values()), plan.inputs
    for name, weight in sorted(weights.items(), key=lambda item: item[1]):
        share = left * weight // total
        left, total = left - share, total - weight
        yield name, share


class _Run:
    def __init__(self, plan: Plan, target: str, inputs: int, scratch: Path, tell: Callable[[str], None]):
        self.target = target
        self.count = 0
        self._plan = plan
        self._tell = tell
        self._folder = scratch / target
        self._inputs = inputs

    def supervise(self) -> Finding | None:
        """Run the worker to its end."""
        self._folder.mkdir()
        region = Region(self._folder / "region", make=True)
        began = time.monotonic()
        with (self._folder / "log").open("wb") as log:
            words = [sys.executable, str(Path(__file__).with_name("worker.py")), json.dumps(self._job(region))]
            # The files that targets make for their parsers go with it.
            environment = {**os.environ, "TMPDIR": str(self._folder)}
            process = subprocess.Popen(words, stdout=log, stderr=log, cwd=self._folder, env=environment)
            try:
                hung = self._watch(process, region)
            finally:
                process.kill()
                process.wait()
        self.count = region.count
        self._tell(f"{self.target}: {self.count} inputs in {time.monotonic() - began:.1f} s")
        return self._finding(process.returncode, region, hung)

    def _job(self, region: Region) -> dict[str, Any]:
        plan = self._plan
        seconds = max(plan.seconds * plan.jobs / len(plan.targets), LEAST_S) if plan.seconds else 0
        return {
            "target": self.target,
            "folder": str(plan.folder),
            "corpus": [str(path) for path in catalogue.entries(self.target, plan.corpus)],
            "engine": plan.engine,
            "seed": plan.seed,
            "inputs": self._inputs,
            "seconds": seconds,
            "region": str(region.path),
            "finding": str(self._folder / "finding"),
            "scratch": str(self._folder),
        }

    def _watch(self, process: "subprocess.Popen[bytes]", region: Region) -> bool:
        """Wait for its end; True where it makes no progress."""
        before, since, told = 0, time.monotonic(), time.monotonic()
        while True:
            try:
                process.wait(POLL_S)
                return False
            except subprocess.TimeoutExpired:
                now, count = time.monotonic(), region.count
            if count != before:
                before, since = count, now
            elif now - since > (STALL_S if count else START_S):
                return True
            if now - told >= PROGRESS_S:
                told = now
                self._tell(f"{self.target}: {count} inputs so far")

    def _finding(self, code: int, region: Region, hung: bool) -> Finding | None:
        record = self._folder / "finding"
        if code == FOUND_CODE and record.exists():
            found = json.loads(record.read_text())
            return self._made(found["kind"], found["what"], bytes.fromhex(found["input"]), found["trace"])
        if hung:
            return self._made("hang", f"no end within {STALL_S:g} s", region.data, "")
        if code != 0:
            log = (self._folder / "log").read_text(errors="replace")[-4000:]
            return self._made("crash", f"the worker ended with {code}", region.data, log)
        return None

    def _made(self, kind: str, what: str, data: bytes, trace: str) -> Finding:
        self._tell(f"{self.target}: FOUND: {what.splitlines()[0][:200]}")
        saved = catalogue.save(self.target, self._plan.save, kind, data)
        replay = f"python tests/fuzz/run.py --target {self.target} --hex {data.hex() or repr('')}"
        return Finding(self.target, what, data.hex(), str(saved), replay, trace)


_printing = threading.Lock()


def teller(stream: Any) -> Callable[[str], None]:
    """A function that writes whole lines to a stream, from any thread."""

    def tell(line: str) -> None:
        with _printing:
            print(line, file=stream, flush=True)

    return tell
