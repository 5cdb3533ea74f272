"""Serial ports that come and go, in this process: pseudo-terminals behind links, as udev makes them."""

import asyncio
import errno
import fcntl
import grp
import logging
import os
import subprocess
import sys
import tty
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pure import Stand
from second_implementation import line

from eventhive.gateway import port_file
from eventhive.gateway.port_file import close_port, meant_by, open_port, why_not
from eventhive.gateway.serial_ports import SerialPorts
from eventhive.serial_config import SerialPort

# Longer than a busy machine takes; nothing waits this long when all is well.
DEADLINE = 20.0

READY = line("R", 0, 0)


class Bench:
    """A folder of ports in place of /dev; `far` are the other ends of those that are plugged in."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.far: dict[str, int] = {}
        self._near: dict[str, int] = {}

    def path(self, name: str) -> str:
        return str(self.folder / name)

    def plug(self, name: str) -> str:
        far, near = os.openpty()
        tty.setraw(near)
        os.set_blocking(far, False)
        self.far[name], self._near[name] = far, near
        (self.folder / name).symlink_to(os.ttyname(near))
        return self.path(name)

    def unplug(self, name: str) -> None:
        (self.folder / name).unlink()
        os.close(self.far.pop(name))
        os.close(self._near.pop(name))


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    for name in list(bench.far):
        bench.unplug(name)


class Ports:
    """Serial ports of a gateway, and what is said of them."""

    def __init__(self, ports: SerialPorts):
        self.ports = ports

    @property
    def rows(self) -> list[dict[str, Any]]:
        return self.ports.status()

    def states(self) -> dict[str, str]:
        return {Path(row["port"]).name: row["state"] for row in self.rows}

    async def until(self, **states: str) -> None:
        """Wait until exactly these ports are in these states."""
        while self.states() != states:
            await asyncio.sleep(0.01)


def run(test: Callable[[Ports], Awaitable[None]], *entries: SerialPort) -> None:
    """Run a test with the ports that these entries mean."""

    async def whole() -> None:
        ports = SerialPorts(Stand().bridge)
        ports.configure(entries)
        try:
            async with asyncio.timeout(DEADLINE):
                await test(Ports(ports))
        finally:
            ports.stop()
            await ports.end()

    asyncio.run(whole())


class TestComingAndGoing:
    def test_a_glob(self, bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.INFO, "eventhive")
        glob = bench.path("tty*")

        async def test(ports: Ports) -> None:
            assert [(row["entry"], row["port"], row["state"]) for row in ports.rows] == [(glob, glob, "absent")]
            bench.plug("ttyA")
            await ports.until(ttyA="open")
            link = ports.ports.links[0]
            bench.plug("ttyB")
            await ports.until(ttyA="open", ttyB="open")
            assert ports.ports.links[0] is link
            bench.unplug("ttyA")
            await ports.until(ttyA="vanished", ttyB="open")
            assert ports.rows[0]["why"] == port_file.UNPLUGGED
            bench.plug("ttyA")
            await ports.until(ttyA="open", ttyB="open")
            assert [row["returned"] for row in ports.rows] == [1, 0]
            assert ports.ports.links[0] is link

        run(test, SerialPort(glob))
        said = [text for text in caplog.messages if not text.startswith("serial port " + bench.path("ttyB"))]
        port = f"serial port {bench.path('ttyA')}"
        assert said == [
            f"serial port {glob}: waiting for it: {port_file.NO_MATCH}",
            f"{port}: open at 115200 baud",
            f"{port}: lost: {port_file.UNPLUGGED}",
            f"{port}: returned: open at 115200 baud",
        ]

    def test_a_path(self, bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.INFO, "eventhive")

        async def test(ports: Ports) -> None:
            await ports.until(ttyA="absent")
            bench.plug("ttyA")
            await ports.until(ttyA="open")
            for returned in (1, 2):
                bench.unplug("ttyA")
                await ports.until(ttyA="vanished")
                bench.plug("ttyA")
                await ports.until(ttyA="open")
                assert ports.rows[0]["returned"] == returned

        run(test, SerialPort(bench.path("ttyA")))
        waiting = [record for record in caplog.records if "waiting for it" in record.message]
        assert [(record.levelname, port_file.PLUG_IN in record.message) for record in waiting] == [("INFO", True)]

    def test_what_comes_over_a_port_that_has_returned(self, bench: Bench) -> None:
        bench.plug("ttyA")

        async def challenged(ports: Ports) -> None:
            await ports.until(ttyA="open")
            os.write(bench.far["ttyA"], READY)
            got = b""
            while b"#>C" not in got:
                try:
                    got += os.read(bench.far["ttyA"], 4096)
                except BlockingIOError:
                    await asyncio.sleep(0.01)

        async def test(ports: Ports) -> None:
            await challenged(ports)
            bench.unplug("ttyA")
            await ports.until(ttyA="vanished")
            bench.plug("ttyA")
            await challenged(ports)

        run(test, SerialPort(bench.path("ttyA")))


HOLDER = """
import fcntl, os, sys
file = os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY)
fcntl.flock(file, fcntl.LOCK_EX)
print("holds", flush=True)
sys.stdin.read()
"""


class TestExclusive:
    def test_another_program_that_has_it_is_named(self, bench: Bench) -> None:
        path = bench.plug("ttyA")
        holder = subprocess.Popen(
            [sys.executable, "-c", HOLDER, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert holder.stdin is not None and holder.stdout is not None
        assert holder.stdout.readline() == "holds\n"

        async def test(ports: Ports) -> None:
            await ports.until(ttyA="busy")
            why = ports.rows[0]["why"]
            assert f"(process {holder.pid})" in why and "close that (a terminal, mpremote, an IDE)" in why
            holder.communicate()
            await ports.until(ttyA="open")
            assert ports.rows[0]["why"] == ""

        run(test, SerialPort(path))

    def test_no_port_twice(self, bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
        path = bench.plug("ttyA")
        (bench.folder / "by-id").symlink_to(path)

        async def test(ports: Ports) -> None:
            await ports.until(ttyA="open", **{"by-id": "busy"})
            assert len(ports.ports.links) == 1
            assert ports.rows[1]["why"] == f"it is the port of the entry {path}"

        run(test, SerialPort(path), SerialPort(bench.path("by-id")), SerialPort(bench.path("tty*")))
        said = f"serial port {bench.path('by-id')}: not opened: it is the port of the entry {path}"
        assert caplog.messages.count(said) == 1

    def test_a_path_takes_its_port_from_a_glob(self, bench: Bench) -> None:
        bench.plug("ttyA")

        async def test(ports: Ports) -> None:
            await ports.until(ttyA="open", **{"by-id": "absent"})
            # As udev does it: some time after the port itself.
            (bench.folder / "by-id").symlink_to(os.path.realpath(bench.path("ttyA")))
            await ports.until(**{"by-id": "open"})

        run(test, SerialPort(bench.path("tty*")), SerialPort(bench.path("by-id")))

    def test_others_cannot_open_it(self, bench: Bench) -> None:
        path = bench.plug("ttyA")
        os.chmod(path, 0o666)
        file = open_port(SerialPort(path), path)
        # Root may open anything; and the folder of the test is closed to others.
        user: dict[str, Any] = {"user": 65534} if os.geteuid() == 0 else {}
        opens = ["sh", "-c", f"exec 3<>{os.path.realpath(path)}"]
        done = subprocess.run(opens, capture_output=True, text=True, cwd="/", **user)
        assert done.returncode and os.strerror(errno.EBUSY) in done.stderr
        close_port(file)
        assert subprocess.run(opens, capture_output=True, cwd="/", **user).returncode == 0


class TestWhatCannotBeOpened:
    def test_no_port(self, bench: Bench) -> None:
        (bench.folder / "ttyA").write_text("")

        async def test(ports: Ports) -> None:
            await ports.until(ttyA="unusable")
            assert "it is no serial port" in ports.rows[0]["why"]

        run(test, SerialPort(bench.path("ttyA")))
        assert meant_by(SerialPort(bench.path("tty*"))) == []

    def test_a_glob_means_no_other_devices(self) -> None:
        found = meant_by(SerialPort("/dev/*"))
        assert not {"/dev/null", "/dev/tty", "/dev/ptmx", "/dev/console", "/dev/tty0", "/dev/watchdog"} & set(found)

    def test_no_permission_names_the_group(self, bench: Bench) -> None:
        path = bench.plug("ttyA")
        group = grp.getgrgid(os.stat(path).st_gid).gr_name
        assert f"to the group '{group}'" in why_not(PermissionError(errno.EACCES, "Permission denied"), path)


class TestLines:
    def test_they_are_set_as_configured(self, bench: Bench) -> None:
        path = bench.plug("ttyA")
        for dtr, rts in ((True, True), (False, True), (True, False), (False, False)):
            file = open_port(SerialPort(path, dtr=dtr, rts=rts), path)
            assert (file.dtr, file.rts, file.baudrate) == (dtr, rts, 115200)
            close_port(file)

    def test_a_port_without_lines_resets_nothing(self, bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
        path = bench.plug("ttyA")

        async def test(ports: Ports) -> None:
            await ports.until(ttyA="open")

        run(test, SerialPort(path, reset_on_open=True))
        assert f"serial port {path}: it has no lines to reset a board with: 'reset_on_open'" in caplog.messages


class TestConfigured:
    def test_what_is_unchanged_is_not_touched(self, bench: Bench) -> None:
        first, second = bench.plug("ttyA"), bench.plug("ttyB")

        async def test(ports: Ports) -> None:
            await ports.until(ttyA="open", ttyB="open")
            kept, changed = ports.ports.links
            ports.ports.configure([SerialPort(second, 57600), SerialPort(first), SerialPort(bench.path("usb*"))])
            await ports.until(ttyA="open", ttyB="open", **{"usb*": "absent"})
            assert kept in ports.ports.links and changed not in ports.ports.links
            assert changed.state == "closed"
            ports.ports.configure([SerialPort(first)])
            await ports.until(ttyA="open")
            # What looked around has ended, and others may have the port.
            assert ports.ports.links == [kept]
            open_port_again = open_port(SerialPort(second), second)
            close_port(open_port_again)

        run(test, SerialPort(first), SerialPort(second))

    def test_a_port_of_a_glob_is_lent(self, bench: Bench) -> None:
        path = bench.plug("ttyA")

        async def test(ports: Ports) -> None:
            await ports.until(ttyA="open")
            link = ports.ports.find(path)
            assert link is not None and ports.ports.find(bench.path("tty*")) is link
            link.lend(60)
            await ports.until(ttyA="lent")
            bench.unplug("ttyA")
            other = os.open(bench.plug("ttyA"), os.O_RDWR | os.O_NOCTTY)
            fcntl.flock(other, fcntl.LOCK_EX)
            os.close(other)
            link.lend(0)
            await ports.until(ttyA="open")

        run(test, SerialPort(bench.path("tty*")))
