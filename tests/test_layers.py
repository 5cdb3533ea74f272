"""Who may import whom. The rooms and their reasons are in docs/architecture.md; this is what holds them apart."""

import ast
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from eventhive.device.hints import is_hints

ROOT = Path(__file__).resolve().parents[1]

# What MicroPython has, of what the core may use: no I/O, no clock, no randomness.
PURE = {"json", "binascii", "hashlib"}
# What the device package may use besides.
DEVICE = PURE | {"asyncio", "gc", "os", "sys", "time", "network", "socket", "machine", "termios", "select", "ssl"}
# What both may import besides for annotations, in the block that no board gets.
HINTS = {"typing", "collections", "_hashlib"}

BASE = {"logger", "settings", "template", "exceptions", "section", "defaults"}
PLACES = {"core", "access", "config", "discovery", "reach", "websocket", "connectors", "servers", "hosting", "roaming"}
HIVE = {
    *BASE,
    *PLACES,
    "classic",
    "lean",
    "delivery",
    "dispatch",
    "drops",
    "eventlist",
    "identified",
    "membership",
    "network",
    "once",
    "participants",
    "redis_init",
    "replies",
    "running",
    "seals.base",
    "secret",
}

GATEWAY_KEYS = {"availability_config", "serial_config"}

BESIDE = {"holders", "serial_config"}

# Room: the rooms that it may import from, itself included. The longest prefix of a module is its room.
ROOMS: dict[str, set[str]] = {
    "core": {"core"},
    "micro": {"micro", "core"},
    "logger": set(),
    "exceptions": {"core"},
    "settings": {"core", "template"},
    "template": set(),
    "section": {"settings"},
    "access": {"core", "section"},
    "redis_init": {"section"},
    "spool_config": {"section"},
    "http_config": {"access", "section"},
    "availability_config": {"section"},
    "serial_config": {"section"},
    "holders": set(),
    "secret": {"section", "settings", "seals"},
    "config": {*BASE, "access", "redis_init", "secret", "spool_config", "http_config", *GATEWAY_KEYS, "core"},
    "seals": {"core", "classic", "seals"},
    "crypto": {"core.aes_host", "seals.canonical", "seals.classic"},
    "bounded_log": set(),
    "drops": {"bounded_log"},
    "classic": {"core"},
    "lean": {"core", "classic"},
    "reach": {"core"},
    "discovery": {"core", "reach"},
    "websocket": {"bounded_log", "core", "websocket"},
    "dispatch": set(),
    "coroutines": set(),
    "hooklist": {"exceptions"},
    "delivery": {"coroutines", "hooklist"},
    "scripts": set(),
    "turns": set(),
    "defaults": {"core"},
    "running": {"coroutines", "delivery", "dispatch", "eventlist", "once", "replies", "turns"},
    "eventlist": {"core", "coroutines", "delivery", "exceptions", "hooklist", "scripts"},
    "connectors": {"core", "classic", "lean", "websocket", "connectors"},
    "servers": {"bounded_log", "core", "classic", "lean", "websocket", "servers"},
    "sealing": {"core", "classic", "connectors.base", "drops", "seals.base"},
    "replies": {"core", "classic", "exceptions"},
    "once": {"replies"},
    "identified": {"classic", "once", "replies"},
    "participants": {"once", "replies"},
    "network": {
        "core",
        "classic",
        "connectors.base",
        "dispatch",
        "identified",
        "once",
        "participants",
        "replies",
        "seals.base",
        "sealing",
    },
    "hosting": {"core", "access", "config", "discovery", "reach", "servers"},
    "roaming": PLACES,
    "membership": {*PLACES, "redis_init", "section"},
    "joined": HIVE,
    "hive": HIVE | {"joined"},
    "gateway": {"bounded_log", "core", "holders", "websocket", "gateway"},
    "gateway.daemon": {"core", "websocket", "gateway"},
    "gateway.view": {"core", "websocket", "gateway", "page"},
    "page": {"bounded_log", "core", "page"},
    "gateway.half_open": set(),
    "gateway.availability": set(),
    "gateway.announcer": {"core"},
    "gateway.console_events": {"bounded_log"},
    "gateway.crashes": set(),
    "gateway.database": {"core"},
    "gateway.remembered": {"bounded_log", "core", "gateway.database"},
    "gateway.bridge": {"bounded_log", "core", "gateway.bridge", "gateway.crashes", "gateway.device", "gateway.devices"},
    "gateway.device": {
        "bounded_log",
        "core",
        "gateway.commands",
        "gateway.reports",
        "gateway.rights",
        "gateway.round_trip",
    },
    "gateway.reports": {"core"},
    "gateway.rights": {"core"},
    "gateway.commands": {"core"},
    "gateway.devices": {"core", "gateway.device", "gateway.rights"},
    "gateway.control": {"core"},
    "gateway.consoles": set(),
    "gateway.keys": {"core"},
    "gateway.store": {"gateway.batch", "gateway.database"},
    "gateway.batch": {"gateway.lane"},
    "gateway.journal": {"gateway.batch", "gateway.lane"},
    "gateway.writer": {
        "bounded_log",
        "core",
        "gateway.batch",
        "gateway.gathering",
        "gateway.journal",
        "gateway.pace",
        "gateway.store",
    },
    "gateway.lane": {"core"},
    "gateway.serial_lines": {"core"},
    "gateway.port_match": set(),
    "gateway.port_file": {"gateway.port_match", "holders"},
    "gateway.hearing": set(),
    "gateway.networks": set(),
    "gateway.changes": {"gateway.networks"},
    "gateway.quota": {"gateway.lane"},
    "gateway.ends": {"gateway.lane", "gateway.outlet"},
    "gateway.outlet": {"core", "gateway.ends", "gateway.hearing", "gateway.lane", "gateway.quota"},
    "device": {"core", "device"},
    "boards": {"core", "device", "boards"},
    "__init__": {*HIVE, "scripts", "eventlist", "hive", "gateway.daemon"},
    "cli": {*HIVE, *BESIDE, "joined", "seals.strict", "hive", "gateway", "device", "boards", "cli", "__init__"},
    "__main__": {"cli"},
}

