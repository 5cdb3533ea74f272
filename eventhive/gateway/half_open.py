"""Connections of strangers: those that have not proved a key, counted in all and for each address.

Rules of this file: no I/O and no clock; `descriptors` is how many files this process may have open.
"""

import ipaddress

# A flood of them must leave room for the devices that come back.
MAX_HALF_OPEN = 1024

# And these descriptors to the devices, and to whatever else the process has open: three quarters.
SHARE = 4

# A class or a house behind one address, all of whose boards are switched on at once; a proof takes some milliseconds,
# so that hundreds a second get through. Whoever floods needs eight addresses to shut others out for five seconds.
MAX_PER_ADDRESS = 128

# What one subscriber has of IPv6, and can send from.
SUBSCRIBER_BITS = 64


class HalfOpen:
    """Counts strangers by the address they come from."""

    def __init__(self, descriptors: int):
        self.largest = min(MAX_HALF_OPEN, descriptors // SHARE)
        self.count = 0
        self._of: dict[str, int] = {}

    def full(self, host: str) -> str:
        """Why no further stranger may come from an address; empty when one may."""
        if self.count >= self.largest:
            return f"{self.largest} connections have not proved a key yet"
        if self._of.get(origin(host), 0) >= MAX_PER_ADDRESS:
            return f"{MAX_PER_ADDRESS} connections from there have not proved a key yet"
        return ""

    def enter(self, host: str) -> None:
        """A stranger has come."""
        place = origin(host)
        self.count += 1
        self._of[place] = self._of.get(place, 0) + 1

    def leave(self, host: str) -> None:
        """It is none any more, or it is gone."""
        place = origin(host)
        self.count -= 1
        left = self._of.pop(place) - 1
        if left:
            self._of[place] = left


def origin(host: str) -> str:
    """What is counted as one address: one of IPv4, or the network of one subscriber of IPv6."""
    if ":" not in host:
        return host
    address = ipaddress.IPv6Address(host.partition("%")[0])
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(int(address) >> (128 - SUBSCRIBER_BITS))
