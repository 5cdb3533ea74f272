"""Lines among the text of a serial console: each message arrives once, or not at all, and the text is handed on."""

import unittest
from binascii import b2a_base64, crc32

from ends import Dice, flipped

from eventhive.core.framing import (
    ACKNOWLEDGE,
    CHALLENGE,
    DATA,
    FIRST_RETRY_MS,
    HELLO,
    MAX_TEXT,
    NO_SESSION,
    READY,
    TEXT,
    SerialLine,
    line_bytes,
    pack_line,
    parse_line,
)

LIMIT = 512

BANNERS = (
    b"MicroPython v1.25.0 on 2025-04-15; Raspberry Pi Pico W with RP2040\r\n",
    b'Type "help()" for more information.\r\n>>> ',
    b"raw REPL; CTRL-B to exit\r\n>",
    b"\r\npaste mode; Ctrl-C to cancel, Ctrl-D to finish\r\n=== ",
    b"\x04\x04>OK",
    b"ets Jul 29 2019 12:21:46\r\n\r\nrst:0x1 (POWERON_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)\r\n",
    b'Traceback (most recent call last):\r\n  File "<stdin>", line 1, in <module>\r\nOSError: -2\r\n',
    b"\xff\xfe\x00\x80 noise of a reset \xc3\r\n",
)


def joined():
    """(device, gateway) after a hand-shake."""
    device, gateway = SerialLine(True, LIMIT), SerialLine(False, LIMIT)
    gateway.send(CHALLENGE, b"challenge")
    device.receive_data(gateway.data_to_send())
    device.reset()
    device.send(HELLO, b"hello")
    gateway.receive_data(device.data_to_send())
    device.receive_data(gateway.data_to_send())
    return device, gateway


def payloads(events):
    return [payload for kind, payload in events if kind == DATA]


class LineTest(unittest.TestCase):
    def test_every_length(self):
        for size in range(300):
            payload = bytes([(size + at) & 255 for at in range(size)])
            line = pack_line(b"#<", DATA, size, size + 7, payload)
            self.assertEqual(len(line), line_bytes(size))
            self.assertEqual(parse_line(line[:-2]), (DATA, size & 63, (size + 7) & 63, payload))

    def test_printable(self):
        line = pack_line(b"#>", DATA, 9, 1, bytes(range(256)))
        self.assertEqual(line[-2:], b"\r\n")
        for byte in line[:-2]:
            self.assertTrue(0x20 < byte < 0x7F)

    def test_a_comment_at_any_prompt(self):
        for kind in (READY, CHALLENGE, HELLO, DATA, ACKNOWLEDGE, NO_SESSION):
            self.assertEqual(pack_line(b"#>", kind, 0, 0)[:1], b"#")

    def test_every_bit_and_every_prefix(self):
        line = pack_line(b"#<", DATA, 5, 3, b"payload")[:-2]
        for bit in range(16, 8 * len(line)):
            self.assertIsNone(parse_line(flipped(line, bit)))
        for size in range(len(line)):
            self.assertIsNone(parse_line(line[:size]))

    def test_what_readers_of_base64_let_pass(self):
        line = pack_line(b"#<", DATA, 0, 0, b"payload")[:-2]
        body = line[5:]
        self.assertTrue(body.endswith(b"="))
        for other in (
            body[:-1],
            body + b"=",
            body + b"====",
            body + b"\n",
            body + b" ",
            b" " + body,
            body[:4] + b" " + body[4:],
            body[:4] + b"-" + body[4:],
            body[:4] + b"=" + body[4:],
            body[:4] + b"\xff" + body[4:],
            body[:-2] + bytes([body[-2] + 1]) + body[-1:],
        ):
            with self.subTest(other=other):
                self.assertIsNone(parse_line(line[:5] + other))

    def test_numbers_that_are_no_digit(self):
        for head in (b"DAA", b"D!A", b"DA!", b"D-A", b"D A", b"DA\xff", b"DA\x00"):
            check = crc32(b"x", crc32(head)).to_bytes(4, "big")
            expected = (DATA, 0, 0, b"x") if head == b"DAA" else None
            self.assertEqual(parse_line(b"#<" + head + b2a_base64(b"x" + check)[:-1]), expected)

    def test_a_check_of_something_else(self):
        self.assertIsNone(parse_line(b"#<DAA"))
        for size in range(1, 8):
            self.assertIsNone(parse_line(b"#<DAA" + b2a_base64(bytes(size))[:-1]))
        one, other = pack_line(b"#<", DATA, 1, 0, b"x")[:-2], pack_line(b"#<", DATA, 2, 0, b"x")[:-2]
        self.assertIsNone(parse_line(one[:5] + other[5:]))


