"""Which serial ports entries of a configuration mean; what is plugged in is written down here, as pyserial lists it."""

import pytest
from serial.tools.list_ports_common import ListPortInfo

from eventhive.gateway.port_match import MAX_PORTS, Match, assign, of_usb
from eventhive.serial_config import SerialPort


def listed(device: str, vid: int | None = None, pid: int | None = None, number: str | None = None) -> ListPortInfo:
    one = ListPortInfo(device)
    one.vid, one.pid, one.serial_number = vid, pid, number
    return one


PICO = listed("/dev/ttyACM1", 0x2E8A, 0x0005, "E66138935F5B8A2B")
OTHER_PICO = listed("/dev/ttyACM0", 0x2E8A, 0x0005, "de60a1b2")
ESP32 = listed("/dev/ttyUSB0", 0x10C4, 0xEA60, "0001")
NO_NUMBER = listed("/dev/ttyUSB1", 0x1A86, 0x7523)
UART = listed("/dev/ttyS0")
ALL = [PICO, OTHER_PICO, ESP32, NO_NUMBER, UART]


class TestUsb:
    @pytest.mark.parametrize(
        ("usb", "number", "found"),
        [
            ("2e8a:0005", "", ["/dev/ttyACM0", "/dev/ttyACM1"]),
            ("2e8a:0005", "e66138935f5b8a2b", ["/dev/ttyACM1"]),
            ("", "DE60A1B2", ["/dev/ttyACM0"]),
            ("10c4:ea60", "0001", ["/dev/ttyUSB0"]),
            ("1a86:7523", "", ["/dev/ttyUSB1"]),
            ("1a86:7523", "0001", []),
            ("10c4:ea61", "", []),
            ("", "0", []),
        ],
    )
    def test_what_an_entry_means(self, usb: str, number: str, found: list[str]) -> None:
        assert of_usb(SerialPort("", usb=usb, serial_number=number), ALL) == found

    def test_it_is_bounded(self) -> None:
        many = [listed(f"/dev/ttyACM{n}", 1, 2) for n in range(2 * MAX_PORTS)]
        assert len(of_usb(SerialPort("", usb="0001:0002"), many)) == MAX_PORTS


def real(path: str) -> str:
    return {"/dev/serial/by-id/pico": "/dev/ttyACM1", "/dev/serial/by-path/1": "/dev/ttyACM1"}.get(path, path)


BY_ID = SerialPort("/dev/serial/by-id/pico")
BY_PATH = SerialPort("/dev/serial/by-path/1")
EXACT = SerialPort("/dev/ttyACM1")
GLOB = SerialPort("/dev/ttyACM*")
VENDOR = SerialPort("", usb="2e8a:0005")
NUMBER = SerialPort("", usb="2e8a:0005", serial_number="E66138935F5B8A2B")
ACMS = ["/dev/ttyACM0", "/dev/ttyACM1"]


class TestAssign:
    def test_a_port_belongs_to_one_entry(self) -> None:
        meant = [(GLOB, ACMS), (VENDOR, ACMS), (NUMBER, ["/dev/ttyACM1"])]
        assert assign(meant, real) == [Match(VENDOR, "/dev/ttyACM0"), Match(NUMBER, "/dev/ttyACM1")]

    def test_a_path_comes_before_all(self) -> None:
        meant = [(NUMBER, ["/dev/ttyACM1"]), (GLOB, ACMS), (BY_ID, [BY_ID.port])]
        assert assign(meant, real) == [Match(GLOB, "/dev/ttyACM0"), Match(BY_ID, BY_ID.port)]

    def test_two_names_of_one_port(self) -> None:
        meant = [(BY_PATH, [BY_PATH.port]), (BY_ID, [BY_ID.port]), (EXACT, [EXACT.port])]
        assert assign(meant, real) == [
            Match(BY_PATH, BY_PATH.port),
            Match(BY_ID, BY_ID.port, BY_PATH),
            Match(EXACT, EXACT.port, BY_PATH),
        ]

    def test_a_glob_that_means_a_port_and_links_to_it(self) -> None:
        wide = SerialPort("/dev/*")
        assert assign([(wide, [BY_ID.port, BY_PATH.port, *ACMS])], real) == [
            Match(wide, BY_ID.port),
            Match(wide, "/dev/ttyACM0"),
        ]

    def test_paths_that_are_not_there_are_assigned_too(self) -> None:
        assert assign([(EXACT, [EXACT.port])], lambda path: path) == [Match(EXACT, EXACT.port)]
