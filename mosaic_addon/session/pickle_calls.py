"""The calls in a pickle that are interpreted or kept: arrays, dtypes and scalars of numpy, plain values, and few more."""

import sys
from collections.abc import Callable
from math import prod
from typing import Any, NoReturn, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .budget import ARRAY, ENTRY, VALUE, Budget
from .dtypes import interpreted, is_code, kept
from .errors import MosaicError
from .file import FilePart, FileRows
from .library_values import FACTORIES, LIBRARY, MASKED_CONSTANT, Library, is_member
from .nodes import (
    ArrayNode,
    ByteArray,
    CallNode,
    DtypeNode,
    FrozenSetNode,
    Global,
    KeptDtype,
    Node,
    ObjectNode,
    Pairs,
    SetNode,
)

MAX_DIMENSIONS = 32  # numpy's limit up to 1.26
MAX_SHOWN = 80  # characters of a dtype
MAX_EMPTY = 2**48  # bytes that an array without items would have along its other axes

Call: TypeAlias = Callable[[Global, tuple[Node, ...], Budget], Node]

# Classes of arrays, by a name that numpy 1 and 2 both know; their values are those of the plain array.
ARRAY_CLASSES = ("memmap", "matrix", "recarray")
MASKED = ("numpy.ma.core", "MaskedArray")
NUMBER_TYPES = (
    "bool_ int8 int16 int32 int64 uint8 uint16 uint32 uint64 intc uintc longlong ulonglong float16 float32 float64 "
    "float128 longdouble complex64 complex128 complex256 clongdouble str_ bytes_ object_ void datetime64 timedelta64"
).split()
STRING_DTYPE = "_convert_to_stringdtype_kwargs"
# Names that may be mentioned, as the class of an array or as a value, and never stand in a call of their own.
NAMES = {
    *(("numpy", name) for name in ("ndarray", "record", *ARRAY_CLASSES, *NUMBER_TYPES)),
    *(("builtins", name) for name in FACTORIES),
    MASKED,
}
# Other releases of Python and numpy have the same under other names.
ALIASES = {
    **{("builtins", old): ("builtins", new) for old, new in (("unicode", "str"), ("long", "int"), ("xrange", "range"))},
    ("numpy", "bool"): ("numpy", "bool_"),
    ("numpy.rec", "recarray"): ("numpy", "recarray"),
    ("numpy._core.records", "recarray"): ("numpy", "recarray"),
    ("numpy._core.records", "record"): ("numpy", "record"),
    ("numpy.rec", "record"): ("numpy", "record"),
    ("numpy.matrixlib.defmatrix", "matrix"): ("numpy", "matrix"),
    ("numpy.ma", "MaskedArray"): MASKED,
    ("numpy.ma", "MaskedConstant"): MASKED_CONSTANT,
    **{("pathlib._local", name): ("pathlib", name) for module, name in LIBRARY if module == "pathlib"},
}


def refuse_name(module: str, name: str) -> NoReturn:
    """Raise MosaicError for a name in the file that has no place in a session."""
    shown = f"{module}.{name}"
    raise MosaicError(
        f"names {shown[:120]}, which has no place in a Mosaic session; the file may be harmful and was not opened"
    )


def refuse_call(function: Node) -> NoReturn:
    """Raise MosaicError for a call that has no place in a session."""
    shown = repr(function) if type(function) is Global else "a computed function"
    raise MosaicError(
        f"asks for a call of {shown[:120]}, which has no place in a Mosaic session; "
        "the file may be harmful and was not opened"
    )


def call_other(function: Node, args: Node, budget: Budget) -> Node:
    """Keep a call of a class that is not known, if Python may have pickled the member of an enumeration by it."""
    if type(function) is not Global or function.kind != "foreign" or type(args) is not tuple:
        refuse_call(function)
    if not is_member(function, args):
        refuse_call(function)
    budget.spend(VALUE)
    return CallNode(function, args)


# --- arrays ----------------------------------------------------------------------------------------------------------


def _call_dtype(function: Global, args: tuple[Node, ...], budget: Budget) -> Node:
    """Make the node of `numpy.dtype(code, align, copy)`, to be completed by BUILD."""
    if len(args) != 3 or not is_code(args[0]) or type(args[1]) not in (bool, int) or type(args[2]) not in (bool, int):
        refuse_call(function)
    return DtypeNode(args[0])


