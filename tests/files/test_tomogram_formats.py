"""Tomograms of all formats and dialects, and as other programs write their headers."""

from __future__ import annotations

import bz2
import gzip
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest

from mosaic_addon.files.tomogram import Density, read_density, read_header, read_slice
from tests.support import make_tomograms as make

VALUES = np.random.default_rng(2).integers(0, 100, (4, 5, 7)).astype("f4")  # z, y, x


def read(path: Path, content: bytes) -> Density:
    path.write_bytes(content)
    return read_density(path, max_voxels=10**6)


# ------------------------------------------------------------------------------------------------------------- MRC


@pytest.mark.parametrize("byte_order", "<>")
@pytest.mark.parametrize("dtype", ["i1", "i2", "u2", "f2", "f4"])
@pytest.mark.parametrize("marked", [True, False])
def test_mrc_in_both_byte_orders_old_and_new(dtype: str, byte_order: str, marked: bool, tmp_path: Path) -> None:
    data = VALUES.astype(dtype)
    density = read(tmp_path / "a.rec", make.mrc(data, byte_order=byte_order, marked=marked))
    np.testing.assert_array_equal(density.values, VALUES)
    assert density.voxel_size == pytest.approx((6.8,) * 3)


def test_a_wrong_machine_stamp_is_seen_through(tmp_path: Path) -> None:
    content = bytearray(make.mrc(VALUES, byte_order=">"))
    content[212:216] = b"\x44\x44\0\0"
    np.testing.assert_array_equal(read(tmp_path / "a.mrc", bytes(content)).values, VALUES)


def test_four_bits_a_value(tmp_path: Path) -> None:
    data = np.random.default_rng(3).integers(0, 16, (3, 5, 7))
    density = read(tmp_path / "a.mrc", make.four_bits(data))
    np.testing.assert_array_equal(density.values, data)
    np.testing.assert_array_equal(read_slice(tmp_path / "a.mrc", "x", 6), data[:, :, 6])


def test_bytes_are_signed_unless_the_header_says_otherwise(tmp_path: Path) -> None:
    path = tmp_path / "a.mrc"
    data = np.arange(0, 240, 2, dtype="u1").reshape(4, 5, 6)
    signed = data.view("i1").astype("f4")
    unknown = {19: 0.0, 20: 0.0}
    assert read(path, make.mrc(data.view("i1"))).values.min() == signed.min()
    assert read(path, make.mrc(data, floats=unknown)).values.min() == signed.min()
    assert read(path, make.mrc(data)).values.max() == 238  # as the largest value in its header
    imod = {38: make.IMOD_STAMP, 39: 0}
    assert read(path, make.mrc(data, words=imod, floats=unknown)).values.max() == 238
    imod = {38: make.IMOD_STAMP, 39: 1}
    assert read(path, make.mrc(data, words=imod)).values.min() == signed.min()


def test_an_extended_header_is_skipped(tmp_path: Path) -> None:
    np.testing.assert_array_equal(read(tmp_path / "a.mrc", make.mrc(VALUES, extended=bytes(3 * 128))).values, VALUES)


@pytest.mark.parametrize("axes", list(permutations((1, 2, 3))))
def test_columns_rows_and_sections_may_run_along_any_axis(axes: tuple[int, int, int], tmp_path: Path) -> None:
    data = VALUES.transpose([3 - axis for axis in reversed(axes)])  # sections, rows, columns
    path = tmp_path / "a.ccp4"
    density = read(path, make.mrc(data, (1, 2, 3), axes=axes, start=[10 * axis for axis in axes]))
    np.testing.assert_array_equal(density.values, VALUES)
    assert density.values.flags.c_contiguous
    assert density.voxel_size == (1, 2, 3)
    assert density.origin == (10, 40, 90)
    np.testing.assert_array_equal(read_slice(path, "x", 2), VALUES[:, :, 2])
    np.testing.assert_array_equal(read_slice(path, "y", 2), VALUES[:, 2])
    binned = read_density(path, max_voxels=40)
    assert binned.values.shape == (2, 3, 4)
    assert binned.values[1, 1, 1] == pytest.approx(VALUES[2:4, 2:4, 2:4].mean())


