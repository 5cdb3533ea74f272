"""Which names of a network somebody hooks, as far as confirmations tell: no I/O, time is passed in, in seconds.

Rules of this file:
1. A name that nobody confirms for UNHEARD_S, though the carrier works, is `unheard`: hooked by nobody.
2. Names that are waited for are asked for, each as a whole. Who answers after a while of silence was started anew, and
   is found soon in this way, however many devices wait, and however rarely each of these sends again. Who answers each
   time is only slow, and is left in peace.
"""

# A name that nobody confirmed for so long, though the carrier works, is hooked by nobody: a process that is started
# again is back by then.
UNHEARD_S = 10.0

# How often it is asked whether somebody hooks such a name; and a name of which something waits, since so long.
ASK_S = 1.0
ASK_SOON_S = 0.25
WAITING_S = 0.5

# Names that are asked for in one go, oldest first; more than a person can misspell.
MAX_ASKED = 200

# Names whose last confirmation is remembered.
MAX_HEARD = 4096


class Hearing:
    """`unheard` are names that nobody hooks, and when each was asked for last."""

    def __init__(self) -> None:
        self.unheard: dict[str, float] = {}
        self._heard: dict[str, float] = {}
        self._waiting: dict[str, None] = {}
        # How often each was asked for since its last confirmation.
        self._silent: dict[str, int] = {}
        self._asked = float("-inf")

    def confirmed(self, topic: str, now: float) -> bool:
        """Somebody has confirmed a name, or answered; true where nobody hooked it until now."""
        if topic not in self._heard and len(self._heard) >= MAX_HEARD:
            self._heard.clear()
        self._heard[topic] = now
        self._silent.pop(topic, None)
        return self.unheard.pop(topic, None) is not None

    def is_silent(self, topic: str) -> bool:
        """True where a name was asked for and asked for again, and nobody has answered."""
        return self._silent.get(topic, 0) > 1

    def wait_for(self, topic: str) -> None:
        """An event of a name has waited for its confirmation for WAITING_S: have the name asked for once."""
        if topic not in self.unheard and len(self._waiting) < MAX_ASKED:
            self._waiting[topic] = None

    def give_up(self, topic: str, stalled_s: float, now: float) -> bool:
        """True where a name has just become unheard: an event of it has waited so long, though the carrier has it."""
        if min(stalled_s, now - self._heard.get(topic, float("-inf"))) <= UNHEARD_S:
            return False
        self.unheard[topic] = now
        return True

    def to_ask(self, now: float) -> list[str]:
        """The names that are to be asked for now."""
        due = [topic for topic, asked in self.unheard.items() if now - asked >= ASK_S][:MAX_ASKED]
        for topic in due:
            # At the end, so that all of them have their turn.
            del self.unheard[topic]
            self.unheard[topic] = now
        if now - self._asked < ASK_SOON_S:
            return due
        self._asked = now
        if len(self._silent) > MAX_HEARD:
            self._silent.clear()
        for topic in self._waiting:
            self._silent[topic] = self._silent.get(topic, 0) + 1
        due += self._waiting
        self._waiting.clear()
        return due
