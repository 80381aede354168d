"""The frames in the node of a trajectory: which there are, which is shown, and their vertex properties."""

from collections.abc import Sequence

from .arrays import NORMALS, POINTS, QUATERNIONS, array_in, put_array
from .edit import drop, entry, put, state_of
from .nodes import Node, ObjectNode, Pairs
from .values import FIT, MODEL, columns_in

TRAJECTORY, MESH, FILENAME, COLUMNS = "trajectory", "fit", "filename", "vertex_properties"


def has_frames(node: ObjectNode, places: Sequence[int]) -> bool:
    """Tell whether a node is in the form of a geometry, with sound frames at some places of its trajectory."""
    if node.cls.kind != "mosaic" or type(node.state) not in (Pairs, tuple):
        return False
    frames = node.fields().get(TRAJECTORY) if places else []
    if type(frames) is not list or max(places, default=-1) >= len(frames):
        return False
    parts = [frames[place] for place in places]
    return all(type(part) is Pairs and type(part.as_dict().get(MESH)) is ObjectNode for part in parts)


def frames_of(node: ObjectNode) -> list[Pairs]:
    """Return the frames of a trajectory."""
    frames: list[Pairs] = state_of(node).as_dict()[TRAJECTORY]
    return frames


def set_frames(node: ObjectNode, frames: Sequence[Pairs]) -> None:
    """Replace the frames of a trajectory."""
    put(state_of(node), TRAJECTORY, list(frames))


def mesh_of(frame: Pairs) -> ObjectNode:
    """Return the mesh of a frame."""
    mesh: ObjectNode = frame.as_dict()[MESH]
    return mesh


def show_frame(node: ObjectNode, frame: Pairs, before: Pairs | None, points: Node, normals: Node) -> None:
    """Let a trajectory show a frame. Mosaic notes none, but gives the geometry the frame's points, mesh and file name.

    before: the frame that was shown, if it is not there any more. points, normals: of the frame.
    """
    state, entries = state_of(node), frame.as_dict()
    columns = state.as_dict().get(COLUMNS)
    if columns is not None and before is not None and columns is before.as_dict().get(COLUMNS):  # gone with that frame
        put(state, COLUMNS, entries[COLUMNS])
    put_array(node, POINTS, points)
    if array_in(node, NORMALS) is not None:
        put_array(node, NORMALS, normals)
    if array_in(node, QUATERNIONS) is not None:
        put_array(node, QUATERNIONS, None)
    meta = entry(node, "meta")
    put(*((state, MODEL) if MODEL in state.as_dict() else (meta, FIT)), entries[MESH])
    for key in (FILENAME, COLUMNS):
        if key in entries:
            put(meta, key, entries[key])


def columns_of(frame: Pairs) -> dict[str, Node] | None:
    """Return the vertex properties of a frame by name; None for a frame that has no place for any."""
    return None if _columns_of(frame) is None else columns_in(frame.as_dict()[COLUMNS])


def put_column(frame: Pairs, name: str, values: Node) -> None:
    """Replace or add a vertex property of a frame that has a place for them."""
    if (columns := _columns_of(frame)) is not None:
        put(columns, name, values)


def drop_column(frame: Pairs, name: str) -> None:
    """Remove a vertex property of a frame."""
    if (columns := _columns_of(frame)) is not None:
        drop(columns, name)


def _columns_of(frame: Pairs) -> Pairs | None:
    container = frame.as_dict().get(COLUMNS)
    entries = state_of(container).as_dict().get("_properties") if type(container) is ObjectNode else None
    return entries if type(entries) is Pairs else None
