"""Hostile session files, made by code: what a stranger could send, and what reading it must withstand.

    CODE    streams that make Python's unpickler run a command of the stranger's; ours must refuse every one
    REFUSED other streams and files with no place in a session; refused with one sentence
    INERT   odd parts inside a healthy session; refused, or opened with the odd part left out
    BOMBS   small files that ask for much time or memory

Each is a function of the path of a canary, a file that exists only if something was run. As a program, `hostile.py FILE`
opens a file under a limit of memory and prints as JSON what came of it and what it cost.
"""

# mypy: disable-error-code="misc"

from __future__ import annotations

import json
import struct
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.support import make_sessions as make

Maker = Callable[[str], bytes]
CODE: dict[str, Maker] = {}
REFUSED: dict[str, Maker] = {}
INERT: dict[str, Maker] = {}
BOMBS: dict[str, Callable[[], bytes]] = {}

# --- a small assembler -----------------------------------------------------------------------------------------------

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


# --- code ------------------------------------------------------------------------------------------------------------


def runs(title: str, payload: Callable[[str], bytes]) -> None:
    CODE[title] = lambda canary: whole(payload(canary))
    CODE[f"{title}, in a session"] = lambda canary: in_session(payload(canary))


def python(canary: str) -> bytes:
    return text(f"open({canary!r}, 'w').close()")


def shell(canary: str) -> bytes:
    return text(f"touch '{canary}'")


for module in ("os", "posix"):
    runs(f"{module}.system", lambda canary, module=module: call((module, "system"), shell(canary)))
for function in ("eval", "exec"):
    runs(f"builtins.{function}", lambda canary, function=function: call(("builtins", function), python(canary)))
    runs(
        f"__builtin__.{function}",
        lambda c, function=function: b"c__builtin__\n%s\n" % function.encode() + tup(python(c)) + b"R",
    )
