"""Speed and memory, as ratios of one run: how long we take beside pickle, Blender's own PLY import and the real Mosaic.

    python3 build.py bench                      all of it, some minutes
    python3 build.py bench points triangles     one or several of: read points triangles objects memory
                                                tomogram density slices browser frames surfaces export
    python3 build.py bench huge                 1e8 points: needs 12 GB of disk and 8 GB of memory, so only if asked for
    MOSAIC_PYTHON=… python3 build.py bench      with the Python in which the real Mosaic is installed: against it, too
    BLENDER=… python3 build.py bench slices     with a real Blender: how fast slices are moved in its window, too

A time is the median of REPEATS runs (of LARGE_REPEATS for the largest files) after one that is not counted, both sides in
turn, the files in the page cache. Ratios are to be trusted more than times, and neither when the machine is busy.
"""

from __future__ import annotations

import contextlib
import gc
import os
import pickle
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
for name in [name for name in os.environ if name.startswith("BLENDER_USER_")]:
    del os.environ[name]
from tests.support.bench_files import (  # noqa: E402
    FOLDER,
    columns,
    grid,
    objects_file,
    ply_file,
    points_file,
    tomogram_file,
    trajectory_file,
    triangles_file,
)

os.environ["BLENDER_USER_RESOURCES"] = str(FOLDER / "blender")

import bpy  # noqa: E402
import numpy as np  # noqa: E402

from mosaic_addon.scene.exporting.save import save_session, unsaved_changes  # noqa: E402
from mosaic_addon.scene.importing.build import build_session  # noqa: E402
from mosaic_addon.scene.shapes.isosurface import gaussian_smooth, volume_surface  # noqa: E402
from mosaic_addon.scene.shapes.membrane import membrane_surface  # noqa: E402
from mosaic_addon.scene.shapes.voxels import voxel_surface  # noqa: E402
from mosaic_addon.session import open_session  # noqa: E402
from tests.support import make_sessions as make  # noqa: E402
from tests.support.bench_browser import COUNT, browser  # noqa: E402
from tests.support.bench_density import density  # noqa: E402
from tests.support.bench_huge import huge  # noqa: E402
from tests.support.bench_slices import slices  # noqa: E402

REPEATS, LARGE_REPEATS = 7, 3
LARGE = 10_000_000  # points, or 10 000 objects

REAL_MOSAIC = """
import os, sys, time
os.environ["QT_QPA_PLATFORM"] = "offscreen"
from mosaic.commands.session import Session
for _ in range(int(sys.argv[2])):
    session = Session(quiet=True)
    start = time.perf_counter()
    session.load_session(sys.argv[1])
    print(time.perf_counter() - start, flush=True)
    del session
"""
REAL_MOSAIC_SAVES = """
import os, sys, time
os.environ["QT_QPA_PLATFORM"] = "offscreen"
from mosaic.commands.session import Session
session = Session(quiet=True)
session.load_session(sys.argv[1])
for _ in range(int(sys.argv[2])):
    start = time.perf_counter()
    session.save_session(sys.argv[1] + ".saved.pickle")
    print(time.perf_counter() - start, flush=True)
"""


# --- measuring -------------------------------------------------------------------------------------------------------


def empty_blender() -> None:
    bpy.ops.wm.read_factory_settings(use_empty=True)
    gc.collect()


def timed(work: Callable[[], object]) -> float:
    """Seconds of one run, in an empty Blender; what the work makes is let go after the clock was read."""
    empty_blender()
    start = time.perf_counter()
    result = work()
    seconds = time.perf_counter() - start
    del result
    return seconds


def in_turn(repeats: int, *works: Callable[[], object]) -> list[float]:
    """The median of each work, all run once before and then in turn."""
    with silent_blender():
        for work in works:
            timed(work)
        rounds = [[timed(work) for work in works] for _ in range(repeats)]
    return [statistics.median(times) for times in zip(*rounds)]


def report(what: str, ours: float, theirs: float, goal: float | None, note: str = "", unit: str = "s") -> None:
    """One line: what, our figure, theirs, their ratio, the goal, and whether it is reached."""
    ratio = ours / theirs
    verdict = "" if goal is None else f"<= {goal:<5g} {'ok' if ratio <= goal else 'over'}"
    figures = f"{ours:10.4f} {theirs:10.4f} {unit:<3} {ratio:7.2f}"
    print(f"{what:<66}{figures}  {verdict:<14}{note}".rstrip(), flush=True)


