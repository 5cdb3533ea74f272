"""Crashes on a console, which lines of it become events, and what is remembered of a device."""

import asyncio
import os
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from eventhive.core.errors import LocalError
from eventhive.gateway.console_events import LINES_A_MINUTE, MAX_TEXT, ConsoleEvents
from eventhive.gateway.crashes import HEAD, MAX_LINES, Crash, Crashes
from eventhive.gateway.remembered import MAX_FACTS, Memory

FRAME = '  File "main.py", line 3, in <module>'


def crashes(*lines: str) -> list[Crash]:
    found: list[Crash] = []
    reader = Crashes(found.append)
    for line in lines:
        reader.read(line)
    return found


class TestTracebacks:
    def test_one(self) -> None:
        inner = '  File "sensor.py", line 9, in read'
        found = crashes("reading", HEAD, FRAME, inner, "OSError: [Errno 5] EIO", "MicroPython v1.26", ">>> ")
        error = "OSError: [Errno 5] EIO"
        assert found == [Crash("exception", error, [HEAD, FRAME, inner, error])]

    def test_behind_other_text(self) -> None:
        assert [one.what for one in crashes(f">>> {HEAD}", FRAME, "ValueError: no")] == ["ValueError: no"]

    def test_an_exception_without_a_text(self) -> None:
        assert [one.what for one in crashes(HEAD, FRAME, "MemoryError: ")] == ["MemoryError: "]

    def test_one_that_another_one_cuts_off(self) -> None:
        found = crashes(HEAD, FRAME, HEAD, FRAME, "ValueError: second", "ValueError: no crash")
        assert [one.what for one in found] == ["ValueError: second"]

    @pytest.mark.parametrize("line", ["KeyboardInterrupt: ", "SystemExit: 3"])
    def test_one_that_somebody_wanted(self, line: str) -> None:
        assert crashes(HEAD, FRAME, line) == []

    def test_deep_recursion_is_bounded_and_its_end_is_kept(self) -> None:
        frames = [f'  File "main.py", line {n}, in again' for n in range(200)]
        (one,) = crashes(HEAD, *frames, "RuntimeError: maximum recursion depth exceeded")
        assert one.text[0] == HEAD and one.text[1:-1] == frames[-(MAX_LINES - 1) :]

    def test_text_that_only_looks_like_one(self) -> None:
        assert crashes("ValueError: no", FRAME, "  indented", "rst: none") == []


GURU = "Guru Meditation Error: Core  1 panic'ed (LoadProhibited). Exception was unhandled."


class TestResets:
    @pytest.mark.parametrize(
        ("line", "what"),
        [
            ("rst:0x7 (TG0WDT_SYS_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)", "TG0WDT_SYS_RESET"),
            ("rst:0xf (RTCWDT_BROWN_OUT_RESET),boot:0x13", "RTCWDT_BROWN_OUT_RESET"),
            (GURU, GURU),
            ("Brownout detector was triggered", "Brownout detector was triggered"),
            ("abort() was called at PC 0x400d on core 0", "abort() was called at PC 0x400d on core 0"),
            ("*** PANIC ***", "*** PANIC ***"),
        ],
    )
    def test_unexpected(self, line: str, what: str) -> None:
        assert crashes(line) == [Crash("reset", what, [line])]

    @pytest.mark.parametrize(
        "line",
        [
            "rst:0x1 (POWERON_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)",
            "rst:0xc (SW_CPU_RESET),boot:0x13",
            "rst:0x5 (DEEPSLEEP_RESET),boot:0x13",
            "MPY: soft reboot",
        ],
    )
    def test_expected(self, line: str) -> None:
        assert crashes(line) == []


