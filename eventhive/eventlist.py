"""The events of a Python program, and the functions that hook them.

It is the core's list of events (`core/registry.py`, which boards have) with what only a Python program has: threads,
`async def`, hooks that depend on others, results that hooks hand on, and names that no serial line has to carry.

Rules of this file:
1. Calling an event runs its hooks in the caller's thread, and an exception reaches the caller. Where an event
   *arrives*, each hook stands alone: what it raises is logged and counted.
2. A coroutine that a hook returns runs in `coroutines.HOOKS`, wherever the event came from.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from types import CoroutineType
from typing import TYPE_CHECKING, Any

from .core.errors import LocalError
from .core.names import SEPARATOR, is_remote, split_name
from .coroutines import HOOKS, in_loop
from .delivery import Delivery, current
from .exceptions import HookException
from .hooklist import RETVALS, Function, HookList, Modules, Results, title
from .scripts import SCRIPTS

if TYPE_CHECKING:
    from concurrent.futures import Future

Names = str | list[str] | tuple[str, ...]

# The hive's wire takes no longer topic (`classic.MAX_TOPIC_BYTES`).
MAX_NAME_LENGTH = 256

logger = logging.getLogger("eventhive")


def current_event() -> str | None:
    """The name of the event whose hook is running here; None outside of hooks."""
    return current.get()


class ProgramEvents:
    """The declared events of a program.

    `name in events` says whether exactly this event is declared; iterating gives the declared names, sorted.
    `events[name]` are the hooks of an event; calling that calls the event, and KeyError names one that is not declared.

    `outlet(name, data)` takes what is called on a name with a network part; its answer stands in the result under the
    name of the network. `declared(name)` and `cleared(names)`, where set, are told what comes and goes. `help` has a
    text for each event that was declared with one. Counters: `failed` hooks that raised on an event that arrived or in
    a coroutine that nobody waited for, `slow` hooks that took longer than 0.1 s for one that arrived, `skipped` calls
    of hooks that do not take the arguments.
    """

    def __init__(self, outlet: Callable[[str, Any], Any] | None = None):
        self.outlet = outlet
        self.help: dict[str, str] = {}
        self.declared: Callable[[str], object] | None = None
        self.cleared: Callable[[list[str]], object] | None = None
        self.failed = self.slow = self.skipped = 0
        self._hooks: dict[str, HookList] = {}
        self._told: set[tuple[str, Function]] = set()

    def __len__(self) -> int:
        return len(self._hooks)

    def __contains__(self, name: object) -> bool:
        return name in self._hooks

    def __iter__(self) -> Iterator[str]:
        return iter(self.match())

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {dict(self._hooks)}>"

    def __getitem__(self, name: str) -> HookList:
        return self._hooks[name]

    def clear(self) -> None:
        """Forget all events and hooks; what arrives for them is not received any more."""
        names = list(self._hooks)
        self._hooks.clear()
        self.help.clear()
        self._told.clear()
        if self.cleared:
            self.cleared(names)

    def append(self, event: Names, help: str = "") -> None:
        """Declare one event, or each of a list; the hooks of one that is declared already are kept.

        `help` tells a reader what the event is for. A name is 1 to 256 printable characters without empty parts.
        """
        for name in _listed(event):
            if name not in self._hooks:
                self._hooks[_checked(name)] = HookList(name, self._fire)
                if self.declared:
                    self.declared(name)
            if help:
                self.help[name] = help

    def hooked(self, name: str) -> bool:
        """True where at least one function hooks an event."""
        hooks = self._hooks.get(name)
        return hooks is not None and len(hooks) > 0

    def match(self, pattern: str = "*") -> list[str]:
        """The declared events that match a glob, sorted: `*` and `?` match separators too, `[…]` is a set."""
        if pattern == "*":
            return sorted(self._hooks)
        from fnmatch import fnmatchcase

        return sorted([name for name in list(self._hooks) if fnmatchcase(name, pattern)])

    def hook(self, function: Function, event: Names = "*", dependencies: Modules = None, expand: bool = True) -> None:
        """Add a function to an event, a glob of declared events, or each of a list; declares what is no glob.

        `dependencies` names modules whose hooks of the same event come first: the function is added behind them, as
        soon as each has one. With `expand=False` a name is taken as it is, even if it looks like a glob.
        """
        for name in _listed(event):
            if expand and name not in self._hooks and _is_glob(name):
                found = self.match(name)
                if not found:
                    logger.warning("%s hooks nothing: no declared event matches '%s'", title(function), name)
            else:
                self.append(name)
                found = [name]
            for one in found:
                self._hooks[one].hook(function, dependencies)

    def call(self, event: str, *args: Any, expand: bool = True, **kwargs: Any) -> dict[Any, Any]:
        """Call an event, or all that match a glob: {event: {hook: result}}.

        With `expand=False` the name is that of one event, and the result {hook: result}. A name with a network part
        need not be declared; what is declared nowhere gives an empty dict.

        A hook that does not take the arguments is skipped, which is logged once. The result of an `async def` hook is
        what it returned: the caller waits for it. A caller that runs in an asyncio loop must not wait, and gets an
        `asyncio.Future` in its place, to be awaited.
        """
        if event not in self._hooks and self._travels(event) and not (expand and _is_glob(event)):
            self.append(event)
        if not expand:
            results: dict[Any, Any] = self._fire(event, args, kwargs)
            return results
        SCRIPTS.load()
        found = [event] if event in self._hooks else self.match(event)
        if not found:
            logger.info("%s: no such event is declared, nothing is called", event)
        return {name: self._fire(name, args, kwargs) for name in found}

    def deliver(self, event: str, data: Any, results: Results | None = None) -> Delivery | None:
        """The hooks of an event that arrived, to be `run`; None where nothing is declared.

        What a hook raises is logged and counted. `results`, where given, is filled with what the hooks return.
        """
        hooks = self._hooks.get(event)
        if hooks is None:
            return None
        error = hooks.unmet()
        if error:
            self._failed(event, hooks, error)
        return Delivery(hooks, data, self._failed, self._skipped, results)

    # The rest is private.

    def _travels(self, name: str) -> bool:
        return is_remote(name)

    def _fire(self, name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        hooks = self._ready(name)
        travels = self._travels(name)
        if travels and (len(args) > 1 or kwargs):
            raise LocalError(f"{name}: an event that travels takes one argument")
        if travels and not self.outlet:
            raise LocalError(f"{name} is a remote event: call eventhive.init() first")
        if RETVALS in kwargs:
            raise HookException(f"{name}: an argument named {RETVALS} is what hooks are given of each other")
        results = Results()
        token = current.set(name)
        try:
            for function in tuple(hooks):
                arguments = hooks.way(function).arguments(args, kwargs, results)
                if arguments is None:
                    self._skipped(name, function)
                    continue
                result = function(*arguments[0], **arguments[1])
                if type(result) is CoroutineType:
                    result = self._outcome(name, function, HOOKS.run(result))
                results[function] = result
        finally:
            current.reset(token)
        if travels and self.outlet:
            results[split_name(name)[0]] = self.outlet(name, args[0] if args else None)
        return results

    def _ready(self, name: str) -> HookList:
        SCRIPTS.load()
        hooks = self._hooks[name]
        error = hooks.unmet()
        if error:
            raise error
        return hooks

    def _outcome(self, event: str, function: Function, future: "Future[Any]") -> Any:
        if not in_loop():
            return future.result()
        import asyncio

        def report(done: "Future[Any]") -> None:
            error = done.exception()
            if error:
                self._failed(event, function, error)

        future.add_done_callback(report)
        outcome = asyncio.wrap_future(future)
        # It is reported already, whether it is awaited or not.
        outcome.add_done_callback(lambda done: done.cancelled() or done.exception())
        return outcome

    def _skipped(self, event: str, function: Function) -> None:
        self.skipped += 1
        if (event, function) not in self._told:
            self._told.add((event, function))
            logger.warning("%s: hook %s is skipped: it does not take these arguments", event, title(function))

    def _failed(self, event: str, function: Function, error: BaseException) -> None:
        self.failed += 1
        if isinstance(error, SystemExit):
            logger.error("%s: sys.exit() in a hook does not end the program", event)
            return
        what = f"{type(error).__name__}: {error}"
        trace = error if logger.isEnabledFor(logging.DEBUG) else None
        if isinstance(error, HookException):
            logger.error("%s", error)
        else:
            logger.error("%s: hook %s raised %s", event, title(function), what, exc_info=trace)


class WaterfallEvents(ProgramEvents):
    """Events whose hooks feed each other: what one returns is what the next is called with.

    A tuple or a list are the arguments of the next hook, anything else is its only one. The result of an event is what
    its last hook returned; without hooks, the arguments. Keyword arguments go to each hook. These events stay in their
    process, whatever their names.
    """

    def _travels(self, name: str) -> bool:
        return False

    def _fire(self, name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        hooks = self._ready(name)
        flow: Any = args
        token = current.set(name)
        try:
            for function in tuple(hooks):
                flow = function(*(flow if isinstance(flow, (tuple, list)) else (flow,)), **kwargs)
                if type(flow) is CoroutineType:
                    flow = self._awaited(name, function, flow)
        finally:
            current.reset(token)
        return flow

    def _awaited(self, name: str, function: Function, coroutine: Any) -> Any:
        if in_loop():
            coroutine.close()
            raise LocalError(
                f"{name}: {title(function)} is a coroutine, and who runs a loop must not wait for it: "
                "call this event in a thread, such as with asyncio.to_thread"
            )
        return HOOKS.run(coroutine).result()


def _listed(event: Names) -> Names:
    return (event,) if isinstance(event, str) or not isinstance(event, (list, tuple, set, frozenset)) else event


def _is_glob(name: str) -> bool:
    return any(character in name for character in "*?[")


def _checked(name: object) -> str:
    if not isinstance(name, str) or not 1 <= len(name) <= MAX_NAME_LENGTH:
        raise LocalError(f"an event name must be a text of 1 to {MAX_NAME_LENGTH} characters, not {name!r:.80}")
    if not name.isprintable() or SEPARATOR * 2 in f"{SEPARATOR}{name}{SEPARATOR}":
        raise LocalError(f"event name {name!r}: no control character and no empty part")
    return name
