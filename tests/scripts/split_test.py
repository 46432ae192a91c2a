import os
import subprocess
import sys
import unittest
from collections import Counter

from corpus import split as splitting
from corpus.descriptions import Pair
from corpus.split import NearDuplicates, grams, one_for_each_source, part_of, split


def group_in(part, number=0):
    """The name of some group that the hash puts into this part."""
    return [name for name in ("group%s" % i for i in range(2000)) if part_of(name) == part][number]


def text_of(seed, length=8):
    """Text whose words no other seed shares."""
    name = "".join("abcdefghij"[int(digit)] for digit in "%03d" % seed)
    return " ".join("w%sx%s" % (name, c) for c in "abcdefghijkl"[:length])


def pair(source, part, target=None, count=1):
    return Pair(source, target or source.upper() + " tradotto", group_in(part), count)


class Groups(unittest.TestCase):
    def test_shares_of_the_parts(self):
        count = Counter(part_of("name%d" % i) for i in range(20000))
        self.assertAlmostEqual(count["test"] / 20000, 0.02, delta=0.004)
        self.assertAlmostEqual(count["valid"] / 20000, 0.01, delta=0.003)

    def test_known_buckets(self):
        # printf 'part\\0gcc' | sha256sum: the first 8 bytes as one number, modulo 1000
        digest = subprocess.run(["sha256sum"], input=b"part\0gcc", capture_output=True, check=True).stdout[:16]
        bucket = int(digest, 16) % 1000
        self.assertEqual(part_of("gcc"), "test" if bucket < 20 else "valid" if bucket < 30 else "train")

    def test_a_group_stays_together(self):
        pairs = [Pair(text_of(i), "t%s" % text_of(i), "group%d" % (i % 40), 1) for i in range(400)]
        parts = split(pairs, Counter())
        where = {name: {p.group for p in part} for name, part in parts.items()}
        self.assertFalse(where["train"] & where["test"] | where["train"] & where["valid"] | where["valid"] & where["test"])


class Sources(unittest.TestCase):
    def test_the_most_frequent_translation_stays(self):
        account = Counter()
        kept = one_for_each_source([Pair("Version 1 of it", "a", "g", 1), Pair("version 2 of it", "b", "h", 3),
                                    Pair("version 3: of it", "c", "g", 3)], account)
        self.assertEqual(kept, [Pair("version 2 of it", "b", "h", 3)])
        self.assertEqual(sum(account.values()), 2)


class Near(unittest.TestCase):
    def test_grams(self):
        self.assertEqual(grams("One two, 3 three four FIVE."), {"one two three four", "two three four five"})
        self.assertEqual(grams("one two"), {"one two"})

    def test_half_of_the_shorter_ones_grams(self):
        finder = NearDuplicates(["a b c d e f g h"])                      # 5 grams
        self.assertEqual(finder.of("a b c d e f z"), [0])                  # 4 grams, 3 shared
        self.assertEqual(finder.of("a b c d e z y"), [0])                  # 4 grams, 2 shared
        self.assertEqual(finder.of("a b c d z y x"), [])                   # 4 grams, 1 shared
        self.assertEqual(finder.of("a b c d e f g h " + "z y x w v u t s r q"), [0])


class Split(unittest.TestCase):
    def setUp(self):
        self.base = [pair(text_of(i), part) for i, part in enumerate(["train"] * 20 + ["valid"] * 5 + ["test"] * 5)]

    def sources(self, extra):
        self.account = Counter()
        return {name: {p.source for p in part} for name, part in split(self.base + extra, self.account).items()}

    def test_nothing_is_lost_without_duplicates(self):
        parts = self.sources([])
        self.assertEqual({name: len(part) for name, part in parts.items()}, {"train": 20, "valid": 5, "test": 5})
        self.assertEqual(sum(self.account.values()), 0)

    def test_near_duplicates_of_a_held_out_text_leave_train(self):
        near = text_of(28) + " and more"
        parts = self.sources([pair(near, "train")])
        self.assertNotIn(near, parts["train"])
        self.assertIn(text_of(28), parts["test"])
        self.assertEqual(self.account["train: near a held-out text"], 1)

    def test_boilerplate_leaves_the_held_out_part(self):
        near = [text_of(28) + " " + end for end in ("alpha", "beta", "gamma", "delta")]
        parts = self.sources([pair(text, "train") for text in near])
        self.assertNotIn(text_of(28), parts["test"])
        self.assertTrue(set(near) <= parts["train"])
        parts = self.sources([pair(text, "train") for text in near[:3]])   # three are not yet boilerplate
        self.assertIn(text_of(28), parts["test"])
        self.assertFalse(set(near) & parts["train"])

    def test_valid_near_test_leaves_valid(self):
        near = text_of(28) + " and more"
        parts = self.sources([pair(near, "valid")])
        self.assertNotIn(near, parts["valid"])
        self.assertIn(text_of(28), parts["test"])

    def test_the_same_translation_leaves_train(self):
        parts = self.sources([pair(text_of(300), "train", target=(text_of(28).upper() + " TRADOTTO!"))])
        self.assertNotIn(text_of(300), parts["train"])
        self.assertEqual(self.account["train: same translation as a held-out text"], 1)

    def test_short_texts_are_not_held_out(self):
        parts = self.sources([pair("one two 3 three", "test")])
        self.assertFalse(any("one two 3 three" in part for part in parts.values()))

    def test_parts_are_cut(self):
        old = dict(splitting.MAX_LINES)
        splitting.MAX_LINES.update(test=2, valid=3)
        try:
            parts = self.sources([])
        finally:
            splitting.MAX_LINES.update(old)
        self.assertEqual({name: len(part) for name, part in parts.items()}, {"train": 20, "valid": 3, "test": 2})
        self.assertEqual((self.account["test: over 2 lines"], self.account["valid: over 3 lines"]), (3, 2))

    def test_another_order_of_the_input_and_another_hash_seed_give_the_same(self):
        program = ("import sys; from collections import Counter; from split_test import *\n"
                   "pairs = [pair(text_of(i), 'train') for i in range(90)] + [pair(text_of(i) + ' x', 'test') for i in range(99, 199)]\n"
                   "print(split(pairs[::int(sys.argv[1])], Counter()))")
        outputs = {subprocess.run([sys.executable, "-c", program, order], env=dict(os.environ, PYTHONHASHSEED=seed), capture_output=True,
                                  check=True).stdout for seed, order in (("0", "1"), ("1", "1"), ("2", "-1"))}
        self.assertEqual(len(outputs), 1)


if __name__ == "__main__":
    unittest.main()
