"""Computes its files from nothing of EventHive: `python tests/vectors/generate.py`.

Everything is made from the words of docs/protocol.md and docs/secret.md with hmac, hashlib, zlib, base64 and
pycryptodome's own counter mode, so that the code is measured by something that cannot share its mistakes.
`tests/test_protocol_doc.py` fails when a file here is not what this program makes.
"""

import base64
import hashlib
import hmac
import json
import zlib
from pathlib import Path

from Crypto.Cipher import AES

HERE = Path(__file__).parent

DEVICE_KEY = bytes(range(32))
ID = "sensor-1"
DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def mac(key: bytes, *parts: bytes) -> bytes:
    """HMAC-SHA256."""
    return hmac.new(key, b"".join(parts), hashlib.sha256).digest()


LINK = mac(DEVICE_KEY, b"eventhive link 1")


def session_keys(challenge: bytes, hello: bytes) -> tuple[bytes, bytes, bytes]:
    """(master, up, down)."""
    master = mac(LINK, hashlib.sha256(challenge).digest(), hashlib.sha256(hello).digest())
    return master, mac(master, b"device to gateway"), mac(master, b"gateway to device")


def seal(key: bytes, number: int, plain: bytes) -> bytes:
    """The record with this number."""
    cipher = AES.new(key[:16], AES.MODE_CTR, nonce=b"", initial_value=number << 32).encrypt(plain)
    return cipher + mac(key[16:], number.to_bytes(4, "big"), cipher)[:16]


def challenge_frame(mode: int, limit: int, nonce: bytes) -> bytes:
    """The gateway's first message."""
    return bytes((1, 1, 1, mode)) + limit.to_bytes(2, "big") + nonce


def hello_frame(mode: int, limit: int, stream: str, attempt: int, nonce: bytes) -> bytes:
    """The device's first message."""
    head = bytes((2, 1, mode, 0)) + limit.to_bytes(2, "big") + bytes.fromhex(stream) + attempt.to_bytes(4, "big")
    return head + nonce + bytes((len(ID),)) + ID.encode()


def line(marker: str, kind: str, sequence: int, acknowledged: int, payload: bytes = b"") -> str:
    """A line of a serial link, without its end."""
    head = kind + DIGITS[sequence % 64] + DIGITS[acknowledged % 64]
    check = zlib.crc32(head.encode() + payload).to_bytes(4, "big")
    return marker + head + base64.b64encode(payload + check).decode()


def link() -> dict[str, object]:
    """The keys of one session, and records of sizes around every boundary."""
    challenge = challenge_frame(1, 1024, bytes(range(0x40, 0x50)))
    hello = hello_frame(1, 224, "0000000000000000", 0, bytes(16))
    hello = bytes.fromhex("0201010000e000000007a1a2a3a400000001") + bytes(range(0x60, 0x70)) + hello[34:]
    master, up, down = session_keys(challenge, hello)
    plain = [b'[1,3,{"c":21.5}]', b"x", bytes(range(33)), b""]
    plain += [bytes(byte % 256 for byte in range(size)) for size in (15, 16, 17, 255, 256, 257)]
    records = [("up", number, text) for number, text in enumerate(plain)]
    records += [("up", (1 << 24) - 1, b"last")]
    records += [("down", 0, b'[1,1795449159775,"a1a2a3a4",7]'), ("down", 1, b"[3,8]")]
    keys = {"up": up, "down": down}
    return {
        "what": "Keys of a session from its clear exchange, and sealed records. Hex.",
        "device_key": DEVICE_KEY.hex(),
        "challenge": challenge.hex(),
        "hello": hello.hex(),
        "link": LINK.hex(),
        "master": master.hex(),
        "up": up.hex(),
        "down": down.hex(),
        "records": [
            {"direction": way, "n": number, "plaintext": text.hex(), "record": seal(keys[way], number, text).hex()}
            for way, number, text in records
        ],
    }


def framing() -> dict[str, object]:
    """Lines that are intact, lines that are not, and what a line end finds in a stream of both and of text."""
    good = []
    for marker, kind, sequence, acknowledged, size in (
        ("#<", "R", 0, 0, 0),
        ("#>", "C", 0, 0, 22),
        ("#<", "H", 0, 0, 43),
        ("#>", "A", 0, 0, 0),
        ("#<", "D", 1, 0, 1),
        ("#>", "D", 1, 1, 2),
        ("#<", "D", 62, 63, 126),
        ("#<", "D", 63, 62, 512),
        ("#>", "X", 0, 37, 0),
    ):
        payload = bytes(byte % 256 for byte in range(size))
        text = line(marker, kind, sequence, acknowledged, payload)
        good.append(
            {
                "marker": marker,
                "kind": kind,
                "sequence": sequence,
                "acknowledged": acknowledged,
                "payload": payload.hex(),
                "line": text,
            }
        )
    return {
        "what": "Lines of a serial link (without their ends), and what one end finds in what it receives (latin-1).",
        "good": good,
        "damaged": damaged_lines(),
        "received": received(),
    }


