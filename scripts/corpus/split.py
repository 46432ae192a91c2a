"""Train, valid and test without leakage.

1. One pair for each source text, compared without case, digits and punctuation; of several translations the most frequent one.
2. A whole group (source package) goes to one part, by a hash of its name: the same on every machine and for every language.
3. A held-out text with more than MAX_NEAR near-duplicates in train is boilerplate and goes.
4. What is left in train near a held-out text, or with the same translation, leaves train; valid near test leaves valid.

Near-duplicates share at least half the word 4-grams of the shorter of the two.
"""
import hashlib
from collections import Counter, defaultdict

from corpus.gate import words

TEST, VALID = 20, 10                                  # groups of a thousand
MAX_LINES = {"test": 1500, "valid": 500}
MIN_HELD_OUT_WORDS = 4
MAX_NEAR = 3
NEAR = 0.5
GRAM = 4                                              # words


def hash_of(text, purpose):
    return int.from_bytes(hashlib.sha256(("%s\0%s" % (purpose, text)).encode()).digest()[:8], "big")


def part_of(group):
    bucket = hash_of(group, "part") % 1000
    return "test" if bucket < TEST else "valid" if bucket < TEST + VALID else "train"


def key(text):
    return " ".join(words(text))


def grams(text):
    """Its word 4-grams; a shorter text is one gram of its own."""
    found = words(text)
    return {" ".join(found[i:i + GRAM]) for i in range(max(1, len(found) - GRAM + 1))}


def one_for_each_source(pairs, account):
    best = {}
    for pair in pairs:
        k = key(pair.source)
        if k not in best or pair.count > best[k].count:
            best[k] = pair
    account["segments: the same source in other words or digits"] += len(pairs) - len(best)
    return list(best.values())


class NearDuplicates:
    """Finds which of the held-out texts a text nearly duplicates."""

    def __init__(self, texts):
        self.sizes, self.index = [], defaultdict(list)
        for i, text in enumerate(texts):
            own = grams(text)
            self.sizes.append(len(own))
            for gram in own:
                self.index[gram].append(i)

    def of(self, text):
        own = grams(text)
        shared = Counter(i for gram in own for i in self.index.get(gram, ()))
        return [i for i, n in shared.items() if n >= NEAR * min(len(own), self.sizes[i])]


def drop(pairs, bad, reason, account):
    kept = [pair for pair, is_bad in zip(pairs, bad) if not is_bad]
    account[reason] += len(pairs) - len(kept)
    return kept


def split(pairs, account):
    """{"train", "valid", "test": pairs}, each in an order by hash."""
    parts = {"train": [], "valid": [], "test": []}
    for pair in sorted(one_for_each_source(pairs, account), key=lambda pair: hash_of(pair.source, "order")):
        parts[part_of(pair.group)].append(pair)
    train = parts["train"]
    held = {}
    for name in ("valid", "test"):
        bad = [len(words(pair.source)) < MIN_HELD_OUT_WORDS for pair in parts[name]]
        held[name] = drop(parts[name], bad, "held out: under %d words without digits" % MIN_HELD_OUT_WORDS, account)

    both = held["valid"] + held["test"]
    finder = NearDuplicates([pair.source for pair in both])
    near = [finder.of(pair.source) for pair in train]
    copies = Counter(i for found in near for i in found)
    boilerplate = [copies[i] > MAX_NEAR for i in range(len(both))]
    reason = "held out: boilerplate, over %d near-duplicates in train" % MAX_NEAR
    n = len(held["valid"])
    test = cut(drop(held["test"], boilerplate[n:], reason, account), "test", account)
    finder = NearDuplicates([pair.source for pair in test])
    valid = drop(held["valid"], boilerplate[:n], reason, account)
    valid = cut(drop(valid, [finder.of(pair.source) for pair in valid], "valid: near a test text", account), "valid", account)

    kept = {pair.source for pair in valid + test}
    translations = {key(pair.target) for pair in valid + test}
    bad = [any(both[i].source in kept for i in found) for found in near]
    same = [not b and key(pair.target) in translations for b, pair in zip(bad, train)]
    account["train: same translation as a held-out text"] += sum(same)
    account["train: near a held-out text"] += sum(bad)
    return {"train": [pair for pair, b, s in zip(train, bad, same) if not (b or s)], "valid": valid, "test": test}


def cut(pairs, name, account):
    account["%s: over %d lines" % (name, MAX_LINES[name])] += max(0, len(pairs) - MAX_LINES[name])
    return pairs[:MAX_LINES[name]]
