"""Which disk the loop waits for: the clock is a number."""

from eventhive.gateway.pace import BURST_S, HANDED_OVER_S, SHARE, Pace


def held_up(seconds: float, every: float, during: float) -> tuple[int, float]:
    """How many commits of so long the loop waits for, of one each `every` seconds, and for how long in all."""
    pace = Pace()
    now = waited = 0.0
    count = 0
    while now < during:
        if pace.quick(now):
            pace.took(seconds)
            count += 1
            waited += seconds - HANDED_OVER_S
        now += every
    return count, waited


def test_a_quick_disk_is_always_waited_for() -> None:
    assert held_up(HANDED_OVER_S, 1 / 64, 60)[0] == 60 * 64


def test_a_slow_one_holds_up_the_loop_for_a_hundredth_of_the_time() -> None:
    for seconds in (0.004, 0.02, 0.5):
        count, waited = held_up(seconds, 1 / 64, 600)
        assert count < 600 * 64 / 2
        assert waited <= 600 * SHARE + BURST_S + seconds


def test_a_slow_moment_of_a_quick_disk_changes_nothing() -> None:
    pace = Pace()
    for second in range(1, 100):
        assert pace.quick(second)
        pace.took(HANDED_OVER_S + SHARE / 2)


def test_after_a_burst_all_of_the_time_has_to_come_back() -> None:
    pace = Pace()
    assert pace.quick(1.0)
    pace.took(2 * BURST_S)
    back = 1.0 + 2 * BURST_S / SHARE
    assert not pace.quick(1.5 + BURST_S / SHARE)
    assert not pace.quick(back - 2.0)
    assert pace.quick(back)
