"""Damaged files: cut off, overwritten, spliced. Each gives a sentence or a sound session, soon, and never a crash."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import damage

FILES = sorted(path.name for path in damage.FOLDER.iterdir() if path.suffix in (".pickle", ".mosaic"))
PICKLES = [name for name in FILES if name.endswith(".pickle")]
MUTATIONS = 15_000


def run(kind: str, name: str, first: int, count: int) -> dict[str, int]:
    """The outcomes of many damaged copies, read in a process of their own."""
    command = [sys.executable, damage.__file__, kind, name, str(first), str(count)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    lines = done.stdout.splitlines()
    wrong = [line for line in lines if line.startswith("wrong")]
    last = next((line for line in reversed(lines) if line.startswith("at")), "before the first")
    assert done.returncode == 0, f"{kind} of {name}: ended with {done.returncode} {last}\n{done.stderr[-2000:]}"
    assert not wrong, f"{kind} of {name}, to be repeated with damage.py {kind} {name} NUMBER 1:\n" + "\n".join(
        wrong[:20]
    )
    outcomes: dict[str, int] = json.loads(lines[-1])
    assert sum(outcomes.values()) == count
    return outcomes


@pytest.mark.parametrize("name", PICKLES)
def test_a_file_cut_off_anywhere_is_refused(name: str) -> None:
    count = len(damage.boundaries(name))
    assert count > 1000
    assert run("truncations", name, 0, count) == {"session": 0, "refused": count}


@pytest.mark.parametrize("name", sorted(set(FILES) - set(PICKLES)))
def test_an_indexed_file_cut_off_is_refused_or_loses_its_last_sections(name: str) -> None:
    data = damage.original(name)
    whole = len(data)
    for size in [*range(0, 2000, 7), *range(2000, whole, whole // 300)]:
        outcome = damage.outcome(data[:size])
        assert outcome == "refused" or size > damage.boundaries(name)[-1], size
    assert damage.outcome(data[:-1]) == "session"


@pytest.mark.parametrize("name", FILES)
def test_damaged_files_are_refused_or_open_soundly(name: str) -> None:
    outcomes = run("mutations", name, 0, MUTATIONS // len(FILES) + 1)
    assert min(outcomes.values()) > 0, "the damage is too little or too much to test anything"


def test_a_damaged_copy_is_made_from_its_number_alone() -> None:
    name = "mosaic-colabseg.pickle"
    copies = [damage.mutation(name, number) for number in range(20)]
    assert [damage.mutation(name, number) for number in range(20)] == copies
    assert len(set(copies)) == 20


def test_a_process_that_ends_early_is_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "crash.py"
    script.write_text("import os\nprint('at 7', flush=True)\nos.abort()\n")
    monkeypatch.setattr(damage, "__file__", str(script))
    with pytest.raises(AssertionError, match="ended with -6 at 7"):
        run("mutations", FILES[0], 0, 1)
