"""The hive's wire, as EventHive 0.5.0 speaks it: event data, metadata, and the calls of the websocket pubsub.

Rules of this file:
1. No I/O. Data of a caller is never changed.
2. What a peer sends gives a value or `PeerError`, never anything else.
3. The text of an event is made once, whatever the number of its receivers, and not at all where nobody needs it.
"""

import json
import time
import uuid
from collections.abc import Sequence
from json.encoder import encode_basestring_ascii as quote
from typing import Any, NamedTuple

from .core.errors import LimitError, LocalError, PeerError
from .core.json_host import loads as _loads
from .core.version import VERSION

ALL_TOPICS = "__EventNotifier_ALL_TOPICS__"

# A client of 0.5.0 drops its connection on frames above 1 MiB. What is published is repeated in a notify, whose frame
# is longer by its ids and its topic, so that much less may be published.
MAX_NOTIFY_BYTES = 1024 * 1024
MAX_TOPIC_BYTES = 256
MAX_PUBLISH_BYTES = MAX_NOTIFY_BYTES - 8 * MAX_TOPIC_BYTES
MAX_DATA_BYTES = MAX_PUBLISH_BYTES - 8 * MAX_TOPIC_BYTES
# Characters of JSON text that are within that, whatever they are: the longest take twelve bytes in a JSON string.
SURELY_SHORT = MAX_DATA_BYTES // 12 - 2

_NOTIFY = (
    '{"request": {"method": "notify", "arguments": {"subscription": {"id": "%s", "subscriber_id": "%s", "topic": %s'
)
_TRUE = '{"request": null, "response": {"result": true, "result_type": "bool", "call_id": "'
# 0.5.0 answers with the text of a Python None.
_DONE = '{"request": null, "response": {"result": "None", "result_type": "str", "call_id": '
_END = '"}}'
# A member of ours, which 0.5.0 ignores.
_UNHEARD = ', "subscribers": 0}}'
_RESPONSES = ('{"request": null', '{"request":null')


class Payload:
    """The data of one event, as an object, as JSON text, or as it stands in a call on the wire; made when asked for."""

    __slots__ = ("_data", "_text", "_wire")

    def __init__(self, data: Any = None, text: str | None = None, wire: bytes | None = None):
        self._data = data
        self._text = text
        self._wire = wire

    @property
    def data(self) -> Any:
        """The data as an object; the same one at each call. `PeerError` when the text is not JSON."""
        if self._text is not None and self._data is None:
            self._data = loads(self._text)
        return self._data

    @property
    def text(self) -> str:
        """The data as JSON text."""
        if self._text is None:
            self._text = dumps(self._data)
        return self._text

    @property
    def wire(self) -> bytes:
        """The value of "data" in a call: the JSON text as a JSON string."""
        if self._wire is None:
            self._wire = quote(self.text).encode("ascii")
        return self._wire

    def check(self) -> "Payload":
        """Raise `LimitError` when the data is longer than a receiver would take."""
        if len(self.text) > SURELY_SHORT and len(self.wire) > MAX_DATA_BYTES:
            raise LimitError(f"{len(self.wire)} bytes of data: a hive carries {MAX_DATA_BYTES} in one event")
        return self


def dumps(data: Any) -> str:
    """The JSON text of an event's data, as 0.5.0 writes it; `LocalError` says what in it is not JSON."""
    try:
        return json.dumps(data)
    except (TypeError, ValueError) as error:
        raise LocalError(f"data of an event must be JSON: {error}") from None
    except RecursionError:
        raise LocalError("data of an event must be JSON: it is nested too deep") from None


def loads(text: str) -> Any:
    """The value of a JSON text."""
    try:
        return _loads(text)
    except (ValueError, RecursionError) as error:
        raise PeerError(f"not JSON: {error}") from None


def with_metadata(data: Any, key: str, event: str) -> Any:
    """A copy of a dict with metadata under `key`; data that is no dict has no place for any."""
    if not isinstance(data, dict):
        return data
    return {**data, key: {"time": time.time(), "version": VERSION, "event": event, "id": str(uuid.uuid4())}}


def without_metadata(data: Any, key: str) -> Any:
    """The data without its metadata; a copy where there was some."""
    if not isinstance(data, dict) or key not in data:
        return data
    return {name: value for name, value in data.items() if name != key}


class Call(NamedTuple):
    """A call of one of our methods. `call_id` is None where no answer is wanted."""

    method: str
    arguments: dict[str, Any]
    call_id: str | None


class Answer(NamedTuple):
    """The answer to a call of ours. `unheard`: it is a publish that has reached no subscriber."""

    result: Any
    call_id: str
    unheard: bool = False


def is_answer(text: str) -> bool:
    """True for the text of an answer, without reading it; false also for unusual spellings of one."""
    return text.startswith(_RESPONSES)


