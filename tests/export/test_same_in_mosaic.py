"""The comparison that the real Mosaic makes finds nothing between equal sessions, and every change."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.support.edited_sessions import EDITS, dumps, load_editable

FOLDER = Path(__file__).parents[1] / "sessions"
SCRIPT = Path(__file__).parents[1] / "support" / "same_in_mosaic.py"
FILES = sorted(path for path in FOLDER.iterdir() if path.suffix in (".pickle", ".mosaic"))
MANY = f"""
import json, sys
sys.path.insert(0, {str(SCRIPT.parent)!r})
import same_in_mosaic
out, sys.stdout = sys.stdout, sys.stderr
for left, right in json.loads(sys.argv[1]):
    print(json.dumps(same_in_mosaic.compare_files([left, right])), file=out, flush=True)
"""


def compare(python: str, pairs: Sequence[tuple[Path, Path]]) -> list[dict[str, Any]]:
    """What `same_in_mosaic.py` prints of each pair, in one process."""
    names = json.dumps([[str(path) for path in pair] for pair in pairs])
    answer = subprocess.run([python, "-c", MANY, names], capture_output=True, text=True, timeout=600, check=False)
    reports = [json.loads(line) for line in answer.stdout.splitlines()]
    assert len(reports) == len(pairs), answer.stderr[-2000:]
    return reports


def test_a_file_is_the_same_as_itself(mosaic_python: str) -> None:
    for path, report in zip(FILES, compare(mosaic_python, [(path, path) for path in FILES]), strict=True):
        assert report["differences"] == [], path.name
        assert report["compared"] == ("loaded" if report["loads"] == [True, True] else "pickles")


def test_the_protocol_makes_no_difference(mosaic_python: str, tmp_path: Path) -> None:
    pairs = []
    for path in FILES:
        for protocol in (2, 4) if path.suffix == ".pickle" else ():
            copy = tmp_path / f"{path.stem}-{protocol}.pickle"
            copy.write_bytes(dumps(load_editable(path), protocol))
            pairs.append((path, copy))
    for pair, report in zip(pairs, compare(mosaic_python, pairs), strict=True):
        assert report["differences"] == [], pair[1].name


def test_every_change_is_found(mosaic_python: str, tmp_path: Path) -> None:
    plain = tmp_path / "plain.pickle"
    plain.write_bytes(dumps(load_editable(FOLDER / "mosaic-1.3.2.pickle"), 4))
    pairs = [(plain, plain)]
    for number, edit in enumerate(EDITS.values()):
        state = load_editable(plain)
        edit(state)
        changed = tmp_path / f"{number}.pickle"
        changed.write_bytes(dumps(state, 4))
        pairs.append((plain, changed))
    same, *reports = compare(mosaic_python, pairs)
    assert same["differences"] == []
    assert [name for name, report in zip(EDITS, reports, strict=True) if not report["differences"]] == []


def test_a_file_that_only_one_of_both_loads_is_told(mosaic_python: str, tmp_path: Path) -> None:
    broken = tmp_path / "broken.pickle"
    pickles = [path for path in FILES if path.suffix == ".pickle"]
    reports = compare(mosaic_python, [(path, path) for path in pickles])
    sound = next(path for path, report in zip(pickles, reports, strict=True) if report["loads"] == [True, True])
    state = load_editable(sound)
    state["_data"].state["data"][0].state["points"] = "no points"
    broken.write_bytes(dumps(state, 4))
    (report,) = compare(mosaic_python, [(sound, broken)])
    assert report["loads"] == [True, False]
    assert report["differences"]


def test_what_mosaic_refuses_is_compared_as_pickles(mosaic_python: str, tmp_path: Path) -> None:
    """As edits of a file that no Mosaic loads, because a geometry has no representation."""
    plain, edited = tmp_path / "plain.pickle", tmp_path / "edited.pickle"
    for path in (plain, edited):
        state = load_editable(FOLDER / "mosaic-1.1.1.pickle")
        del state["_data"].state["data"][0].state["representation"]
        if path is edited:
            state["_models"].state["data"][2].state["points"][0, 0] += 1
        path.write_bytes(dumps(state, 4))
    same, changed = compare(mosaic_python, [(plain, plain), (plain, edited)])
    assert (same["loads"], same["compared"], same["differences"]) == ([False, False], "pickles", [])
    assert len(changed["differences"]) == 1
    assert "['points']: 1 of" in changed["differences"][0]


def test_the_command_says_by_its_exit_code(mosaic_python: str, tmp_path: Path) -> None:
    state = load_editable(FOLDER / "mosaic-1.1.1.pickle")
    state["_data"].state["data"].pop()
    changed = tmp_path / "changed.pickle"
    changed.write_bytes(dumps(state, 4))
    for right, code in ((FOLDER / "mosaic-1.1.1.pickle", 0), (changed, 1)):
        command = [mosaic_python, SCRIPT, FOLDER / "mosaic-1.1.1.pickle", right]
        answer = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        assert answer.returncode == code, answer.stderr
        assert bool(json.loads(answer.stdout)["differences"]) == bool(code)
