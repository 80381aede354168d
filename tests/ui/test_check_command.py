"""`check` on the command line: what differs between two sessions, a line each or as JSON."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from mosaic_addon import cli
from mosaic_addon.cli import info
from mosaic_addon.session import open_session
from mosaic_addon.session.compare import Difference, compare
from tests.support.edited_sessions import dumps, load_editable
from tests.support.make_sessions import (
    cloud,
    write_session,
)

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "tests" / "sessions"


@pytest.fixture
def changed(tmp_path: Path) -> Path:
    state = load_editable(FOLDER / "mosaic-1.3.2.pickle")
    state["_data"].state["data"].pop(0)
    (tmp_path / "changed.pickle").write_bytes(dumps(state, 4))
    return tmp_path / "changed.pickle"


def run(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str, str]:
    code = cli.main(["check", *map(str, arguments)])
    out, error = capsys.readouterr()
    return code, out, error


def test_check_prints_a_line_for_each_difference(changed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    original = FOLDER / "mosaic-1.3.2.pickle"
    assert run(capsys, original, original) == (0, "Nothing differs.\n", "")
    code, out, error = run(capsys, original, changed)
    assert (code, error) == (1, "")
    assert out.splitlines() == [str(found) for found in compare(open_session(original), open_session(changed))]
    assert "clusters 'plain cloud': object: cluster, 300 points -> not there" in out.splitlines()


def test_check_prints_json(changed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    original = FOLDER / "mosaic-1.3.2.pickle"
    code, out, error = run(capsys, original, changed, "--json")
    assert (code, error) == (1, "")
    differences = [Difference(**entry) for entry in json.loads(out)["differences"]]
    assert differences == compare(open_session(original), open_session(changed))
    assert run(capsys, "--json", original, original) == (0, '{\n  "differences": []\n}\n', "")


def test_check_prints_the_first_of_many(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, visible in (("left.pickle", True), ("right.pickle", False)):
        write_session(tmp_path / name, [cloud(str(i), uuid=str(i), visible=visible) for i in range(150)])
    code, out, _ = run(capsys, tmp_path / "left.pickle", tmp_path / "right.pickle")
    assert code == 1
    assert len(out.splitlines()) == info.SHOWN_DIFFERENCES + 1
    assert out.splitlines()[-1] == "and 50 more; --json lists all"


def test_check_says_what_cannot_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, error = run(capsys, FOLDER / "mosaic-1.3.2.pickle", tmp_path / "none.pickle")
    assert (code, out) == (1, "")
    assert error.startswith(f"mosaic: error: {tmp_path / 'none.pickle'} does not exist")
    assert run(capsys, tmp_path)[0] == 2


def test_check_needs_no_blender() -> None:
    code = "import sys; from mosaic_addon import cli; c = cli.main(sys.argv[1:]); assert 'bpy' not in sys.modules; sys.exit(c)"
    path = str(FOLDER / "mosaic-1.0.0.pickle")
    answer = subprocess.run([sys.executable, "-c", code, "check", path, path], cwd=ROOT, timeout=60, check=False)
    assert answer.returncode == 0