class HandshakeTest(unittest.TestCase):
    def test_in_order(self):
        device, gateway = SerialLine(True, LIMIT), SerialLine(False, LIMIT)
        self.assertEqual(gateway.data_to_send(), b"")
        device.send(READY)
        self.assertEqual(gateway.receive_data(device.data_to_send()), [(READY, b"")])
        gateway.send(CHALLENGE, b"c")
        self.assertEqual(device.receive_data(gateway.data_to_send()), [(CHALLENGE, b"c")])
        device.reset()
        device.send(HELLO, b"h")
        device.send(DATA, b"1")
        self.assertEqual(gateway.receive_data(device.data_to_send()), [(HELLO, b"h")])
        # One line under way: the data waits until the hello is acknowledged.
        self.assertEqual(device.data_to_send(), b"")
        self.assertEqual(device.receive_data(gateway.data_to_send()), [])
        self.assertEqual(gateway.receive_data(device.data_to_send()), [(DATA, b"1")])
        gateway.send(DATA, b"2")
        self.assertEqual(device.receive_data(gateway.data_to_send()), [(DATA, b"2")])

    def test_a_hello_again_is_acknowledged_and_not_taken(self):
        device, gateway = SerialLine(True, LIMIT), SerialLine(False, LIMIT)
        gateway.send(CHALLENGE, b"c")
        device.receive_data(gateway.data_to_send())
        device.reset()
        device.send(HELLO, b"h")
        line = device.data_to_send()
        self.assertEqual(gateway.receive_data(line), [(HELLO, b"h")])
        gateway.data_to_send()
        for _ in range(3):
            self.assertEqual(gateway.receive_data(line), [])
            self.assertNotEqual(gateway.data_to_send(), b"")
        gateway.receive_data(line)
        device.receive_data(gateway.data_to_send())
        device.send(DATA, b"1")
        self.assertEqual(gateway.receive_data(device.data_to_send()), [(DATA, b"1")])
        self.assertEqual(gateway.receive_data(pack_line(b"#<", HELLO, 2, 0, b"h")), [])

    def test_a_hello_that_nobody_asked_for_ends_nothing(self):
        device, gateway = joined()
        self.assertEqual(gateway.receive_data(pack_line(b"#<", HELLO, 0, 0, b"other")), [])
        self.assertEqual(device.receive_data(pack_line(b"#>", HELLO, 0, 0, b"other")), [])
        device.send(DATA, b"1")
        self.assertEqual(gateway.receive_data(device.data_to_send()), [(DATA, b"1")])

    def test_a_new_hello_begins_anew(self):
        device, gateway = joined()
        for number in range(5):
            device.send(DATA, b"%d" % number)
            gateway.receive_data(device.data_to_send())
            device.receive_data(gateway.data_to_send())
        gateway.send(DATA, b"for the session that ends")
        gateway.send(DATA, b"so is this")
        gateway.data_to_send()
        gateway.send(CHALLENGE, b"c")
        device.receive_data(gateway.data_to_send())
        device.reset()
        device.send(HELLO, b"hello 2")
        self.assertEqual(gateway.receive_data(device.data_to_send()), [(HELLO, b"hello 2")])
        self.assertEqual(device.receive_data(gateway.data_to_send()), [])
        gateway.send(DATA, b"welcome")
        device.send(DATA, b"open")
        self.assertEqual(gateway.receive_data(device.data_to_send()), [(DATA, b"open")])
        self.assertEqual(device.receive_data(gateway.data_to_send()), [(DATA, b"welcome")])

    def test_only_hello_and_data_are_repeated(self):
        for kind in (READY, CHALLENGE, ACKNOWLEDGE, NO_SESSION):
            line = SerialLine(True, LIMIT)
            line.send(kind, b"x")
            self.assertNotEqual(line.data_to_send(), b"")
            line.tick(100000)
            self.assertEqual(line.data_to_send(), b"")
            self.assertFalse(line.dead)

    def test_no_session_is_handed_on(self):
        device, gateway = joined()
        gateway.send(NO_SESSION)
        self.assertEqual(device.receive_data(gateway.data_to_send()), [(NO_SESSION, b"")])