def build_dtype(node: DtypeNode, state: Node, budget: Budget) -> None:
    """Interpret numpy's state of a dtype, or keep it. Raises MosaicError for one that numpy does not pickle."""
    if type(state) is tuple:
        budget.spend(VALUE)
        node.dtype = interpreted(node.code, state)
        if node.dtype is not None:
            node.state = ()
            return
        found = kept(node.code, state)
        if found is not None:
            node.kept, node.state = found
            return
    raise MosaicError(
        "holds a numpy dtype in no form that numpy writes; it is damaged or may be harmful and was not opened"
    )


def _call_string_dtype(function: Global, args: tuple[Node, ...], budget: Budget) -> Node:
    """Make the dtype of texts of any length, of numpy 2, from whether it converts and what stands for no text."""
    if not 1 <= len(args) <= 2 or type(args[0]) not in (bool, int) or args[0] not in (0, 1):
        refuse_call(function)
    if len(args) == 2 and type(args[1]) not in (type(None), float, str):
        refuse_call(function)
    node = DtypeNode(STRING_DTYPE)
    node.kept, node.state = KeptDtype(np.dtype("O"), 1, 1, "texts"), args
    return node


def _call_reconstruct(function: Global, args: tuple[Node, ...], budget: Budget) -> Node:
    """Make the node of `_reconstruct(ndarray, (0,), b"b")`, numpy's empty array, to be filled by BUILD."""
    if len(args) != 3 or not _is_array_class(args[0]) or type(args[1]) is not tuple:
        refuse_call(function)
    if args[0].name != "ndarray":
        return ArrayNode(args[0])
    node = ArrayNode()
    node.values = np.empty(0, np.int8)  # which it stays if BUILD does not follow
    return node


def _call_masked(function: Global, args: tuple[Node, ...], budget: Budget) -> Node:
    """Make the node of `_mareconstruct(MaskedArray, ndarray, (0,), "b")`, to be filled by BUILD."""
    if len(args) != 4 or type(args[0]) is not Global or (args[0].module, args[0].name) != MASKED:
        refuse_call(function)
    if not _is_array_class(args[1]) or type(args[2]) is not tuple:
        refuse_call(function)
    return ArrayNode(args[1], ())


def _is_array_class(node: Node) -> bool:
    return type(node) is Global and node.module == "numpy" and node.name in ("ndarray", *ARRAY_CLASSES)


def build_array(node: ArrayNode, state: Node, budget: Budget) -> None:
    """Fill an array from numpy's pickled state (version, shape, dtype, whether in Fortran order, bytes).

    That of a masked array has its mask, in bytes, and its fill value behind these.
    """
    if type(state) is not tuple or len(state) != (5 if node.mask is None else 7):
        raise MosaicError("holds a numpy array in no known form; it is damaged")
    budget.spend(ARRAY)
    node.values, node.built = None, True
    _fill(node, state[4], state[2], state[1], state[3] is True or state[3] == 1, budget)
    if node.mask is not None:
        leaves = state[2].kept.leaves if state[2].dtype is None else 1
        if (node.trouble and not node.kept) or not _is_mask(state[1], leaves, *state[5:]):
            raise MosaicError("holds a masked array whose mask does not fit; it is damaged")
        node.mask = state[5:]


def _is_mask(shape: tuple[int, ...], leaves: int, mask: Node, fill: Node) -> bool:
    """Tell whether a mask has `leaves` bytes for each item, and its fill value is one."""
    if type(mask) not in (bytes, memoryview) or len(mask) != prod(shape) * leaves:
        return False
    if type(fill) is ArrayNode:
        return fill.mask is None and fill.built and (fill.kept or fill.values is not None)
    return type(fill) in (type(None), bool, int, float, complex, str, bytes) or isinstance(fill, np.generic)


