"""The entries under `gateway: serial:`."""

import pytest

from eventhive.config import ConfigError, Settings, build
from eventhive.serial_config import SerialPort


def read(entries: str) -> tuple[SerialPort, ...]:
    settings = Settings()
    settings.read_string(f"gateway:\n  serial: [{entries}]\n")
    gateway = build(settings).gateway
    assert gateway is not None
    return gateway.serial


@pytest.mark.parametrize(
    ("entry", "means"),
    [
        ("{port: /dev/ttyACM0}", SerialPort("/dev/ttyACM0", 115200)),
        ("{usb: 2E8A:0005}", SerialPort("", usb="2e8a:0005")),
        ("{usb: '0403:6001', serial_number: A1}", SerialPort("", usb="0403:6001", serial_number="A1")),
        ("{serial_number: A1, dtr: false}", SerialPort("", serial_number="A1", dtr=False)),
        (
            "{port: '/dev/tty*', baudrate: 9600, rts: false, reset_on_open: true}",
            SerialPort("/dev/tty*", 9600, rts=False, reset_on_open=True),
        ),
    ],
)
def test_an_entry(entry: str, means: SerialPort) -> None:
    assert read(entry) == (means,)


def test_names_and_ranks() -> None:
    entries = read("{port: /dev/ttyA}, {port: '/dev/tty[AB]'}, {usb: 2e8a:0005}, {usb: 2e8a:0005, serial_number: x1}")
    assert [one.name for one in entries] == ["/dev/ttyA", "/dev/tty[AB]", "usb 2e8a:0005", "usb 2e8a:0005 x1"]
    assert [one.rank for one in entries] == [0, 3, 2, 1]
    assert [one.exact for one in entries] == [True, False, False, False]


@pytest.mark.parametrize(
    ("entries", "fault"),
    [
        ("{baudrate: 9600}", "2:12: gateway.serial.0: the key 'port' is missing"),
        ("{port: ''}", "gateway.serial.0.port: a path is needed, such as /dev/ttyACM0"),
        ("{port: /dev/ttyA, usb: 2e8a:0005}", "2:13: gateway.serial.0.port: a port has a path, or 'usb' and"),
        ("{usb: 2e8a}", "gateway.serial.0.usb: vendor and product are needed, such as 2e8a:0005, not '2e8a'"),
        ("{usb: 2e8a:0005, serial_number: 12}", "serial_number: a text is needed, not 12: put it in quotes"),
        ("{port: rfc2217://host:1}", "gateway.serial.0.port: a port of this machine is needed, not an address"),
        ("{port: /dev/ttyA, dtr: 2}", "gateway.serial.0.dtr: true or false is needed, not 2"),
        ("{port: /dev/ttyA}, {port: /dev/ttyA, baudrate: 9600}", "gateway.serial.1: /dev/ttyA is there twice"),
        ("{usb: 2e8a:0005}, {usb: 2E8A:0005}", "gateway.serial.1: usb 2e8a:0005 is there twice"),
        ("{port: /dev/ttyA, reset: true}", "unknown key 'reset' in gateway.serial.0"),
    ],
)
def test_a_fault_names_its_place(entries: str, fault: str) -> None:
    with pytest.raises(ConfigError) as raised:
        read(entries)
    assert fault in str(raised.value)
