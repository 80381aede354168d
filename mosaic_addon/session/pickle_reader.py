"""Pickle bytes -> nodes: a small opcode interpreter that runs nothing.

It knows the opcodes that Python's picklers of protocol 2 to 5 write, and only the few calls that a Mosaic session
needs. All that it makes are the inert nodes of `nodes`. Arrays become views of the bytes, so a session of any size is
read without a copy. The whole stream is refused at the first part that does not belong into a session.
"""

import re
import struct
import sys
from collections.abc import Callable
from math import prod
from typing import Any, NoReturn, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .budget import ARRAY, ENTRY, VALUE, Budget
from .errors import MosaicError
from .file import FileBytes
from .nodes import (
    NOBODY,
    ArrayNode,
    ArrayOwner,
    ByteArray,
    CallNode,
    DtypeNode,
    FrozenSetNode,
    Global,
    Node,
    ObjectNode,
    Pairs,
    SetNode,
    Stored,
)
from .releases import OLD_PACKAGE, PACKAGE

MAX_OPCODES = 20_000_000  # a session of 50 000 objects has 10 million
MAX_MARKS = 10_000  # that are open at a time; Python's pickler gives up earlier
MAX_TEXT_LINE = 512  # of a GLOBAL opcode; Python's own names are far shorter
MAX_INT_BYTES = 64
MAX_DIMENSIONS = 32  # numpy's limit up to 1.26
MAX_EMPTY = 2**48  # bytes that an array without items would have along its other axes
MAX_STRING_ITEM = 65_536  # bytes of one item of a text array
MAX_COPY = 256  # bytes; so short a part is copied, because a view takes more room
WINDOW = 2**18  # bytes of a file that are read at a time
MARGIN = 2048  # bytes; longer than any opcode with its argument, except arrays and long texts

Call: TypeAlias = Callable[[Global, tuple[Node, ...], Budget], Node]

MODULE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*")
MODULE_PREFIXES = ((OLD_PACKAGE, PACKAGE), ("numpy.core", "numpy._core"))  # old name, name of today
# With modules that the running Python no longer has, or not yet.
STANDARD_LIBRARY = sys.stdlib_module_names | set(
    "asynchat asyncore cgi cgitb chunk commands compression copy_reg crypt distutils exceptions imghdr imp lib2to3 "
    "mailcap msilib new nis nntplib ossaudiodev pipes popen2 smtpd sndhdr spwd string telnetlib test thread tomllib uu "
    "xdrlib".split()
)


STORED = ("mosaic_addon", "Stored")  # the name of `Stored` in the pickles that a .blend keeps


