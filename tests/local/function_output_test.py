"""Tests how a function's output is read, without MiniStack.

tests/tests/samples.rs runs it: python3 -B -m unittest function_output_test, in this directory."""

import os
import queue
import threading
import unittest

from function_output import Output


class WhatWasWritten(unittest.TestCase):
    def setUp(self):
        reading, self.writing = os.pipe()
        self.lines = queue.Queue(maxsize=5_000)
        self.output = Output(open(reading, "rb", buffering=0), self.lines)
        self.addCleanup(lambda: self.output.stream.close())

    def read(self) -> list[str]:
        return [self.lines.get_nowait() for _ in range(self.lines.qsize())]

    def test_all_of_it_is_there_though_its_thread_had_no_turn(self):
        os.write(self.writing, b"one\ntwo\r\n\xff\n")
        self.output.read()
        self.assertEqual(self.read(), ["one", "two", "\ufffd"])
        self.output.read()
        self.assertEqual(self.read(), [])
        os.close(self.writing)

    def test_a_line_is_whole_whatever_it_comes_in(self):
        os.write(self.writing, b"half")
        self.output.read()
        self.assertEqual(self.read(), [])
        os.write(self.writing, b" and half\nthe last")
        os.close(self.writing)
        self.output.read()
        self.assertEqual(self.read(), ["half and half", "the last"])
        self.assertTrue(self.output.ended)

    def test_more_than_the_pipe_holds_is_read_while_it_is_written(self):
        follower = threading.Thread(target=self.output.follow)
        follower.start()
        with open(self.writing, "wb") as writing:
            writing.write(b"x" * 1_000_000 + b"\n" + b"line\n" * 4_000)
        follower.join()
        read = self.read()
        self.assertEqual((len(read[0]), read[1:]), (1_000_000, ["line"] * 4_000))

    def test_it_is_read_for_an_answer_while_its_thread_waits(self):
        follower = threading.Thread(target=self.output.follow)
        follower.start()
        for number in range(1_000):
            os.write(self.writing, b"%d\n" % number)
            self.output.read()
            self.assertEqual(self.read(), [str(number)])
        os.close(self.writing)
        follower.join()

    def test_of_more_lines_than_are_kept_the_last_are(self):
        follower = threading.Thread(target=self.output.follow)
        follower.start()
        with open(self.writing, "wb") as writing:
            writing.write(b"".join(b"%d\n" % number for number in range(6_000)))
        follower.join()
        self.assertEqual(self.read(), [str(number) for number in range(1_000, 6_000)])


if __name__ == "__main__":
    unittest.main()
