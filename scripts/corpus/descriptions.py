"""Package descriptions and their translations: read, joined and cut into parallel segments.

A description is a title of one line and a body. `Description-md5` is the same for an English text and its translations. The body's
running text is wrapped; lines that begin with another blank are list items or verbatim text.
"""
import re
from collections import Counter, namedtuple

from corpus.control import read_stanzas

Description = namedtuple("Description", "package title body")       # body: lines
Pair = namedtuple("Pair", "source target group count")              # count: how often these very two texts stand together

BULLET = re.compile(r"\s*(?:[-*+•·o–]|\d+[.)])\s+")


def group_of(name):
    """A source package without the versions in its name: gcc-11 and gcc-12 describe the same things and stay together."""
    return re.sub(r"[-.]?\d[\d.]*", "", name) or name


def read_groups(paths):
    """{md5: group} of Packages files; a text shared by several source packages belongs to the first."""
    groups = {}
    for path in paths:
        for stanza in read_stanzas(path, ("Package", "Source", "Description-md5")):
            if "Description-md5" in stanza:
                source = stanza.get("Source", stanza["Package"])[0].split()[0]
                groups.setdefault(stanza["Description-md5"][0], group_of(source))
    return groups


def read_translations(paths, language):
    """{md5: Description} of Translation files; English is one of the languages."""
    field = "Description-" + language
    found = {}
    for path in paths:
        for stanza in read_stanzas(path, ("Package", "Description-md5", field)):
            if "Description-md5" in stanza and field in stanza:
                title, *body = stanza[field]
                found.setdefault(stanza["Description-md5"][0], Description(stanza["Package"][0], title, body))
    return found


def segments(body):
    """[(kind, text)]: "text" is a paragraph, "item" a list item, each on one line; "verbatim" is an indented line of neither."""
    found, kind, lines = [], None, []

    def end():
        nonlocal kind, lines
        if lines:
            found.append((kind, " ".join(lines)))
        kind, lines = None, []

    for line in body:
        if line.strip() in ("", "."):
            end()
        elif BULLET.match(line):
            end()
            kind, lines = "item", [BULLET.sub("", line, count=1)]
        elif line.startswith(" ") and kind == "item":
            lines.append(line)
        elif line.startswith(" "):
            end()
            found.append(("verbatim", line))
        else:
            if kind == "item":
                end()
            kind = "text"
            lines.append(line)
    end()
    return found


def segment_pairs(english, translated):
    """The title and, where both bodies have the same kinds in the same order, the paragraphs and items. Gives (pairs, same structure)."""
    pairs = [(english.title, translated.title)]
    ours, theirs = segments(english.body), segments(translated.body)
    same = [kind for kind, _ in ours] == [kind for kind, _ in theirs]
    if same:
        pairs += [(a, b) for (kind, a), (_, b) in zip(ours, theirs) if kind != "verbatim"]
    return pairs, same


def parallel_pairs(english, translated, groups, account):
    """Every two texts that translate each other, once, in the order of the md5 sums."""
    first, count = {}, Counter()
    for md5 in sorted(translated):
        if md5 not in english:
            account["descriptions without their English text"] += 1
            continue
        pairs, same = segment_pairs(english[md5], translated[md5])
        account["descriptions of another structure, only the title is used"] += not same
        for pair in pairs:
            first.setdefault(pair, groups.get(md5) or group_of(english[md5].package))
            count[pair] += 1
    account["segments that repeat another with the same translation"] += sum(count.values()) - len(count)
    return [Pair(source, target, group, count[source, target]) for (source, target), group in first.items()]