def read_pickle(
    data: bytes | memoryview | FileBytes, budget: Budget | None = None, *, owner: ArrayOwner | None = None
) -> Node:
    """Read the object that a pickle of protocol 2 to 5 describes, as inert nodes.

    data: the whole stream. Arrays and bytes of the result are views of it or, where it is a file, of the parts that
    were read; a large array has memory of its own. budget: for the cost of reading; by default that of a file of this
    size. owner: who holds the arrays of `Stored` nodes, for bytes that a .blend keeps. Raises MosaicError, in a
    sentence without the file's name, when the stream is damaged or holds something that does not belong into a session.
    """
    if isinstance(data, FileBytes):
        file, view = data, data.read(0, min(len(data), WINDOW))
    else:
        file, view = None, memoryview(data).toreadonly()
    begin, size = 0, len(data)  # where the view begins in the stream, and how much of the stream there is from there on
    limit = sys.maxsize if len(view) == size else len(view) - MARGIN  # beyond it the view moves on
    if budget is None:
        budget = Budget(size)
    if size < 2 or view[0] != 0x80:
        raise MosaicError("is not a pickle")
    if not 2 <= view[1] <= 5:
        raise MosaicError(f"is a pickle of protocol {view[1]}; sessions have 2 to 5")
    pos = 2
    stack: list[Node] = []
    outer: list[list[Node]] = []  # the stacks below each open MARK
    memo: list[Node] = []  # every pickler numbers what it remembers from 0 on
    globals_seen: dict[tuple[str, str], Global] = {}
    try:
        for _ in range(MAX_OPCODES):
            if pos > limit and file is not None:
                begin, size, pos = begin + pos, size - pos, 0
                view = file.read(begin, min(size, WINDOW))
                limit = sys.maxsize if len(view) == size else len(view) - MARGIN
            op = view[pos]
            pos += 1
            # The opcodes that sessions use most come first.
            if op == 0x94:  # MEMOIZE
                memo.append(stack[-1])
            elif op == 0x68:  # BINGET
                stack.append(memo[view[pos]])
                pos += 1
            elif op == 0x4B:  # BININT1
                stack.append(view[pos])
                pos += 1
            elif op == 0x6A:  # LONG_BINGET
                stack.append(memo[int.from_bytes(view[pos : pos + 4], "little")])
                pos += 4
            elif op == 0x4E:  # NONE
                stack.append(None)
            elif op == 0x28:  # MARK
                if len(outer) > MAX_MARKS:
                    raise MosaicError("is nested more deeply than any session; it is damaged or may be harmful")
                outer.append(stack)
                stack = []
            elif op == 0x52:  # REDUCE
                args = stack.pop()
                function = stack.pop()
                if type(function) is not Global or function.kind != "call" or type(args) is not tuple:
                    _refuse_call(function)
                stack.append(CALLS[function.module, function.name](function, args, budget))
            elif op == 0x8C:  # SHORT_BINUNICODE
                end = pos + 1 + view[pos]
                if end > size:
                    raise IndexError
                stack.append(str(view[pos + 1 : end], "utf-8", "surrogatepass"))
                pos = end
            elif op == 0x74:  # TUPLE
                items = stack
                stack = outer.pop()
                stack.append(tuple(items))
            elif op == 0x85:  # TUPLE1
                stack[-1] = (stack[-1],)
            elif op == 0x87:  # TUPLE3
                third, second = stack.pop(), stack.pop()
                stack[-1] = (stack[-1], second, third)
            elif op == 0x62:  # BUILD
                state = stack.pop()
                node = stack[-1]
                build = BUILDERS.get(type(node))
                if build is None or node.state is not None:
                    raise MosaicError("asks for changes that no session needs; it may be harmful and was not opened")
                build(node, state, budget)
            elif op == 0x96 or op == 0x8E:  # BYTEARRAY8, BINBYTES8
                end = pos + 8 + int.from_bytes(view[pos : pos + 8], "little")
                if end > size:
                    raise IndexError
                part = _part(file, begin, view, pos + 8, end)
                chunk = part if end - pos > MAX_COPY else part.tobytes()
                stack.append(ByteArray(chunk) if op == 0x96 else chunk)
                pos = end
            elif op == 0x4A:  # BININT
                stack.append(int.from_bytes(view[pos : pos + 4], "little", signed=True))
                pos += 4
            elif op == 0x88:  # NEWTRUE
                stack.append(True)
            elif op == 0x89:  # NEWFALSE
                stack.append(False)
            elif op == 0x47:  # BINFLOAT
                stack.append(FLOAT64.unpack_from(view, pos)[0])
                pos += 8
            elif op == 0x75:  # SETITEMS
                items = stack
                stack = outer.pop()
                if type(stack[-1]) is not Pairs or len(items) % 2:
                    raise IndexError
                stack[-1].extend(items)
            elif op == 0x7D:  # EMPTY_DICT
                stack.append(Pairs())
            elif op == 0x29:  # EMPTY_TUPLE
                stack.append(())
            elif op == 0x81:  # NEWOBJ
                args = stack.pop()
                stack[-1] = _new_object(stack[-1], args, None, owner)
            elif op == 0x4D:  # BININT2
                stack.append(int.from_bytes(view[pos : pos + 2], "little"))
                pos += 2
            elif op == 0x86:  # TUPLE2
                second = stack.pop()
                stack[-1] = (stack[-1], second)
            elif op == 0x73:  # SETITEM
                value, key = stack.pop(), stack.pop()
                if type(stack[-1]) is not Pairs:
                    raise IndexError
                stack[-1] += (key, value)
            elif op == 0x5D:  # EMPTY_LIST
                stack.append([])
            elif op == 0x65:  # APPENDS
                items = stack
                stack = outer.pop()
                if type(stack[-1]) is not list:
                    raise IndexError
                stack[-1].extend(items)
            elif op == 0x61:  # APPEND
                item = stack.pop()
                if type(stack[-1]) is not list:
                    raise IndexError
                stack[-1].append(item)
            elif op == 0x43:  # SHORT_BINBYTES
                end = pos + 1 + view[pos]
                if end > size:
                    raise IndexError
                stack.append(view[pos + 1 : end].tobytes())
                pos = end
            elif op == 0x42:  # BINBYTES
                end = pos + 4 + int.from_bytes(view[pos : pos + 4], "little")
                if end > size:
                    raise IndexError
                part = _part(file, begin, view, pos + 4, end)
                stack.append(part if end - pos > MAX_COPY else part.tobytes())
                pos = end
            elif op == 0x58 or op == 0x8D:  # BINUNICODE, BINUNICODE8
                start = pos + (4 if op == 0x58 else 8)
                end = start + int.from_bytes(view[pos:start], "little")
                if end > size:
                    raise IndexError
                stack.append(str(_part(file, begin, view, start, end), "utf-8", "surrogatepass"))
                pos = end
            elif op == 0x71 or op == 0x72:  # BINPUT, LONG_BINPUT
                start, pos = pos, pos + (1 if op == 0x71 else 4)
                if int.from_bytes(view[start:pos], "little") != len(memo):
                    raise IndexError
                memo.append(stack[-1])
            elif op == 0x95:  # FRAME
                if pos + 8 + int.from_bytes(view[pos : pos + 8], "little") > size:
                    raise IndexError
                pos += 8
            elif op == 0x93 or op == 0x63:  # STACK_GLOBAL, GLOBAL
                if op == 0x93:
                    name, module = stack.pop(), stack.pop()
                else:
                    module, pos = _text_line(view, pos)
                    name, pos = _text_line(view, pos)
                if type(module) is not str or type(name) is not str:
                    _refuse_call(None)
                found = globals_seen.get((module, name))
                if found is None:
                    found = globals_seen[module, name] = _classify(module, name, owner)
                stack.append(found)
            elif op == 0x8A or op == 0x8B:  # LONG1, LONG4
                start = pos + (1 if op == 0x8A else 4)
                length = int.from_bytes(view[pos:start], "little")
                if length > MAX_INT_BYTES or start + length > size:
                    raise IndexError
                stack.append(int.from_bytes(view[start : start + length], "little", signed=True))
                pos = start + length
            elif op == 0x8F:  # EMPTY_SET
                stack.append(SetNode())
            elif op == 0x90:  # ADDITEMS
                items = stack
                stack = outer.pop()
                if type(stack[-1]) is not SetNode:
                    raise IndexError
                stack[-1].extend(items)
            elif op == 0x91:  # FROZENSET
                items = stack
                stack = outer.pop()
                stack.append(FrozenSetNode(items))
            elif op == 0x92:  # NEWOBJ_EX
                kwargs, args = stack.pop(), stack.pop()
                stack[-1] = _new_object(stack[-1], args, kwargs, owner)
            elif op == 0x30:  # POP, written for tuples that contain themselves
                if stack:
                    stack.pop()
                else:
                    stack = outer.pop()
            elif op == 0x31:  # POP_MARK
                stack = outer.pop()
            elif op == 0x2E:  # STOP
                if len(stack) != 1 or outer:
                    raise IndexError
                return stack[0]
            else:
                raise MosaicError(
                    f"holds the pickle opcode 0x{op:02x} at byte {begin + pos - 1}, which no session has; "
                    "it is damaged or may be harmful and was not opened"
                )
    except (IndexError, struct.error, UnicodeDecodeError) as error:
        what = "ends too early" if pos >= size else f"is damaged at byte {begin + pos}"
        raise MosaicError(f"{what}: it was cut off or changed after Mosaic wrote it") from error
    raise MosaicError(f"has more than {MAX_OPCODES} pickle instructions, which no session needs")


