"""The three frames that travel in clear, before there are keys. Fixed layouts, big-endian; any other length is refused.

    challenge = 01 lowest highest mode limit:u16 nonce:16               gateway, first of all
    hello     = 02 version mode keygen limit:u16 stream:8 attempt:u32 nonce:16 n:u8 id:n
    refuse    = 03 reason                                               gateway, instead of a welcome; not authentic

`mode` is 1 for sealed, 0 for unkeyed; in a challenge, 0 says that unkeyed is accepted too. `limit` is the largest
carrier message, in bytes, that the sender of the frame takes. The device's half of the work is in `greet.py`, the
gateway's in `gateway_session.py`.
"""

VERSION = 1

UNKEYED = 0
SEALED = 1

CHALLENGE_KIND = 1
HELLO_KIND = 2
REFUSE_KIND = 3

NONCE_BYTES = 16
STREAM_BYTES = 8
CHALLENGE_BYTES = 22
HELLO_HEAD_BYTES = 35
REFUSE_BYTES = 2