def test_the_origin_is_the_headers_or_the_start(tmp_path: Path) -> None:
    path = tmp_path / "a.map"
    assert read(path, make.mrc(VALUES, (2, 2, 2), start=(1, -2, 3))).origin == (2, -4, 6)
    assert read(path, make.mrc(VALUES, (2, 2, 2), start=(1, 2, 3), origin=(7, 8, 9))).origin == (7, 8, 9)
    assert read(path, make.mrc(VALUES, (2, 2, 2), origin=(np.nan, 8, 9))).origin == (0, 0, 0)


def test_a_voxel_size_that_the_file_does_not_know(tmp_path: Path) -> None:
    path = tmp_path / "a.mrc"
    for voxel in (None, (np.nan, np.inf, -1), (1e-30, 1e-30, 1e30)):
        density = read(path, make.mrc(VALUES, voxel))
        assert density.voxel_size == (1, 1, 1)
        assert not density.header.has_voxel_size
    density = read(path, make.mrc(VALUES, (5, 5, 0)))
    assert density.voxel_size == (5, 5, 5)
    assert density.header.has_voxel_size
    assert read(path, make.mrc(VALUES, (5, 5, 5), words={7: 0, 8: 0, 9: 0})).voxel_size == (5, 5, 5)


@pytest.mark.filterwarnings("error")
def test_values_that_are_no_numbers_or_too_large_are_no_trouble(tmp_path: Path) -> None:
    data = np.array([[[np.inf, -np.inf], [1e300, np.nan]], [[1e300, 1e300], [-1e300, 5.0]]])
    path = tmp_path / "a.em"
    path.write_bytes(make.em(data))
    np.testing.assert_array_equal(read_density(path, max_voxels=8).values, np.where(data == 5, 5, 0).transpose())
    assert read_density(path, max_voxels=1).values.item() == 0


def test_values_that_are_no_numbers_become_zero(tmp_path: Path) -> None:
    for dtype in ("f4", "f2"):
        data = VALUES.astype(dtype)
        data[0, 0, :3] = np.nan, np.inf, -np.inf
        density = read(tmp_path / "a.mrc", make.mrc(data))
        np.testing.assert_array_equal(density.values[0, 0, :3], 0)
        np.testing.assert_array_equal(density.values[1:], VALUES[1:])


# ---------------------------------------------------------------------------------------------------- EM and NRRD


@pytest.mark.parametrize("machine", [6, 3])
@pytest.mark.parametrize("dtype", ["i1", "i2", "i4", "f4", "f8"])
def test_em_as_mosaic_turns_it(dtype: str, machine: int, tmp_path: Path) -> None:
    density = read(tmp_path / "a.em", make.em(VALUES.astype(dtype), machine=machine))
    np.testing.assert_array_equal(density.values, VALUES.transpose())
    assert density.header.shape == (4, 5, 7)
    assert density.voxel_size == (6.8, 6.8, 6.8)


@pytest.mark.parametrize("encoding", ["raw", "gzip", "bzip2"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("dtype", ["i1", "u1", "i2", "u2", "f4", "f8"])
def test_nrrd(dtype: str, end: str, encoding: str, tmp_path: Path) -> None:
    data = VALUES.astype(dtype)
    density = read(tmp_path / "a.nrrd", make.nrrd(data, encoding=encoding, end=end, big=dtype == "i2"))
    np.testing.assert_array_equal(density.values, VALUES)
    assert density.voxel_size == (6.8, 6.8, 6.8)


def test_nrrd_with_directions_and_an_origin(tmp_path: Path) -> None:
    fields = {"spacings": None, "space": "left-posterior-superior", "space_directions": "(2,0,0) (0,3,0) (0,0,4)"}
    density = read(tmp_path / "a.nrrd", make.nrrd(VALUES, space_origin="(10,20,-30.5)", **fields))
    assert density.voxel_size == (2, 3, 4)
    assert density.origin == (10, 20, -30.5)


# ------------------------------------------------------------------------------------------------------ compression


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress])
@pytest.mark.parametrize("name", ["a.mrc", "a.em", "a.nrrd"])
def test_all_formats_may_be_compressed(name: str, pack: object, tmp_path: Path) -> None:
    content = {"a.mrc": make.mrc(VALUES), "a.em": make.em(VALUES), "a.nrrd": make.nrrd(VALUES)}[name]
    path = tmp_path / (name + (".gz" if pack is gzip.compress else ".bz2"))
    density = read(path, pack(content))  # type: ignore[operator]
    expected = VALUES.transpose() if name == "a.em" else VALUES
    np.testing.assert_array_equal(density.values, expected)
    np.testing.assert_array_equal(read_slice(path, "y", 3), expected[:, 3])
    assert read_header(path).shape == expected.shape[::-1]