FLOAT64 = struct.Struct(">d")


def _part(file: FileBytes | None, begin: int, view: memoryview, start: int, end: int) -> memoryview:
    """Return the bytes from `start` to `end` of a view that begins at `begin` of the file, and may end before `end`."""
    if file is None or end <= len(view):
        return view[start:end]
    return file.read(begin + start, end - start)


def _text_line(view: memoryview, pos: int) -> tuple[str, int]:
    """Read the text up to the next newline. Returns it and the position behind. Raises IndexError for none."""
    line, newline, _ = bytes(view[pos : pos + MAX_TEXT_LINE]).partition(b"\n")
    if not newline:
        raise IndexError
    return line.decode("utf-8"), pos + len(line) + 1


# --- names -----------------------------------------------------------------------------------------------------------


def _classify(module: str, name: str, owner: ArrayOwner | None) -> Global:
    """Make the Global of a name in the file. Raises MosaicError for a name that no session has."""
    written = module
    if module == "__builtin__":
        module = "builtins"  # protocol 2 writes the name of Python 2
    well_formed = len(module) + len(name) <= MAX_TEXT_LINE and MODULE_NAME.fullmatch(module) and name.isidentifier()
    if not well_formed or not name.isascii() or any(part.startswith("__") for part in (*module.split("."), name)):
        _refuse_name(module, name)
    for old, new in MODULE_PREFIXES:
        if module == old or module.startswith(old + "."):
            module = new + module[len(old) :]
    top = module.partition(".")[0]
    if (module, name) in CALLS:
        return Global(module, name, "call")
    if (module, name) == ("numpy", "ndarray"):
        return Global(module, name, "name")
    if top == "numpy" or top in STANDARD_LIBRARY:
        _refuse_name(module, name)
    if top == STORED[0]:
        if owner is None or (module, name) != STORED:
            _refuse_name(module, name)
        return Global(module, name, "stored")
    return Global(module, name, "mosaic" if top == PACKAGE else "foreign", written)


