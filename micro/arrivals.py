"""What arrives for the program's hooks; loaded with the first event that does."""

from eventhive.core.envelope import EVENT, ONCE
from eventhive.core.names import local_name
from eventhive.core.session import REJECTED

from .port import print_exception, sleep_ms


class Arrivals:
    """Acknowledges what arrives at the node, counts it, and runs the hooks one after the other."""

    def __init__(self, node):
        self._node = node
        self._waiting = []

    def take(self, event):
        """Take one event of the session."""
        self._node.mark = self._node.session.marks
        kind = event[0]
        if kind == EVENT or kind == ONCE:
            self._waiting.append((event[1], event[2]))
        elif kind == REJECTED:
            self._node.rejected += 1
        if kind == EVENT or kind == REJECTED:
            self._node.session.incoming().confirm()

    async def settle(self):
        """Run the hooks of what was taken."""
        # A turn of the loop: the writer sends the acknowledgements before any hook runs, as a hook may reset the board.
        node = self._node
        while self._waiting:
            await sleep_ms(0)
            name, data = self._waiting.pop(0)
            node.received += 1
            if not node.events or not node.events.deliver(local_name(name), data, self._failed):
                node.unclaimed += 1

    def _failed(self, name, function, error):
        self._node.failed += 1
        self._node.log("eventhive: a hook of %s failed:" % name)
        print_exception(error)
