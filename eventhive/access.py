"""Who may come in, and whom to trust: tokens and certificates of websocket servers and of connectors.

Rules of this file:
1. A token is in no message and no repr, and what guards access is a file of the owner alone, or an error.
2. Files are read when a server or connector starts, so that who only reads a configuration need not be able to.
3. Certificates and their names are verified; only the word `insecure` ends that.
"""

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from .core.errors import LocalError
from .section import Section

if TYPE_CHECKING:
    import ssl

TOKEN_KEYS = ("token", "token_file")
SERVER_KEYS = (*TOKEN_KEYS, "cert", "key")
CLIENT_KEYS = (*TOKEN_KEYS, "ca", "server_name", "insecure")
TLS = "wss"

# What `openssl rand -hex 8` prints: 64 bits cannot be guessed over a network.
MIN_TOKEN = 16
# A header with a longer one would not fit the request beside everything else (`websocket.Limits.upgrade_bytes`).
MAX_TOKEN = 4096
# Tokens of one server: the new one and the old one while programs are moved over, for several groups of programs.
MAX_TOKENS = 64

MAX_FILE_BYTES = MAX_TOKENS * (MAX_TOKEN + 2)


@dataclass(frozen=True)
class Token:
    """Where the token stands: in the configuration, or in a file of one token a line, or nowhere."""

    text: str = field(default="", repr=False)
    file: Path | None = None

    def __bool__(self) -> bool:
        return bool(self.text or self.file)

    def read(self) -> tuple[str, ...]:
        """All of them: a server takes each, a connector presents the first. `LocalError` says what is wrong."""
        if self.file is None:
            return (self.text,) if self.text else ()
        tokens = _lines(self.file)
        if not tokens:
            raise LocalError(f"token_file {self.file}: there is no token in it: one a line")
        for token in tokens:
            problem = _problem(token)
            if problem:
                raise LocalError(f"token_file {self.file}: {problem}")
        return tokens


@dataclass(frozen=True)
class ServerAccess:
    """What a server asks of its clients (`token`), and what it proves itself with; without `cert` there is no TLS."""

    token: Token = Token()
    cert: Path | None = None
    key: Path | None = None


@dataclass(frozen=True)
class ClientAccess:
    """What a connector presents (`token`), and how it knows its server, where it speaks TLS.

    `ca`: certificates to trust in place of the system's. `server_name`: the name in the server's certificate, where it
    is another than the host that is connected to. `insecure`: take any certificate.
    """

    token: Token = Token()
    ca: Path | None = None
    server_name: str = ""
    insecure: bool = False


def of_server(init: Section, scheme: str) -> ServerAccess:
    """What the `init` of a server says; raises `ConfigError`."""
    cert, key = init.path("cert"), init.path("key")
    if scheme == TLS and cert is None:
        raise init.error("scheme", "wss needs a certificate: write its file under 'cert', and its key's under 'key'")
    if scheme != TLS and (cert or key):
        raise init.error("cert" if cert else "key", "only a server with 'scheme: wss' has a certificate")
    return ServerAccess(_token(init), cert, key)


def of_client(init: Section, scheme: str, looks_up: bool) -> ClientAccess:
    """What the `init` of a connector says, which may look its server up; raises `ConfigError`."""
    access = ClientAccess(_token(init), init.path("ca"), init.text("server_name", ""), init.boolean("insecure", False))
    for key in ("ca", "server_name"):
        if key in init and scheme != TLS:
            raise init.error(key, "only a connector with 'scheme: wss' looks at certificates")
    if looks_up and access.token and scheme != TLS and not access.insecure:
        key = "token" if "token" in init else "token_file"
        why = "anybody can announce a server and would be given the token"
        raise init.error(key, f"{why}: set 'scheme: wss' and 'ca', or 'insecure: true'")
    return access


def _token(init: Section) -> Token:
    text = init.raw("token")
    if text is None:
        return Token(file=init.path("token_file"))
    if "token_file" in init:
        raise init.error("token_file", "there is a 'token' too: one of the two")
    problem = _problem(text) if isinstance(text, str) else "a text is needed: put it in quotes"
    if problem:
        raise init.error("token", problem)
    return Token(text)


def _problem(token: str) -> str:
    """Why this can be no token, without showing it; empty where it can."""
    if not all("!" <= character <= "~" for character in token):
        return "a token has printable ASCII characters and no spaces, because it travels in a header"
    if not MIN_TOKEN <= len(token) <= MAX_TOKEN:
        return f"a token has {MIN_TOKEN} to {MAX_TOKEN} characters: openssl rand -hex 16 makes one"
    return ""


def server_context(access: ServerAccess) -> "ssl.SSLContext | None":
    """The TLS of a server, None where it has none; `LocalError` names the file and its fault."""
    if access.cert is None:
        return None
    import ssl

    key = access.key or access.cert
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    # Opened here first, because OpenSSL does not say which of the two it could not read. A group may read a key: that
    # is how certificates are shared among the services of a machine.
    _read(key, "key", stat.S_IRWXO)
    _read(access.cert, "cert")
    try:
        context.load_cert_chain(access.cert, key, password=_no_password)
    except (ssl.SSLError, ValueError) as error:
        raise LocalError(f"cert {access.cert} and key {key}: {_why(error)}") from None
    return context


def client_context(access: ClientAccess) -> "ssl.SSLContext":
    """The TLS of a connector; `LocalError` names the file and its fault."""
    import ssl

    context = ssl.create_default_context() if access.ca is None else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if access.ca is not None:
        _read(access.ca, "ca")
        try:
            context.load_verify_locations(access.ca)
        except ssl.SSLError as error:
            raise LocalError(f"ca {access.ca}: {_why(error)}") from None
    if access.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _no_password() -> str:
    # Without this, OpenSSL would ask the terminal, in the thread of the loop.
    raise ValueError("the key is encrypted: decrypt it (openssl pkey), and let only its owner read it")


def _why(error: Exception) -> str:
    reason = getattr(error, "reason", None)
    if reason == "KEY_VALUES_MISMATCH":
        return "the key is that of another certificate"
    return str(error) if isinstance(error, ValueError) else f"not in PEM form, or not what it should be ({reason})"


def _read(path: Path, key: str, forbidden: int = 0) -> bytes:
    """What a file holds; `forbidden` are the bits of its mode that let others read it."""
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise LocalError(f"{key} {path}: {error.strerror}") from None
    if mode & forbidden:
        raise LocalError(f"{key} {path}: others may read it (mode {mode:o}): chmod 600 {path}")
    if len(data) > MAX_FILE_BYTES:
        raise LocalError(f"{key} {path}: longer than {MAX_FILE_BYTES} bytes, so it is not what it should be")
    return data


def _lines(path: Path) -> tuple[str, ...]:
    # What is not UTF-8 becomes a character that no token may have.
    lines = _read(path, "token_file", stat.S_IRWXG | stat.S_IRWXO).decode(errors="replace").splitlines()
    tokens = [line.strip() for line in lines if line.strip()]
    if len(tokens) > MAX_TOKENS:
        raise LocalError(f"token_file {path}: more than {MAX_TOKENS} tokens")
    return tuple(tokens)