def _refuse_name(module: str, name: str) -> NoReturn:
    shown = f"{module}.{name}"
    raise MosaicError(
        f"names {shown[:120]}, which has no place in a Mosaic session; the file may be harmful and was not opened"
    )


def _refuse_call(function: Node) -> NoReturn:
    shown = repr(function) if type(function) is Global else "a computed function"
    raise MosaicError(
        f"asks for a call of {shown[:120]}, which has no place in a Mosaic session; "
        "the file may be harmful and was not opened"
    )


# --- objects ---------------------------------------------------------------------------------------------------------


def _new_object(cls: Node, args: Node, kwargs: Node, owner: ArrayOwner | None) -> ObjectNode | Stored:
    """Make the node of a new object. Raises MosaicError for a class or for arguments that no session has."""
    if type(cls) is Global and cls.kind == "stored":
        if type(args) is not tuple or len(args) != 3 or set(map(type, args)) != {str}:
            _refuse_call(cls)
        return Stored(*args, owner or NOBODY)
    if type(cls) is not Global or cls.kind not in ("mosaic", "foreign") or type(args) is not tuple:
        _refuse_call(cls)
    if cls.kind == "mosaic" and (args or kwargs is not None):
        _refuse_call(cls)
    if kwargs is not None and type(kwargs) is not Pairs:
        raise IndexError
    return ObjectNode(cls, args, kwargs)


