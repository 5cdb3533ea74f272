"""What a device may do: rights given and taken by command, a rate by withheld acknowledgements, a size."""

import json
import logging
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from pure import Stand

from eventhive.core.errors import LocalError
from eventhive.gateway.bridge import MAX_UNACKNOWLEDGED
from eventhive.gateway.keys import KeyStore

EVENT = "my-hive/queen/event"


def limited(**limits: float) -> Stand:
    stand = Stand()
    stand.entries["a"] = replace(stand.entries["a"], **limits)  # type: ignore[arg-type]
    del stand.bridge.devices.by_name["a"]
    stand.bridge.enrol(stand.entries)
    return stand


def test_a_rate_holds_acknowledgements_back() -> None:
    stand = limited(rate=10.0, burst=3)
    board = stand.board("a").connect()
    for number in range(8):
        board.call(EVENT, number)
    assert stand.hub.events == [(EVENT, number) for number in range(8)]
    assert board.outbox.acked == 3
    stand.device("a").refill(400)
    assert board.exchange().outbox.acked == 3
    stand.device("a").refill(100)
    assert board.exchange().outbox.acked == 8


def test_a_rate_is_regained_up_to_its_burst() -> None:
    stand = limited(rate=10.0, burst=3)
    board = stand.board("a").connect()
    stand.device("a").refill(3_600_000)
    for number in range(4):
        board.call(EVENT, number)
    assert board.outbox.acked == 3


def test_who_does_not_wait_is_cut_off() -> None:
    stand = limited(rate=1.0)
    board = stand.board("a").connect()
    # What it says below does not come from its outbox.
    board.outbox.sent = 2 * MAX_UNACKNOWLEDGED
    for number in range(MAX_UNACKNOWLEDGED + 10):
        if board.session.closed:
            break
        board.say(f'[[4,"{board.outbox.stream}",{number + 1}],[2,"{EVENT}",{number}]]')
    assert board.session.closed
    assert len(stand.hub.events) <= MAX_UNACKNOWLEDGED + 1


def test_a_size(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "eventhive")
    stand = limited(size=10)
    board = stand.board("a").connect().call(EVENT, "12345678").call(EVENT, "123456789").call(EVENT, 1)
    assert stand.hub.events == [(EVENT, "12345678"), (EVENT, 1)]
    assert board.outbox.acked == 3
    assert "11 characters, it may send 10 (eventhive device allow --size)" in caplog.text


def test_no_right_names_the_command_that_gives_it(caplog: pytest.LogCaptureFixture) -> None:
    stand = Stand()
    stand.entries["a"].publish.clear()
    stand.entries["a"].receive.clear()
    stand.bridge.enrol(stand.entries)
    board = stand.board("a").connect("my-hive/a/led").call(EVENT, 1).call(EVENT, 2)
    assert (stand.hub.events, stand.hub.participants, board.outbox.acked) == ([], {}, 2)
    said = [line for line in caplog.messages if "to allow it" in line]
    assert len(said) == 2
    assert said[0].endswith("to allow it: eventhive device allow a --receive a/led (1 so far)")
    assert said[1].endswith("to allow it: eventhive device allow a --publish my-hive/queen/event")


def test_rights_in_the_key_file(tmp_path: Path) -> None:
    store = KeyStore(tmp_path / "keys")
    store.add("a", ["my-hive"])
    entry = store.allow("a", ["other/*"], [], rate=5, burst=None, size=100)
    assert (entry.publish, entry.rate, entry.burst, entry.size) == (("my-hive/*/*", "other/*"), 5, 0, 100)
    assert store.load()["a"] == entry
    assert store.allow("a", ["other/*"], [], rate=0, burst=None, size=None).rate == 0
    assert store.deny("a", ["my-hive/*/*"], ["a/*"]).receive == ()
    with pytest.raises(LocalError, match=r"device 'a' has no right to publish 'x'; it has: other/\*"):
        store.deny("a", ["x"], [])
    with pytest.raises(LocalError, match="rate: a number from 0"):
        store.allow("a", [], [], rate=-1)


@pytest.mark.parametrize(
    ("key", "value"), [("rate", "fast"), ("rate", -1), ("burst", 1.5), ("size", True), ("size", -2)]
)
def test_limits_that_cannot_be(tmp_path: Path, key: str, value: object) -> None:
    path = tmp_path / "keys"
    KeyStore(path).add("a", ["my-hive"])
    devices = json.loads(path.read_text())
    devices["a"][key] = value
    path.write_text(json.dumps(devices))
    with pytest.raises(LocalError, match=f"device 'a': '{key}' must be"):
        KeyStore(path).load()


def test_the_command(tmp_path: Path) -> None:
    (tmp_path / "gateway.yaml").write_text("connectors: {my-hive: {pubsub_type: memory}}\ngateway: {}\n")

    def command(*words: str) -> subprocess.CompletedProcess[str]:
        line = [sys.executable, "-m", "eventhive", "device", *words]
        return subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert command("add", "a", "-o", "eventhive.json").returncode == 0
    done = command("allow", "a", "--publish", "my-hive/x/*", "--rate", "2.5")
    assert "device 'a': publish: my-hive/*/*, my-hive/x/*; receive: a/*; rate 2.5" in done.stderr
    done = command("deny", "a", "--publish", "my-hive/*/*")
    assert (done.returncode, "publish: my-hive/x/*;" in done.stderr) == (0, True)
    done = command("deny", "a", "--publish", "nothing")
    assert (done.returncode != 0, done.stderr.count("\n")) == (True, 1)
