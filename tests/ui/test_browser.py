"""The browser's rows and operators, without a window: what is shown, what is acted on, what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from tests.support.make_sessions import cloud, mesh, tree, triangular_mesh, write_session


@pytest.fixture
def session(tmp_path: Path) -> Path:
    clusters = [cloud(name, 4) for name in ("alpha", "beta", "gamma", "delta")]
    clusters.append(cloud("omega", 4, visible=False))
    models = [mesh("model", 4, model=triangular_mesh(4))]
    ids = [vars(item)["uuid"] for item in clusters]
    return write_session(
        tmp_path / "s.pickle", clusters, models,
        _data_tree=tree([ids[0], "G", *ids[3:]], {"G": ids[1:3]}, {"G": "Pair"}),
    )  # fmt: skip


@pytest.fixture
def browser(bpy: ModuleType, session: Path) -> Iterator[SimpleNamespace]:
    """The add-on with a session open, nothing selected."""
    import mosaic_addon
    from mosaic_addon.scene.outline import tree as scene_tree
    from mosaic_addon.ui import selection
    from mosaic_addon.ui.browser import rows as browser_rows
    from mosaic_addon.ui.browser.targets import in_order

    mosaic_addon.register()
    browser_rows._folded.clear()
    bpy.ops.mosaic.load_session(filepath=str(session))
    selection.choose(bpy.context, [])

    def objects(*names: str) -> list[Any]:
        return [bpy.data.objects[name] for name in names]

    def rows(search: str = "") -> list[str]:
        told = browser_rows.rows_of(bpy.context.scene, search)
        return [
            "  " * depth + browser_rows.title_of(item) + (f" ({told.counts[row]})" if row in told.counts else "")
            for row, (item, depth) in enumerate(zip(told.items, told.depths, strict=True))
        ]

    def chosen() -> list[str]:
        return [obj.name for obj in in_order(bpy.context.scene, selection.chosen_ids(bpy.context))]

    yield SimpleNamespace(
        bpy=bpy, tree=scene_tree, rows_module=browser_rows, selection=selection, ops=bpy.ops.mosaic,
        objects=objects, rows=rows, chosen=chosen, choose=lambda *names: selection.choose(bpy.context, objects(*names)),
        group=bpy.data.collections["Pair"],
    )  # fmt: skip
    mosaic_addon.unregister()


def visible(browser: SimpleNamespace) -> list[str]:
    from mosaic_addon.scene.outline.visibility import is_visible

    layer = browser.bpy.context.view_layer
    session = browser.tree.sessions_in(browser.bpy.context.scene)[0]
    shown = [obj for obj in browser.tree.objects_of(session) if is_visible(obj, layer)]
    assert all(obj.hide_render == (obj not in shown) for obj in browser.tree.objects_of(session))
    return [obj.name for obj in shown]


# --- rows ------------------------------------------------------------------------------------------------------------

ALL = [
    "Clusters (5)", "  alpha", "  Pair (2)", "    beta", "    gamma", "  delta", "  omega", "Models (1)", "  model",
]  # fmt: skip


def test_rows_are_the_tree(browser: SimpleNamespace) -> None:
    assert browser.rows() == ALL


def test_rows_follow_what_blender_has(browser: SimpleNamespace) -> None:
    browser.objects("beta")[0].name = "renamed"
    browser.group.objects.unlink(browser.objects("gamma")[0])
    lamp = browser.bpy.data.objects.new("lamp", None)
    browser.group.objects.link(lamp)
    assert browser.rows()[:5] == ["Clusters (4)", "  alpha", "  Pair (1)", "    renamed", "  delta"]


def test_rows_have_the_order_of_the_tree_whatever_it_says(browser: SimpleNamespace) -> None:
    container = browser.tree.container_of(browser.tree.sessions_in(browser.bpy.context.scene)[0], "clusters")
    for items in ("", "ooog", "gggooooooo", "g", "oogo"):
        container["mosaic_items"] = items
        expected = []
        for item in browser.tree.items_of(container):
            expected += [item] if item.name in browser.bpy.data.objects else [item, *browser.tree.members_of(item)]
        assert browser.rows_module.rows_of(browser.bpy.context.scene).items[1:7] == expected


def test_headings_fold(browser: SimpleNamespace) -> None:
    browser.rows_module.fold(browser.group, True)
    assert browser.rows()[:4] == ["Clusters (5)", "  alpha", "  Pair (2)", "  delta"]
    browser.rows_module.fold(browser.bpy.data.collections["Clusters"], True)
    assert browser.rows() == ["Clusters (5)", "Models (1)", "  model"]


def test_search_finds_in_both_containers_and_what_is_folded(browser: SimpleNamespace) -> None:
    browser.rows_module.fold(browser.bpy.data.collections["Clusters"], True)
    assert browser.rows("DEL") == ["Clusters (1 of 5)", "  delta", "Models (1 of 1)", "  model"]
    assert browser.rows("gam") == ["Clusters (1 of 5)", "  Pair (1 of 2)", "    gamma", "Models (0 of 1)"]
    assert browser.rows("pair") == ["Clusters (2 of 5)", "  Pair (2 of 2)", "    beta", "    gamma", "Models (0 of 1)"]


def test_search_knows_names_that_blender_could_not_give(browser: SimpleNamespace) -> None:
    from mosaic_addon.scene.outline.naming import rename

    rename(browser.objects("alpha")[0], "x" * 300 + "end")
    assert len(browser.rows("xend")) == 3


def test_several_sessions_have_headings(browser: SimpleNamespace, session: Path) -> None:
    from mosaic_addon.scene.importing.build import build_session
    from mosaic_addon.session import open_session

    build_session(open_session(session), browser.bpy.context.scene)
    rows = browser.rows()
    assert rows[:3] == ["s", "  Clusters (5)", "    alpha"]
    assert len(rows) == 2 * (len(ALL) + 1)
    browser.rows_module.fold(browser.bpy.data.collections["s"], True)
    assert browser.rows()[:3] == ["s", "s.001", "  Clusters (5)"]
    found = ["  Clusters (1 of 5)", "    alpha", "  Models (0 of 1)"]
    assert browser.rows("alpha")[:2] == ["s", found[0]]
    assert browser.rows("alpha") == ["s", *found, "s.001", found[0], "    alpha", found[2]]


def test_another_scene_has_its_own_rows(browser: SimpleNamespace) -> None:
    other = browser.bpy.data.scenes.new("other")
    assert browser.rows_module.rows_of(other).items == []


# --- selection -------------------------------------------------------------------------------------------------------


def test_what_is_selected_in_blender_is_chosen_in_order(browser: SimpleNamespace) -> None:
    for obj in reversed(browser.objects("model", "delta", "alpha")):
        obj.select_set(True)
    assert browser.chosen() == ["alpha", "delta", "model"]


def test_choosing_selects_in_blender(browser: SimpleNamespace) -> None:
    layer = browser.bpy.context.view_layer
    browser.choose("beta", "gamma")
    assert {obj.name for obj in layer.objects.selected} == {"beta", "gamma"}
    assert layer.objects.active.name == "beta"
    browser.selection.choose(browser.bpy.context, browser.objects("alpha"), extend=True)
    assert browser.chosen() == ["alpha", "beta", "gamma"]
    browser.selection.unchoose(browser.bpy.context, browser.objects("beta"))
    assert browser.chosen() == ["alpha", "gamma"]


def test_hidden_objects_can_be_chosen_until_the_selection_changes(browser: SimpleNamespace) -> None:
    browser.choose("omega")
    assert browser.chosen() == ["omega"]
    browser.ops.set_visibility(visible=True)
    assert "omega" in visible(browser)
    assert browser.objects("omega")[0].select_get()
    browser.ops.set_visibility(visible=False)
    assert browser.chosen() == ["omega"]
    browser.objects("alpha")[0].select_set(True)
    assert browser.chosen() == ["alpha"]


def test_an_excluded_collection_is_told(browser: SimpleNamespace) -> None:
    layer = browser.bpy.context.view_layer
    layer.layer_collection.children["s"].children["Clusters"].children["Pair"].exclude = True
    outside = browser.selection.choose(browser.bpy.context, browser.objects("alpha", "beta"))
    assert outside == browser.objects("beta")
    assert browser.chosen() == ["alpha"]


def test_choosing_leaves_edit_mode(browser: SimpleNamespace) -> None:
    browser.choose("model")
    browser.bpy.ops.object.mode_set(mode="EDIT")
    browser.selection.choose(browser.bpy.context, browser.objects("alpha"), browser.objects("alpha")[0])
    assert browser.bpy.context.mode == "OBJECT"


def test_select_all_keeps_to_the_search(browser: SimpleNamespace) -> None:
    browser.ops.select_all()
    assert browser.chosen() == ["alpha", "beta", "gamma", "delta", "omega", "model"]
    browser.bpy.context.window_manager.mosaic_browser.search = "del"
    browser.ops.select_all()
    assert browser.chosen() == ["delta", "model"]
    browser.bpy.context.window_manager.mosaic_browser.search = ""
    browser.ops.select_all(action="INVERT")
    assert browser.chosen() == ["alpha", "beta", "gamma", "omega"]
    browser.ops.select_all(action="DESELECT")
    assert browser.chosen() == []


# --- operators -------------------------------------------------------------------------------------------------------


def test_visibility(browser: SimpleNamespace) -> None:
    browser.choose("alpha", "beta")
    browser.ops.isolate()
    assert visible(browser) == ["alpha", "beta"]
    assert browser.chosen() == ["alpha", "beta"]
    browser.ops.show_all()
    assert visible(browser) == ["alpha", "beta", "gamma", "delta", "omega", "model"]
    browser.ops.isolate()
    browser.ops.toggle_visibility()
    assert visible(browser) == []
    browser.ops.toggle_visibility()
    assert visible(browser) == ["alpha", "beta"]


def test_a_closed_monitor_counts_as_hidden(browser: SimpleNamespace) -> None:
    obj = browser.objects("alpha")[0]
    obj.hide_viewport = obj.hide_render = True
    assert "alpha" not in visible(browser)
    assert obj.mosaic_hidden
    obj.mosaic_hidden = False
    assert "alpha" in visible(browser)


def test_the_swatch_is_the_materials_colour(browser: SimpleNamespace) -> None:
    obj = browser.objects("alpha")[0]
    obj.mosaic_color = (0.1, 0.2, 0.3)
    material = obj.material_slots[0].material
    assert list(material.node_tree.nodes["Mosaic Surface"].inputs["Color"].default_value) == pytest.approx(
        [0.1, 0.2, 0.3, 1]
    )
    assert list(material.diffuse_color[:3]) == pytest.approx([0.1, 0.2, 0.3])
    material.node_tree.nodes["Mosaic Surface"].inputs["Color"].default_value = (0.4, 0.5, 0.6, 1)
    assert list(obj.mosaic_color) == pytest.approx([0.4, 0.5, 0.6])


def test_group_move_and_ungroup(browser: SimpleNamespace) -> None:
    browser.choose("alpha", "delta")
    browser.ops.group(name="New")
    assert browser.rows()[:4] == ["Clusters (5)", "  New (2)", "    alpha", "    delta"]
    browser.ops.move(direction="DOWN")
    assert browser.rows()[1] == "  Pair (2)"
    browser.ops.move_to_group(group=browser.group.session_uid)
    assert browser.rows()[1:6] == ["  Pair (4)", "    beta", "    gamma", "    alpha", "    delta"]
    browser.ops.ungroup()
    assert browser.rows()[1:6] == ["  Pair (2)", "    beta", "    gamma", "  alpha", "  delta"]


def test_duplicate_and_remove(browser: SimpleNamespace) -> None:
    browser.choose("beta", "omega")
    browser.ops.duplicate()
    assert browser.rows()[2:9] == ["  Pair (3)", "    beta", "    beta", "    gamma", "  delta", "  omega", "  omega"]
    assert browser.chosen() == ["beta.001", "omega.001"]
    assert "omega.001" not in visible(browser)
    browser.ops.remove()
    assert browser.rows() == ALL


def test_merge(browser: SimpleNamespace) -> None:
    browser.choose("alpha", "beta")
    browser.ops.merge()
    assert browser.chosen() == ["alpha"]
    assert len(browser.objects("alpha")[0].data.points) == 8
    browser.choose("alpha", "model")
    with pytest.raises(RuntimeError, match="one session"):
        browser.ops.merge()


def test_rename_many(browser: SimpleNamespace) -> None:
    browser.choose("alpha", "beta", "model")
    browser.ops.rename(mode="FORMAT", template="{name} {i:02}")
    assert browser.chosen() == ["alpha 01", "beta 02", "model 03"]
    browser.ops.rename(mode="REPLACE", find=" 0", replacement="-")
    assert browser.chosen() == ["alpha-1", "beta-2", "model-3"]
    with pytest.raises(RuntimeError, match="regular expression"):
        browser.ops.rename(mode="REPLACE", find="(", replacement="", regular_expression=True)
    with pytest.raises(RuntimeError, match="empty"):
        browser.ops.rename(mode="REPLACE", find=".*", replacement="", regular_expression=True)
    assert browser.chosen() == ["alpha-1", "beta-2", "model-3"]


def test_the_label_is_the_true_name(browser: SimpleNamespace) -> None:
    obj = browser.objects("alpha")[0]
    obj.mosaic_label = "beta"
    assert (obj.mosaic_label, obj.name) == ("beta", "beta.001")
    obj.mosaic_label = " "
    assert obj.mosaic_label == "beta"
    browser.group.mosaic_label = "Other"
    assert browser.rows()[2] == "  Other (2)"


def test_representation_of_those_that_offer_it(browser: SimpleNamespace) -> None:
    from mosaic_addon.scene.drawing.representations import representation_of

    browser.choose("alpha", "model")
    browser.ops.set_representation(representation="wireframe")
    assert [representation_of(obj) for obj in browser.objects("alpha", "model")] == ["pointcloud", "wireframe"]
    browser.choose("alpha")
    with pytest.raises(RuntimeError, match="Wireframe"):
        browser.ops.set_representation(representation="wireframe")


def test_the_row_of_a_menu_is_acted_on_where_it_is_not_selected(browser: SimpleNamespace) -> None:
    context = browser.bpy.context
    browser.choose("alpha")
    with context.temp_override(mosaic_item=browser.group):
        browser.ops.set_visibility(visible=False)
    assert visible(browser) == ["alpha", "delta", "model"]
    assert browser.chosen() == ["beta", "gamma"]
    browser.choose("alpha", "delta")
    with context.temp_override(mosaic_item=browser.objects("delta")[0]):
        browser.ops.group(name="New")
    assert browser.rows()[1] == "  New (2)"


def test_nothing_selected_disables(browser: SimpleNamespace) -> None:
    for name in ("duplicate", "remove", "group", "ungroup", "merge", "isolate", "set_visibility", "rename", "move"):
        assert not getattr(browser.ops, name).poll(), name
    browser.choose("alpha")
    for name in ("duplicate", "remove", "group", "ungroup", "merge", "isolate", "set_visibility", "rename", "move"):
        assert getattr(browser.ops, name).poll(), name


def test_linked_sessions_are_shown_but_not_changed(browser: SimpleNamespace, tmp_path: Path) -> None:
    bpy = browser.bpy
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "library.blend"))
    bpy.ops.wm.read_factory_settings(use_empty=True)
    with bpy.data.libraries.load(str(tmp_path / "library.blend"), link=True) as (_, here):
        here.collections = ["s"]
    bpy.context.scene.collection.children.link(here.collections[0])
    assert browser.rows() == ALL
    browser.selection.choose(bpy.context, browser.objects("alpha"))
    for name in ("duplicate", "remove", "group", "merge", "rename", "move", "set_representation"):
        assert not getattr(browser.ops, name).poll(), name
    browser.ops.isolate()
    assert [obj.name for obj in bpy.data.objects if obj.visible_get() and "mosaic_class" in obj] == ["alpha"]


def test_a_saved_blend_shows_the_same(browser: SimpleNamespace, tmp_path: Path) -> None:
    browser.choose("alpha", "delta")
    browser.ops.group(name="New")
    before = browser.rows()
    browser.bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "s.blend"))
    browser.bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "s.blend"))
    assert browser.rows() == before


def test_disabled_and_enabled_again(browser: SimpleNamespace) -> None:
    import mosaic_addon

    mosaic_addon.unregister()
    assert not hasattr(browser.bpy.types.Object, "mosaic_color")
    assert not hasattr(browser.bpy.types.WindowManager, "mosaic_browser")
    assert not [f for f in browser.bpy.types.UI_MT_button_context_menu.draw._draw_funcs if "mosaic" in f.__module__]
    mosaic_addon.register()
    assert browser.rows() == ALL
    browser.choose("alpha")
    browser.ops.duplicate()
    assert browser.chosen() == ["alpha.001"]
