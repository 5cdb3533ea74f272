"""The pages of the firmware examples: the command of each sets up that example, with what its configuration shows."""

import argparse
import json
import re
import shlex
from pathlib import Path

import pytest

from eventhive.boards.parts import needed
from eventhive.cli.device import configure
from eventhive.cli.device.deploy import read_program
from eventhive.cli.device.links import link_of
from eventhive.config import build
from eventhive.settings import Settings

EXAMPLES = Path(__file__).parents[2] / "firmware-examples"
PAGES = [path for path in sorted(EXAMPLES.glob("*/README.md")) if not path.parent.name.startswith("demo-")]

# The gateway that the pages mean.
GATEWAY = """
connectors: {my-hive: {pubsub_type: memory}}
gateway: {websocket: {host: 192.168.1.10, port: 8086}, serial: [{port: /dev/serial0, baudrate: 115200}]}
"""


def parsed(command: str) -> argparse.Namespace:
    program, group, *words = shlex.split(command)
    assert (program, group) == ("eventhive", "device")
    parser = argparse.ArgumentParser()
    configure(parser)
    return parser.parse_args(words)


def gateway_config() -> object:
    settings = Settings()
    settings.read_string(GATEWAY)
    return build(settings)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.parent.name)
def test_the_first_way_and_the_one_by_hand(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    shown = json.loads((page.parent / "eventhive.json").read_text(encoding="utf-8"))
    [first] = re.findall(r"^```sh\n(.*)\n```$", text, re.MULTILINE)
    arguments = parsed(first)
    assert arguments.example == page.parent.name
    added = [parsed(one) for one in re.findall(r"`(eventhive\sdevice\sadd[^`]*)`", text)]
    assert {one.name for one in added} == {shown["id"]}
    # What `up` does not make of its options has to be written into a file first.
    if set(shown) <= {"id", "key", "link", "connectors", "wifi"}:
        assert arguments.name == shown["id"]
        assert link_of(arguments, gateway_config()) == shown["link"]
        assert bool(arguments.wifi) == ("wifi" in shown)
    else:
        assert {one.output for one in added} == {arguments.settings} == {Path("eventhive.json")}

    [by_hand] = re.findall(r"`(eventhive\sdevice\sstage[^`]*)`", text)
    program = read_program(arguments)["main.py"].decode()
    assert sorted(parsed(by_hand).parts) == needed(shown, program, "main.py")
    assert text.index(first) < text.index("By hand:") < text.index(by_hand)
