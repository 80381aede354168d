"""The content of a session as data for JSON and as text for a terminal."""

from collections.abc import Iterable
from itertools import islice
from typing import Any

from .errors import brief, printable
from .session import Container, Geometry, Group, Mesh, Session

MAX_LISTED = 20  # names in a line


def describe(session: Session) -> dict[str, Any]:
    """Return file, layout, release, sections, shape, warnings and geometries of a session as values for JSON."""
    geometries = []
    for container in (session.clusters, session.models):
        groups = {id(member): group.name for group in container.groups for member in group.geometries}
        geometries += [_geometry(geometry, groups.get(id(geometry))) for geometry in container]
    return {
        "file": session.path,
        "layout": session.layout,
        "release": session.release,
        "sections": ["state", *session.sections] if session.layout == "indexed" else [],
        "shape": None if session.shape is None else list(session.shape),
        "warnings": session.warnings,
        "geometries": geometries,
    }


def _geometry(geometry: Geometry, group: str | None) -> dict[str, Any]:
    mesh = geometry.model if isinstance(geometry.model, Mesh) else None
    return {
        "container": geometry.container,
        "index": geometry.index,
        "name": geometry.name,
        "uuid": geometry.uuid,
        "class": geometry.class_name,
        "representation": geometry.representation,
        "model": None if geometry.model is None else geometry.model.class_name,
        "points": len(geometry.points),
        "faces": None if mesh is None else len(mesh.triangles),
        "frames": None if geometry.frames is None else len(geometry.frames),
        "visible": geometry.visible,
        "group": group,
        "appearance": _appearance(geometry),
        "vertex_properties": {
            name: {
                "dtype": values.dtype.str if values.dtype.kind in "US" else values.dtype.name,
                "shape": list(values.shape),
            }
            for name, values in geometry.vertex_properties.items()
        },
        "meta": [str(key) for key in geometry.meta],
    }


def _appearance(geometry: Geometry) -> dict[str, Any]:
    """Return an appearance by Mosaic's keys, with those that are not interpreted if JSON can hold their values."""
    look = geometry.appearance
    shown: dict[str, Any] = {
        "size": look.size,
        "opacity": look.opacity,
        "ambient": look.ambient,
        "diffuse": look.diffuse,
        "specular": look.specular,
        "render_spheres": look.render_spheres,
        "base_color": list(look.base_color),
        "highlight_color": list(look.highlight_color),
    }
    if look.isovalue_percentile is not None:
        shown["isovalue_percentile"] = look.isovalue_percentile
    shown |= {key: value for key, value in look.extra.items() if isinstance(value, (str, int, float, type(None)))}
    return shown


def describe_text(session: Session) -> str:
    """Describe a session for people: a line for each geometry, indented under its container and group."""
    shape = "unknown" if session.shape is None else " x ".join(map(str, session.shape)) + " voxels"
    lines = [
        f"{session.path}",
        f"  {session.layout}, Mosaic {session.release}, shape {shape}",
    ]
    if session.sections:
        lines.append(f"  sections: {_listed(['state', *session.sections])}")
    for container in (session.clusters, session.models):
        lines.append(f"{container.name.capitalize()} ({len(container)})")
        lines += _container_lines(container)
    lines += [f"warning: {warning}" for warning in session.warnings]
    return "\n".join(map(printable, lines))


def _container_lines(container: Container) -> list[str]:
    lines = []
    for item in container.items:
        if isinstance(item, Group):
            lines.append(f"  [{brief(item.name)}]")
            lines += [_line(geometry, "    ") for geometry in item.geometries]
        else:
            lines.append(_line(item, "  "))
    return lines


def _listed(names: Iterable[str]) -> str:
    """List the first of some names."""
    first = [brief(name) for name in islice(names, MAX_LISTED + 1)]
    return ", ".join(first[:MAX_LISTED]) + (", …" if len(first) > MAX_LISTED else "")


def _line(geometry: Geometry, indent: str) -> str:
    parts = [f"{len(geometry.points)} points"]
    if isinstance(geometry.model, Mesh):
        parts.append(f"{len(geometry.model.triangles)} faces")
    if geometry.frames is not None:
        parts.append(f"{len(geometry.frames)} frames")
    if geometry.model is not None:
        parts.append(brief(geometry.model.class_name))
    if geometry.vertex_properties:
        parts.append(f"properties {_listed(geometry.vertex_properties)}")
    hidden = "" if geometry.visible else " (hidden)"
    return f"{indent}{brief(geometry.name):<28} {geometry.kind:<12} {geometry.representation:<16} {', '.join(parts)}{hidden}"
