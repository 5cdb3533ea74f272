"""Secrets of configurations and of the environment: where they are taken from, and that nothing shows them."""

import logging
from typing import Any

import pytest

import eventhive
from eventhive.config import Config, build
from eventhive.core.errors import LocalError
from eventhive.seals.classic import ClassicSeal
from eventhive.seals.strict import StrictSeal
from eventhive.secret import Secret
from eventhive.settings import ConfigError, Settings

TWO = """
connectors:
  one: {pubsub_type: memory, secret: 's3:cr3t of one'}
  two: {pubsub_type: memory, secret: s3cr3t-of-two, seal: strict}
  none: {pubsub_type: memory, secret: ''}
  null-one: {pubsub_type: memory, secret: null}
"""


def config(text: str) -> Config:
    settings = Settings()
    settings.read_text(text, "hive.yaml")
    return build(settings)


def secrets(text: str) -> dict[str, Secret]:
    return {name: connector.secret for name, connector in config(text).connectors.items()}


def test_secrets_of_the_configuration() -> None:
    assert secrets(TWO) == {
        "one": Secret("s3:cr3t of one", "classic"),
        "two": Secret("s3cr3t-of-two", "strict"),
        "none": Secret(),
        "null-one": Secret(),
    }


def test_secrets_of_the_environment_stand_above_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENTHIVE_SECRET", " one:a:b:  two:x\tnone:p@s50rd\n")
    found = secrets(TWO)
    assert [found[name].text for name in ("one", "two", "none", "null-one")] == ["a:b:", "x", "p@s50rd", ""]
    assert found["two"].seal == "strict"
    assert secrets("connectors: {one: {pubsub_type: memory, seal: strict}}")["one"] == Secret("a:b:", "strict")


def test_a_secret_for_nobody_is_told(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setenv("EVENTHIVE_SECRET", "other:s3cr3t one:x")
    secrets(TWO)
    assert caplog.messages == ["EVENTHIVE_SECRET: a secret for 'other', and no connector of this name"]


@pytest.mark.parametrize(
    "value", ["s3cr3t", ":s3cr3t", "one:", "one:good s3cr3t", "one:s3cr3t\x01", "one:s3cr3t\udcff"]
)
def test_an_environment_that_cannot_be_used(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("EVENTHIVE_SECRET", value)
    with pytest.raises(ConfigError, match=r"^EVENTHIVE_SECRET: entry [12] is not network:secret, in UTF-8") as caught:
        config(TWO)
    assert "s3cr3t" not in str(caught.value)


@pytest.mark.parametrize(
    ("connector", "message"),
    [
        ("secret: 5551234", "28: connectors.a.secret: a text without control characters is needed: put it in quotes"),
        ("secret: [s3cr3t]", "28: connectors.a.secret: a text without control"),
        ("secret: {s3cr3t: 1}", "28: connectors.a.secret: a text without control"),
        ('secret: "s3cr3t\\x07"', "28: connectors.a.secret: a text without control"),
        ("secret: 2024-99-99", "36: put the secret in quotes"),
        ("secret: 9999-12-31", "28: connectors.a.secret: a text without control"),
        ("secret: *s3cr3t", "36: cannot be read: put the secret in quotes"),
        ("secret: !s3cr3t x", "36: cannot be read: put the secret in quotes"),
        ("secret: !s3cr3t [x]", "36: put the secret in quotes"),
        ("secret: @s3cr3t", "36: cannot be read: put the secret in quotes"),
        ("secret:s3cr3t", "28: unknown key 'secret…' in connectors.a"),
        ("secrets: s3cr3t", "28: unknown key 'secret…' in connectors.a (did you mean 'secret'?)"),
        ("seal: strict", "28: connectors.a.seal: it needs a secret: set 'secret' beside it, or EVENTHIVE_SECRET"),
        ("seal: classic", "28: connectors.a.seal: it needs a secret"),
        ("secret: s3cr3t, seal: none", "44: connectors.a.seal: 'classic' or 'strict' is needed, not 'none'"),
    ],
)
def test_bad_configurations_show_no_secret(connector: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        config(f"connectors:\n  a: {{pubsub_type: memory, {connector}}}")
    text = str(caught.value)
    assert text.startswith(f"hive.yaml:2:{message}") and "\n" not in text
    for part in ("s3cr3t", "5551234", "99-99", "12-31"):
        assert part not in text


@pytest.mark.parametrize("text", ["connectors: {a: 'secret:s3cr3t'}", "connectors: {a: [{secret: s3cr3t}]}"])
def test_what_stands_in_the_wrong_place_is_not_shown(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        config(text)
    assert str(caught.value) in (
        "hive.yaml:1:14: connectors.a: a mapping (key: value) is needed, not a text",
        "hive.yaml:1:14: connectors.a: a mapping (key: value) is needed, not a list",
    )


def test_no_repr_shows_a_secret(here: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    hive = here(TWO).hive
    shown = [repr(one) for one in (hive.config, hive, hive.networks, hive.connectors, *hive.networks.values())]
    shown += [repr(vars(network)) for network in hive.networks.values()]
    shown += [repr(vars(network.sealing._seal)) for network in hive.networks.values() if network.sealing._seal]
    shown += caplog.messages
    assert not [text for text in shown if "s3cr3t" in text or "s3:cr3t" in text]


def test_the_seals_that_come_of_it() -> None:
    assert Secret().make("net", "meta", True) is None
    assert isinstance(Secret("a").make("net", "meta", True), ClassicSeal)
    assert isinstance(Secret("a", "strict").make("net", "meta", True), StrictSeal)


NO_METADATA = "with 'secret' and without metadata, replays cannot be recognised for certain, and events can be sent"


@pytest.mark.parametrize(
    ("text", "warned"),
    [
        ("connectors: {net: {pubsub_type: memory, secret: a}}", True),
        ("connectors: {net: {pubsub_type: memory, secret: a, remove_metadata: false}}", False),
        ("eventhive: {remove_metadata: false}\nconnectors: {net: {pubsub_type: memory, secret: a}}", False),
        ("connectors: {net: {pubsub_type: memory, secret: a, seal: strict}}", False),
        ("connectors: {net: {pubsub_type: memory}}", False),
    ],
)
def test_the_warning_about_replays(here: Any, caplog: pytest.LogCaptureFixture, text: str, warned: bool) -> None:
    here(text)
    assert [message.startswith(f"net: {NO_METADATA}") for message in caplog.messages] == [True] * warned


def test_data_that_cannot_be_signed_is_an_error_of_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    eventhive.CONFIG_DICT.update(connectors={"net": {"pubsub_type": "memory", "secret": "a"}})
    try:
        eventhive.init()
        with pytest.raises(LocalError, match="must be a dict"):
            eventhive.EVENTS.call("net/there/event", "text")
    finally:
        eventhive.stop()
        eventhive.CONFIG_DICT.update(connectors={})
