#!/usr/bin/env python3
"""Lists every text that the program can say to its user, file by file, so that they can be read in one go.

usage: scripts/messages.py [FOLDER...]      without folders: all of the program
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDERS = ["runtime", "parallel", "layers", "models", "state", "data", "inference", "training", "launcher"]
# What speaks: failures, log lines, and the fields of a problem (launcher/input/problem.h) or of a note.
CALL = re.compile(r"\b(fail_input|fail|Error|AgreedError|info|warn|warn_once|add_flag|add_option|add_path|not_a)\(|\.(what|expected|found|help) = |note\(")
ONE = r'"(?:[^"\\]|\\.)*"'
LITERAL = re.compile(rf"{ONE}(?:\s*{ONE})*")  # the compiler joins neighbours


def call_at(text, start):
    """The text of a call or an initialiser from `start` to where its brackets, or its statement, end."""
    depth = 0
    quoted = False
    i = start
    while i < len(text):
        c = text[i]
        if quoted:
            if c == "\\":
                i += 1
            elif c == '"':
                quoted = False
        elif c == '"':
            quoted = True
        elif c in "([{":
            depth += 1
        elif c in ")]}":
            depth -= 1
            if depth <= 0:
                return text[start : i + 1]
        elif c in ";," and depth == 0 and i > start:
            return text[start:i]
        i += 1
    return text[start:]


def messages(path):
    text = path.read_text(encoding="utf-8")
    end = 0
    for match in CALL.finditer(text):
        if match.start() < end:
            continue  # inside the one before
        begin = match.end() - 1 if match.group(0).endswith("(") else match.end()
        call = call_at(text, begin)
        texts = ["".join(part[1:-1] for part in re.findall(ONE, literal)) for literal in LITERAL.findall(call)]
        said = " | ".join(texts).replace("\\n", "\n    ").replace('\\"', '"')
        if len(said.split()) < 2:
            continue
        end = begin + len(call)
        yield text.count("\n", 0, match.start()) + 1, said


def main(arguments):
    count = 0
    for folder in arguments or FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.cpp")) + sorted((ROOT / folder).rglob("*.h")):
            for line, said in messages(path):
                count += 1
                print(f"{path.relative_to(ROOT)}:{line}: {said}")
    print(f"{count} messages", file=sys.stderr)


if __name__ == "__main__":
    main(sys.argv[1:])