# The only places of what is not in the standard library.
THIRD_PARTY = {
    "yaml": {"settings"},
    "websockets": {"websocket", "connectors.websocket_session", "servers"},
    "redis": {"connectors.redis", "connectors.redis_servers", "connectors.redis_session"},
    "serial": {"gateway.port_file", "boards.ports"},
    "mpremote": {"boards.board"},
    "esptool": {"boards.esp"},
    "zeroconf": {"discovery"},
    "aiohttp": {"page.server", "page.guard", "page.api", "page.stream"},
    "ifaddr": {"reach"},
    "Crypto": {"core.aes_host"},
    "cryptolib": {"core.aes"},
    "ucryptolib": {"core.aes"},
}

# The exceptions from "the core and the device package use what MicroPython has, and no I/O".
ALSO = {
    "core.pump": {"asyncio"},
    "core.aes": {"cryptolib", "ucryptolib"},
    "core.aes_host": {"Crypto"},
    "micro.port_cpython": {"traceback", "tty"},
}


@dataclass(frozen=True)
class Import:
    """One imported module, by its full name, how it was written, and whether only type checkers read it."""

    module: str
    level: int
    line: int
    hint: bool


def sources() -> dict[str, Path]:
    """All modules by their names without the package: `core.session`, `micro.node`, `__init__`."""
    found = {}
    for path in [*ROOT.glob("eventhive/**/*.py"), *ROOT.glob("micro/*.py")]:
        name = path.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".").removeprefix("eventhive.")
        found[name if name == "__init__" else name.removesuffix(".__init__")] = path
    return found


SOURCES = sources()


def imports(name: str) -> list[Import]:
    path = SOURCES[name]
    package = path.parent.relative_to(ROOT).as_posix().replace("/", ".")
    found = []
    tree = ast.parse(path.read_text())
    hints = {part for block in tree.body if is_hints(block) for part in ast.walk(block)}
    for node in ast.walk(tree):
        hint = node in hints
        if isinstance(node, ast.Import):
            found += [Import(alias.name, 0, node.lineno, hint) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package.split(".")[: len(package.split(".")) - node.level + 1]) if node.level else ""
            full = ".".join(part for part in (base, node.module) if part)
            inner = [f"{full}.{alias.name}" for alias in node.names] if node.module is None else [full]
            found += [Import(module, node.level, node.lineno, hint) for module in inner]
    return found


def ours(module: str) -> str | None:
    """The name of one of our modules without the package, None for any other module."""
    if module == "eventhive":
        return "__init__"
    first, _, rest = module.partition(".")
    return rest if first == "eventhive" else module if first == "micro" else None


def room(name: str) -> str:
    """The room of a module: its longest prefix that is one."""
    parts = name.split(".")
    prefixes = [".".join(parts[:count]) for count in range(len(parts), 0, -1)]
    return next((prefix for prefix in prefixes if prefix in ROOMS), "")


def within(name: str, rooms: set[str]) -> bool:
    return any(name == one or name.startswith(f"{one}.") for one in rooms)


def test_every_module_has_a_room() -> None:
    assert [name for name in SOURCES if not room(name)] == []


@pytest.mark.parametrize("name", sorted(SOURCES))
def test_rooms(name: str) -> None:
    allowed = ROOMS[room(name)]
    for found in imports(name):
        target = ours(found.module)
        if target is not None:
            where = f"{SOURCES[name]}:{found.line}"
            assert target in SOURCES, f"{where}: there is no {target}"
            assert within(target, allowed), f"{where}: {name} may not import {target}"


@pytest.mark.parametrize("name", sorted(SOURCES))
def test_what_is_not_ours(name: str) -> None:
    on_device = room(name) in ("core", "micro")
    allowed = (PURE if room(name) == "core" else DEVICE) | ALSO.get(name, set())
    for found in imports(name):
        if ours(found.module) is not None:
            continue
        top = found.module.partition(".")[0]
        where = f"{SOURCES[name]}:{found.line}: {found.module}"
        if on_device:
            assert top in (allowed | HINTS if found.hint else allowed), f"{where} is not for what runs on a board"
        elif top not in sys.stdlib_module_names:
            assert within(name, THIRD_PARTY.get(top, set())), f"{where} is not for {name}"


@pytest.mark.parametrize("name", sorted(name for name in SOURCES if room(name) in ("core", "micro")))
def test_how_device_code_imports(name: str) -> None:
    """One text works in both places: siblings relatively, the core from outside by its full name."""
    for found in imports(name):
        target = ours(found.module)
        if target is not None:
            relative = room(target) == room(name)
            assert (found.level == 1) == relative, f"{SOURCES[name]}:{found.line}: {found.module}"


def loaded_by(code: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\n{code}\nprint(*sys.modules)"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return {module.partition(".")[0] for module in done.stdout.split()}


def test_import_loads_nothing_heavy() -> None:
    loaded = loaded_by("import eventhive\n@eventhive.hook('a')\ndef f(d): pass\neventhive.EVENTS.call('a', 1)")
    assert not loaded & {"asyncio", *THIRD_PARTY}


def test_reading_a_configuration_loads_yaml_only() -> None:
    loaded = loaded_by("import eventhive\neventhive.CONFIG.read_string('connectors: {}')")
    assert loaded & set(THIRD_PARTY) == {"yaml"}
