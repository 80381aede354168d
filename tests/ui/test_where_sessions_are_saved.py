"""Where a save writes: never where only a .blend wishes it, never over what is no session, and under which name."""

from __future__ import annotations

import pickle
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from mosaic_addon.session import file as session_file
from mosaic_addon.session import open_session
from mosaic_addon.session.compare import compare
from tests.support.make_sessions import cloud, write_session
from tests.support.real_mosaic import RealMosaic

FOLDER = Path(__file__).parents[1] / "sessions"


@pytest.fixture
def addon(bpy: ModuleType) -> Iterator[ModuleType]:
    import mosaic_addon

    mosaic_addon.register()
    yield bpy
    mosaic_addon.unregister()


@pytest.fixture
def small(tmp_path: Path) -> Path:
    return write_session(tmp_path / "small.pickle", [cloud("one", 5), cloud("two", 7)])


def names_in(path: Path) -> list[str]:
    return [geometry.name for geometry in open_session(path).geometries]


def session_in(bpy: ModuleType) -> Any:
    (session,) = (collection for collection in bpy.data.collections if "mosaic_session" in collection)
    return session


def as_in_a_new_blender(addon: Any, blend: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Save and open a .blend as if by a Blender that has met no session yet. Returns the session's collection."""
    addon.ops.wm.save_as_mainfile(filepath=str(blend))
    monkeypatch.setattr(session_file, "_met", {})
    addon.ops.wm.open_mainfile(filepath=str(blend))
    return session_in(addon)


def strangers_blend(addon: Any, small: Path, place: Path | str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Open a .blend in which the session says that its file is another one."""
    addon.ops.mosaic.load_session(filepath=str(small))
    session_in(addon)["mosaic_session"]["file"] = str(place)
    return as_in_a_new_blender(addon, small.with_name("a.blend"), monkeypatch)


# --- what a .blend wishes --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_path_that_only_a_blend_names_is_not_written(
    addon: Any, small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, overwrite: bool
) -> None:
    other = write_session(tmp_path / "other.pickle", [cloud("theirs", 3)])
    start_up = tmp_path / ".bashrc"
    start_up.write_text("export A=1\n")
    for place in (other, start_up, tmp_path / "autostart.desktop", "relative.pickle", "C:\\x\\s.pickle", "with \0"):
        before = {path: path.read_bytes() for path in (other, start_up)}
        strangers_blend(addon, small, place, monkeypatch)
        there = {path for path in tmp_path.iterdir() if path.suffix != ".blend1"}
        with pytest.raises(RuntimeError, match="choose where to save the session"):
            addon.ops.mosaic.save_session(overwrite=overwrite)
        assert {path: path.read_bytes() for path in before} == before
        assert {path for path in tmp_path.iterdir() if path.suffix != ".blend1"} == there
        assert not Path(str(place).replace("\0", "")).exists() or Path(str(place)) in before
        addon.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)


def test_a_stamp_alone_does_not_make_a_session_of_a_file(
    addon: Any, small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who may look at a file knows its stamp."""
    start_up = tmp_path / ".bashrc"
    start_up.write_text("export A=1\n")
    addon.ops.mosaic.load_session(filepath=str(small))
    said = session_in(addon)["mosaic_session"]
    said["file"], said["stamp"] = str(start_up), session_file.file_stamp(start_up)
    as_in_a_new_blender(addon, tmp_path / "a.blend", monkeypatch)
    with pytest.raises(RuntimeError, match=r"\.bashrc is not overwritten, as it is no session"):
        addon.ops.mosaic.save_session(overwrite=True)
    assert start_up.read_text() == "export A=1\n"


def test_an_override_names_no_other_place_either(
    addon: Any, small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mosaic_addon.scene.exporting.save import is_known_place

    addon.ops.mosaic.load_session(filepath=str(small))
    session = session_in(addon)
    assert is_known_place(session)
    write_session(tmp_path / "other.pickle", [cloud("theirs", 3)])
    session["mosaic_session"]["file"] = str(tmp_path / "other.pickle")
    assert not is_known_place(session)
    monkeypatch.setattr(session_file, "_met", {})
    session["mosaic_session"]["file"] = str(small)
    assert is_known_place(session)  # by its stamp
    session["mosaic_session"]["stamp"] = ""
    assert not is_known_place(session)


def test_the_blend_of_yesterday_saves_to_its_file(
    addon: Any, small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    addon.ops.mosaic.load_session(filepath=str(small))
    as_in_a_new_blender(addon, tmp_path / "a.blend", monkeypatch)
    addon.data.objects["one"].name = "first"
    assert addon.ops.mosaic.save_session() == {"FINISHED"}
    assert addon.ops.mosaic.save_session() == {"FINISHED"}
    assert names_in(small) == ["first", "two"]


def test_a_file_that_was_changed_since_yesterday_is_asked_about(
    addon: Any, small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mosaic_addon.scene.exporting.save import offered_path

    addon.ops.mosaic.load_session(filepath=str(small))
    session = as_in_a_new_blender(addon, tmp_path / "a.blend", monkeypatch)
    write_session(small, [cloud("theirs", 3)])
    with pytest.raises(RuntimeError, match="is not the file that it was"):
        addon.ops.mosaic.save_session()
    assert names_in(small) == ["theirs"]
    assert offered_path(session) == str(small)


# --- a file that is missing ------------------------------------------------------------------------------------------


def test_a_missing_file_is_not_made_again_without_a_word(addon: Any, small: Path) -> None:
    addon.ops.mosaic.load_session(filepath=str(small))
    small.unlink()
    with pytest.raises(RuntimeError, match=r"small\.pickle is not there any more; choose where"):
        addon.ops.mosaic.save_session()
    assert not small.exists()
    addon.ops.mosaic.save_session_as(filepath=str(small))
    assert addon.ops.mosaic.save_session() == {"FINISHED"}


def test_in_a_project_that_was_moved_the_file_beside_the_blend_is_offered(
    addon: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mosaic_addon.scene.exporting.save import offered_path

    old, new = tmp_path / "old", tmp_path / "new"
    old.mkdir()
    small = write_session(old / "small.pickle", [cloud("one", 5)])
    addon.ops.mosaic.load_session(filepath=str(small))
    addon.ops.wm.save_as_mainfile(filepath=str(old / "a.blend"))
    addon.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    monkeypatch.setattr(session_file, "_met", {})
    shutil.move(old, new)
    addon.ops.wm.open_mainfile(filepath=str(new / "a.blend"))
    for folder in (False, True):  # the old place is gone, or is one where a second file could be made
        if folder:
            old.mkdir()
        assert offered_path(session_in(addon)) == str(new / "small.pickle")
        with pytest.raises(RuntimeError, match="is not there any more"):
            addon.ops.mosaic.save_session()
    assert list(old.iterdir()) == []
    addon.data.objects["one"].name = "first"
    addon.ops.mosaic.save_session_as(filepath=offered_path(session_in(addon)))
    assert addon.ops.mosaic.save_session() == {"FINISHED"}
    assert names_in(new / "small.pickle") == ["first"]


def test_a_place_of_another_system_is_offered_beside_the_blend(
    addon: Any, small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mosaic_addon.scene.exporting.save import offered_path

    session = strangers_blend(addon, small, "C:\\data\\small.pickle", monkeypatch)
    assert offered_path(session) == str(tmp_path / "small.pickle")
    session["mosaic_session"]["file"] = str(tmp_path / "nowhere" / "other.pickle")
    assert offered_path(session) == str(tmp_path / "other.pickle")
    session["mosaic_session"]["file"] = ""
    assert offered_path(session) == str(tmp_path / "small.pickle")


# --- what is no session ----------------------------------------------------------------------------------------------


NO_SESSIONS = {
    "text": b"export A=1\n",
    "picture": b"\x89PNG\r\n\x1a\n",
    "another pickle": pickle.dumps({"a": 1}),
    "a session cut off": (FOLDER / "mosaic-1.3.2.pickle").read_bytes()[:5000],
}


@pytest.mark.parametrize("kind", [*NO_SESSIONS])
def test_what_is_no_session_is_never_replaced(addon: Any, small: Path, tmp_path: Path, kind: str) -> None:
    from mosaic_addon import api

    addon.ops.mosaic.load_session(filepath=str(small))
    other = tmp_path / "other.pickle"
    other.write_bytes(NO_SESSIONS[kind])
    for operator in (addon.ops.mosaic.save_session_as, addon.ops.mosaic.export_session):
        with pytest.raises(RuntimeError, match=r"other\.pickle is not overwritten, as it is no session"):
            operator(filepath=str(other))
    addon.data.objects["one"].select_set(True)
    with pytest.raises(RuntimeError, match="is not overwritten"):
        addon.ops.mosaic.export_session(filepath=str(other), selection_only=True)
    with pytest.raises(api.MosaicError, match="is not overwritten"):
        api.save(session_in(addon), other, overwrite=True)
    small.write_bytes(NO_SESSIONS[kind])  # its own file, by some other program
    with pytest.raises(RuntimeError, match="is not overwritten"):
        addon.ops.mosaic.save_session(overwrite=True)
    assert other.read_bytes() == small.read_bytes() == NO_SESSIONS[kind]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other.pickle", "small.pickle"]


def test_an_empty_file_is_filled(bpy: ModuleType, small: Path, tmp_path: Path) -> None:
    """A program that wants a temporary file makes such."""
    from mosaic_addon import api

    (tmp_path / "empty.pickle").touch()
    api.save(api.load(small), tmp_path / "empty.pickle")
    assert names_in(tmp_path / "empty.pickle") == ["one", "two"]


# --- a file that somebody else changed -------------------------------------------------------------------------------


def test_a_script_overwrites_a_changed_file_only_when_it_says_so(bpy: ModuleType, small: Path, tmp_path: Path) -> None:
    from mosaic_addon import api

    imported = api.load(small)
    write_session(small, [cloud("theirs", 3)])
    theirs = small.read_bytes()
    link = tmp_path / "link.pickle"
    link.symlink_to(small)
    for path in (small, link, tmp_path / "." / "small.pickle"):
        with pytest.raises(api.MosaicError, match="was changed on disk since it was read"):
            api.save(imported, path)
    assert small.read_bytes() == theirs
    api.save(imported, tmp_path / "copy.pickle")
    api.save(imported, tmp_path / "copy.pickle")
    imported = api.load(small)
    write_session(small, [cloud("theirs again", 3)])
    api.save(imported, link, overwrite=True)
    assert names_in(small) == ["theirs"]
    assert link.is_symlink()


def test_what_is_written_while_a_session_is_opened_is_a_change(bpy: ModuleType, small: Path) -> None:
    from mosaic_addon import api
    from mosaic_addon.scene.importing.build import build_session

    session = open_session(small)
    write_session(small, [cloud("theirs", 3)])
    imported = build_session(session, bpy.context.scene)
    with pytest.raises(api.MosaicError, match="was changed on disk since it was read"):
        api.save(imported, small)


def test_a_path_from_the_folder_of_a_command_is_kept_whole(
    bpy: ModuleType, small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Blender runs in another folder later."""
    from mosaic_addon import api
    from mosaic_addon.scene.exporting.save import file_of

    monkeypatch.chdir(tmp_path)
    imported = api.load("small.pickle")
    assert file_of(imported.collection) == str(small)
    api.save(imported, "small.pickle")


def test_other_names_of_a_file_are_told(bpy: ModuleType, small: Path, tmp_path: Path) -> None:
    from mosaic_addon import api

    (tmp_path / "snapshot.pickle").hardlink_to(small)
    before = small.read_bytes()
    imported = api.load(small)
    imported.objects[0].name = "first"
    assert any("hard links" in warning for warning in api.save(imported, small).warnings)
    assert (tmp_path / "snapshot.pickle").read_bytes() == before
    assert api.save(imported, small).warnings == []


class Layout:
    """A layout of a panel that notes the labels."""

    def __init__(self) -> None:
        self.labels: list[str] = []

    def label(self, text: str, **_: Any) -> None:
        self.labels.append(text)

    def __getattr__(self, name: str) -> Any:
        return lambda *_, **__: self


def test_the_panel_shows_where_the_file_is(addon: Any, small: Path) -> None:
    from mosaic_addon.ui.session.panel import _draw_session

    addon.ops.mosaic.load_session(filepath=str(small))
    session = session_in(addon)
    for path, shown in {
        str(small): (small.name, str(small.parent)),
        "C:\\data\\a\nb\\s.pickle": ("s.pickle", "C:\\data\\a b"),
    }.items():
        session["mosaic_session"]["file"] = path
        layout = Layout()
        _draw_session(layout, session)
        assert tuple(layout.labels[:2]) == shown


def test_an_export_to_the_sessions_file_is_a_save(addon: Any, small: Path) -> None:
    addon.ops.mosaic.load_session(filepath=str(small))
    addon.data.objects["one"].name = "first"
    addon.ops.mosaic.export_session(filepath=str(small))
    addon.data.objects["two"].name = "second"
    assert addon.ops.mosaic.save_session() == {"FINISHED"}
    assert names_in(small) == ["first", "second"]


# --- names -----------------------------------------------------------------------------------------------------------

NAMES = {
    "virus.v2": "virus.v2.pickle", "Tomo_2024.05.01": "Tomo_2024.05.01.pickle", "s.pkl": "s.pkl.pickle",
    "plain": "plain.pickle", "s.pickle.bak": "s.pickle.bak.pickle", ".pickle": ".pickle", "dot.": "dot..pickle",
    "S.PICKLE": "S.PICKLE", "s.mosaic": "s.mosaic", "s.Mosaic": "s.Mosaic", "s.txt": "s.txt.pickle",
}  # fmt: skip


@pytest.mark.parametrize("name", [*NAMES])
def test_any_other_suffix_is_a_part_of_the_name(
    addon: Any, small: Path, tmp_path: Path, name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    from mosaic_addon import api

    addon.ops.mosaic.load_session(filepath=str(small))
    layout = "indexed" if NAMES[name].lower().endswith(".mosaic") else "pickle"
    session = session_in(addon)
    addon.data.objects["one"].select_set(True)
    layer = addon.context.view_layer
    ways = {
        "api": lambda path: api.save(session, path),
        "objects": lambda path: api.save_objects([addon.data.objects["one"]], path, addon.context.scene, layer),
        "export": lambda path: addon.ops.mosaic.export_session(filepath=str(path)),
        "selection": lambda path: addon.ops.mosaic.export_session(filepath=str(path), selection_only=True),
        "save as": lambda path: addon.ops.mosaic.save_session_as(filepath=str(path)),
    }
    for number, (way, save) in enumerate(ways.items()):
        folder = tmp_path / str(number)
        folder.mkdir()
        capfd.readouterr()
        result = save(folder / name)
        assert [path.name for path in folder.iterdir()] == [NAMES[name]], way
        assert open_session(folder / NAMES[name]).layout == layout
        said = " ".join(result.warnings) if way in ("api", "objects") else capfd.readouterr().out
        assert (f"{name} is saved as {NAMES[name]}" in said) == (name != NAMES[name]), way


def test_a_file_of_the_name_that_results_is_seen_by_the_dialog(addon: Any, small: Path, tmp_path: Path) -> None:
    """Blender asks before it overwrites the file that the dialog names."""
    from mosaic_addon.ui.session.save import MOSAIC_OT_save_session_as

    class Dialog:
        filepath = ""
        properties = property(lambda self: self)

    addon.ops.mosaic.load_session(filepath=str(small))
    cases = {"virus.v2": "virus.v2.pickle", "a.mosaic": "a.mosaic", "": "", "folder/": "folder/"}
    for typed, shown in cases.items():
        dialog = Dialog()
        dialog.filepath = f"{tmp_path}/{typed}"
        assert MOSAIC_OT_save_session_as.check(dialog, addon.context) == (typed != shown)
        assert dialog.filepath == f"{tmp_path}/{shown}"


def test_a_session_of_another_suffix_keeps_its_name(addon: Any, small: Path, tmp_path: Path) -> None:
    from mosaic_addon import api

    odd = tmp_path / "odd.session"
    shutil.copy(FOLDER / "mosaic-1.3.2.mosaic", odd)
    addon.ops.mosaic.load_session(filepath=str(odd))
    assert addon.ops.mosaic.save_session() == {"FINISHED"}
    assert addon.ops.mosaic.save_session_as(filepath=str(odd)) == {"FINISHED"}
    assert api.save(session_in(addon), odd).warnings == []
    assert open_session(odd).layout == "indexed"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["odd.session", "odd.session.bak", "small.pickle"]


def test_mosaic_opens_what_a_name_with_a_dot_became(bpy: ModuleType, tmp_path: Path, mosaic: RealMosaic) -> None:
    from mosaic_addon import api

    path = FOLDER / "mosaic-1.3.2.pickle"
    saved = api.save(api.load(path), tmp_path / "virus.v2")
    assert saved.path == str(tmp_path / "virus.v2.pickle")
    assert compare(open_session(path), open_session(saved.path)) == []
    assert mosaic.differences(path, Path(saved.path)) == []
