"""docs/outages.md and boards.md against the code: programs and links run on real MicroPython; numbers hold."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from eventhive.config import COMMAND_TTL_S
from eventhive.device.stage import PARTS, stage
from eventhive.device.tools import micropython

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "outages.md").read_text()
BLOCKS = dict(re.findall(r"```\w+ (\S+)\n(.*?)```", PAGE, re.DOTALL))


@pytest.mark.skipif(
    micropython() is None, reason="no MicroPython for this platform on PyPI: Linux x86_64 and macOS arm64 have one"
)
def test_the_program(tmp_path: Path) -> None:
    for name, text in BLOCKS.items():
        # Nobody listens there, and the outage of a test is a short one.
        (tmp_path / name).write_text(text.replace("8086", "9").replace("60000)", "60000, 0.1)"))
    stage(tmp_path / "board", mpy=micropython() is not None, parts=PARTS)
    path = f"{ROOT / 'firmware-examples' / 'sim'}:{tmp_path / 'board'}:.frozen"
    command = [*(micropython() or ()), "-X", "heapsize=190K", "main.py"]
    environment = {**os.environ, "MICROPYPATH": path}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines()[-1] == "sim: deepsleep 60000", done.stdout + done.stderr
    (segment,) = (tmp_path / "eventhive.spill").glob("1")
    assert '{"celsius":21.5}' in segment.read_text()


@pytest.mark.skipif(
    micropython() is None, reason="no MicroPython for this platform on PyPI: Linux x86_64 and macOS arm64 have one"
)
def test_the_links_of_the_page_on_boards(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "boards.md").read_text()
    links = re.search(r"```json links\n(.*?)```", page, re.DOTALL)
    assert links is not None
    stage(tmp_path / "board")
    (tmp_path / "eventhive.json").write_text(json.dumps({"id": "s1", "link": json.loads(links[1]), "connectors": {}}))
    code = "from eventhive.settings import read\nprint(len(read('eventhive.json')['link']))\n"
    (tmp_path / "main.py").write_text(code)
    environment = {**os.environ, "MICROPYPATH": f"{tmp_path / 'board'}:.frozen"}
    command = [*(micropython() or ()), "main.py"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == str(len(json.loads(links[1]))), done.stdout + done.stderr
    for kind in ("usb", "uart", "serial", "tls"):
        assert f"`{kind}`" in page and kind in PARTS


def constant(path: str, name: str) -> int:
    found = re.search(rf"^{name} = (\d+)$", (ROOT / path).read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1])


def test_numbers() -> None:
    assert f"{constant('micro/spill.py', 'QUOTA') // 1024} KB if it is not set" in PAGE
    assert f"every {constant('micro/spill.py', 'WRITE_MS') // 1000} s of an outage" in PAGE
    assert f"for up to {constant('micro/sleep.py', 'FLUSH_S')} s" in PAGE
    assert f"{constant('micro/settings.py', 'OUTBOX_BYTES') // 1024} KB of them" in PAGE
    assert f"| {constant('micro/wifi.py', 'REJOIN_AFTER')}, 9, 15" in PAGE
    assert COMMAND_TTL_S == 3600
    assert json.loads(BLOCKS["eventhive.json"])["spill"]["bytes"] == constant("micro/spill.py", "QUOTA")
