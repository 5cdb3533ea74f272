"""A network with a seal: what its connector carries, and what this process sees."""

import json
import logging
from collections.abc import Callable
from typing import Any

import pytest

from eventhive import bounded_log, sealing
from eventhive.classic import Payload
from eventhive.core.errors import LimitError
from eventhive.drops import Drops
from eventhive.seals import base

Wait = Callable[..., None]
NET = "connectors: {net: {pubsub_type: memory, input_channel: here%s}}"
CLASSIC = NET % ", secret: s3cr3t, remove_metadata: false"
STRICT = NET % ", secret: s3cr3t, seal: strict"


class Remote:
    """A subscriber of the broker: what it gets is what travels."""

    owner = "remote"

    def __init__(self) -> None:
        self.texts: list[str] = []

    def notify(self, topic: str, payload: Payload) -> None:
        self.texts.append(json.loads(payload.wire))


class Device:
    def __init__(self) -> None:
        self.got: list[Any] = []

    def deliver(self, topic: str, data: Any) -> None:
        self.got.append(data)


def remote(hive: Any, topic: str = "net/here/event") -> Remote:
    one = Remote()
    hive.in_loop(hive.hive.connectors["net"]._broker.subscribe, topic, one)
    return one


def arrive(hive: Any, text: str, topic: str = "net/here/event") -> None:
    hive.in_loop(hive.hive.connectors["net"]._broker.publish, topic, Payload(text=text), "remote")


@pytest.mark.parametrize("text", [CLASSIC, STRICT])
def test_the_wire_is_sealed_and_this_process_is_not(here: Any, wait_for: Wait, text: str) -> None:
    hive, other = here(text), here(text)
    net = hive.hive.networks["net"]
    wire, device, hooked = remote(hive), Device(), []
    hive.events.hook(hooked.append, "here/event")
    hive.in_loop(net.subscribe, "net/here/event", device)
    data = {"celsius": 21.5}
    assert hive.in_loop(net.publish, "net/here/event", data) is True
    hive.events.call("net/here/event", data)
    wait_for(lambda: len(device.got) == 2 and hooked)
    assert data == {"celsius": 21.5}
    assert [got["celsius"] for got in (*device.got, *hooked)] == [21.5] * 3
    assert len(wire.texts) == 2 and "celsius" not in "".join(wire.texts)
    got: list[Any] = []
    other.events.hook(got.append, "here/event")
    for sealed in (*wire.texts, *wire.texts):
        arrive(other, sealed)
    wait_for(lambda: len(got) == 2)
    assert [one["celsius"] for one in got] == [21.5] * 2
    assert other.hive.networks["net"].sealing.drops.counts == {base.REPLAYED: 2}


@pytest.mark.parametrize("text", [CLASSIC, STRICT])
def test_nothing_unsealed_passes(here: Any, wait_for: Wait, caplog: pytest.LogCaptureFixture, text: str) -> None:
    hive = here(text)
    got: list[Any] = []
    hive.events.hook(got.append, "here/event")
    for _ in range(3):
        arrive(hive, '{"celsius": 21.5}')
    arrive(hive, "{poison")
    assert got == [] and hive.hive.networks["net"].sealing.drops.counts == {base.NOT_SEALED: 4}
    assert caplog.messages == [
        "net: an event net/here/event is dropped: it is not sealed: give its sender the secret of this network"
    ]


@pytest.mark.parametrize("text", [CLASSIC, STRICT])
def test_nothing_sealed_reaches_a_hook_without_a_secret(
    here: Any, wait_for: Wait, caplog: pytest.LogCaptureFixture, text: str
) -> None:
    hive, sealed = here(NET % ""), here(text)
    wire = remote(sealed)
    got: list[Any] = []
    hive.events.hook(got.append, "here/event")
    for number in range(3):
        sealed.events.call("net/here/event", {"number": number})
    wait_for(lambda: len(wire.texts) == 3)
    for one in wire.texts:
        arrive(hive, one)
    arrive(hive, '{"iv": "mine", "ciphertext": "too", "and": "more"}')
    wait_for(lambda: got)
    assert got == [{"iv": "mine", "ciphertext": "too", "and": "more"}]
    assert hive.hive.networks["net"].sealing.drops.counts == {base.UNEXPECTED: 3}
    assert [message for message in caplog.messages if "dropped" in message] == [
        "net: an event net/here/event is dropped: it is sealed, and this process has no secret for the network: "
        "set 'secret', or EVENTHIVE_SECRET, to that of its sender"
    ]


