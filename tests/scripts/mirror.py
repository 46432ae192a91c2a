"""A mirror of a few made-up packages in a folder, and an apt configuration that knows no other."""
import hashlib
import os
import subprocess

from corpus.apt_lists import release_name

PARTS = "ba ce di fo gu ha je ki lo mu na pe ri so tu va we xi yo zu".split()


def word(number):
    return PARTS[number % 20] + PARTS[number // 20 % 20] + PARTS[(number * 7 + 3) % 20]


def sentence(package, number, prefix=""):
    """Eight words that only this package's text has."""
    return " ".join(prefix + word(package * 61 + number * 17 + i * i * 5 + i) for i in range(8)) + "."


def description(package, prefix=""):
    title = sentence(package, 1, prefix)[:-1]
    return "%s\n %s\n .\n  * %s\n  * %s\n" % (title, sentence(package, 2, prefix), sentence(package, 3, prefix), sentence(package, 4, prefix))


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def make_mirror(folder, packages=300, languages=("it",)):
    """Writes folder/dists/RELEASE. The translation is the English text with each word marked by a q."""
    native = subprocess.run(["dpkg", "--print-architecture"], capture_output=True, text=True, check=True).stdout.strip()
    release = os.path.join(folder, "dists", release_name())
    numbers = range(packages)
    md5 = [hashlib.md5(description(i).encode()).hexdigest() for i in numbers]
    files = {"main/binary-%s/Packages" % native: "".join(
        "Package: p%s\nSource: s%s (1.0)\nArchitecture: %s\nVersion: 1\nDescription: %s\nDescription-md5: %s\n"
        "Filename: p.deb\nSize: 1\nSHA256: %064d\n\n" % (word(i), word(i), native, sentence(i, 1), md5[i], i) for i in numbers)}
    for language in ("en", *languages):
        prefix = "" if language == "en" else "q"
        files["main/i18n/Translation-" + language] = "".join(
            "Package: p%s\nDescription-md5: %s\nDescription-%s: %s\n" % (word(i), md5[i], language, description(i, prefix)) for i in numbers)
    sums = ""
    for name, text in files.items():
        write(os.path.join(release, name), text)
        sums += " %s %d %s\n" % (hashlib.sha256(text.encode()).hexdigest(), len(text.encode()), name)
    write(os.path.join(release, "Release"), "Origin: Test\nLabel: Test\nSuite: %s\nCodename: %s\nVersion: 1.0\nDate: Sat, 11 Jul 2026 10:16:37 UTC\n"
          "Architectures: %s\nComponents: main\nSHA256:\n%s" % (release_name(), release_name(), native, sums))


def apt_configuration(folder, uri):
    """The path of an apt.conf whose only source is uri. Like slim images, it wants no languages and compressed lists."""
    write(os.path.join(folder, "sources.list"), "# a comment\ndeb [trusted=yes] %s %s main\n" % (uri, release_name()))
    write(os.path.join(folder, "machine.conf"), 'Dir::Etc::sourcelist "%s";\nDir::Etc::sourceparts "/dev/null";\nAcquire::Languages { "none"; };\n'
          'Acquire::GzipIndexes "true";\nAPT::Update::Post-Invoke { "touch %s/hook-ran"; };\n' % (os.path.join(folder, "sources.list"), folder))
    return os.path.join(folder, "machine.conf")
