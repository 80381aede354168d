"""The one error that is meant for the user."""

import unicodedata


class MosaicError(Exception):
    """Something the user can act on, said in one sentence: which file, which object, what to do.

    Operators report it, the command line prints it and exits with code 1. Any other exception is a bug.
    """

    def __init__(self, sentence: str) -> None:
        super().__init__(printable(sentence))


def printable(text: str) -> str:
    """`text` on one line, safe for a terminal: control characters and lone surrogates become spaces or "?"."""
    text = "".join(" " if unicodedata.category(c) in ("Cc", "Zl", "Zp") else c for c in text)
    return text.encode("utf-8", "replace").decode("utf-8")
