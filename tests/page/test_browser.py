"""The page as a person meets it: in Chromium, with a gateway and devices that are processes."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from boards import EVENT, BoardProcess
from browser import Tab, browser, chromium
from pages import PagePlace

from eventhive.device.tools import micropython

PROGRAM = chromium()

pytestmark = [
    pytest.mark.skipif(PROGRAM is None, reason="no Chromium here: apt-get install chromium"),
    pytest.mark.skipif(
        micropython() is None, reason="no MicroPython for this platform on PyPI: Linux x86_64 and macOS arm64 have one"
    ),
]

# A board whose hooks answer or raise.
BOARD = """
import asyncio, json, sys, eventhive
name = sys.argv[1]
@eventhive.hook(name + "/led")
def led(data): return {"on": data["on"], "was": False}
@eventhive.hook(name + "/fails")
def fails(data): raise ValueError("<b id=evil>no</b>")
async def commands():
    lines = asyncio.StreamReader(sys.stdin)
    while True:
        line = await lines.readline()
        if not line:
            break
        eventhive.EVENTS.call(*json.loads(line))
eventhive.init()
asyncio.run(eventhive.run(commands()))
"""

EVIL = "<img src=x id=evil onerror=alert(1)>"


@pytest.fixture(scope="module")
def tabs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Tab]]:
    assert PROGRAM
    with browser(PROGRAM, tmp_path_factory.mktemp("chromium")) as open_tab:
        yield open_tab


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Where screenshots go: to be kept where EVENTHIVE_PICTURES says so."""
    folder = Path(os.environ.get("EVENTHIVE_PICTURES", tmp_path / "pictures"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def logged_in(page: PagePlace, tab: Tab) -> None:
    tab.open(f"http://127.0.0.1:{page.port}/")
    assert tab.run("location.pathname") == "/login"
    tab.type("#token", page.token)
    tab.key("Enter")
    tab.wait_text("#live", "live")


def board(page: PagePlace, name: str) -> BoardProcess:
    """A device, or the same one again."""
    file = page.place.folder / name / "eventhive.json"
    settings = json.loads(file.read_text()) if file.exists() else page.place.settings(name, status=60)
    one: BoardProcess = page.place.board(settings, name, program=BOARD)
    one.expect("link up")
    return one


def row(name: str, cell: int) -> str:
    return f"#devices tr[data-key={name}] > :nth-child({cell})"


def test_a_day_of_a_person(boards_page: PagePlace, tabs: Callable[[], Tab], pictures: Path) -> None:
    page, tab = boards_page.start("queen/event"), tabs()
    tab.size(1280, 1000)

    # A wrong login, and the right one.
    tab.open(f"http://127.0.0.1:{page.port}/")
    assert tab.run("document.activeElement.id") == "token"
    tab.type("#token", "wrong")
    tab.key("Enter")
    tab.wait_text("main", "That is not the token.")
    tab.picture(pictures / "login.png")
    assert len(tab.problems) == 1 and "401" in tab.problems.pop()
    logged_in(page, tab)
    assert tab.run("document.cookie") == ""
    assert "No device yet" in tab.text("#devices-none")

    # A device arrives, and sends.
    kitchen = board(page, "kitchen")
    tab.wait_text(row("kitchen", 2), "online")
    tab.wait_text(row("kitchen", 8), "ms")
    tab.wait_text(row("kitchen", 9), "KB")
    for number in range(8):
        kitchen.tell(json.dumps([EVENT, {"celsius": 20 + number * number % 7 / 2}]))
        tab.wait(f"document.querySelectorAll('#events li').length === {number + 1}")
    tab.wait_text("#events", '{"celsius":20.5}')

    # With the keyboard: open the device, ask a hook.
    tab.focus("#devices tr[data-key=kitchen] button")
    tab.key("Enter")
    tab.wait("document.activeElement.id === 'device-title'")
    assert tab.run("location.hash") == "#kitchen"
    tab.wait("document.querySelector('#values svg').getAttribute('aria-label').startsWith('celsius: now ')")
    tab.wait("[...document.querySelector('#ask-event').options].some(one => one.value === 'my-hive/kitchen/led')")
    tab.run("document.querySelector('#ask-event').value = 'my-hive/kitchen/led'")
    tab.type("#ask-data", '{"on": true}')
    tab.key("Tab")
    tab.key("Enter")
    tab.wait_text("#ask-answer", 'answer: {"on":true,"was":false}')
    tab.wait_text("#events", "my-hive/kitchen/led")
    assert "my-hive/*/*" in tab.text("#rights") and "number 0, in use for " in tab.text("#rights")
    tab.type("#ask-data", "{on")
    tab.run("document.querySelector('#ask-send').click()")
    tab.wait_text("#ask-answer", "The data is not JSON")
    assert tab.problems == [] and tab.nameless() == []

    # An outage of the device, then of the gateway, and their end.
    kitchen.kill()
    tab.wait_text(row("kitchen", 2), "away")
    tab.wait_text(row("kitchen", 4), "ago")
    page.hub.kill()
    tab.wait_text("#live", "no connection to the gateway")
    tab.picture(pictures / "outage.png")
    page.restart()
    # A login ends with the gateway.
    tab.wait("location.pathname === '/login'")
    logged_in(page, tab)
    kitchen = board(page, "kitchen")
    tab.wait_text(row("kitchen", 2), "online")
    tab.run("document.querySelector('#logout button').click()")
    tab.wait("location.pathname === '/login'")


def test_hostile_text_is_text(boards_page: PagePlace, tabs: Callable[[], Tab], pictures: Path) -> None:
    page, tab = boards_page.start("queen/event"), tabs()
    tab.size(1280, 1000)
    logged_in(page, tab)
    one = board(page, "bad")
    one.tell(json.dumps([EVENT, {EVIL: 1, "x": f"</script>{EVIL}\u202e"}]))
    one.tell(json.dumps(["my-hive/queen/<b>" + "n" * 60, ["</li>" + EVIL] * 20]))
    tab.wait_text("#events", "</li>" + EVIL)
    tab.wait_text(row("bad", 2), "online")
    tab.run("document.querySelector('#devices tr[data-key=bad] button').click()")
    tab.wait_text("#values", EVIL)
    tab.wait_text("#values", "\\u202e")
    tab.wait("[...document.querySelector('#ask-event').options].some(one => one.value === 'my-hive/bad/fails')")
    tab.run("document.querySelector('#ask-event').value = 'my-hive/bad/fails'")
    tab.run("document.querySelector('#ask-send').click()")
    tab.wait_text("#ask-answer", "<b id=evil>no</b>")
    assert tab.run("document.querySelectorAll('#evil, main img, main b').length") == 0
    # Nothing was tried that the policy had to stop, either: all that failed is the answer of the hook.
    assert len(tab.problems) == 1 and "502" in tab.problems[0]
    assert tab.run("document.documentElement.scrollWidth <= innerWidth")
    tab.picture(pictures / "hostile.png")


def test_a_serial_port_and_a_crash_on_its_console(
    boards_page: PagePlace, tabs: Callable[[], Tab], pictures: Path
) -> None:
    page, tab = boards_page.start("queen/event"), tabs()
    tab.size(1280, 1000)
    logged_in(page, tab)
    tab.wait_text("#ports", "absent")
    path = page.place.plug()[1]
    page.place.board(page.place.settings("cable", path)).expect("link up")
    tab.wait_text("#ports", "cable")
    assert "open" in tab.text("#ports") and not tab.run("document.querySelector('#ports-part').hidden")
    with open(path, "wb", 0) as line:
        line.write(f'Traceback (most recent call last):\r\n  File "main.py", line 3\r\nValueError: {EVIL}\r\n'.encode())
    tab.run("document.querySelector('#devices tr[data-key=cable] button').click()")
    tab.wait_text("#crash", f"ValueError: {EVIL}")
    assert tab.text("#crash").splitlines()[0] == "Traceback (most recent call last):"
    assert "on the console of" in tab.text("#crash-when")
    tab.wait_text("#console", f"ValueError: {EVIL}")
    assert len(tab.text("#console").splitlines()) >= 3 and not tab.run("document.querySelector('#console-part').hidden")
    assert tab.run("document.querySelectorAll('#evil').length") == 0
    assert not tab.problems
    tab.picture(pictures / "crash.png")


def test_light_dark_and_small(boards_page: PagePlace, tabs: Callable[[], Tab], pictures: Path) -> None:
    page, tab = boards_page.start("queen/temperature", "queen/button"), tabs()
    tab.size(1120, 1080)
    logged_in(page, tab)
    boards = {name: board(page, name) for name in ("kitchen", "greenhouse", "door")}
    page.place.enrol("attic")
    for number in range(12):
        for name, base in (("kitchen", 21), ("greenhouse", 27)):
            value = base + (number * 7 % 5) / 4
            boards[name].tell(json.dumps(["my-hive/queen/temperature", {"celsius": value, "humidity": 40 + number}]))
        tab.wait(f"document.querySelectorAll('#events li').length === {2 * number + 2}")
    boards["door"].tell(json.dumps(["my-hive/queen/button", {"pressed": True}]))
    tab.wait_text("#events", "pressed")
    boards["door"].kill()
    tab.wait_text(row("door", 2), "away")
    tab.wait_text(row("attic", 2), "away")
    tab.run("document.querySelector('#devices tr[data-key=greenhouse] button').click()")
    tab.wait("document.querySelectorAll('#values svg').length === 2")
    tab.run("document.activeElement.blur(), scrollTo(0, 0)")
    for dark in (False, True):
        tab.size(1120, 1080, dark)
        tab.picture(pictures / f"page-{'dark' if dark else 'light'}.png")
    grounds = []
    for dark in (False, True):
        tab.size(390, 1600, dark)
        tab.picture(pictures / f"phone-{'dark' if dark else 'light'}.png")
        grounds.append(tab.run("getComputedStyle(document.body).backgroundColor"))
        assert tab.run("document.documentElement.scrollWidth <= innerWidth")
    assert grounds[0] != grounds[1]

    # The filters: of devices, of events.
    tab.type("#devices-filter", "GREEN")
    tab.wait("document.querySelectorAll('#devices tr').length === 1")
    tab.type("#events-name", "*/button")
    tab.wait("document.querySelectorAll('#events li').length === 1")
    assert tab.problems == [] and tab.nameless() == []
