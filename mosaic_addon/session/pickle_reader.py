"""Pickle bytes -> nodes: a small opcode interpreter that runs nothing.

It knows the opcodes that Python's picklers of protocol 2 to 5 write, and only the few calls that a Mosaic session
needs. All that it makes are the inert nodes of `nodes`. Arrays become views of the bytes, so a session of any size is
read without a copy. The whole stream is refused at the first part that does not belong into a session.
"""

import re
import struct
import sys
from collections.abc import Callable
from typing import Any, NoReturn

from .budget import ENTRY, Budget
from .errors import MosaicError
from .file import FileBytes
from .library_values import LIBRARY, is_uuid
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
from .pickle_calls import (
    ALIASES,
    ARRAY_CLASSES,
    CALLS,
    NAMES,
    build_array,
    build_dtype,
    call_other,
    refuse_call,
    refuse_name,
)
from .releases import OLD_PACKAGE, PACKAGE
from .stream_place import place_in

MAX_OPCODES = 20_000_000  # a session of 50 000 objects has 10 million
MAX_MARKS = 10_000  # that are open at a time; Python's pickler gives up earlier
MAX_TEXT_LINE = 512  # of a GLOBAL opcode; Python's own names are far shorter
MAX_INT_BYTES = 64
MAX_COPY = 256  # bytes; so short a part is copied, because a view takes more room
LATE = 2**25  # bytes of an array from which on it can stay unread
WINDOW = 2**18  # bytes of a file that are read at a time
MARGIN = 2048  # bytes; longer than any opcode with its argument, except arrays and long texts

MODULE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*")
MODULE_PREFIXES = ((OLD_PACKAGE, PACKAGE), ("numpy.core", "numpy._core"))  # old name, name of today
# With modules that the running Python no longer has, or not yet.
STANDARD_LIBRARY = sys.stdlib_module_names | set(
    "asynchat asyncore cgi cgitb chunk commands compression copy_reg crypt distutils exceptions imghdr imp lib2to3 "
    "mailcap msilib new nis nntplib ossaudiodev pipes popen2 smtpd sndhdr spwd string telnetlib test thread tomllib uu "
    "xdrlib".split()
)


UUID = ("uuid", "UUID")
STORED = ("mosaic_addon", "Stored")  # the name of `Stored` in the pickles that a .blend keeps


def read_pickle(
    data: bytes | memoryview | FileBytes,
    budget: Budget | None = None,
    *,
    owner: ArrayOwner | None = None,
    wait: bool = False,
) -> Node:
    """Read the object that a pickle of protocol 2 to 5 describes, as inert nodes.

    data: the whole stream. Arrays and bytes of the result are views of it or, where it is a file, of the parts that
    were read; a large array has memory of its own. budget: for the cost of reading; by default that of a file of this
    size. owner: who holds the arrays of `Stored` nodes, for bytes that a .blend keeps. wait: leave the large arrays of a
    file unread, see `ArrayNode.rows`. Raises MosaicError, in a
    sentence without the file's name, when the stream is damaged or holds something that does not belong into a session.
    """
    if isinstance(data, FileBytes):
        file, view = data, data.read(0, min(len(data), WINDOW))
    else:
        file, view = None, memoryview(data).toreadonly()
    waiting = file if wait else None
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
    unfinished: list[ArrayNode] = []  # classes of arrays that numpy never leaves without content
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
                if type(function) is Global and function.kind == "call" and type(args) is tuple:
                    made = CALLS[function.module, function.name](function, args, budget)
                    if type(made) is ArrayNode and not made.built and made.values is None:
                        unfinished.append(made)
                else:
                    made = call_other(function, args, budget)
                stack.append(made)
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
                if build is None or (node.built if type(node) is ArrayNode else node.state is not None):
                    _refuse_change()
                build(node, state, budget)
            elif op == 0x96 or op == 0x8E:  # BYTEARRAY8, BINBYTES8
                end = pos + 8 + int.from_bytes(view[pos : pos + 8], "little")
                if end > size:
                    raise IndexError
                if waiting is not None and end - pos > LATE and _is_of_array(stack, outer):
                    chunk: Any = waiting.later(begin + pos + 8, end - pos - 8)
                else:
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
                if len(items) % 2:
                    raise IndexError
                (stack[-1] if type(stack[-1]) is Pairs else _items_of(stack[-1], Pairs)).extend(items)
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
                (stack[-1] if type(stack[-1]) is Pairs else _items_of(stack[-1], Pairs)).extend((key, value))
            elif op == 0x5D:  # EMPTY_LIST
                stack.append([])
            elif op == 0x65:  # APPENDS
                items = stack
                stack = outer.pop()
                (stack[-1] if type(stack[-1]) is list else _items_of(stack[-1], list)).extend(items)
            elif op == 0x61:  # APPEND
                item = stack.pop()
                (stack[-1] if type(stack[-1]) is list else _items_of(stack[-1], list)).append(item)
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
                if waiting is not None and end - pos > LATE and _is_of_array(stack, outer):
                    stack.append(waiting.later(begin + pos + 4, end - pos - 4))
                else:
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
                    refuse_call(None)
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
                if not all(node.built for node in unfinished):
                    raise MosaicError("holds a numpy array in no known form; it is damaged or may be harmful")
                return stack[0]
            else:
                raise MosaicError(
                    f"holds the pickle opcode 0x{op:02x} at byte {begin + pos - 1}, which no session has; "
                    "it is damaged or may be harmful and was not opened"
                )
    except MosaicError as error:
        place = place_in([*outer, stack])
        if not place:
            raise
        raise MosaicError(f"{error} (in {place})") from error
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


