import unittest
from collections import Counter

from corpus.control import stanzas
from corpus.descriptions import Description, group_of, parallel_pairs, segment_pairs, segments


class Control(unittest.TestCase):
    def test_reads_wanted_fields_with_their_continuations(self):
        text = "Package: a\nOther: x\n y\nDescription-it: t\n  v\n .\n\n\nOther: z\n\nPackage: b"
        self.assertEqual(list(stanzas(text.split("\n"), ("Package", "Description-it"))),
                         [{"Package": ["a"], "Description-it": ["t", " v", "."]}, {"Package": ["b"]}])


class Segments(unittest.TestCase):
    def test_paragraphs_end_at_a_dot_and_wrapped_lines_join(self):
        self.assertEqual(segments(["One is", "wrapped.", ".", "Two."]), [("text", "One is wrapped."), ("text", "Two.")])

    def test_list_items_lose_their_bullets_and_keep_their_continuations(self):
        self.assertEqual(segments(["Features:", " * fast", "   and small", " - dry", "After."]),
                         [("text", "Features:"), ("item", "fast    and small"), ("item", "dry"), ("text", "After.")])

    def test_numbered_items_and_verbatim_lines(self):
        self.assertEqual(segments([" 1. first", "12) second", ".", "  ls -l", "  rm x"]),
                         [("item", "first"), ("item", "second"), ("verbatim", "  ls -l"), ("verbatim", "  rm x")])


class Join(unittest.TestCase):
    def test_bodies_pair_up_without_verbatim_lines(self):
        english = Description("p", "title", ["text", "  code", " * item"])
        italian = Description("p", "titolo", ["testo", "  code", " * voce"])
        self.assertEqual(segment_pairs(english, italian), ([("title", "titolo"), ("text", "testo"), ("item", "voce")], True))

    def test_another_structure_leaves_the_title(self):
        english = Description("p", "title", ["text", ".", "more"])
        self.assertEqual(segment_pairs(english, Description("p", "titolo", ["testo"])), ([("title", "titolo")], False))

    def test_pairs_are_counted_once_each_with_the_source_packages_group(self):
        english = {"1": Description("gcc-12", "a compiler", []), "2": Description("gcc-11", "a compiler", []), "3": Description("x2", "b", [])}
        italian = {"2": Description("gcc-11", "un compilatore", []), "1": Description("gcc-12", "un compilatore", []),
                   "3": Description("x2", "bb", []), "4": Description("y", "c", [])}
        account = Counter()
        pairs = parallel_pairs(english, italian, {"1": "gcc"}, account)
        self.assertEqual([tuple(pair) for pair in pairs], [("a compiler", "un compilatore", "gcc", 2), ("b", "bb", "x", 1)])
        self.assertEqual(account["segments that repeat another with the same translation"], 1)
        self.assertEqual(account["descriptions without their English text"], 1)

    def test_groups_forget_versions(self):
        self.assertEqual([group_of(name) for name in ("gcc-12", "python3.11", "llvm-toolchain-14", "linux-signed-amd64", "389")],
                         ["gcc", "python", "llvm-toolchain", "linux-signed-amd", "389"])


if __name__ == "__main__":
    unittest.main()
