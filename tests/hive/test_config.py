"""Configurations, good and bad: a bad one gives one line that names file, line and key."""

from pathlib import Path

import pytest

from eventhive.config import Address, Config, Connector, SerialPort, Server, build, load_file
from eventhive.settings import MAX_BYTES, ConfigError, Settings

QUEEN = """
connectors:
  my-hive:
    pubsub_type: fastapi
    input_channel: 'queen'
    init:
      host: 127.0.0.1
      port: 8085
      endpoint: pubsub
servers:
  my-hive:
    pubsub_type: fastapi
    create: always
    broadcast: false
    init:
      host: 0.0.0.0
"""


def settings(*texts: str) -> Settings:
    merged = Settings()
    for text in texts:
        merged.read_text(text, "gateway.yaml")
    return merged


def config(*texts: str) -> Config:
    return build(settings(*texts))


def test_what_a_queen_writes() -> None:
    read = config(QUEEN)
    assert read.connectors == {"my-hive": Connector("my-hive", "websocket", "queen", Address(), "")}
    assert read.servers == {"my-hive": Server("my-hive", Address("0.0.0.0"), False)}
    assert read.gateway is None


@pytest.mark.parametrize("text", ["", "connectors:", "connectors: {}\nservers:\n", "eventhive:\n"])
def test_empty_sections_are_fine(text: str) -> None:
    assert config(text) == Config()


def test_every_key_of_the_original_is_known() -> None:
    read = config(
        """
eventhive: {metadata_key: meta, remove_metadata: false, channel_separator: /}
connectors:
  one: {pubsub_type: fastapi, input_channel: '', secret: '', from_broadcast: false, init: {scheme: wss}}
  two: {pubsub_type: memory, input_channel: in, remove_metadata: 'true'}
servers:
  one: {pubsub_type: websocket, create: needed, broadcast: 'false'}
  unused: {pubsub_type: fastapi, create: never, broadcast: true}
"""
    )
    assert read.connectors["one"] == Connector("one", "websocket", "", Address(scheme="wss"), "meta")
    assert read.connectors["two"] == Connector("two", "memory", "in", Address(), "")
    assert read.servers == {"one": Server("one", Address(), True)}


@pytest.mark.parametrize(
    ("written", "seconds"), [("false", 0), ("0", 0), ("true", 3), ("'true'", 3), ("10", 10), ("0.5", 0.5)]
)
def test_how_long_a_server_is_looked_up(written: str, seconds: float) -> None:
    read = config(f"connectors: {{one: {{pubsub_type: fastapi, from_broadcast: {written}}}}}")
    assert read.connectors["one"].from_broadcast == seconds


def test_later_texts_win_and_keep_the_rest() -> None:
    read = config(QUEEN, "connectors: {my-hive: {init: {port: 9000}}, other: {pubsub_type: memory}}")
    assert read.connectors["my-hive"].address == Address(port=9000)
    assert list(read.connectors) == ["my-hive", "other"]


def test_the_gateway_section_and_its_defaults(tmp_path: Path) -> None:
    file = tmp_path / "field.yaml"
    file.write_text("gateway:\n  serial:\n  - port: /dev/ttyUSB0\n  - {port: COM3, baudrate: 9600}\n  keys: keys/all\n")
    read = load_file(file).gateway
    assert read is not None
    assert read.websocket == Address("127.0.0.1", 8086, "/device")
    assert read.serial == (SerialPort("/dev/ttyUSB0", 115200), SerialPort("COM3", 9600))
    assert (read.insecure, read.keys, read.control) == (False, tmp_path / "keys/all", tmp_path / "field.sock")


