"""The script itself, with the machine's own apt and a mirror in a folder: no network."""
import contextlib
import errno
import io
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

import make_corpus
from mirror import apt_configuration, make_mirror

SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "scripts", "make_corpus.py")


def read(*path):
    with open(os.path.join(*path), encoding="utf-8") as file:
        return file.read()


class WithMirror(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = temporary.name
        self.out = os.path.join(self.folder, "out")
        self.use_mirror("file:" + os.path.join(self.folder, "mirror"))

    def use_mirror(self, uri):
        self.environment = dict(os.environ, APT_CONFIG=apt_configuration(self.folder, uri), no_proxy="*")

    def start(self, *arguments):
        # A test run in the background ignores SIGINT, and so would the script.
        return subprocess.Popen([sys.executable, SCRIPT, *arguments], env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))

    def run_script(self, *arguments):
        with self.start(*arguments) as script:
            output, errors = script.communicate()
        return script.returncode, output, errors

    def assert_fails(self, arguments, *expected):
        code, _, errors = self.run_script(*arguments)
        self.assertEqual(code, 1, errors)
        for text in expected:
            self.assertIn(text, errors)
        self.assertTrue(2 <= errors.count("\n") <= 4, errors)


class MakeCorpus(WithMirror):
    def setUp(self):
        super().setUp()
        make_mirror(os.path.join(self.folder, "mirror"))

    def test_makes_parallel_files(self):
        code, output, errors = self.run_script(self.out)
        self.assertEqual((code, errors), (0, ""), errors)
        sources = read(self.out, "it", "SOURCES")
        total = 0
        for part in ("train", "valid", "test"):
            english, italian = (read(self.out, "it", "%s.%s" % (part, side)).split("\n")[:-1] for side in ("en", "it"))
            self.assertGreater(len(english), 0)
            self.assertEqual([" ".join("q" + word for word in line.split()) for line in english], italian)
            self.assertIn("%s %d lines" % (part, len(english)), output)
            self.assertIn("%d lines %s.en" % (len(english), part), sources)
            total += len(english)
        dropped = sum(int(line.split()[1]) for line in sources.split("\n") if line.startswith("dropped "))
        self.assertEqual(total + dropped, 300 * 4)           # every segment of 300 packages is used or accounted for
        self.assertIn(" 1.0 ", sources)
        self.assertFalse(os.path.exists(os.path.join(self.folder, "hook-ran")), "apt's own hooks ran")

    def test_again_goes_on_and_another_place_gives_the_same_bytes(self):
        self.assertEqual(self.run_script(self.out)[0], 0)
        first = {name: read(self.out, "it", name) for name in os.listdir(os.path.join(self.out, "it"))}
        shutil.rmtree(os.path.join(self.out, "apt"))
        code, output, _ = self.run_script(self.out)
        self.assertEqual(code, 0)
        self.assertIn("is there", output)
        self.assertFalse(os.path.exists(os.path.join(self.out, "apt")), "it went to apt again")
        other = os.path.join(self.folder, "another place")
        self.assertEqual(self.run_script(other)[0], 0)
        self.assertEqual({name: read(other, "it", name) for name in os.listdir(os.path.join(other, "it"))}, first)

    def test_a_language_the_mirror_lacks(self):
        self.assert_fails([self.out, "--languages", "it,de"], "no translations into 'de'", "It has: it", "scripts/quickstart.sh SRC TGT")
        self.assertFalse(os.path.exists(os.path.join(self.out, "it")))

    def test_without_the_mirror_the_lists_that_came_still_serve(self):
        self.assertEqual(self.run_script(self.out)[0], 0)
        shutil.rmtree(os.path.join(self.out, "it"))
        os.rename(os.path.join(self.folder, "mirror"), os.path.join(self.folder, "gone"))
        self.assert_fails([self.out], "apt could not download")


class Failures(WithMirror):
    def test_no_network(self):
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
        self.use_mirror("http://127.0.0.1:%d/debian" % port)
        self.assert_fails([self.out], "Could not connect", "Is there a network?", "scripts/quickstart.sh SRC TGT")

    def test_no_apt(self):
        self.environment["PATH"] = self.folder
        self.assert_fails([self.out], "apt-get was not found", "scripts/quickstart.sh SRC TGT")

    def test_no_source(self):
        self.environment["APT_CONFIG"] = apt_configuration(self.folder, "http://example.invalid/")
        with open(os.path.join(self.folder, "sources.list"), "w") as file:
            file.write("deb http://example.invalid/ another main\n")
        self.assert_fails([self.out], "apt has no source for the main component")

    def test_interrupted(self):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            self.use_mirror("http://127.0.0.1:%d/debian" % silent.getsockname()[1])
            for number in (signal.SIGINT, signal.SIGTERM):
                with self.start(self.out) as script:
                    script.stdout.readline()
                    with silent.accept()[0]:                 # apt waits for an answer now
                        script.send_signal(number)
                        _, errors = script.communicate(timeout=10)
                self.assertEqual((script.returncode, errors), (1, "make_corpus: stopped; what was whole stays, nothing unfinished does\n"
                                                                  "The same command again goes on.\n"))
                self.assertEqual(sorted(os.listdir(self.out)), [".lock", "apt"])

    def test_a_folder_that_cannot_be_made(self):
        open(os.path.join(self.folder, "file"), "w").close()
        self.assert_fails([os.path.join(self.folder, "file", "out")], "Not a directory", "Name an OUT that can be written.")

    def test_a_full_disk(self):
        def fails(name, **how):
            with mock.patch(name, **how), mock.patch("sys.argv", ["make_corpus.py", self.out]), contextlib.redirect_stderr(io.StringIO()) as errors:
                self.assertEqual(make_corpus.main(), 1)
            return errors.getvalue()
        self.addCleanup(signal.signal, signal.SIGTERM, signal.getsignal(signal.SIGTERM))
        self.assertEqual(fails("shutil.disk_usage", return_value=mock.Mock(free=50e6)),
                         "make_corpus: %s: 50 MB are free, about 220 MB are needed\nMake room, or name another OUT.\n" % self.out)
        full = fails("make_corpus.download", side_effect=OSError(errno.ENOSPC, "No space left on device"))
        self.assertEqual(full, "make_corpus: %s: No space left on device\nNothing unfinished stays. Make room, or name another OUT.\n" % self.out)

    def test_two_at_once(self):
        os.mkdir(self.out)
        with make_corpus.prepare_folder(self.out, []):
            self.assert_fails([self.out], "another make_corpus.py is at work")

    def test_wrong_arguments(self):
        for arguments, expected in (([], "required: OUT"), ([self.out, "--languages", "italian"], "found 'italian', expected codes"),
                                    ([self.out, "--languages", "en"], "found 'en'"), ([self.out, "--speed"], "--speed")):
            code, _, errors = self.run_script(*arguments)
            self.assertEqual(code, 64)
            self.assertIn(expected, errors)
        self.assertFalse(os.path.exists(self.out))


if __name__ == "__main__":
    unittest.main()
