"""The wireless network of a board: from a file or a prompt, never from an argument, which others could read."""

import stat
from pathlib import Path
from typing import Any

from ...core.errors import LocalError
from ...settings import Settings
from .. import asking
from ..output import say

# What IEEE 802.11 and WPA2 allow.
SSID_BYTES = 32
PASSWORD_CHARS = (8, 63)

READABLE = stat.S_IRWXG | stat.S_IRWXO


def read(path: Path) -> dict[str, Any]:
    """`ssid` and `password` of a file, JSON or YAML, with or without `wifi:` around them."""
    try:
        mode, text = path.stat().st_mode, path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise LocalError(f"{path}: not UTF-8 text") from None
    except OSError as error:
        raise LocalError(f"{path}: {error.strerror}") from None
    if mode & READABLE:
        raise LocalError(f"{path}: others may read it, and it holds a password: chmod 600 {path}")
    settings = Settings()
    # Not `read_file`, for which a password with braces would be a template.
    settings.read_text(text, str(path))
    found = settings.values
    if isinstance(found.get("wifi"), dict):
        found = found["wifi"]
    return _checked(str(path), found)


def ask() -> dict[str, Any]:
    """Ask at the terminal; `LocalError` where there is none."""
    if not asking.is_somebody_there():
        raise LocalError("which wireless network? --wifi FILE, with 'ssid' and 'password', which only you may read")
    ssid = asking.ask("wireless network (2.4 GHz): ")
    return _checked("the answer", {"ssid": ssid, "password": asking.ask_secret("its password (none: Enter): ")})


def warn() -> None:
    """What everybody should know who puts a password on a board."""
    say("   the password and the key lie readable on the board's flash: whoever holds the board can copy them")


def _checked(shown: str, found: dict[str, Any]) -> dict[str, Any]:
    if not set(found) <= {"ssid", "password", "reset_after"} or "ssid" not in found:
        raise LocalError(f"{shown}: has to have 'ssid' and 'password', and nothing else")
    wifi = {key: value for key, value in found.items() if value not in (None, "")}
    for key in ("ssid", "password"):
        if not isinstance(wifi.get(key, ""), str):
            raise LocalError(f"{shown}: {key}: is no text: put it in quotes")
    if not 0 < len(wifi.get("ssid", "").encode()) <= SSID_BYTES:
        raise LocalError(f"{shown}: ssid: 1 to {SSID_BYTES} bytes")
    low, high = PASSWORD_CHARS
    if "password" in wifi and not low <= len(wifi["password"]) <= high:
        raise LocalError(f"{shown}: password: {low} to {high} characters")
    return wifi
