"""Opcodes of pickles, put together by hand: streams that no Python would write."""

from __future__ import annotations

import struct

from tests.support import make_sessions as make

PROTO = b"\x80\x04"
RECONSTRUCT = ("numpy.core.multiarray", "_reconstruct")
FROMBUFFER = ("numpy.core.numeric", "_frombuffer")
SCALAR = ("numpy.core.multiarray", "scalar")


def text(value: str) -> bytes:
    data = value.encode("utf-8", "surrogatepass")
    return b"X" + struct.pack("<I", len(data)) + data


def blob(data: bytes) -> bytes:
    return b"B" + struct.pack("<I", len(data)) + data


def number(value: int) -> bytes:
    data = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
    return b"\x8b" + struct.pack("<i", len(data)) + data


def tup(*items: bytes) -> bytes:
    return b"(" + b"".join(items) + b"t"


def name(module: str, attribute: str) -> bytes:
    return text(module) + text(attribute) + b"\x93"


def call(function: bytes | tuple[str, str], *args: bytes) -> bytes:
    return (function if isinstance(function, bytes) else name(*function)) + tup(*args) + b"R"


def new(module: str, attribute: str, *args: bytes) -> bytes:
    return name(module, attribute) + tup(*args) + b"\x81"


def dtype(code: str = "f8", order: str = "<", state: bytes | None = None) -> bytes:
    usual = tup(b"K\x03", text(order), b"NNN", number(-1), number(-1), b"K\x00")
    return call(("numpy", "dtype"), text(code), b"\x89", b"\x88") + (state or usual) + b"b"


def whole(payload: bytes) -> bytes:
    """A pickle that is this alone."""
    return PROTO + payload + b"."


def in_session(payload: bytes, key: bytes | None = None) -> bytes:
    """A healthy session whose dict has one more entry."""
    state = make.session_bytes([make.cloud("healthy")], protocol=4)
    assert state[2] == 0x95  # one frame around all of it
    return PROTO + state[11:-1] + (key or text("more")) + payload + b"s."


def state_of(**keys: bytes) -> bytes:
    return b"}(" + b"".join(text(key) + value for key, value in keys.items()) + b"u"


def container_of(geometries: bytes) -> bytes:
    """The opcodes of a container whose list is what `geometries` puts on the stack above a mark."""
    return new("mosaic.container", "DataContainer") + state_of(data=b"](" + geometries + b"e") + b"b"