# -------------------------------------------------------------------------------------------------- other programs

LABEL = {56: 0x4F434952}


def test_imod(tmp_path: Path) -> None:
    """A reconstruction that IMOD trimmed: unsigned bytes with its stamp, the origin of its own, tilt angles in the header."""
    words = {38: make.IMOD_STAMP, 39: 0, 32: 0x00010000}
    content = make.mrc(VALUES.astype("u1"), (6.802, 6.802, 6.802), origin=(2700.4, 1904.6, 340.1), words=words)
    density = read(tmp_path / "TS_01.rec", content)
    np.testing.assert_array_equal(density.values, VALUES)
    assert density.voxel_size == pytest.approx((6.802,) * 3)
    assert density.origin == pytest.approx((2700.4, 1904.6, 340.1))


def test_old_imod(tmp_path: Path) -> None:
    """Before MRC2014: no MAP, angles where the origin is now, bytes without a sign."""
    angles = {43: 0.0, 49: 12.5, 50: -90.0, 51: 3.0}
    content = make.mrc(VALUES.astype("u1") + np.uint8(100), floats=angles, marked=False)
    density = read(tmp_path / "TS_01.rec", content)
    np.testing.assert_array_equal(density.values, VALUES + 100)
    assert density.origin == (0, 0, 0)


def test_relion(tmp_path: Path) -> None:
    """Floats of 32 or 16 bits, the cell of 90 degrees, no extended header, a label."""
    for dtype in ("f4", "f2"):
        density = read(tmp_path / "rec_TS_01.mrc", make.mrc(VALUES.astype(dtype), (10, 10, 10), words={55: 1, **LABEL}))
        np.testing.assert_array_equal(density.values, VALUES)
        assert density.voxel_size == (10, 10, 10)
    # Without a pixel size RELION writes the sides in voxels as the cell.
    assert read(tmp_path / "b.mrc", make.mrc(VALUES, (1, 1, 1))).voxel_size == (1, 1, 1)


def test_warp(tmp_path: Path) -> None:
    """An extended header of FEI's 1024 blocks of 128 bytes, and angles of the cell that are 0."""
    floats = {13: 0.0, 14: 0.0, 15: 0.0}
    content = make.mrc(VALUES, (10, 10, 10), extended=bytes(range(128)) * 1024, floats=floats)
    density = read(tmp_path / "TS_01_10.00Apx.mrc", content)
    np.testing.assert_array_equal(density.values, VALUES)
    assert density.voxel_size == (10, 10, 10)


def test_aretomo(tmp_path: Path) -> None:
    """Floats, space group 1, and an extended header of numbers for each section."""
    content = make.mrc(VALUES, (5.44, 5.44, 5.44), extended=bytes(4 * 32 * 4), words={22: 1, 32: 0x00080000})
    density = read(tmp_path / "TS_01_Vol.mrc", content)
    np.testing.assert_array_equal(density.values, VALUES)
    assert density.voxel_size == pytest.approx((5.44,) * 3)


def test_dynamo(tmp_path: Path) -> None:
    """EM of a PC without a pixel size, and MRC without a cell."""
    density = read(tmp_path / "particle.em", make.em(VALUES, pixel=0))
    assert not density.header.has_voxel_size
    np.testing.assert_array_equal(density.values, VALUES.transpose())
    density = read(tmp_path / "particle.mrc", make.mrc(VALUES, None, marked=False))
    assert not density.header.has_voxel_size
    np.testing.assert_array_equal(density.values, VALUES)
