"""`eventhive doctor`: each check against the real thing that it looks at, in order, and what the command tells."""

import json
import os
import socket
import stat
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from redis_server import free_port
from small_disk import small_disk

from eventhive.cli.doctor import clock, devices, discovery, disk, files, listening, networks, page, ports, strength
from eventhive.cli.doctor.finding import Finding, ok, some
from eventhive.cli.doctor.run import SECTIONS, Section, examine
from eventhive.cli.doctor.subject import Running, Subject, look
from eventhive.core.version import VERSION
from eventhive.gateway.keys import KeyStore

Start = Callable[..., Any]
Check = Callable[[Subject], Any]

PLAIN = """
connectors:
  my-hive: {{pubsub_type: memory, input_channel: gateway}}
gateway:
  websocket: {{host: 127.0.0.1, port: {port}}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "gateway.yaml").write_text(PLAIN.format(port=free_port()))
    return tmp_path


def levels(findings: list[Finding]) -> list[str]:
    return [one.level for one in findings]


def found(check: Check, folder: Path, more: str = "") -> list[Finding]:
    """What one check finds with a configuration and more lines under `gateway:`."""
    file = folder / "gateway.yaml"
    file.write_text(file.read_text() + more)
    subject = look(str(file))
    assert not subject.fault
    return list(check(subject))


def run(start: Start, *words: str) -> tuple[int, Any]:
    code, lines, errors = start("eventhive", "doctor", *words, "--json").end()
    assert errors == []
    return code, json.loads("\n".join(lines))


class TestCommand:
    def test_a_healthy_one(self, folder: Path, start: Start) -> None:
        code, told = run(start)
        assert (code, told["ok"]) == (0, True)
        order = [section.name for section in SECTIONS]
        sections = [one["section"] for one in told["findings"]]
        assert set(sections) == set(order)
        assert sections == sorted(sections, key=order.index)
        assert not [one for one in told["findings"] if one["level"] == "problem"]
        assert all(one["todo"] for one in told["findings"] if one["level"] == "warning")
        # It has looked, and made nothing.
        assert [one.name for one in folder.iterdir()] == ["gateway.yaml"]

    def test_a_person_reads_lines(self, folder: Path, start: Start) -> None:
        (folder / "gateway.keys").write_text("{}")
        (folder / "gateway.keys").chmod(0o640)
        code, lines, errors = start("eventhive", "doctor", "gateway.yaml").end()
        assert (code, errors) == (1, [])
        number = next(number for number, line in enumerate(lines) if line.startswith("  problem "))
        assert "others may read it (mode 640): chmod 600" in lines[number]
        assert lines[number + 1].startswith("           -> ")
        assert lines[-1].startswith("1 problem, ") and lines[-1].endswith(": begin with the uppermost")

    def test_a_fault_of_the_file_has_its_place(self, folder: Path, start: Start) -> None:
        with (folder / "gateway.yaml").open("a") as file:
            file.write("  spol: {}\n")
        code, told = run(start)
        assert (code, told["ok"]) == (1, False)
        first = told["findings"][0]
        assert first["text"].startswith("gateway.yaml:6:3: unknown key 'spol'") and first["level"] == "problem"
        # What needs no configuration is looked at all the same.
        assert {one["section"] for one in told["findings"]} == {"configuration", "clock"}

    @pytest.mark.parametrize(
        ("text", "why"), [(None, "other.yaml"), ("connectors: {}\n", "there is no 'gateway:' section")]
    )
    def test_no_gateway_at_all(self, folder: Path, start: Start, text: str | None, why: str) -> None:
        if text is not None:
            (folder / "other.yaml").write_text(text)
        code, told = run(start, "other.yaml")
        assert code == 1 and why in told["findings"][0]["text"]

    def test_wrong_usage(self, folder: Path, start: Start) -> None:
        assert start("eventhive", "doctor", "a", "b").end()[0] == 2

    def test_it_shows_no_secret(self, folder: Path, start: Start) -> None:
        words = [f"{word}-0123456789abcdef" for word in ("token", "other", "third", "redis", "secret")]
        token, other, third, redis, secret = words
        (folder / "tokens").write_text(other)
        (folder / "tokens").chmod(0o600)
        key = KeyStore(folder / "gateway.keys").add("s1", ["net"]).key.hex()
        port = free_port()
        (folder / "gateway.yaml").write_text(f"""
connectors:
  net: {{pubsub_type: websocket, secret: {secret}, init: {{port: {port}, token: {token}}}}}
  red: {{pubsub_type: redis, secret: {third}, init: {{host: 127.0.0.1, port: {port}, password: {redis}}}}}