def _call_frombuffer(function: Global, args: tuple[Node, ...], budget: Budget) -> Node:
    """Make an array of protocol 5: `_frombuffer(buffer, dtype, shape, order)`, since numpy 2.3 also with axes."""
    if not 4 <= len(args) <= 5 or type(args[3]) is not str or args[3] not in ("C", "F", "K"):
        refuse_call(function)
    budget.spend(ARRAY)
    node = ArrayNode()
    node.built = True  # no BUILD may follow
    buffer, dtype, shape, order = args[:4]
    axes = args[4] if len(args) == 5 else None
    if axes is None:
        _fill(node, buffer, dtype, shape, order == "F", budget)
        return node
    if (
        type(axes) is not tuple
        or len(axes) > MAX_DIMENSIONS
        or not set(map(type, axes)) <= {int}
        or sorted(axes) != list(range(len(axes)))
    ):
        _damage(node, "its axes are in no known form", buffer, dtype)
        return node
    _fill(node, buffer, dtype, shape, False, budget)
    if node.values is not None and node.values.ndim == len(axes):
        node.values = node.values.transpose(axes)
    elif node.kept and len(shape) == len(axes):
        node.state = _turned(node.state, dtype.kept.dtype.itemsize, axes, budget)
    else:
        _damage(node, "its axes do not fit its shape", buffer, dtype)
    return node


def _turned(state: tuple[Node, ...], size: int, axes: tuple[int, ...], budget: Budget) -> tuple[Node, ...]:
    """Put the axes of an array that is only kept into their order. size: bytes of an item."""
    version, shape, dtype, _, data = state
    budget.spend(len(data))
    if len(data):
        data = np.frombuffer(data, np.uint8).reshape(*shape, size).transpose(*axes, len(axes)).tobytes()
    return version, tuple(shape[axis] for axis in axes), dtype, False, data


def _damage(node: ArrayNode, trouble: str, data: Node, dtype: DtypeNode) -> None:
    """Note why an array is none. Its shape, which would fit another one, is forgotten."""
    node.values, node.kept, node.trouble = None, False, trouble
    node.state = (1, None, dtype, False, data)


def _fill(node: ArrayNode, data: Node, dtype: Any, shape: Node, fortran: bool, budget: Budget) -> None:
    """Make `node.values` a view of the bytes, or say in `node.trouble` why not. Numpy gets nothing unchecked."""
    if type(dtype) is not DtypeNode or (dtype.dtype is None and dtype.kept is None):
        raise MosaicError("holds a numpy array without a dtype; it is damaged")
    if type(data) is ByteArray:
        data = data.data
    if type(data) is FilePart:
        if _may_wait(node, data, dtype.dtype, shape, fortran):
            node.rows = FileRows(data, shape, np.dtype("<f4"))
            return
        data = data.read()
    node.state = (1, shape, dtype, fortran, data)
    if type(shape) is not tuple or len(shape) > MAX_DIMENSIONS or not set(map(type, shape)) <= {int}:
        node.trouble = "its shape is in no known form"
        return
    known = dtype.dtype
    if known is None:
        node.kept, known = True, dtype.kept.dtype
        node.trouble = f"its dtype, {dtype.kept.title[:MAX_SHOWN]}, is not one that this add-on interprets"
    count, size = prod(shape), known.itemsize
    if known.hasobject:
        if type(data) is not list or min(shape, default=0) < 0 or count != len(data):
            _damage(node, "its items do not fit its shape", data, dtype)
        return
    if type(data) is bytes:
        data = memoryview(data)
    if type(data) is not memoryview:
        node.kept, node.trouble = False, "it has no bytes"
    elif min(shape, default=0) < 0 or count * size != len(data):
        node.kept, node.trouble = False, f"its shape {str(shape)[:80]} and its {len(data)} bytes do not fit"
    elif not len(data) and prod(filter(None, shape)) * max(size, 1) > MAX_EMPTY:
        node.kept, node.trouble = False, f"its shape {str(shape)[:80]} is larger than any array"
    elif not node.kept:
        if count:
            node.values = np.frombuffer(data, known).reshape(shape, order="F" if fortran else "C")
        else:
            node.values = np.empty(shape, known)
        node.state = None


