"""The corpus of portable targets, and mutations of it, on MicroPython.

Called as `micropython portable.py CORPUS INPUTS TARGET ...`, with the number of mutations for each target.

It prints a line for each target, or the input at fault and the traceback, and ends with 1 then.
"""

import gc
import os
import sys

from mutate import Mutator
from oracle import examine

SEED = 2026


def main(corpus, inputs, names):
    for name in names:
        target = __import__("targets." + name, None, None, ("*",))
        entries = []
        for file in sorted(os.listdir("%s/%s" % (corpus, name))):
            with open("%s/%s/%s" % (corpus, name, file), "rb") as stream:
                entries.append(stream.read())
        mutator = Mutator(entries, target.LONGEST, SEED)
        for number in range(len(entries) + inputs):
            data = entries[number] if number < len(entries) else mutator.next()
            if not tried(target, name, data):
                return False
        print("ok %s: %d inputs" % (name, len(entries) + inputs))
    return True


def tried(target, name, data):
    # What one input leaves behind must not cut the small heap of the next into pieces.
    gc.collect()
    try:
        examine(target, data)
    except Exception as error:
        print("FAIL %s: %s" % (name, data.hex()))
        sys.print_exception(error)
        return False
    return True


sys.exit(0 if main(sys.argv[1], int(sys.argv[2]), sys.argv[3:]) else 1)
