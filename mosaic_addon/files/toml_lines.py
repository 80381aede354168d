"""Where each key of a TOML file stands, as Python's reader does not say."""

import re
import tomllib
from typing import TypeAlias

Path: TypeAlias = tuple[str | int, ...]  # keys of tables and indices of arrays, from the outermost

# https://toml.io/en/v1.0.0: strings of several lines come first, since they begin like those of one.
_STRING = r'"""(?:[^\\]|\\.)*?"{3,5}(?!")|' + r"'''.*?'{3,5}(?!')|" + r'"(?:[^"\\\n]|\\.)*"|' + r"'[^'\n]*'"
_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_KEY = re.compile(rf"[ \t]*({_STRING}|[A-Za-z0-9_-]+)[ \t]*", re.DOTALL)
_SCALAR = re.compile(rf"{_STRING}|[^,\]}}#\n]+", re.DOTALL)


def lines_of(text: str) -> dict[Path, int]:
    """Return the line, from 1, of each key and array element of a TOML text that `tomllib` reads."""
    return _Reader(text).read()


class _Reader:
    """Walks over a valid text; each method leaves `at` behind what it read."""

    def __init__(self, text: str) -> None:
        self.text = text.replace("\r\n", "\n")
        self.at = 0
        self.lines: dict[Path, int] = {}
        self.counts: dict[Path, int] = {}  # of the tables in an array of tables
        self.counted = (0, 1)  # a place in the text and its line

    def read(self) -> dict[Path, int]:
        table: Path = ()
        while self.skip() < len(self.text):
            if self.text[self.at] == "[":
                table = self.header()
            else:
                self.pair(table)
        return self.lines

    def skip(self) -> int:
        match = _BLANK.match(self.text, self.at)
        assert match is not None
        self.at = match.end()
        return self.at

    def note(self, path: Path) -> None:
        place, line = self.counted
        self.counted = self.at, line + self.text.count("\n", place, self.at)
        self.lines.setdefault(path, self.counted[1])

    def header(self) -> Path:
        """Read [table] or [[table]]. Returns the table's path."""
        brackets = 2 if self.text.startswith("[[", self.at) else 1
        self.at += brackets
        path: Path = ()
        for key in self.dotted():
            path = (*path, key)
            last = path
            self.note(path)
            if path in self.counts:
                path = (*path, self.counts[path] - 1)
        if brackets == 2:
            count = self.counts.get(last, 0)
            path = (*last, count)
            self.counts[last] = count + 1
            self.note(path)
        self.at += brackets
        return path

    def dotted(self) -> list[str]:
        """Read the parts of a key."""
        keys: list[str] = []
        while not keys or self.text[self.at] == ".":
            match = _KEY.match(self.text, self.at + bool(keys))
            assert match is not None
            self.at = match.end()
            quoted = match[1]
            keys.append(next(iter(tomllib.loads(f"{quoted} = 0"))) if quoted[0] in "\"'" else quoted)
        return keys

    def pair(self, table: Path) -> None:
        """Read key = value."""
        path = table
        for key in self.dotted():
            path = (*path, key)
            self.note(path)
        self.at += 1
        self.value(path)

    def value(self, path: Path) -> None:
        self.skip()
        opening = self.text[self.at]
        if opening not in "[{":
            match = _SCALAR.match(self.text, self.at)
            assert match is not None
            self.at = match.end()
            return
        self.at += 1
        count = 0
        while self.text[self.skip()] not in "]}":
            if opening == "{":
                self.pair(path)
            else:
                self.note((*path, count))
                self.value((*path, count))
            count += 1
            if self.text[self.skip()] == ",":
                self.at += 1
        self.at += 1
