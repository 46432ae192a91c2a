"""Which pairs are worth learning from: cleaning, then one reason to drop a pair, or none."""
import re
from collections import Counter

MIN_WORDS, MAX_WORDS = 3, 150
MAX_WORD_LENGTH = 45
MIN_LETTERS = 0.6                                     # of all characters that are not blanks
MAX_COPIED = 0.6                                      # of the source's words
LENGTH_RATIO = (0.5, 2.2)                             # characters, translation to source
CJK_LENGTH_RATIO = (0.12, 1.0)
CJK_LANGUAGES = ("ja", "ko", "zh")

INVISIBLE = re.compile("[\u0000-\u0008\u000e-\u001b\u007f\u00ad\u200b\ufeff]")
TAG = re.compile(r"</?[A-Za-z][^<>]*>")
PLACEHOLDER = re.compile(r"%(?:\d+\$|\(\w+\))?[-+#0]?\d*(?:\.\d+)?l?[sdiufgxc]\b|\$\{[^}]*\}|\$\([^)]*\)|\{\w*\}|@\w+@")
CJK = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff]")
LETTER = re.compile(r"[^\W\d_]")
WORD = re.compile(r"[^\W\d_]+")


def words(text):
    """Lower-case runs of letters."""
    return WORD.findall(text.lower())


def clean(text):
    """One line: every kind of blank (also the narrow ones of French) becomes a blank, invisible characters go."""
    return " ".join(INVISIBLE.sub("", text).split())


class Markers:
    """The words that tell English from the other language: frequent in one, rare in the other. Counted in the corpus itself, so that no
    list of any language is needed."""

    def __init__(self, pairs, number=60):
        english, other = (Counter(w for pair in pairs for w in words(pair[side])) for side in (0, 1))
        self.english = self.frequent(english, other, number)
        self.other = self.frequent(other, english, number)

    @staticmethod
    def frequent(these, those, number):
        scale = sum(those.values()) / max(1, sum(these.values()))
        own = [(-n, w) for w, n in these.items() if n * scale > 10 * those[w]]
        return {w for _, w in sorted(own)[:number]}

    def is_english(self, target_words):
        english = sum(w in self.english for w in target_words)
        return english >= 2 and english > sum(w in self.other for w in target_words)


def form_reason(source, target, language):
    """Why the shape of a pair is wrong, or ""."""
    length = len(source.split())
    if not source or not target:
        return "an empty side"
    if source == target:
        return "left untranslated"
    if "\ufffd" in source + target:
        return "broken characters"
    if length < MIN_WORDS:
        return "under %d words" % MIN_WORDS
    if length > MAX_WORDS:
        return "over %d words" % MAX_WORDS
    if sorted(PLACEHOLDER.findall(source)) != sorted(PLACEHOLDER.findall(target)):
        return "placeholders differ"
    if len(TAG.findall(source)) != len(TAG.findall(target)):
        return "tags differ"
    if len(LETTER.findall(source)) < MIN_LETTERS * len(source.replace(" ", "")):
        return "few letters"
    if max(map(len, source.split())) > MAX_WORD_LENGTH:
        return "a word over %d characters" % MAX_WORD_LENGTH
    low, high = CJK_LENGTH_RATIO if language[:2] in CJK_LANGUAGES else LENGTH_RATIO
    if not low <= len(target) / len(source) <= high:
        return "lengths differ too much"
    ours, theirs = (set(re.findall(r"\d+", side)) for side in (source, target))
    if ours and theirs and not ours & theirs:
        return "numbers differ"
    return ""


def language_reason(source, target, language, markers):
    """Why the translation is not one, or ""."""
    if language[:2] in CJK_LANGUAGES:
        return "not in this language" if len(CJK.findall(target)) < 0.25 * len(target.replace(" ", "")) else ""
    length, target_words = len(source.split()), words(target)
    if length >= 5 and markers.is_english(target_words):
        return "not in this language"
    own, there = re.findall(r"[a-z]{2,}", source.lower()), set(target_words)
    if length >= 6 and sum(w in there for w in own) > MAX_COPIED * len(own):
        return "mostly copied"
    return ""


def gate(pairs, language, account):
    """The cleaned pairs that pass; the others are counted by reason."""
    cleaned = [pair._replace(source=clean(pair.source), target=clean(pair.target)) for pair in pairs]
    markers = Markers(cleaned)
    kept = []
    for pair in cleaned:
        reason = form_reason(pair.source, pair.target, language) or language_reason(pair.source, pair.target, language, markers)
        if reason:
            account["segments: " + reason] += 1
        else:
            kept.append(pair)
    return kept
