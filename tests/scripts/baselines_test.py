import os
import subprocess
import sys
import tempfile
import unittest

from baselines import Memory

SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "scripts", "baselines.py")
SOURCES = ["a small editor for text", "a small viewer for images", "library of sounds", "a small editor for text files", "unrelated"]


class Similar(unittest.TestCase):
    def test_the_largest_dice_coefficient_wins(self):
        memory = Memory(SOURCES)
        self.assertEqual(memory.most_similar("small editor for text"), 0)           # 8/9, against 8/10 of line 3
        self.assertEqual(memory.most_similar("an editor for text files"), 3)        # 8/11, against 6/10 of line 0
        self.assertEqual(memory.most_similar("Images!"), 1)

    def test_the_first_of_equals(self):
        self.assertEqual(Memory(["x one", "x two", "x one"]).most_similar("one"), 0)

    def test_frequent_words_propose_where_nothing_else_does(self):
        memory = Memory(["common %s" % chr(ord("a") + i) for i in range(26)])
        self.assertEqual(memory.most_similar("common stranger"), 0)
        self.assertIsNone(memory.most_similar("stranger"))


class Script(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = temporary.name
        self.write("train.en", SOURCES)
        self.write("train.it", ["T%d" % i for i in range(5)])
        self.write("test.en", ["editor for text", "nothing in common", "sounds", ""])

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, lines):
        with open(self.path(name), "w") as file:
            file.writelines(line + "\n" for line in lines)

    def run_script(self, *names):
        return subprocess.run([sys.executable, SCRIPT, *map(self.path, names)], capture_output=True, text=True)

    def test_one_line_for_each_test_line(self):
        done = self.run_script("train.en", "train.it", "test.en", "memory.it")
        self.assertEqual(done.returncode, 0, done.stderr)
        with open(self.path("memory.it")) as file:
            self.assertEqual(file.read(), "T0\nnothing in common\nT2\n\n")

    def test_mistakes(self):
        self.write("short.it", ["T"])
        for names, expected in ((("train.en", "short.it", "test.en", "m"), "has 5 lines"),
                                (("train.en", "none", "test.en", "m"), "none: No such file"), (("train.en",), "required")):
            done = self.run_script(*names)
            self.assertEqual(done.returncode, 64)
            self.assertIn(expected, done.stderr)
        self.assertEqual(self.run_script("train.en", "train.it", "test.en", "no/folder").returncode, 1)
        self.assertFalse(os.path.exists(self.path("m")))


if __name__ == "__main__":
    unittest.main()
