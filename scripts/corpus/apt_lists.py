"""A private apt root: package lists and translations of the machine's own Debian mirror, without root and without touching apt's state.

Asks for the main component of the release this machine runs and nothing else, so that two machines of one release get the same text.
"""
import os
import re
import shutil
import subprocess
import threading
from collections import namedtuple

from corpus.control import stanzas
from corpus.failure import OWN_FILES, Failure

Index = namedtuple("Index", "language path uri release")     # language is "" for a Packages file

STABLE_NAMES = ("oldstable", "stable", "testing", "unstable", "sid")
TARGET_FIELDS = ("Created-By", "Language", "Filename", "URI", "Repo-URI", "Release", "Component", "Sourcesentry", "Codename", "Version", "Origin")
# Seconds. An unreachable mirror is given up on after about half a minute; no download may take longer than LIMIT.
WAIT, RETRIES, LIMIT = 10, 1, 900


def run_apt(arguments, config=None):
    environment = dict(os.environ, LC_ALL="C")
    if config:
        environment["APT_CONFIG"] = config
    done = subprocess.run(arguments, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace")
    if done.returncode:
        raise Failure("%s failed: %s" % (" ".join(arguments[:2]), last_complaint(done.stderr)), OWN_FILES)
    return done.stdout


def index_targets(arguments, config=None):
    """What apt would download, or has, one dict an index file."""
    text = run_apt(["apt-get", "indextargets", *arguments], config)
    return [{name: lines[0] for name, lines in target.items()} for target in stanzas(text.splitlines(True), TARGET_FIELDS)]


def release_name():
    with open("/etc/os-release", encoding="utf-8") as file:
        found = re.search(r'^VERSION_CODENAME="?(\w+)', file.read(), re.M)
    return found.group(1) if found else ""


def of_this_release(targets):
    """Targets of the main component of this release; of a release that goes by a name like stable where none carries the code name."""
    main = [t for t in targets if t.get("Component") == "main"]
    return [t for t in main if t["Release"] == release_name()] or [t for t in main if t["Release"] in STABLE_NAMES]


def source_entry(entry):
    """The text of FILE:N, as apt names an entry: line N of a .list file, stanza N of a .sources file."""
    path, _, number = entry.rpartition(":")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    if not path.endswith(".sources"):
        return text.split("\n")[int(number) - 1] + "\n"
    blocks = [b for b in re.split(r"\n(?:[ \t]*\n)+", text) if re.search(r"^[A-Za-z]", b, re.M)]
    return blocks[int(number) - 1].strip("\n") + "\n\n"


def kept_settings(dump):
    """Lines of apt-config dump that a download needs: proxies, timeouts, the architecture. Not languages, indexes, hooks or folders."""
    wanted = re.compile(r"(Acquire::(?!Languages|IndexTargets|GzipIndexes|Retries)|APT::Architecture )")
    return [line for line in dump.splitlines() if wanted.match(line)]


class AptRoot:
    """Lists, cache and configuration below one folder."""

    def __init__(self, folder):
        if not shutil.which("apt-get"):
            raise Failure("apt-get was not found: this corpus is made from the package lists of a Debian system", OWN_FILES)
        self.folder = os.path.abspath(folder)
        self.config = os.path.join(self.folder, "apt.conf")
        self.options = ["-o", "Dir::Etc::sourcelist=/dev/null", "-o", "Dir::Etc::sourceparts=" + os.path.join(self.folder, "sources"),
                        "-o", "Dir::State::lists=" + os.path.join(self.folder, "lists"),
                        "-o", "Dir::Cache=" + os.path.join(self.folder, "cache"),
                        "-o", "Dir::Cache::pkgcache=", "-o", "Dir::Cache::srcpkgcache=", "-o", "APT::Sandbox::User=root"]

    def configure(self):
        """Copies what a download needs of the machine's configuration: the entries of this release, proxies."""
        for name in ("sources", "lists/partial", "cache/archives/partial"):
            os.makedirs(os.path.join(self.folder, name), exist_ok=True)
        targets = of_this_release(index_targets(["--no-release-info"]))
        entries = sorted({t["Sourcesentry"] for t in targets if not t["Repo-URI"].startswith("cdrom:")})
        if not entries:
            raise Failure("apt has no source for the main component of %s" % (release_name() or "this release"),
                          "Add Debian's mirror to /etc/apt/sources.list.d and try again.", OWN_FILES)
        for suffix in (".list", ".sources"):
            with open(os.path.join(self.folder, "sources", "debian" + suffix), "w", encoding="utf-8") as file:
                file.writelines(source_entry(e) for e in entries if e.rpartition(":")[0].endswith(".sources") == (suffix == ".sources"))
        dump = run_apt(["apt-config", "dump"])
        native = re.search(r'^APT::Architecture "(.*)";', dump, re.M).group(1)
        settings = ['Dir::Etc::main "/dev/null";', 'Dir::Etc::parts "/dev/null";', 'APT::Architectures:: "%s";' % native,
                    'Acquire::GzipIndexes "false";', 'Acquire::Retries "%d";' % RETRIES,
                    'Acquire::IndexTargets::deb-src::Sources::DefaultEnabled "false";']
        with open(self.config, "w", encoding="utf-8") as file:
            file.write("\n".join(kept_settings(dump) + settings) + "\n")

    def update(self, languages, report, wait=WAIT):
        """Downloads what is missing or old. Gives apt's last complaint, "" for none: whether it matters, the files tell."""
        # One comma-separated list: several list items would not override a configuration that says "none".
        command = ["apt-get", *self.options, "-o", "Acquire::Languages=" + ",".join(["en", *languages]), "-o", "Acquire::PDiffs=false",
                   *[x for kind in ("http", "https") for x in ("-o", "Acquire::%s::Timeout=%d" % (kind, wait))], "-q", "update"]
        environment = dict(os.environ, LC_ALL="C", APT_CONFIG=self.config)
        complaints = []
        with subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              errors="replace") as apt:
            timer = threading.Timer(LIMIT, apt.terminate)
            timer.start()
            try:
                for line in apt.stdout:
                    if line.startswith(("Get:", "Fetched ")):
                        report("  " + line.rstrip())
                    elif line.startswith(("E: ", "W: ", "  ")):      # what apt indents tells more about an error
                        complaints.append(line)
            except BaseException:
                apt.terminate()
                raise
            finally:
                timer.cancel()
        return last_complaint("".join(complaints)) if apt.returncode or complaints else ""

    def indexes(self, languages):
        """The files that are there for these languages, by kind and URI."""
        arguments = [*self.options, "-o", "Acquire::Languages=" + ",".join(["en", *languages])]
        found = set()
        for t in of_this_release(index_targets(arguments, self.config)):
            if t["Created-By"] in ("Packages", "Translations") and os.path.exists(t["Filename"]):
                release = " ".join(t.get(name, "") for name in ("Origin", "Version", "Codename", "Component")).strip()
                found.add(Index(t.get("Language", ""), t["Filename"], t["URI"], release))
        return sorted(found, key=lambda index: (index.language, index.uri))

    def languages_of_mirror(self):
        """The languages that the downloaded release files name."""
        found = set()
        lists = os.path.join(self.folder, "lists")
        for name in os.listdir(lists):
            if name.endswith("Release"):
                with open(os.path.join(lists, name), encoding="utf-8", errors="replace") as file:
                    found.update(re.findall(r" main/i18n/Translation-(\w+)(?:\.\w+)?$", file.read(), re.M))
        return sorted(found - {"en"})


def last_complaint(text):
    """What says most about why apt failed: a failed file, else what it says below a failed address, else its last error or line."""
    lines = [line for line in text.splitlines() if line.strip()]
    failed = [line for line in lines if "Failed to fetch" in line or "No space" in line]
    below = [line for line in lines if line.startswith("  ")]
    errors = [line for line in lines if line.startswith("E: ")]
    return (failed or below or errors or lines or ["it said nothing"])[-1].strip()