runs("builtins.open", lambda c: call(("builtins", "open"), text(c), text("w")))
runs("io.open", lambda c: call(("io", "open"), text(c), text("w")))
runs("pathlib", lambda c: call(call(("builtins", "getattr"), call(("pathlib", "Path"), text(c)), text("touch"))))
runs("subprocess.call", lambda c: call(("subprocess", "call"), b"](" + text("touch") + text(c) + b"e"))
runs(
    "subprocess.Popen",
    lambda c: call(
        call(
            ("builtins", "getattr"), call(("subprocess", "Popen"), b"](" + text("touch") + text(c) + b"e"), text("wait")
        )
    ),
)
runs("timeit.timeit", lambda c: call(("timeit", "timeit"), python(c), text("pass"), name("time", "time"), b"K\x01"))
runs(
    "runpy",
    lambda c: call(("runpy", "_run_code"), call(("builtins", "compile"), python(c), text("x"), text("exec")), b"}"),
)
runs(
    "code.InteractiveInterpreter",
    lambda c: call(
        call(("builtins", "getattr"), call(("code", "InteractiveInterpreter")), text("runsource")), python(c)
    ),
)
runs("cProfile.run", lambda c: call(("cProfile", "run"), python(c), text("/dev/null")))
runs("functools.partial", lambda c: call(call(("functools", "partial"), name("os", "system"), shell(c))))
runs(
    "functools.reduce",
    lambda c: (
        call(("functools", "reduce"), name("builtins", "getattr"), tup(name("os", "system")))
        + b"0"
        + call(("os", "system"), shell(c))
    ),
)
runs(
    "operator.attrgetter",
    lambda c: call(
        call(call(("operator", "attrgetter"), text("system")), call(("importlib", "import_module"), text("os"))),
        shell(c),
    ),
)
runs(
    "operator.methodcaller",
    lambda c: call(
        call(("operator", "methodcaller"), text("system"), shell(c)), call(("builtins", "__import__"), text("os"))
    ),
)
runs(
    "getattr of a module",
    lambda c: call(
        call(("builtins", "getattr"), call(("importlib", "import_module"), text("os")), text("system")), shell(c)
    ),
)
runs(
    "getattr of a class",
    lambda c: (
        call(call(("builtins", "getattr"), name("os", "_wrap_close"), text("__class__")), text("x"), tup(), b"}")
        + b"0"
        + call(("os", "system"), shell(c))
    ),
)
runs(
    "builtins.map",
    lambda c: call(("builtins", "list"), call(("builtins", "map"), name("os", "system"), b"](" + shell(c) + b"e")),
)
runs(
    "builtins.type",
    lambda c: call(("builtins", "type"), text("x"), tup(), b"}") + b"0" + call(("os", "system"), shell(c)),
)
runs(
    "types.FunctionType",
    lambda c: call(
        call(
            ("types", "FunctionType"),
            call(("builtins", "compile"), python(c), text("x"), text("exec")),
            call(("builtins", "globals")),
        )
    ),
)
runs("pickle.loads", lambda c: call(("pickle", "loads"), blob(whole(call(("os", "system"), shell(c))))))
runs("_pickle.loads", lambda c: call(("_pickle", "loads"), blob(whole(call(("os", "system"), shell(c))))))
runs(
    "copyreg",
    lambda c: (
        call(("copyreg", "_reconstructor"), name("builtins", "object"), name("builtins", "object"), b"N")
        + b"0"
        + call(("os", "system"), shell(c))
    ),
)
runs("name with dots", lambda c: call(("os", "path.os.system"), shell(c)))
runs("name with dots of mosaic's kind", lambda c: call(("json", "codecs.open"), text(c), text("w")))
runs("INST", lambda c: b"(" + shell(c) + b"ios\nsystem\n")
runs("OBJ", lambda c: b"(" + name("os", "system") + shell(c) + b"o")
runs("GLOBAL", lambda c: b"cos\nsystem\n" + tup(shell(c)) + b"R")
runs("call without MARK", lambda c: b"cos\nsystem\n" + shell(c) + b"\x85R")
runs("NEWOBJ", lambda c: name("subprocess", "Popen") + shell(c) + b"\x85\x81")
runs("a call of FileIO", lambda c: call(("_io", "FileIO"), text(c), text("w")))
runs(
    "BUILD calls __setstate__",
    lambda c: (
        name("types", "SimpleNamespace")
        + b")\x81"
        + state_of(__setstate__=name("os", "system"))
        + b"b"
        + shell(c)
        + b"b"
    ),
)
runs("numpy runs text", lambda c: call(("numpy.testing._private.utils", "runstring"), python(c), b"}"))
runs(
    "numpy.load",
    lambda c: call(
        ("numpy", "load"), call(("io", "BytesIO"), blob(whole(call(("os", "system"), shell(c))))), b"N", b"\x88"
    ),
)
runs(
    "numpy.memmap",
    lambda c: call(("numpy", "memmap"), text(c), name("builtins", "float"), text("w+"), b"K\x00", tup(b"K\x04")),
)
runs("numpy.savetxt", lambda c: call(("numpy", "savetxt"), text(c), b"](K\x01e"))
runs(
    "numpy object array",
    lambda c: (
        call(RECONSTRUCT, name("numpy", "ndarray"), tup(b"K\x00"), text("b")) + b"0" + call(("os", "system"), shell(c))
    ),
)
CODE["callable from memo"] = lambda c: whole(b"cos\nsystem\n\x940" + b"h\x00" + tup(shell(c)) + b"R")
CODE["callable from memo by BINPUT"] = lambda c: whole(b"cos\nsystem\nq\x000" + b"h\x00" + tup(shell(c)) + b"R")
CODE["arguments hidden in bytes"] = lambda c: whole(
    call(("os", "system"), call(("builtins", "str"), call(("_codecs", "encode"), shell(c)), text("utf-8")))
)
CODE["as a key"] = lambda c: in_session(b"N", call(("os", "system"), shell(c)))
CODE["popped again"] = lambda c: in_session(call(("os", "system"), shell(c)) + b"0N")
CODE["popped to the mark"] = lambda c: in_session(b"(" + call(("os", "system"), shell(c)) + b"1N")
CODE["after a healthy session, in the dict of a geometry"] = lambda c: in_session(
    container_of(new("mosaic.geometry", "Geometry") + state_of(points=call(("os", "system"), shell(c))) + b"b")
)
CODE["protocol 0"] = lambda c: b"cos\nsystem\n(" + b"S'touch " + c.encode() + b"'\ntR."
CODE["protocol 1"] = lambda c: b"\x80\x01" + call(("os", "system"), shell(c)) + b"."
CODE["indexed"] = lambda c: make.indexed_bytes(whole(call(("os", "system"), shell(c))))
CODE["two pickles"] = lambda c: whole(call(("os", "system"), shell(c))) + make.session_bytes([make.cloud()])

