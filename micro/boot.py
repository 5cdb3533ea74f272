"""Counting boots and connections. Loaded for each connection, and forgotten before the next step of it."""

from os import rename

from eventhive.core.errors import LocalError

# `attempt` is the boot in 20 bits and the connection of that boot in 12.
BOOTS = 1048576
CONNECTIONS = 4096


def next_attempt(node):
    """The number of a new connection of this node."""
    if node.connection % CONNECTIONS == 0:
        node.boot = next_boot(node.boot_file)
    attempt = node.boot * CONNECTIONS + node.connection % CONNECTIONS
    node.connection += 1
    return attempt


def next_boot(path):
    """The number of this boot, saved before it is used: no two connections of a device may ever begin alike.

    Boards are known whose `os.urandom` gives the same bytes after each start, so the number is what tells their
    sessions apart; `LocalError` when it cannot be saved.
    """
    try:
        with open(path) as file:
            boot = int(file.read())
    except (OSError, ValueError):
        boot = 0
    boot = (boot + 1) % BOOTS
    try:
        with open(path + ".new", "w") as file:
            file.write(str(boot))
        rename(path + ".new", path)
    except OSError as error:
        raise LocalError("%s cannot be written (%s): without a boot count no session is safe" % (path, error))
    return boot
