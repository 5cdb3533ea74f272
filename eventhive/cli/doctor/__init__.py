"""`eventhive doctor`: look at all that a gateway needs, in the order in which it is put right, and say what to do.

Rules of this folder:
1. A check looks at one thing, changes nothing, and returns findings. One that fails is a finding, and hides no other.
2. No finding has a secret in it.
"""

import argparse

DEFAULT_CONFIG = "gateway.yaml"

_EXAMPLES = """\
It works while the gateway runs, which it asks over its control socket, and while it does not. It changes nothing.
Run it as the account of the gateway: sudo -u eventhive eventhive doctor /etc/eventhive/gateway.yaml

exit code: 0 there is no problem, 1 there is one, 2 wrong usage
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `eventhive doctor`."""
    parser.epilog = _EXAMPLES
    parser.add_argument(
        "config", nargs="?", default=DEFAULT_CONFIG, metavar="CONFIG", help=f"the configuration ({DEFAULT_CONFIG})"
    )
    parser.add_argument("--json", action="store_true", help="as JSON")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from .run import run

    return run(arguments)