def pickle_load(path: Path) -> Any:
    """Python's own reader with empty classes: the least that anyone does to read a session."""
    with make.classes_importable(), open(path, "rb") as file:
        return pickle.load(file)


def import_session(path: Path) -> Any:
    return build_session(open_session(path, wait=True), bpy.context.scene, keep=False)


def import_ply(path: Path) -> None:
    bpy.ops.wm.ply_import(filepath=str(path))
    if not bpy.data.meshes:
        raise RuntimeError("Blender imported no PLY")


@contextlib.contextmanager
def silent_blender() -> Iterator[None]:
    """Without what Blender itself prints."""
    sys.stdout.flush()
    terminal = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    try:
        yield
    finally:
        os.dup2(terminal, 1)
        os.close(terminal)
        os.close(nowhere)


def real_mosaic(path: Path, repeats: int, script: str = REAL_MOSAIC) -> float | None:
    """The median time that the real Mosaic takes to load a session, or what `script` does; None without it."""
    python = os.environ.get("MOSAIC_PYTHON")
    if not python:
        return None
    command = [python, "-c", script, str(path), str(repeats + 1)]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    return statistics.median([float(line) for line in answer.stdout.split()][-repeats:])


def repeats_for(n: int) -> tuple[int, str]:
    return (LARGE_REPEATS, f"median of {LARGE_REPEATS}") if n >= LARGE else (REPEATS, "")


# --- what is measured ------------------------------------------------------------------------------------------------


def read() -> None:
    """Reading alone."""
    for n in (100_000, 1_000_000, 10_000_000):
        path = points_file(n)
        repeats, note = repeats_for(n)
        ours, theirs = in_turn(repeats, partial(open_session, path), partial(pickle_load, path))
        report(f"read {n:,} points / pickle.load", ours, theirs, 1.0 if n >= 1_000_000 else None, note)
    path = objects_file(3000)
    ours, theirs = in_turn(REPEATS, partial(open_session, path), partial(pickle_load, path))
    report("read 3,000 objects of 200 points / pickle.load", ours, theirs, None)
    report("read 3,000 objects of 200 points / 1 s", ours, 1.0, 0.4)


def points() -> None:
    """One large point cloud, into Blender."""
    for n in (100_000, 1_000_000, 10_000_000):
        path = points_file(n)
        repeats, note = repeats_for(n)
        data = columns(n)
        named = data["vertex_properties"]._properties["curvature"]
        table = np.column_stack([data["points"], data["normals"], data["quaternions"], named])
        names = ["x", "y", "z", "nx", "ny", "nz", "q0", "q1", "q2", "q3", "curvature"]
        ply = ply_file(f"points{n}.ply", table, names)
        del data, named, table
        ours, pickled, blender = in_turn(
            repeats, partial(import_session, path), partial(pickle_load, path), partial(import_ply, ply)
        )
        ply.unlink()
        report(f"import {n:,} points / pickle.load", ours, pickled, 2.0 if n >= LARGE else None, note)
        report(f"import {n:,} points / Blender's PLY import", ours, blender, 0.4, note)
        mosaic = real_mosaic(path, repeats)
        if mosaic is not None:
            report(f"import {n:,} points / Mosaic's load_session", ours, mosaic, 0.2 if n >= LARGE else None, note)


def triangles() -> None:
    """One large mesh, into Blender."""
    for n in (100_000, 1_000_000):
        path = triangles_file(n)
        vertices, normals, faces = grid(n)
        ply = ply_file(
            f"triangles{n}.ply", np.column_stack([vertices, normals]), ["x", "y", "z", "nx", "ny", "nz"], faces
        )
        ours, pickled, blender = in_turn(
            REPEATS, partial(import_session, path), partial(pickle_load, path), partial(import_ply, ply)
        )
        report(f"import {n:,} triangles / pickle.load", ours, pickled, None)
        report(f"import {n:,} triangles / Blender's PLY import", ours, blender, 0.4)


def objects() -> None:
    """Many small objects with a material each, into Blender."""
    for distinct in (False, True):
        looks = "of a colour each" if distinct else "of equal looks"
        paths = {count: objects_file(count, distinct=distinct) for count in (1000, 5000, 20_000)}
        few, more, many = in_turn(
            REPEATS - 2, *[partial(import_session, path) for path in paths.values()]
        )  # fmt: skip
        for count, seconds in ((5000, more), (20_000, many)):
            what = f"import {count:,} objects {looks}, each / each of 1,000"
            report(what, 1000 * seconds / count, few, 1.6 if count == 20_000 else None, unit="ms")
        mosaic = real_mosaic(paths[20_000], LARGE_REPEATS)
        if mosaic is not None:
            what = f"import 20,000 objects {looks} / Mosaic's load_session"
            report(what, many, mosaic, 1.0, f"Mosaic: median of {LARGE_REPEATS}")


