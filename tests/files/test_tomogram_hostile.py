"""Wrong and hostile files give one sentence with the file's name, in little time and memory."""

from __future__ import annotations

import bz2
import gzip
import os
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mosaic_addon.files.tomogram import Region, density_steps, read_density, read_header, read_slice
from mosaic_addon.session.errors import MosaicError
from tests.support import make_tomograms as make

VALUES = np.arange(24, dtype="f4").reshape(4, 3, 2)
MRC = make.mrc(VALUES)
SOME = 1 << 20  # bytes that reading may take


def refusal(path: Path) -> str:
    """What is said of a file. It is one sentence with the file's name, and reading costs neither time nor memory."""
    tracemalloc.start()
    begin = time.monotonic()
    with pytest.raises(MosaicError) as caught:
        read_density(path, max_voxels=10**6)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert time.monotonic() - begin < 60
    assert peak < 16 * SOME
    sentence = str(caught.value)
    assert sentence.startswith(path.name)
    assert sentence.endswith(".")
    assert "\n" not in sentence
    return sentence


def changed(content: bytes, *words: tuple[int, int]) -> bytes:
    """An MRC file with words of its header changed, by their numbers."""
    head = np.frombuffer(content[:1024], "<i4").copy()
    for number, value in words:
        head[number] = value
    return head.tobytes() + content[1024:]