servers:
  other: {{pubsub_type: websocket, create: always, init: {{host: 0.0.0.0, port: 0, token_file: tokens}}}}
gateway: {{serial: [{{port: /nowhere}}]}}
""")
        environment = {"EVENTHIVE_SECRET": "red:environment-0123456789"}
        text = start("eventhive", "doctor", **environment).end()
        as_json = start("eventhive", "doctor", "--json", **environment).end()
        assert (text[0], as_json[0]) == (1, 1)
        told = "\n".join([*text[1], *text[2], *as_json[1], *as_json[2]])
        assert "red: waiting for redis://127.0.0.1" in told
        assert [word for word in (*words, key, "environment-0123456789") if word in told] == []

    def test_a_check_that_fails_hides_nothing(self, folder: Path) -> None:
        def bad(subject: Subject) -> Iterator[Finding]:
            yield ok("so far")
            raise ZeroDivisionError("oh")

        first, second = examine(Section("bad", bad), look(str(folder / "gateway.yaml")))
        assert first == ok("so far")
        assert second.level == "problem" and "ZeroDivisionError: oh" in second.text and "report it" in second.todo

    def test_many_names_are_few(self) -> None:
        assert some(["b", "a"]) == "a, b"
        assert some(map(str, range(10, 20))) == "10, 11, 12, 13, 14 and 5 more"


class TestConfiguration:
    def test_what_it_names_is_read(self, folder: Path, start: Start) -> None:
        text = (folder / "gateway.yaml").read_text()
        (folder / "gateway.yaml").write_text(
            text.replace("connectors:", "connectors:\n  net: {pubsub_type: websocket, init: {token_file: none}}")
        )
        told = examine(SECTIONS[0], look(str(folder / "gateway.yaml")))
        assert [one.text for one in told if one.level == "problem"] == [
            f"token_file {folder}/none: No such file or directory"
        ]

    def test_nothing_can_connect(self, folder: Path) -> None:
        (folder / "gateway.yaml").write_text("gateway: {websocket: false}\n")
        told = examine(SECTIONS[0], look(str(folder / "gateway.yaml")))
        assert levels(told) == ["ok", "warning", "problem", "note"]

    def test_a_gateway_that_is_at_its_end(self, folder: Path) -> None:
        with socket.socket(socket.AF_UNIX) as mute:
            mute.bind(str(folder / "gateway.sock"))
            mute.listen()
            closer = threading.Thread(target=lambda: mute.accept()[0].close())
            closer.start()
            subject = look(str(folder / "gateway.yaml"))
            closer.join()
        told = examine(SECTIONS[0], subject)
        assert told[-1].level == "problem" and f"{folder}/gateway.sock" in told[-1].text


class TestFiles:
    def test_all_is_well(self, folder: Path) -> None:
        KeyStore(folder / "gateway.keys").add("s1", ["my-hive"])
        assert levels(found(files.check, folder)) == ["ok"]

    def test_a_key_file_that_is_damaged(self, folder: Path) -> None:
        (folder / "gateway.keys").write_text("{")
        (folder / "gateway.keys").chmod(0o600)
        (one,) = found(files.check, folder)
        assert one.level == "problem" and f"key file {folder}/gateway.keys: not JSON" in one.text

    def test_what_others_may_read(self, folder: Path) -> None:
        KeyStore(folder / "gateway.keys").add("s1", ["my-hive"])
        (folder / "gateway.spool").touch(0o644)
        (one,) = found(files.check, folder)
        assert one.text == f"spool {folder}/gateway.spool: others may read it (mode 644)"
        assert one.todo == f"chmod 600 {folder}/gateway.spool"
        subprocess.run(one.todo, shell=True, check=True)
        assert levels(found(files.check, folder)) == ["ok"]

    def test_a_folder_that_anybody_may_write_into(self, folder: Path) -> None:
        folder.chmod(0o777)
        told = found(files.check, folder)
        assert told[0].level == "problem" and told[0].todo == f"chmod o-w {folder}"
        subprocess.run(told[0].todo, shell=True, check=True)
        assert "problem" not in levels(found(files.check, folder))

    def test_a_folder_that_is_not_there(self, folder: Path) -> None:
        told = found(files.check, folder, "  keys: none/gateway.keys\n")
        assert told[0].text == f"folder {folder}/none: No such file or directory"
        subprocess.run(told[0].todo, shell=True, check=True)
        assert (folder / "none").is_dir()

    def test_a_spool_that_was_put_aside(self, folder: Path) -> None:
        for name in ("gateway.spool.damaged-20260101-000000", "gateway.spool.damaged-20260101-000000-wal"):
            (folder / name).touch(0o600)
        told = [one for one in found(files.check, folder) if one.level == "warning"]
        assert len(told) == 1 and "20260101-000000: it was damaged, and put aside" in told[0].text

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
    def test_a_folder_without_rights(self, folder: Path) -> None:
        (folder / "shut").mkdir(0o500)
        told = found(files.check, folder, "  keys: shut/gateway.keys\n")
        assert "may not write into it" in told[0].text


def of_small_disk(folder: Path) -> list[Finding]:
    return [one for one in found(disk.check, folder, "  spool: {file: small/spool}\n") if "small" in one.text]


class TestDisk:
    def test_there_is_room(self, folder: Path) -> None:
        told = found(disk.check, folder, "  spool: {quota: 100000}\n")
        free = os.statvfs(folder)
        if free.f_bavail * free.f_frsize < disk.MIN_FREE:
            pytest.skip("the disk of this machine is full")
        assert levels(told) == ["ok"]

    def test_a_full_disk(self, folder: Path) -> None:
        with small_disk(folder / "small", "size=4m"):
            (told,) = of_small_disk(folder)
        assert told.level == "problem" and "events cannot be kept" in told.text

    def test_a_disk_that_the_spool_will_fill(self, folder: Path) -> None:
        with small_disk(folder / "small", "size=48m"):
            (told,) = of_small_disk(folder)
        assert told.level == "warning" and "48 MB free, and the spool may grow by 64 MB" in told.text

    def test_no_more_files(self, folder: Path) -> None:
        with small_disk(folder / "small", "size=200m,nr_inodes=20"):
            (told,) = of_small_disk(folder)
        assert told.level == "problem" and "no more files can be made" in told.text

    def test_read_only(self, folder: Path) -> None:
        with small_disk(folder / "small", "size=200m,ro"):
            (told,) = of_small_disk(folder)
        assert told.level == "problem" and "takes no writes" in told.text


class TestClock:
    def test_of_this_machine(self) -> None:
        assert clock.synchronised() in (True, False, None)

    @pytest.mark.parametrize(("right", "level"), [(True, "ok"), (False, "note"), (None, "note")])
    def test_what_is_told(self, folder: Path, monkeypatch: Any, right: bool | None, level: str) -> None:
        monkeypatch.setattr(clock, "synchronised", lambda: right)
        assert levels(found(clock.check, folder)) == [level]

    def test_who_needs_it(self, folder: Path, monkeypatch: Any) -> None:
        monkeypatch.setattr(clock, "synchronised", lambda: False)
        text = (folder / "gateway.yaml").read_text()
        strict = "{pubsub_type: memory, secret: abcdefghijklmnop, seal: strict}"
        (folder / "gateway.yaml").write_text(text.replace("connectors:", f"connectors:\n  net: {strict}"))
        (one,) = found(clock.check, folder)
        assert one.level == "warning" and "'seal: strict' of net (5 min) cannot do without" in one.text

    def test_a_machine_without_a_battery(self, folder: Path, monkeypatch: Any) -> None:
        early = SimpleNamespace(time=lambda: 60.0, strftime=time.strftime, gmtime=time.gmtime)
        monkeypatch.setattr(clock, "time", early)
        (one,) = found(clock.check, folder)
        assert one.level == "problem" and "the clock says 1970-01-01" in one.text

    def test_a_clock_that_was_set_back(self, folder: Path) -> None:
        store = KeyStore(folder / "gateway.keys")
        store.add("s1", ["my-hive"])
        text = store.path.read_text()
        store.path.write_text(text.replace('"since": 1', '"since": 2'))
        os.utime(store.path, (time.time() + 3600, time.time() + 3600))
        told = [one.text for one in found(clock.check, folder) if one.level == "warning"]
        assert len(told) == 2
        assert "keys of 1 devices came into use in the future" in told[0] and "was written in the future" in told[1]


class TestPorts:
    def test_none(self, folder: Path) -> None:
        assert levels(found(ports.check, folder)) == ["ok"]

    def test_none_there_and_no_port(self, folder: Path) -> None:
        told = found(ports.check, folder, f"  serial: [{{port: /nowhere}}, {{port: {folder}/gateway.yaml}}]\n")
        assert [one.text for one in told if one.level == "problem"] == [
            "/nowhere: No such file or directory",
            f"{folder}/gateway.yaml: it is no serial port",
        ]

    def test_free_and_busy(self, folder: Path) -> None:
        master, slave = os.openpty()
        name = os.ttyname(slave)
        more = f"  serial: [{{port: {name}}}]\n"
        try:
            told = found(ports.check, folder, more)
            assert told[0].level == "problem" and f"(process {os.getpid()}) has it open" in told[0].text
            os.close(slave)
            assert levels(found(ports.check, folder)) == ["ok"]
        finally:
            os.close(master)

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may open everything")
    def test_not_allowed(self, folder: Path) -> None:
        master, slave = os.openpty()
        try:
            os.fchmod(slave, stat.S_IWGRP)
            told = found(ports.check, folder, f"  serial: [{{port: {os.ttyname(slave)}}}]\n")
            assert "usermod -aG" in told[0].todo
        finally:
            os.close(master)
            os.close(slave)


class TestDiscovery:
    def test_nobody_uses_it(self, folder: Path) -> None:
        assert levels(found(discovery.check, folder)) == ["ok"]

    def test_it_hears_itself(self, folder: Path) -> None:
        (folder / "gateway.yaml").write_text("""
