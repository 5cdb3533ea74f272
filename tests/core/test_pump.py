"""The driver of a session, over carriers whose messages and failures are written down beforehand."""

import asyncio
import sys
import unittest

from ends import Device, Gateway, connect, drained

from eventhive.core.envelope import EVENT
from eventhive.core.pump import Pump
from eventhive.core.session import RUNNING

STREAM = b'[4,"c1c2c3c400000001",1]'
TURNS = 1000


class Carrier:
    """Gives the messages, or raises the errors, that a test puts into `incoming`; keeps what is sent."""

    tick_ms = 7

    def __init__(self):
        self.sent = []
        self.closed = []
        self.ticks = []
        self.incoming = []
        self.arrived = asyncio.Event()
        self.drains = self.writers = 0
        self.broken = None
        self.wake = None

    def send(self, message):
        self.sent.append(message)

    def close(self, reason):
        self.closed.append(reason)

    def tick(self, elapsed_ms):
        self.ticks.append(elapsed_ms)

    def put(self, message):
        self.incoming.append(message)
        self.arrived.set()

    async def receive(self):
        while not self.incoming:
            self.arrived.clear()
            await self.arrived.wait()
        message = self.incoming.pop(0)
        if isinstance(message, Exception):
            raise message
        return message

    async def drain(self):
        self.writers += 1
        self.drains += 1
        await asyncio.sleep(0)
        self.writers -= 1
        if self.writers:
            raise AssertionError("two writers at once")
        if self.broken:
            raise self.broken


class Clock:
    """Time that passes when a test says so."""

    def __init__(self):
        self._moved = asyncio.Event()
        self.passed = 0
        self.asked = []

    def advance(self, elapsed_ms):
        self.passed += elapsed_ms
        self._moved.set()

    async def sleep_ms(self, time_ms):
        self.asked.append(time_ms)
        await self._moved.wait()
        self._moved.clear()

    def elapsed_ms(self):
        elapsed, self.passed = self.passed, 0
        return elapsed


class Running:
    """A device's session under way: `peer` is the gateway's, which seals and opens for the test."""

    def __init__(self):
        connection = connect(Device(), Gateway())
        self.session, self.peer = connection.device, connection.gateway
        self.carrier = Carrier()
        self.clock = Clock()
        self.woken = asyncio.Event()
        self.events = []
        self.settled = []
        self.task = None
        self.cancelled = False

    def handle(self, event):
        self.events.append(event)
        if event[0] == EVENT:
            self.session.incoming().confirm()

    async def settle(self):
        self.settled.append(len(self.events))
        await asyncio.sleep(0)

    def start(self):
        pump = Pump(self.session, self.carrier, self.handle)
        self.task = asyncio.create_task(
            pump.run(self.woken, self.settle, self.clock.sleep_ms, self.clock.elapsed_ms)
        )

    def put(self, *texts):
        for text in texts:
            self.carrier.put(self.peer.seal.seal(text))

    def said(self):
        """The texts that were sent so far."""
        texts = [self.peer.unseal.open(record) for record in self.carrier.sent]
        self.carrier.sent = []
        return texts

    async def until(self, condition):
        for _ in range(TURNS):
            if condition():
                return
            await asyncio.sleep(0)
        raise AssertionError("it never came true")


