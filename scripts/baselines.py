#!/usr/bin/env python3
"""A translation memory, the baseline that a trained model has to beat: for each test source, the translation of the most similar training
source. (The other baseline, copying the source, needs no script.) Line i of OUT_MEMORY answers line i of TEST_SRC.

Similar: the Dice coefficient of the two sets of words, 2 |A and B| / (|A| + |B|), among the lines that share the most and rarest words.
A source that shares no word with training is copied.
"""
import argparse
import heapq
import math
import os
import re
import sys
from collections import Counter, defaultdict

WORD = re.compile(r"\w+")
MAX_SHARE = 0.1                                       # a word in more of the training lines proposes none; it counts in Dice all the same
MAX_PROPOSED = 50                                     # lines that are compared


class Mistake(Exception):
    pass


def read_lines(path):
    try:
        with open(path, encoding="utf-8", newline="\n") as file:
            return [line.rstrip("\n") for line in file]
    except (OSError, UnicodeDecodeError) as error:
        raise Mistake("%s: %s" % (path, getattr(error, "strerror", None) or "not UTF-8 text")) from None


class Memory:
    def __init__(self, sources):
        self.words = [frozenset(WORD.findall(text.lower())) for text in sources]
        self.lines = defaultdict(list)                # word -> the lines that have it
        for i, own in enumerate(self.words):
            for word in own:
                self.lines[word].append(i)

    def proposed(self, own):
        """Lines that share much: the sum over the shared words of ln(lines / lines with the word), frequent words left out."""
        shared = Counter()
        for word in sorted(own):                      # in a fixed order: sums of floats depend on it
            lines = self.lines.get(word, ())
            if lines and len(lines) <= max(10, MAX_SHARE * len(self.words)):
                weight = math.log(len(self.words) / len(lines)) + 1e-9
                for i in lines:
                    shared[i] += weight
        if not shared:                                # no rare word: the frequent ones propose after all
            shared = Counter(i for word in own for i in self.lines.get(word, ()))
        return heapq.nsmallest(MAX_PROPOSED, shared, key=lambda i: (-shared[i], i))

    def most_similar(self, text):
        """The number of the training line, the first of equals; None where no word is shared."""
        own = frozenset(WORD.findall(text.lower()))

        def dice(i):
            return 2 * len(own & self.words[i]) / (len(own) + len(self.words[i]))

        return max(self.proposed(own), key=lambda i: (dice(i), -i), default=None)


def main():
    parser = argparse.ArgumentParser(prog="baselines.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("TRAIN_SRC", "TRAIN_TGT", "TEST_SRC", "OUT_MEMORY"):
        parser.add_argument(name)
    parser.error = lambda message: sys.exit(print("baselines: " + message, file=sys.stderr) or 64)
    options = parser.parse_args()
    try:
        sources, targets, tests = (read_lines(path) for path in (options.TRAIN_SRC, options.TRAIN_TGT, options.TEST_SRC))
        if len(sources) != len(targets):
            raise Mistake("%s has %d lines, %s has %d: they must be parallel" % (options.TRAIN_SRC, len(sources), options.TRAIN_TGT, len(targets)))
        memory = Memory(sources)
        found = [memory.most_similar(text) for text in tests]
        unfinished = options.OUT_MEMORY + ".unfinished"
        try:
            with open(unfinished, "w", encoding="utf-8", newline="\n") as file:
                file.writelines((tests[k] if i is None else targets[i]) + "\n" for k, i in enumerate(found))
            os.replace(unfinished, options.OUT_MEMORY)
        except OSError as error:
            print("baselines: %s: %s" % (options.OUT_MEMORY, error.strerror), file=sys.stderr)
            return 1
    except Mistake as mistake:
        print("baselines: %s" % mistake, file=sys.stderr)
        return 64
    return 0


if __name__ == "__main__":
    sys.exit(main())
