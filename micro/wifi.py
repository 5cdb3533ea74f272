"""Joining a wireless network; the one place for what boards' radios do differently. Loaded only where `wifi` is set."""

import network

from .port import sleep_ms

JOIN_MS = 15000
RETRY_MS = 5000
_STEP_MS = 100


async def join(wifi, log):
    """Return when the board has an address; goes on trying for ever, each time with a line that says what is wrong."""
    radio = network.WLAN(network.STA_IF)
    radio.active(True)
    # The CYW43 of a Pico W sleeps between beacons otherwise, and then drops and delays what is sent to it.
    if hasattr(network.WLAN, "PM_NONE"):
        try:
            radio.config(pm=network.WLAN.PM_NONE)
        except (OSError, ValueError):
            pass
    while not radio.isconnected():
        radio.connect(wifi["ssid"], wifi.get("password"))
        waited = 0
        while not radio.isconnected() and waited < JOIN_MS:
            await sleep_ms(_STEP_MS)
            waited += _STEP_MS
        if not radio.isconnected():
            log("eventhive: wifi '%s': %s" % (wifi["ssid"], _why(radio.status())))
            radio.disconnect()
            await sleep_ms(RETRY_MS)
    log("eventhive: wifi '%s': %s" % (wifi["ssid"], radio.ifconfig()[0]))


def _why(status):
    if status == getattr(network, "STAT_WRONG_PASSWORD", None):
        return "wrong password"
    if status == getattr(network, "STAT_NO_AP_FOUND", None):
        return "not found; boards know 2.4 GHz only"
    return "no address within %d s (status %d)" % (JOIN_MS // 1000, status)
