"""Which fault comes when, from a seed: pure."""

import random
from collections.abc import Iterator, Sequence
from typing import NamedTuple

# What is done to processes, to the bytes between device and gateway, to connections with the hive's server, to devices,
# and to the gateway's machine.
PROCESSES = ("gateway-kill", "gateway-stop", "hive-kill", "hive-stop", "hook-kill", "hook-stop")
LINKS = ("cut", "black-hole", "delay", "double", "truncate", "corrupt")
HIVE_LINKS = ("hive-cut", "hive-black-hole", "hive-delay")
DEVICES = ("device-reset", "carrier-change", "stuck-random")
MACHINE = ("disk-full", "clock-jump")
KINDS = (*PROCESSES, *LINKS, *HIVE_LINKS, *DEVICES, *MACHINE)

# How the gateway may be made to break its promise; see `gateway.py`.
ACK_BEFORE_DISK, DROP_ONE, DOUBLE_ONE, SWAP_TWO = "ack-before-disk", "drop-one", "double-one", "swap-two"
SABOTAGES = (ACK_BEFORE_DISK, DROP_ONE, DOUBLE_ONE, SWAP_TWO)

# Between two faults; and for how long one holds that does not pass at once. Long enough for a session to come up
# between two of them, short enough for several at a time in the life of one event.
SHORTEST_S, LONGEST_S = 0.1, 0.8
HOLD_S = 1.2


# What everything is given to arrive when the last fault is over. A device waits up to 30 s before it tries again.
DRAIN_S = 90.0


class Fault(NamedTuple):
    """`kind` happens `after` seconds, and holds for `hold` seconds; `pick` chooses whom it hits, from 0 to 1."""

    kind: str
    after: float
    hold: float
    pick: float


def schedule(seed: int, kinds: Sequence[str] = KINDS) -> Iterator[Fault]:
    """Faults without end; each kind comes once in each round, in an order of its own."""
    source = random.Random(seed)  # noqa: S311 - to be repeated, not to be secret
    while True:
        for kind in source.sample(list(kinds), len(kinds)):
            after = source.uniform(SHORTEST_S, LONGEST_S)
            yield Fault(kind, after, source.uniform(0, HOLD_S), source.random())
