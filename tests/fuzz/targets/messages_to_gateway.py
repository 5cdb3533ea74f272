"""Messages of a running session at the gateway's end: `core/session.py`, `core/incoming.py`, one a line."""

import running

from eventhive.core.errors import PeerError
from eventhive.core.marks import Marks

PORTABLE = True
STREAM = False
LONGEST = 400
SHARE = 30
ERRORS = (PeerError,)


def feed(pieces, seen):
    running.converse(running.session(Marks()), pieces[0], seen)


def seeds():
    return {
        "events": b'[[4,"a1a2a3a400000001",1],[2,"my-hive/queen/temperature",{"celsius":21.5}],[2,1,{"celsius":22}]]',
        "hooks": b'[11,"my-hive/sensor-1/led","my-hive/sensor-1/mode"]\n[3,2]\n[3,3,"b1b2b3b400000001"]',
        "streams": b'[4,"a1a2a3a400000001",1]\n[2,"a/b/c",1]\n'
        b'[4,"a1a2a3a400000002",1]\n[2,1,1]\n[4,"a1a2a3a400000001",2]\n[2,1,2]',
        "not-json": b'[4,"a1a2a3a400000001",1]\n[2,"a/b/c",inf]\n[2,"a/b/c",[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]',
        "asks": b'[8,1,"my-hive/queen/add",[1,2]]\n[9,1,2,"nothing here hooks it"]',
    }
