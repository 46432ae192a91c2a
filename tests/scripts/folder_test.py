import os
import subprocess
import sys
import tempfile
import unittest

from corpus.apt_lists import Index
from corpus.descriptions import Pair
from corpus.failure import Failure
from corpus.folder import existing, write_folder

PARTS = {"train": [Pair("a", "à", "g", 1), Pair("b\u2028c", "d", "g", 1)], "valid": [Pair("v", "w", "g", 1)], "test": [Pair("t", "u", "g", 1)]}


class Folder(unittest.TestCase):
    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.addCleanup(self.temporary.cleanup)
        self.out = self.temporary.name
        self.index = os.path.join(self.out, "Packages")
        with open(self.index, "w") as file:
            file.write("abc")

    def write(self):
        index = Index("", self.index, "http://example/dists/x/main/Packages", "Debian 1 x main")
        write_folder(self.out, "it", PARTS, [index], [("segments: bad", 3)])

    def read(self, name):
        with open(os.path.join(self.out, "it", name), "rb") as file:
            return file.read()

    def test_files_and_sources(self):
        self.write()
        self.assertEqual(self.read("train.it"), "à\nd\n".encode())
        self.assertEqual(self.read("train.en"), "a\nb\u2028c\n".encode())
        sources = self.read("SOURCES").decode().split("\n")
        # printf abc | sha256sum
        self.assertIn("input ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad 3 bytes dists/x/main/Packages", sources)
        # printf 'v\n' | sha256sum
        valid = subprocess.run(["sha256sum"], input=b"v\n", capture_output=True, check=True, text=False).stdout.decode().split()[0]
        self.assertIn("output %s 1 lines valid.en" % valid, sources)
        self.assertIn("dropped 3 segments: bad", sources)
        self.assertEqual(sorted(os.listdir(self.out)), ["Packages", "it"])

    def test_what_is_there_is_found_and_checked(self):
        self.assertIsNone(existing(self.out, "it"))
        self.write()
        self.assertEqual(existing(self.out, "it")["train.en"], 2)
        with open(os.path.join(self.out, "it", "test.en"), "a") as file:
            file.write("more\n")
        with self.assertRaisesRegex(Failure, "test.en is not what SOURCES beside it says"):
            existing(self.out, "it")

    def test_a_folder_of_someone_else_is_left_alone(self):
        os.mkdir(os.path.join(self.out, "it"))
        with self.assertRaisesRegex(Failure, "this script did not make it"):
            existing(self.out, "it")

    def test_a_failed_write_leaves_nothing(self):
        program = ("import resource; from folder_test import *\n"
                   "test = Folder(); test.setUp(); resource.setrlimit(resource.RLIMIT_FSIZE, (40, 40))\n"
                   "try: test.write()\n"
                   "except OSError as error: print(type(error).__name__, sorted(os.listdir(test.out)))")
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
        self.assertEqual(done.stdout, "OSError ['Packages']\n", done.stderr)

    def test_the_remains_of_a_kill_are_cleared(self):
        os.mkdir(os.path.join(self.out, ".it.unfinished"))
        self.write()
        self.assertEqual(sorted(os.listdir(self.out)), ["Packages", "it"])


if __name__ == "__main__":
    unittest.main()
