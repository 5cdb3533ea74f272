"""Which programs have a file or a port open, as far as /proc tells: root sees all, anybody else sees their own."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

# Programs in one line.
SHOWN = 5

_LISTENING = "0A"
_TABLES = ("/proc/net/tcp", "/proc/net/tcp6")
# Columns of these tables.
_LOCAL, _STATE, _INODE = 1, 3, 9


def of_file(path: str) -> list[int]:
    """The processes that have a file open."""
    real = os.path.realpath(path)
    return list(_having(lambda target: target == real))


def of_port(port: int) -> list[int]:
    """The processes that listen on a TCP port."""
    sockets = {f"socket:[{inode}]" for inode in _inodes(port)}
    return list(_having(lambda target: target in sockets)) if sockets else []


def is_listening(port: int) -> bool:
    """True where somebody listens on a TCP port of this machine; False too where that cannot be told."""
    return bool(_inodes(port))


def who(pids: list[int], unseen: str = "a program of another user: run this as root to see which") -> str:
    """These processes, for a person; `unseen` where there are none that may be seen."""
    if not pids:
        return unseen
    shown = ", ".join([f"{name(pid)} (process {pid})" for pid in sorted(pids)[:SHOWN]])
    return f"{shown} and {len(pids) - SHOWN} more" if len(pids) > SHOWN else shown


def name(pid: int) -> str:
    """What a process is called."""
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return "a program"


def called(program: str) -> list[int]:
    """The processes of this name."""
    return [pid for pid in _processes() if name(pid) == program]


def _inodes(port: int) -> set[str]:
    found = set()
    for table in _TABLES:
        try:
            lines = Path(table).read_text().splitlines()[1:]
        except OSError:
            continue
        for columns in map(str.split, lines):
            if columns[_STATE] == _LISTENING and int(columns[_LOCAL].rpartition(":")[2], 16) == port:
                found.add(columns[_INODE])
    return found


def _having(wanted: Callable[[str], bool]) -> Iterator[int]:
    for pid in _processes():
        try:
            descriptors = list(os.scandir(f"/proc/{pid}/fd"))
        except OSError:
            continue
        for one in descriptors:
            try:
                if wanted(os.readlink(one.path)):
                    yield pid
                    break
            except OSError:
                continue


def _processes() -> list[int]:
    try:
        return [int(entry) for entry in os.listdir("/proc") if entry.isdecimal()]
    except OSError:
        return []
