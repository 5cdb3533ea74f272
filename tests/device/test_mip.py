"""Installing with MicroPython's own `mip`, from a web server: a checkout as it is, and a release."""

import functools
import http.server
import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from boards import DEADLINE_S, EVENT, ROOT, at_place

from eventhive.core.errors import LocalError
from eventhive.device.release import release
from eventhive.device.sources import MANIFEST, read_manifest
from eventhive.device.stage import PARTS, stage
from eventhive.device.tools import micropython

pytestmark = pytest.mark.skipif(
    micropython() is None, reason="no MicroPython for this platform on PyPI: Linux x86_64 and macOS arm64 have one"
)

Serve = Callable[[Path], str]
Command = Callable[..., "subprocess.CompletedProcess[str]"]


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Files of a folder, without a line for each on stderr."""

    def log_message(self, format: str, *arguments: object) -> None:
        pass


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serve a folder; the URL of its root."""
    servers = []

    def start(folder: Path) -> str:
        handler = functools.partial(Quiet, directory=str(folder))
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        servers.append((server, thread))
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server, thread in servers:
        server.shutdown()
        thread.join()
        server.server_close()


def install(url: str, target: Path) -> "subprocess.CompletedProcess[str]":
    command = [*(micropython() or ()), "-m", "mip", "install", "--target", str(target), url]
    environment = {**os.environ, "MICROPYPATH": ".frozen"}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=DEADLINE_S)


def installed(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def check_first_event(folder: Path, tree: Path) -> None:
    """What was installed carries an event, on a board's heap."""
    folder.mkdir()
    with at_place(folder, tree) as place:
        hub = place.hub("queen/event")
        place.board(place.settings("s1")).call(EVENT, {"celsius": 21.5})
        assert hub.arrived("queen/event", 1) == [{"celsius": 21.5}]


def test_from_a_checkout(tmp_path: Path, serve: Serve) -> None:
    done = install(f"{serve(ROOT)}/micro/{MANIFEST}", tmp_path / "lib")
    assert done.returncode == 0, done.stdout
    assert installed(tmp_path / "lib") == {one.destination: one.path.read_bytes() for one in read_manifest()}
    check_first_event(tmp_path / "place", tmp_path / "lib")


def test_from_a_release(tmp_path: Path, serve: Serve, eventhive: Command) -> None:
    made = eventhive("device", "stage", "site", "--release")
    assert made.returncode == 0, made.stderr
    assert "python -m http.server --directory site" in made.stderr
    *listed, total = [line.split() for line in made.stdout.splitlines()]
    done = install(f"{serve(tmp_path / 'site')}/{MANIFEST}", tmp_path / "lib")
    assert done.returncode == 0, done.stdout
    files = installed(tmp_path / "lib")
    assert {path: len(data) for path, data in files.items()} == {path: int(size) for size, path in listed}
    assert total == [str(sum(map(len, files.values()))), "bytes", "in", str(len(files)), "files"]
    assert {f"eventhive/{part}.mpy" for part in PARTS} <= set(files)
    check_first_event(tmp_path / "place", tmp_path / "lib")


def test_a_release_replaces_one_and_nothing_else(tmp_path: Path) -> None:
    first = release(tmp_path)
    assert release(tmp_path) == first
    (tmp_path / "eventhive" / "mine.py").write_text("")
    with pytest.raises(LocalError, match=r"holds other files \(eventhive/mine\.py\)"):
        release(tmp_path)


def test_a_list_of_somebody_else_stays(tmp_path: Path, eventhive: Command) -> None:
    (tmp_path / MANIFEST).write_text("precious")
    done = eventhive("device", "stage", ".", "--release")
    assert done.returncode == 1
    assert done.stderr == f"eventhive: .: holds a {MANIFEST} of somebody else; name another folder\n"
    assert [path.name for path in tmp_path.iterdir()] == [MANIFEST]
    assert (tmp_path / MANIFEST).read_text() == "precious"


def test_a_tree_in_place_of_a_release_is_none(tmp_path: Path) -> None:
    release(tmp_path)
    stage(tmp_path, mpy=True)
    assert not (tmp_path / MANIFEST).exists()


def test_a_release_has_all_parts(tmp_path: Path, eventhive: Command) -> None:
    done = eventhive("device", "stage", "site", "--release", "--with", "usb")
    assert done.returncode == 2
    assert done.stderr == "eventhive: --release has all parts: leave out --with\n"
    assert not (tmp_path / "site").exists()
