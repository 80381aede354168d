"""What every session that opens must keep, whatever file it came from."""

from __future__ import annotations

import json

import numpy as np

from mosaic_addon.session import Session
from mosaic_addon.session.describe import describe, describe_text
from mosaic_addon.session.session import Mesh


def assert_usable(session: Session) -> None:
    """What the promise of the types is, whatever the file held."""
    json.dumps(describe(session))
    describe_text(session).encode()
    for warning in session.warnings:
        assert warning.endswith("."), warning
        assert len(warning) < 400, warning
    assert len(session.warnings) <= 1001
    for container in (session.clusters, session.models):
        assert len(container.base_color) == len(container.highlight_color) == 3
        placed = [g for item in container.items for g in getattr(item, "geometries", [item])]
        assert sorted(map(id, placed)) == sorted(map(id, container.geometries))
    for geometry in session.geometries:
        n = len(geometry.points)
        assert geometry.points.shape == (n, 3)
        assert geometry.normals is None or geometry.normals.shape == (n, 3)
        assert geometry.quaternions is None or geometry.quaternions.shape == (n, 4)
        assert geometry.sampling_rate.shape == (3,)
        assert (geometry.sampling_rate > 0).all()
        assert np.isfinite(geometry.sampling_rate).all()
        assert type(geometry.visible) is bool
        assert geometry.uuid is None or type(geometry.uuid) is str
        for columns, rows in [(geometry.vertex_properties, n)] + [
            (frame.vertex_properties, len(frame.mesh.vertices)) for frame in geometry.frames or []
        ]:
            for column in columns.values():
                assert len(column) == rows
                assert column.dtype.kind in "biufcUS"
                column[:10].tolist()  # what is no text fails here
                if column.dtype.kind == "b":
                    assert np.ascontiguousarray(column).view("u1").max(initial=0) <= 1
        for mesh in [geometry.model] + [frame.mesh for frame in geometry.frames or []]:
            if isinstance(mesh, Mesh) and mesh.triangles.size:
                assert mesh.triangles.dtype == np.int32
                assert mesh.triangles.min() >= 0
                assert mesh.triangles.max() < len(mesh.vertices)
        assert (geometry.representation == "volume") <= (geometry.volume is not None)
        assert (geometry.representation in ("surface", "mesh", "wireframe")) <= isinstance(geometry.model, Mesh)
        look = geometry.appearance
        numbers = (
            look.size,
            look.opacity,
            look.ambient,
            look.diffuse,
            look.specular,
            *look.base_color,
            *look.highlight_color,
        )
        assert np.isfinite(numbers).all()