def _is_of_array(stack: list[Node], outer: list[list[Node]]) -> bool:
    """Tell whether the bytes that come next are those of an array: after its shape, or the first part of a call."""
    if not outer or not outer[-1]:
        return False
    made = outer[-1][-1]
    if type(made) is ArrayNode:
        return len(stack) == 4
    return type(made) is Global and made.name == "_frombuffer" and not stack


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
        refuse_name(module, name)
    for old, new in MODULE_PREFIXES:
        if module == old or module.startswith(old + "."):
            module = new + module[len(old) :]
    module, name = ALIASES.get((module, name), (module, name))
    top = module.partition(".")[0]
    if (module, name) in CALLS:
        return Global(module, name, "call")
    if (module, name) in NAMES:
        return Global(module, name, "name")
    if (module, name) == UUID:
        return Global(module, name, "uuid")
    if top == "numpy" or top in STANDARD_LIBRARY:
        refuse_name(module, name)
    if top == STORED[0]:
        if owner is None or (module, name) != STORED:
            refuse_name(module, name)
        return Global(module, name, "stored")
    return Global(module, name, "mosaic" if top == PACKAGE else "foreign", written)


# --- objects ---------------------------------------------------------------------------------------------------------


def _new_object(cls: Node, args: Node, kwargs: Node, owner: ArrayOwner | None) -> ObjectNode | Stored:
    """Make the node of a new object. Raises MosaicError for a class or for arguments that no session has."""
    if type(cls) is Global and cls.kind == "stored":
        if type(args) is not tuple or not 3 <= len(args) <= 4 or set(map(type, args)) != {str}:
            refuse_call(cls)
        if args[2] not in ("C", "F") or (args[3:] and args[3] not in ARRAY_CLASSES):
            refuse_call(cls)
        name, dtype, order, *classes = args
        return Stored(name, dtype, order, owner or NOBODY, *classes)
    if type(cls) is not Global or cls.kind not in ("mosaic", "foreign", "uuid") or type(args) is not tuple:
        refuse_call(cls)
    if cls.kind != "foreign" and (args or kwargs is not None):
        refuse_call(cls)
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
    elif node.cls.kind == "uuid" and not is_uuid(state):
        _refuse_change()
    node.state = state if state is not None else ()


def _refuse_change() -> NoReturn:
    raise MosaicError("asks for changes that no session needs; it may be harmful and was not opened")


def _items_of(node: Node, kind: type[list[Node]]) -> list[Node]:
    """Return where the items go of a value of the standard library that takes some. Raises IndexError for another."""
    if type(node) is not CallNode or type(node.items) is not kind:
        raise IndexError
    return node.items


def _build_call(node: CallNode, state: Node, budget: Budget) -> None:
    """Give a value of the standard library its attributes. Raises MosaicError for one that has none."""
    found = LIBRARY.get((node.function.module, node.function.name))
    if found is None or not found.state or type(state) is not Pairs or not set(map(type, state[::2])) <= {str}:
        _refuse_change()
    if any(key.startswith("__") for key in state[::2]):
        _refuse_change()
    budget.spend(ENTRY * len(state))
    node.state = state


BUILDERS: dict[type, Callable[[Any, Node, Budget], None]] = {
    ObjectNode: _build_object,
    CallNode: _build_call,
    DtypeNode: build_dtype,
    ArrayNode: build_array,
}
