"""Upgrades of websockets whose keys are not random, and frames as each end writes them."""

from eventhive.websocket.frames import apply_mask, head

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

# One for all frames: what masks do is nothing that a parser could fail at.
MASK = b"\x11\x22\x33\x44"

# Of RFC 6455, 5.2, with the final bit.
TEXT, BINARY, CLOSE, PING, PONG = 0x81, 0x82, 0x88, 0x89, 0x8A


def request(subprotocol: str = "", path: str = "/pubsub") -> bytes:
    """What a client sends first."""
    extra = f"Sec-WebSocket-Protocol: {subprotocol}\r\n" if subprotocol else ""
    return (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:8085\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n{extra}\r\n"
    ).encode()


def response(subprotocol: str = "") -> bytes:
    """What a server answers."""
    extra = f"Sec-WebSocket-Protocol: {subprotocol}\r\n" if subprotocol else ""
    return (
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Accept: {ACCEPT}\r\n{extra}\r\n"
    ).encode()


def masked(kind: int, payload: bytes) -> bytes:
    """A frame of a client; `kind` is its first byte."""
    start = head(TEXT, len(payload), 0x80)
    return bytes((kind,)) + start[1:] + MASK + apply_mask(payload, MASK)


def plain(kind: int, payload: bytes) -> bytes:
    """A frame of a server."""
    return bytes((kind,)) + head(TEXT, len(payload), 0)[1:] + payload


def texts(stream: bytes) -> list[str]:
    """The text frames of a server's stream, which begins with its answer."""
    stream = stream.partition(b"\r\n\r\n")[2]
    found = []
    while stream:
        size, at = stream[1], 2
        if size > 125:
            at = 4 if size == 126 else 10
            size = int.from_bytes(stream[2:at], "big")
        if stream[0] == TEXT:
            found.append(stream[at : at + size].decode())
        stream = stream[at + size :]
    return found
