"""What tests of running sessions share."""

import unittest

from ends import drained

from eventhive.core.errors import PeerError

# The first message of a sender of events: its stream, from number 1.
STREAM = b'[4,"c1c2c3c400000001",1]'


class SessionTest(unittest.TestCase):
    def fault(self, way, *texts, why=""):
        """The texts are a fault of the sender: the session is closed, says why, and no more."""
        with self.assertRaises(PeerError) as caught:
            way.taken(*texts)
        self.assertIn(why, str(caught.exception))
        self.assertEqual(way.receiver.closed, str(caught.exception))
        self.assertEqual(drained(way.receiver), [])
        way.send(b"[5,0]")
        self.assertIsNone(way.receiver.next_event())
