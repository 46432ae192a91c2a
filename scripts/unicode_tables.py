#!/usr/bin/env python3
"""Writes inference/metrics/unicode_tables.cpp: what Python knows of characters, as ranges.

    pip install regex && python3 scripts/unicode_tables.py > inference/metrics/unicode_tables.cpp && clang-format -i inference/metrics/unicode_tables.cpp

sacreBLEU takes the classes of its intl tokenizer from the package `regex` and lower case from str.lower(); so do these tables."""
import unicodedata

import regex

CODES = [c for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]
SIGMA, FINAL = "\u03a3", "\u03c2"


def ranges(codes):
    found = []
    for c in codes:
        if found and found[-1][1] == c - 1:
            found[-1][1] = c
        else:
            found.append([c, c])
    return found


def lower_runs():
    """[first, last, stride, delta]: neighbours with the same distance to their lower case, one or two apart."""
    runs = []
    for c in CODES:
        low = chr(c).lower()
        if low == chr(c) or len(low) > 1 or c == ord(SIGMA):
            continue
        delta = ord(low) - c
        last = runs[-1] if runs else None
        step = c - last[1] if last else 0
        if last and last[3] == delta and step in (1, 2) and last[2] in (0, step):
            last[1], last[2] = c, step
        else:
            runs.append([c, c, 0, delta])
    return [[a, b, max(s, 1), d] for a, b, s, d in runs]


def final_sigma(before):
    return (before + SIGMA).lower().endswith(FINAL)


def table(kind, name, rows):
    cells = ", ".join("{" + ", ".join(hex(v) if i < 2 else str(v) for i, v in enumerate(row)) + "}" for row in rows)
    print(f"constexpr {kind} {name}[] = {{{cells}}};")


cased = [c for c in CODES if final_sigma(chr(c))]
members = set(cased)
print(f"""// Made by scripts/unicode_tables.py: regex {regex.__version__} (P, S, N), Unicode {unicodedata.unidata_version} (case). Do not edit.
#include "inference/metrics/unicode_tables.h"

namespace weft::unicode_tables {{
namespace {{
""")
for letter, name in (("P", "kPunctuation"), ("S", "kSymbol"), ("N", "kNumber")):
    match = regex.compile(r"\p{" + letter + "}").match
    table("Range", name, ranges(c for c in CODES if match(chr(c))))
table("Range", "kCased", ranges(cased))
table("Range", "kCaseIgnorable", ranges(c for c in CODES if c not in members and final_sigma("A" + chr(c))))
table("LowerRun", "kLower", lower_runs())
print("""
}  // namespace

std::span<const Range> punctuation() { return kPunctuation; }
std::span<const Range> symbol() { return kSymbol; }
std::span<const Range> number() { return kNumber; }
std::span<const Range> cased() { return kCased; }
std::span<const Range> case_ignorable() { return kCaseIgnorable; }
std::span<const LowerRun> lower_runs() { return kLower; }

}  // namespace weft::unicode_tables""")
