"""Which received events are one's own."""

from hypothesis import given
from hypothesis import strategies as st

from eventhive.connectors.echoes import Echoes


def test_only_the_next_expected_event_is_ours() -> None:
    echoes = Echoes()
    assert (echoes.next, len(echoes)) == (None, 0)
    assert not echoes.take(b"t", b"1")
    echoes.expect(1, b"t", b"1")
    echoes.expect(2, b"t", b"2")
    assert not echoes.take(b"t", b"2")
    assert not echoes.take(b"u", b"1")
    assert not echoes.take(b"", b"t1")
    assert (echoes.next, len(echoes)) == (1, 2)
    assert echoes.take(b"t", b"1")
    assert not echoes.take(b"t", b"1")
    assert echoes.take(b"t", b"2")
    assert len(echoes) == 0


def test_what_never_comes_back_is_forgotten() -> None:
    echoes = Echoes()
    for number in (3, 4, 9):
        echoes.expect(number, b"t", b"%d" % number)
    echoes.forget(2)
    assert echoes.next == 3
    echoes.forget(5)
    assert (echoes.next, len(echoes)) == (9, 1)
    assert echoes.take(b"t", b"9")
    echoes.forget(9)


@given(st.lists(st.tuples(st.booleans(), st.sampled_from([b"a", b"b"]))))
def test_of_any_mixture_as_many_are_delivered_as_others_published(stream: list[tuple[bool, bytes]]) -> None:
    echoes = Echoes()
    for number, (own, data) in enumerate(stream):
        if own:
            echoes.expect(number, b"t", data)
    delivered = [data for _, data in stream if not echoes.take(b"t", data)]
    assert sorted(delivered) == sorted(data for own, data in stream if not own)
    assert len(echoes) == 0