class RunTest(unittest.TestCase):
    def run_async(self, script):
        """Run `script(running)`, then wait for the end of the session."""
        running = Running()

        async def main():
            await script(running)
            if not running.cancelled:
                await asyncio.wait_for(running.task, 5)

        asyncio.run(main())
        if sys.implementation.name == "micropython":
            # There, tasks that were cancelled last would run on in the next loop.
            asyncio.new_event_loop()
        return running

    def test_events_and_acknowledgements(self):
        async def script(running):
            running.put(STREAM, b'[2,"a/b/c",1]', b"[2,1,2]")
            running.start()
            await running.until(lambda: len(running.events) == 2)
            await running.until(lambda: running.carrier.sent)
            running.carrier.put(EOFError("the gateway is gone"))

        running = self.run_async(script)
        self.assertEqual(running.events, [(EVENT, "a/b/c", 1, 1), (EVENT, "a/b/c", 2, 2)])
        self.assertEqual(running.said()[-1], b"[3,2]")
        self.assertEqual(running.session.closed, "connection lost: the gateway is gone")
        self.assertEqual(running.carrier.closed, [running.session.closed])

    def test_what_came_behind_the_welcome(self):
        async def script(running):
            running.session.messages = [[2, "a/b/c", 2], [2, "a/b/c", 1], [4, "c1c2c3c400000001", 1]]
            running.start()
            await running.until(lambda: running.carrier.sent)
            running.carrier.put(EOFError())

        running = self.run_async(script)
        self.assertEqual([event[2] for event in running.events], [1, 2])
        self.assertEqual(running.said(), [b"[3,2]"])
        self.assertEqual(running.settled[0], 2)

    def test_hooks_are_settled_before_the_next_message_is_read(self):
        async def script(running):
            running.put(STREAM, *[b'[2,"a/b/c",%d]' % number for number in range(4)])
            running.start()
            await running.until(lambda: len(running.events) == 4)
            running.carrier.put(EOFError())

        self.assertEqual(self.run_async(script).settled[:5], [0, 0, 1, 2, 3])

    def test_what_waits_goes_out_when_it_is_woken(self):
        async def script(running):
            running.start()
            await running.until(lambda: running.carrier.drains == 1)
            self.assertEqual(running.carrier.sent, [])
            running.session.outbox.put("net/queen/t", b"1")
            running.carrier.wake()
            await running.until(lambda: running.carrier.sent)
            running.carrier.put(EOFError())

        running = self.run_async(script)
        self.assertIn(b'[2,"net/queen/t",1]', running.said()[0])

    def test_a_goodbye_ends_a_read_that_would_wait_for_ever(self):
        async def script(running):
            running.start()
            await running.until(lambda: running.carrier.drains == 1)
            running.session.close("stopped")
            running.woken.set()

        running = self.run_async(script)
        self.assertEqual(running.said(), [b'[7,"stopped",0]'])
        self.assertEqual(running.session.closed, "stopped")
        self.assertIn("stopped", running.carrier.closed)

    def test_the_goodbye_of_the_other_end(self):
        async def script(running):
            running.put(b'[7,"replaced",0]')
            running.start()

        running = self.run_async(script)
        self.assertEqual(running.session.closed, "the other end said goodbye: replaced")
        self.assertIn(running.session.closed, running.carrier.closed)

    def test_a_fault_of_the_other_end(self):
        async def script(running):
            running.carrier.put(bytes(40))
            running.start()

        running = self.run_async(script)
        self.assertIn("not authentic", running.session.closed)
        self.assertIn(running.session.closed, running.carrier.closed)
        self.assertEqual(running.carrier.sent, [])

    def test_a_carrier_that_cannot_write(self):
        for error in (OSError("ECONNRESET"), MemoryError("no room")):

            async def script(running, error=error):
                running.carrier.broken = error
                running.start()

            running = self.run_async(script)
            self.assertEqual(running.session.closed, "connection lost: %s" % error)
            self.assertIn(running.session.closed, running.carrier.closed)

    def test_a_carrier_that_cannot_read(self):
        for error in (OSError("ECONNRESET"), EOFError("end")):

            async def script(running, error=error):
                running.carrier.put(error)
                running.start()

            running = self.run_async(script)
            self.assertEqual(running.session.closed, "connection lost: %s" % error)

    def test_time_passes_for_session_and_carrier(self):
        async def script(running):
            running.clock.passed = 5000
            running.start()
            await running.until(lambda: running.carrier.drains)
            running.clock.advance(19999)
            await running.until(lambda: len(running.carrier.ticks) == 1)
            running.clock.advance(1)
            await running.until(lambda: running.carrier.sent)
            running.clock.advance(20000)

        running = self.run_async(script)
        # What had passed before the session is not counted.
        self.assertEqual(running.carrier.ticks[:2], [19999, 1])
        self.assertEqual(running.said(), [b"[5,0]"])
        self.assertEqual(running.session.closed, "running: nothing heard for 40 s")
        self.assertEqual(running.clock.asked[0], Carrier.tick_ms)

    def test_a_carrier_without_a_clock(self):
        async def script(running):
            running.carrier.tick = None
            running.start()
            running.clock.advance(1)
            await running.until(lambda: len(running.clock.asked) == 2)
            running.carrier.put(EOFError())

        self.run_async(script)

    def test_somebody_elses_wish_to_stop_is_passed_on(self):
        async def script(running):
            running.start()
            await running.until(lambda: running.carrier.drains == 1)
            running.cancelled = True
            running.task.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await running.task
            running.session.outbox.put("net/queen/t", b"1")
            running.woken.set()
            for _ in range(20):
                await asyncio.sleep(0)
            # Its helpers have ended too.
            self.assertEqual(running.carrier.sent, [])
            self.assertEqual(len(running.carrier.closed), 1)

        running = self.run_async(script)
        self.assertIsNone(running.session.closed)


