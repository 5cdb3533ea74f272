"""The main thread of a gateway that runs: signals, and the service manager.

Rules of this file:
1. Signal handlers put their number into a queue and do nothing else; the main thread acts on it.
2. A sign of life is sent only after the loop that carries everything has answered in time.
"""

import logging
import signal
from pathlib import Path
from queue import Empty, SimpleQueue
from types import FrameType

from ...core.errors import LocalError
from ...gateway.control import RELOAD_TIMEOUT_S, request
from ...gateway.notify import Notifier

# Signs of life within the time that the manager allows: one may be late or lost.
SIGNS = 3
# A loop that answers later than this is behind: devices wait for acknowledgements that long.
MAX_LAG_S = 2.0

logger = logging.getLogger("eventhive.gateway")


class Service:
    """A gateway with this control socket; made in the main thread, when it is ready."""

    def __init__(self, control: Path, notifier: Notifier):
        self._control = control
        self._notifier = notifier
        self._signals: SimpleQueue[int] = SimpleQueue()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._take)

    def serve(self, status: str) -> None:
        """Tell the manager that it is ready, and return when it is to end."""
        self._notifier.ready(status)
        wait_s = self._notifier.watchdog_s / SIGNS or None
        while True:
            try:
                number = self._signals.get(timeout=wait_s)
            except Empty:
                self._sign()
                continue
            if number != signal.SIGHUP:
                break
            self._reload(status)
        self._notifier.stopping()

    def _take(self, number: int, frame: FrameType | None) -> None:
        self._signals.put(number)

    def _reload(self, status: str) -> None:
        self._notifier.reloading()
        try:
            request(self._control, "reload", RELOAD_TIMEOUT_S)
        except LocalError as error:
            logger.error("the configuration is not taken over: %s", error)
            status = f"{status}; the configuration on disk was refused: {error}"
        self._notifier.ready(status)

    def _sign(self) -> None:
        try:
            request(self._control, "ping", min(MAX_LAG_S, self._notifier.watchdog_s / SIGNS))
        except LocalError as error:
            logger.error("no sign of life for the service manager: %s", error)
        else:
            self._notifier.alive()