def _build_object(node: ObjectNode, state: Node, budget: Budget) -> None:
    """Give an object its state. Raises MosaicError if the attributes of one of Mosaic's own are in no known form."""
    if node.cls.kind == "mosaic":
        parts = state if type(state) is tuple and len(state) == 2 else (state,)
        for part in parts:
            if type(part) is Pairs:
                budget.spend(ENTRY * len(part))
                if not set(map(type, part[::2])) <= {str}:
                    raise MosaicError(f"holds a {node.cls.name} whose attributes are not named by text; it is damaged")
            elif part is not None or len(parts) == 1:
                raise MosaicError(f"holds a {node.cls.name} without a dict of attributes; it is damaged")
    node.state = state if state is not None else ()


# --- arrays ----------------------------------------------------------------------------------------------------------


def _dtypes() -> dict[tuple[str, str], np.dtype[Any]]:
    """Make the table of dtypes that are interpreted, by the code and byte order that numpy pickles."""
    table = {}
    for code in ("b1", "i1", "u1"):
        table[code, "|"] = np.dtype(code)
    for code in ("i2", "u2", "i4", "u4", "i8", "u8", "f2", "f4", "f8", "c8", "c16"):
        for order in "<>":
            table[code, order] = np.dtype(order + code)
        table[code, "="] = np.dtype(code)
    return table


DTYPES = _dtypes()
DTYPE_STATE_TYPES = (int, str, type(None), type(None), type(None), int, int, int)
PLAIN_DTYPE_STATE = (None, None, None, -1, -1, 0)


def _call_dtype(function: Global, args: tuple[Node, ...], budget: Budget) -> Node:
    """Make the node of `numpy.dtype(code, align, copy)`, to be completed by BUILD."""
    if (
        len(args) != 3
        or type(args[0]) is not str
        or type(args[1]) not in (bool, int)
        or type(args[2]) not in (bool, int)
    ):
        _refuse_call(function)
    return DtypeNode(args[0])


def _build_dtype(node: DtypeNode, state: Node, budget: Budget) -> None:
    """Interpret numpy's state of a dtype: version, byteorder, subdtype, names, fields, itemsize, alignment, flags."""
    if type(state) is not tuple:
        raise MosaicError("holds a numpy dtype in no known form; it is damaged")
    node.state = state
    if tuple(map(type, state)) != DTYPE_STATE_TYPES or state[0] != 3:
        return  # records and their kin: kept, never interpreted
    code = node.code
    if state[2:] == PLAIN_DTYPE_STATE:
        node.dtype = DTYPES.get((code, state[1]))
    elif code[:1] in ("U", "S") and len(code) < 8 and code.isascii() and code[1:].isdecimal():
        characters = int(code[1:])
        itemsize, alignment, flags = (4 * characters, 4, 8) if code[0] == "U" else (characters, 1, 0)
        order = state[1] if code[0] == "U" else ""
        if (
            state[5:] == (itemsize, alignment, flags)
            and 0 < itemsize <= MAX_STRING_ITEM
            and order in ("<", ">", "=", "")
        ):
            node.dtype = np.dtype(f"{order}{code}")


def _call_reconstruct(function: Global, args: tuple[Node, ...], budget: Budget) -> Node:
    """Make the node of `_reconstruct(ndarray, (0,), b"b")`, numpy's empty array, to be filled by BUILD."""
    if len(args) != 3 or type(args[0]) is not Global or (args[0].module, args[0].name) != ("numpy", "ndarray"):
        _refuse_call(function)
    return ArrayNode(args)


def _build_array(node: ArrayNode, state: Node, budget: Budget) -> None:
    """Fill an array from numpy's pickled state (version, shape, dtype, whether in Fortran order, bytes)."""
    if type(state) is not tuple or len(state) != 5 or len(node.args) != 3:
        raise MosaicError("holds a numpy array in no known form; it is damaged")
    budget.spend(ARRAY)
    node.state = state
    _fill(node, state[4], state[2], state[1], "F" if state[3] is True or state[3] == 1 else "C", budget)


