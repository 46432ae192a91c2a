"""The pages for users: links between them resolve, and the commands they show exist.

The environment variable WEFT names the program whose --help lists verbs and options."""
import os
import pathlib
import re
import shlex
import subprocess
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOCS = sorted(ROOT.glob("docs/*.md"))
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *DOCS]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)
MADE_BY_THE_READER = {"my.yaml"}  # README.md has it


def weft(*words):
    run = subprocess.run([os.environ["WEFT"], *words], capture_output=True, text=True, cwd=ROOT, check=False)
    return run.returncode, run.stdout, run.stderr


def slug(heading):
    """The anchor that GitHub makes of a heading."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def anchors(page):
    return {slug(line.lstrip("#").strip()) for line in page.read_text().splitlines() if line.startswith("#")}


def commands(page):
    """The words of every weft command: of code blocks for the shell, and of code inside sentences."""
    text = page.read_text()
    lines = [line for kind, block in FENCE.findall(text) if kind == "sh" for line in block.replace("\\\n", " ").splitlines()]
    lines += re.findall(r"`((?:mpirun [^`]*)?weft [^`]*)`", FENCE.sub("", text))
    for line in lines:
        lexer = shlex.shlex(line, posix=True, punctuation_chars="|<>&;")
        lexer.whitespace_split = True
        words = []
        for word in [*lexer, ";"]:
            if word not in ("|", "<", ">", "&", "&&", ";"):
                words.append(word)
                continue
            at = [i for i, w in enumerate(words) if pathlib.PurePath(w).name == "weft"]
            if at:
                yield words[at[0] + 1:]
            words = []


class DocsTest(unittest.TestCase):
    def test_links_resolve(self):
        for page in PAGES:
            for target in re.findall(r"\]\(([^)\s]+)\)", FENCE.sub("", page.read_text())):
                path, _, anchor = target.partition("#")
                if "://" in target:
                    continue
                found = (page.parent / path).resolve() if path else page
                self.assertTrue(found.exists(), f"{page.name}: {target}")
                if anchor:
                    self.assertIn(anchor, anchors(found), f"{page.name}: {target}")

    def test_every_page_is_in_the_index(self):
        index = (ROOT / "docs" / "README.md").read_text()
        for page in DOCS:
            self.assertIn(f"({page.name})", index + "(README.md)")

    def test_every_page_begins_with_what_it_is_for(self):
        for page in DOCS:
            lines = page.read_text().splitlines()
            self.assertRegex(lines[0], r"^# \w", page.name)
            self.assertRegex(lines[2], r"^\w.*", page.name)

    def test_commands_are_those_of_the_program(self):
        verbs = set(re.findall(r"^  (\w+)  ", weft("--help")[1], re.M))
        self.assertIn("train", verbs)
        options = {verb: set(re.findall(r"(?<![\w-])--?[a-z][\w-]*", weft(verb, "--help")[1])) for verb in verbs}
        sets, seen = set(), 0
        for page in PAGES:
            for words in commands(page):
                while words and words[0] != "VERB" and not words[0].startswith("-"):
                    verb, shown = words[0], " ".join(words)
                    end = words.index("--") if "--" in words else len(words)
                    self.assertIn(verb, verbs, f"{page.name}: weft {shown}")
                    for before, word in zip(words, words[1:end]):
                        where = f"{page.name}: weft {shown}"
                        if word.startswith("-"):
                            self.assertIn(word, options[verb], where)
                        elif before == "--config" and word not in MADE_BY_THE_READER and word != "FILE":
                            self.assertTrue((ROOT / word).exists(), where)
                        elif "=" in word:
                            sets.add(word)
                    seen += 1
                    words = words[end + 1:]
        self.assertGreater(seen, 60, "the search for commands is broken")
        code, _, errors = weft("train", "--dump-config", "--set", "task=translation", *sorted(sets))
        self.assertEqual(code, 0, errors)


if __name__ == "__main__":
    unittest.main()