def tomogram() -> None:
    """A session as large as that of a tomogram, into Blender."""
    path = tomogram_file()
    ours, pickled = in_turn(LARGE_REPEATS, partial(import_session, path), partial(pickle_load, path))
    note = f"median of {LARGE_REPEATS}"
    report("import a tomogram's session / pickle.load", ours, pickled, None, note)
    mosaic = real_mosaic(path, LARGE_REPEATS)
    if mosaic is not None:
        report("import a tomogram's session / Mosaic's load_session", ours, mosaic, 1.0, note)


def frames() -> None:
    """Going from frame to frame of a trajectory, each next to the one before. Theirs is the goal, in milliseconds."""
    for count, goal in ((200, 1.0), (1000, 4.0)):
        path = trajectory_file(count, 5000)
        empty_blender()
        with silent_blender():
            import_session(path)
        scene = bpy.context.scene
        times = []
        for frame in [*range(1, 21), *range(1, 201)]:  # some that do not count first
            start = time.perf_counter()
            scene.frame_set(frame)
            times.append(time.perf_counter() - start)
        took = 1000 * statistics.median(times[20:])
        report(f"change among {count:,} frames of 5,000 vertices / goal", took, goal, 1.0, unit="ms")


def blobs(side: int) -> np.ndarray:
    """A volume of smooth noise."""
    return gaussian_smooth(np.random.default_rng(side).random((side, side, side), np.float32), 4.0)


def surfaces() -> None:
    """The surfaces that an import computes. Theirs is the goal, in seconds."""
    volume = blobs(256)
    rate = np.full(3, 10, np.float32)
    smoothed = partial(volume_surface, volume, rate, 99.5, 40.0)  # by a Gaussian of two voxels
    (took,) = in_turn(REPEATS, smoothed)
    report("surface of a smoothed volume of 256 x 256 x 256 / goal", took, 0.3, 1.0)
    inside = np.argwhere(volume > np.quantile(volume, 1 - 1_000_000 / volume.size))[:1_000_000]
    voxels = (inside * 10).astype(np.float32)
    took, smooth = in_turn(REPEATS, partial(voxel_surface, voxels, rate), partial(membrane_surface, voxels, rate))
    report("surface of a segmentation of 1,000,000 voxels / goal", took, 0.4, 1.0)
    report("membrane surface of 1,000,000 voxels / goal", smooth, 1.0, 1.0)


def memory() -> None:
    """The most memory that an import holds, beyond what Blender held before it."""
    path = points_file(10_000_000)
    peaks = memory_of(f"kept = bench.import_session({str(path)!r})")
    if peaks is None:
        print("memory: measured on Linux only")
        return
    size = path.stat().st_size / 2**20
    report("peak memory of 10,000,000 points / file", peaks["all"] / 2**20, size, 1.25, "all resident pages", "MiB")
    what = "the same without the file's own mapped pages / file"
    report(what, peaks["anonymous"] / 2**20, size, 1.25, "", "MiB")


