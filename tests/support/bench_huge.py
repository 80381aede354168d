"""The part of the benchmark for 1e8 points: a session of 4.4 GB, opened and saved, each in a process of its own."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
POINTS = 100_000_000
DISK = 12 * 10**9  # bytes: the session, what is saved of it, and some air


def huge(
    folder: Path, report: Callable[..., None], memory_of: Callable[[str, Path | None], dict[str, int] | None]
) -> None:
    """Opening and saving beside a plain read of the file, which is read into fresh memory by the same Python."""
    free = shutil.disk_usage(folder).free
    if free < DISK:
        print(f"huge: needs {DISK / 1e9:.0f} GB in {folder}, where {free / 1e9:.0f} GB are free")
        return
    path, saved = folder / "huge.pickle", folder / "saved.pickle"
    in_process(f"bench.points_file({POINTS}).rename({str(path)!r})")
    size = path.stat().st_size / 2**20
    opens, saves = f"bench.import_session({str(path)!r})", f"bench.save(made.collection, bench.Path({str(saved)!r}))"
    in_process(f"bench.Path({str(path)!r}).read_bytes()")  # into the page cache
    (plain,) = in_process(f"bench.Path({str(path)!r}).read_bytes()")
    (opened,) = in_process(opens)
    report(f"import {POINTS:,} points / a plain read into fresh memory", opened, plain, 1.2, "once")
    peak = memory_of(f"made = {opens}", None)
    if peak is not None:
        report("peak memory of it / file", peak["all"] / 2**20, size, 1.25, "all resident pages", "MiB")
    _, took = in_process(opens, saves)
    report("export of it / a plain read into fresh memory", took, plain, None, "once")
    saved.unlink()
    peak = memory_of(saves.replace("made", "kept"), path)
    if peak is not None:
        report("peak memory of the export / file", peak["all"] / 2**20, size, 0.2, "all resident pages", "MiB")


def in_process(*works: str) -> list[float]:
    """Do one thing after the other in a fresh process, which calls what the first one makes `made`.

    Returns the seconds that each took.
    """
    lines = [
        "import os, sys, time",
        "sys.argv = ['bench.py']",
        f"sys.path.insert(0, {str(ROOT)!r})",
        "from tests.support import bench",
        "bench.empty_blender()",
    ]
    for number, work in enumerate(works):
        lines += ["start = time.perf_counter()", f"{'made = ' if not number else ''}{work}"]
        lines += ["print('took', time.perf_counter() - start)"]
    lines += ["bench.shutil.rmtree(bench.FOLDER, ignore_errors=True)", "sys.stdout.flush()", "os._exit(0)"]
    answer = subprocess.run([sys.executable, "-c", "\n".join(lines)], check=True, capture_output=True, text=True)
    return [float(line.split()[1]) for line in answer.stdout.splitlines() if line.startswith("took")]
