"""What Append and M do to a session's objects in the window, and undo of what is ours."""

from __future__ import annotations

from pathlib import Path

from mosaic_addon.session import open_session
from tests.support.window import Window, assert_quiet

FOLDER = Path(__file__).parents[1] / "sessions"

STEPS = """
def in_view(operator, *arguments, **options):
    window, area, region = view()
    with bpy.context.temp_override(window=window, area=area, region=region):
        return sorted(operator(*arguments, **options))

def step(operator, **options):
    return in_view(operator, "EXEC_DEFAULT", True, **options)

def pick(*names):
    clear_selection()
    for obj in bpy.context.view_layer.objects:
        if obj.get("mosaic_name") in names:
            obj.select_set(True)
            bpy.context.view_layer.objects.active = obj

def whole_view():
    in_view(bpy.ops.view3d.view_all)
    return view()[1].spaces.active.region_3d.view_distance

def counts():
    return [len(kind) for kind in (bpy.data.objects, bpy.data.collections, bpy.data.meshes, bpy.data.pointclouds)]
"""


def prepare(window: Window, session: Path) -> None:
    window.wait_for("ready.done")
    window.do(f"exec({STEPS!r}, globals())")
    window.do(f"step(bpy.ops.mosaic.load_session, filepath={str(session)!r})")


def test_an_appended_session_fills_nothing_and_is_closed_whole(window: Window, tmp_path: Path) -> None:
    prepare(window, FOLDER / "mosaic-1.3.2.pickle")
    before = window.do("whole_view()")
    library = tmp_path / "library.blend"
    window.do(f"sorted(bpy.ops.wm.save_as_mainfile(filepath={str(library)!r}, copy=True))")
    window.do("step(bpy.ops.mosaic.close_session)")
    empty = window.do("counts()")
    window.do(f"step(bpy.ops.wm.append, directory={str(library)!r} + '/Collection/', filename='mosaic-1.3.2')")
    appended = window.do("counts()")
    assert appended != empty
    assert window.do("any('mosaic_part' in obj for obj in bpy.context.scene.objects)")
    assert window.do("whole_view()") < 1.5 * before
    window.do("step(bpy.ops.mosaic.close_session)")
    assert window.do("counts()") == empty
    window.do("undo('undo')")
    assert window.do("counts()") == appended
    window.do("undo('redo')")
    assert window.do("counts()") == empty
    assert_quiet(window)


def test_m_loses_no_object_and_surface_to_mesh_is_undone(window: Window, tmp_path: Path) -> None:
    session, target = FOLDER / "mosaic-1.3.2.pickle", tmp_path / "saved.pickle"
    prepare(window, session)
    before = window.do("counts()")
    save = f"step(bpy.ops.mosaic.save_session_as, filepath={str(target)!r})"

    window.do("in_view(bpy.ops.object.select_all, action='SELECT')")
    window.do(
        "step(bpy.ops.object.move_to_collection, collection_uid=bpy.context.scene.collection.session_uid, "
        "is_new=True, new_collection_name='Mine')"
    )
    assert window.do("len(bpy.data.collections['Mine'].objects)") > 20
    window.do(save)
    assert {g.name for g in open_session(target).geometries} == {g.name for g in open_session(session).geometries}
    window.do("undo('undo')")
    assert window.do("'Mine' in bpy.data.collections") is False

    window.do("pick('volume quat', 'segmentation', 'Sphere')")
    assert window.do("step(bpy.ops.mosaic.surface_to_mesh)") == ["FINISHED"]
    after = window.do("counts()")
    assert [now - then for now, then in zip(after, before, strict=True)] == [3, 0, 3, 0]
    window.do("undo('undo')")
    assert window.do("counts()") == before
    window.do("undo('redo')")
    assert window.do("counts()") == after
    window.do(save)
    names = [geometry.name for geometry in open_session(target).models]
    assert names[-3:] == ["volume quat Mesh", "segmentation Mesh", "Sphere Mesh"]
