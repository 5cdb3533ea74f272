"""Plain mutation of a corpus, from a seed: where there is no coverage to be guided by, as on MicroPython."""

_STEPS = 4

# What parsers have a case for, and what they should have one for.
WORDS = (
    b"\x00",
    b"\xff",
    b"\x7f\xff",
    b"\x80\x00",
    b"\xff\xff\xff\xff",
    b"\xff\xff\xff\xff\xff\xff\xff\xff",
    b"-1",
    b"0",
    b"9007199254740992",
    b"1e999",
    b"NaN",
    b"null",
    b"true",
    b"[]",
    b"{}",
    b'"\\ud800"',
    b"[[[[[[[[[[[[[[[[[[",
    b"\r\n",
    b'":{"',
    b'","',
    b"],[",
)


class Mutator:
    """Inputs of up to `longest` bytes from a list of others and a seed."""

    def __init__(self, corpus, longest, seed):
        self._corpus = list(corpus) or [b""]
        self._longest = longest
        self._state = seed & 0x7FFFFFFF

    def below(self, size):
        """A number from 0 to size - 1."""
        self._state = (self._state * 1103515245 + 12345) & 0x7FFFFFFF
        return (self._state >> 8) % size

    def next(self):
        """The next input."""
        data = self._pick()
        for _ in range(1 + self.below(_STEPS)):
            data = _WAYS[self.below(len(_WAYS))](self, data)
        return data[: self._longest]

    def _pick(self):
        return self._corpus[self.below(len(self._corpus))]

    def _span(self, data):
        start = self.below(len(data) + 1)
        return start, start + self.below(len(data) - start + 1)

    def _flip(self, data):
        if not data:
            return data
        at = self.below(len(data))
        return data[:at] + bytes((data[at] ^ 1 << self.below(8),)) + data[at + 1 :]

    def _byte(self, data):
        at = self.below(len(data) + 1)
        return data[:at] + bytes((self.below(256),)) + data[at + self.below(2) :]

    def _word(self, data):
        at = self.below(len(data) + 1)
        return data[:at] + WORDS[self.below(len(WORDS))] + data[at + self.below(9) :]

    def _cut(self, data):
        start, end = self._span(data)
        return data[:start] + data[end:]

    def _double(self, data):
        start, end = self._span(data)
        return data[:end] + data[start:]

    def _splice(self, data):
        other = self._pick()
        return data[: self.below(len(data) + 1)] + other[self.below(len(other) + 1) :]


_WAYS = (
    Mutator._flip,
    Mutator._byte,
    Mutator._word,
    Mutator._cut,
    Mutator._double,
    Mutator._splice,
)
