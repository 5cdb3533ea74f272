"""Whether the disk has room for what a gateway writes."""

import os
from collections.abc import Iterator
from pathlib import Path

from . import files
from .finding import Finding, ok, problem, warning
from .subject import Subject

MB = 1024 * 1024
# A commit, the log of the spool before it is put into the database (4 MB), a key file that is replaced, and the same
# again for the journal of a file system.
MIN_FREE = 32 * MB
# Each file that is replaced needs one for a moment; so few are left where a disk is full of small files.
MIN_INODES = 100


def check(subject: Subject) -> Iterator[Finding]:
    """Each file system that the gateway writes to."""
    seen = set()
    for folder in files.folders(subject):
        try:
            device = folder.stat().st_dev
        except OSError:
            continue
        if device not in seen:
            seen.add(device)
            yield from _room(subject, folder)


def _room(subject: Subject, folder: Path) -> Iterator[Finding]:
    found = os.statvfs(folder)
    free = found.f_bavail * found.f_frsize
    if found.f_flag & os.ST_RDONLY:
        yield problem(f"{folder}: the file system takes no writes", "look at dmesg; mount it again with 'rw'")
    elif free < MIN_FREE:
        yield problem(f"{folder}: {free // MB} MB free: events cannot be kept", "make room on this disk")
    # Some file systems have no fixed number of files, and say 0.
    elif found.f_files and found.f_favail < MIN_INODES:
        yield problem(f"{folder}: no more files can be made there", "remove files: it has no inodes left (df -i)")
    elif free < (wanted := _wanted(subject, folder)):
        what = f"{folder}: {free // MB} MB free, and the spool may grow by {wanted // MB} MB"
        yield warning(what, "make room, or lower 'quota' under 'gateway: spool:'")
    else:
        yield ok(f"{folder}: {free // MB} MB free")


def _wanted(subject: Subject, folder: Path) -> int:
    """How much the spool may still grow on this disk."""
    spool = subject.gateway.spool
    if spool is None or not spool.file.parent.is_dir() or spool.file.parent.stat().st_dev != folder.stat().st_dev:
        return 0
    kept = spool.file.stat().st_size if spool.file.exists() else 0
    return max(sum(spool.of(name).quota for name in subject.whole.connectors) - kept, 0)
