"""Debian's control files: stanzas of `Name: value` with continuation lines."""


def stanzas(lines, wanted):
    """The wanted fields of each stanza, as {name: [first line, continuation, ...]}; a stanza without any is left out."""
    stanza, value = {}, None
    for line in lines:
        line = line.rstrip("\n")
        if not line:
            if stanza:
                yield stanza
            stanza, value = {}, None
        elif line[0] in " \t":
            if value is not None:
                value.append(line[1:])
        else:
            name, _, first = line.partition(":")
            value = None
            if name in wanted:
                value = stanza[name] = [first.strip()]
    if stanza:
        yield stanza


def read_stanzas(path, wanted):
    """A line ends in LF and nothing else: other separators occur inside texts."""
    with open(path, encoding="utf-8", errors="replace", newline="\n") as file:
        yield from stanzas(file, wanted)
