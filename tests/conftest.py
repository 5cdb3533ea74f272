"""For all tests."""

import signal


def pytest_configure() -> None:
    """Take Ctrl-C: what a shell runs in the background ignores it, and so do its children.

    Tests end programs with it.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
