#!/usr/bin/env python3
"""Checks of the product's sources that take minutes, one compiled file (a group of a unity build) at a time. A verdict is remembered in the
user's cache folder by the content of all that the file includes, the command, the tool's version and the settings, so that only what has
changed is checked again.

    tidy    clang-tidy (bugprone, performance). Version 16: older ones lack std::source_location.
    alone   each file of a group compiles by itself: it needs no include of those before it

usage: source_checks.py tidy|alone SOURCE_DIR BUILD_DIR    after a build, whose dependencies it reads
"""
import hashlib
import json
import os
import re
import shlex
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

FOLDERS = ("runtime", "parallel", "layers", "models", "state", "data", "inference", "training", "launcher")
DAYS_KEPT = 30


def compiled_files(source, build):
    """The entries of compile_commands.json that are the product's, with the folder of each."""
    for entry in json.loads((build / "compile_commands.json").read_text()):
        file = Path(entry["file"])
        inside = file.relative_to(build if file.is_relative_to(build) else source)
        if inside.parts[0] in FOLDERS:
            yield entry


def dependencies(build):
    """object -> what it was compiled from, as Ninja has noted it."""
    noted, files = {}, None
    for line in subprocess.run(["ninja", "-C", build, "-t", "deps"], check=True, capture_output=True, text=True).stdout.splitlines():
        if line.startswith("    "):
            files.append(line.strip())
        elif line:
            files = noted.setdefault(line.split(": #deps")[0], [])
    return noted


class Memory:
    """Which checks found nothing."""

    def __init__(self, check, source, build):
        self.folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "weft" / check
        self.folder.mkdir(parents=True, exist_ok=True)
        self.source, self.build = str(source), build
        self.noted = dependencies(build)
        self.hashes = {}
        for old in self.folder.iterdir():
            if old.stat().st_mtime < time.time() - DAYS_KEPT * 86400:
                old.unlink(missing_ok=True)

    def content(self, path):
        path = os.path.normpath(self.build / path)
        if path not in self.hashes:  # two checkouts of the same content have the same verdict
            self.hashes[path] = hashlib.sha256(Path(path).read_bytes().replace(self.source.encode(), b"")).digest()
        return self.hashes[path]

    def key(self, entry, settings):
        target = re.search(r" -o (\S+)", entry["command"]).group(1)
        if target not in self.noted:
            sys.exit("%s: not built yet, so what it includes is not known" % target)
        key = hashlib.sha256(repr((entry["command"].replace(self.source, ""), settings)).encode())
        for file in self.noted[target]:
            key.update(self.content(file))
        return self.folder / key.hexdigest()


def tidy(entry, build):
    return [["clang-tidy-16", "--quiet", "--extra-arg=-Wno-unknown-warning-option", "-p", build, entry["file"]]]


def alone(entry, build):
    files = re.findall(r'^#include "(.+\.cpp)"', Path(entry["file"]).read_text(), re.M) or [entry["file"]]
    flags = shlex.split(re.sub(r" -o \S+ -c \S+", "", entry["command"]))
    flags = flags[1:] if flags[0].endswith("ccache") else flags
    return [flags + ["-fsyntax-only", file] for file in files]


def main():
    check, source, build = sys.argv[1], Path(sys.argv[2]).resolve(), Path(sys.argv[3]).resolve()
    commands = {"tidy": tidy, "alone": alone}[check]
    settings = {
        "tidy": lambda: [(source / ".clang-tidy").read_text(), subprocess.check_output(["clang-tidy-16", "--version"], text=True)],
        "alone": lambda: subprocess.check_output(["c++", "--version"], text=True),
    }[check]()
    memory = Memory(check, source, build)

    def run(entry):
        """What the check says, and whether it was remembered."""
        clean = memory.key(entry, settings)
        if clean.exists():
            clean.touch()
            return "", True
        for command in commands(entry, build):
            done = subprocess.run(command, cwd=build, capture_output=True, text=True)
            if done.returncode != 0:
                return done.stdout + done.stderr, False
        clean.touch()
        return "", False

    entries = list(compiled_files(source, build))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = list(pool.map(run, entries))
    for text, _ in found:
        print(text, end="")
    files = sum(len(alone(entry, build)) for entry in entries)
    if files < 150:
        sys.exit("only %d files found: the check itself is broken" % files)
    print("%d files in %d groups, %d of these remembered" % (files, len(entries), sum(remembered for _, remembered in found)))
    return any(text for text, _ in found)


if __name__ == "__main__":
    sys.exit(main())
