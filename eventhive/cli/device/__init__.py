"""`eventhive device`: enrol devices, list and remove them, say what they may do, lay out the files of a board.

One module for each group of commands; each adds its own to the parser.
"""

import argparse

from . import add, console, deploy, flash, listing, ports, rights, stage, up


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the subcommands of `eventhive device`."""
    actions = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for group in (add, listing, rights, stage, ports, flash, deploy, up, console):
        group.configure(actions)
