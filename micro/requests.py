"""Requests of a device: asking, and answering what it is asked. Loaded with the first of either."""

import asyncio

from eventhive.core.outcomes import NOBODY, RAISED, REQUEST_S, VALUE, RequestError, RequestTimeout, failure
from eventhive.core.requests import MAX_REQUESTS, ask, reply

from .node import within

# How often a request looks whether the session that it was sent in is still there.
LOOK_S = 0.25

_requests = None


def requests(node):
    """The requests of a node; one and the same at each call."""
    global _requests
    if _requests is None or _requests.node is not node:
        _requests = Requests(node)
    return _requests


class Requests:
    """What this device has asked, and has no answer to; by number: an `asyncio.Event`, and then the answer."""

    def __init__(self, node):
        self.node = node
        self._pending = {}
        self._number = 0

    async def request(self, event, data=None, timeout=REQUEST_S):
        """Call an event and return what its hook returns, wherever it runs; of several, the first answer.

        `RequestTimeout` after `timeout` seconds (the gateway gives up after 60), `NobodyHooks` when nobody hooks it as
        far as the gateway knows, `RemoteError` when the hook raised, `RequestError`, which they all are, when there is
        no connection, or it went down meanwhile. Requests are not kept for a connection that comes later.
        """
        node, session = self.node, self.node.session
        payload = node.payload(event, data)
        if not session or session.closed:
            raise RequestError("%s is not sent: there is no connection" % event)
        if len(self._pending) >= MAX_REQUESTS:
            raise RequestError("%s is not sent: %d requests wait for answers already" % (event, MAX_REQUESTS))
        self._number += 1
        number, waiting = self._number, [asyncio.Event()]
        ask(session, number, event, payload)
        self._pending[number] = waiting
        node.woken.set()
        try:
            left = timeout
            while len(waiting) == 1:
                if node.session is not session or session.closed:
                    raise RequestError("%s: the link went down, it may have been dealt with" % event)
                if left <= 0:
                    raise RequestTimeout("%s: no reply within %s s" % (event, timeout))
                try:
                    await within(min(left, LOOK_S), waiting[0].wait())
                except asyncio.TimeoutError:
                    left -= LOOK_S
        finally:
            del self._pending[number]
        status, value = waiting[1:]
        if status == VALUE:
            return value
        raise failure(event, status, value)

    def take(self, number, status, data):
        """Take the answer to a request; one that nobody waits for any more is forgotten."""
        waiting = self._pending.get(number)
        if waiting and len(waiting) == 1:
            waiting += (status, data)
            waiting[0].set()

    def answer(self, session, number, results, error):
        """Answer what was asked in a session, with what hooks returned, or with what the first one raised."""
        if error:
            reply(session, number, RAISED, "%s: %s" % (type(error).__name__, error))
        elif results:
            reply(session, number, VALUE, next((one for one in results if one is not None), None))
        else:
            reply(session, number, NOBODY, "nothing here hooks it")
        self.node.woken.set()
