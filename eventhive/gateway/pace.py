"""Whether a disk is quick enough for the loop to wait for it. No I/O and no clock: times are given, in seconds."""

# A commit on an SSD takes 0.2 to 0.6 ms, on the SD card of a Raspberry Pi 5 to 50. One that is handed to a thread takes
# so long in any case, in a busy interpreter.
HANDED_OVER_S = 0.002

# What it takes longer holds up the loop: for this part of the time at most, and for so long at once.
SHARE = 0.01
BURST_S = 0.05


class Pace:
    """Follows how long commits take that the loop waits for."""

    def __init__(self) -> None:
        self._left = BURST_S
        self._since = 0.0
        self._resting = False

    def quick(self, now: float) -> bool:
        """True where the next commit may be waited for."""
        self._left = min(self._left + SHARE * (now - self._since), BURST_S)
        self._since = now
        # All of the time has to come back, so that one that is always slow is not tried again too soon.
        self._resting = self._resting and self._left < BURST_S
        return not self._resting

    def took(self, seconds: float) -> None:
        """One that was waited for has ended."""
        self._left -= max(seconds - HANDED_OVER_S, 0)
        self._resting = self._resting or self._left < 0