def test_a_gateway_without_a_file_and_without_a_websocket() -> None:
    read = config("gateway: {websocket: false, keys: /etc/keys}").gateway
    assert read is not None
    assert (read.websocket, read.keys, read.control) == (None, Path("/etc/keys"), Path("eventhive.sock"))
    assert config("gateway:").gateway is not None


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("conectors: {}", "gateway.yaml:1:1: unknown key 'conectors' (did you mean 'connectors'?)"),
        (
            "gateway:\n  websocket:\n    prot: 1",
            "gateway.yaml:3:5: unknown key 'prot' in gateway.websocket (did you mean 'port'?)",
        ),
        (
            "gateway: {xyz: 1}",
            "gateway.yaml:1:11: unknown key 'xyz' in gateway (known: websocket, serial, insecure, keys, control, spool,"
            " command_ttl, http, name, availability, console_events, state)",
        ),
        (
            "gateway:\n  websocket: 8086",
            "gateway.yaml:2:3: gateway.websocket: a mapping (key: value) is needed, not 8086",
        ),
        (
            "gateway: {websocket: {port: '8086'}}",
            "gateway.yaml:1:23: gateway.websocket.port: an integer from 0 to 65535 is needed, not '8086'",
        ),
        (
            "gateway: {websocket: {port: true}}",
            "gateway.yaml:1:23: gateway.websocket.port: an integer from 0 to 65535 is needed, not True",
        ),
        ("gateway:\n  insecure: 'no'", "gateway.yaml:2:3: gateway.insecure: true or false is needed, not 'no'"),
        ("gateway: {websocket: {host: ''}}", "gateway.yaml:1:23: gateway.websocket.host: a name or an address is nee"),
        ("gateway: {websocket: {host: 10}}", "gateway.yaml:1:23: gateway.websocket.host: a text is needed, not 10"),
        ("gateway: {websocket: {endpoint: /a b}}", "gateway.yaml:1:23: gateway.websocket.endpoint: a path of a URL"),
        ('gateway: {keys: "a\\x07"}', "gateway.yaml:1:11: gateway.keys: control characters are not allowed: 'a\\x07'"),
        ("gateway:\n  serial: COM1", "gateway.yaml:2:3: gateway.serial: a list is needed"),
        ("gateway:\n  serial:\n  - COM1", "gateway.yaml:3:5: gateway.serial.0: a mapping (key: value) is needed"),
        ("gateway:\n  serial:\n  - {baudrate: 1}", "gateway.yaml:3:5: gateway.serial.0: the key 'port' is missing"),
        ("connectors:\n  a:", "gateway.yaml:2:3: connectors.a: the key 'pubsub_type' is missing"),
        (
            "connectors:\n  a: {pubsub_type: fastpi}",
            "gateway.yaml:2:7: connectors.a.pubsub_type: 'fastapi' or 'websocket' or 'memory' or 'redis' is needed, n",
        ),
        (
            "connectors:\n  a:\n    pubsub_type: redis\n    init: {port: many}",
            "gateway.yaml:4:12: connectors.a.init.port: an integer from 0 to 65535 is needed, not 'many'",
        ),
        (
            "connectors: {a: {pubsub_type: redis, init: {sentinels: [{hots: x}], service_name: m}}}",
            "gateway.yaml:1:58: unknown key 'hots' in connectors.a.init.sentinels.0 (did you mean 'host'?)",
        ),
        (
            "connectors: {a: {pubsub_type: redis, init: {ssl: maybe}}}",
            "gateway.yaml:1:45: connectors.a.init.ssl: true or false is needed, not 'maybe'",
        ),
        ("connectors: {a: {pubsub_type: redis, init: {host: 1}}}", "gateway.yaml:1:45: connectors.a.init.host: a tex"),
        (
            "connectors: {a: {pubsub_type: fastapi, from_broadcast: -1}}",
            "gateway.yaml:1:40: connectors.a.from_broadcast: true, false or seconds up to 3600 are needed",
        ),
        (
            "connectors: {a: {pubsub_type: fastapi, from_broadcast: [1]}}",
            "gateway.yaml:1:40: connectors.a.from_broadcast: true or false is needed, not [1]",
        ),
        (
            "connectors: {a: {pubsub_type: fastapi, from_broadcast: 5, init: {token: 0123456789abcdef}}}",
            "gateway.yaml:1:66: connectors.a.init.token: anybody can announce a server and would be given the token:",
        ),
        ("eventhive: {interfaces: eth0}", "gateway.yaml:1:13: eventhive.interfaces: a list of addresses is needed"),
        ("eventhive: {interfaces: [eth0]}", "gateway.yaml:1:13: eventhive.interfaces: an address of this machine is"),
        (
            "servers: {a: {pubsub_type: fastapi, create: always, broadcast: maybe}}",
            "gateway.yaml:1:53: servers.a.broadcast: true or false is needed, not 'maybe'",
        ),
        ("servers: {a: {pubsub_type: fastapi}}", "gateway.yaml:1:11: servers.a: the key 'create' is missing"),
        (
            "eventhive: {channel_separator: .}",
            "gateway.yaml:1:13: eventhive.channel_separator: another separator than '/'",
        ),
        ("connectors: {a/b: {pubsub_type: memory}}", "gateway.yaml:1:14: connectors.a/b: 'a/b' is one part"),
        (
            "connectors: {a: {pubsub_type: memory, input_channel: 'a*'}}",
            "gateway.yaml:1:39: connectors.a.input_channel: event name 'a*'",
        ),
        ("connectors: {1: {pubsub_type: memory}}", "gateway.yaml:1:14: connectors.1: a key must be a word"),
        ("a: 1\nb: 2\na: 3", "gateway.yaml:3:1: the key 'a' stands here twice"),
        ("a: [1", "gateway.yaml:1:6: cannot be read: expected ',' or ']'"),
        ("- a", "gateway.yaml:1:1: a mapping (key: value) is needed, not a list"),
        ("a: !!python/object/apply:os.system [x]", "gateway.yaml:1:4: the tag"),
        ("a: !!python/name:os.system x", "gateway.yaml:1:4: cannot be read: could not determine"),
        ("a: 2020-99-99", "gateway.yaml:1:4: '2020-99-99' cannot be read"),
        ("[" * 3000, "gateway.yaml:1:17: nested deeper than 16 levels"),
        ("a: &a [*a]", "gateway.yaml:1:4: too many values"),
        ("#" * (MAX_BYTES + 1), "gateway.yaml: longer than"),
        ("? [a]\n: 1", "gateway.yaml:1:3: a key must be a word"),
        ("a: \0", "gateway.yaml: cannot be read: unacceptable character"),
    ],
)
def test_bad_configurations(text: str, line: str) -> None:
    with pytest.raises(ConfigError) as caught:
        config(text)
    assert str(caught.value).startswith(line)
    assert "\n" not in str(caught.value)