class OrderTest(unittest.TestCase):
    def test_far_beyond_64(self):
        device, gateway = joined()
        for number in range(200):
            payload = b"%d" % number
            device.send(DATA, payload)
            self.assertEqual(gateway.receive_data(device.data_to_send()), [(DATA, payload)])
            # Every other time the acknowledgement travels with data.
            if number & 1:
                gateway.send(DATA, payload)
            expected = [(DATA, payload)] if number & 1 else []
            self.assertEqual(device.receive_data(gateway.data_to_send()), expected)
            gateway.receive_data(device.data_to_send())
        self.assertEqual((device.repeated, gateway.repeated, device.damaged, gateway.damaged), (0, 0, 0, 0))

    def test_every_line_twice(self):
        device, gateway = joined()
        for number in range(130):
            payload = b"%d" % number
            device.send(DATA, payload)
            line = device.data_to_send()
            self.assertEqual(gateway.receive_data(line + line), [(DATA, payload)])
            answer = gateway.data_to_send()
            device.receive_data(answer + answer)

    def test_another_number_is_stray(self):
        gateway = joined()[1]
        for number in (0, 2, 3, 63):
            stray = gateway.stray
            self.assertEqual(gateway.receive_data(pack_line(b"#<", DATA, number, 0, b"x")), [])
            self.assertEqual(gateway.stray, stray + (number != 0))
        self.assertEqual(gateway.receive_data(pack_line(b"#<", DATA, 1, 0, b"x")), [(DATA, b"x")])

    def test_an_acknowledgement_of_another_number(self):
        device = joined()[0]
        device.send(DATA, b"1")
        device.send(DATA, b"2")
        device.data_to_send()
        for number in (0, 2, 63):
            device.receive_data(pack_line(b"#>", ACKNOWLEDGE, 0, number))
            self.assertEqual(device.data_to_send(), b"")
        for kind in (READY, CHALLENGE):
            device.receive_data(pack_line(b"#>", kind, 0, 1))
            self.assertEqual(device.data_to_send(), b"")
        device.receive_data(pack_line(b"#>", ACKNOWLEDGE, 0, 1))
        self.assertEqual(device.data_to_send(), pack_line(b"#<", DATA, 2, 0, b"2"))


class RepetitionTest(unittest.TestCase):
    def test_the_schedule(self):
        for step in (1, 10, 50, 250):
            device = joined()[0]
            device.send(DATA, b"1")
            line = device.data_to_send()
            now = 0
            times = []
            while not device.dead:
                device.tick(step)
                now += step
                again = device.data_to_send()
                if again:
                    self.assertEqual(again, line)
                    times.append(now)
            self.assertEqual(times, [250, 750, 1750, 3750, 7750])
            self.assertEqual((device.repeated, now), (5, 11750))

    def test_a_dead_line_is_silent_until_it_is_reset(self):
        device = joined()[0]
        device.send(DATA, b"1")
        device.data_to_send()
        for _ in range(10):
            device.tick(5000)
            device.data_to_send()
        self.assertTrue(device.dead)
        device.send(DATA, b"2")
        self.assertEqual(device.data_to_send(), b"")
        device.reset()
        self.assertFalse(device.dead)
        self.assertEqual(device.data_to_send(), b"")
        device.send(HELLO, b"h")
        self.assertEqual(device.data_to_send(), pack_line(b"#<", HELLO, 0, 0, b"h"))

    def test_nothing_under_way_needs_no_time(self):
        device, gateway = joined()
        for line in (device, gateway):
            line.tick(1000000)
            self.assertEqual(line.data_to_send(), b"")
            self.assertFalse(line.dead)

    def test_each_line_begins_the_schedule_anew(self):
        device, gateway = joined()
        for number in range(3):
            device.send(DATA, b"%d" % number)
            device.data_to_send()
            device.tick(FIRST_RETRY_MS)
            line = device.data_to_send()
            self.assertEqual(gateway.receive_data(line), [(DATA, b"%d" % number)])
            device.receive_data(gateway.data_to_send())
        self.assertEqual(device.repeated, 3)