def _may_wait(node: ArrayNode, data: FilePart, dtype: Any, shape: Node, fortran: bool) -> bool:
    """Tell whether an array may stay unread: one of 32-bit floats, (n,) or (n, k), to whose bytes its shape fits."""
    if node.cls is not None or node.mask is not None or fortran or dtype != np.dtype("<f4"):
        return False
    if type(shape) is not tuple or not 1 <= len(shape) <= 2 or not set(map(type, shape)) <= {int}:
        return False
    return min(shape) > 0 and prod(shape) * 4 == len(data)


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
    """Make a numpy scalar of `scalar(dtype, bytes)`; one of a dtype that is not interpreted is kept."""
    if len(args) != 2 or type(args[0]) is not DtypeNode or (args[0].dtype is None and args[0].kept is None):
        refuse_call(function)
    dtype, data = args[0].dtype, args[1]
    known = args[0].kept.dtype if dtype is None else dtype
    budget.spend(VALUE + known.itemsize)
    if known.hasobject:  # numpy pickles it as an array without axes
        fits = args[0].code != "O8" and type(data) is ArrayNode and data.kept and data.state[1] == ()
        if not fits or data.state[2].kept.dtype != known:
            raise MosaicError("holds a value whose parts do not fit its dtype; it is damaged")
        return CallNode(function, args)
    if type(data) is bytes:
        data = memoryview(data)
    if type(data) is not memoryview or len(data) != known.itemsize:
        raise MosaicError("holds a number whose bytes do not fit its dtype; it is damaged")
    if dtype is None:
        return CallNode(function, args)
    values = np.frombuffer(data, dtype)
    if trouble_of_items(values):
        raise MosaicError("holds text or a truth value that is none; it is damaged")
    return values[0]


# --- other calls ------------------------------------------------------------------------------------------------------


def _call_encode(function: Global, args: tuple[Node, ...], budget: Budget) -> Node:
    """Make bytes of `_codecs.encode(str, "latin1")`, as protocol 2 writes them."""
    if len(args) != 2 or type(args[0]) is not str or args[1] not in ("latin1", "latin-1"):
        refuse_call(function)
    budget.spend(VALUE + len(args[0]))
    try:
        return args[0].encode("latin-1")
    except UnicodeEncodeError as error:
        raise MosaicError("holds bytes that are none; it is damaged") from error


def _call_getattr(function: Global, args: tuple[Node, ...], budget: Budget) -> Node:
    """Keep `getattr(<Rbf>, "_h_linear")`, the bound kernel of a scipy Rbf. It is never looked up."""
    rbf = len(args) == 2 and type(args[0]) is ObjectNode and args[0].cls
    if not rbf or not rbf.module.startswith("scipy.interpolate") or rbf.name != "Rbf":
        refuse_call(function)
    if type(args[1]) is not str or not args[1].startswith("_h_") or not args[1].isidentifier():
        refuse_call(function)
    return CallNode(function, args)


def _literal(make: Callable[..., Node], check: Callable[[tuple[Node, ...]], bool]) -> Call:
    """Make a call that gives a plain value, of arguments that pass a check."""

    def call(function: Global, args: tuple[Node, ...], budget: Budget) -> Node:
        if not check(args):
            refuse_call(function)
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


def _library(found: Library) -> Call:
    """Make a call that is kept, of arguments that pass a check."""

    def call(function: Global, args: tuple[Node, ...], budget: Budget) -> Node:
        budget.spend(VALUE + sum(ENTRY * len(part) for part in args if type(part) in (list, Pairs, str)))
        if not found.check(args):
            refuse_call(function)
        node = CallNode(function, tuple([part[:] if type(part) is list else part for part in args]))
        node.items = None if found.items is None else found.items()
        return node

    return call


def _call_masked_constant(function: Global, args: tuple[Node, ...], budget: Budget) -> Node:
    """Keep `MaskedConstant()`, numpy's one value that is none."""
    if args:
        refuse_call(function)
    return CallNode(function, args)


CALLS: dict[tuple[str, str], Call] = {
    ("numpy", "dtype"): _call_dtype,
    ("numpy._core._internal", STRING_DTYPE): _call_string_dtype,
    ("numpy._core.multiarray", "_reconstruct"): _call_reconstruct,
    ("numpy.ma.core", "_mareconstruct"): _call_masked,
    MASKED_CONSTANT: _call_masked_constant,
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
    **{name: _library(found) for name, found in LIBRARY.items()},
}
