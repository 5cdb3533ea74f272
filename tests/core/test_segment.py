"""Lines of a segment on flash: every intact one is found, whatever happened to the others."""

import unittest
from io import BytesIO

from ends import flipped

from eventhive.core.segment import MAX_LINE, lines, pack, parse

RECORDS = [(0, "a1a2a3a400000001", b"9"), (7, "net/queen/t", b'{"c":21.5}'), (8, "net/queen/t", b'"\xc3\xa4 \\t"')]


def records(data):
    return [record for record, _ in lines(BytesIO(data).read)]


class SegmentTest(unittest.TestCase):
    def test_there_and_back(self):
        self.assertEqual(records(b"".join([pack(*record) for record in RECORDS])), RECORDS)

    def test_the_line_of_a_record(self):
        self.assertEqual(pack(7, "a/b/c", b"1"), b"b9030763\t7\ta/b/c\t1\n")

    def test_any_flipped_bit_is_seen(self):
        line = pack(*RECORDS[1])
        for bit in range(len(line) * 8):
            self.assertIsNone(parse(flipped(line, bit)))

    def test_cut_anywhere_what_is_whole_is_found(self):
        whole = [pack(*record) for record in RECORDS]
        data = b"".join(whole)
        for size in range(len(data) + 1):
            found = [record for record in records(data[:size]) if record]
            count, left = 0, size
            while count < len(whole) and left >= len(whole[count]):
                left -= len(whole[count])
                count += 1
            self.assertEqual(found, RECORDS[:count])

    def test_a_damaged_line_hides_no_other(self):
        first, second, third = [pack(*record) for record in RECORDS]
        for at in range(len(second) - 1):
            damaged = second[:at] + bytes((second[at] ^ 0x80,)) + second[at + 1 :]
            found = [record for record in records(first + damaged + third) if record]
            self.assertEqual(found, [RECORDS[0], RECORDS[2]])

    def test_what_is_no_line(self):
        for line in (b"", b"\n", b"\t\t\n", b"00000000\t\n", b"x" * 100, b"%08x\t" % 0, pack(7, "a", b"1")[:-1]):
            self.assertIsNone(parse(line))

    def test_a_line_without_an_end_is_passed_over_in_pieces(self):
        data = b"x" * (2 * MAX_LINE + 1) + b"\n" + pack(*RECORDS[1])
        found = list(lines(BytesIO(data).read))
        self.assertEqual([record for record, _ in found if record], [RECORDS[1]])
        self.assertEqual(found[-1][1], len(data))
        self.assertTrue(len(found) > 2)

    def test_positions_are_where_the_next_line_begins(self):
        whole = [pack(*record) for record in RECORDS]
        data = b"".join(whole)
        for record, position in lines(BytesIO(data).read):
            rest = [one for one, _ in lines(BytesIO(data[position:]).read)]
            self.assertEqual(rest, RECORDS[RECORDS.index(record) + 1 :])


if __name__ == "__main__":
    unittest.main()