def test_what_cannot_be_signed_reaches_this_process_only(here: Any, caplog: pytest.LogCaptureFixture) -> None:
    hive = here(CLASSIC)
    net = hive.hive.networks["net"]
    wire, device = remote(hive), Device()
    hive.in_loop(net.subscribe, "net/here/event", device)
    assert [hive.in_loop(net.publish, "net/here/event", number) for number in (1, 2)] == [True, True]
    assert (device.got, wire.texts, net.sealing.unsealed) == ([1, 2], [], 2)
    assert caplog.messages == [
        "net: events net/here/event are not sent: "
        "with a 'secret', data must be a dict, which 'seal: strict' does not ask for"
    ]


def test_strict_events_wait_unsealed_for_a_connection(
    here: Any, wait_for: Wait, monkeypatch: pytest.MonkeyPatch
) -> None:
    hive, other = here(STRICT), here(STRICT)
    net, wire = hive.hive.networks["net"], remote(hive)
    now, got, confirmed = [1_800_000_000_000], [], []
    for one in (hive, other):
        monkeypatch.setattr(one.hive.networks["net"].sealing._seal, "_clock_ms", lambda: now[0])
    other.events.hook(got.append, "here/event")
    device = Device()
    hive.in_loop(net.subscribe, "net/here/event", device)
    monkeypatch.setattr(sealing, "MAX_WAITING", 2)
    net.connector.connected = False
    hive.events.call("net/here/event", 1)
    wait_for(lambda: device.got == [1])
    assert hive.in_loop(net.publish, "net/here/event", 2, None, lambda: confirmed.append(2)) is False
    with pytest.raises(LimitError, match="net: 2 events wait for a connection already"):
        hive.in_loop(net.publish, "net/here/event", "refused")
    hive.events.call("net/here/event", 3)
    hive.in_loop(lambda: None)
    assert (wire.texts, confirmed, device.got) == ([], [], [1, 2])
    now[0] += 86_400_000
    hive.in_loop(net.connector._became, True, "up")
    wait_for(lambda: len(wire.texts) == 3)
    assert (confirmed, device.got) == ([2], [1, 2, 3])
    for text in wire.texts:
        arrive(other, text)
    wait_for(lambda: got == [1, 2, 3])


def test_more_strict_events_than_are_sealed_at_once_leave_in_order(
    here: Any, wait_for: Wait, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealing, "SLICE", 3)
    hive, other = here(STRICT), here(STRICT)
    net, wire, got = hive.hive.networks["net"], remote(hive), []
    other.events.hook(got.append, "here/event")
    net.connector.connected = False
    for number in range(20):
        hive.in_loop(net.publish, "net/here/event", number)
    assert wire.texts == []
    hive.in_loop(net.connector._became, True, "up")
    wait_for(lambda: len(wire.texts) == 20)
    for text in wire.texts:
        arrive(other, text)
    wait_for(lambda: got == list(range(20)))


def test_strict_events_that_never_find_a_connection_are_counted_as_lost(here: Any) -> None:
    hive = here(STRICT)
    net = hive.hive.networks["net"]
    net.connector.connected = False
    for number in range(3):
        hive.in_loop(net.publish, "net/here/event", number)
    assert hive.hive.run_in_loop(net.stop(0.01)) == 3


def test_each_reason_is_told_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    now = [5.0]
    dropped = Drops("net", lambda: now[0])
    for _ in range(3):
        dropped("net/a/b\n" + "x" * 200, "one")
        dropped("net/a/c", "two")
    now[0] += bounded_log.MINUTE_S
    dropped("net/a/c", "two")
    assert dropped.counts == {"one": 3, "two": 4}
    assert caplog.messages == [
        "net: an event net/a/b?" + "x" * 92 + " is dropped: one",
        "net: an event net/a/c is dropped: two",
        "net: an event net/a/c is dropped: two (4 events so far)",
    ]
    assert {record.levelno for record in caplog.records} == {logging.WARNING}
