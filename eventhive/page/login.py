"""Who may see the page: its token, the logins made with it, and how often one may try.

Rules of this file:
1. The token is made here, of the system's randomness, and shown once. What is kept is its hash, in a file of the owner.
   A plain hash is enough: nobody can try all of 144 random bits.
2. Secrets are compared by their hashes, in constant time.
3. Every number is bounded, and every time is given, in seconds of a clock that nobody sets.
"""

import hashlib
import hmac
import os
import re
import secrets
import stat
from collections import OrderedDict
from pathlib import Path

from ..core.errors import LocalError

TOKEN_BYTES = 18

# A week without a visit.
LOGIN_S = 7 * 24 * 3600
# Browsers of one household or workshop; the one that has not come for longest is logged out.
MAX_LOGINS = 32

# Wrong tokens of one address in a row, and how long each further one costs it. The token cannot be guessed: this bounds
# what guessing costs the gateway and its log.
FREE_ATTEMPTS = 5
PAUSE_S = 10.0
# Addresses that are remembered for that.
MAX_ADDRESSES = 1024

_FORM = re.compile(r"sha256:([0-9a-f]{64})\n?")


class Token:
    """The token whose hash is in the file at `path`; `fresh` is a new one where there was no file, else empty."""

    def __init__(self, path: Path):
        self.fresh = ""
        try:
            self._hash = _load(path)
        except FileNotFoundError:
            self.fresh = secrets.token_urlsafe(TOKEN_BYTES)
            self._hash = _hash(self.fresh)
            _save(path, self._hash)
        except OSError as error:
            raise LocalError(f"token of the page {path}: {error.strerror}") from None

    def matches(self, given: str) -> bool:
        """True for the token."""
        return hmac.compare_digest(_hash(given), self._hash)


class Logins:
    """Who is logged in: random names in a cookie, of which only hashes are kept."""

    def __init__(self) -> None:
        self._until: OrderedDict[bytes, float] = OrderedDict()

    def open(self, now: float) -> str:
        """A new one; what it gives belongs into a cookie."""
        name = secrets.token_urlsafe(TOKEN_BYTES)
        while len(self._until) >= MAX_LOGINS:
            self._until.popitem(last=False)
        self._until[_hash(name)] = now + LOGIN_S
        return name

    def holds(self, name: str, now: float) -> bool:
        """True for one that is open, which it is for a while longer then."""
        hashed = _hash(name)
        until = self._until.pop(hashed, None)
        if until is None or until <= now:
            return False
        self._until[hashed] = now + LOGIN_S
        return True

    def close(self, name: str) -> None:
        """Log out."""
        self._until.pop(_hash(name), None)


class Attempts:
    """Wrong tokens, by the address that they came from; `failed` counts all."""

    def __init__(self) -> None:
        self.failed = 0
        self._of: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def wait_s(self, address: str, now: float) -> float:
        """How long an address has to wait before it may try again; 0: not at all."""
        count, free = self._of.get(address, (0, 0.0))
        return max(free - now, 0.0) if count >= FREE_ATTEMPTS else 0.0

    def wrong(self, address: str, now: float) -> None:
        """One was wrong."""
        self.failed += 1
        count = self._of.pop(address, (0, 0.0))[0] + 1
        while len(self._of) >= MAX_ADDRESSES:
            self._of.popitem(last=False)
        self._of[address] = count, now + PAUSE_S

    def right(self, address: str) -> None:
        """One was right."""
        self._of.pop(address, None)


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode(errors="surrogateescape")).digest()


def _load(path: Path) -> bytes:
    with path.open("rb") as file:
        if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & (stat.S_IRWXG | stat.S_IRWXO):
            raise LocalError(f"token of the page {path}: others may use it: chmod 600 {path}")
        found = _FORM.fullmatch(file.read(256).decode(errors="replace"))
    if found is None:
        raise LocalError(f"token of the page {path}: not the hash of one: delete the file, and a new one is made")
    return bytes.fromhex(found[1])


def _save(path: Path, hashed: bytes) -> None:
    try:
        # Never there with other rights, and never half: the name comes when the content is on disk.
        scratch = path.with_name(f"{path.name}.new")
        scratch.unlink(missing_ok=True)
        with os.fdopen(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(f"sha256:{hashed.hex()}\n")
            file.flush()
            os.fsync(file.fileno())
        scratch.replace(path)
    except OSError as error:
        raise LocalError(f"token of the page {path}: {error.strerror}: the folder must be writable") from None
