"""What is looked at: a configuration, and the gateway that runs with it, where one does."""

import os
from dataclasses import dataclass, field
from typing import Any

from ...config import Config, Gateway
from ...core.errors import EventHiveError, LocalError
from ...gateway.control import NotRunningError, request
from ...gateway.keys import Entry, KeyStore
from ..gateway.shared import read, section_of

# The answers of a gateway that a doctor wants, each called as its command is.
_ANSWERS = ("devices", "networks", "ports")


@dataclass
class Running:
    """What the gateway that runs says: its process, addresses and version, its devices, networks and ports."""

    ping: dict[str, Any]
    devices: list[dict[str, Any]] = field(default_factory=list)
    networks: dict[str, dict[str, Any]] = field(default_factory=dict)
    ports: list[dict[str, Any]] = field(default_factory=list)

    @property
    def pid(self) -> int:
        """Its process."""
        return int(self.ping["pid"])


@dataclass
class Subject:
    """The configuration at `path` and its gateway; `fault` says why there is none.

    `running` is None where no gateway runs; `silence` says why one gives no answer. `entries` are the devices of the
    key file, None where that cannot be read, for which `key_fault` is the reason.
    """

    path: str
    config: Config | None = None
    section: Gateway | None = None
    fault: str = ""
    running: Running | None = None
    silence: str = ""
    entries: dict[str, Entry] | None = None
    key_fault: str = ""

    @property
    def whole(self) -> Config:
        """The configuration, for checks that are run only where there is one."""
        if self.config is None:
            raise LocalError(self.fault)
        return self.config

    @property
    def gateway(self) -> Gateway:
        """Its section `gateway:`, likewise."""
        if self.section is None:
            raise LocalError(self.fault)
        return self.section

    @property
    def account(self) -> int | None:
        """The account that the gateway runs as, as far as that is known: of root alone, nobody knows which it will."""
        if self.running is not None:
            try:
                return os.stat(f"/proc/{self.running.pid}").st_uid
            except OSError:
                return None
        return os.geteuid() or None


def look(path: str) -> Subject:
    """Read what a start reads, and ask the gateway that runs; never raises for what is found."""
    subject = Subject(path)
    try:
        subject.config = read(path)
        subject.section = section_of(path, subject.config)
    except EventHiveError as error:
        subject.fault = str(error)
        return subject
    try:
        subject.entries = KeyStore(subject.section.keys).load()
    except LocalError as error:
        subject.key_fault = str(error)
    try:
        subject.running = _ask(subject.section)
    except NotRunningError:
        pass
    except LocalError as error:
        subject.silence = str(error)
    return subject


def _ask(gateway: Gateway) -> Running:
    running = Running(request(gateway.control, "ping"))
    for command in _ANSWERS:
        setattr(running, command, request(gateway.control, command)[command])
    return running
