"""The gateway of the checker: the real one, whose clock jumps at SIGUSR1, and which can be told to break its promise.

Arguments: a sabotage or "none", the configuration. No configuration reaches this: it is for showing that the checker
would notice.
"""

import signal
import sys
import time
from collections.abc import Callable
from typing import Any

from ...gateway.outlet import Outlet
from ..main import main
from .beats import quicken
from .schedule import ACK_BEFORE_DISK, DOUBLE_ONE, DROP_ONE, SABOTAGES, SWAP_TWO

# Which event is dropped, doubled or swapped; and how long one waits for the disk that is acknowledged before.
CHOSEN = 50
LATE_S = 0.5

JUMP_S = 86_400

_Take = Callable[[Outlet, Any, str, Any, Any], None]


def jump() -> None:
    """Let the wall clock be a day ahead, or right again, at each SIGUSR1."""
    offset = 0
    real, real_ns = time.time, time.time_ns

    def switch(number: int, frame: object) -> None:
        nonlocal offset
        offset = JUMP_S - offset

    time.time = lambda: real() + offset
    time.time_ns = lambda: real_ns() + offset * 1_000_000_000
    signal.signal(signal.SIGUSR1, switch)


def sabotage(kind: str) -> None:
    """Break the promise in one way."""
    take: _Take = Outlet.take
    count = 0
    held: list[tuple[Any, ...]] = []

    def broken(self: Outlet, device: Any, topic: str, data: Any, receipt: Any) -> None:
        nonlocal count
        count += 1
        if kind == ACK_BEFORE_DISK:
            _late(self, device, (topic, data, receipt), take)
        elif count == CHOSEN and kind == DROP_ONE:
            device.confirm(receipt)
        elif count == CHOSEN and kind == DOUBLE_ONE:
            self.network.publish(topic, data)
            take(self, device, topic, data, receipt)
        elif kind == SWAP_TWO and count >= CHOSEN and not held:
            held.append((device, topic, data, receipt))
        elif kind == SWAP_TWO and held and held[0] and held[0][0] is device:
            self.network.publish(topic, data)
            self.network.publish(*held[0][1:3])
            device.confirm(held[0][3])
            device.confirm(receipt)
            held[0] = ()
        else:
            take(self, device, topic, data, receipt)

    Outlet.take = broken  # type: ignore[method-assign]


def _late(outlet: Outlet, device: Any, event: tuple[str, Any, Any], take: _Take) -> None:
    import asyncio

    from ...gateway.device import Receipt

    topic, data, receipt = event
    later = Receipt(device, receipt.mark, receipt.number)
    device.confirm(receipt)
    asyncio.get_running_loop().call_later(LATE_S, take, outlet, device, topic, data, later)


if __name__ == "__main__":
    jump()
    quicken()
    if sys.argv[1] in SABOTAGES:
        sabotage(sys.argv[1])
    sys.exit(main(["gateway", "--config", sys.argv[2]]))
