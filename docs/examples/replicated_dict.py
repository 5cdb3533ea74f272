"""A dict that all its members share: each has a whole copy, and every change reaches all of them.

    python replicated_dict.py

Start it as often as you like. It reads lines: `colour red` sets a key, `colour` removes it, an empty line shows all.
The last change wins; two that are made at the same moment may end differently in two copies.
"""

import sys
from collections.abc import Iterator, MutableMapping

import eventhive


def say(text: str) -> None:
    # In one piece: hooks run in another thread, and print, too.
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


class ReplicatedDict(MutableMapping[str, str]):
    """A dict with str keys whose changes are events of the network `shared`."""

    def __init__(self) -> None:
        self._copy: dict[str, str] = {}
        eventhive.hook("dict/set")(self._set)
        eventhive.hook("dict/delete")(self._delete)
        eventhive.hook("dict/copy")(lambda nothing: self._copy)

    def join(self) -> None:
        """Take over what the others have; whoever answers first is right."""
        try:
            self._copy.update(eventhive.request("shared/dict/copy"))
        except eventhive.NobodyHooks:
            say("nobody else is here")

    def __getitem__(self, key: str) -> str:
        return self._copy[key]

    def __setitem__(self, key: str, value: str) -> None:
        self._copy[key] = value
        eventhive.EVENTS.call("shared/dict/set", {"key": key, "value": value})

    def __delitem__(self, key: str) -> None:
        del self._copy[key]
        eventhive.EVENTS.call("shared/dict/delete", {"key": key})

    def __iter__(self) -> Iterator[str]:
        return iter(dict(self._copy))

    def __len__(self) -> int:
        return len(self._copy)

    def _set(self, change: dict[str, str]) -> None:
        # Only others' changes come here: a process does not receive what it calls itself.
        self._copy[change["key"]] = change["value"]
        say(f"changed: {change['key']}")

    def _delete(self, change: dict[str, str]) -> None:
        self._copy.pop(change["key"], None)
        say(f"removed: {change['key']}")


def main() -> None:
    eventhive.CONFIG.read_file("replicated_dict.yaml")
    shared = ReplicatedDict()
    eventhive.init()
    shared.join()
    say(f"joined: {dict(shared)}")
    for line in sys.stdin:
        key, _, value = line.strip().partition(" ")
        if value:
            shared[key] = value
        elif key:
            shared.pop(key, None)
        else:
            say(str(dict(shared)))
    eventhive.stop()


main()
