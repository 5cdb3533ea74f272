"""The metrics of a gateway: which there are, and how they are called.

Rules of this file: no I/O. Names of networks are those of the configuration, names of devices those of the key file;
beyond `MAX_LABELS` devices the rest share one label; names of serial ports are those of this machine. Nothing else
becomes a label, least of all what a device says.
"""

from collections import Counter
from typing import Any

from .prometheus import Text
from .source import Source
from .telemetry import MAX_LABELS, OTHERS, Telemetry

# Of devices; unknown is one that has not come since the gateway was started a moment ago.
STATES = ("online", "offline", "asleep", "unknown")

_NETWORK_GAUGES = {
    "connected": ("eventhive_network_connected", "1 while the carrier of a network is there."),
    "events": ("eventhive_spool_events", "Events on disk that wait for a network."),
    "held_s": ("eventhive_spool_held_seconds", "How long there have been events on disk, without a break."),
    "bytes": ("eventhive_spool_bytes", "Bytes of these events."),
    "quota": ("eventhive_spool_quota_bytes", "Bytes from which on the policy of the spool holds."),
    "refused": ("eventhive_spool_refused", "Events that wait for room in the spool."),
}
_NETWORK_COUNTERS = {
    "connections": ("eventhive_network_connections_total", "How often the carrier of a network came up."),
    "calls_dropped": ("eventhive_network_calls_dropped_total", "Called events that no place was left for."),
    "dropped": ("eventhive_spool_dropped_total", "Events dropped by the policy of the spool."),
    "sent_again": ("eventhive_spool_sent_again_total", "Events that were sent more than once."),
}
_DEVICE_GAUGES = {
    "online": ("eventhive_device_online", "1 while a device has a session."),
    "flapping": ("eventhive_device_flapping", "1 while a device loses its connection again and again."),
    "waiting": ("eventhive_device_commands_waiting", "Commands that wait for a device."),
}
_DEVICE_COUNTERS = {
    "events": ("eventhive_device_events_total", "Events taken from a device."),
    "rejected": ("eventhive_device_rejected_total", "Events of a device that could not be used."),
    "refused": ("eventhive_device_refused_total", "Events that a device had no right to, or without a network."),
    "undelivered": ("eventhive_device_undelivered_total", "Commands for a device that were dropped or too long."),
    "expired": ("eventhive_device_expired_total", "Commands that expired before a device came."),
}
_ROUND_TRIP = "eventhive_device_round_trip_seconds"
# Of what a device reports of itself, the numbers that have a meaning (docs/protocol.md).
_REPORTED = {
    "heap": ("eventhive_device_heap_bytes", "Free heap that a device reported."),
    "waiting": ("eventhive_device_outbox_events", "Events that waited on a device when it reported."),
    "dropped": ("eventhive_device_outbox_dropped", "Events that a device dropped, as it reported."),
}


def metrics(source: Source, telemetry: Telemetry, page: dict[str, float]) -> str:
    """All of them as text; `page` are the counters of the page itself."""
    text = Text()
    gateway = source.gateway()
    text.gauge("eventhive_info", "The version of the gateway.", 1, {"version": gateway["version"]})
    text.gauge("eventhive_uptime_seconds", "How long the gateway has run.", gateway["uptime_s"])
    text.gauge("eventhive_loop_lag_seconds", "By how much the gateway was late for its work lately.", telemetry.lag_s)
    if gateway.get("memory_bytes"):
        text.gauge("process_resident_memory_bytes", "Memory of the gateway.", gateway["memory_bytes"])
    text.gauge("eventhive_ready", "1 while every network has its carrier.", int(source.ready()))
    for name, value in page.items():
        if name.endswith("_total"):
            text.counter(f"eventhive_page_{name}", "A counter of the page itself.", value)
        else:
            text.gauge(f"eventhive_page_{name}", "A state of the page itself.", value)
    for name, network in source.networks().items():
        _network(text, name, network)
    _ports(text, source.ports())
    _devices(text, source.devices())
    what = "Events that the page and the histograms leave out, because there were too many."
    text.counter("eventhive_events_left_out_total", what, telemetry.left_out)
    for name, histogram in telemetry.of_network.items():
        what = "From the arrival of an event in the gateway until it is confirmed, or on disk."
        text.histogram("eventhive_network_event_seconds", what, histogram, {"network": name})
    for name, histogram in telemetry.of_device.items():
        what = "The same, by the device that sent it."
        text.histogram("eventhive_device_event_seconds", what, histogram, {"device": name})
    return str(text)


def _network(text: Text, name: str, network: dict[str, Any]) -> None:
    labels = {"network": name}
    for key, (metric, what) in _NETWORK_GAUGES.items():
        if key in network:
            text.gauge(metric, what, int(network[key]), labels)
    for key, (metric, what) in _NETWORK_COUNTERS.items():
        if key in network:
            text.counter(metric, what, network[key], labels)


def _ports(text: Text, ports: list[dict[str, Any]]) -> None:
    for one in ports:
        labels = {"port": one["port"]}
        text.gauge("eventhive_serial_port_open", "1 while a serial port is open.", int(one["state"] == "open"), labels)
        text.counter("eventhive_serial_port_returned_total", "How often it has come back.", one["returned"], labels)


def _devices(text: Text, devices: list[dict[str, Any]]) -> None:
    for state, count in {**dict.fromkeys(STATES, 0), **Counter(one["state"] for one in devices)}.items():
        text.gauge("eventhive_devices", "Devices by their state.", count, {"state": state})
    rest = devices[MAX_LABELS:]
    if rest:
        keys = (*_DEVICE_GAUGES, *_DEVICE_COUNTERS)
        devices = [*devices[:MAX_LABELS], {"name": OTHERS, **{key: sum(one[key] for one in rest) for key in keys}}]
    for one in devices:
        labels = {"device": one["name"]}
        for key, (metric, what) in _DEVICE_GAUGES.items():
            text.gauge(metric, what, int(one[key]), labels)
        for key, (metric, what) in _DEVICE_COUNTERS.items():
            text.counter(metric, what, one[key], labels)
        if one.get("round_trip_ms") is not None:
            text.gauge(_ROUND_TRIP, "How long a device took to answer a ping.", one["round_trip_ms"] / 1000, labels)
        for key, (metric, what) in _REPORTED.items():
            value = one.get("reported", {}).get(key)
            if type(value) is int:
                text.gauge(metric, what, value, labels)
