"""TLS under a websocket (`"scheme": "wss"`), where the firmware has it; it takes some 40 KB of heap while it begins.

The link is encrypted and authenticated without it, so it is for networks that let nothing else through. Certificates
are verified against the file `ca` of the link, by the board's clock: one that was never set finds them not valid yet.
"""

import asyncio
import ssl
from binascii import a2b_base64


def load(link, address):
    """What opens a connection to an address; OSError says what is wrong with the file of certificates."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if link["ca"]:
        context.verify_mode = ssl.CERT_REQUIRED
        try:
            with open(link["ca"], "rb") as file:
                context.load_verify_locations(cadata=der(file.read()))
        except (OSError, ValueError) as error:
            raise OSError("the certificate %s cannot be used: %s" % (link["ca"], error))
    else:
        if hasattr(context, "check_hostname"):
            context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return asyncio.open_connection(address, link["port"], ssl=context, server_hostname=link["host"])


def der(data):
    """The first certificate of a PEM file, or a DER file as it is; most firmware reads DER alone (RFC 7468)."""
    begin = data.find(b"-----BEGIN CERTIFICATE-----")
    if begin < 0:
        return data
    return a2b_base64(data[begin + 27 : data.find(b"-----END", begin)])
