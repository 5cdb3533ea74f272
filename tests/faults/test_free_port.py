"""A free port is for the server that asked for one."""

import errno
import socket
import sys

import pytest

from eventhive.cli.chaos import ports
from eventhive.cli.chaos.ports import KEPT, free_port


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a server in beside a socket that is bound")
@pytest.mark.parametrize("address", ["127.0.0.1", "127.0.0.2", "0.0.0.0"])
def test_its_server_may_have_it_again_and_again_and_nobody_else(address: str) -> None:
    port = free_port()
    for _ in range(2):
        with socket.create_server((address, port)):
            pass
        with socket.socket() as stranger, pytest.raises(OSError) as caught:
            stranger.bind((address, port))
        assert caught.value.errno == errno.EADDRINUSE


def test_descriptors_do_not_pile_up() -> None:
    assert len({free_port() for _ in range(KEPT + 1)}) == KEPT + 1
    assert len(ports._kept) <= KEPT