def confirmed(text: str) -> str | None:
    """The call that a text confirms with `true`, at a fraction of the price of reading it; None for other texts."""
    if text.startswith(_TRUE) and text.endswith(_END):
        return text[len(_TRUE) : -len(_END)]
    return None


def read(text: str) -> Call | Answer | None:
    """A message of the peer; None for JSON that is no message, which 0.5.0 ignores too. `PeerError` for the rest."""
    message = loads(text)
    if not isinstance(message, dict):
        return None
    call = message.get("request")
    if isinstance(call, dict):
        return _call(call)
    answer = message.get("response")
    if isinstance(answer, dict) and isinstance(answer.get("call_id"), str):
        return Answer(answer.get("result"), answer["call_id"], answer.get("subscribers") == 0)
    return None


def _call(call: dict[str, Any]) -> Call:
    method, arguments, call_id = call.get("method"), call.get("arguments"), call.get("call_id")
    if not isinstance(method, str) or not isinstance(arguments, (dict, type(None))):
        raise PeerError("a call without a method, or without a dict of arguments")
    if not isinstance(call_id, (str, type(None))):
        raise PeerError("a call_id that is no string")
    return Call(method, arguments or {}, call_id)


def topics_of(call: Call) -> list[str]:
    """The topics a subscribe, unsubscribe or publish names: a list, or one text."""
    topics = call.arguments.get("topics", [])
    if isinstance(topics, str):
        topics = [topics]
    if not isinstance(topics, list):
        raise PeerError(f"{call.method}: topics must be a list")
    for topic in topics:
        # On the lean wire, an empty one or a line feed would end the connections of others.
        if not isinstance(topic, str) or not 0 < len(topic) <= MAX_TOPIC_BYTES or "\n" in topic:
            what = f"a topic is a string of 1 to {MAX_TOPIC_BYTES} characters, without a line feed"
            raise PeerError(f"{call.method}: {what}")
    return topics


def payload_of(call: Call) -> Payload:
    """The data of a publish or notify. Other software may send any JSON in the place of the string."""
    data = call.arguments.get("data")
    if isinstance(data, str):
        return Payload(text=data)
    # 0.5.0 hands an empty dict to its hooks where there is no data.
    return Payload({} if data is None else data, wire=json.dumps(data).encode("ascii"))


def notify_head(subscription_id: str, subscriber_id: str, topic: str) -> bytes:
    """What is the same in all notifies of one subscription; see `notify`."""
    head = _NOTIFY % (subscription_id, subscriber_id, quote(topic))
    return head.encode("ascii") + b', "notifier_id": null}, "data": '


def notify(head: bytes, payload: Payload, number: int) -> bytes:
    """The call that hands an event to a subscriber."""
    return b'%b%b}, "call_id": "%d"}, "response": null}' % (head, payload.wire, number)


def publish_head(topic: str) -> bytes:
    """What is the same in all publishes on one topic; see `publish`."""
    return b'{"request": {"method": "publish", "arguments": {"topics": [%b], "data": ' % quote(topic).encode("ascii")


def publish(head: bytes, payload: Payload, number: int) -> bytes:
    """The call that hands an event to the server.

    `sync` is false: a server of 0.5.0 would read nothing of this connection until all subscribers answered.
    """
    form = b'%b%b, "sync": false, "notifier_id": null}, "call_id": "%d"}, "response": null}'
    return form % (head, payload.wire, number)


def subscribe(topics: Sequence[str], call_id: str) -> bytes:
    """The call that subscribes topics."""
    listed = ", ".join([quote(topic) for topic in topics])
    return (
        f'{{"request": {{"method": "subscribe", "arguments": {{"topics": [{listed}]}}, "call_id": {quote(call_id)}}}, '
        '"response": null}'
    ).encode("ascii")


def ping(call_id: str) -> bytes:
    """The call that only wants an answer."""
    return b'{"request": {"method": "_ping_", "arguments": {}, "call_id": "%b"}, "response": null}' % call_id.encode()


def done(call_id: str) -> bytes:
    """The answer to a notify."""
    return (_DONE + quote(call_id) + "}}").encode("ascii")


def unheard(call_id: str) -> bytes:
    """The answer to a publish that has reached no subscriber."""
    return (_TRUE[:-1] + quote(call_id) + _UNHEARD).encode("ascii")


def answer(result: bool | str, call_id: str) -> bytes:
    """The answer to any other call. All three members are always there: newer peers require them."""
    if result is True:
        return (_TRUE[:-1] + quote(call_id) + "}}").encode("ascii")
    kind = "bool" if isinstance(result, bool) else "str"
    value = json.dumps(result)
    return (
        f'{{"request": null, "response": {{"result": {value}, "result_type": "{kind}", "call_id": {quote(call_id)}}}}}'
    ).encode("ascii")