def damaged_lines() -> list[dict[str, str]]:
    """One line, damaged in every way that a line can be."""
    whole = line("#<", "D", 1, 0, b"[2,1,21.5]")
    short = line("#<", "D", 1, 0, b"x")
    assert len(short) == len("#<DBA") + 8
    assert short.endswith("=")
    # The last character before the padding has bits that mean nothing: another one decodes to the same bytes.
    before = short.rstrip("=")
    sloppy = before[:-1] + DIGITS[DIGITS.index(before[-1]) ^ 1] + "=" * (len(short) - len(before))
    wrong = whole[:5] + base64.b64encode(base64.b64decode(whole[5:])[:-1] + b"\0").decode()
    return [
        {"why": "a byte of the payload is another", "line": whole[:8] + ("A" if whole[8] != "A" else "B") + whole[9:]},
        {"why": "a byte is missing", "line": whole[:8] + whole[9:]},
        {"why": "a byte is there twice", "line": whole[:8] + whole[7:]},
        {"why": "the end is missing", "line": whole[:-1]},
        {"why": "another sequence number", "line": whole[:3] + "C" + whole[4:]},
        {"why": "another acknowledgement", "line": whole[:4] + "B" + whole[5:]},
        {"why": "another kind", "line": whole[:2] + "H" + whole[3:]},
        {"why": "the wrong checksum", "line": wrong},
        {"why": "four characters of junk that readers of base64 skip", "line": whole[:9] + "!!!!" + whole[9:]},
        {"why": "a blank at the end", "line": whole + " "},
        {"why": "bits in the padding", "line": sloppy},
        {"why": "a sequence number that is no base64", "line": whole[:3] + "=" + whole[4:]},
        {"why": "less than a checksum", "line": "#<DBAAAA="},
        {"why": "no checksum", "line": "#<DBA"},
        {"why": "nothing but the marker", "line": "#<"},
    ]


def received() -> list[dict[str, object]]:
    """What arrives at a fresh end: events (T: text) and the count of damaged lines, whatever the pieces it comes in."""
    one, two, three = (line("#<", "D", number, 0, b"number %d" % number) for number in (1, 2, 3))
    events = [["D", (b"number %d" % number).hex()] for number in (1, 2, 3)]
    down = line("#>", "D", 1, 0, b"for the device")
    cases: list[tuple[str, str, str, list[list[str]], int]] = [
        ("three lines", "gateway", f"{one}\r\n{two}\r\n{three}\r\n", events, 0),
        ("lone line feeds", "gateway", f"{one}\n{two}\n", events[:2], 0),
        ("carriage returns doubled on the way", "gateway", f"{one}\r\r\n{two}\r\r\n", events[:2], 0),
        (
            "boot text before, between and on the same line",
            "gateway",
            f"MPY: soft reboot\r\n\x1b[0mI (31) boot: {one}\r\nTraceback:\r\n>>> {two}\r\n",
            [
                text("MPY: soft reboot"),
                text("\x1b[0mI (31) boot: "),
                events[0],
                text("Traceback:"),
                text(">>> "),
                events[1],
            ],
            0,
        ),
        (
            "text in the middle of a line destroys it; it comes again",
            "gateway",
            f"{one[:12]}hook!{one[12:]}\r\n{one}\r\n",
            [events[0]],
            1,
        ),
        (
            "the end of a line was lost: the last marker counts",
            "gateway",
            f"{one[:20]}{one}\r\n",
            [text(one[:20]), events[0]],
            0,
        ),
        (
            "the beginning of a line was lost",
            "gateway",
            f"{one[2:]}\r\n{two[9:]}{one}\r\n",
            [text(one[2:]), text(two[9:]), events[0]],
            0,
        ),
        ("a repeated line is taken once", "gateway", f"{one}\r\n{one}\r\n{two}\r\n", events[:2], 0),
        ("a line that comes too early is not taken", "gateway", f"{two}\r\n{one}\r\n", [events[0]], 0),
        ("an echo of one's own line is nothing, and no text", "gateway", f"{down}\r\n{one}\r\n", [events[0]], 0),
        ("a REPL's echo too", "gateway", f">>> {down}\r\n{one}\r\n", [events[0]], 0),
        ("the other way", "device", f"{one}\r\n{down}\r\n", [["D", b"for the device".hex()]], 0),
        ("an empty line", "gateway", f"\r\n\r\n{one}\r\n", [events[0]], 0),
    ]
    names = ("what", "end", "bytes", "events", "damaged")
    return [dict(zip(names, case, strict=True)) for case in cases]