# --- refused ---------------------------------------------------------------------------------------------------------


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

# --- inert -----------------------------------------------------------------------------------------------------------


class Forged:
    """Pickles as an array that says of itself what it likes."""

    def __init__(self, shape: Any, array_dtype: Any, data: Any, fortran: Any = False) -> None:
        self.state = (1, shape, array_dtype, fortran, data)

    def __reduce__(self) -> tuple[Any, ...]:
        return np.zeros(0).__reduce__()[0], (np.ndarray, (0,), b"b"), self.state


class ForgedDtype:
    """Pickles as a dtype with a state of its own."""

    def __init__(self, code: str, *state: Any) -> None:
        self.code, self.state = code, state

    def __reduce__(self) -> tuple[Any, ...]:
        return np.dtype, (self.code, False, True), self.state


class ForgedBuffer:
    """Pickles as `_frombuffer` with odd arguments."""

    def __init__(self, *args: Any) -> None:
        self.args = args

    def __reduce__(self) -> tuple[Any, ...]:
        return np.zeros(1).__reduce_ex__(5)[0], self.args


def odd(title: str, geometry: Callable[[], Any], **keys: Any) -> None:
    """A session of this geometry beside a healthy one, `INERT` when it opens, in both protocols."""
    for protocol in (4, 5):
        INERT[f"{title}, protocol {protocol}"] = lambda canary, protocol=protocol: make.session_bytes(
            [geometry(), make.cloud("healthy")], protocol=protocol, **keys
        )


