"""How long a device takes to answer: the clock is a number."""

from eventhive.gateway.round_trip import EVERY_MS, RoundTrip


def test_what_is_asked_and_answered() -> None:
    trip = RoundTrip()
    assert trip.ms is None
    assert trip.ask(1000)
    assert not trip.ask(1000 + EVERY_MS - 1)
    trip.answered(1000, 1024)
    assert trip.ms == 24
    assert trip.ask(1000 + EVERY_MS)
    assert trip.ms == 24


def test_an_answer_to_an_earlier_question_is_none() -> None:
    trip = RoundTrip()
    trip.answered(1, 2)
    trip.ask(1000)
    trip.ask(1000 + EVERY_MS)
    trip.answered(1000, 1001 + EVERY_MS)
    assert trip.ms is None