def text(string: str) -> list[str]:
    """The event of a text."""
    return ["T", string.encode("latin-1").hex()]


# 2026-01-01T00:00:00Z, in milliseconds.
TIME_MS = 1767225600000
STREAM = "a1a2a3a400000001"
COMMANDS = "b1b2b3b400000002"


class Party:
    """Both ends of one session, writing down what travels."""

    def __init__(self, mode: int, gateway_limit: int, limit: int, stream: str, attempt: int, gateway_nonce: bytes):
        seed = bytes(range(0x80, 0x98))
        nonce = mac(LINK, b"nonce", seed, attempt.to_bytes(4, "big"))[:16]
        challenge = challenge_frame(mode, gateway_limit, gateway_nonce)
        hello = hello_frame(1, limit, stream, attempt, nonce)
        self.master, self.up, self.down = session_keys(challenge, hello)
        self.seed = seed
        self.counts = {"device": 0, "gateway": 0}
        self.messages: list[dict[str, str]] = []
        self.note("gateway", "challenge", challenge)
        self.note("device", "hello", hello)

    def note(self, sender: str, kind: str, message: bytes, plain: str = "") -> bytes:
        """Write a message down."""
        entry = {"from": sender, "kind": kind, "message": message.hex()}
        if plain:
            entry["plaintext"] = plain
        self.messages.append(entry)
        return message

    def record(self, sender: str, plain: str) -> bytes:
        """Seal and write down the next record of one end."""
        key = self.up if sender == "device" else self.down
        number = self.counts[sender]
        self.counts[sender] += 1
        return self.note(sender, "record", seal(key, number, plain.encode()), plain)


def transcript() -> dict[str, object]:
    """A device's two sessions of one boot: over a websocket, cut off, and over a serial line, where it goes on."""
    first = Party(1, 4096, 1024, "00" * 8, 0x1000, bytes(range(0x40, 0x50)))
    for sender, plain in (
        ("device", '[[0,20],[11,"my-hive/sensor-1/led"]]'),
        ("gateway", f'[1,{TIME_MS},"{STREAM}",0]'),
        ("device", f'[[4,"{STREAM}",1],[2,"my-hive/queen/temperature",{{"c":21.5}}]]'),
        ("gateway", "[3,1]"),
        ("device", '[[2,1,{"c":21.75}],[2,"my-hive/queen/door",true],[2,2,false]]'),
        ("gateway", "[3,4]"),
        ("gateway", f'[[4,"{COMMANDS}",1],[2,"my-hive/sensor-1/led",{{"on":true}}]]'),
        ("device", "[3,1]"),
        ("device", "[5,0]"),
        ("gateway", "[6,0]"),
        ("device", '[2,1,{"c":22.25}]'),
    ):
        first.record(sender, plain)
    return {
        "what": "Two sessions of one boot of one device. Messages in hex, in the order in which they are sent.",
        "device_key": DEVICE_KEY.hex(),
        "id": ID,
        "heartbeat_s": 20,
        "time_ms": TIME_MS,
        "stream": STREAM,
        "command_stream": COMMANDS,
        "websocket": session(first, 0x1000, 4096, 1024),
        "serial": serial_session(),
    }


def session(party: Party, attempt: int, gateway_limit: int, limit: int) -> dict[str, object]:
    """The part of a transcript that both carriers have."""
    return {
        "attempt": attempt,
        "gateway_limit": gateway_limit,
        "limit": limit,
        "seed": party.seed.hex(),
        "up": party.up.hex(),
        "down": party.down.hex(),
        "messages": party.messages,
    }