F4, F8 = np.dtype("f4"), np.dtype("f8")
for title, array in {
    "negative shape": Forged((-1, 3), F8, bytes(24)),
    "two negative lengths": Forged((-1, -3), F8, bytes(24)),
    "overflowing shape": Forged((2**62, 4), F8, bytes(24)),
    "shape that overflows to the right size": Forged((2**64 + 3, 3), np.dtype("u1"), bytes(9)),
    "shape of bools": Forged((True, 3), F8, bytes(24)),
    "shape of floats": Forged((1.0, 3.0), F8, bytes(24)),
    "shape of text": Forged(("1", 3), F8, bytes(24)),
    "shape of lists": Forged([1, 3], F8, bytes(24)),
    "shape of nothing": Forged(None, F8, bytes(24)),
    "shape of big ints": Forged((2**400, 3), F8, bytes(24)),
    "33 dimensions": Forged((1,) * 33, F8, bytes(8)),
    "a thousand dimensions": Forged((1,) * 1000, F8, bytes(8)),
    "no rows of 2^60 columns": Forged((0, 2**60), F8, b""),
    "no rows of 2^48 texts": Forged((0, 2**48), np.dtype("U16000"), b""),
    "more rows than bytes": Forged((100, 3), F8, bytes(24)),
    "fewer rows than bytes": Forged((1, 3), F8, bytes(48)),
    "no bytes": Forged((1, 3), F8, None),
    "text for bytes": Forged((1, 3), F8, "x" * 24),
    "a list for bytes": Forged((1, 3), F8, [0.0] * 3),
    "order of text": Forged((2, 3), F8, bytes(48), "F"),
    "objects": Forged((1, 3), np.dtype("O"), [1, 2, 3]),
    "objects from bytes": Forged((1, 3), np.dtype("O"), bytes(24)),
    "records": Forged((3,), np.dtype([("a", "f4")]), bytes(12)),
    "dates": Forged((1, 3), np.dtype("M8[s]"), bytes(24)),
    "void": Forged((1, 3), np.dtype("V8"), bytes(24)),
    "text": Forged((1, 3), np.dtype("U1"), "abc".encode("utf-32-le")),
    "text beyond Unicode": Forged((1, 3), np.dtype("U1"), b"\xff" * 12),
    "complex": Forged((1, 3), np.dtype("c16"), bytes(48)),
    "bools of byte 2": Forged((1, 3), np.dtype("?"), b"\x02\x03\xff"),
    "big-endian": Forged((1, 3), np.dtype(">f8"), bytes(24)),
    "halves": Forged((1, 3), np.dtype("f2"), b"\x00\x7c\x00\x7e\x00\xfc"),
    "a number": 5,
    "a list": [[1.0, 2.0, 3.0]],
    "nothing": None,
    "one axis": np.zeros(3),
    "no axis": np.array(1.0),
    "four columns": np.zeros((3, 4)),
    "no rows": np.zeros((0, 3), np.float32),
    "NaN": np.full((3, 3), np.nan),
    "beyond float32": np.full((3, 3), 1e300),
}.items():
    for key in ("points", "normals", "quaternions", "sampling_rate", "volume", "volume_sampling_rate"):
        geometry = make.volume if key.startswith("volume") else make.cloud
        odd(f"{key}: {title}", lambda geometry=geometry, key=key, array=array: geometry("odd", **{key: array}))
    odd(
        f"vertex property: {title}",
        lambda array=array: make.cloud("odd", 3, vertex_properties=make.properties(3, {"p": array})),
    )
    odd(
        f"appearance and meta: {title}",
        lambda array=array: make.cloud(
            "odd",
            appearance={"base_color": array, "size": array, "x": array, "render_spheres": array},
            meta={"x": array, "y": {"z": [array]}},
        ),
    )
    odd(f"triangles: {title}", lambda array=array: make.mesh("odd", model=make.triangular_mesh(triangles=array)))
    odd(f"vertices: {title}", lambda array=array: make.mesh("odd", model=make.triangular_mesh(vertices=array)))
    for model, attribute in (("Sphere", "center"), ("Ellipsoid", "orientations"), ("Cylinder", "radius")):
        odd(f"{model} {attribute}: {title}", lambda model=model, attribute=attribute, array=array: make.cloud("odd", model=make.an_object(
            f"mosaic.parametrization.{model}", {"center": np.zeros(3), "centers": np.zeros(3), "radii": np.ones(3), "radius": 1.0, "height": 1.0, "orientations": np.eye(3), attribute: array})))  # fmt: skip
    odd(f"grid and shape: {title}", lambda array=array: make.cloud("odd", model=make.an_object(
        "mosaic.parametrization.RBF", grid=array, direction=array, rbf=make.an_object("scipy.interpolate._rbf.Rbf", xi=array, nodes=array, epsilon=array, norm="euclidean", function=array))),
        metadata={"shape": array, "physical_shape": array})  # fmt: skip
for title, column in {
    "bools of byte 2": Forged((3,), np.dtype("?"), b"\x00\x01\x02"),
    "bools of byte 255 in columns": Forged((3, 2), np.dtype("?"), b"\x00\x01\xff\x00\x00\x00", True),
    "text beyond Unicode": Forged((3,), np.dtype("U1"), b"\x00\x00\x11\x00" * 3),
    "big-endian text": Forged((3,), np.dtype(">U1"), b"\x00\x00\x00a" * 3),
    "big-endian text beyond Unicode": Forged((3,), np.dtype(">U1"), b"a\x00\x00\x00" * 3),
    "a lone surrogate": Forged((3,), np.dtype("U1"), b"\x00\xd8\x00\x00" * 3),
}.items():
    odd(
        f"a column of {title}",
        lambda column=column: make.cloud(
            "odd", 3, meta={"x": column}, vertex_properties=make.properties(3, {"p": column})
        ),
    )
for title, state in {
    "version 4": (4, "<", None, None, None, -1, -1, 0),
    "with fields": (3, "<", None, ("a",), {"a": (F8, 0)}, -1, -1, 0),
    "with a subdtype": (3, "<", (F8, (2,)), None, None, -1, -1, 0),
    "with flags": (3, "<", None, None, None, -1, -1, 63),
    "with an item size": (3, "<", None, None, None, 2**40, -1, 0),
    "with an alignment": (3, "<", None, None, None, -1, 2**40, 0),
    "of odd order": (3, "x", None, None, None, -1, -1, 0),
    "of bools": (3, "<", None, None, None, -1, -1, False),
    "too short": (3, "<"),
    "of nothing": (),
}.items():
    odd(
        f"dtype {title}",
        lambda state=state: make.cloud("odd", points=Forged((1, 3), ForgedDtype("f8", *state), bytes(24))),
    )
