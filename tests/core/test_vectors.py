"""The core against published vectors, and against those that tests/vectors/generate.py computes without it."""

import unittest
from binascii import hexlify

from vectors import load

from eventhive.core.aes import Ctr, block_cipher
from eventhive.core.envelope import EVENT, HOOKS, check_data, encode, messages
from eventhive.core.errors import LocalError, PeerError
from eventhive.core.framing import CHALLENGE, DATA, HELLO, READY, SerialLine, pack_line, parse_line
from eventhive.core.greet import greet
from eventhive.core.keys import link_mac, session_keys
from eventhive.core.mac import Mac, equal
from eventhive.core.mark import Mark
from eventhive.core.opening import open_session
from eventhive.core.ring import Outbox
from eventhive.core.seal import Sealed
from eventhive.core.session import Session
from eventhive.core.welcome import welcome


def hexed(data):
    return str(hexlify(data), "ascii")


def unhexed(text):
    return bytes.fromhex(text)


class MacTest(unittest.TestCase):
    def test_rfc_4231(self):
        for case in load("hmac")["cases"]:
            found = hexed(Mac(unhexed(case["key"])).digest(unhexed(case["data"])))
            self.assertEqual(found[: len(case["mac"])], case["mac"], case["case"])

    def test_two_pieces_are_one(self):
        for case in load("hmac")["cases"]:
            data = unhexed(case["data"])
            mac = Mac(unhexed(case["key"]))
            for at in (0, 1, len(data)):
                self.assertEqual(mac.digest(data[:at], data[at:]), mac.digest(data))

    def test_equal(self):
        tag = unhexed(load("hmac")["cases"][0]["mac"])[:16]
        self.assertTrue(equal(tag, tag))
        self.assertTrue(equal(b"", b""))
        for bit in range(128):
            other = bytes([byte ^ (1 << bit % 8 if at == bit // 8 else 0) for at, byte in enumerate(tag)])
            self.assertFalse(equal(tag, other))
        for size in range(16):
            self.assertFalse(equal(tag[:size], tag))
            self.assertFalse(equal(tag, tag[:size]))


class AesTest(unittest.TestCase):
    def test_single_blocks(self):
        vector = load("aes")
        encrypt = block_cipher(unhexed(vector["key"]))
        self.assertEqual([hexed(encrypt(unhexed(block))) for block in vector["plaintext"]], vector["ecb"])

    def test_counter_mode(self):
        vector = load("aes")
        stream = block_cipher(unhexed(vector["key"]))(unhexed("".join(vector["counters"])))
        plain = int("".join(vector["plaintext"]), 16)
        self.assertEqual(hexed((int(hexed(stream), 16) ^ plain).to_bytes(64, "big")), "".join(vector["ctr"]))

    def test_records_are_in_counter_mode(self):
        # Their counters have zeros where those of the publication do not, so its figures cannot be asked of them.
        vector = load("aes")
        key = unhexed(vector["key"])
        for start in (0, 1, 255, (1 << 24) - 1):
            counters = b"".join([bytes(8) + start.to_bytes(4, "big") + block.to_bytes(4, "big") for block in range(40)])
            stream = block_cipher(key)(counters)
            for size in (0, 1, 15, 16, 17, 127, 128, 129, 255, 256, 257, 512, 640):
                self.assertEqual(Ctr(key).crypt(start, bytes(size)), stream[:size], (start, size))


class SealTest(unittest.TestCase):
    def test_keys(self):
        vector = load("link")
        link = link_mac(unhexed(vector["device_key"]))
        up, down = session_keys(link, unhexed(vector["challenge"]), unhexed(vector["hello"]))
        self.assertEqual(hexed(up), vector["up"])
        self.assertEqual(hexed(down), vector["down"])

    def test_records_in_order(self):
        vector = load("link")
        for way in ("up", "down"):
            sender, receiver = Sealed(unhexed(vector[way])), Sealed(unhexed(vector[way]))
            number = 0
            for record in vector["records"]:
                if record["direction"] == way and record["n"] == number:
                    number += 1
                    plain, sealed = unhexed(record["plaintext"]), unhexed(record["record"])
                    self.assertEqual(hexed(sender.seal(plain)), record["record"], (way, record["n"]))
                    self.assertEqual(receiver.open(sealed), plain, (way, record["n"]))
            self.assertGreater(number, 1)

    def test_any_record(self):
        vector = load("link")
        for record in vector["records"]:
            key, plain = unhexed(vector[record["direction"]]), unhexed(record["plaintext"])
            cipher = Ctr(key[:16]).crypt(record["n"], plain)
            tag = Mac(key[16:]).digest(record["n"].to_bytes(4, "big"), cipher)[:16]
            self.assertEqual(hexed(cipher + tag), record["record"], record["n"])

    def test_every_bit_counts(self):
        vector = load("link")
        record = unhexed(vector["records"][0]["record"])
        receiver = Sealed(unhexed(vector["up"]))
        for bit in range(8 * len(record)):
            with self.assertRaises(PeerError):
                receiver.open(bytes([byte ^ (1 << bit % 8 if at == bit // 8 else 0) for at, byte in enumerate(record)]))
        for size in range(len(record)):
            with self.assertRaises(PeerError):
                receiver.open(record[:size])
        self.assertEqual(hexed(receiver.open(record)), vector["records"][0]["plaintext"])

    def test_another_place_or_direction(self):
        vector = load("link")
        records = [unhexed(record["record"]) for record in vector["records"]]
        receiver = Sealed(unhexed(vector["up"]))
        receiver.open(records[0])
        expected = records.pop(1)
        for record in records:
            with self.assertRaises(PeerError):
                receiver.open(record)
        receiver.open(expected)


class FramingTest(unittest.TestCase):
    def test_lines(self):
        for vector in load("framing")["good"]:
            line = vector["line"].encode()
            parts = (vector["kind"].encode(), vector["sequence"], vector["acknowledged"], unhexed(vector["payload"]))
            self.assertEqual(pack_line(vector["marker"].encode(), *parts), line + b"\r\n")
            self.assertEqual(parse_line(line), parts)

    def test_damaged_lines(self):
        for vector in load("framing")["damaged"]:
            self.assertIsNone(parse_line(vector["line"].encode()), vector["why"])

    def test_every_byte_counts(self):
        line = load("framing")["good"][5]["line"].encode()
        for at in range(2, len(line)):
            for other in b"A0+=\xff!":
                if line[at] != other:
                    self.assertIsNone(parse_line(line[:at] + bytes([other]) + line[at + 1 :]), (at, other))

    def test_received(self):
        for vector in load("framing")["received"]:
            data = bytes([ord(character) for character in vector["bytes"]])
            for size in (1, 7, len(data)):
                end = SerialLine(vector["end"] == "device", 512)
                events = []
                for at in range(0, len(data), size):
                    events += end.receive_data(data[at : at + size])
                found = [[str(kind, "ascii"), hexed(payload)] for kind, payload in events]
                self.assertEqual(found, vector["events"], vector["what"])
                self.assertEqual(end.damaged, vector["damaged"], vector["what"])


class EnvelopeTest(unittest.TestCase):
    def test_encoded(self):
        for value, text in load("envelope")["encoded"]:
            self.assertEqual(encode(value), text.encode())
            self.assertEqual(self.arriving(text.encode()), value)

    def test_arriving(self):
        for text, usable in load("envelope")["arriving"]:
            self.assertEqual(self.usable(unhexed(text)), usable, unhexed(text))

    def arriving(self, text):
        """The data of an event that arrives."""
        return messages(b"[2,1," + text + b"]")[0][2]

    def usable(self, text):
        try:
            check_data(self.arriving(text))
        except (TypeError, IndexError, LocalError):
            return False
        return True

    def test_refused(self):
        infinite = float("inf")
        for value in (
            infinite,
            -infinite,
            infinite - infinite,
            b"bytes",
            {1, 2},
            object(),
            {1: 2},
            [b""],
            {"a": {"b": b""}},
        ):
            with self.assertRaises(LocalError):
                encode(value)

    def test_records(self):
        for text, expected in load("envelope")["records"]:
            self.assertEqual(messages(text.encode()), expected, text)


class Transcript:
    """Checks that a device says, message for message, what the transcript says; what the gateway says is fed to it."""

    def __init__(self, case):
        self.case = case
        self.vector = load("transcript")
        self.outbox = Outbox(4096, 1024)
        self.mark = Mark()
        self.got = []

    def greet(self, part):
        session = self.vector[part]
        self.messages = [(message["from"], unhexed(message["message"])) for message in session["messages"]]
        key, seed = unhexed(self.vector["device_key"]), unhexed(session["seed"])
        self.challenge = self.messages.pop(0)[1]
        who = self.vector["id"], key, 0, session["attempt"]
        hello, keys = greet(self.challenge, *who, seed, session["limit"], self.outbox.stream)
        self.session = Session(session["limit"], self.outbox, self.mark)
        open_session(self.session, self.challenge, hello, keys, self.vector["heartbeat_s"])
        self.session.say(encode([HOOKS, "my-hive/sensor-1/led"]))
        self.check(hello)
        return hello

    def check(self, message):
        self.case.assertEqual(self.messages.pop(0), ("device", message))

    def say(self):
        """The device says the next message of the transcript, and no other one; returns it."""
        message = self.session.data_to_send()
        self.check(message)
        return message

    def welcome(self, answer):
        self.case.assertEqual(welcome(self.session, self.challenge, answer), self.session_time())
        self.take()

    def session_time(self):
        return self.vector["time_ms"] + (3000 if self.got else 0)

    def hear(self):
        """The device gets the next message of the gateway."""
        sender, message = self.messages.pop(0)
        self.case.assertEqual(sender, "gateway")
        return message

    def take(self, message=None):
        if message:
            self.session.receive_data(message)
        event = self.session.next_event()
        while event:
            if event[0] == EVENT:
                self.got.append(event[1:])
                self.session.incoming().confirm()
            event = self.session.next_event()

    def put(self, name, data):
        self.outbox.put("my-hive/queen/" + name, encode(data))


class TranscriptTest(unittest.TestCase):
    def test_device(self):
        transcript = Transcript(self)
        self.on_a_websocket(transcript)
        self.on_a_serial_line(transcript)
        led = "my-hive/sensor-1/led"
        self.assertEqual(transcript.got, [(led, {"on": True}, 1), (led, {"on": False}, 2)])

    def on_a_websocket(self, transcript):
        transcript.greet("websocket")
        transcript.say()
        transcript.welcome(transcript.hear())
        transcript.put("temperature", {"c": 21.5})
        transcript.say()
        transcript.take(transcript.hear())
        transcript.put("temperature", {"c": 21.75})
        transcript.put("door", True)
        transcript.put("door", False)
        transcript.say()
        transcript.take(transcript.hear())
        self.assertEqual((transcript.outbox.acked, len(transcript.outbox.entries)), (4, 0))
        transcript.take(transcript.hear())
        transcript.say()
        transcript.session.tick(20000)
        transcript.say()
        transcript.take(transcript.hear())
        transcript.put("temperature", {"c": 22.25})
        transcript.say()
        self.assertEqual(transcript.messages, [])

    def on_a_serial_line(self, transcript):
        lines = [(line["from"], line["line"].encode() + b"\r\n") for line in transcript.vector["serial"]["lines"]]
        line = SerialLine(True, 512)

        def check():
            """What the line writes is what comes next."""
            self.assertEqual(lines.pop(0), ("device", line.data_to_send()))

        def hear(kind=None):
            sender, data = lines.pop(0)
            self.assertEqual(sender, "gateway")
            self.assertEqual(line.receive_data(data), [(kind, transcript.hear())] if kind else [])

        line.send(READY)
        check()
        # The transcript's first message is the challenge, which `greet` takes.
        challenge = lines.pop(0)[1]
        kind, payload = line.receive_data(challenge)[0]
        line.reset()
        line.send(HELLO, transcript.greet("serial"))
        self.assertEqual((kind, payload), (CHALLENGE, transcript.challenge))
        check()
        hear()
        line.send(DATA, transcript.say())
        check()
        answer = transcript.messages[0][1]
        hear(DATA)
        transcript.welcome(answer)
        self.assertEqual(transcript.outbox.acked, 5)
        line.send(DATA, transcript.say())
        check()
        hear()
        transcript.put("door", True)
        line.send(DATA, transcript.say())
        check()
        # It arrives damaged, so nothing comes back, and it is sent again.
        self.assertEqual(line.data_to_send(), b"")
        line.tick(250)
        check()
        answer = transcript.messages[0][1]
        hear(DATA)
        transcript.take(answer)
        check()
        transcript.session.close("stopped")
        line.send(DATA, transcript.say())
        check()
        hear()
        self.assertEqual((lines, transcript.messages, transcript.outbox.acked), ([], [], 6))


if __name__ == "__main__":
    unittest.main()
