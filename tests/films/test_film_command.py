"""The command film: each picture is made once, whatever stops the work, and the film is put together from all of them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.scene.test_trajectories import a_film
from tests.support.make_sessions import cloud, mesh, write_session

ROOT = Path(__file__).resolve().parents[2]
COUNT = 6
QUICK = ["--turn", "360", "--seconds", "1", "--fps", "6", "--engine", "workbench", "--samples", "1", "--size", "20x16"]


def words(session: Path, target: Path, *options: str) -> list[str]:
    return ["film", str(session), "-o", str(target), *QUICK, *options]


def film(session: Path, target: Path, *options: str) -> int:
    from mosaic_addon.cli import main

    return main(words(session, target, *options))


def pictures(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.png"))}


@pytest.fixture
def session(tmp_path: Path) -> Path:
    return write_session(tmp_path / "s.pickle", [cloud("c", 50)], [mesh("m")])


@pytest.fixture
def whole(bpy: ModuleType, session: Path, tmp_path: Path) -> dict[str, bytes]:
    """The pictures of a film that was made at once."""
    assert film(session, tmp_path / "whole.mp4") == 0
    made = pictures(tmp_path / "whole.frames")
    assert list(made) == [f"{number:04}.png" for number in range(1, COUNT + 1)]
    assert len(set(made.values())) == COUNT, "nothing turns"
    return made


@pytest.mark.parametrize(("suffix", "codec"), [(".mp4", b"avcC\1\x64\0"), (".webm", b"V_VP9")])
def test_a_film_has_its_rate_length_codec_and_colours(
    bpy: ModuleType, session: Path, tmp_path: Path, suffix: str, codec: bytes
) -> None:
    """The codec of .mp4 is H.264 in its profile High, which has colours of 8 bits in 4:2:0 and no other."""
    target = tmp_path / f"film{suffix}"
    assert film(session, target, "--size", "64x48", "--look", "flat") == 0
    clip = bpy.data.movieclips.load(str(target))
    assert (clip.frame_duration, clip.fps, tuple(clip.size)) == (COUNT, 6, (64, 48))
    assert codec in target.read_bytes()
    assert not list(tmp_path.glob("*.tmp"))
    play(bpy, target, tmp_path / "shown")
    for number in range(1, COUNT + 1):
        shown, made = (
            np.asarray(Image.open(folder / f"{number:04}.png").convert("RGB")).astype(float)
            for folder in (tmp_path / "shown", tmp_path / "film.frames")
        )
        assert made.std() > 5
        assert np.abs(shown.mean(axis=(0, 1)) - made.mean(axis=(0, 1))).max() < 1
        assert np.abs(shown - made).mean() < 5


def play(bpy: ModuleType, movie: Path, folder: Path) -> None:
    """Write what Blender's own player shows of a film, as pictures."""
    scene: Any = bpy.data.scenes.new("Player")
    scene.render.fps, scene.frame_start, scene.frame_end = 6, 1, COUNT
    scene.view_settings.view_transform = "Standard"
    scene.sequence_editor_create().strips.new_movie("Film", str(movie), channel=1, frame_start=1)
    scene.render.resolution_x, scene.render.resolution_y = 64, 48
    scene.render.image_settings.file_format = "PNG"
    scene.render.filepath = f"{folder}/####"
    bpy.ops.render.render(animation=True, scene=scene.name)


