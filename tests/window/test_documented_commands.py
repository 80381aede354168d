"""Every command that README.md and docs/*.md print runs as it stands there, in a fresh clone.

Only the pictures are made small, by options after those that are printed, which go before them: see `quick`. Two
commands run at a time; one that names a file of an earlier one waits for it.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from mosaic_addon.cli import _joined, _parser

ROOT = Path(__file__).resolve().parents[2]
PAGES = ["README.md", *(f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md")))]

# Commands that are not run here, and who runs them instead.
ELSEWHERE = {
    "python3 build.py demo": "minutes; docs/demo.png is its picture",
    "python3 build.py test": "this is it",
    "python3 build.py check": "a stage of .ci/run",
    "python3 build.py zip": "tests/test_packaging.py, and the fixture `user`",
    "python3 build.py looks": "minutes; the pictures are in git",
    "python3 build.py bench": "minutes; measures and holds nothing",
    "apt-get install": "a stage of .ci/run",
    "BLENDER=/path/to/blender MOSAIC_PYTHON=/path/to/venv/bin/python python3 build.py test": "a stage of .ci/run",
    "MOSAIC_PYTHON=/path/to/venv/bin/python .venv/5.2/bin/python tests/support/compare_pictures.py": (
        "tests/scene/test_pictures_agree.py"
    ),
}


def blocks(page: str) -> Iterator[list[str]]:
    """The lines of each block of a page that four spaces indent, after an empty line."""
    block: list[str] = []
    before, fenced = "", False
    for line in [*(ROOT / page).read_text("utf-8").splitlines(), ""]:
        fenced ^= line.startswith("```")
        if line.startswith("    ") and not fenced and (block or not before):
            block.append(line[4:])
        elif block and line:
            yield block
            block = []
        before = line
    if block:
        yield block


def commands(block: list[str]) -> list[str]:
    """The commands of a block, without what is said of them behind two spaces."""
    return [line.split("  ")[0] for line in block if not line.startswith(" ")]


def elsewhere(command: str) -> bool:
    return any(command == known or command.startswith(f"{known} ") for known in ELSEWHERE)


def is_python(block: list[str]) -> bool:
    return block[0].startswith("from mosaic_addon import api")


def of_pages() -> list[list[str]]:
    found = [block for page in PAGES for block in blocks(page)]
    assert len(found) > 8, "the blocks are not found"
    return found


def test_each_block_is_known() -> None:
    """What is neither run nor told to be run elsewhere would be left out silently."""
    for block in of_pages():
        if is_python(block):
            continue
        if block[0].startswith("{"):
            assert json.loads("".join(block)) == json.loads((ROOT / "docs/examples/camera.json").read_text())
            continue
        for command in commands(block):
            assert elsewhere(command) or command.startswith(("mosaic", "blender -c mosaic ")), command


def test_each_command_has_options_that_there_are() -> None:
    parser = _parser()
    lines = [command.split() for block in of_pages() for command in commands(block)]
    for words in (words[1:] for words in lines if words and words[0] == "mosaic"):
        assert parser.parse_args(_joined(words)), words  # a wrong one raises SystemExit


def quick(command: str) -> str:
    """The command with a small picture, of one sample for each pixel, if it renders one."""
    if command.startswith("mosaic render "):
        smaller = "--dpi 20" if " --mm " in command else "--size 64x36"
        return f"{command} {smaller} --samples 1"
    if command.startswith("mosaic film "):
        return f"{command} --seconds 1 --fps 6 --size 64x48 --samples 1 --engine workbench"
    if command.startswith("mosaic figure "):
        return f"{command} --preview"
    written = "api.RenderOptions(size=(640, 360),"
    small = command.replace(written, "api.RenderOptions(size=(64, 36), samples=1,")
    assert ("RenderOptions" in command) == (small != command), f"the picture of this is not made small: {command}"
    return small


def files_of(command: str) -> set[str]:
    """The names in a command that may be files which another one writes."""
    return {word for word in re.findall(r"[\w./-]*\w\.[a-z]{3,6}\b", command) if not (ROOT / word).is_file()}


def scripts() -> Iterator[str]:
    """What bash is to run for each command, or block of Python, in the order of the pages."""
    shell = "set -eu"
    for block in of_pages():
        if is_python(block):
            yield "\n".join([".venv/5.2/bin/python - <<'END'", *map(quick, block), "END"])
        elif block[0].startswith("mosaic() {"):
            shell = "\n".join([shell, *block])
        elif not block[0].startswith("{"):
            yield from (f"{shell}\n{quick(command)}" for command in commands(block) if not elsewhere(command))


def fresh_clone(folder: Path) -> Path:
    files = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\0")
    for name in filter(None, files):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes((ROOT / name).read_bytes())
    (folder / ".venv").mkdir(exist_ok=True)
    (folder / ".venv" / "5.2").symlink_to(sys.prefix)
    return folder


def test_each_command_runs(real_blender: str, user: dict[str, str], tmp_path: Path) -> None:
    clone, programs = fresh_clone(tmp_path / "clone"), tmp_path / "programs"
    programs.mkdir()
    (programs / "blender").symlink_to(real_blender)
    environment = {**user, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}
    environment.pop("PYTHONPATH", None)

    def run(script: str, before: list[Future[None]]) -> None:
        for future in before:
            future.result()
        done = subprocess.run(
            ["bash", "-c", script], cwd=clone, env=environment, capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, script + done.stdout[-2000:] + done.stderr[-4000:]

    running: list[tuple[set[str], Future[None]]] = []
    with ThreadPoolExecutor(2) as two:  # begins in order, so that none waits for one that has not begun
        for script in scripts():
            names = files_of(script)
            before = [future for others, future in running if names & others]
            running.append((names, two.submit(run, script, before)))
    assert len(running) > 15
    for _, future in running:
        future.result()
    for made in (
        "virion.blend",
        "both.blend",
        "virion.mosaic",
        "poster.png",
        "print.png",
        "print.tif",
        "cover.png",
        "film.mp4",
        "restyled.pickle",
        "old.pickle",
        "renamed.pickle",
    ):
        assert (clone / made).stat().st_size > 1000, made
