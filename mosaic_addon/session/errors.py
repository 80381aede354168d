"""The one error that is meant for the user."""

import unicodedata


class MosaicError(Exception):
    """An error that the user can act on, told in one sentence: which file, which object, what to do.

    Operators report it, the command line prints it and exits with code 1. Any other exception is a bug.
    """

    def __init__(self, sentence: str) -> None:
        super().__init__(printable(sentence))


MAX_SHOWN = 80  # characters of a text from a file within a line
# Control characters, those that turn the direction of text or cannot be seen, and ends of lines.
UNSEEN = ("Cc", "Cf", "Zl", "Zp")


def printable(text: str) -> str:
    """Make a text safe for one line of a terminal.

    Control characters, and those that cannot be seen or turn the text round, become spaces; lone surrogates become
    question marks.
    """
    text = "".join(" " if unicodedata.category(c) in UNSEEN else c for c in text)
    return text.encode("utf-8", "replace").decode("utf-8")


def brief(text: str) -> str:
    """Make a text from a file fit to stand in a line: short and printable."""
    return printable(text[:MAX_SHOWN]) + ("…" if len(text) > MAX_SHOWN else "")


def one_line(error: Exception) -> str:
    """Return what Blender says of an error, in one line."""
    return " ".join(str(error).split()).removeprefix("Error: ")
