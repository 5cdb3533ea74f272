"""What the page keeps of consoles: the clock is a number."""

from eventhive.page.consoles import LINES, MAX_DEVICES, Consoles


def test_the_last_lines_of_each_device() -> None:
    consoles = Consoles()
    for number in range(LINES + 5):
        consoles.note("a", f"line {number}", number)
    consoles.note("b", "hello", 7)
    assert consoles.of("a")[0] == (5, "line 5") and len(consoles.of("a")) == LINES
    assert consoles.of("b") == [(7, "hello")] and consoles.of("c") == []


def test_of_the_devices_that_printed_last() -> None:
    consoles = Consoles()
    for number in range(MAX_DEVICES):
        consoles.note(f"d{number}", "", number)
    consoles.note("d0", "again", 1)
    consoles.note("one more", "", 1)
    assert len(consoles.of("d0")) == 2 and consoles.of("d1") == []
