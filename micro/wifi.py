"""Joining a wireless network; the one place for what boards' radios do differently. Loaded only where `wifi` is set.

Radios say that they are connected when nothing passes any more. So attempts to reach a gateway that nobody answered
lead up a ladder: join again, switch the radio off and on, and, where `reset_after` says so, start the board anew.
"""

import network

from .port import sleep_ms, ticks_diff, ticks_ms

JOIN_MS = 15000
# What the radio says before this may be left from the attempt before.
STALE_MS = 2000
_STEP_MS = 100

# Attempts without an answer after which, and each time so many more, the board joins again; twice as many, and the
# radio is switched off first. At the pauses between attempts these are about 5 and 60 s, and then every other minute.
REJOIN_AFTER = 3
# The CYW43 takes this long to forget.
OFF_MS = 500


async def join(wifi, node):
    """Return when the board has an address; OSError says why it has none."""
    radio = network.WLAN(network.STA_IF)
    name = wifi["ssid"]
    outage = node.outage
    silent = outage.silent if outage else 0
    if silent and 0 < wifi.get("reset_after", 0) * 1000 < ticks_diff(ticks_ms(), outage.since):
        from machine import reset

        node.log("eventhive: nobody answers for %d s: the board starts anew" % wifi["reset_after"])
        if node.spill:
            node.spill.write()
        reset()
    if silent and silent % REJOIN_AFTER == 0:
        node.log("eventhive: wifi '%s': nobody answers: joining again" % name)
        radio.disconnect()
        if silent % (2 * REJOIN_AFTER) == 0:
            radio.active(False)
            await sleep_ms(OFF_MS)
    elif radio.active() and radio.isconnected():
        return
    radio.active(True)
    # The CYW43 of a Pico W sleeps between beacons otherwise, and then drops and delays what is sent to it.
    if hasattr(network.WLAN, "PM_NONE"):
        try:
            radio.config(pm=network.WLAN.PM_NONE)
        except (OSError, ValueError):
            pass
    radio.connect(name, wifi.get("password"))
    waited = 0
    while not radio.isconnected():
        status = radio.status()
        why = ""
        if status == getattr(network, "STAT_WRONG_PASSWORD", None):
            why = "wrong password"
        elif status == getattr(network, "STAT_NO_AP_FOUND", None):
            why = "not found; boards know 2.4 GHz only"
        if waited > (STALE_MS if why else JOIN_MS):
            radio.disconnect()
            raise OSError("wifi '%s': %s" % (name, why or "no address within %d s" % (JOIN_MS // 1000)))
        await sleep_ms(_STEP_MS)
        waited += _STEP_MS
    node.log("eventhive: wifi '%s': %s" % (name, radio.ifconfig()[0]))
