"""The text of the systemd unit of a gateway.

Rules of this file: what the gateway does not need, it may not do. Not set is `MemoryDenyWriteExecute`: ctypes, which
pycryptodome and zeroconf need, makes callbacks in memory that is written and executed. It may have no `PrivateDevices`
either: boards are devices; `DeviceAllow` names the kinds of serial ports.
"""

from collections.abc import Iterable
from pathlib import Path

NAME = "eventhive.service"
USER = "eventhive"

# From this version on, `systemctl reload` may send SIGHUP and wait until it is done; before, a command has to do it.
NOTIFY_RELOAD = 253

# Three signs of life go missing before systemd restarts it.
WATCHDOG_S = 30
# A stop takes 9 s at most: 5 to send what waits, then 2 for the loop and 2 for its thread.
STOP_S = 20
# A leak should end the gateway before it ends the machine, and nothing else should. Measured (tests/bench/gateway.py):
# 2,000 devices take 63 MB, and 160 KB each more while their network is away; a page takes 25 MB at most.
MEMORY_MAX = "512M"
# Each connection takes one, and the soft limit of systemd's default ends at a thousand devices.
DESCRIPTORS = 65_536

# Folders of the root that systemd's ProtectHome= covers; interpreter and files of a gateway may lie there.
_HOMES = ("home",), ("root",)

# The account of the service; a unit of a user runs as that user.
_SYSTEM = f"""\
User={USER}
Group={USER}
SupplementaryGroups=dialout
StateDirectory=eventhive
StateDirectoryMode=0700
RuntimeDirectory=eventhive
CapabilityBoundingSet=
AmbientCapabilities=
DevicePolicy=closed
DeviceAllow=char-ttyUSB rw
DeviceAllow=char-ttyACM rw
DeviceAllow=char-ttyS rw
DeviceAllow=char-ttyAMA rw
PrivateTmp=true
ProtectClock=true
ProtectHome=HOME
ProtectHostname=true
ProtectKernelLogs=true
ProtectKernelModules=true
ProtectProc=invisible
"""

_UNIT = """\
[Unit]
Description=EventHive gateway
Wants=network-online.target
After=network-online.target

[Service]
TYPE
ExecStart="PYTHON" -m eventhive gateway run --config "CONFIG"
WatchdogSec=WATCHDOG
TimeoutStopSec=STOP
Restart=on-failure
RestartSec=2
MemoryMax=MEMORY
LimitNOFILE=DESCRIPTORS
UMask=0077
ACCOUNTReadWritePaths="FOLDER"
LockPersonality=true
NoNewPrivileges=true
ProtectControlGroups=true
ProtectKernelTunables=true
ProtectSystem=strict
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictNamespaces=true
RestrictRealtime=true
RestrictSUIDSGID=true
SystemCallArchitectures=native
SystemCallErrorNumber=EPERM
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources

[Install]
WantedBy=TARGET
"""


def unit(python: Path, config: Path, folders: Iterable[Path], version: int, user: bool) -> str:
    """The unit for this interpreter and configuration, for a systemd of this version.

    `folders` are those that it writes into; `user`: of a user's manager.
    """
    if version >= NOTIFY_RELOAD:
        kind = "Type=notify-reload"
    else:
        kind = f"Type=notify\nExecReload={quoted(python)} -m eventhive gateway reload --config {quoted(config)}"
    places = [python, config, *folders]
    home = "read-only" if any(place.parts[1:2] in _HOMES for place in places) else "true"
    words = {
        "TYPE": kind,
        '"PYTHON"': quoted(python),
        '"CONFIG"': quoted(config),
        '"FOLDER"': " ".join(sorted({quoted(one, "$") for one in folders})),
        "WATCHDOG\n": f"{WATCHDOG_S}\n",
        "STOP\n": f"{STOP_S}\n",
        "MEMORY": MEMORY_MAX,
        "DESCRIPTORS": f"{DESCRIPTORS}",
        "ACCOUNT": "" if user else _SYSTEM.replace("HOME", home),
        "TARGET": "default.target" if user else "multi-user.target",
    }
    # Each word once, and paths last of all: nothing in them is a word.
    text = _UNIT
    for word in sorted(words, key=lambda word: word.startswith('"') or word == "TYPE"):
        text = text.replace(word, words[word])
    return text


def quoted(path: Path, dollar: str = "$$") -> str:
    """A path as a word of a unit, in quotes; `dollar` is how one is written, which is twice in commands only."""
    escaped = str(path).replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", dollar)
    return f'"{escaped}"'
