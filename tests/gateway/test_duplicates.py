"""A million events that the gateway has had: nothing is delivered twice, and its memory stays as it is."""

import gc
import sys

from pure import Board, Stand

NAME = "my-hive/queen/event"

# A full record of the shortest events, and how often it comes on one connection, and on how many connections.
EVENTS = 100
AGAIN = 500
CONNECTIONS = 20

# Blocks of memory that may come and go: caches, counters that have outgrown the small integers. A leak of one block for
# each connection's record would be 10,000.
SLACK = 500


def flood(board: Board, record: str) -> int:
    """One connection on which the same events come over and over; returns the blocks it grew by meanwhile."""
    board.connect().say(record)
    before = blocks()
    for _ in range(AGAIN):
        board.say(record)
    grown = blocks() - before
    assert board.end.session.closed is None
    board.end.session.fail("connection lost")
    board.end.pump.flush()
    return grown


def blocks() -> int:
    """Allocated blocks of memory, without what only waits to be found."""
    gc.collect()
    return sys.getallocatedblocks()


def test_a_million_duplicates() -> None:
    stand = Stand()
    board = stand.board("a").connect()
    # It sends by hand, and must not take the acknowledgements for impossible.
    board.outbox.sent = EVENTS + 1
    names = [f'"{NAME}"'] + ["1"] * (EVENTS - 1)
    events = ",".join(f"[2,{name},{number}]" for number, name in enumerate(names))
    again = f'[[4,"{board.outbox.stream}",1],{events}]'
    once = [(NAME, number) for number in range(EVENTS)]
    board.say(again)
    assert stand.hub.events == once
    # The first connection fills whatever is filled once.
    flood(board, again)
    device, before = stand.device("a"), blocks()
    assert max(flood(board, again) for _ in range(CONNECTIONS)) < SLACK
    assert CONNECTIONS * AGAIN * EVENTS == 1_000_000
    assert blocks() - before < SLACK
    assert stand.hub.events == once
    assert (device.events, device.mark.taken, device.mark.confirmed) == (EVENTS, EVENTS, EVENTS)
    # A new one is taken.
    board.connect().say(f'[[4,"{board.outbox.stream}",{EVENTS + 1}],[2,"{NAME}","new"]]')
    assert stand.hub.events == [*once, (NAME, "new")]
