"""The one kind of error a user is told about."""


class Failure(Exception):
    """What went wrong, then what to do about it: each argument is one line."""

    def __init__(self, *lines):
        super().__init__("\n".join(lines))


OWN_FILES = "To train on two parallel files of your own instead: scripts/quickstart.sh SRC TGT"
