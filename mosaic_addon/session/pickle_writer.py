"""Nodes -> pickle bytes.

The pickle is of protocol 4 with the names of numpy 1, which numpy 1 and 2 both read, and holds nothing that our reader
would refuse. Arrays go from their memory into the file without a copy, or are made there some rows at a time. What is shared in the nodes is shared in the
file.
"""

import struct
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from .errors import MosaicError
from .file import FilePart
from .nodes import (
    ArrayNode,
    ByteArray,
    CallNode,
    DtypeNode,
    Formed,
    FrozenSetNode,
    Global,
    Node,
    ObjectNode,
    Pairs,
    SetNode,
    Slot,
    Stored,
)
from .pickle_calls import STRING_DTYPE
from .pickle_reader import MAX_INT_BYTES, MAX_MARKS, STORED
from .rows import Rows, buffers_of, is_fortran

Write = Callable[[Any], object]

TEXTS = frozenset({str, type(None)})
CHUNK = 2**17  # bytes that are gathered before they are handed on
LARGE = 2**14  # bytes of an array that are handed on as they are

NONE, TRUE, FALSE, MARK, STOP = b"N", b"\x88", b"\x89", b"(", b"."
EMPTY_TUPLE, TUPLE, TUPLES = b")", b"t", (b")", b"\x85", b"\x86", b"\x87")
EMPTY_LIST, APPEND, APPENDS, EMPTY_DICT, SETITEM, SETITEMS = b"]", b"a", b"e", b"}", b"s", b"u"
EMPTY_SET, ADDITEMS, FROZENSET = b"\x8f", b"\x90", b"\x91"
STACK_GLOBAL, REDUCE, NEWOBJ, NEWOBJ_EX, BUILD, MEMOIZE, POP, POP_MARK = (
    b"\x93", b"R", b"\x81", b"\x92", b"b", b"\x94", b"0", b"1",
)  # fmt: skip
FLOAT64 = struct.Struct(">d")
NEW_ARRAY: Final = ("numpy", "ndarray", 0)  # key of the memo, for the arguments of every new array
NUMPY: Final = "numpy.core.multiarray"  # a name that every numpy knows
MASKED: Final = "numpy.ma.core", "_mareconstruct"


def write_pickle(
    root: Node,
    write: Write,
    *,
    fetch: Callable[[Stored, Any], NDArray[Any] | Rows] | None = None,
    keep_out: Mapping[int, Stored] = MappingProxyType({}),
    renames: Mapping[tuple[str, str], tuple[str, str]] = MappingProxyType({}),
) -> None:
    """Write a node as `read_pickle` made it, or made of Python's own values and numpy arrays.

    write: takes bytes, or a buffer that is only valid until it returns. fetch: gives the array of a `Stored` and its
    owner at the moment when it is written; without it a `Stored` is written as such. keep_out: what to write instead of
    array nodes, by their id. renames: other modules and names for classes, by module and name.
    Raises TypeError for a value that no session holds, MosaicError for one that is nested too deeply for the reader.
    """
    _Writer(write, fetch, keep_out, renames).run(root)


class _Later(bytes):
    """Opcodes to write once all that was put on the stack above them is written."""

    __slots__ = ()


class _Close(_Later):
    """Opcodes that end what a MARK began."""

    __slots__ = ()


class _Memoize:
    """Finish `node`, whose parts have been written, and remember it. popping: opcodes that take its parts off again."""

    __slots__ = ("node", "popping")

    def __init__(self, node: Node, popping: bytes) -> None:
        self.node = node
        self.popping = popping


