"""The device's hand-shake: what it answers to, what it says, and which answer it takes."""

import unittest

from ends import (
    KEY,
    Connection,
    Device,
    Gateway,
    beginning,
    connect,
    flipped,
)

from eventhive.core.clear import CHALLENGE_BYTES, HELLO_HEAD_BYTES, UNKEYED
from eventhive.core.envelope import messages
from eventhive.core.errors import PeerError
from eventhive.core.greet import greet
from eventhive.core.keys import link_mac, session_keys
from eventhive.core.session import RUNNING


def challenge_of(gateway=None):
    return (gateway or Gateway()).session().data_to_send()


class ChallengeTest(unittest.TestCase):
    def refused(self, challenge, *words, device=None):
        with self.assertRaises(PeerError) as caught:
            (device or Device()).greet(challenge)
        for word in words:
            self.assertIn(word, str(caught.exception))

    def test_any_other_length(self):
        challenge = challenge_of()
        for size in range(CHALLENGE_BYTES):
            self.refused(challenge[:size], "no EventHive gateway")
        self.refused(challenge + b"\0", "no EventHive gateway")
        self.refused(challenge * 2, "no EventHive gateway")

    def test_another_frame(self):
        challenge = challenge_of()
        for kind in (0, 2, 3, 255):
            self.refused(bytes([kind]) + challenge[1:], "no EventHive gateway")
        for mode in (2, 3, 128, 255):
            self.refused(challenge[:3] + bytes([mode]) + challenge[4:], "no EventHive gateway")
        self.refused(b"HTTP/1.1 400 Bad Reque", "no EventHive gateway")

    def test_versions(self):
        challenge = challenge_of()
        for lowest, highest in ((2, 3), (0, 0), (2, 1), (255, 255)):
            why = "versions %d to %d" % (lowest, highest)
            self.refused(challenge[:1] + bytes([lowest, highest]) + challenge[3:], why)
        for lowest, highest in ((0, 1), (1, 9), (0, 255)):
            Device().greet(challenge[:1] + bytes([lowest, highest]) + challenge[3:])

    def test_a_device_without_a_key(self):
        self.refused(challenge_of(), "eventhive.json", device=Device(key=None))
        Device(key=None).greet(challenge_of(Gateway(mode=UNKEYED)))

    def test_a_device_with_a_key_uses_it_whatever_the_challenge_says(self):
        gateway = Gateway(mode=UNKEYED)
        connection = connect(Device(), gateway)
        self.assertEqual(connection.hello[2], 1)
        self.assertTrue(connection.device.seal.overhead)
        self.assertEqual(connection.device.state, RUNNING)

    def test_what_is_not_proved_changes_nothing(self):
        # Anybody who answers in place of the gateway can say this, and may not make programs fail by it.
        device = Device()
        small = challenge_of(Gateway(limit=128))
        device.greet(small)
        self.assertEqual(device.put("net/queen/t", "x" * 500), 1)
        self.assertIsNone(device.outbox.stream)
        connection = connect(device)
        self.assertEqual(len(connection.gateway_end.events), 1)


class FreshnessTest(unittest.TestCase):
    """Randomness may be stuck; `ends` always is, so attempt and challenge are all that differs."""

    def hello(self, challenge, attempt, seed=bytes(24)):
        return greet(challenge, "sensor-1", KEY, 0, attempt, seed, 1024, None)[0]

    def keys(self, challenge, hello):
        return [beginning(key) for key in session_keys(link_mac(KEY), challenge, hello)]

    def test_each_attempt_has_its_nonce_and_keys(self):
        challenge = challenge_of()
        hellos = [self.hello(challenge, attempt) for attempt in (0, 1, 2, 4095, 4096, 4097, (1 << 32) - 1)]
        self.assertEqual(len({hello[18:34] for hello in hellos}), len(hellos))
        self.assertEqual(len({key for hello in hellos for key in self.keys(challenge, hello)}), 2 * len(hellos))

    def test_each_seed_has_its_nonce(self):
        challenge = challenge_of()
        hellos = [self.hello(challenge, 1, flipped(bytes(24), bit)) for bit in range(0, 192, 5)]
        self.assertEqual(len({hello[18:34] for hello in hellos}), len(hellos))

    def test_each_challenge_has_its_keys(self):
        gateway = Gateway()
        one, other = challenge_of(gateway), challenge_of(gateway)
        hello = self.hello(one, 1)
        self.assertEqual(hello, self.hello(other, 1))
        self.assertNotEqual(self.keys(one, hello)[0], self.keys(other, hello)[0])

    def test_a_nonce_does_not_show_the_seed(self):
        seed = bytes(range(24))
        self.assertNotIn(seed[:8], self.hello(challenge_of(), 1, seed))

    def test_the_same_records_never_look_the_same(self):
        device, gateway = Device(), Gateway()
        flights = []
        for _ in range(20):
            gateway.nonces = 0
            flights.append(Connection(device, gateway).up[1])
        self.assertEqual(len(set(flights)), 20)


class HelloTest(unittest.TestCase):
    def test_ids_of_any_length(self):
        for name in ("a", "x" * 32, "-_"):
            hello = Device(name=name).greet(challenge_of())[0]
            self.assertEqual(hello[HELLO_HEAD_BYTES - 1 :], bytes([len(name)]) + name.encode())

    def test_a_key_is_named_by_its_generation(self):
        for keygen in (0, 1, 255):
            hello = greet(challenge_of(), "a", KEY, keygen, 1, bytes(24), 1024, None)[0]
            self.assertEqual(hello[3], keygen)

    def test_the_open_names_the_heartbeat(self):
        device = Device(key=None)
        device.heartbeat_s = 3600
        connection = Connection(device, Gateway(mode=UNKEYED))
        self.assertEqual(messages(connection.up[1]), [[0, 3600]])
