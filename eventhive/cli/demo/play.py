"""What happens in the demo: one thread takes events, calls commands and looks after the boards."""

import queue
import time
from typing import Any

import eventhive

from ...core.names import SEPARATOR
from .bench import CHANNEL, NETWORK, Bench
from .board import Board
from .show import Show, Shown
from .tally import Tally

EVENTS = [f"{CHANNEL}{SEPARATOR}{event}" for event in ("started", "temperature", "finished")]
UNITS = ("celsius", "fahrenheit")

# Between the commands to one device: slow enough for a person to see what each one changed.
COMMAND_S = 1.5

# A device that died stays away long enough to be missed. One that does not come up that often is left alone.
RESTART_S = 2.0
MAX_FAILURES = 3

# From the start of a process to its first event: a loaded machine needs a second. At the end, a device may need what
# `send` in its program waits for, and its good-bye.
START_S = 20.0
FINISH_S = 8.0

# How soon a process that died, or a signal, is noticed.
STEP_S = 0.05


class Asked:
    """Who asks for an end: `once` lets the devices say goodbye, `twice` does not wait for them."""

    once = False
    twice = False


class Seat:
    """One board and what is going on with it; times in seconds of `time.monotonic`."""

    def __init__(self, board: Board):
        self.board = board
        self.name = board.name
        self.interpreter = "unknown"
        self.started = False
        self.failures = 0
        self.unit = UNITS[0]
        self.deadline = 0.0
        self.restart_at: float | None = None
        self.command_at = 0.0

    @property
    def given_up(self) -> bool:
        """True when it failed too often."""
        return self.failures >= MAX_FAILURES


class Play:
    """Runs the demo on a bench; what happens goes to `show`. `failed`: a device did not start, or would not end."""

    def __init__(self, bench: Bench, show: Show, asked: Asked):
        self._bench = bench
        self._show = show
        self._asked = asked
        self._seats = {name: Seat(board) for name, board in bench.boards.items()}
        self._tally = Tally()
        self._commands = 0
        self.failed = False
        self._arrived: queue.SimpleQueue[tuple[float, str, Any]] = queue.SimpleQueue()

        @eventhive.hook(EVENTS)
        def arrived(data: Any) -> None:
            self._arrived.put((time.perf_counter(), eventhive.get_event_name() or "", data))

    def run(self, duration: float | None) -> None:
        """Until `duration` seconds after all devices are there, or until asked; the devices have ended afterwards."""
        self._show.begin(self._bench)
        for seat in self._seats.values():
            self._start(seat)
        end = None
        while not self._asked.once and not all(seat.given_up for seat in self._seats.values()):
            now = time.monotonic()
            for seat in self._seats.values():
                if not seat.given_up:
                    self._look_after(seat, now)
            if end is None and duration and all(seat.started or seat.given_up for seat in self._seats.values()):
                end = now + duration
            if end is not None and now >= end:
                break
            self._take_events(STEP_S)
        self._finish()

    def end(self) -> None:
        """What arrived last, and the summary; to be called when the hive has stopped."""
        self._take_events(0)
        self._show.end(self._tally.summary(), self._commands)

    def _start(self, seat: Seat) -> None:
        seat.started = False
        seat.restart_at = None
        seat.unit = UNITS[0]
        seat.deadline = time.monotonic() + START_S
        seat.board.start()

    def _look_after(self, seat: Seat, now: float) -> None:
        if seat.restart_at is not None:
            if now >= seat.restart_at:
                self._start(seat)
        elif not seat.board.running:
            self._died(seat, seat.board.why())
        elif not seat.started:
            if now >= seat.deadline:
                seat.board.end()
                self._died(seat, f"is ended: nothing came from it within {START_S:g} s")
        elif now >= seat.command_at:
            self._command(seat, now)

    def _died(self, seat: Seat, how: str) -> None:
        link = self._bench.state(seat.name).link or "never connected"
        lost = f"{seat.name} is lost: its process {seat.board.process} ({link}) {how}"
        seat.failures = 0 if seat.started else seat.failures + 1
        if seat.given_up:
            self.failed = True
            self._show.note(f"{lost}; it is left alone, after {MAX_FAILURES} attempts")
        else:
            self._show.note(f"{lost}; it is started again in {RESTART_S:g} s, the other one goes on")
            seat.restart_at = time.monotonic() + RESTART_S

    def _command(self, seat: Seat, now: float) -> None:
        seat.command_at = now + COMMAND_S
        seat.unit = UNITS[seat.unit == UNITS[0]]
        self._commands += 1
        self._show.command(seat.name, "unit", seat.unit)
        self._tally.asked(self._commands, time.perf_counter())
        self._call(seat, "unit", {"unit": seat.unit, "command": self._commands})

    def _call(self, seat: Seat, event: str, data: dict[str, Any]) -> None:
        eventhive.EVENTS.call(SEPARATOR.join((NETWORK, seat.name, event)), data)

    def _finish(self) -> None:
        ending = []
        for seat in self._seats.values():
            if seat.started and seat.board.running:
                self._call(seat, "finish", {})
                ending.append(seat)
        deadline = time.monotonic() + FINISH_S
        while any(seat.board.running for seat in ending) and not self._asked.twice and time.monotonic() < deadline:
            self._take_events(STEP_S)
        for seat in ending:
            if seat.board.running:
                self.failed = True
                self._show.note(f"{seat.name} does not say goodbye and is ended; so its count is not known")

    def _take_events(self, seconds: float) -> None:
        """Deal with what arrived; where nothing did, wait for it."""
        try:
            self._event(*self._arrived.get(timeout=seconds))
            while True:
                self._event(*self._arrived.get_nowait())
        except queue.Empty:
            pass

    def _event(self, at: float, name: str, data: Any) -> None:
        seat = self._seats.get(str(data.get("device"))) if isinstance(data, dict) else None
        if seat is None or not all(type(data.get(key)) is int for key in ("start", "n")):
            # Anybody on this machine may send here; the count is of our devices.
            return
        run = (seat.name, data["start"])
        self._tally.arrived(run, data["n"])
        if "interpreter" in data:
            self._is_there(seat, data)
        if "sent" in data:
            self._tally.reported(run, data["sent"])
        answer_ms = self._tally.answered(data["command"], at) if "command" in data else None
        full_name = NETWORK + SEPARATOR + name
        self._show.event(Shown(full_name, data, seat.name, self._bench.state(seat.name), seat.interpreter, answer_ms))

    def _is_there(self, seat: Seat, data: dict[str, Any]) -> None:
        seat.interpreter = str(data["interpreter"])
        if data["start"] == seat.board.starts:
            seat.started = True
            # The devices take turns.
            index = list(self._seats).index(seat.name)
            seat.command_at = time.monotonic() + COMMAND_S * (index + 1) / len(self._seats)
