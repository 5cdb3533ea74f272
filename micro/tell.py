"""Telling the gateway what is hooked here; loaded where there is anything."""

from eventhive.core.envelope import HOOKS, encode
from eventhive.core.names import SEPARATOR


def tell_hooks(session, settings, names):
    """Tell the gateway which of these local events it may send here."""
    for network, connector in settings["connectors"].items():
        for name in names:
            if name.startswith(connector.get("input_channel", "") + SEPARATOR):
                session.say(encode([HOOKS, network + SEPARATOR + name]))
