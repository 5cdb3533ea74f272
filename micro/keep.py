"""What becomes of events that find no room in memory, by their names. Loaded where a program says so.

Without a word here, the oldest are kept, and a call that finds no room gives 0.
"""

from eventhive.core.errors import LocalError
from eventhive.core.ring import ENTRY_BYTES

OLDEST = "oldest"
NEWEST = "newest"
LATEST = "latest"


_keeper = None


def load(node):
    """`keep` of a node."""
    global _keeper
    if not _keeper or _keeper.node is not node:
        _keeper = Keeper(node)
    return _keeper.keep


class Keeper:
    """The policies of a node's events; `replaced` of a node counts values that one of the same name has replaced."""

    def __init__(self, node):
        self.node = node
        node.replaced = 0
        node.before = self.before
        self._policies = {}

    def keep(self, event, policy):
        """Say what is kept of an event: the `oldest`, the `newest`, or only the `latest` value that waits.

        `newest` makes room by dropping the oldest waiting events that are kept as `newest` or `latest`, never others;
        what was sent already stays until it is acknowledged. Dropped ones count in `outbox.dropped`.
        """
        if policy not in (OLDEST, NEWEST, LATEST):
            raise LocalError("%s: 'oldest', 'newest' or 'latest' can be kept, not %r" % (event, policy))
        self._policies[event] = policy

    def before(self, name, payload):
        """Make room for an event, as its policy says."""
        node, policy = self.node, self._policies.get(name, OLDEST)
        outbox, size = node.outbox, len(name) + len(payload) + ENTRY_BYTES
        if policy == LATEST and self._drop((name,)):
            node.replaced += 1
        if outbox.room < size and node.spill:
            node.spill.write()
        droppable = [one for one, kept in self._policies.items() if kept != OLDEST] if policy != OLDEST else ()
        while outbox.room < size and self._drop(droppable):
            outbox.dropped += 1

    def _drop(self, names):
        """Drop the first event of these names that no connection has sent yet; False when there is none."""
        outbox = self.node.outbox
        for at in range(outbox.cursor, len(outbox.entries)):
            entry = outbox.entries[at]
            if entry[0] > outbox.sent and entry[1] in names:
                outbox.remove(at, at + 1)
                return True
        return False
