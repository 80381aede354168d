"""Small files that ask for much time or memory."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

from tests.support import make_sessions as make
from tests.support.opcodes import (
    FROMBUFFER,
    PROTO,
    SCALAR,
    blob,
    call,
    container_of,
    dtype,
    in_session,
    name,
    new,
    number,
    state_of,
    text,
    tup,
)

BOMBS: dict[str, Callable[[], bytes]] = {}
MB = 2**20


def bomb(make_bytes: Callable[[], bytes]) -> Callable[[], bytes]:
    BOMBS[make_bytes.__name__] = make_bytes
    return make_bytes


for title, opcodes in {
    "empty lists": b"]", "empty dicts": b"}", "empty sets": b"\x8f", "remembered lists": b"]\x94", "remembered None": b"N\x94", "nothing remembered": b"\x94",
    "marks": b"(", "marks and tuples": b"(t", "lists in lists": b"]a", "floats": b"G\x00\x00\x00\x00\x00\x00\x00\x01", "tuples": b")\x85", "small bytes": b"C\x02ab", "empty bytes": b"C\x00",
    "bytearrays": b"\x96" + bytes(8), "long bytes": b"\x8e" + struct.pack("<Q", 2) + b"ab", "texts": b"\x8c\x01a", "frozensets": b"(\x91", "numbers": b"\x8a\x08" + b"\x7f" * 8,
}.items():  # fmt: skip
    BOMBS[f"3 MB of {title}"] = lambda opcodes=opcodes: PROTO + b"N" * 3 + opcodes * (3 * MB // len(opcodes)) + b"."
for title, opcodes in {"tuples": b"\x85", "lists": b"a", "dicts": b"s", "objects": b"b", "arrays": b"R"}.items():
    depth = 1_000_000
    start = {"tuples": b"", "lists": b"]" * depth, "dicts": b"}N" * depth, "objects": (b"h\x00)\x81") * depth}.get(
        title, b"h\x00h\x01" * depth
    )
    first = {
        "objects": name("evil", "Evil") + b"\x940",
        "arrays": name(*SCALAR) + b"\x940" + dtype("O8") + b"\x940",
    }.get(title, b"")
    end = b"\x86R" * depth if title == "arrays" else opcodes * depth
    BOMBS[f"a million nested {title}"] = lambda first=first, start=start, end=end: (
        PROTO + first + start + b"N" + end + b"."
    )
    BOMBS[f"a million nested {title} in meta"] = lambda first=first, start=start, end=end: PROTO + first + state_of(
        _data=container_of(new("mosaic.geometry", "Geometry") + state_of(points=call(FROMBUFFER, blob(bytes(24)), dtype(), tup(b"K\x01K\x03"), text("C")), meta=b"}" + text("a") + start + b"N" + end + b"s", uuid=start + b"N" + end) + b"b")
    ) + b"."  # fmt: skip
    BOMBS[f"a million nested {title} as uuid of a damaged object"] = lambda first=first, start=start, end=end: PROTO + first + state_of(
        _data=container_of(new("mosaic.geometry", "Geometry") + state_of(uuid=start + b"N" + end) + b"b")
    ) + b"."  # fmt: skip


def shared(first: bytes, each: bytes, count: int, geometry: bytes | None = None) -> bytes:
    """A session in whose one list stands `each` `count` times; it can name what `first` remembers."""
    return PROTO + first + state_of(_data=container_of(each * count)) + b"."


def remembered(*values: bytes) -> bytes:
    return b"".join(value + b"\x940" for value in values)


BIG = b"](" + b"K\x01" * MB + b"e"
ONE_POINT = call(FROMBUFFER, blob(bytes(24)), dtype(), tup(b"K\x01K\x03"), text("C"))


def of_shared_part(attribute: str, part: bytes, count: int = 20_000, cls: str = "Geometry") -> bytes:
    """`count` geometries that all name the same part."""
    first = remembered(name("mosaic.geometry", cls), ONE_POINT, text("points"), text(attribute), part)
    return shared(first, b"h\x00)\x81}(h\x02h\x01h\x03h\x04ub", count)


def big_dict(n: int, value: bytes = b"N") -> bytes:
    return b"}(" + b"".join(text(str(i)) + value for i in range(n)) + b"u"


for attribute in ("meta", "appearance", "points", "model", "vertex_properties", "uuid"):
    BOMBS[f"20 000 geometries share a dict of 100 000 as {attribute}"] = lambda attribute=attribute: of_shared_part(
        attribute, big_dict(100_000)
    )
    BOMBS[f"20 000 geometries share a list of a million as {attribute}"] = lambda attribute=attribute: of_shared_part(
        attribute, BIG
    )
BOMBS["20 000 geometries share meta of lists"] = lambda: of_shared_part(
    "meta", b"}" + text("a") + b"](" + b"]" * 90_000 + b"es"
)
BOMBS["20 000 geometries share meta of bytes"] = lambda: of_shared_part(
    "meta", b"}" + text("a") + blob(bytes(10 * MB)) + b"s"
)
BOMBS["20 000 geometries share meta of unknown objects"] = lambda: of_shared_part(
    "meta", big_dict(30_000, new("evil", "Evil"))
)
BOMBS["20 000 geometries share vertex properties"] = lambda: of_shared_part(
    "vertex_properties",
    new("mosaic.formats.records", "VertexPropertyContainer") + state_of(_properties=big_dict(50_000)) + b"b",
)
BOMBS["20 000 geometries share a mesh"] = lambda: of_shared_part(
    "model",
    new("mosaic.parametrization", "TriangularMesh")
    + state_of(
        vertices=ONE_POINT,
        triangles=call(FROMBUFFER, blob(bytes(1_200_000)), dtype("i4"), tup(number(100_000), b"K\x03"), text("C")),
    )
    + b"b",
)
BOMBS["20 000 geometries share a name of 10 MB"] = lambda: of_shared_part(
    "meta", b"}" + text("name") + text("x" * 10 * MB) + b"s"
)
BOMBS["20 000 geometries share a damaged shape"] = lambda: of_shared_part(
    "sampling_rate", call(FROMBUFFER, blob(bytes(24)), dtype(), b"(" + b"K\x01" * MB + b"t", text("C"))
)
BOMBS["20 000 trajectories share their frames"] = lambda: of_shared_part(
    "trajectory", remembered(b"}" + text("fit") + new("mosaic.parametrization", "TriangularMesh") + state_of(vertices=ONE_POINT, triangles=call(FROMBUFFER, blob(bytes(12)), dtype("i4"), tup(b"K\x01K\x03"), text("C"))) + b"b" + b"s") + b"](" + b"h\x04" * 100_000 + b"e\x940h\x05", cls="GeometryTrajectory"
).replace(b"h\x03h\x04ub", b"h\x03h\x05ub")  # fmt: skip
BOMBS["a million geometries that share one state"] = lambda: shared(
    remembered(name("mosaic.geometry", "Geometry"), big_dict(1000)), b"h\x00)\x81h\x01b", 1_000_000
)
BOMBS["an array of 10 MB of faces, 100 000 times"] = lambda: shared(
    remembered(
        name("mosaic.geometry", "Geometry"), name(*FROMBUFFER), tup(blob(bytes(10 * MB - 4)), dtype("i4"), tup(number((10 * MB - 4) // 12), b"K\x03"), text("C")),
        name("mosaic.parametrization", "TriangularMesh"), ONE_POINT, text("points"), text("model"), text("vertices"), text("triangles"),
    ),
    b"h\x00)\x81}(h\x05h\x04h\x06h\x03)\x81}(h\x07h\x04h\x08h\x01h\x02Rubub", 100_000,
)  # fmt: skip
for title, function, args in (
    ("set", ("builtins", "set"), b"h\x01\x85"), ("frozenset", ("builtins", "frozenset"), b"h\x01\x85"),
):  # fmt: skip
    BOMBS[f"a million calls of {title}"] = lambda function=function, args=args: shared(
        remembered(name(*function), BIG), b"h\x00" + args + b"R", 1_000_000
    )
BOMBS["a million calls of encode"] = lambda: shared(
    remembered(name("_codecs", "encode"), tup(text("x" * MB), text("latin1"))), b"h\x00h\x01R", 1_000_000
)
BOMBS["a million arrays of one buffer"] = lambda: shared(
    remembered(name(*FROMBUFFER), tup(blob(bytes(MB)), dtype("u1", "|"), tup(number(MB)), text("C"))),
    b"h\x00h\x01R",
    1_000_000,
)
BOMBS["a million arrays of a million dimensions"] = lambda: shared(
    remembered(name(*FROMBUFFER), tup(blob(bytes(1)), dtype("u1", "|"), b"(" + b"K\x01" * MB + b"t", text("C"))),
    b"h\x00h\x01R",
    1_000_000,
)
BOMBS["a million arrays of a million axes"] = lambda: shared(
    remembered(name(*FROMBUFFER), tup(blob(bytes(1)), dtype("u1", "|"), tup(b"K\x01"), text("K"), b"(" + b"K\x01" * MB + b"t")), b"h\x00h\x01R", 1_000_000
)  # fmt: skip
BOMBS["a million text scalars"] = lambda: shared(
    remembered(
        name(*SCALAR), tup(dtype("U16000", state=tup(b"K\x03", text("<"), b"NNN", number(64000), b"K\x04K\x08")), blob(bytes(64000)))
    ),
    b"h\x00h\x01R", 1_000_000,
)  # fmt: skip
BOMBS["billion laughs in meta"] = lambda: make.session_bytes([make.cloud(meta={"a": laughs(lambda x: [x] * 10)})])
BOMBS["billion laughs of tuples in meta"] = lambda: make.session_bytes(
    [make.cloud(meta={"a": laughs(lambda x: (x,) * 10)})]
)
BOMBS["billion laughs of dicts as appearance"] = lambda: make.session_bytes(
    [make.cloud(appearance={"a": laughs(lambda x: dict.fromkeys(range(10), x))})]
)
BOMBS["keys with one hash"] = lambda: in_meta(
    b"}(" + b"".join(number(i * (2**61 - 1)) + b"N" for i in range(45_000)) + b"u"
)
BOMBS["complex keys with one hash"] = lambda: in_meta(
    b"}(" + b"".join(one_hash(i) + b"N" for i in range(45_000)) + b"u"
)
BOMBS["a set with one hash"] = lambda: in_meta(
    b"\x8f(" + b"".join(number(i * (2**61 - 1)) for i in range(90_000)) + b"\x90"
)
BOMBS["a set of complex with one hash"] = lambda: in_meta(b"\x8f(" + b"".join(map(one_hash, range(90_000))) + b"\x90")
BOMBS["a set that fills its table in rows"] = lambda: in_meta(
    b"\x8f(" + b"".join(map(number, one_path(90_000))) + b"\x90"
)
BOMBS["keys that fill their table in rows"] = lambda: in_meta(
    b"}(" + b"".join(number(key) + b"N" for key in one_path(45_000)) + b"u"
)
BOMBS["10^7 empty lists in meta"] = lambda: in_session(b"](" + b"]" * 10**7 + b"e")
BOMBS["a tree of the same group"] = lambda: in_session(
    new("mosaic.tree_state", "TreeStateData") + state_of(groups=b"}" + text("g") + BIG + b"s", group_names=b"}", root_items=b"](" + (text("g") + b"\x940") + text("g") * 300_000 + b"e") + b"b",
    text("_data_tree"),
)  # fmt: skip
BOMBS["a tree of groups that share their members"] = lambda: (
    lambda first: (
        PROTO
        + first
        + state_of(
            _data=container_of(b""),
            _data_tree=new("mosaic.tree_state", "TreeStateData")
            + state_of(
                groups=big_dict(100_000, b"h\x00"),
                group_names=b"}",
                root_items=b"](" + b"".join(text(str(i)) for i in range(100_000)) + b"e",
            )
            + b"b",
        )
        + b"."
    )
)(remembered(BIG))
BOMBS["a million damaged geometries"] = lambda: shared(b"", b"N", 1_000_000)
BOMBS["a million warnings"] = lambda: shared(remembered(name("mosaic.geometry", "Geometry")), b"h\x00)\x81", 1_000_000)
BOMBS["150 MB of calls"] = lambda: shared(
    remembered(name(*FROMBUFFER), tup(blob(bytes(120 * MB)), dtype("u1", "|"), tup(number(120 * MB)), text("C"))),
    b"h\x00h\x01R",
    6_000_000,
)
BOMBS["150 MB of lists"] = lambda: PROTO + b"](" + b"]\x94" * (75 * MB) + b"e."


def laughs(wrap: Callable[[Any], Any]) -> Any:
    value: Any = "ha"
    for _ in range(30):
        value = wrap(value)
    return value


def in_meta(payload: bytes) -> bytes:
    """A session of one point whose meta holds this."""
    return shared(
        b"",
        new("mosaic.geometry", "Geometry") + state_of(points=ONE_POINT, meta=b"}" + text("a") + payload + b"s") + b"b",
        1,
    )


def one_hash(i: int) -> bytes:
    return call(("builtins", "complex"), b"G" + struct.pack(">d", 1e12 - 1000003 * i), b"G" + struct.pack(">d", i))


def one_path(n: int) -> list[int]:
    """Ints of 64 bits that look for a place in Python's tables along the places that the first half of them took."""
    bits = (2 * n).bit_length()
    slot, filled = 1, []
    for _ in range(n // 2):
        filled.append(slot)
        slot = (5 * slot + 1) % 2**bits
    return filled + [1 + (i << 40) for i in range(1, n // 2)]
