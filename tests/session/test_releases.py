"""Each release of Mosaic is recognised by how it writes, and a session that is written for one is recognised as its."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mosaic_addon.session import open_session
from mosaic_addon.session.edit import put, state_of
from mosaic_addon.session.new_nodes import new_geometry, new_state, new_tree
from mosaic_addon.session.nodes import Pairs
from mosaic_addon.session.pickle_reader import read_pickle
from mosaic_addon.session.pickle_writer import write_pickle
from mosaic_addon.session.releases import (
    COLABSEG,
    CONTAINER_KEYS,
    FROM_1_0_0,
    FROM_1_0_11,
    FROM_1_1_0,
    NEWEST,
    SPELLINGS,
    TARGETS,
    TREE_KEYS,
    Spelling,
    recognise,
    spelling_of,
    version_of,
)
from mosaic_addon.session.respell import renames, respell_geometry, respell_state
from mosaic_addon.session.session import Appearance

FILES = sorted((Path(__file__).parents[1] / "sessions").glob("*.pickle"))
# What a session is taken for that was written for a target: the oldest release that writes like it.
TAKEN_FOR = {"1.3.2": NEWEST, "1.2.4": FROM_1_1_0, "1.1.1": FROM_1_1_0, "1.0.12": FROM_1_0_11}
releases = pytest.mark.parametrize("spelling", SPELLINGS, ids=lambda spelling: spelling.release)


def reread(state: Pairs, **names: Any) -> Pairs:
    parts: list[bytes] = []
    write_pickle(state, lambda data: parts.append(bytes(data)), **names)
    return read_pickle(b"".join(parts))


def state_with_a_geometry(spelling: Spelling) -> Pairs:
    state = new_state(spelling)
    usual = {"sampling_rate": (1, 1, 1), "appearance": Appearance(), "representation": "pointcloud", "visible": True}
    geometry = new_geometry(
        spelling, name="new", container="clusters", points=np.zeros((3, 3), np.float32), count=3, **usual
    )
    put(state_of(state.as_dict()["_data"]), "data", [geometry])
    return state


@releases
def test_a_new_session_is_recognised(spelling: Spelling) -> None:
    assert recognise(reread(state_with_a_geometry(spelling))) is spelling


@releases
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_session_in_another_spelling_is_recognised(path: Path, spelling: Spelling) -> None:
    session = open_session(path)
    source = spelling_of(session.release)
    for geometry in session.geometries:
        respell_geometry(geometry.node, source, spelling, geometry.name, geometry.name)
    respell_state(session.state, spelling)
    if spelling.tree is not None:
        for key in TREE_KEYS.values():
            put(session.state, key, new_tree([], spelling))
    state = reread(session.state, renames=renames(spelling))
    # Whether a geometry says how it is drawn is all that tells colabseg's sessions from the next ones.
    assert recognise(state) is (spelling if spelling.representations else FROM_1_0_0)


def test_every_target_has_a_name_that_is_a_version() -> None:
    for target, spelling in TARGETS.items():
        assert version_of(spelling.release) == target
        assert recognise(reread(state_with_a_geometry(spelling))) is TAKEN_FOR[target]
    assert next(iter(TARGETS.values())) is NEWEST


def test_a_release_is_found_by_its_name() -> None:
    for spelling in (*SPELLINGS, TARGETS["1.1.1"], TARGETS["1.0.12"]):
        assert spelling_of(spelling.release) is spelling
    for later in ("1.3.0", "1.3.2", "1.4.0", "2.0", "", "a release"):
        assert spelling_of(later) is NEWEST
    assert spelling_of("1.2.9").release == "1.2.4"


@pytest.mark.parametrize(
    ("release", "version"),
    [
        ("colabseg", "1.2.4"),  # the first that knows the indexed layout
        ("1.0.0-1.0.10", "1.2.4"),
        ("1.1.0-1.2.3", "1.2.4"),
        ("1.2.4", "1.2.4"),
        ("1.3", "1.3.2"),
        ("1.3.2", "1.3.2"),
        ("1.4.7", "1.4.7"),
        ("1.2.5-beta", "1.2.4"),
        ("unknown", "1.3.2"),
    ],
)
def test_what_an_indexed_file_says(release: str, version: str) -> None:
    assert version_of(release) == version


def test_either_key_of_a_container_will_do() -> None:
    state = state_with_a_geometry(COLABSEG)
    for first, second in CONTAINER_KEYS.values():
        state[state.index(first)] = second
    assert recognise(reread(state)) is COLABSEG