def test_aliases_cannot_multiply() -> None:
    lines = ["- &a0 [x, x, x, x, x, x, x, x]"]
    lines += [f"- &a{n} [{', '.join([f'*a{n - 1}'] * 8)}]" for n in range(1, 9)]
    with pytest.raises(ConfigError, match="too many values"):
        config("\n".join(lines))


def test_the_keywords_of_redis() -> None:
    read = config(
        """
connectors:
  one:
    pubsub_type: redis
    input_channel: in
    init:
      host: redis.local
      port: 6380
      password: s3cret
      ssl: 'true'
      socket_timeout:
      client_name: queen
  two:
    pubsub_type: redis
    init: {sentinels: [{host: a}, {host: b, port: 1}], startup_nodes: [{host: c}], db: 3}
  three: {pubsub_type: redis}
"""
    ).connectors
    one, two, three = (read[name].redis for name in ("one", "two", "three"))
    assert one and two and three
    assert read["one"].kind == "redis"
    assert one.keywords == {
        "host": "redis.local",
        "port": 6380,
        "password": "s3cret",
        "ssl": True,
        "socket_timeout": None,
        "client_name": "queen",
    }
    assert two.keywords == {"sentinels": [("a", 26379), ("b", 1)], "startup_nodes": [("c", 6379)], "db": 3}
    assert three.keywords == {}
    assert "s3cret" not in repr(read)


@pytest.mark.parametrize("key", ["password", "url"])
def test_what_may_be_a_password_is_not_shown(key: str) -> None:
    with pytest.raises(ConfigError) as caught:
        config(f"connectors:\n  a:\n    pubsub_type: redis\n    init: {{{key}: 12345}}")
    assert str(caught.value) == f"gateway.yaml:4:12: connectors.a.init.{key}: a text is needed: put it in quotes"


def test_a_program_may_change_the_values_and_errors_follow() -> None:
    changed = settings(QUEEN)
    init = changed.values["connectors"]["my-hive"]["init"]
    init["port"] = 9001
    assert build(changed).connectors["my-hive"].address.port == 9001
    init["port"] = "many"
    with pytest.raises(ConfigError, match=r"^configuration: connectors\.my-hive\.init\.port: an integer"):
        build(changed)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.yaml: No such file"):
        load_file(tmp_path / "none.yaml")
    (tmp_path / "image.yaml").write_bytes(b"\x89PNG\xff")
    with pytest.raises(ConfigError, match=r"image\.yaml: not UTF-8"):
        load_file(tmp_path / "image.yaml")


def test_where_a_configuration_is_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("EVENTHIVE_CONFIG", raising=False)
    read = Settings()
    read.read_default()
    assert read.values == {}
    (tmp_path / "eventhive.yaml").write_text("connectors: {}")
    read.read_default()
    assert read.values == {"connectors": {}}
    monkeypatch.setenv("EVENTHIVE_CONFIG", "gone.yaml")
    with pytest.raises(ConfigError, match=r"^gone\.yaml: No such file"):
        read.read_default()


def test_what_a_program_says_lies_over_the_default_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("EVENTHIVE_CONFIG", raising=False)
    (tmp_path / "eventhive.yaml").write_text("a: {b: file, c: file, d: file}\ne: file")
    read = Settings({"a": {"b": "before", "c": "before"}}, over_default=True)
    read.read_string("a: {b: string}")
    assert read.values == {"a": {"b": "string", "c": "file", "d": "file"}, "e": "file"}
    read.lay_default()
    assert read.values["a"]["b"] == "string"
    direct = Settings({"a": {"b": "before", "c": "before"}}, over_default=True)
    direct.values["a"]["c"] = direct.values["f"] = "program"
    direct.lay_default()
    assert direct.values == {"a": {"b": "file", "c": "program", "d": "file"}, "e": "file", "f": "program"}
    (tmp_path / "eventhive.yaml").write_text("a: [")
    with pytest.raises(ConfigError, match=r"^eventhive\.yaml:1:5: "):
        Settings({}, over_default=True).read_string("a: 1")
