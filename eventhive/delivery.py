"""One event that arrived, on its way through its hooks.

Each hook stands alone: what it raises is reported, and the next one runs. A hook that is a coroutine is waited for
without a thread: `run` returns what it waits for, and is called again then.
"""

from collections.abc import Callable, Iterator
from contextvars import ContextVar
from types import CoroutineType
from typing import TYPE_CHECKING, Any

from .coroutines import HOOKS
from .hooklist import Function, HookList, Results

if TYPE_CHECKING:
    from concurrent.futures import Future

# The name of the event whose hook is running: of this thread, or of this task.
current: ContextVar[str | None] = ContextVar("eventhive_event", default=None)


class Delivery:
    """The hooks of one event, in their order, and the data they are called with.

    `failed(event, function, exception)` is called for each one that raises, `skipped(event, function)` for each one
    that does not take one argument. `results`, where given, is filled with what hooks return. `ended` is called by who
    runs it, where it is set, when all hooks have.
    """

    __slots__ = ("_data", "_event", "_failed", "_functions", "_hooks", "_results", "_skipped", "_under_way", "ended")

    def __init__(
        self,
        hooks: HookList,
        data: Any,
        failed: Callable[[str, Function, BaseException], object],
        skipped: Callable[[str, Function], object],
        results: Results | None,
    ):
        self._event = hooks.event_name
        self._hooks = hooks
        self._data = data
        self._failed = failed
        self._skipped = skipped
        self._results = Results() if results is None and hooks.wants_results else results
        # A copy: hooks may hook their own event.
        self._functions: Iterator[Function] = iter(tuple(hooks))
        self._under_way: tuple[Function, Future[Any]] | None = None
        self.ended: Callable[[], object] | None = None

    def run(self) -> "Future[Any] | None":
        """Run hooks until all have ended: None, or until a coroutine is waited for: call it again when that is done."""
        if self._under_way:
            self._take(*self._under_way)
            self._under_way = None
        event = self._event
        token = current.set(event)
        try:
            for function in self._functions:
                try:
                    result = self._call(function)
                except BaseException as error:
                    # Also SystemExit: it would end a thread, and with it all other hooks.
                    self._failed(event, function, error)
                    continue
                if type(result) is CoroutineType:
                    future = HOOKS.run(result)
                    self._under_way = function, future
                    return future
                if self._results is not None:
                    self._results[function] = result
        finally:
            current.reset(token)
        return None

    def _call(self, function: Function) -> Any:
        way = self._hooks.way(function)
        if way.one:
            return function(self._data)
        arguments = way.arguments((self._data,), {}, self._results if self._results is not None else Results())
        if arguments is None:
            self._skipped(self._event, function)
            return None
        return function(*arguments[0], **arguments[1])

    def _take(self, function: Function, future: "Future[Any]") -> None:
        error = future.exception()
        if error:
            self._failed(self._event, function, error)
        elif self._results is not None:
            self._results[function] = future.result()
