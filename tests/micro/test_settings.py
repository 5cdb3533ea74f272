"""eventhive.json: what is accepted, filled in and refused."""

import json
import os
import unittest

from eventhive.core.errors import LocalError
from eventhive.settings import HEARTBEAT_S, OUTBOX_BYTES, check, read

PATH = "settings_under_test.json"


def settings(**changes):
    whole = {
        "id": "sensor-1",
        "key": "0123456789abcdef" * 4,
        "link": {"type": "websocket", "host": "192.168.1.10"},
        "connectors": {"my-hive": {"input_channel": "sensor-1"}},
    }
    whole.update(changes)
    return {key: value for key, value in whole.items() if value != "left out"}


class GoodTest(unittest.TestCase):
    def test_defaults_are_filled_in(self):
        found = check(settings())
        self.assertEqual(found["key"], b"\x01\x23\x45\x67\x89\xab\xcd\xef" * 4)
        self.assertEqual(found["heartbeat"], HEARTBEAT_S)
        self.assertEqual(found["outbox_bytes"], OUTBOX_BYTES)
        self.assertEqual(found["eventhive"], {})
        (link,) = found["link"]
        self.assertEqual((link["port"], link["endpoint"]), (8086, "/device"))

    def test_a_serial_link(self):
        found = check(settings(link={"type": "serial", "device": "/dev/ttyS1", "baudrate": 115200}))
        self.assertEqual(found["link"][0]["device"], "/dev/ttyS1")

    def test_several_links(self):
        links = [{"type": "websocket", "host": "a"}, {"type": "serial", "device": "b"}]
        found = check(settings(link=links))
        self.assertEqual([link["name"] for link in found["link"]], ["a:8086", "b"])

    def test_no_key_is_an_unkeyed_link(self):
        self.assertIsNone(check(settings(key="left out"))["key"])

    def test_no_connectors_receive_nothing(self):
        self.assertEqual(check(settings(connectors={}))["connectors"], {})


class BadTest(unittest.TestCase):
    def test_the_key_at_fault_is_named(self):
        for changes, named in (
            ({"id": "left out"}, "'id'"),
            ({"link": "left out"}, "'link'"),
            ({"connectors": "left out"}, "'connectors'"),
            ({"id": "sensor 1"}, "id:"),
            ({"id": 1}, "id:"),
            ({"key": "0123"}, "key:"),
            ({"key": "x" * 64}, "key:"),
            ({"key": 7}, "key:"),
            ({"link": {"type": "pigeon"}}, "link.type"),
            ({"link": 1}, "link.type"),
            ({"link": {"type": "uart"}}, "link.id"),
            ({"link": {"type": "usb", "baudrate": 9600}}, "link.baudrate"),
            ({"link": {"type": "websocket", "host": "h", "scheme": "wss"}}, "link.scheme"),
            ({"link": {"type": "websocket", "host": "h", "scheme": "http"}}, "link.scheme"),
            ({"link": []}, "link"),
            ({"link": [{"type": "websocket", "host": "h"}, "h2"]}, "link.type"),
            ({"spill": 1}, "spill"),
            ({"status": True}, "status"),
            ({"link": {"type": "websocket"}}, "link.host"),
            ({"link": {"type": "serial"}}, "link.device"),
            ({"link": {"type": "websocket", "host": "h", "port": "8086"}}, "link.port"),
            ({"link": {"type": "websocket", "host": "h", "device": "d"}}, "link.device"),
            ({"connectors": {"my-hive": {"channel": "c"}}}, "connectors.my-hive.channel"),
            ({"connectors": {"my-hive": None}}, "connectors.my-hive"),
            ({"eventhive": {"metadata": True}}, "eventhive.metadata"),
            ({"eventhive": {"remove_metadata": 1}}, "eventhive.remove_metadata"),
            ({"wifi": {"password": "p"}}, "wifi.ssid"),
            ({"heartbeat": 1}, "heartbeat"),
            ({"heartbeat": 20.0}, "heartbeat"),
            ({"heartbeats": 20}, "heartbeats"),
        ):
            with self.subTest(changes=changes):
                with self.assertRaises(LocalError) as caught:
                    check(settings(**changes))
                self.assertIn(named, str(caught.exception))


class FileTest(unittest.TestCase):
    def tearDown(self):
        try:
            os.remove(PATH)
        except OSError:
            pass

    def refused(self, text):
        with open(PATH, "w") as file:
            file.write(text)
        with self.assertRaises(LocalError) as caught:
            read(PATH)
        return str(caught.exception)

    def test_a_file_is_read(self):
        with open(PATH, "w") as file:
            json.dump(settings(), file)
        self.assertEqual(read(PATH)["id"], "sensor-1")

    def test_an_absent_file_is_named_with_what_to_do(self):
        with self.assertRaises(LocalError) as caught:
            read(PATH)
        self.assertIn(PATH, str(caught.exception))
        self.assertIn("eventhive device add", str(caught.exception))

    def test_a_file_that_is_not_json_is_named(self):
        self.assertIn(PATH, self.refused("{"))

    def test_the_file_of_a_bad_key_is_named(self):
        text = self.refused('{"id": 1}')
        self.assertIn(PATH, text)
        self.assertIn("id", text)
