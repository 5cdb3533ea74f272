"""Which names of a network are hooked: the clock is a number."""

from eventhive.gateway.hearing import ASK_S, ASK_SOON_S, MAX_ASKED, MAX_HEARD, UNHEARD_S, Hearing

FOREVER = 1000.0


def test_a_name_that_is_waited_for_is_asked_for_now_and_then() -> None:
    hearing = Hearing()
    asked = 0
    for tick in range(100):
        hearing.wait_for("a")
        asked += len(hearing.to_ask(tick / 64))
    assert asked == -(-99 // int(64 * ASK_SOON_S))
    hearing.to_ask(FOREVER)
    assert hearing.to_ask(2 * FOREVER) == []


def test_who_answers_after_a_silence_was_started_anew_and_who_answers_each_time_was_not() -> None:
    hearing = Hearing()
    now = 0.0
    for _ in range(5):
        now += ASK_SOON_S
        hearing.wait_for("a")
        assert hearing.to_ask(now) == ["a"]
        assert not hearing.is_silent("a")
        assert not hearing.confirmed("a", now)
    for silent in (False, True, True):
        now += ASK_SOON_S
        hearing.wait_for("a")
        assert hearing.to_ask(now) == ["a"]
        assert hearing.is_silent("a") == silent
    assert not hearing.confirmed("a", now)
    assert not hearing.is_silent("a")


def test_a_name_that_nobody_confirms_is_given_up_and_comes_back() -> None:
    hearing = Hearing()
    assert not hearing.give_up("a", UNHEARD_S, 100)
    hearing.confirmed("a", 100)
    assert not hearing.give_up("a", FOREVER, 100 + UNHEARD_S)
    assert hearing.give_up("a", FOREVER, 101 + UNHEARD_S)
    assert list(hearing.unheard) == ["a"]
    now = 101 + UNHEARD_S
    hearing.wait_for("a")
    assert hearing.to_ask(now + ASK_S / 2) == []
    assert hearing.to_ask(now + ASK_S) == ["a"]
    assert hearing.confirmed("a", now + ASK_S)
    assert (hearing.unheard, hearing.to_ask(FOREVER)) == ({}, [])


def test_all_have_their_turn_and_memory_is_bounded() -> None:
    hearing = Hearing()
    names = [str(number) for number in range(3 * MAX_ASKED)]
    for name in names:
        assert hearing.give_up(name, FOREVER, 0)
    assert [name for turn in range(3) for name in hearing.to_ask(ASK_S + turn / 100)] == names
    for number in range(3 * MAX_HEARD):
        hearing.confirmed(str(number), 0)
        hearing.wait_for(f"other {number}")
        assert len(hearing.to_ask(number * ASK_SOON_S)) <= MAX_ASKED + 1
    assert max(len(one) for one in vars(hearing).values() if isinstance(one, dict)) <= MAX_HEARD + 1