class DamageTest(unittest.TestCase):
    """Whatever happens to a line, its message arrives once in the end, and so does the next one."""

    def deliver(self, is_up, damage, what):
        """Two messages; the first line, and its acknowledgement, go through `damage` once."""
        for victim in ("line", "acknowledgement"):
            device, gateway = joined()
            sender, receiver = (device, gateway) if is_up else (gateway, device)
            got = []
            for payload in (b"one", b"two"):
                sender.send(DATA, payload)
                line = sender.data_to_send()
                if payload == b"one" and victim == "line":
                    line = damage(line)
                got += payloads(receiver.receive_data(line))
                answer = receiver.data_to_send()
                if payload == b"one" and victim == "acknowledgement":
                    answer = damage(answer)
                sender.receive_data(answer)
                # A line whose end was damaged ends with the next one.
                for _ in range(3):
                    sender.tick(4000)
                    got += payloads(receiver.receive_data(sender.data_to_send()))
                    sender.receive_data(receiver.data_to_send())
                self.assertFalse(sender.dead)
            self.assertEqual(got, [b"one", b"two"], (what, victim))

    def line_size(self):
        return line_bytes(3)

    def test_nothing(self):
        for is_up in (True, False):
            self.deliver(is_up, lambda line: line, "nothing")
            self.deliver(is_up, lambda line: b"", "all")

    def test_every_byte_dropped(self):
        for is_up in (True, False):
            for at in range(self.line_size()):
                self.deliver(is_up, lambda line, at=at: line[:at] + line[at + 1 :], at)

    def test_every_byte_doubled(self):
        for is_up in (True, False):
            for at in range(self.line_size()):
                self.deliver(is_up, lambda line, at=at: line[: at + 1] + line[at:], at)

    def test_every_bit_flipped(self):
        for is_up in (True, False):
            for bit in range(8 * self.line_size()):
                self.deliver(is_up, lambda line, bit=bit: flipped(line, bit % (8 * len(line))), bit)

    def test_cut_off_everywhere(self):
        for is_up in (True, False):
            for at in range(self.line_size()):
                self.deliver(is_up, lambda line, at=at: line[:at], at)
                self.deliver(is_up, lambda line, at=at: line[at:], at)

    def test_text_spliced_in_everywhere(self):
        for text in (b"x", b"\r", b"\n", b"a line\r\n", b">>> ", b"#", b"#<", b"#>", b"#<DAA", b"\x00\xff", b"="):
            for at in range(self.line_size()):
                self.deliver(at & 1, lambda line, at=at, text=text: line[:at] + text + line[at:], (text, at))


