"""Events and the functions that hook them.

Calling an event runs its hooks in the order they were added, in the caller's own context: an exception reaches the
caller. An event that came over a network is *delivered* instead: each hook stands alone, a failure is reported and the
next hook runs.
"""

from .errors import LocalError
from .names import is_remote, split_name
from .spelling import check_name, is_glob

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    Hook = Callable[..., Any]
    Names = str | list[str] | tuple[str, ...]


class EventList:
    """The declared events of a program.

    `outlet(name, data)` takes what is called on a name with a network part; its answer stands in the result under the
    name of the network. It may be None until there is something to take it. `declared(name)`, where set, is told of
    each new event, so that a node can subscribe it. `context.event` is the name of the event whose hook is running; a
    host with threads gives a `threading.local`.
    """

    def __init__(self, outlet: "Callable[[str, Any], Any] | None", context: "Any" = None):
        self.outlet = outlet
        self.event: "str | None" = None
        self.context = context or self
        self.declared: "Callable[[str], object] | None" = None
        self._hooks: "dict[str, list[Hook]]" = {}

    def __len__(self) -> int:
        return len(self._hooks)

    def __getitem__(self, name: str) -> "Callable[..., dict[Any, Any]]":
        """A function that calls the declared event and returns {hook: result}; KeyError names what is not declared."""
        self._hooks[name]
        return lambda *args, **kwargs: self._fire(name, args, kwargs)

    def clear(self) -> None:
        """Forget all events and hooks."""
        self._hooks.clear()

    def append(self, event: "Names", help: str = "") -> None:
        """Declare one event, or each of a list; the hooks of one that is declared already are kept.

        `help` tells a reader what the event is for.
        """
        for name in event if isinstance(event, (list, tuple)) else (event,):
            if name not in self._hooks:
                self._hooks[check_name(name)] = []
                if self.declared:
                    self.declared(name)

    def match(self, pattern: str = "*") -> "list[str]":
        """The declared events that match a glob, sorted."""
        if pattern == "*":
            return sorted(self._hooks)
        from .globs import glob_match

        return sorted([name for name in self._hooks if glob_match(name, pattern)])

    def hook(self, function: "Hook", event: "Names" = "*", expand: bool = True) -> None:
        """Add a function to an event, a glob of declared events, or each of a list; declares what is no glob."""
        for name in event if isinstance(event, (list, tuple)) else (event,):
            found = self.match(name) if expand and is_glob(name) else (name,)
            for one in found:
                self.append(one)
                self._hooks[one].append(function)

    def call(self, event: str, *args: "Any", expand: bool = True, **kwargs: "Any") -> "dict[Any, Any]":
        """Call an event, or all that match a glob: {event: {hook: result}}.

        With `expand=False` the name is that of one event, and the result {hook: result}. A name with a network part
        need not be declared; what is declared nowhere gives an empty dict.
        """
        if is_remote(event) and not is_glob(event):
            self.append(event)
        if not expand:
            return self[event](*args, **kwargs)
        found = (event,) if event in self._hooks else self.match(event)
        return {name: self._fire(name, args, kwargs) for name in found}

    def deliver(self, event: str, data: "Any", failed: "Callable[[str, Hook, Exception], object]") -> "list[Any]":
        """Run the hooks of an event that arrived; returns what each of them returned, None for one that raised.

        `failed(event, function, exception)` is called for each one that raises.
        """
        results = []
        for function in self._hooks.get(event, ()):
            result = None
            try:
                result = self._run(event, function, (data,), {})
            except Exception as error:
                failed(event, function, error)
            results.append(result)
        return results

    def _fire(self, name: str, args: "tuple[Any, ...]", kwargs: "Mapping[str, Any]") -> "dict[Any, Any]":
        results: "dict[Any, Any]" = {}
        for function in self._hooks[name]:
            results[function] = self._run(name, function, args, kwargs)
        if is_remote(name):
            if len(args) > 1 or kwargs:
                raise LocalError("%s: an event that travels takes one argument" % name)
            if not self.outlet:
                raise LocalError("%s is a remote event: call eventhive.init() first" % name)
            results[split_name(name)[0]] = self.outlet(name, args[0] if args else None)
        return results

    def _run(self, name: str, function: "Hook", args: "tuple[Any, ...]", kwargs: "Mapping[str, Any]") -> "Any":
        context = self.context
        before = getattr(context, "event", None)
        context.event = name
        try:
            return function(*args, **kwargs)
        finally:
            context.event = before