class _Writer:
    """One pickle that is being written. Nodes that are still to be written stand on a stack of its own."""

    def __init__(
        self,
        write: Write,
        fetch: Callable[[Stored, Any], Any] | None,
        keep_out: Mapping[int, Stored],
        renames: Mapping[tuple[str, str], tuple[str, str]],
    ) -> None:
        self.write = write
        self.fetch = fetch
        self.keep_out = keep_out
        self.renames = renames
        self.out = bytearray(b"\x80\x04")
        self.todo: list[Node] = []
        self.memo: dict[Any, int] = {}  # by id, or by what it is: a text, a (module, name), a dtype
        self.marks = 0  # that are open
        self.alive: list[Node] = []  # nodes that were made on the way, kept so that no id is used twice
        self.heads: dict[Any, bytes] = {}  # the first bytes of arrays, by their shape, dtype and order
        self.templates: dict[int, list[Any]] = {}  # of nodes that are alike, by the id of their `Alike`

    def run(self, root: Node) -> None:
        out, todo, memo = self.out, self.todo, self.memo
        todo.append(root)
        while todo:
            node = todo.pop()
            kind = type(node)
            if kind is str:
                known = memo.get(node)
                if known is None:
                    self.put_text(node)
                else:
                    out += _get(known)
            elif kind is _Later:
                out += node
            elif kind is _Close:
                out += node
                self.marks -= 1
            elif kind is float:
                out += b"G" + FLOAT64.pack(node)
            elif kind is int:
                out += _integer(node)
            elif node is None:
                out += NONE
            elif kind is bool:
                out += TRUE if node else FALSE
            else:
                known = memo.get(id(node))
                if known is not None:
                    out += _get(known)
                else:
                    writer = WRITERS.get(kind)
                    if writer is None:
                        if not isinstance(node, np.generic):
                            raise TypeError(f"no session holds a {kind.__name__}")
                        writer = _Writer.put_scalar
                    writer(self, node)
                    if kind in REMEMBERED_AFTER:
                        self.remember(id(node))
            if len(out) > CHUNK:
                self.flush()
        out += STOP
        self.flush()

    def flush(self) -> None:
        if self.out:
            self.write(self.out)
            self.out.clear()

    def remember(self, key: Any) -> None:
        self.memo[key] = len(self.memo)
        self.out += MEMOIZE

    def mark(self) -> None:
        if self.marks >= MAX_MARKS - 1:  # an array opens two more for a moment
            raise MosaicError("is nested more deeply than any session, so it is not written")
        self.marks += 1
        self.out += MARK

    # --- scalars -----------------------------------------------------------------------------------------------------

    def put_text(self, text: str) -> None:
        self.out += _text(text)
        self.remember(text)

    def put_bytes(self, data: Any) -> None:
        """Write bytes. data: a buffer of single bytes, or a part of a file."""
        if type(data) is FilePart:
            data = data.read()
        size = len(data)
        self.out += _bytes_of(size)
        if size < LARGE:
            self.out += data
        else:
            self.flush()
            self.write(data)

    def put_name(self, module: str, name: str) -> None:
        known = self.memo.get((module, name))
        if known is not None:
            self.out += _get(known)
            return
        for text in (module, name):
            known = self.memo.get(text)
            if known is None:
                self.put_text(text)
            else:
                self.out += _get(known)
        self.out += STACK_GLOBAL
        self.remember((module, name))

    def put_global_name(self, node: Global) -> None:
        renamed = self.renames.get((node.module, node.name))
        if renamed is not None:
            self.put_name(*renamed)
        elif node.module.startswith("numpy._core"):
            self.put_name("numpy.core" + node.module[11:], node.name)
        else:
            self.put_name(node.written, node.name)

    def put_scalar(self, node: np.generic) -> None:
        self.put_name(NUMPY, "scalar")
        self.put_dtype(node.dtype)
        self.put_bytes(node.tobytes())
        self.out += TUPLES[2] + REDUCE
        self.remember(id(node))

    def put_call(self, name: str, *args: Any) -> None:
        """Write a call of a builtin with scalars."""
        self.put_name("builtins", name)
        for value in args:
            if type(value) is float:
                self.out += b"G" + FLOAT64.pack(value)
            else:
                self.out += NONE if value is None else _integer(value)
        self.out += TUPLES[len(args)] + REDUCE

    def put_complex(self, node: complex) -> None:
        self.put_call("complex", node.real, node.imag)

    def put_slice(self, node: slice) -> None:
        self.put_call("slice", node.start, node.stop, node.step)

    def put_range(self, node: range) -> None:
        self.put_call("range", node.start, node.stop, node.step)

    def put_bytearray(self, node: Any) -> None:
        self.put_name("builtins", "bytearray")
        self.put_bytes(node.data if type(node) is ByteArray else node)
        self.out += TUPLES[1] + REDUCE

    # --- containers --------------------------------------------------------------------------------------------------

    def put_tuple(self, node: tuple[Node, ...]) -> None:
        size = len(node)
        if not size:
            self.out += EMPTY_TUPLE
            return
        if size > 3:
            self.mark()
        # A tuple that contains itself, through a list, is remembered by the time that its items are written.
        self.todo.append(_Memoize(node, POP * size if size <= 3 else POP_MARK))
        self.todo.extend(reversed(node))

    def end(self, mark: _Memoize) -> None:
        """Finish a tuple, frozenset or call, unless it contains itself and was finished on the way."""
        node = mark.node
        known = self.memo.get(id(node))
        if mark.popping == POP_MARK:
            self.marks -= 1
        if known is not None:
            self.out += mark.popping + _get(known)
        elif type(node) is tuple:
            self.out += TUPLES[len(node)] if len(node) <= 3 else TUPLE
            self.remember(id(node))
        else:
            self.out += FROZENSET if type(node) in (FrozenSetNode, frozenset) else REDUCE
            self.remember(id(node))
            if type(node) is CallNode:
                self.put_rest(node)

    def put_items(self, node: Any, empty: bytes, items: Any, single: int, end: bytes, several_end: _Close) -> None:
        """Write a container of items.

        end: the opcode for one with `single` items, which needs no MARK, so that a chain of such opens none within
        another. several_end: the opcode for more.
        """
        self.out += empty
        self.remember(id(node))
        self.put_into(items, single, end, several_end)

    def put_into(self, items: Any, single: int, end: bytes, several_end: _Close) -> None:
        """Write the items of what has been written without them."""
        if len(items) > single:
            self.mark()
            self.todo.append(several_end)
        elif items:
            self.todo.append(_Later(end))
        self.todo.extend(reversed(items))

    def put_list(self, node: list[Node]) -> None:
        self.put_items(node, EMPTY_LIST, node, 1, APPEND, CLOSE_LIST)

    def put_pairs(self, node: Pairs) -> None:
        self.put_items(node, EMPTY_DICT, node, 2, SETITEM, CLOSE_DICT)

    def put_dict(self, node: dict[Any, Any]) -> None:
        self.put_items(node, EMPTY_DICT, [part for entry in node.items() for part in entry], 2, SETITEM, CLOSE_DICT)

    def put_set(self, node: Any) -> None:
        self.put_items(node, EMPTY_SET, list(node), 0, b"", CLOSE_SET)

    def put_frozenset(self, node: Any) -> None:
        self.mark()
        self.todo.append(_Memoize(node, POP_MARK))
        self.todo.extend(reversed(list(node)))

    # --- objects -----------------------------------------------------------------------------------------------------

    def put_object(self, node: ObjectNode) -> None:
        self.put_global_name(node.cls)
        if not node.args and node.kwargs is None:
            self.out += EMPTY_TUPLE
            self.make(node, NEWOBJ)
        else:
            self.todo.append(_New(node))
            if node.kwargs is not None:
                self.todo.append(node.kwargs)
            self.todo.append(node.args)

    def end_object(self, mark: "_New") -> None:
        """Make an object with arguments, unless these contain the object, which made it already."""
        node = mark.node
        known = self.memo.get(id(node))
        if known is not None:
            self.out += POP * (2 if node.kwargs is None else 3) + _get(known)
        else:
            self.make(node, NEWOBJ if node.kwargs is None else NEWOBJ_EX)

    def make(self, node: ObjectNode, opcode: bytes) -> None:
        """Make an object of the class and arguments that have been written, and give it its state."""
        self.out += opcode
        self.remember(id(node))
        if node.state is not None:
            self.todo += (_Later(BUILD), node.state)

    def put_function_call(self, node: CallNode) -> None:
        self.put_global_name(node.function)
        self.todo += (_Memoize(node, POP + POP), node.args)

    def put_rest(self, node: CallNode) -> None:
        """Write what goes into the result of a call, and its attributes."""
        if node.state is not None:
            self.todo += (_Later(BUILD), node.state)
        if type(node.items) is Pairs:
            self.put_into(node.items, 2, SETITEM, CLOSE_DICT)
        elif node.items is not None:
            self.put_into(node.items, 1, APPEND, CLOSE_LIST)

    def put_stored(self, node: Stored) -> None:
        if self.fetch is None:
            self.put_name(*STORED)
            if node.cls:
                self.out += MARK
            for text in (node.name, node.dtype, node.order, *filter(None, (node.cls,))):
                self.put_text_once(text)
            self.out += (TUPLE if node.cls else TUPLES[3]) + NEWOBJ
        else:
            self.put_array(self.fetch(node, node.owner), node.cls)
        self.remember(id(node))

    def put_formed(self, node: Formed) -> None:
        """Write the first of nodes that are alike as any other, and the following ones by a template.

        That is possible because they share no parts with other nodes.
        """
        alike = node.alike
        template = self.templates.get(id(alike))
        if template is None or self.fetch is None or not TEXTS.issuperset(map(type, node.own)):
            made = node.make()
            self.alive += (alike, made)
            self.templates[id(alike)] = []
            self.todo.append(made)
            return
        if not template:
            recorder = _Recorder(self)
            recorder.run(alike.make([Slot(number) for number in range(len(node.own))], None))
            template = self.templates[id(alike)] = recorder.parts
        out = self.out
        for part in template:
            kind = type(part)
            if kind is bytes:
                out += part
            elif kind is Slot:
                text = node.own[part.number]
                known = self.memo.get(text)
                out += NONE if text is None else _text(text) if known is None else _get(known)
            else:
                self.put_array(self.fetch(part, node.owner))

    def put_text_once(self, text: str) -> None:
        known = self.memo.get(text)
        if known is None:
            self.put_text(text)
        else:
            self.out += _get(known)

    # --- arrays ------------------------------------------------------------------------------------------------------

    def put_array_node(self, node: ArrayNode) -> None:
        outside = self.keep_out.get(id(node))
        if outside is not None:
            known = self.memo.get(id(outside))
            if known is None:
                self.put_stored(outside)
            else:
                self.out += _get(known)
            return
        if node.mask is not None:
            self.put_masked(node)
        elif node.values is not None:
            self.put_array(node.values, "" if node.cls is None else node.cls.name)
            self.remember(id(node))
        elif not node.kept and self.fetch is not None:
            self.put_array(_bytes_in(node))
            self.remember(id(node))
        else:
            self.put_new_array("" if node.cls is None else node.cls.name)
            self.remember(id(node))
            if node.state is not None:
                self.todo += (_Later(BUILD), node.state)

    def put_masked(self, node: ArrayNode) -> None:
        """Write a masked array: the class of its data, these, the mask and the fill value."""
        self.put_name(*MASKED)
        self.out += MARK
        for module, name in (
            ("numpy.ma.core", "MaskedArray"),
            ("numpy", "ndarray" if node.cls is None else node.cls.name),
        ):
            self.put_name(module, name)
        self.out += _integer(0) + TUPLES[1]
        self.put_text_once("b")
        self.out += TUPLE + REDUCE
        self.remember(id(node))
        state: Node = node.state
        if node.values is not None:
            fortran = node.values.flags.f_contiguous and not node.values.flags.c_contiguous
            data = node.values.tobytes("F" if fortran else "C")
            dtype = DtypeNode(node.values.dtype.str[1:])
            dtype.dtype = node.values.dtype
            state = (1, node.values.shape, dtype, fortran, data)
        state = (*state, *(node.mask or ()))
        self.alive.append(state)
        self.todo += (_Later(BUILD), state)

    def put_numpy_array(self, node: NDArray[Any]) -> None:
        self.put_array(node)
        self.remember(id(node))

    def put_new_array(self, cls: str = "") -> None:
        """Write an empty array. The arguments that all arrays have are written once.

        cls: numpy's class of it where it is not the plain array.
        """
        self.put_name(NUMPY, "_reconstruct")
        key = (*NEW_ARRAY, cls) if cls else NEW_ARRAY
        known = self.memo.get(key)
        if known is None:
            self.put_name("numpy", cls or "ndarray")
            self.out += _integer(0) + TUPLES[1] + b"C\x01b" + TUPLES[3]
            self.remember(key)
        else:
            self.out += _get(known)
        self.out += REDUCE

    def put_array(self, values: NDArray[Any] | Rows, cls: str = "") -> None:
        """Write an array; remembering it is left to the caller. cls: numpy's class of it, "" for the plain array."""
        fortran = is_fortran(values)
        kind = values.shape, values.dtype, fortran
        head = None if cls else self.heads.get(kind)
        if head is None:
            self.put_head(values, fortran, cls)
        else:
            self.out += head
        if values.nbytes < LARGE:
            self.out += np.asarray(values).tobytes("F" if fortran else "C")
        else:
            self.flush()
            for data in buffers_of(values):
                self.write(data)
        self.out += TUPLE + BUILD

    def put_head(self, values: NDArray[Any] | Rows, fortran: bool, cls: str) -> None:
        """Write all of an array before its bytes, and keep that for the next one as soon as it holds nothing new."""
        known = not cls and NEW_ARRAY in self.memo and ("dtype", values.dtype.str) in self.memo
        start = len(self.out)
        self.put_new_array(cls)
        self.out += MARK + _integer(1)
        if values.ndim > 3:
            self.out += MARK
        for length in values.shape:
            self.out += _integer(length)
        self.out += TUPLES[values.ndim] if values.ndim <= 3 else TUPLE
        self.put_dtype(values.dtype)
        self.out += TRUE if fortran else FALSE
        self.out += _bytes_of(values.nbytes)
        if known:
            self.heads[values.shape, values.dtype, fortran] = bytes(self.out[start:])

    def put_dtype_node(self, node: DtypeNode) -> None:
        if node.dtype is not None:
            self.put_dtype(node.dtype)
            return
        if node.code == STRING_DTYPE:
            self.put_name("numpy._core._internal", STRING_DTYPE)  # which numpy 1 does not have
            self.todo += (_Memoize(node, POP + POP), node.state)
            return
        self.put_name("numpy", "dtype")
        if type(node.code) is Global:
            self.put_global_name(node.code)
        else:
            self.put_text_once(node.code)
        self.out += FALSE + TRUE + TUPLES[3] + REDUCE
        self.remember(id(node))
        if node.state is not None:
            self.todo += (_Later(BUILD), node.state)

    def put_dtype(self, dtype: np.dtype[Any]) -> None:
        if dtype.kind not in "biufcUS":
            raise TypeError(f"no session holds numbers of the kind {dtype}")
        key = ("dtype", dtype.str)
        known = self.memo.get(key)
        if known is not None:
            self.out += _get(known)
            return
        self.put_name("numpy", "dtype")
        self.put_text_once(dtype.str[1:])
        self.out += FALSE + TRUE + TUPLES[3] + REDUCE
        self.remember(key)
        self.out += MARK + _integer(3)
        self.put_text_once(dtype.str[0])
        self.out += NONE * 3
        text = dtype.kind in "US"
        sizes = (dtype.itemsize, 4 if dtype.kind == "U" else 1, 8 if dtype.kind == "U" else 0) if text else (-1, -1, 0)
        for number in sizes:
            self.out += _integer(number)
        self.out += TUPLE + BUILD