class TestConsoleEvents:
    def events(self) -> ConsoleEvents:
        self.now = 100.0
        self.said: list[tuple[str, str, dict[str, Any]]] = []
        events = ConsoleEvents(lambda: self.now, lambda *said: self.said.append(said))
        events.told = True
        return events

    def test_a_line(self) -> None:
        self.events().printed("a", "/dev/ttyA", "led is on")
        data = {"device": "a", "port": "/dev/ttyA", "text": "led is on", "left_out": 0}
        assert self.said == [("a", "console", data)]

    def test_they_are_bounded_in_rate_and_length_and_what_is_left_out_is_said(self) -> None:
        events = self.events()
        for _ in range(LINES_A_MINUTE + 500):
            events.printed("a", "p", "x" * 1000)
        events.printed("b", "p", "of another one")
        assert len(self.said) == LINES_A_MINUTE + 1
        assert len(self.said[0][2]["text"]) == MAX_TEXT
        self.now += 60
        events.printed("a", "p", "next")
        events.printed("a", "p", "and next")
        assert [said[2]["left_out"] for said in self.said[-2:]] == [500, 0]

    def test_a_clock_that_is_set_back_silences_nobody(self) -> None:
        events = self.events()
        for _ in range(LINES_A_MINUTE):
            events.printed("a", "p", "x")
        self.now -= 86_400
        events.printed("a", "p", "y")
        assert self.said[-1][2]["text"] == "y"

    def test_nothing_unless_it_is_asked_for(self) -> None:
        events = self.events()
        events.told = False
        events.printed("a", "p", "x")
        assert self.said == []


def memory(path: Path | None, **facts: dict[str, Any]) -> Memory:
    """What is remembered after a stop and a start."""

    async def run() -> Memory:
        one = Memory(path)
        one.open()
        for name, changed in facts.items():
            one.change(name, **changed)
        await one.stop()
        return one

    return asyncio.run(run())


class TestRemembered:
    def test_it_is_there_after_a_restart(self, tmp_path: Path) -> None:
        path = tmp_path / "gateway.state"
        memory(path, a={"seen": 1.5, "wakes": None}, b={"crash": {"what": "ValueError: ü"}})
        memory(path, a={"seen": 2.5})
        assert memory(path).facts == {"a": {"seen": 2.5, "wakes": None}, "b": {"crash": {"what": "ValueError: ü"}}}
        assert path.stat().st_mode & 0o777 == 0o600

    def test_what_is_removed_is_forgotten(self, tmp_path: Path) -> None:
        path = tmp_path / "gateway.state"
        memory(path, a={"seen": 1.5}, b={"seen": 2.5})

        async def run() -> None:
            one = Memory(path)
            one.open()
            one.keep(["b", "c"])
            await one.stop()

        asyncio.run(run())
        assert memory(path).facts == {"b": {"seen": 2.5}}

    def test_a_row_is_bounded(self, tmp_path: Path) -> None:
        path = tmp_path / "gateway.state"
        memory(path, a={"seen": 1.5, "crash": {"text": ["x" * MAX_FACTS]}})
        assert memory(path).facts == {"a": {"seen": 1.5, "crash": None}}

    def test_without_a_file(self) -> None:
        assert memory(None, a={"seen": 1.5}).of("a") == {"seen": 1.5}

    def test_a_damaged_file_is_put_aside(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        path = tmp_path / "gateway.state"
        path.write_bytes(os.urandom(8192))
        path.chmod(0o600)
        assert memory(path, a={"seen": 1.5}).facts == {"a": {"seen": 1.5}}
        assert f"state {path} is damaged" in caplog.text and "are forgotten" in caplog.text
        assert len(list(tmp_path.glob("gateway.state.damaged-*"))) == 1
        assert memory(path).facts == {"a": {"seen": 1.5}}

    def test_a_row_that_cannot_be_read_is_left_out(self, tmp_path: Path) -> None:
        path = tmp_path / "gateway.state"
        memory(path, a={"seen": 1.5})
        with sqlite3.connect(path) as db:
            db.executemany("INSERT INTO devices VALUES (?, ?)", [("b", "["), ("c", "[]"), ("d", "[" * 100_000)])
        db.close()
        assert memory(path).facts == {"a": {"seen": 1.5}}

    def test_one_that_another_gateway_has(self, tmp_path: Path) -> None:
        path = tmp_path / "gateway.state"
        one = Memory(path)
        one.open()
        with pytest.raises(LocalError, match=r"another gateway has it open: stop that one, or set gateway\.state"):
            memory(path)
        asyncio.run(one.stop())
