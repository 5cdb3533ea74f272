"""The emulator `rp2040py` with a network that goes on: `python pico_w.py …` has its arguments.

In 0.3.6, two things end each connection sooner or later, and the third the emulator:

- The chip of the radio tells its driver with each frame up to which number it may send. The emulated one counts one
  further with each frame that it receives, too, in eight bits: at each 256th it arrives where the driver is. That
  waits then for a frame that allows more, and sends nothing that would be answered by one.
- What the board loses on the way from the radio is sent again by any peer, but not by this one: what follows a lost
  segment is never taken.
- What the board sends towards an end that has gone is an exception in the emulated processor.
"""

import asyncio
import sys
from typing import Any

from rp2040py.__main__ import main
from rp2040py.external.cyw43 import net
from rp2040py.external.cyw43.bus import GSPIBus
from rp2040py.external.cyw43.nat import TcpFlow, TcpReflector

# Frames that the driver may be ahead: it takes a step of at most 20 for no mistake (`sdpcm_process_rx_packet`).
WINDOW = 8

# Where the head of a frame of the driver has its number.
NUMBER_AT = 4

# Of this machine's time, some tenths of the board's: a segment that is not acknowledged by then is sent again.
AGAIN_S = 2.0


def counted(write: Any) -> Any:
    """Take each frame of the driver as where the counting begins."""

    def write_and_count(bus: GSPIBus, data: bytes) -> None:
        if len(data) > NUMBER_AT:
            bus._bus_data_credit = (data[NUMBER_AT] + WINDOW) & 0xFF
        write(bus, data)

    return write_and_count


class Peer(TcpReflector):
    """The other end of the board's connections, which sends again what is not acknowledged."""

    async def _open_and_pump(self, flow: TcpFlow) -> None:
        again = asyncio.ensure_future(self._send_again(flow))
        try:
            await super()._open_and_pump(flow)
        finally:
            again.cancel()

    def _build_tcp_frame(self, flow: TcpFlow, **parts: Any) -> bytes:
        if "seq" not in parts and "payload" in parts:
            # `sent` is what was sent from the start; a test sends some hundred kilobytes.
            flow.sent = getattr(flow, "sent", b"") + parts["payload"]  # type: ignore[attr-defined]
        return super()._build_tcp_frame(flow, **parts)

    def _on_guest_segment(self, flow: TcpFlow, tcp: net.TcpSegment) -> None:
        try:
            super()._on_guest_segment(flow, tcp)
        except (OSError, RuntimeError):
            # Whoever it was for has gone already, which must not end the emulator.
            self._flows.pop(flow.key, None)

    async def _send_again(self, flow: TcpFlow) -> None:
        before = -1
        while True:
            await asyncio.sleep(AGAIN_S)
            at = flow.bytes_acked_by_guest
            if at < flow.bytes_relayed_to_guest and at == before:
                payload = flow.sent[at : at + flow.mss]  # type: ignore[attr-defined]
                flags, sequence = net.TCP_ACK | net.TCP_PSH, (flow.host_iss + 1 + at) & 0xFFFFFFFF
                frame = self._build_tcp_frame(flow, flags=flags, seq=sequence, payload=payload)
                self._queue_ethernet_frame(frame)
            before = at


if __name__ == "__main__":
    GSPIBus._write_wlan = counted(GSPIBus._write_wlan)
    sys.modules["rp2040py.external.cyw43.nat"].TcpReflector = Peer  # type: ignore[attr-defined]
    sys.exit(main())
