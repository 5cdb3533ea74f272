"""Events and the functions that hook them.

Calling an event runs its hooks in the order they were added, in the caller's own context: an exception reaches the
caller. An event that came over a network is *delivered* instead: each hook stands alone, a failure is reported and the
next hook runs.
"""

from .errors import LocalError
from .names import check_name, glob_match, is_glob, is_remote, split_name


class HookList:
    """The hooks of one event; calling it calls them and returns {hook: result} in their order."""

    def __init__(self, event: str, owner: "EventList"):
        self.event = event
        self.functions: "list" = []
        self._owner = owner

    def __len__(self) -> int:
        return len(self.functions)

    def __call__(self, *args, **kwargs):
        results = {}
        for function in self.functions:
            results[function] = self._owner.run(self.event, function, args, kwargs)
        if is_remote(self.event):
            if len(args) > 1 or kwargs:
                raise LocalError("%s: an event that travels takes one argument" % self.event)
            results[split_name(self.event)[0]] = self._owner.outlet(self.event, args[0] if args else None)
        return results


class EventList:
    """The declared events of a program.

    `outlet(name, data)` takes what is called on a name with a network part; its answer stands in the result under the
    name of the network. `declared(name)` is told of each new event, so that a node can subscribe it. `context.event` is
    the name of the event whose hook is running; a host with threads gives a `threading.local`. `help` maps the events
    that were declared with a help text to it.
    """

    def __init__(self, outlet, context=None):
        self.outlet = outlet
        self.event: "str | None" = None
        self.context = context or self
        self.declared = None
        self._events: "dict[str, HookList]" = {}
        self.help: "dict[str, str]" = {}

    def __len__(self) -> int:
        return len(self._events)

    def __contains__(self, name: str) -> bool:
        return name in self._events

    def __getitem__(self, name: str) -> HookList:
        """The hooks of a declared event; KeyError names the event that is not declared."""
        return self._events[name]

    def clear(self) -> None:
        """Forget all events and hooks."""
        self._events.clear()
        self.help.clear()

    def append(self, event: "str | list", help: str = "") -> None:
        """Declare one event, or each of a list; the hooks of one that is declared already are kept."""
        for name in event if isinstance(event, (list, tuple)) else (event,):
            if help:
                self.help[check_name(name)] = help
            if name not in self._events:
                self._events[check_name(name)] = HookList(name, self)
                if self.declared:
                    self.declared(name)

    def match(self, pattern: str = "*") -> "list[str]":
        """The declared events that match a glob, sorted."""
        return sorted([name for name in self._events if glob_match(name, pattern)])

    def hook(self, function, event="*", expand: bool = True) -> None:
        """Add a function to an event, a glob of declared events, or each of a list; declares what is no glob."""
        for name in event if isinstance(event, (list, tuple)) else (event,):
            if expand and is_glob(name):
                found = self.match(name)
            else:
                self.append(name)
                found = (name,)
            for one in found:
                self._events[one].functions.append(function)

    def call(self, event: str, *args, expand: bool = True, **kwargs):
        """Call an event, or all that match a glob: {event: {hook: result}}; with `expand=False` one event: {hook: result}.

        A name with a network part need not be declared. What is declared nowhere gives an empty dict.
        """
        if event not in self._events and not is_glob(event) and is_remote(event):
            self.append(event)
        if not expand:
            return self._events[event](*args, **kwargs)
        found = (event,) if event in self._events else self.match(event)
        return {name: self._events[name](*args, **kwargs) for name in found}

    def deliver(self, event: str, data, failed) -> int:
        """Run the hooks of an event that arrived; returns how many there were.

        `failed(event, function, exception)` is called for each one that raises.
        """
        hooks = self._events.get(event)
        if not hooks:
            return 0
        for function in hooks.functions:
            try:
                self.run(event, function, (data,), {})
            except Exception as error:
                failed(event, function, error)
        return len(hooks)

    def run(self, event: str, function, args, kwargs):
        """Call one hook, with the name of the event known to `get_event_name`."""
        context = self.context
        before = getattr(context, "event", None)
        context.event = event
        try:
            return function(*args, **kwargs)
        finally:
            context.event = before
