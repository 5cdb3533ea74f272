"""What sealing costs a board, in its own time: it is said, and not judged."""

from collections.abc import Callable

from eventhive.device.stage import homes
from hil.targets.base import Target

# As the text of an event with a number or two.
PLAIN = b'[2,"my-hive/queen/temperature",{"celsius":21.5,"n":100000}]'

# Staging merges modules: `HOME` is where `Sealed` is then. The first run warms up; the collections that the garbage
# causes are part of the others.
PROGRAM = """
import sys
import time

__import__(HOME)
Sealed = sys.modules[HOME].Sealed
RUNS = 8
RECORDS = 25

def measure(one, values):
    began = time.ticks_us()
    made = [one(value) for value in values]
    return made, time.ticks_diff(time.ticks_us(), began) // RECORDS

sender, receiver = Sealed(bytes(range(32))), Sealed(bytes(range(32)))
seals, opens, same = [], [], True
for _ in range(RUNS):
    records, seal_us = measure(sender.seal, [PLAIN] * RECORDS)
    plain, open_us = measure(receiver.open, records)
    same = same and plain == [PLAIN] * RECORDS
    seals.append(seal_us)
    opens.append(open_us)
middle = (RUNS - 1) // 2
print("microseconds", sorted(seals[1:])[middle], sorted(opens[1:])[middle], same)
"""


def test_seal_and_open(dut: Target, figure: Callable[[str, object], None]) -> None:
    home = homes()["eventhive.core.seal"]
    dut.run(PROGRAM.replace("HOME", repr(home)).replace("PLAIN", repr(PLAIN)), {})
    seal_us, open_us = map(int, dut.console.expect(r"microseconds (\d+) (\d+) True$").groups())
    figure("sealing, ms of the board's time", round(seal_us / 1000, 2))
    figure("opening, ms of the board's time", round(open_us / 1000, 2))
