"""`eventhive gateway install`: a systemd unit for a gateway."""

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

from ...core.errors import LocalError
from .check import check
from .shared import read, section_of
from .unit import NAME, USER, unit

SYSTEM_FOLDER = Path("/etc/systemd/system")

# `systemctl --version` only prints.
VERSION_S = 10


def run(arguments: argparse.Namespace) -> int:
    """Check the configuration, write the unit, and say what is left to do and how to undo it."""
    config = Path(arguments.config).absolute()
    check(str(config))
    # Not resolved: the interpreter of an environment is a link to one that has none of its packages.
    text = unit(Path(sys.executable).absolute(), config, _written(config), systemd_version(), arguments.user)
    if arguments.dry_run:
        print(text, end="")
        return 0
    file = (_user_folder() if arguments.user else SYSTEM_FOLDER) / NAME
    _write(file, text)
    for line in _next(file, config, arguments.user):
        print(line)
    return 0


def systemd_version() -> int:
    """The version of this machine's systemd; `LocalError` where there is none."""
    try:
        command = ["systemctl", "--version"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=VERSION_S, check=True)
        return int(done.stdout.split()[1])
    except (OSError, subprocess.SubprocessError, IndexError, ValueError):
        raise LocalError("there is no systemd here: run 'eventhive gateway' by what starts services") from None


def _written(config: Path) -> list[Path]:
    """The folders that a gateway with this configuration writes into."""
    gateway = section_of(str(config), read(str(config)))
    files = [gateway.keys, gateway.control]
    files += [gateway.spool.file] if gateway.spool else []
    files += [gateway.state] if gateway.state else []
    files += [gateway.http.token] if gateway.http else []
    return [file.parent for file in files]


def _user_folder() -> Path:
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "systemd" / "user"


def _write(file: Path, text: str) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        if file.exists():
            shutil.copy2(file, file.with_name(f"{NAME}.before"))
        file.write_text(text)
    except PermissionError:
        raise LocalError(f"{file}: no permission: run it as root, or with --user") from None
    except OSError as error:
        raise LocalError(f"{file}: {error.strerror}") from None


def _next(file: Path, config: Path, user: bool) -> list[str]:
    control = "systemctl --user" if user else "systemctl"
    lines = [f"wrote {file}; nothing is started yet. To start it, now and at each boot:"]
    if not user:
        lines.append(f"  useradd --system --home-dir /var/lib/eventhive --shell /usr/sbin/nologin {USER}")
        lines.append(f"  chown -R {USER}: '{config.parent}'   # it has the keys, the spool and the control socket")
    lines += [f"  {control} daemon-reload", f"  {control} enable --now {NAME}"]
    if user:
        lines.append("  loginctl enable-linger   # it runs without a login too; you need to be in the group dialout")
    lines += ["to undo it:", f"  {control} disable --now {NAME}", f"  rm '{file}'", f"  {control} daemon-reload"]
    return lines
