"""Other streams and files with no place in a session, which are refused with one sentence.

Each of REFUSED is a function of the path of a canary, a file that exists only if something was run.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from typing import Any

import numpy as np

from tests.support import make_sessions as make
from tests.support.opcodes import (
    FROMBUFFER,
    PROTO,
    RECONSTRUCT,
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
    whole,
)

Maker = Callable[[str], bytes]
REFUSED: dict[str, Maker] = {}


def refused(title: str, payload: bytes | Callable[[str], bytes]) -> None:
    made = payload if callable(payload) else lambda canary: payload
    REFUSED[title] = lambda canary: whole(made(canary))
    REFUSED[f"{title}, in a session"] = lambda canary: in_session(made(canary))


for module, attribute in (
    ("numpy.testing", "rundocs"), ("numpy.f2py.crackfortran", "getlincoef"), ("numpy.distutils.exec_command", "exec_command"),
    ("numpy", "fromfile"), ("numpy", "vectorize"), ("numpy.lib.npyio", "DataSource"), ("numpy.core.memmap", "memmap"),
    ("numpy.ctypeslib", "load_library"), ("numpy._core._internal", "_ctypes"), ("numpy", "ndarray"), ("numpy.ma.core", "_mareconstruct"),
    ("pip._internal.cli.main", "main"), ("setuptools._distutils.spawn", "spawn"), ("scipy.io", "loadmat"),
    ("scipy.interpolate._rbf", "Rbf"), ("scipy.interpolate._fitpack2", "UnivariateSpline"), ("bpy.utils", "execfile"),
    ("torch", "load"), ("pandas", "read_pickle"), ("joblib", "load"), ("mosaic.utils", "os"), ("mosaic.geometry", "Geometry"),
    ("colabseg", "system"), ("colabseg.os", "system"), ("colabsegX.evil", "run"), ("mosaicX", "run"), ("numpyX", "load"),
    ("ctypes", "CDLL"), ("marshal", "loads"), ("shelve", "open"), ("webbrowser", "open"), ("pty", "spawn"), ("nt", "system"),
    ("socket", "socket"), ("shutil", "rmtree"), ("imp", "load_source"), ("asyncore", "loop"), ("distutils.spawn", "spawn"),
    ("builtins", "print"), ("builtins", "object"), ("builtins", "vars"), ("builtins", "memoryview"), ("builtins", "bytes"),
    ("collections", "OrderedDict"), ("datetime", "datetime"), ("_codecs", "decode"), ("_codecs", "lookup"), ("__main__", "x"),
):  # fmt: skip
    refused(f"call of {module}.{attribute}", call((module, attribute), text("x")))
for module, attribute in (
    ("os", "system"), ("builtins", "eval"), ("numpy", "load"), ("numpy.core", "multiarray"), ("posix", "system"), ("sys", "modules"),
    ("", "system"), ("os", ""), (".os", "system"), ("os.", "system"), ("os..path", "join"), ("os ", "system"), (" os", "system"),
    ("mosaic", "__class__"), ("mosaic.geometry", "Geometry.__init__"), ("mosaic.__init__", "x"), ("__mosaic__", "x"),
    ("mosaic.geometry", "Ge ometry"), ("mosaic\x00", "x"), ("mosaic/geometry", "x"), ("оs", "system"), ("ｏｓ", "system"),
    ("mosaic", "Ｇeometry"), ("os\ud800", "system"), ("mosaic.geometry", "1"), ("x" * 600, "y"), ("mosaic\n", "x"), ("\u2024os", "x"),
):  # fmt: skip
    refused(f"name {module[:20]!r} {attribute!r}", name(module, attribute))
for byte in sorted(
    set(range(256))
    - set(
        b"\x94hKjN(R\x8ct\x85\x87b\x96\x8eJ\x88\x89Gu}\x29\x81M\x86s]eaCBX\x8dqr\x95\x93c\x8a\x8b\x8f\x90\x91\x92\x30\x31."
    )
):
    refused(f"opcode 0x{byte:02x}", b"N" + bytes([byte]) + b"\x00\x00\x00\x001\n")
refused("persistent id", text("x") + b"Q")
refused("extension code", b"\x82\x01")
refused("out-of-band buffer", b"\x97")
refused("dup of a call", name("os", "system") + b"2")
refused("a call of a tuple", b")" + tup() + b"R")
refused("a call of text", text("os.system") + tup(text("x")) + b"R")
refused("a call of a call", call(call(("builtins", "set"))))
refused("a call of an object", call(new("mosaic.geometry", "Geometry"), text("x")))
refused("a call of an array", call(call(FROMBUFFER, blob(bytes(8)), dtype(), tup(b"K\x01"), text("C")), text("x")))
refused("a call with a list", name("builtins", "set") + b"]R")
refused("getattr of a class", call(("builtins", "getattr"), name("mosaic.geometry", "Geometry"), text("_h_x")))
refused("getattr of mosaic's own", call(("builtins", "getattr"), new("mosaic.geometry", "Geometry"), text("_h_x")))
refused("getattr of another foreign class", call(("builtins", "getattr"), new("evil.interpolate", "Rbf"), text("_h_x")))
RBF = new("scipy.interpolate._rbf", "Rbf")
refused("getattr of __class__", call(("builtins", "getattr"), RBF, text("__class__")))
refused("getattr with dots", call(("builtins", "getattr"), RBF, text("_h_x.__globals__")))
refused("getattr with a default", call(("builtins", "getattr"), RBF, text("_h_x"), b"N"))
refused("getattr of a computed name", call(("builtins", "getattr"), RBF, call(("builtins", "set"))))
refused("a call of Rbf's kernel", call(call(("builtins", "getattr"), RBF, text("_h_x")), text("x")))
refused(
    "getattr of getattr", call(("builtins", "getattr"), call(("builtins", "getattr"), RBF, text("_h_x")), text("_h_y"))
)
refused("an object of a builtin", new("builtins", "object"))
refused("an object of getattr", new("builtins", "getattr", RBF, text("_h_x")))
refused("an object of an array", new("numpy", "ndarray", tup(b"K\x01")))
refused("an object of text", text("mosaic.geometry.Geometry") + b")\x81")
refused("an object of Mosaic's with arguments", new("mosaic.geometry", "Geometry", text("x")))
refused("an object of Mosaic's with keywords", name("mosaic.geometry", "Geometry") + b")}\x92")
refused("BUILD on a class", name("mosaic.geometry", "Geometry") + state_of(__setstate__=b"N") + b"b")
refused("BUILD on a list", b"]" + state_of(x=b"N") + b"b")
refused("BUILD on a dict", b"}" + state_of(x=b"N") + b"b")
refused("BUILD on None", b"N}b")
refused("BUILD on a call", call(("builtins", "getattr"), RBF, text("_h_x")) + b"}b")
refused("BUILD twice", new("mosaic.geometry", "Geometry") + b"}b}b")
refused("BUILD twice, first with None", new("evil", "Evil") + b"Nb}b")
refused("BUILD with a list", new("mosaic.geometry", "Geometry") + b"]b")
refused("BUILD with keys that are no text", new("mosaic.geometry", "Geometry") + b"}(K\x01K\x02ub" + b"")
refused("BUILD of an array twice", call(FROMBUFFER, blob(bytes(8)), dtype(), tup(b"K\x01"), text("C")) + tup() + b"b")
refused("dtype built twice", dtype() + tup() + b"b")
refused("dtype of a class", call(("numpy", "dtype"), name("mosaic", "x"), b"\x89", b"\x88"))
refused("dtype of one argument", call(("numpy", "dtype"), text("f8")))
for subclass in (
    ("numpy", "matrix"),
    ("numpy", "memmap"),
    ("numpy", "recarray"),
    ("mosaic.geometry", "Geometry"),
    ("builtins", "list"),
):
    refused(f"_reconstruct of {subclass}", call(RECONSTRUCT, name(*subclass), tup(b"K\x00"), text("b")))
refused("_reconstruct of text", call(RECONSTRUCT, text("ndarray"), tup(b"K\x00"), text("b")))
refused("array without dtype", call(FROMBUFFER, blob(bytes(8)), text("f8"), tup(b"K\x01"), text("C")))
refused("array in odd order", call(FROMBUFFER, blob(bytes(8)), dtype(), tup(b"K\x01"), text("A")))
refused("array of six arguments", call(FROMBUFFER, blob(bytes(8)), dtype(), tup(b"K\x01"), text("C"), b"N", b"N"))
refused("array state of a dict", call(RECONSTRUCT, name("numpy", "ndarray"), tup(b"K\x00"), text("b")) + b"}b")
refused(
    "array state too short",
    call(RECONSTRUCT, name("numpy", "ndarray"), tup(b"K\x00"), text("b")) + tup(b"K\x01") + b"b",
)
refused("scalar of too few bytes", call(SCALAR, dtype(), blob(b"123")))
refused("scalar of text", call(SCALAR, dtype(), text("12345678")))
refused("scalar of no dtype", call(SCALAR, text("f8"), blob(bytes(8))))
U1 = dtype("U1", state=tup(b"K\x03", text("<"), b"NNN", b"K\x04K\x04K\x08"))
refused("scalar of text that is not Unicode", call(SCALAR, U1, blob(b"\xff\xff\xff\xff")))
refused(
    "dtype with digits of another script",
    dtype("U٣", state=tup(b"K\x03", text("<"), b"NNN", b"K\x0cK\x04K\x08")) + b"0\xff",
)
refused("encode to another codec", call(("_codecs", "encode"), text("x"), text("zlib_codec")))
refused("encode of bytes", call(("_codecs", "encode"), blob(b"x"), text("latin1")))
refused("encode of what latin1 lacks", call(("_codecs", "encode"), text("\u20ac"), text("latin1")))
refused("set of a number", call(("builtins", "set"), b"K\x01"))
refused("bytearray of a number", call(("builtins", "bytearray"), number(2**40)))
refused("range without end", call(("builtins", "range"), b"K\x00", b"K\x01", b"K\x00"))
refused("complex of text", call(("builtins", "complex"), text("1j")))
refused("huge LONG4", b"\x8b\xff\xff\xff\x7f" + bytes(64))
refused("negative LONG4", b"\x8b\xff\xff\xff\xff" + bytes(64))
refused("LONG1 of 255 bytes", b"\x8a\xff" + b"\x7f" * 255)
for opcode in b"\x8d\x8e\x96":
    refused(f"length of 2^63 for 0x{opcode:02x}", bytes([opcode]) + struct.pack("<Q", 2**63) + b"x")
for opcode in b"XB":
    refused(f"length of 2^32 for 0x{opcode:02x}", bytes([opcode]) + b"\xff\xff\xff\xff")
refused("frame of 2^64", b"\x95" + b"\xff" * 8)
refused("LONG_BINPUT of 2^31", b"Nr\x00\x00\x00\x80")
refused("LONG_BINGET of nothing", b"j\xff\xff\xff\xff")
refused("BINGET of nothing", b"h\xff")
refused("invalid UTF-8", b"X\x01\x00\x00\x00\xff")
refused("append to a tuple", b")Na")
refused("appends to a dict", b"}(Ne")
refused("items of a list", b"](NNu")
refused("odd items of a dict", b"}(Nu")
refused("an item of an object", new("mosaic.geometry", "Geometry") + b"NNs")
refused("items of a set in a list", b"](N\x90")
refused("PROTO again", b"\x80\x04N")
refused("a line that never ends", b"c" + b"x" * 5000)
for title, start in (
    ("nothing", b""), ("stack empty", b"."), ("stack too full", b"NN."), ("mark left open", b"(N."), ("pop too much", b"000."),
    ("tuple without mark", b"t."), ("no STOP", b"N"), ("a list", b"]."), ("a number", b"K\x01."), ("an empty dict", b"}."),
    ("a dict of text", b"}" + text("_data") + text("x") + b"s."), ("a list that contains itself", b"]\x94h\x00a."),
    ("a dict that is its own key", b"}\x94h\x00Ns."), ("a container in a list", b"]" + container_of(b"") + b"a."),
    ("clusters without a list", state_of(_data=new("mosaic.container", "DataContainer") + b"}b") + b"."),
    ("clusters of a dict", state_of(_data=new("mosaic.container", "DataContainer") + state_of(data=b"}") + b"b") + b"."),
    ("models that are text", state_of(_data=container_of(b""), _models=text("x")) + b"."),
    ("a foreign container", state_of(_data=new("evil", "DataContainer") + state_of(data=b"]") + b"b") + b"."),
):  # fmt: skip
    REFUSED[f"stream: {title}"] = lambda canary, start=start: PROTO + start
for protocol in (0, 1, 6, 255):
    REFUSED[f"protocol {protocol}"] = lambda c, protocol=protocol: (
        bytes([0x80, protocol]) + make.session_bytes([make.cloud()])[2:]
    )
stored: Any
for title, stored in (
    ("a list", [1, 2]), ("a dict", {"a": 1}), ("text", "x" * 100), ("an array", np.zeros(10)), ("nothing", None), ("bytes", b"x" * 10),
    ("state without containers", {"metadata": {}, "_data": None}), ("shape alone", {"shape": np.array([1, 2, 3])}),
):  # fmt: skip
    REFUSED[f"a pickle of {title}"] = lambda canary, stored=stored: make.dumps(stored)


def index(**entries: Any) -> Maker:
    return lambda canary: make.indexed_bytes(make.session_bytes([make.cloud()]), entries)


def healthy_index() -> bytes:
    return make.indexed_bytes(make.session_bytes([make.cloud()]))


def raw_index(data: bytes, length: int | None = None) -> Maker:
    return lambda canary: struct.pack(">I", len(data) if length is None else length) + data + b"\x80\x04."


def sections(**state: Any) -> bytes:
    return json.dumps(
        {"format_version": 1, "sections": {"state": {"offset": 100, "size": 3, "encoding": "pickle", **state}}}
    ).encode()


REFUSED |= {
    "file: one byte": lambda c: b"\x80",
    "file: two bytes": lambda c: b"\x80\x05",
    "file: three bytes": lambda c: b"\x00\x00\x00",
    "file: empty": lambda c: b"",
    "file: zeros": lambda c: bytes(4096),
    "file: text": lambda c: b"x y z\n1 2 3\n" * 10,
    "file: PNG": lambda c: b"\x89PNG\r\n\x1a\n" + bytes(100),
    "file: zip": lambda c: b"PK\x03\x04" + bytes(100),
    "index: longer than the file": raw_index(b"{}", 2**31),
    "index: length 0": raw_index(b"{}", 0),
    "index: length 1": raw_index(b"{}", 1),
    "index: length over the bound": lambda c: struct.pack(">I", 9 * 2**20) + b"{" + b" " * 10 * 2**20,
    "index: no JSON": raw_index(b"{'a': 1}"),
    "index: a list": raw_index(b"{]"),
    "index: not UTF-8": raw_index(b'{"a": "\xff"}'),
    "index: NaN where a release stands": lambda c: healthy_index().replace(b'"1.3.2"', b"NaN    "),
    "index: a key twice in a healthy one": lambda c: healthy_index().replace(
        b'"version": "1.3.2"', b'"format_version":1'
    ),
    "index: NaN": raw_index(b'{"format_version": NaN, "sections": {}}'),
    "index: Infinity": raw_index(b'{"sections": {"state": {"offset": Infinity}}}'),
    "index: a key twice": raw_index(b'{"sections": {}, "sections": {}}'),
    "index: a section twice": raw_index(b'{"sections": {"state": {}, "state": {}}}'),
    "index: nested deeply": raw_index(b'{"a":' + b"[" * 10**6 + b"]" * 10**6 + b"}"),
    "index: nested a little too deeply": raw_index(b'{"a":' + b"[" * 500 + b"]" * 500 + b"}"),
    "index: an int of a million digits": raw_index(b'{"format_version": ' + b"9" * 10**6 + b"}"),
    "index: no sections": raw_index(b'{"format_version": 1}'),
    "index: sections in a list": raw_index(b'{"format_version": 1, "sections": [["state"]]}'),
    "index: no state": raw_index(b'{"format_version": 1, "sections": {"thumbnail": {}}}'),
    "index: state is text": raw_index(b'{"format_version": 1, "sections": {"state": "x"}}'),
    "index: newer format": index(format_version=2),
    "index: much newer format": index(format_version=2**70),
    "index: format of text": index(format_version="1"),
    "index: format true": index(format_version=True),
    "index: format 1.0": index(format_version=1.0),
    "index: negative offset": raw_index(sections(offset=-4)),
    "index: offset true": raw_index(sections(offset=True)),
    "index: offset 100.0": raw_index(sections(offset=100.0)),
    "index: offset of text": raw_index(sections(offset="100")),
    "index: huge offset": raw_index(sections(offset=2**80)),
    "index: negative size": raw_index(sections(size=-3)),
    "index: size false": raw_index(sections(size=False)),
    "index: size past the end": raw_index(sections(size=2**40)),
    "index: size 0": raw_index(sections(size=0)),
    "index: state is the index": raw_index(sections(offset=0, size=80)),
    "index: state is the index's JSON": raw_index(sections(offset=4, size=80)),
    "index: other encoding": raw_index(sections(encoding="zip")),
    "index: no encoding": raw_index(sections(encoding=None)),
}