class _Recorder(_Writer):
    """Writes a template: `parts` are bytes, and each `Slot` and `Stored` as it is. It remembers nothing."""

    def __init__(self, writer: _Writer) -> None:
        super().__init__(writer.write, lambda stored, _: stored, writer.keep_out, writer.renames)
        self.memo = writer.memo
        self.marks = writer.marks
        self.out.clear()
        self.parts: list[Any] = []

    def cut(self, part: Any) -> None:
        self.parts += (bytes(self.out), part)
        self.out.clear()

    def put_array(self, values: Any, cls: str = "") -> None:
        if type(values) is Stored:
            self.cut(values)
        else:
            super().put_array(values, cls)

    def remember(self, key: Any) -> None:
        pass

    def flush(self) -> None:
        pass

    def run(self, root: Node) -> None:
        super().run(root)
        self.parts.append(bytes(self.out[: -len(STOP)]))


class _New:
    """Make the object `node`, whose arguments have been written."""

    __slots__ = ("node",)

    def __init__(self, node: ObjectNode) -> None:
        self.node = node


def _text(text: str) -> bytes:
    encoded = text.encode("utf-8", "surrogatepass")
    if len(encoded) < 256:
        return b"\x8c" + bytes((len(encoded),)) + encoded
    if len(encoded) < 2**32:
        return b"X" + struct.pack("<I", len(encoded)) + encoded
    return b"\x8d" + struct.pack("<Q", len(encoded)) + encoded