eventhive: {interfaces: [127.0.0.1]}
connectors: {my-hive: {pubsub_type: websocket, from_broadcast: true}}
gateway: {}
""")
        (one,) = found(discovery.check, folder)
        assert one.level == "ok" and "multicast DNS works" in one.text

    def test_an_address_that_is_not_here(self, folder: Path) -> None:
        (folder / "gateway.yaml").write_text("""
eventhive: {interfaces: [192.0.2.1]}
connectors: {my-hive: {pubsub_type: websocket, from_broadcast: true}}
gateway: {}
""")
        (one,) = found(discovery.check, folder)
        assert one.level == "problem" and "no multicast DNS on 192.0.2.1" in one.text


class TestListening:
    def test_free_and_taken(self, folder: Path) -> None:
        assert levels(found(listening.check, folder)) == ["ok"]
        port = look(str(folder / "gateway.yaml")).gateway.websocket.port  # type: ignore[union-attr]
        with socket.create_server(("127.0.0.1", port)):
            (one,) = found(listening.check, folder)
        assert one.level == "problem"
        assert f"127.0.0.1:{port}: " in one.text and f"(process {os.getpid()}) listens there" in one.text

    def test_a_server_that_may_be_elsewhere(self, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as other:
            server = f"{{pubsub_type: websocket, create: needed, init: {{port: {other.getsockname()[1]}}}}}"
            told = found(listening.check, folder, f"servers: {{my-hive: {server}}}\n")
        assert levels(told) == ["ok", "note"] and "that one is used" in told[1].text

    @pytest.mark.parametrize(
        ("host", "why"), [("192.0.2.1", "this machine has no such address"), ("no.such.invalid", "is no known name")]
    )
    def test_not_of_this_machine(self, folder: Path, host: str, why: str) -> None:
        told = found(listening.check, folder, f"  http: {{host: {host}}}\n")
        assert levels(told) == ["ok", "problem"] and why in told[1].text


class TestNetworks:
    def test_each_kind(self, folder: Path, server: Any) -> None:
        gone = free_port()
        (folder / "gateway.yaml").write_text(f"""