def _call_frombuffer(function: Global, args: tuple[Node, ...], budget: Budget) -> Node:
    """Make an array of protocol 5: `_frombuffer(buffer, dtype, shape, order)`, since numpy 2.3 also with axes."""
    if not 4 <= len(args) <= 5 or type(args[3]) is not str or args[3] not in ("C", "F", "K"):
        _refuse_call(function)
    budget.spend(ARRAY)
    node = ArrayNode(args)
    node.state = ()  # complete: no BUILD may follow
    axes = args[4] if len(args) == 5 else None
    if axes is None:
        _fill(node, args[0], args[1], args[2], "C" if args[3] == "K" else args[3], budget)
    elif (
        type(axes) is tuple
        and len(axes) <= MAX_DIMENSIONS
        and set(map(type, axes)) <= {int}
        and sorted(axes) == list(range(len(axes)))
    ):
        _fill(node, args[0], args[1], args[2], "C", budget)
        if node.values is not None and node.values.ndim == len(axes):
            node.values = node.values.transpose(axes)
        else:
            node.values, node.trouble = None, "its axes do not fit its shape"
    else:
        node.trouble = "its axes are in no known form"
    return node


def _fill(node: ArrayNode, data: Node, dtype: Node, shape: Node, order: Any, budget: Budget) -> None:
    """Make `node.values` a view of the bytes, or say in `node.trouble` why not. Numpy gets nothing unchecked."""
    if type(dtype) is not DtypeNode:
        raise MosaicError("holds a numpy array without a dtype; it is damaged")
    if type(shape) is not tuple or len(shape) > MAX_DIMENSIONS or not set(map(type, shape)) <= {int}:
        node.trouble = "its shape is in no known form"
        return
    if dtype.dtype is None:
        node.trouble = f"its dtype {dtype.code[:20]!r} is not one that this add-on interprets"
        return
    if type(data) is ByteArray:
        data = data.data
    if type(data) is bytes:
        data = memoryview(data)
    if type(data) is not memoryview:
        node.trouble = "it has no bytes"
        return
    count = prod(shape)
    if min(shape, default=0) < 0 or count * dtype.dtype.itemsize != len(data):
        node.trouble = f"its shape {str(shape)[:80]} and its {len(data)} bytes do not fit"
        return
    if count:
        node.values = np.frombuffer(data, dtype.dtype).reshape(shape, order=order)
    elif prod(filter(None, shape)) * dtype.dtype.itemsize <= MAX_EMPTY:
        node.values = np.empty(shape, dtype.dtype)
    else:
        node.trouble = f"its shape {str(shape)[:80]} is larger than any array"


def trouble_of_items(values: NDArray[Any]) -> str | None:
    """Say why items of an array are none of its dtype, which numpy would only find on making Python objects of them.

    Returns the end of a sentence, None if all items are in order.
    """
    kind = values.dtype.kind
    if kind not in "bU" or not values.size:
        return None
    codes = np.ascontiguousarray(values).reshape(-1).view("u1" if kind == "b" else f"{values.dtype.byteorder}u4")
    if codes.max() <= (1 if kind == "b" else sys.maxunicode):
        return None
    return "it holds bytes that are neither true nor false" if kind == "b" else "it holds text that is not Unicode"


def _call_scalar(function: Global, args: tuple[Node, ...], budget: Budget) -> Node:
    """Make a numpy scalar of `scalar(dtype, bytes)`."""
    if len(args) != 2 or type(args[0]) is not DtypeNode:
        _refuse_call(function)
    dtype, data = args[0].dtype, args[1]
    budget.spend(VALUE + (dtype.itemsize if dtype is not None else 0))
    if dtype is None:
        return CallNode(function, args)  # a datetime or the like: kept
    if type(data) is bytes:
        data = memoryview(data)
    if type(data) is not memoryview or len(data) != dtype.itemsize:
        raise MosaicError("holds a number whose bytes do not fit its dtype; it is damaged")
    values = np.frombuffer(data, dtype)
    if trouble_of_items(values):
        raise MosaicError("holds text or a truth value that is none; it is damaged")
    return values[0]


