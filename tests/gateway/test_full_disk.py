"""A gateway whose disk is full, a real file system: what cannot be kept is not acknowledged, and nothing is lost."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from boards import EVENT, Place, Process, free_port
from small_disk import small_disk

from eventhive.device.tools import micropython

EVENTS = 60

HIVE = """
connectors:
  my-hive: {{pubsub_type: websocket, input_channel: {channel}, init: {{port: {port}}}}}
"""
SERVER = "servers:\n  my-hive: {{pubsub_type: websocket, create: always, init: {{port: {port}}}}}\n"
GATEWAY = "gateway:\n  websocket: {{host: 127.0.0.1, port: {devices}}}\n  spool: {{file: small/spool}}\n"


@pytest.fixture
def disk(place: Place) -> Iterator[Path]:
    """Some megabytes, mounted in the folder of a place."""
    with small_disk(place.folder / "small", "size=2m") as folder:
        yield folder
        # What has files open there must end before it can be unmounted.
        place.end()


def fill(folder: Path) -> Path:
    """Leave no room at all; returns the file that takes it."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (65536, 4096, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                continue
    return filler


@pytest.mark.skipif(
    micropython() is None, reason="no MicroPython for this platform on PyPI: Linux x86_64 and macOS arm64 have one"
)
def test_events_of_an_outage_on_a_full_disk(place: Place, disk: Path) -> None:
    port = free_port()
    (place.folder / "hive.yaml").write_text((HIVE + SERVER).format(channel="queen", port=port))
    text = (HIVE + GATEWAY).format(channel="gateway", port=port, devices=place.port)
    (place.folder / "gateway.yaml").write_text(text)
    gateway: Process = place.start(Process([sys.executable, "-m", "eventhive", "gateway"], place.folder))
    gateway.expect("eventhive gateway: ready")
    board = place.board(place.settings("s1"))
    board.expect("link up")
    board.tell(f"asyncio.create_task(sending({EVENT!r}, 'kept', 30))")
    board.expect("sent kept True")
    filler = fill(disk)
    board.tell(f"asyncio.create_task(calling({EVENT!r}, {EVENTS}))")
    gateway.expect("disk is full: events are not acknowledged until it takes them")
    # The device is told nothing, and goes on waiting.
    board.tell(f"asyncio.create_task(sending({EVENT!r}, 'waits', 1))")
    board.expect("sent waits False")
    assert len(gateway.seen("device s1: online")) == 1
    filler.unlink()
    gateway.expect("the disk takes events again")
    board.tell(f"asyncio.create_task(sending({EVENT!r}, 'again', 30))")
    board.expect("sent again True")
    hive = place.hub("queen/event", file="hive.yaml")
    arrived = hive.arrived("queen/event", EVENTS + 3)
    assert [one for one in arrived if isinstance(one, int)] == list(range(EVENTS))
    assert (arrived[0], arrived[-1], arrived.count("waits")) == ("kept", "again", 1)
    assert len(gateway.seen("device s1: online")) == 1


def test_keys_on_a_full_disk_stay_as_they_are(place: Place, disk: Path) -> None:
    place.add("  keys: small/gateway.keys\n")
    assert place.command("device", "add", "s1").returncode == 0
    before = (disk / "gateway.keys").read_bytes()
    filler = fill(disk)
    done = place.command("device", "add", "s2")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[-1].endswith(
        f"key file {disk}/gateway.keys: cannot be written: No space left on device"
    )
    assert (disk / "gateway.keys").read_bytes() == before
    assert sorted(path.name for path in disk.iterdir()) == ["filler", "gateway.keys"]
    filler.unlink()
    assert place.command("device", "add", "s2").returncode == 0