class CallbackTest(unittest.TestCase):
    """As a gateway drives it: from the callbacks of a transport."""

    def setUp(self):
        connection = connect(Device(), Gateway())
        self.session, self.peer = connection.gateway, connection.device
        self.carrier = Carrier()
        self.events = []
        self.pump = Pump(self.session, self.carrier, self.events.append)

    def put(self, text):
        self.pump.receive(self.peer.seal.seal(text))

    def test_answers_wait_for_the_flush(self):
        self.put(b"[5,1]")
        self.put(b"[5,2]")
        self.assertEqual(self.carrier.sent, [])
        self.pump.flush()
        self.assertEqual([self.peer.unseal.open(record) for record in self.carrier.sent], [b"[[6,1],[6,2]]"])
        self.assertEqual(self.carrier.closed, [])

    def test_events_one_by_one(self):
        self.put(b'[%s,[2,"a/b/c",1],[2,1,2]]' % STREAM)
        self.assertEqual(self.events, [(EVENT, "a/b/c", 1, 1), (EVENT, "a/b/c", 2, 2)])

    def test_a_fault_closes_and_raises_nothing(self):
        self.pump.receive(bytes(30))
        self.pump.receive(bytes(30))
        self.pump.flush()
        self.assertEqual(self.carrier.sent, [])
        self.assertEqual(self.carrier.closed, [self.session.closed])
        self.assertIn("not authentic", self.session.closed)

    def test_a_handler_that_ends_the_session(self):
        def handle(event):
            self.events.append(event)
            self.session.close("the network can hold no more")

        pump = Pump(self.session, self.carrier, handle)
        pump.receive(self.peer.seal.seal(b'[%s,[2,"a/b/c",1],[2,1,2]]' % STREAM))
        pump.flush()
        self.assertEqual(len(self.events), 1)
        self.assertEqual(len(self.carrier.sent), 1)
        self.assertEqual(self.carrier.closed, ["the network can hold no more"])

    def test_everything_is_sent_before_it_closes(self):
        for number in range(100):
            self.session.outbox.put("net/a/%d" % number, b"1")
        self.pump.flush()
        self.assertGreater(len(self.carrier.sent), 1)
        self.assertIsNone(self.session.data_to_send())
        self.session.close("stopped")
        self.pump.flush()
        self.assertEqual(drained(self.session), [])
        self.assertEqual(self.carrier.closed, ["stopped"])
        self.assertEqual(self.session.state, RUNNING)