WRONG = {
    "empty.mrc": (b"", "too short"),
    "short.mrc": (MRC[:1000], "too short"),
    "cut.mrc": (MRC[:-1], "cut short"),
    "text.mrc": (b"no tomogram " * 1000, "damaged or no tomogram|MRC mode"),
    "negative.mrc": (changed(MRC, (0, -5)), "-5 x 3 x 4"),
    "none.mrc": (changed(MRC, (2, 0)), "damaged or no tomogram"),
    "overflow.mrc": (changed(MRC, (0, 2**31 - 1), (1, 2**31 - 1), (2, 2**31 - 1)), "damaged or no tomogram"),
    "huge.mrc": (changed(MRC, (0, 2**17), (1, 2**17), (2, 2**17)), "cut short"),
    "mode.mrc": (changed(MRC, (3, 77)), "MRC mode 77"),
    "fourier.mrc": (changed(MRC, (3, 4)), "Fourier"),
    "colours.mrc": (changed(MRC, (3, 16)), "colours"),
    "extended.mrc": (changed(MRC, (23, -1)), "negative length"),
    "far.mrc": (changed(MRC, (23, 2**31 - 1)), "cut short"),
    "short.em": (make.em(VALUES)[:500], "too short"),
    "cut.em": (make.em(VALUES)[:-1], "cut short"),
    "type.em": (make.em(VALUES)[:3] + b"\x08" + make.em(VALUES)[4:], "EM type 8"),
    "sides.em": (make.em(VALUES)[:4] + b"\xff" * 12 + make.em(VALUES)[16:], "damaged or no tomogram"),
    "endless.nrrd": (b"NRRD0004\n" + b"a: b\n" * 100_000, "no end"),
    "apart.nrrd": (make.nrrd(VALUES, data_file="/etc/passwd"), "another file"),
    "apart2.nrrd": (make.nrrd(VALUES, datafile="LIST"), "another file"),
    "kind.nrrd": (make.nrrd(VALUES, type="block"), "of type 'block'"),
    "code.nrrd": (make.nrrd(VALUES, encoding="hex"), "encoded as 'hex'"),
    "skip.nrrd": (make.nrrd(VALUES, byte_skip="-1"), "skips bytes"),
    "four.nrrd": (make.nrrd(VALUES, sizes="2 3 4 5"), "damaged or no tomogram"),
    "signs.nrrd": (make.nrrd(VALUES, sizes="-2 3 4"), "damaged or no tomogram"),
    "long.nrrd": (make.nrrd(VALUES, sizes="9" * 5000 + " 3 4"), "damaged or no tomogram"),
    "cut.nrrd": (make.nrrd(VALUES)[:-1], "cut short"),
    "cut.mrc.gz": (gzip.compress(MRC)[:-20], "ends too early"),
    "short.mrc.gz": (gzip.compress(MRC[:-8]), "ends before its last value"),
    "cut.mrc.bz2": (bz2.compress(MRC)[:-20], "ends too early"),
    "bits.mrc.gz": (gzip.compress(MRC)[:40] + b"\xff" * 40 + gzip.compress(MRC)[80:], "damaged"),
    "bits.mrc.bz2": (bz2.compress(MRC)[:40] + b"\xff" * 40 + bz2.compress(MRC)[80:], "damaged|cannot be read"),
    "twice.mrc.gz": (gzip.compress(gzip.compress(MRC)), "too short|no tomogram|MRC mode"),
    "twice.nrrd.gz": (gzip.compress(make.nrrd(VALUES, encoding="gzip")), "compressed twice"),
    # A header that speaks of much more than so few bytes can become.
    "bomb.mrc.gz": (gzip.compress(changed(MRC, (0, 2**17), (1, 2**17), (2, 2**10))), "no file so small"),
    "bomb.mrc.bz2": (bz2.compress(changed(MRC, (0, 2**17), (1, 2**17), (2, 2**10))), "no file so small"),
    "bomb.nrrd": (make.nrrd(VALUES, encoding="gzip", sizes="99999 99999 9999"), "no file so small"),
    # Zeros where an extended header of 2 GB would be: more than its file.
    "skip.mrc.gz": (gzip.compress(changed(MRC, (23, 2**31 - 1)) + bytes(SOME)), "no file so small"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_file_is_refused_with_a_sentence(name: str, tmp_path: Path) -> None:
    content, said = WRONG[name]
    path = tmp_path / name
    path.write_bytes(content)
    sentence = refusal(path)
    assert any(words in sentence for words in said.split("|")), sentence


def test_what_is_behind_the_values_of_a_compressed_file_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "bomb.mrc.gz"
    path.write_bytes(gzip.compress(MRC + bytes(32 * SOME), 1))
    tracemalloc.start()
    density = read_density(path, max_voxels=10**6)
    assert tracemalloc.get_traced_memory()[1] < 4 * SOME
    tracemalloc.stop()
    np.testing.assert_array_equal(density.values, VALUES)


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress])
def test_a_million_empty_parts_are_not_unpacked(pack: Any, tmp_path: Path) -> None:
    path = tmp_path / "a.mrc.gz"
    empty = pack(b"")
    path.write_bytes(empty * (4 * SOME // len(empty)) + pack(MRC))
    assert "harmful" in refusal(path)
    path.write_bytes(pack(MRC[:1030]) + empty * (4 * SOME // len(empty)) + pack(MRC[1030:]))
    assert "harmful" in refusal(path)


def test_no_folder_pipe_or_missing_file(tmp_path: Path) -> None:
    folder = tmp_path / "folder.mrc"
    folder.mkdir()
    assert "folder" in refusal(folder)
    assert "does not exist" in refusal(tmp_path / "none.mrc")
    with pytest.raises(MosaicError, match="cannot be opened"):
        read_header("a\0b.mrc")
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.mrc")
        assert "not a regular file" in refusal(tmp_path / "pipe.mrc")
        (tmp_path / "link.mrc").symlink_to("/dev/zero")
        assert "not a regular file" in refusal(tmp_path / "link.mrc")


def test_a_name_of_strange_characters_is_printable(tmp_path: Path) -> None:
    with pytest.raises(MosaicError) as caught:
        read_header(tmp_path / "a\u202e\nb\x1b[31m.mrc")
    assert str(caught.value).isprintable()


def test_a_region_outside_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.mrc"
    path.write_bytes(MRC)
    for region in (Region((5, 0, 0), (9, 9, 9)), Region((1, 1, 1), (1, 2, 2)), Region((0, 0, 0), (-1, 1, 1))):
        with pytest.raises(MosaicError, match="2 x 3 x 4 voxels"):
            read_density(path, max_voxels=10, region=region)
    for index in (-1, 4, 2**70):
        with pytest.raises(MosaicError, match="2 x 3 x 4 voxels"):
            read_slice(path, "z", index)


@pytest.mark.skipif(sys.platform == "win32", reason="a file of zeros takes up its size there")
def test_a_slice_of_a_sparse_file_is_no_reason_to_take_all_memory(tmp_path: Path) -> None:
    path = tmp_path / "a.mrc"
    side = 2**17
    path.write_bytes(changed(make.mrc(np.zeros((1, 1, 1), "i1")), (0, side), (1, side)))
    os.truncate(path, 1024 + side * side)
    with pytest.raises(MosaicError, match="too large"):
        read_slice(path, "z", 0)
    assert read_slice(path, "y", 7).shape == (1, side)


def test_a_file_that_shrinks_meanwhile(tmp_path: Path) -> None:
    path = tmp_path / "a.mrc"
    path.write_bytes(make.mrc(np.zeros((40, 100, 100), "f4")))
    steps = density_steps(path, max_voxels=10**6)
    next(steps)
    os.truncate(path, 5000)
    with pytest.raises(MosaicError, match="ends before its last value"):
        list(steps)


def test_stopping_closes_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.mrc"
    path.write_bytes(MRC)
    steps = density_steps(path, max_voxels=10**6)
    next(steps)
    before = open_files()
    steps.close()
    assert open_files() == before - 1 or before == -1


def test_an_exception_of_the_progress_closes_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.mrc"
    path.write_bytes(MRC)
    before = open_files()

    def stop(fraction: float) -> None:
        raise KeyboardInterrupt

    for read in (partial(read_density, path, max_voxels=10), partial(read_slice, path, "z", 1)):
        with pytest.raises(KeyboardInterrupt) as caught:
            read(progress=stop)  # type: ignore[operator]
        assert open_files() == before, caught


def open_files() -> int:
    """How many files this process has open; -1 where that cannot be told."""
    return len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else -1


def mutations(seed: int, count: int) -> Iterator[bytes]:
    """Files with a few words of their headers replaced by bad ones, or cut."""
    random = np.random.default_rng(seed)
    bad = [0, 1, -1, 2**31 - 1, -(2**31), 2**16, 7, 0x7FC00000, 0x7F800000, -8388608, 255, 101, 12]
    files = [make.mrc(VALUES), make.mrc(VALUES.astype("i2"), byte_order=">"), make.em(VALUES), make.nrrd(VALUES)]
    for _ in range(count):
        content = bytearray(files[random.integers(len(files))])
        for _ in range(random.integers(1, 5)):
            place = int(random.integers(0, min(len(content), 260) // 4)) * 4
            content[place : place + 4] = int(bad[random.integers(len(bad))]).to_bytes(4, "little", signed=True)
        if random.random() < 0.2:
            del content[random.integers(1, len(content)) :]
        yield bytes(content)


def test_random_damage_is_read_or_refused(tmp_path: Path) -> None:
    """Whatever a header says, there are values of its shape or a sentence."""
    read, refused = 0, []
    for content in mutations(5, 600):
        path = tmp_path / ("a.em" if content[:1] == b"\x06" else "a.mrc")
        path.write_bytes(content)
        try:
            density = read_density(path, max_voxels=100)
        except MosaicError as error:
            refused.append(str(error))
            continue
        read += 1
        assert np.isfinite(density.values).all()
        assert all(np.isfinite((*density.voxel_size, *density.origin)))
        assert min(density.voxel_size) > 0
    assert read > 100
    assert len(refused) > 100
    assert all(sentence.startswith(("a.em ", "a.mrc ")) for sentence in refused)


def test_a_large_file_takes_little_memory(tmp_path: Path) -> None:
    """What stays in memory is the result and a few rows."""
    path = tmp_path / "a.mrc"
    path.write_bytes(make.mrc(np.zeros((100, 512, 512), "i1")))  # as floats 100 MB
    script = (
        "import resource, sys; sys.path.insert(0, '.')\n"
        "from mosaic_addon.files.tomogram import read_density\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        f"density = read_density({str(path)!r}, max_voxels=10**6)\n"
        "print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024, density.values.nbytes / 2**20)\n"
    )
    if sys.platform != "linux":
        pytest.skip("ru_maxrss is in other units")
    root = Path(__file__).parents[2]
    answer = subprocess.run([sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=True)
    more, result = map(float, answer.stdout.split())
    assert more < result + 24