class TextTest(unittest.TestCase):
    def test_text_is_handed_on_line_by_line(self):
        gateway = joined()[1]
        self.assertEqual(gateway.receive_data(b"one\r\ntwo\nthr"), [(TEXT, b"one"), (TEXT, b"two")])
        self.assertEqual(gateway.receive_data(b"ee\r\r\n\r\n\n"), [(TEXT, b"three")])

    def test_a_line_after_anything_a_board_prints(self):
        for banner in BANNERS:
            for end in (b"", b"\r\n"):
                device, gateway = joined()
                device.send(DATA, b"payload")
                events = gateway.receive_data(banner + end + device.data_to_send())
                self.assertEqual(events[-1], (DATA, b"payload"))
                text = b"".join([payload for kind, payload in events if kind == TEXT])
                self.assertEqual(text, banner.replace(b"\r", b"").replace(b"\n", b""))
                self.assertEqual(gateway.damaged, 0)

    def test_byte_by_byte(self):
        device, gateway = joined()
        device.send(DATA, b"payload")
        data = b"text\r\n" + BANNERS[1] + device.data_to_send() + b"more\r\n"
        other = joined()[1]
        expected = gateway.receive_data(data)
        found = []
        for at in range(len(data)):
            found += other.receive_data(data[at : at + 1])
        self.assertEqual(found, expected)
        self.assertEqual(other.data_to_send(), gateway.data_to_send())

    def test_an_echo_is_nothing(self):
        for is_up in (True, False):
            line = joined()[0 if is_up else 1]
            line.send(DATA, b"payload")
            mine = line.data_to_send()
            for before in (b"", b">>> ", b"... ", b"=== "):
                self.assertEqual(line.receive_data(before + mine), [])
            line.tick(FIRST_RETRY_MS)
            self.assertEqual(line.data_to_send(), mine)
            self.assertEqual((line.damaged, line.stray), (0, 0))

    def test_the_last_marker_on_a_line_counts(self):
        device, gateway = joined()
        device.send(DATA, b"payload")
        line = device.data_to_send()
        for before in (b"#<", b"#<D", b"#<DBA", line[:20], line[:-2], b"#<#<#<"):
            other = joined()[1]
            events = other.receive_data(before + line)
            self.assertEqual(payloads(events), [b"payload"])
        # What stands behind it is part of it.
        self.assertEqual(payloads(gateway.receive_data(line[:-2] + b" x\r\n")), [])
        self.assertEqual(gateway.damaged, 1)

    def test_text_without_end_is_bounded(self):
        gateway = joined()[1]
        size = 0
        for count in range(1, 201):
            for kind, text in gateway.receive_data(b"x" * 100):
                self.assertEqual(kind, TEXT)
                size += len(text)
            # What is not handed on yet.
            self.assertLessEqual(count * 100 - size, MAX_TEXT)
        gateway.receive_data(b"\n")
        device = joined()[0]
        device.send(DATA, b"payload")
        self.assertEqual(gateway.receive_data(device.data_to_send()), [(DATA, b"payload")])

    def test_a_line_of_the_longest_payload_is_not_cut(self):
        for longest in (64, LIMIT, 1500, 4096):
            device, gateway = SerialLine(True, longest), SerialLine(False, longest)
            gateway.send(CHALLENGE, b"c")
            gateway.data_to_send()
            device.send(HELLO, bytes(longest))
            line = device.data_to_send()
            events = []
            for at in range(0, len(line), 256):
                events += gateway.receive_data(line[at : at + 256])
            self.assertEqual(events, [(HELLO, bytes(longest))])


class NoiseTest(unittest.TestCase):
    def test_noise_is_text_or_damage_and_no_exception(self):
        dice = Dice(11)
        alphabet = b"#<>#<#>RCHDAX ABab01+/==\r\n\r\n\x00\xff{"
        gateway = joined()[1]
        for _ in range(1000):
            noise = bytes([alphabet[dice.below(len(alphabet))] for _ in range(dice.below(40))])
            for kind, _ in gateway.receive_data(noise):
                self.assertEqual(kind, TEXT)
        gateway.receive_data(b"\n")
        gateway.data_to_send()
        device = joined()[0]
        device.send(DATA, b"payload")
        self.assertEqual(gateway.receive_data(device.data_to_send()), [(DATA, b"payload")])

    def disturb(self, dice, data):
        """What becomes of the data on a bad cable."""
        if not data or dice.below(3):
            return data
        at = dice.below(len(data))
        kind = dice.below(6)
        if kind == 0:
            return data[:at] + data[at + 1 :]
        if kind == 1:
            return data[: at + 1] + data[at:]
        if kind == 2:
            return flipped(data, 8 * at + dice.below(8))
        if kind == 3:
            return data[:at] + BANNERS[dice.below(len(BANNERS))] + data[at:]
        if kind == 4:
            return data[:at]
        return data + data

    def test_a_bad_cable(self):
        survived = 0
        for seed in range(12):
            dice = Dice(seed)
            ends = joined()
            sent, got = ([], []), ([], [])
            for _ in range(400):
                for me in (0, 1):
                    if dice.below(4) == 0 and len(sent[me]) < 40:
                        payload = b"%d of %d" % (len(sent[me]), me)
                        sent[me].append(payload)
                        ends[me].send(DATA, payload)
                    data = self.disturb(dice, ends[me].data_to_send())
                    got[1 - me].extend(payloads(ends[1 - me].receive_data(data)))
                    ends[me].tick(dice.below(2) * 4000)
            # Nothing comes twice or out of order, and nothing is missing unless the line is dead.
            for me in (0, 1):
                self.assertEqual(got[1 - me], sent[me][: len(got[1 - me])])
            if not ends[0].dead and not ends[1].dead:
                self.assertEqual((got[1], got[0]), sent)
                survived += 1
        self.assertGreater(survived, 6)