def serial_session() -> dict[str, object]:
    """The second session, as messages and as lines; the event without an acknowledgement comes again in it."""
    party = Party(0, 1500, 512, STREAM, 0x1001, bytes(range(0x50, 0x60)))
    lines: list[dict[str, object]] = []

    def put(sender: str, kind: str, sequence: int, acknowledged: int, payload: bytes = b"", arrives: str = "") -> None:
        sent = line("#<" if sender == "device" else "#>", kind, sequence, acknowledged, payload)
        entry: dict[str, object] = {"from": sender, "line": sent}
        if arrives:
            entry["arrives"] = arrives
        lines.append(entry)

    challenge, hello = (bytes.fromhex(message["message"]) for message in party.messages)
    put("device", "R", 0, 0)
    put("gateway", "C", 0, 0, challenge)
    put("device", "H", 0, 0, hello)
    put("gateway", "A", 0, 0)
    plain = f'[[0,20],[11,"my-hive/sensor-1/led"],[4,"{STREAM}",5],[2,"my-hive/queen/temperature",{{"c":22.25}}]]'
    put("device", "D", 1, 0, party.record("device", plain))
    plain = f'[[1,{TIME_MS + 3000},"{STREAM}",5],[3,5],[4,"{COMMANDS}",2],[2,"my-hive/sensor-1/led",{{"on":false}}]]'
    put("gateway", "D", 1, 1, party.record("gateway", plain))
    put("device", "D", 2, 1, party.record("device", "[3,2]"))
    put("gateway", "A", 0, 2)
    event = party.record("device", '[2,"my-hive/queen/door",true]')
    whole = line("#<", "D", 3, 1, event)
    put("device", "D", 3, 1, event, whole[:30] + whole[31:])
    put("device", "D", 3, 1, event)
    put("gateway", "D", 2, 3, party.record("gateway", "[3,6]"))
    put("device", "A", 0, 2)
    put("device", "D", 4, 2, party.record("device", '[7,"stopped",0]'))
    put("gateway", "A", 0, 4)
    return {**session(party, 0x1001, 1500, 512), "lines": lines}


def strict() -> dict[str, object]:
    """Events sealed by two starts of senders of one network, of sizes around every boundary."""
    secret, network = "correct horse battery staple", "my-hive"
    root = hashlib.scrypt(
        secret.encode(), salt=b"eventhive strict 1\0" + network.encode(), n=2**15, r=8, p=1, maxmem=2**26, dklen=32
    )
    mac_key = mac(root, b"authenticate")
    senders = [bytes(range(0xA0, 0xB0)), bytes(range(0xB0, 0xC0))]
    texts = ["{}", "null", "21.5", '{"celsius": 21.5}', '"\\u00e9 \u00e9"', json.dumps("x" * 13), json.dumps("x" * 14)]
    texts += [json.dumps(list(range(size))) for size in (40, 400, 4000)]
    topic = "my-hive/worker/action"
    cases = [(senders[0], number, TIME_MS + number, topic, text) for number, text in enumerate(texts, 1)]
    cases += [
        (senders[0], 2**32, TIME_MS, topic, "[1]"),
        (senders[0], 2**64 - 1, TIME_MS, topic, "[1]"),
        (senders[1], 1, TIME_MS, "my-hive/worker/caf\u00e9", "[1]"),
    ]
    return {
        "what": "Events as seal: strict makes them. Byte strings in hex.",
        "secret": secret,
        "network": network,
        "root": root.hex(),
        "mac": mac_key.hex(),
        "events": [strict_event(root, mac_key, *case) for case in cases],
    }


def strict_event(root: bytes, mac_key: bytes, sender: bytes, number: int, time: int, topic: str, text: str) -> object:
    """One of them."""
    key = mac(root, b"encrypt", sender)[:16]
    head = b"\1" + sender + number.to_bytes(8, "big") + time.to_bytes(8, "big")
    block = number.to_bytes(12, "big") + bytes(4)
    cipher = AES.new(key, AES.MODE_CTR, nonce=b"", initial_value=block).encrypt(text.encode())
    name = topic.encode()
    record = head + cipher + mac(mac_key, head, len(name).to_bytes(4, "big"), name, cipher)[:16]
    return {
        "sender": sender.hex(),
        "key": key.hex(),
        "number": number,
        "time_ms": time,
        "topic": topic,
        "text": text,
        "sealed": json.dumps({"eventhive-sealed": base64.b64encode(record).decode()}),
    }


def made() -> dict[str, str]:
    """The text of each file by its name."""
    files = {"link": link(), "framing": framing(), "transcript": transcript(), "strict": strict()}
    return {f"{name}.json": json.dumps(content, indent=1) + "\n" for name, content in files.items()}


if __name__ == "__main__":
    for name, content in made().items():
        (HERE / name).write_text(content, encoding="utf-8")