def test_a_stopped_film_goes_on_with_the_same_pictures(
    whole: dict[str, bytes], session: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    from mosaic_addon.scene.films import frames

    render = frames.render_image
    made: list[int] = []

    def stopping(scene: Any) -> None:
        if len(made) == 2:
            signal.raise_signal(signal.SIGINT)  # in the middle of the third
        made.append(scene.frame_current)
        render(scene)

    monkeypatch.setattr(frames, "render_image", stopping)
    target = tmp_path / "stopped.mp4"
    assert film(session, target) == 1
    assert "stopped" in capsys.readouterr().err
    folder = tmp_path / "stopped.frames"
    before = pictures(folder)
    assert len(before) == 3
    assert not target.exists()
    (folder / "0002.png").write_bytes(before["0002.png"][:-20])  # cut short
    (folder / "0003.png").write_bytes(b"")
    (folder / "0005.png").write_bytes((tmp_path / "whole.frames" / "0005.png").read_bytes()[:60])
    made[:] = [0] * 3
    assert film(session, target) == 0
    assert made[3:] == [2, 3, 4, 5, 6]
    assert pictures(folder) == whole
    assert target.exists()
    assert film(session, target) == 0
    assert len(made) == 8, "made again"


def test_a_killed_film_goes_on_with_the_same_pictures(whole: dict[str, bytes], session: Path, tmp_path: Path) -> None:
    target, folder = tmp_path / "killed.mp4", tmp_path / "killed.frames"
    running = subprocess.Popen(
        [sys.executable, "-m", "mosaic_addon", *words(session, target)],
        cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    until = time.monotonic() + 60
    while not list(folder.glob("*.png")) and time.monotonic() < until and running.poll() is None:
        time.sleep(0.002)
    running.kill()
    assert running.wait() == -signal.SIGKILL, "it was done before it was killed"
    assert 0 < len(list(folder.glob("*.png"))) <= COUNT
    assert film(session, target) == 0
    assert pictures(folder) == whole
    assert not list(folder.glob("*.tmp"))


def test_parts_are_the_whole_and_what_lacks_is_said(
    whole: dict[str, bytes], session: Path, tmp_path: Path, capsys: Any
) -> None:
    target, folder = tmp_path / "parts.mp4", tmp_path / "parts.frames"
    assert film(session, target, "--part", "2/4") == 0
    assert list(pictures(folder)) == ["0002.png", "0003.png"]
    assert "waits for pictures 1, 4-6 of 6" in capsys.readouterr().out
    assert film(session, target, "--frames", "5-6") == 0
    assert film(session, target, "--part", "1/4") == 0
    assert not target.exists()
    assert film(session, target, "--frames", "4") == 0
    assert target.exists(), "the last part puts the film together"
    assert pictures(folder) == whole
    assert film(session, target, "--frames", "5-7") == 1
    assert "There is no picture 7: the film has 6" in capsys.readouterr().err


def test_other_settings_and_sessions_never_mix(
    whole: dict[str, bytes], session: Path, tmp_path: Path, capsys: Any
) -> None:
    target = tmp_path / "whole.mp4"
    assert film(session, target, "--look", "flat") == 1
    assert "with other settings" in capsys.readouterr().err
    other = write_session(tmp_path / "s.pickle", [cloud("c", 51)], [mesh("m")])
    assert film(other, target) == 1
    assert "another session" in capsys.readouterr().err
    assert pictures(tmp_path / "whole.frames") == whole


def test_numbered_pictures_and_previews(bpy: ModuleType, session: Path, tmp_path: Path, capsys: Any) -> None:
    assert film(session, tmp_path / "shots" / "a##.png", "--transparent") == 0
    assert list(pictures(tmp_path / "shots")) == [f"a{number:02}.png" for number in range(1, COUNT + 1)]
    assert Image.open(tmp_path / "shots" / "a01.png").mode == "RGBA"
    assert not list(tmp_path.glob("*.mp4"))
    assert film(session, tmp_path / "film.mp4", "--preview", "--size", "82x64") == 0
    assert (tmp_path / "film-preview.mp4").exists()
    assert Image.open(tmp_path / "film-preview.frames" / "0001.png").size == (20, 16)


def test_trajectories_play_while_it_turns(bpy: ModuleType, tmp_path: Path) -> None:
    from mosaic_addon.cli import main

    session = write_session(tmp_path / "t.pickle", [], [a_film([4, 6, 9])])
    target = tmp_path / "t.mp4"
    assert main(["film", str(session), "-o", str(target), "--trajectory", *QUICK[2:]]) == 0
    made = list(pictures(tmp_path / "t.frames").values())
    assert made[0::2] == made[1::2], "each step is shown for two pictures"
    assert len(set(made)) == 3
    assert film(session, tmp_path / "both.mp4", "--trajectory") == 0
    assert len(set(pictures(tmp_path / "both.frames").values())) == COUNT
    none = write_session(tmp_path / "s.pickle", [cloud("c", 5)])
    assert film(none, tmp_path / "none.mp4", "--trajectory") == 1


def test_a_blend_plays_its_own_animation(bpy: ModuleType, session: Path, tmp_path: Path) -> None:
    from mosaic_addon.cli import main

    blend = tmp_path / "s.blend"
    assert main(["import", str(session), "-o", str(blend)]) == 0
    bpy.ops.wm.open_mainfile(filepath=str(blend))
    scene = bpy.context.scene
    scene.frame_start, scene.frame_end = 11, 13
    scene.render.resolution_x, scene.render.resolution_y, scene.render.fps = 20, 16, 5
    scene.render.engine = "BLENDER_WORKBENCH"
    bpy.ops.wm.save_mainfile()
    assert main(["film", str(blend), "-o", str(tmp_path / "b.mp4")]) == 0
    clip = bpy.data.movieclips.load(str(tmp_path / "b.mp4"))
    assert (clip.frame_duration, clip.fps, tuple(clip.size)) == (3, 5, (20, 16))


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("f.avi", [], "must end in .mp4 or .webm"),
        ("f.mp4", ["--size", "21x16"], "must be even"),
        ("f.mp4", ["--transparent"], "cannot be transparent"),
        ("no/f.mp4", [], "does not exist"),
    ],
)
def test_what_cannot_be_a_film_is_said_first(
    bpy: ModuleType, session: Path, tmp_path: Path, capsys: Any, name: str, options: list[str], said: str
) -> None:
    assert film(session, tmp_path / name, *options) == 1
    assert said in capsys.readouterr().err
    assert not list(tmp_path.rglob("*.frames"))


def test_a_film_in_which_nothing_moves_is_refused(session: Path, tmp_path: Path, capsys: Any) -> None:
    from mosaic_addon.cli import main

    assert main(["film", str(session), "-o", str(tmp_path / "f.mp4")]) == 1
    assert "Nothing moves" in capsys.readouterr().err