def memory_of(work: str, imported: Path | None = None) -> dict[str, int] | None:
    """Bytes that work in a fresh process held at most: of all resident pages, and of those that no file backs.

    imported: a session that is in Blender before, as `kept`.

    The kernel's own high-water mark (VmHWM) gives the first; it keeps none of RssAnon, which is read every millisecond.
    """
    if not Path("/proc/self/status").exists():
        return None
    code = (
        "import sys; sys.argv = ['bench.py']\n"
        f"sys.path.insert(0, {str(ROOT)!r})\n"
        "from tests.support import bench\n"
        "bench.empty_blender()\n"
        + (f"kept = bench.import_session({str(imported)!r})\n" if imported is not None else "")
        + f"print('ready', flush=True); input()\n{work}; print('done', flush=True); input()\n"
        "import os; os._exit(0)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdin is not None
        assert child.stdout is not None

        def held() -> dict[str, int]:
            lines = Path(f"/proc/{child.pid}/status").read_text().splitlines()
            fields = {line.split(":")[0]: line.split()[1] for line in lines if line.endswith("kB")}
            return {key: int(fields[key]) * 1024 for key in ("VmRSS", "VmHWM", "RssAnon", "RssFile", "RssShmem")}

        def go_on() -> None:
            child.stdin.write(b"\n")
            child.stdin.flush()

        while b"ready" not in child.stdout.readline():
            pass
        Path(f"/proc/{child.pid}/clear_refs").write_text("5")  # VmHWM starts anew
        before = held()
        go_on()
        os.set_blocking(child.stdout.fileno(), False)
        anonymous = 0
        while b"done" not in (child.stdout.read() or b""):  # Blender itself may print, too
            anonymous = max(anonymous, held()["RssAnon"])
            time.sleep(0.001)
        after = held()
        go_on()
    return {"all": after["VmHWM"] - before["VmRSS"], "anonymous": anonymous - before["RssAnon"]}


def export() -> None:
    """Saving: a large point cloud beside a plain write of as many bytes, and many small objects beside Mosaic."""
    path, target = points_file(10_000_000), FOLDER / "exported.pickle"
    session = import_session(path).collection
    plain = np.random.default_rng(1).integers(0, 255, path.stat().st_size, np.uint8)
    ours, theirs = in_turn_here(
        LARGE_REPEATS + 2, partial(save, session, target), partial(write_plainly, plain, FOLDER / "plain")
    )
    report("export 10,000,000 points / a plain write of the bytes", ours, theirs, 1.3, f"median of {LARGE_REPEATS + 2}")
    del plain
    for file in (target, FOLDER / "plain"):
        file.unlink()
    peak = memory_of("bench.save(kept.collection, bench.FOLDER / 'exported.pickle')", path)
    if peak is not None:
        size = path.stat().st_size / 2**20
        report("peak memory of the export / file", peak["all"] / 2**20, size, 0.2, "all resident pages", "MiB")
    empty_blender()
    for count in (1000, 5000):
        path = objects_file(count)
        session = import_session(path).collection
        ours, collected = in_turn_here(REPEATS, partial(save, session, target), partial(tell_changes, session))
        report(f"what is unsaved among {count:,} objects, each / goal", 1e6 * collected / count, 80.0, 1.0, unit="us")
        mosaic = real_mosaic(path, REPEATS, REAL_MOSAIC_SAVES)
        if mosaic is not None:
            report(f"export {count:,} objects / Mosaic's save_session", ours, mosaic, 1.0 if count == 5000 else None)
        empty_blender()


def save(session: Any, target: Path) -> None:
    save_session(session, target, bpy.context.scene, bpy.context.view_layer, backup=False)


def tell_changes(session: Any) -> None:
    unsaved_changes(session, bpy.context.scene, bpy.context.view_layer)


def write_plainly(data: np.ndarray, target: Path) -> None:
    """The least that a safe write takes: a file beside the target, one write, fsync, a rename."""
    beside = target.with_suffix(".new")
    with open(beside, "wb") as file:
        file.write(data.data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(beside, target)


def in_turn_here(repeats: int, *works: Callable[[], object]) -> list[float]:
    """The median of each work, in the Blender as it is."""
    rounds = []
    with silent_blender():
        for _ in range(repeats + 1):
            times = []
            for work in works:
                start = time.perf_counter()
                work()
                times.append(time.perf_counter() - start)
            rounds.append(times)
    return [statistics.median(times) for times in zip(*rounds[1:])]


GROUPS: dict[str, Callable[[], None]] = {
    "read": read,
    "points": points,
    "triangles": triangles,
    "objects": objects,
    "memory": memory,
    "tomogram": tomogram,
    "density": lambda: density(FOLDER, report, in_turn, memory_of),
    "slices": lambda: slices(FOLDER, report, in_turn),
    "browser": lambda: browser(objects_file(COUNT), import_session, report),
    "frames": frames,
    "surfaces": surfaces,
    "export": export,
    "huge": partial(huge, FOLDER, report, memory_of),
}


def main(names: list[str]) -> int:
    unknown = [name for name in names if name not in GROUPS]
    if unknown:
        print(f"bench.py: there is no {', '.join(unknown)}; there are {', '.join(GROUPS)}", file=sys.stderr)
        return 1
    print(f"Blender {bpy.app.version_string}, Python {sys.version.split()[0]}, numpy {np.__version__}")
    print(f"{'what':<66}{'ours':>10} {'theirs':>10} {'':<3} {'ratio':>7}  goal")
    for name, measure in GROUPS.items():
        if name in names or (not names and name != "huge"):
            measure()
    return 0


if __name__ == "__main__":
    code = main(sys.argv[1:])
    shutil.rmtree(FOLDER, ignore_errors=True)
    sys.stdout.flush()
    os._exit(code)  # the bpy module can hang at exit