for code in (
    "f8",
    "O8",
    "V8",
    "U2",
    "S8",
    "x9",
    "",
    "U99999999",
    "U-1",
    "U0",
    "S0",
    "U1x",
    "U 1",
    "m8",
    "f16",
    "g",
    "p8",
):
    size = 4 * int(code[1:]) if code[1:].isdecimal() and code[0] == "U" else 8
    odd(
        f"dtype {code!r}",
        lambda code=code, size=size: make.cloud(
            "odd",
            vertex_properties=make.properties(
                5,
                {"p": Forged((5,), ForgedDtype(code, 3, "<", None, None, None, min(size, 2**31 - 1), 4, 8), bytes(40))},
            ),
        ),
    )
for title, args in {
    "axes": (bytes(24), F8, (1, 3), "K", (1, 0)), "axes twice": (bytes(24), F8, (1, 3), "K", (0, 0)), "too many axes": (bytes(24), F8, (1, 3), "K", tuple(range(60))),
    "axes of text": (bytes(24), F8, (1, 3), "K", ("a", "b")), "axes of floats": (bytes(24), F8, (1, 3), "K", (0.0, 1.0)), "no buffer": (None, F8, (1, 3), "C"),
    "bytearray": (bytearray(24), F8, (1, 3), "C"), "Fortran": (bytes(48), F8, (2, 3), "F"), "a set for a buffer": ({1, 2}, F8, (1, 3), "C"),
}.items():  # fmt: skip
    odd(f"_frombuffer: {title}", lambda args=args: make.cloud("odd", points=ForgedBuffer(*args)))
for title, faces in {
    "out of range": np.array([[0, 1, 4]], np.int32), "negative": np.array([[0, 1, -1]], np.int32), "huge": np.array([[0, 1, 2**63]], np.uint64),
    "huge, in range in 32 bits": np.array([[0, 1, 2**32 + 2]], np.int64), "bools": np.ones((1, 3), bool), "floats": np.ones((1, 3)),
    "two columns": np.zeros((4, 2), np.int32), "none": np.zeros((0, 3), np.int32), "none of one axis": np.zeros(0, np.int32),
}.items():  # fmt: skip
    odd(f"triangles {title}", lambda faces=faces: make.mesh("odd", model=make.triangular_mesh(triangles=faces)))
    odd(
        f"a frame with triangles {title}",
        lambda faces=faces: make.trajectory(
            "odd",
            trajectory=[{"fit": make.triangular_mesh(triangles=faces), "filename": "x", "vertex_properties": None}],
        ),
    )


def nested(depth: int, make_one: Callable[[Any], Any] = lambda inner: [inner]) -> Any:
    value: Any = None
    for _ in range(depth):
        value = make_one(value)
    return value


def containing_itself() -> Any:
    value: list[Any] = []
    value += [value, {"self": value}, (value,)]
    return value


