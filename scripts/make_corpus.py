#!/usr/bin/env python3
"""Makes parallel text, English and another language, from Debian's package descriptions and their translations.

Writes OUT/LANGUAGE/{train,valid,test}.{en,LANGUAGE}, one segment a line, and OUT/LANGUAGE/SOURCES: what it was made of, with checksums.
Needs a Debian system and its mirror; no root. Downloads about 20 MB for one language into OUT/apt, apart from apt's own lists.
What is there already stays: the same command again goes on in a moment. docs/quickstart_corpus.md describes the text and how it is cleaned.
"""
import argparse
import errno
import fcntl
import os
import re
import shutil
import signal
import sys
import time
from collections import Counter

sys.dont_write_bytecode = True
from corpus.apt_lists import AptRoot  # noqa: E402
from corpus.descriptions import parallel_pairs, read_groups, read_translations  # noqa: E402
from corpus.failure import OWN_FILES, Failure  # noqa: E402
from corpus.folder import existing, write_folder  # noqa: E402
from corpus.gate import gate  # noqa: E402
from corpus.split import split  # noqa: E402

DISK_NEEDED = 160e6, 60e6                             # bytes: the English lists, each language with its corpus


def say(*lines):
    for line in lines:
        print(line, flush=True)


def parse_arguments(arguments):
    parser = argparse.ArgumentParser(prog="make_corpus.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", metavar="OUT", help="folder to write to; made if it is not there")
    parser.add_argument("--languages", default="it", metavar="LIST", help="codes with commas between, such as it,de,pt_BR (default: it)")
    parser.error = lambda message: wrong_use("%s\nusage: scripts/make_corpus.py OUT [--languages it,de,...]" % message)
    options = parser.parse_args(arguments)
    options.languages = list(dict.fromkeys(options.languages.split(",")))
    for language in options.languages:
        if language == "en" or not re.fullmatch(r"[a-z]{2,3}(_[A-Z]{2})?", language):
            wrong_use("--languages: found '%s', expected codes of languages other than English, such as it,de,pt_BR" % language)
    return options


def wrong_use(message):
    print("make_corpus: " + message, file=sys.stderr)
    sys.exit(64)


def prepare_folder(out, languages):
    """Makes OUT and takes its lock, which lasts as long as the returned file is open."""
    os.makedirs(out, exist_ok=True)
    free, needed = shutil.disk_usage(out).free, DISK_NEEDED[0] + DISK_NEEDED[1] * len(languages)
    if free < needed:
        raise Failure("%s: %.0f MB are free, about %.0f MB are needed" % (out, free / 1e6, needed / 1e6), "Make room, or name another OUT.")
    lock = open(os.path.join(out, ".lock"), "w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise Failure("another make_corpus.py is at work in %s" % out, "Wait for it, or name another OUT.") from None
    return lock


def download(out, languages):
    """The index files of English and these languages; a failure that says which are missing and why."""
    root = AptRoot(os.path.join(out, "apt"))
    root.configure()
    say("Package lists and translations (%s), 15-30 MB, over apt, kept in %s:" % (", ".join(languages), root.folder))
    complaint = root.update(languages, say)
    indexes = root.indexes(languages)
    there = {index.language for index in indexes}
    hint = "Make room, or name another OUT." if "No space left" in complaint else "Is there a network?"
    hint += " The same command again goes on from what has come."
    if not {"", "en"} <= there:
        raise Failure("apt could not download the package lists: %s" % (complaint or "the mirror has none for this release"), hint, OWN_FILES)
    for language in languages:
        if language not in there and complaint:
            raise Failure("apt could not download the translations into '%s': %s" % (language, complaint), hint, OWN_FILES)
        if language not in there:
            raise Failure("the mirror has no translations into '%s'" % language,
                          "It has: " + (", ".join(root.languages_of_mirror()) or "none at all"), OWN_FILES)
    if complaint:
        say("  apt complains, and older lists are used: " + complaint)
    return indexes


def make(out, language, indexes, english, groups):
    account = Counter()
    pairs = parallel_pairs(english, read_translations([i.path for i in indexes if i.language == language], language), groups, account)
    distinct = len(pairs)
    parts = split(gate(pairs, language, account), account)
    if not all(parts.values()):
        raise Failure("too little text is translated into '%s': %s lines are left" %
                      (language, ", ".join("%s %d" % (name, len(part)) for name, part in parts.items())), OWN_FILES)
    dropped = sorted(((what, n) for what, n in account.items() if n), key=lambda item: (-item[1], item[0]))
    write_folder(out, language, parts, [i for i in indexes if i.language in ("", "en", language)], dropped)
    say("%s: %d different pairs of segments; not used:" % (language, distinct))
    say(*("  %7d  %s" % (n, what) for what, n in dropped))
    describe(out, language, {"%s.en" % name: len(part) for name, part in parts.items()})


def describe(out, language, counts):
    say("%s: %s" % (os.path.join(out, language), ", ".join("%s %d lines" % (name, counts[name + ".en"]) for name in ("train", "valid", "test"))))


def run(options):
    missing = []
    for language in options.languages:
        counts = existing(options.out, language)
        if counts is None:
            missing.append(language)
        else:
            say("%s is there, as its SOURCES says" % os.path.join(options.out, language))
            describe(options.out, language, counts)
    if not missing:
        return
    start = time.monotonic()
    with prepare_folder(options.out, missing):
        indexes = download(options.out, missing)
        english = read_translations([i.path for i in indexes if i.language == "en"], "en")
        groups = read_groups([i.path for i in indexes if not i.language])
        say("%d English descriptions" % len(english))
        for language in missing:
            make(options.out, language, indexes, english, groups)
    say("%.0f s" % (time.monotonic() - start))


def main():
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    options = parse_arguments(sys.argv[1:])
    try:
        run(options)
    except KeyboardInterrupt:
        message = "stopped; what was whole stays, nothing unfinished does\nThe same command again goes on."
    except Failure as failure:
        message = str(failure)
    except BrokenPipeError:                           # whoever read the account has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        message = "%s: %s\n%s" % (error.filename or options.out, error.strerror,
                                  "Nothing unfinished stays. Make room, or name another OUT." if full else "Name an OUT that can be written.")
    else:
        return 0
    print("make_corpus: " + message, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
