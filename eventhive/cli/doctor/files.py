"""The files that a gateway writes: whose they are, and who may read them."""

import grp
import os
import pwd
import stat
from collections.abc import Iterator
from pathlib import Path

from .finding import Finding, note, ok, problem, warning
from .subject import Subject

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def check(subject: Subject) -> Iterator[Finding]:
    """Folders, then files; each fault is its own finding, and one line says that there is none."""
    found = [*_folders(subject), *_keys(subject), *_modes(subject), *_aside(subject)]
    yield from found
    if not found:
        yield ok(f"{', '.join(map(str, folders(subject)))}: the gateway can write there, and nobody else can")


def folders(subject: Subject) -> list[Path]:
    """Where the gateway writes."""
    gateway = subject.gateway
    files = [gateway.keys, gateway.control]
    if gateway.spool is not None:
        files.append(gateway.spool.file)
    if gateway.state is not None:
        files.append(gateway.state)
    if gateway.state is not None:
        files.append(gateway.state)
    if gateway.http is not None:
        files.append(gateway.http.token)
    return sorted({file.parent for file in files})


def written(subject: Subject) -> dict[str, Path]:
    """What it writes there, and nobody else may read."""
    gateway = subject.gateway
    found = {"key file": gateway.keys, "control socket": gateway.control}
    if gateway.spool is not None:
        found["spool"] = gateway.spool.file
        found["log of the spool"] = gateway.spool.file.with_name(f"{gateway.spool.file.name}-wal")
    if gateway.state is not None:
        found["state"] = gateway.state
    if gateway.state is not None:
        found["memory of devices"] = gateway.state
    if gateway.http is not None:
        found["token of the page"] = gateway.http.token
    return found


def _folders(subject: Subject) -> Iterator[Finding]:
    for folder in folders(subject):
        try:
            mode = folder.stat().st_mode
        except OSError as error:
            yield problem(f"folder {folder}: {error.strerror}", f"mkdir -p {folder}")
            continue
        if not stat.S_ISDIR(mode):
            yield problem(f"{folder} is no folder", "correct the paths under 'gateway' in the configuration")
        elif mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
            what = f"folder {folder}: anybody may put another key file there (mode {stat.S_IMODE(mode):o})"
            yield problem(what, f"chmod o-w {folder}")
        # Of a gateway that runs, or one that will run as somebody else, this process does not know.
        elif subject.running is None and subject.account and not os.access(folder, os.W_OK | os.X_OK):
            what = f"folder {folder}: {user(os.geteuid())} may not write into it"
            yield problem(what, f"run the gateway, and this, as its owner, or: chown {user(os.geteuid())} {folder}")


def _keys(subject: Subject) -> Iterator[Finding]:
    if subject.key_fault:
        yield problem(subject.key_fault, "do what it says: until then a start, and a reload, are refused")
    elif not subject.gateway.keys.exists():
        what = f"there is no key file {subject.gateway.keys} yet: no device can prove itself"
        yield note(what, f"eventhive device add NAME --config {subject.path}")


def _modes(subject: Subject) -> Iterator[Finding]:
    account = subject.account
    for what, path in written(subject).items():
        try:
            found = path.lstat()
        except OSError:
            continue
        mode = stat.S_IMODE(found.st_mode)
        # The key file's mode is what `_keys` has said already.
        if mode & _OTHERS and path != subject.gateway.keys:
            yield problem(f"{what} {path}: others may read it (mode {mode:o})", f"chmod 600 {path}")
        if account is not None and found.st_uid != account:
            owners = f"belongs to {user(found.st_uid)}, and the gateway runs as {user(account)}"
            yield problem(f"{what} {path}: {owners}", f"chown {user(account)} {path}, or run all as that account")


def _aside(subject: Subject) -> Iterator[Finding]:
    gateway = subject.gateway
    kept = [gateway.spool.file] if gateway.spool is not None else []
    kept += [gateway.state] if gateway.state is not None else []
    for file in kept:
        if not os.access(file.parent, os.R_OK):
            continue
        for path in sorted(file.parent.glob(f"{file.name}.damaged-*")):
            if not path.name.endswith(("-wal", "-shm")):
                what = f"{path}: it was damaged, and put aside; what only it held is lost"
                yield warning(what, "look at the health of the disk (smartctl, dmesg), then remove the file")


def user(number: int) -> str:
    """The name of an account."""
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def group(number: int) -> str:
    """The name of a group."""
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)