for title, value in {
    "nested": nested(60), "nested dicts": nested(60, lambda inner: {"a": inner}), "nested tuples": nested(60, lambda inner: (inner,)),
    "contains itself": containing_itself(), "huge int": 2**500, "negative": -(2**500), "infinite": float("inf"), "not a number": float("nan"),
    "lone surrogate": "\ud800", "control characters": "a\x1b[31m\n\x00\u2028\u202e", "long text": "x" * 10**6, "empty text": "", "bytes": b"\xff\x00",
    "bytearray": bytearray(1000), "set": {1, "a", None}, "frozenset": frozenset([(1, 2)]), "complex": 1j, "range": range(10**9), "slice": slice(None, 2**70),
    "text scalar": np.str_("x"), "float scalar": np.float64("nan"), "date": np.datetime64("2020-01-01"), "object": make.an_object("evil.module.Evil", a=1),
    "mosaic object": make.an_object("mosaic.geometry.Geometry"), "keys of all kinds": {1: 1, None: 2, (1, 2): 3, 1.5: 4, b"x": 5, False: 6, frozenset([1]): 7},
    "true": True, "empty dict": {}, "empty list": [], "list of colours": [[0.1, 0.2, 0.3]], "array": np.arange(3),
}.items():  # fmt: skip
    for key in (
        "meta",
        "appearance",
        "uuid",
        "visible",
        "representation",
        "model",
        "vertex_properties",
        "sampling_rate",
        "trajectory",
        "volume",
    ):
        cls = {"trajectory": "GeometryTrajectory", "volume": "VolumeGeometry"}.get(key, "Geometry")
        odd(f"{key} is {title}", lambda cls=cls, key=key, value=value: make.cloud("odd", cls=cls, **{key: value}))
    odd(f"uuid of a damaged object is {title}", lambda value=value: make.cloud("odd", points=None, uuid=value))
    odd(f"name is {title}", lambda value=value: make.cloud(value))
    odd(f"meta holds {title}", lambda value=value: make.cloud("odd", meta={"value": value, "list": [value, value]}))
    odd(
        f"colours are {title}",
        lambda value=value: make.cloud(
            "odd",
            appearance={
                "base_color": value,
                "highlight_color": value,
                "opacity": value,
                "isovalue_percentile": value,
                "else": value,
            },
        ),
    )
    odd(
        f"tree is {title}",
        make.cloud,
        _data_tree=value,
        _models_tree=make.tree(value if isinstance(value, list) else [value], {"g": value, "h": [value]}, {"g": value}),
    )
    odd(
        f"tree's parts are {title}",
        make.cloud,
        _data_tree=make.an_object("mosaic.tree_state.TreeStateData", groups=value, group_names=value, root_items=value),
    )
    odd(
        f"old tree is {title}",
        make.cloud,
        _data_tree=make.an_object(
            "mosaic.widgets.container_list.TreeState",
            groups={"g": value},
            root_order={"u": value, "v": (0, value), "w": (value, "g"), "x": (1, "g")},
        ),
    )
    odd(f"metadata is {title}", make.cloud, metadata=value)
    odd(
        f"state of the containers is {title}",
        make.cloud,
        _models=make.container([value, value], base_color=value, highlight_color=value, metadata=value),
    )
odd(
    "frames of all kinds",
    lambda: make.trajectory(
        "odd",
        trajectory=[
            None,
            1,
            {},
            {"fit": None},
            {"fit": make.cloud()},
            {"fit": make.triangular_mesh(), "filename": 5, "vertex_properties": 5},
        ],
    ),
)
INERT["the same container twice"] = lambda c: make.dumps(
    (lambda part: {"metadata": {}, "_data": part, "_models": part})(make.container([make.cloud()]))
)
INERT["the same geometry twice"] = lambda c: make.session_bytes([make.cloud()] * 2)
INERT["a dict that is its own key, in a session"] = lambda c: in_session(b"}\x94h\x00h\x00s")
INERT["overlapping sections"] = lambda c: (lambda data: data.replace(b'"size": 9,', b'"size": 8,'))(
    make.indexed_bytes(make.session_bytes([make.cloud()]), thumbnail=("png", b"123456789"))
)
INERT["thumbnail outside the file"] = lambda c: make.indexed_bytes(
    make.session_bytes([make.cloud()]), thumbnail=("png", b"x" * 10)
)[:-5]
INERT["a section not described"] = lambda c: make.indexed_bytes(
    make.session_bytes([make.cloud()]), thumbnail=(None, b"x")
)  # type: ignore[arg-type]
INERT["more after the end"] = lambda c: make.session_bytes([make.cloud()]) + b"cos\nsystem\n" * 100

# --- bombs -----------------------------------------------------------------------------------------------------------

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


def peak_memory() -> int:
    """The most bytes that this process had so far."""
    status = Path("/proc/self/status").read_text()
    return 1024 * int(status.partition("VmHWM:")[2].split()[0])


if __name__ == "__main__":
    import resource

    from mosaic_addon.session import MosaicError, open_session

    limit = int(sys.argv[2])
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    before = peak_memory()
    began = time.perf_counter()
    try:
        session = open_session(sys.argv[1])
        outcome = f"opened {len(session.geometries)} {len(session.warnings)}"
    except MosaicError as error:
        session = None
        outcome = f"MosaicError: {error}"
    seconds = time.perf_counter() - began
    memory = peak_memory() - before
    del session  # taking it down must not fail either
    print(json.dumps({"outcome": outcome, "seconds": seconds, "memory": memory}))