connectors:
  my-hive: {{pubsub_type: websocket, init: {{port: {server.port}}}}}
  gone: {{pubsub_type: websocket, init: {{port: {gone}}}}}
  made: {{pubsub_type: websocket, init: {{port: {gone}}}}}
  here: {{pubsub_type: memory}}
  red: {{pubsub_type: redis, init: {{host: 127.0.0.1, port: {gone}}}}}
servers:
  made: {{pubsub_type: websocket, create: needed, init: {{port: {gone}}}}}
gateway: {{}}
""")
        told = {one.text.partition(":")[0]: one for one in found(networks.check, folder)}
        assert {name: one.level for name, one in told.items()} == {
            "my-hive": "ok",
            "gone": "problem",
            "made": "note",
            "here": "ok",
            "red": "problem",
        }
        assert "Connection refused" in told["gone"].text and "Connection refused" in told["red"].text

    def test_who_says_nothing_is_not_waited_for(self, folder: Path, monkeypatch: Any) -> None:
        monkeypatch.setattr(networks, "SECONDS", 0.3)
        with socket.create_server(("127.0.0.1", 0)) as mute:
            network = f"{{pubsub_type: websocket, init: {{port: {mute.getsockname()[1]}}}}}"
            (folder / "gateway.yaml").write_text(f"connectors: {{net: {network}}}\ngateway: {{}}\n")
            (one,) = found(networks.check, folder)
        assert one.level == "problem" and one.text.startswith("net: ")


class TestStrength:
    @pytest.mark.parametrize(
        ("text", "why"),
        [
            ("changeme", "an example"),
            ("my secret", "an example"),
            ("a long and random one", "an example"),
            ("my-hive", "the name of the network"),
            ("0123456789abcde", "it has 15 characters"),
            ("abababababababababab", "2 different characters"),
        ],
    )
    def test_weak(self, text: str, why: str) -> None:
        found = strength.weakness(text, "my-hive")
        assert why in found and text not in found

    def test_strong(self) -> None:
        assert strength.weakness(os.urandom(16).hex()) == ""

    def test_doors(self, folder: Path) -> None:
        token = os.urandom(16).hex()
        (folder / "gateway.yaml").write_text(f"""