# --- the other calls a session has -----------------------------------------------------------------------------------


def _call_encode(function: Global, args: tuple[Node, ...], budget: Budget) -> Node:
    """Make bytes of `_codecs.encode(str, "latin1")`, as protocol 2 writes them."""
    if len(args) != 2 or type(args[0]) is not str or args[1] not in ("latin1", "latin-1"):
        _refuse_call(function)
    budget.spend(VALUE + len(args[0]))
    try:
        return args[0].encode("latin-1")
    except UnicodeEncodeError as error:
        raise MosaicError("holds bytes that are none; it is damaged") from error


def _call_getattr(function: Global, args: tuple[Node, ...], budget: Budget) -> Node:
    """Keep `getattr(<Rbf>, "_h_linear")`, the bound kernel of a scipy Rbf. It is never looked up."""
    rbf = len(args) == 2 and type(args[0]) is ObjectNode and args[0].cls
    if not rbf or not rbf.module.startswith("scipy.interpolate") or rbf.name != "Rbf":
        _refuse_call(function)
    if type(args[1]) is not str or not args[1].startswith("_h_") or not args[1].isidentifier():
        _refuse_call(function)
    return CallNode(function, args)


def _literal(make: Callable[..., Node], check: Callable[[tuple[Node, ...]], bool]) -> Call:
    """Make a call that gives a plain value, of arguments that pass a check."""

    def call(function: Global, args: tuple[Node, ...], budget: Budget) -> Node:
        if not check(args):
            _refuse_call(function)
        budget.spend(VALUE + (ENTRY * len(args[0]) if args and type(args[0]) is list else 0))
        return make(*args)

    return call


def _is_list(args: tuple[Node, ...]) -> bool:
    return not args or (len(args) == 1 and type(args[0]) is list)


def _is_ints(args: tuple[Node, ...]) -> bool:
    return 1 <= len(args) <= 3 and set(map(type, args)) <= {int, type(None)}


def _is_range(args: tuple[Node, ...]) -> bool:
    return 1 <= len(args) <= 3 and set(map(type, args)) == {int} and (len(args) < 3 or args[2] != 0)


def _is_floats(args: tuple[Node, ...]) -> bool:
    return (
        1 <= len(args) <= 2
        and set(map(type, args)) <= {int, float}
        and all(abs(x) < 1e300 for x in args if type(x) is int)
    )


def _is_bytes(args: tuple[Node, ...]) -> bool:
    return not args or (len(args) == 1 and type(args[0]) in (memoryview, bytes))


CALLS: dict[tuple[str, str], Call] = {
    ("numpy", "dtype"): _call_dtype,
    ("numpy._core.multiarray", "_reconstruct"): _call_reconstruct,
    ("numpy._core.multiarray", "scalar"): _call_scalar,
    ("numpy._core.numeric", "_frombuffer"): _call_frombuffer,
    ("_codecs", "encode"): _call_encode,
    ("builtins", "getattr"): _call_getattr,
    ("builtins", "set"): _literal(SetNode, _is_list),
    ("builtins", "frozenset"): _literal(FrozenSetNode, _is_list),
    ("builtins", "bytes"): _literal(bytes, lambda args: not args),  # protocol 2 writes empty bytes so
    ("builtins", "bytearray"): _literal(lambda data=b"": ByteArray(memoryview(data)), _is_bytes),
    ("builtins", "complex"): _literal(complex, _is_floats),
    ("builtins", "slice"): _literal(slice, _is_ints),
    ("builtins", "range"): _literal(range, _is_range),
}

BUILDERS: dict[type, Callable[[Any, Node, Budget], None]] = {
    ObjectNode: _build_object,
    DtypeNode: _build_dtype,
    ArrayNode: _build_array,
}
