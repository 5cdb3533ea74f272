"""Messages of a running session at the device's end: `core/session.py`, `core/incoming.py`, one a line."""

import running

from eventhive.core.errors import PeerError
from eventhive.core.mark import Mark

PORTABLE = True
STREAM = False
LONGEST = 400
SHARE = 30
ERRORS = (PeerError,)


def feed(pieces, seen):
    running.converse(running.session(Mark()), pieces[0], seen)


def seeds():
    return {
        "commands": b'[[4,"c1c2c3c400000001",1],[2,"my-hive/sensor-1/led",{"on":true}]]\n[2,1,{"on":false}]\n[3,2]',
        "requests": b'[8,1,"my-hive/sensor-1/read",null]\n[9,1,0,{"celsius":21.5}]\n[9,2,1,"ValueError: no"]',
        "heartbeats": b'[5,7]\n[6,7]\n[10,"my-hive/sensor-1/hint",[1,2.5,"\xc3\xa9"]]',
        "goodbye": b'[7,"replaced by a connection",0]\n[5,0]',
        "gap": b'[4,"c1c2c3c400000001",5]\n[2,"a/b/c",1]\n'
        b'[4,"c1c2c3c400000001",9]\n[2,1,2]\n[4,"c1c2c3c400000001",2]\n[2,1,3]',
    }
