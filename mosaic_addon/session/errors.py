"""The one error that is meant for the user."""

import unicodedata


class MosaicError(Exception):
    """An error that the user can act on, told in one sentence: which file, which object, what to do.

    Operators report it, the command line prints it and exits with code 1. Any other exception is a bug.
    """

    def __init__(self, sentence: str) -> None:
        super().__init__(printable(sentence))


def printable(text: str) -> str:
    """Make a text safe for one line of a terminal: control characters become spaces, lone surrogates question marks."""
    text = "".join(" " if unicodedata.category(c) in ("Cc", "Zl", "Zp") else c for c in text)
    return text.encode("utf-8", "replace").decode("utf-8")