def _bytes_of(size: int) -> bytes:
    """Return the opcode that stands before so many bytes."""
    if size < 256:
        return b"C" + bytes((size,))
    return b"B" + struct.pack("<I", size) if size < 2**32 else b"\x8e" + struct.pack("<Q", size)


def _get(index: int) -> bytes:
    return b"h" + bytes((index,)) if index < 256 else b"j" + struct.pack("<I", index)


def _integer(value: int) -> bytes:
    if 0 <= value < 256:
        return b"K" + bytes((value,))
    if 0 <= value < 65536:
        return b"M" + struct.pack("<H", value)
    if -(2**31) <= value < 2**31:
        return b"J" + struct.pack("<i", value)
    size = (value if value >= 0 else ~value).bit_length() // 8 + 1
    if size > MAX_INT_BYTES:
        raise TypeError(f"no session holds a whole number of {size} bytes")
    return b"\x8a" + bytes((size,)) + value.to_bytes(size, "little", signed=True)


def _bytes_in(node: ArrayNode) -> NDArray[np.uint8]:
    """Return the bytes of a damaged array, on which numpy could crash as it is."""
    data = node.state[4] if type(node.state) is tuple else b""
    return np.frombuffer(data if type(data) in (bytes, memoryview) else b"", np.uint8)


