"""The folder of one language: written under another name and renamed when it is whole, checked against its own SOURCES afterwards."""
import hashlib
import os
import shutil

from corpus.failure import Failure

PARTS = ("train", "valid", "test")


def sha256(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def write_lines(path, lines):
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        file.writelines(line + "\n" for line in lines)


def write_parts(folder, language, parts):
    """The parallel files. Gives [(file name, lines)]."""
    written = []
    for part in PARTS:
        for side, suffix in enumerate(("en", language)):
            name = "%s.%s" % (part, suffix)
            write_lines(os.path.join(folder, name), (pair[side] for pair in parts[part]))
            written.append((name, len(parts[part])))
    return written


def sources_text(folder, language, indexes, outputs, account):
    """What the corpus was made of and how. Names no mirror: two mirrors that serve the same files give the same text."""
    lines = ["corpus en %s, from Debian's package descriptions" % language]
    lines += ["release %s" % release for release in sorted({index.release for index in indexes})]
    lines += ["input %s %d bytes %s" % (sha256(i.path), os.path.getsize(i.path), i.uri[i.uri.find("dists/"):]) for i in indexes]
    lines += ["output %s %d lines %s" % (sha256(os.path.join(folder, name)), count, name) for name, count in outputs]
    lines += ["dropped %d %s" % (count, what) for what, count in account]
    return lines


def write_folder(out, language, parts, indexes, account):
    """Makes OUT/LANGUAGE, or nothing. account: [(what, count)]."""
    unfinished = os.path.join(out, ".%s.unfinished" % language)
    shutil.rmtree(unfinished, ignore_errors=True)
    os.mkdir(unfinished)
    try:
        outputs = write_parts(unfinished, language, parts)
        write_lines(os.path.join(unfinished, "SOURCES"), sources_text(unfinished, language, indexes, outputs, account))
        os.rename(unfinished, os.path.join(out, language))
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def read_outputs(folder):
    """[(file name, lines, sha256)] of a folder's SOURCES."""
    with open(os.path.join(folder, "SOURCES"), encoding="utf-8") as file:
        fields = [line.split() for line in file if line.startswith("output ")]
    return [(name, int(count), digest) for _, digest, count, _, name in fields]


def existing(out, language):
    """{file name: lines} of a whole corpus that is there, None where none is; a changed one is a failure."""
    folder = os.path.join(out, language)
    if not os.path.lexists(folder):
        return None
    again = "Remove the folder to have it made again, or name another OUT."
    if not os.path.isfile(os.path.join(folder, "SOURCES")):
        raise Failure("%s is there, and this script did not make it: it has no SOURCES" % folder, again)
    outputs = read_outputs(folder)
    for name, _, digest in outputs:
        path = os.path.join(folder, name)
        if not os.path.isfile(path) or sha256(path) != digest:
            raise Failure("%s is not what SOURCES beside it says: it was changed or is incomplete" % path, again)
    return {name: count for name, count, _ in outputs}
