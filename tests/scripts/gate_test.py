import unittest
from collections import Counter

from corpus.descriptions import Pair
from corpus.gate import Markers, clean, form_reason, gate, language_reason

ENGLISH, ITALIAN = "the small library of tools for that", "la piccola libreria di strumenti per quello"


class Clean(unittest.TestCase):
    def test_every_kind_of_blank_becomes_one_blank(self):
        self.assertEqual(clean(" a\u202f:\u00a0b\t\tc\u2028d\u0085e\n"), "a : b c d e")

    def test_invisible_characters_go(self):
        self.assertEqual(clean("so\u00adft\u200b \ufeffx\u0000"), "soft x")


class Form(unittest.TestCase):
    def check(self, source, target, expected, language="it"):
        self.assertEqual(form_reason(source, target, language), expected)

    def test_a_good_pair_passes(self):
        self.check("fast and small editor", "editor veloce e piccolo", "")

    def test_each_reason(self):
        self.check("fast and small", "", "an empty side")
        self.check("fast and small", "fast and small", "left untranslated")
        self.check("fast and small", "rapid\ufffd e piccolo", "broken characters")
        self.check("fast editor", "editor veloce", "under 3 words")
        self.check(" ".join(["word"] * 151), "x" * 750, "over 150 words")
        self.check("prints %s and exits", "stampa %d ed esce", "placeholders differ")
        self.check("a <b>bold</b> word here", "una parola in grassetto", "tags differ")
        self.check("1.2.3 4.5.6 (7) x", "1.2.3 4.5.6 (7) y", "few letters")
        self.check("see " + "a" * 46 + " there", "vedi " + "a" * 46 + " lì", "a word over 45 characters")
        self.check("a long sentence about editors", "breve", "lengths differ too much")
        self.check("a word", "x" * 40, "under 3 words")
        self.check("uses 12 bits each", "usa 16 bit ognuno", "numbers differ")

    def test_equal_placeholders_and_a_shared_number_pass(self):
        self.check("prints %s and exits", "stampa %s ed esce", "")
        self.check("from 12 to 16 bits", "da 12 a 15 bit", "")

    def test_words_over_the_bound_count_at_the_bound(self):
        self.check(" ".join(["word"] * 150), "x" * 750, "")
        self.check("see " + "a" * 45 + " there", "vedi " + "a" * 45 + " lì", "")

    def test_chinese_may_be_much_shorter(self):
        self.check("a small library of tools", "小工具库", "", language="zh_CN")
        self.check("a small library of tools", "小工具库", "lengths differ too much")


class Language(unittest.TestCase):
    def setUp(self):
        self.markers = Markers([Pair(ENGLISH, ITALIAN, "g", 1)] * 20)

    def test_markers_are_the_words_of_one_side(self):
        self.assertEqual(self.markers.english, set(ENGLISH.split()))
        self.assertEqual(self.markers.other, set(ITALIAN.split()))

    def test_shared_words_mark_neither(self):
        markers = Markers([Pair("the server in use", "il server in uso", "g", 1)])
        self.assertEqual((markers.english, markers.other), ({"the", "use"}, {"il", "uso"}))

    def check(self, source, target, expected, language="it"):
        self.assertEqual(language_reason(source, target, language, self.markers), expected)

    def test_english_in_place_of_a_translation(self):
        self.check("another set of tools for GNOME", "the other tools of GNOME", "not in this language")
        self.check("another set of tools for GNOME", "the altri di strumenti per GNOME", "")

    def test_copied_words(self):
        self.check("GNOME KDE Xfce MATE desktop settings", "GNOME KDE Xfce MATE desktop impostazioni", "mostly copied")
        self.check("GNOME KDE Xfce desktop and settings", "impostazioni per GNOME KDE Xfce", "")

    def test_chinese_needs_its_script(self):
        self.check("a small library", "small library 库", "not in this language", "zh_CN")
        self.check("a small library", "小型 library 工具库", "", "zh_CN")


class Gate(unittest.TestCase):
    def test_keeps_cleaned_pairs_and_counts_the_others(self):
        account = Counter()
        kept = gate([Pair("a  small\u00a0editor", "un piccolo editor", "g", 1), Pair("an editor", "un editor", "g", 1)], "it", account)
        self.assertEqual(kept, [Pair("a small editor", "un piccolo editor", "g", 1)])
        self.assertEqual(account, {"segments: under 3 words": 1})


if __name__ == "__main__":
    unittest.main()
