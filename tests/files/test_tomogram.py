"""Tomograms are read as `mrcfile` reads them, binned and cut as asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mrcfile
import numpy as np
import pytest

from mosaic_addon.files.tomogram import Region, read_density, read_header, read_slice

pytestmark = pytest.mark.filterwarnings("ignore:Setting the dtype:DeprecationWarning")  # within mrcfile


def values(shape: tuple[int, int, int], dtype: str = "f4") -> np.ndarray:
    """Values along z, y, x that any of the types can hold."""
    return np.random.default_rng(1).integers(0, 100, shape).astype(dtype)


def write_mrc(path: Path, data: np.ndarray, voxel: Any = 6.8, **fields: Any) -> Path:
    """An MRC file as `mrcfile` writes it. fields: of its header, beside."""
    with mrcfile.new(path, overwrite=True) as file:
        file.set_data(data)
        file.voxel_size = voxel
        for name, value in fields.items():
            file.header[name] = value
    return path


def blocks(data: np.ndarray, n: int) -> np.ndarray:
    """The means of blocks of n x n x n, and at the ends of what is left."""
    shape = [-(-side // n) for side in data.shape]
    means = np.empty(shape)
    for place in np.ndindex(*shape):
        means[place] = data[tuple(slice(n * index, n * index + n) for index in place)].mean()
    return means


@pytest.mark.parametrize("dtype", ["i1", "i2", "u2", "f2", "f4"])
def test_values_size_and_order_are_those_of_mrcfile(dtype: str, tmp_path: Path) -> None:
    data = values((4, 5, 6), dtype)
    path = write_mrc(tmp_path / "a.mrc", data, (1.0, 2.0, 3.0))
    header = read_header(path)
    assert header.shape == (6, 5, 4)
    assert header.voxel_size == (1.0, 2.0, 3.0)
    assert header.has_voxel_size
    assert header.dtype == np.dtype(dtype)
    density = read_density(path, max_voxels=10**6)
    with mrcfile.open(path) as file:
        np.testing.assert_array_equal(density.values, file.data)
    assert density.values.dtype == np.float32
    assert density.values.flags.c_contiguous
    assert density.origin == (0.0, 0.0, 0.0)


@pytest.mark.parametrize("n", [2, 3, 5])
def test_binning_gives_the_means_of_blocks_in_their_place(n: int, tmp_path: Path) -> None:
    data = values((9, 11, 13))
    path = write_mrc(tmp_path / "a.mrc", data)
    expected = blocks(data, n)
    density = read_density(path, max_voxels=expected.size)
    assert density.binning == n
    np.testing.assert_allclose(density.values, expected, rtol=1e-6)
    assert density.voxel_size == pytest.approx((6.8 * n,) * 3)
    assert density.origin == pytest.approx((6.8 * (n - 1) / 2,) * 3)
    assert read_density(path, max_voxels=expected.size - 1).binning > n


def test_a_region_is_read_at_its_place(tmp_path: Path) -> None:
    data = values((9, 11, 13))
    path = write_mrc(tmp_path / "a.mrc", data)
    density = read_density(path, max_voxels=10**6, region=Region((2, 3, 4), (7, 20, 6)))
    np.testing.assert_array_equal(density.values, data[4:6, 3:11, 2:7])
    assert density.region == Region((2, 3, 4), (7, 11, 6))
    assert density.origin == pytest.approx((2 * 6.8, 3 * 6.8, 4 * 6.8))


def test_slices_across_each_axis(tmp_path: Path) -> None:
    data = values((9, 11, 13))
    path = write_mrc(tmp_path / "a.mrc", data)
    np.testing.assert_array_equal(read_slice(path, "z", 4), data[4])
    np.testing.assert_array_equal(read_slice(path, "y", 4), data[:, 4])
    np.testing.assert_array_equal(read_slice(path, "x", 4), data[:, :, 4])
    np.testing.assert_allclose(read_slice(path, "y", 4, average=3), data[:, 3:6].mean(1), rtol=1e-6)
    np.testing.assert_allclose(read_slice(path, "z", 0, average=4), data[:3].mean(0), rtol=1e-6)


def test_progress_comes_to_its_end_and_may_stop_it(tmp_path: Path) -> None:
    path = write_mrc(tmp_path / "a.mrc", values((9, 11, 13)))
    seen: list[float] = []
    read_density(path, max_voxels=100, progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1

    def stop(fraction: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        read_density(path, max_voxels=100, progress=stop)
