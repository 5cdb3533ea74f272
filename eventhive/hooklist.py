"""The hooks of one event of a Python program: their order, and how each of them takes its arguments.

Rules of this file:
1. A function is looked at once, when it is hooked: calls only compare numbers.
2. The module `inspect` is loaded with the first hook, not with the package.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from .exceptions import HookException

if TYPE_CHECKING:
    import inspect

Function = Callable[..., Any]
# Modules whose hooks come first: the name of one, or several.
Modules = str | Iterable[str] | None
Arguments = tuple[tuple[Any, ...], Mapping[str, Any]]

# A parameter of this name is given what the hooks before returned.
RETVALS = "__retvals__"
# Where it is given by its name, since it has no position.
BY_NAME = 1_000_000


class Results(OrderedDict[Any, Any]):
    """What hooks returned, by hook, in the order in which they ran."""

    @property
    def last(self) -> tuple[Any, Any]:
        """The last hook and what it returned; KeyError where there is none."""
        if not self:
            raise KeyError("no hook has returned yet")
        function = next(reversed(self))
        return function, self[function]


class Way:
    """How one function takes its arguments. `one`: a single one, and no results of the hooks before."""

    __slots__ = ("_counts", "_signature", "one", "retvals")

    def __init__(self, function: Function):
        self._signature = _signature(function)
        self._counts: dict[int, bool] = {}
        self.retvals = _position(self._signature)
        self.one = self.retvals is None and self._takes(1)

    def arguments(self, args: tuple[Any, ...], kwargs: Mapping[str, Any], results: Results) -> Arguments | None:
        """What to call the function with, `results` among it where it wants them; None when it does not take this."""
        if self.retvals is not None:
            if self.retvals <= len(args):
                args = (*args[: self.retvals], results, *args[self.retvals :])
            else:
                kwargs = {**kwargs, RETVALS: results}
        fits = self._binds(args, kwargs) if kwargs else self._takes(len(args))
        return (args, kwargs) if fits else None

    def _takes(self, count: int) -> bool:
        fits = self._counts.get(count)
        if fits is None:
            fits = self._counts[count] = self._binds((None,) * count, {})
        return fits

    def _binds(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bool:
        if self._signature is None:
            return True
        try:
            self._signature.bind(*args, **kwargs)
        except TypeError:
            return False
        return True


class HookList(list[Function]):
    """The hooks of the event `event_name`, in their order; calling it calls the event and returns their results.

    A hook that depends on modules waits outside of the list until each of them has a hook in it.
    """

    def __init__(self, event_name: str, fire: Callable[[str, tuple[Any, ...], Mapping[str, Any]], Any]):
        super().__init__()
        self.event_name = event_name
        self.wants_results = False
        self._fire = fire
        self._ways: dict[Function, Way] = {}
        self._later: list[tuple[Function, Modules]] = []

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the event; see `ProgramEvents.call`."""
        return self._fire(self.event_name, args, kwargs)

    def hook(self, function: Function, dependencies: Modules = None) -> None:
        """Add a function, behind the hooks of the modules that `dependencies` names."""
        if dependencies is not None and not isinstance(dependencies, str):
            dependencies = tuple(dependencies)
        self.way(function)
        if not self.isloaded(dependencies):
            self._later.append((function, dependencies))
            return
        self.append(function)
        ready = next((one for one in self._later if self.isloaded(one[1])), None)
        if ready:
            self._later.remove(ready)
            self.hook(*ready)

    def isloaded(self, name: Modules) -> bool:
        """True when each of these modules has a hook of this event."""
        if name is None:
            return True
        modules = {getattr(function, "__module__", None) for function in self}
        return name in modules if isinstance(name, str) else modules.issuperset(name)

    def unmet(self) -> HookException | None:
        """The error that it is to call this event now, None when no hook waits for others."""
        if not self._later:
            return None
        waiting = ", ".join([f"{title(function)} of {_listed(modules)}" for function, modules in self._later])
        return HookException(f"{self.event_name}: hooks wait for hooks of other modules: {waiting}")

    def way(self, function: Function) -> Way:
        """How a function of this list takes its arguments."""
        way = self._ways.get(function)
        if way is None:
            way = self._ways[function] = Way(function)
            self.wants_results |= way.retvals is not None
        return way


def title(function: Function) -> str:
    """A function's name for people."""
    return str(getattr(function, "__qualname__", None) or repr(function))


def _listed(modules: Modules) -> str:
    return modules if isinstance(modules, str) else " and ".join(modules or ())


def _signature(function: Function) -> "inspect.Signature | None":
    import inspect

    try:
        return inspect.signature(function)
    except (TypeError, ValueError):
        # Some functions of the C library do not say what they take.
        return None


def _position(signature: "inspect.Signature | None") -> int | None:
    if signature is None or RETVALS not in signature.parameters:
        return None
    parameter = signature.parameters[RETVALS]
    if parameter.kind is parameter.KEYWORD_ONLY:
        return BY_NAME
    if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
        return None
    return list(signature.parameters).index(RETVALS)
