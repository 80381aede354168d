"""Streams that make Python's unpickler run a command of a stranger's; ours must refuse every one.

Each of CODE is a function of the path of a canary, a file that exists only if something was run.
"""

from __future__ import annotations

from collections.abc import Callable

from tests.support import make_sessions as make
from tests.support.opcodes import (
    RECONSTRUCT,
    blob,
    call,
    container_of,
    in_session,
    name,
    new,
    state_of,
    text,
    tup,
    whole,
)

CODE: dict[str, Callable[[str], bytes]] = {}


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