connectors:
  net: {{pubsub_type: websocket, secret: hunter2, init: {{insecure: true}}}}
servers:
  open: {{pubsub_type: websocket, create: always, init: {{host: 0.0.0.0}}}}
  plain: {{pubsub_type: websocket, create: always, init: {{host: 0.0.0.0, token: {token}}}}}
  local: {{pubsub_type: websocket, create: always, init: {{host: 127.0.0.1}}}}
gateway: {{insecure: true}}
""")
        told = [one.text for one in found(strength.check, folder)]
        assert len(told) == 5
        for part in ("can be guessed", "anybody who can connect", "network open", "on the way", "any server"):
            assert len([text for text in told if part in text]) == 1


class TestDevices:
    def test_rights_and_keys(self, folder: Path) -> None:
        store = KeyStore(folder / "gateway.keys")
        for name in ("good", "none", "lost", "old", "new"):
            store.add(name, ["elsewhere" if name == "lost" else "my-hive"])
        store.deny("none", ["my-hive/*/*"], ["none/*"])
        store.rekey("new")
        data = json.loads(store.path.read_text())
        data["old"]["since"] -= 3 * 365 * devices.DAY_S
        store.path.write_text(json.dumps(data))
        told = found(devices.check, folder)
        assert [(one.level, one.text.rpartition(": ")[2]) for one in told[1:]] == [
            ("warning", "none"),
            ("warning", "lost"),
            ("note", "old"),
            ("note", "new"),
        ]

    def test_what_the_gateway_tells_of_them(self, folder: Path) -> None:
        KeyStore(folder / "gateway.keys").add("a", ["my-hive"])
        subject = look(str(folder / "gateway.yaml"))
        plain = {"online": True, "enrolled": True, "last_seen": 1.0, "flapping": False, "reported": {}}
        plain |= {"refused": 0, "undelivered": 0, "expired": 0}
        old = {"version": VERSION.partition(".")[0] + ".999.0"}
        rows = {
            "flaps": {"flapping": True},
            "older": {"reported": {"version": "0.1.0"}},
            "newer": {"reported": old},
            "unkeyed": {"enrolled": False, "reported": {"version": VERSION}},
            "away": {"online": False, "last_seen": None},
            "denied": {"refused": 1, "online": False},
            "late": {"expired": 1, "online": False},
            "crashed": {"crash": {"time": time.time() - 60, "what": "rst:0x7 (TG0WDT_SYS_RESET)"}, "online": False},
            "long ago": {"crash": {"time": time.time() - 2 * 86400, "what": "x"}, "online": False},
        }
        subject.running = Running({"pid": os.getpid()}, [{"name": name, **plain, **row} for name, row in rows.items()])
        told = {one.text.rpartition(": ")[2]: one.level for one in devices.check(subject) if one.todo}
        assert told == {
            "unkeyed": "warning",
            "away": "note",
            "crashed": "warning",
            "flaps": "note",
            "older": "warning",
            "newer": "note",
            "denied": "warning",
            "late": "note",
        }
        (flapping,) = [one for one in devices.check(subject) if "again and again" in one.text]
        assert flapping.level == "warning" and flapping.text.endswith(": flaps")

    def test_keys_that_cannot_be_read_are_said_once(self, folder: Path) -> None:
        (folder / "gateway.keys").write_text("{")
        assert found(devices.check, folder) == []


class TestPage:
    def test_where_one_is(self, folder: Path) -> None:
        assert levels(found(page.check, folder)) == ["ok"]
        told = found(page.check, folder, "  http: {host: 0.0.0.0, port: 0}\n")
        assert [one.level for one in told] == ["note", "warning", "ok"]

    def test_without_a_login(self, folder: Path) -> None:
        told = found(page.check, folder, "  http: {login: false}\n")
        assert levels(told) == ["note", "ok"] and "has no login" in told[0].text
