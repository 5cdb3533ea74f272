"""The sans-I/O core: the same files on CPython and on MicroPython.

Rules of this folder: no dependency, no I/O, no clock, no randomness and no log; the caller passes in what it needs.
Inside it, imports are relative; only modules that MicroPython has may be imported. `aes.py` alone looks for a block
cipher outside. `tests/test_layers.py` enforces this.
"""
