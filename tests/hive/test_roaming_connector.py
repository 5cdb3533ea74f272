"""A connector whose carrier is exchanged, over networks in this process that can be held up."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from eventhive.classic import Payload
from eventhive.connectors.base import Confirm, Connector, Event, Nobody
from eventhive.connectors.roaming import RoamingConnector


class Carrier(Connector):
    """Keeps what it is given until `answer`."""

    def __init__(self) -> None:
        super().__init__("net")
        self.topics: list[str] = []
        self.kept: list[Event] = []
        self.stopped = False

    def start(self) -> None:
        self._became(True, "here")
        self.settled.set()

    def publish(
        self, topic: str, payload: Payload, confirm: Confirm | None = None, nobody: Nobody | None = None
    ) -> bool:
        self.kept.append((topic, payload, confirm, nobody))
        return False

    def answer(self, count: int) -> list[Any]:
        done, self.kept = self.kept[:count], self.kept[count:]
        for _, _, confirm, _ in done:
            assert confirm is not None
            confirm()
        return [payload.data for _, payload, _, _ in done]

    def subscribe(self, topic: str) -> None:
        self.topics.append(topic)

    def withdraw(self) -> list[Event]:
        kept, self.kept = self.kept, []
        return kept

    async def stop(self, seconds: float) -> int:
        self.stopped = True
        self._became(False, "stopped")
        return len(self.kept)


def play(test: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(test, 20))


def test_it_takes_over_a_carrier_in_use_and_moves_on() -> None:
    async def test() -> None:
        first, second, one = Carrier(), Carrier(), RoamingConnector("net")
        got: list[Any] = []
        came: list[bool] = []
        one.deliver = lambda topic, payload: got.append(payload.data)
        one.came_up = lambda: came.append(True)
        first.start()
        confirmed: list[int] = []
        for number in range(5):
            first.publish("net/a", Payload(number), lambda number=number: confirmed.append(number))  # type: ignore[misc]
        one.adopt(first, ["net/x", "net/y"])
        assert one.connected and one.settled.is_set() and came == [] and one.connections == 1
        first.deliver("net/x", Payload("old"))
        one.publish("net/a", Payload(5), lambda: confirmed.append(5))
        assert first.answer(2) == [0, 1]
        one.use(second)
        first.deliver("net/x", Payload("too late"))
        second.deliver("net/x", Payload("new"))
        assert got == ["old", "new"] and second.topics == ["net/x", "net/y"]
        one.publish("net/a", Payload(6), lambda: confirmed.append(6))
        assert second.answer(9) == [2, 3, 4, 5, 6]
        assert confirmed == [0, 1, 2, 3, 4, 5, 6]
        assert await one.stop(1) == 0 and first.stopped and one.connections == 2

    play(test())


def test_what_no_carrier_passed_on_is_given_back_in_order() -> None:
    async def test() -> None:
        carrier, one = Carrier(), RoamingConnector("net")
        one.use(carrier, hold=True)
        one.publish("net/a", Payload(2))
        assert one.withdraw()[0][1].data == 2
        one.release(carrier)
        for number in range(3):
            one.publish("net/a", Payload(number))
        one.leave()
        one.publish("net/a", Payload(3))
        assert [event[1].data for event in one.withdraw()] == [0, 1, 2, 3]
        assert await one.stop(0) == 0

    play(test())
