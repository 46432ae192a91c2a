import os
import socket
import tempfile
import time
import unittest
from unittest import mock

from corpus.apt_lists import AptRoot, kept_settings, last_complaint, of_this_release, release_name, source_entry
from mirror import apt_configuration


class Configuration(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = temporary.name

    def file(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w") as file:
            file.write(text)
        return path

    def test_an_entry_is_a_line_of_a_list(self):
        path = self.file("a.list", "# first\n\ndeb http://example a main\n")
        self.assertEqual(source_entry(path + ":3"), "deb http://example a main\n")

    def test_an_entry_is_a_stanza_of_a_sources_file(self):
        path = self.file("a.sources", "# comment\n\nTypes: deb\nEnabled: no\n\n\n# another\nTypes: deb\n# inside\nURIs: http://example\n")
        self.assertEqual(source_entry(path + ":2"), "# another\nTypes: deb\n# inside\nURIs: http://example\n\n")

    def test_only_settings_of_the_download_are_kept(self):
        dump = ('Acquire::http::Proxy "http://p:1";\nAcquire::Languages:: "none";\nAcquire::GzipIndexes "true";\nAPT::Architecture "amd64";\n'
                'APT::Architectures:: "i386";\nAPT::Update::Post-Invoke:: "rm x";\nDir::State::lists "lists";\n'
                'Acquire::IndexTargets::deb::DEP-11 "";')
        self.assertEqual(kept_settings(dump), ['Acquire::http::Proxy "http://p:1";', 'APT::Architecture "amd64";'])

    def test_main_of_this_release(self):
        def target(release, component="main"):
            return {"Release": release, "Component": component}
        mine = target(release_name())
        self.assertEqual(of_this_release([target("stable"), mine, target(release_name(), "contrib"), target(release_name() + "-updates")]), [mine])
        self.assertEqual(of_this_release([target("stable"), target("other")]), [target("stable")])

    def test_the_complaint_that_says_most(self):
        self.assertEqual(last_complaint("W: odd\nE: Failed to fetch x  refused\nE: Some index files failed\n"), "E: Failed to fetch x  refused")
        self.assertEqual(last_complaint("  Unable to connect\nE: The repository x does not have a Release file.\n"), "Unable to connect")
        self.assertEqual(last_complaint("W: odd\nE: wrong\nbye\n"), "E: wrong")
        self.assertEqual(last_complaint(""), "it said nothing")


class Waiting(unittest.TestCase):
    def test_a_mirror_that_never_answers_is_given_up(self):
        with tempfile.TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as silent:
            uri = "http://127.0.0.1:%d/debian" % silent.getsockname()[1]
            with mock.patch.dict(os.environ, APT_CONFIG=apt_configuration(folder, uri), no_proxy="*"):
                root = AptRoot(os.path.join(folder, "apt"))
                root.configure()
            start = time.monotonic()
            self.assertIn("Failed to fetch", root.update(["it"], lambda line: None, wait=1))
            self.assertLess(time.monotonic() - start, 20)
            self.assertEqual(root.indexes(["it"]), [])


if __name__ == "__main__":
    unittest.main()
