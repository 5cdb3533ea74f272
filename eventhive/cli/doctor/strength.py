"""What secrets protect: whether they can be guessed, and what is open to everybody. No secret is shown."""

from collections.abc import Iterator

from ...access import TLS
from ...core.errors import LocalError
from ...reach import is_loopback
from .finding import Finding, ok, warning
from .subject import Subject

# What `openssl rand -hex 8` prints.
MIN_CHARACTERS = 16
# Random text of that length has more different ones.
MIN_DIFFERENT = 6
# What stands in documentation and examples, and is tried first by anybody.
EXAMPLES = ("secret", "password", "example", "changeme", "change-me", "change_me", "eventhive", "a long and random one")

TODO = "make a random one for all members: openssl rand -hex 16"


def check(subject: Subject) -> Iterator[Finding]:
    """Secrets of networks, tokens, and doors without one."""
    found = [*_secrets(subject), *_tokens(subject), *_open(subject)]
    yield from found
    if not found:
        yield ok("no secret is easy to guess, and nothing is open to others without one")


def weakness(text: str, network: str = "") -> str:
    """Why a secret can be guessed, without showing it; empty where it cannot."""
    plain = text.lower()
    if any(plain.startswith(one) or plain.endswith(one) for one in EXAMPLES):
        return "it is one of an example"
    if network and plain in (network.lower(), network.lower()[::-1]):
        return "it is the name of the network"
    if len(text) < MIN_CHARACTERS:
        return f"it has {len(text)} characters, and {MIN_CHARACTERS} random ones cannot be guessed"
    if len(set(text)) < MIN_DIFFERENT:
        return f"it has {len(set(text))} different characters"
    return ""


def _secrets(subject: Subject) -> Iterator[Finding]:
    for name, one in subject.whole.connectors.items():
        why = weakness(one.secret.text, name) if one.secret else ""
        if why:
            yield warning(f"network {name}: its secret can be guessed: {why}", TODO)


def _tokens(subject: Subject) -> Iterator[Finding]:
    accesses = {f"server of {name}": one.access for name, one in subject.whole.servers.items()}
    for what, access in accesses.items():
        try:
            tokens = access.token.read()
        except LocalError:
            # The first section has said so.
            continue
        for why in filter(None, map(weakness, tokens)):
            yield warning(f"{what}: a token can be guessed: {why}", TODO)


def _open(subject: Subject) -> Iterator[Finding]:
    gateway = subject.gateway
    if gateway.insecure:
        what = "'insecure: true': anybody who can connect is a device, under any name that is not enrolled"
        yield warning(what, "enrol the devices (eventhive device add), and remove 'insecure'")
    for name, server in subject.whole.servers.items():
        if is_loopback(server.address.host):
            continue
        at = f"network {name}: {server.address}"
        if not server.access.token:
            what = f"{at}: anybody who can reach it may read and send its events"
            yield warning(what, "set 'token_file' and 'scheme: wss' in its 'init', or listen on 127.0.0.1")
        elif server.address.scheme != TLS:
            todo = "set 'scheme: wss', 'cert' and 'key' in its 'init'"
            yield warning(f"{at}: its token can be read on the way", todo)
    for name, one in subject.whole.connectors.items():
        if one.access.insecure:
            what = f"network {name}: with 'insecure: true', any server is taken for its own"
            yield warning(what, "set 'scheme: wss' and 'ca' in its 'init', and remove 'insecure'")