CLOSE_LIST, CLOSE_DICT, CLOSE_SET = _Close(APPENDS), _Close(SETITEMS), _Close(ADDITEMS)
# Kinds that are remembered after they are written; those that may contain themselves remember themselves before.
REMEMBERED_AFTER = frozenset({bytes, memoryview, FilePart, bytearray, ByteArray, complex, slice, range})


WRITERS: dict[type, Callable[[Any, Any], None]] = {
    tuple: _Writer.put_tuple,
    list: _Writer.put_list,
    Pairs: _Writer.put_pairs,
    dict: _Writer.put_dict,
    set: _Writer.put_set,
    SetNode: _Writer.put_set,
    frozenset: _Writer.put_frozenset,
    FrozenSetNode: _Writer.put_frozenset,
    bytes: _Writer.put_bytes,
    memoryview: _Writer.put_bytes,
    FilePart: _Writer.put_bytes,
    bytearray: _Writer.put_bytearray,
    ByteArray: _Writer.put_bytearray,
    complex: _Writer.put_complex,
    slice: _Writer.put_slice,
    range: _Writer.put_range,
    Global: _Writer.put_global_name,
    ObjectNode: _Writer.put_object,
    Stored: _Writer.put_stored,
    Formed: _Writer.put_formed,
    Slot: _Recorder.cut,
    CallNode: _Writer.put_function_call,
    DtypeNode: _Writer.put_dtype_node,
    ArrayNode: _Writer.put_array_node,
    np.ndarray: _Writer.put_numpy_array,
    _Memoize: _Writer.end,
    _New: _Writer.end_object,
}
