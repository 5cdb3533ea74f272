"""What a device does while its link is down. Loaded when it first is."""

from os import urandom

from eventhive.core.backoff import MAX_MS, delays

from .port import ticks_ms

# ECONNRESET and ECONNREFUSED: whoever sends these is there.
ANSWERS = (104, 111)


class Outage:
    """The ways of a node to its gateway, and how it fares with them.

    `silent` is how many attempts nobody has answered, `since` the ticks of the last answer.
    """

    def __init__(self, node, links):
        self.silent = 0
        self.since = ticks_ms()
        self._node = node
        self._links = links
        self._waits = None

    def take(self, opened, session, error):
        """Say why there is no link, choose the next way, and return how long to wait first, in milliseconds.

        `opened`: there was a link; `session` is the one that ended, or None: `error` says why there was none.
        """
        node = self._node
        refused = session and session.refused
        # What TLS finds wrong comes in several lines.
        why = session.closed if session else " ".join(str(error).split()) or "the gateway does not answer"
        if session or (error.args and error.args[0] in ANSWERS):
            self.since, self.silent = ticks_ms(), -1
        self.silent += 1
        if opened:
            node.log("eventhive: link down: %s" % why)
        else:
            node.log("eventhive: no connection to %s: %s" % (self._links[node.at]["name"], why))
            node.at = (node.at + 1) % len(self._links)
        if opened or not self._waits:
            self._waits = delays(lambda below: int.from_bytes(urandom(2), "big") % below)
        if node.spill:
            node.spill.outage(opened)
        if not opened and node.at:
            # The other ways are tried at once.
            return 0
        # A refusal does not change by asking often.
        return MAX_MS if refused else next(self._waits)
