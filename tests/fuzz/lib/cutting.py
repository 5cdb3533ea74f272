"""One input as several messages, and what many targets begin with; the same file on both interpreters."""

# Deeper than either interpreter can go.
DEEP = b"[" * 2000


def pack(*messages):
    """The input that `unpack` makes these messages of; each has at most 255 bytes."""
    return b"".join([bytes((len(message),)) + message for message in messages])


def unpack(data):
    """Messages, each behind its length in one byte; the last may be cut short."""
    messages = []
    while data:
        size = data[0]
        messages.append(data[1 : 1 + size])
        data = data[1 + size :]
    return messages
