"""Inert nodes that a pickle's bytes become: they hold data and can do nothing.

Plain values stay Python's own: None, bool, int, float, str, tuple, list, complex, slice, range, and numpy scalars. Long
`bytes` are views of what was read (`memoryview`), short ones are copies. All else is one of the classes below. Only
scalars are ever hashed or compared, because a file can hold structures on which `hash`, `==` and `repr` never return or
overflow the stack.
"""

from typing import Any, Final, NamedTuple, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .rows import Rows

Node: TypeAlias = Any
SCALARS: Final = frozenset({type(None), bool, int, float, str})


class Pairs(list[Node]):
    """A dict as [key, value, key, value, …] in the order of the file. A key may be unhashable or occur twice."""

    __slots__ = ()

    def as_dict(self) -> dict[str, Node]:
        """Return the entries whose key is a str. Of equal keys the last one counts, as in a dict."""
        keys = self[::2]
        if set(map(type, keys)) <= {str}:
            return dict(zip(keys, self[1::2], strict=True))
        return {key: value for key, value in zip(keys, self[1::2], strict=True) if type(key) is str}


class SetNode(list[Node]):
    """A set, its items in the order of the file."""

    __slots__ = ()


class FrozenSetNode(list[Node]):
    """A frozenset, its items in the order of the file."""

    __slots__ = ()


class ByteArray:
    """A bytearray. data: a view of what was read, or a copy if that is short."""

    __slots__ = ("data",)

    def __init__(self, data: memoryview | bytes) -> None:
        self.data = data


class Global:
    """A class or function that the file names. It is never looked up and never imported.

    kind: what the reader makes of it. "mosaic" and "foreign" are classes of objects, "call" may stand in a call that is
    interpreted, "name" may only be mentioned, "stored" is `Stored`. module: the module's name of today. written: the
    name to write, which is the one in the file, where that release of Mosaic looks for it.
    """

    __slots__ = ("kind", "module", "name", "written")

    def __init__(self, module: str, name: str, kind: str, written: str | None = None) -> None:
        self.module = module
        self.name = name
        self.kind = kind
        self.written = module if written is None else written

    def __repr__(self) -> str:
        return f"{self.module}.{self.name}"


class ObjectNode:
    """An object of a class that the file names: one of Mosaic's own, or a foreign one that is only kept.

    args, kwargs: of its construction, empty and None for Mosaic's classes. state: None before the opcode BUILD, then
    the Pairs of its attributes or, for a class with slots, the tuple (Pairs | None, Pairs | None).
    """

    __slots__ = ("args", "cls", "kwargs", "state")

    def __init__(self, cls: Global, args: tuple[Node, ...], kwargs: Pairs | None = None) -> None:
        self.cls = cls
        self.args = args
        self.kwargs = kwargs
        self.state: Node = None

    def fields(self) -> dict[str, Node]:
        """Return the attributes by name, those in slots included."""
        state = self.state
        if type(state) is Pairs:
            return state.as_dict()
        if type(state) is tuple:
            return {key: value for part in state if type(part) is Pairs for key, value in part.as_dict().items()}
        return {}


class ArrayOwner(Protocol):
    """Who holds the arrays that `Stored` nodes stand for. count: of the geometry's points."""

    count: int

    def array(self, stored: "Stored") -> NDArray[Any] | Rows:
        """Return an array, of the dtype and order that the node says. Raises KeyError for one that is not there."""


class _Nobody:
    """The owner of arrays that nobody will ask for, as where a node is only looked into."""

    count = 0

    def array(self, stored: "Stored") -> NDArray[Any]:
        raise KeyError(stored.name)


NOBODY: Final[ArrayOwner] = _Nobody()


class Stored:
    """The place of an array that is in Blender's data and not in the stream. Only records in a .blend have such.

    name: by which the owner knows the array. dtype, order ("C" or "F"): what the array gets in a file. owner: who holds
    it. cls: numpy's class of it where it is not the plain array, such as "memmap". A session that names one is refused.
    """

    __slots__ = ("cls", "dtype", "name", "order", "owner")

    def __init__(self, name: str, dtype: str, order: str = "C", owner: ArrayOwner = NOBODY, cls: str = "") -> None:
        self.name = name
        self.dtype = dtype
        self.order = order
        self.owner = owner
        self.cls = cls


def stored_nodes(root: Node) -> list[Stored]:
    """Return all `Stored` in a node, each once."""
    found: list[Stored] = []
    todo, seen = [root], {id(root)}
    while todo:
        node = todo.pop()
        kind = type(node)
        if kind is Stored:
            found.append(node)
            continue
        if kind is ObjectNode:
            parts = (node.args, node.kwargs, node.state)
        elif isinstance(node, (list, tuple)):
            parts = node
        elif kind is CallNode:
            parts = node.args
        else:
            continue
        for part in parts:
            if type(part) not in SCALARS and id(part) not in seen:
                seen.add(id(part))
                todo.append(part)
    return found


class Formed:
    """An object that is like many others and is not made before someone looks into it.

    alike: what it has in common with them, and makes it. own: its name and uuid, None where it has none. owner: who
    holds its arrays, each of which is a `Stored`.
    """

    __slots__ = ("alike", "own", "owner")

    def __init__(self, alike: Any, own: list[Node], owner: ArrayOwner) -> None:
        self.alike = alike
        self.own = own
        self.owner = owner

    def make(self) -> Node:
        """Make a new node of it."""
        return self.alike.make(self.own, self.owner)


class Slot:
    """The place in a template where each node made from it has something of its own. number: of `Formed.own`."""

    __slots__ = ("number",)

    def __init__(self, number: int) -> None:
        self.number = number


class CallNode:
    """A call that the file asks for. Nobody makes it; it is kept so that it can be written back.

    items: what the stream puts into the result afterwards, a list, or Pairs for a dict; None for a result that takes
    nothing. state: the Pairs of its attributes for a result that has such, else None.
    """

    __slots__ = ("args", "function", "items", "state")

    def __init__(self, function: Global, args: tuple[Node, ...]) -> None:
        self.function = function
        self.args = args
        self.items: list[Node] | None = None
        self.state: Pairs | None = None


class DtypeNode:
    """A numpy dtype.

    code: as in `numpy.dtype(code)`, a text or the name of numpy's record. dtype: numpy's own, None for one that is only
    kept. kept: the `KeptDtype` of such a one, else None. state: what to write behind the code; for StringDType the arguments of its call.
    """

    __slots__ = ("code", "dtype", "kept", "state")

    def __init__(self, code: Node) -> None:
        self.code = code
        self.dtype: np.dtype[Any] | None = None
        self.kept: Any = None  # KeptDtype
        self.state: Node = None


class KeptDtype(NamedTuple):
    """A dtype that is not interpreted, in the form in which numpy pickles it.

    dtype: numpy's own, or one of the same size where the running numpy has none. leaves: the items that have no fields
    in one item, each of which a mask has a byte for. depth: how many dtypes stand within each other. title: what
    sentences call it.
    """

    dtype: np.dtype[Any]
    leaves: int
    depth: int
    title: str


class ArrayNode:
    """A numpy array.

    values: a read-only view of what was read, None for an array that is only kept (of objects, of records) or damaged.
    rows: of an array that is not read yet, what reads its rows; asking for its values reads all of them, and keeps them.
    trouble: why there are no values, the end of a sentence. state: without values, what to write: version, shape,
    dtype, whether in Fortran order, content. kept: it is in order but for its dtype, so that Mosaic can have it as it
    is. cls: the class to write, None for numpy's plain array. mask: of a masked array, the bytes of its mask and its
    fill value. cls of such: the class of its data.
    """

    __slots__ = ("_values", "built", "cls", "kept", "mask", "rows", "state", "trouble")

    def __init__(self, cls: Global | None = None, mask: tuple[Node, ...] | None = None) -> None:
        self.cls = cls
        self.mask = mask
        self.built = False
        self.kept = False
        self.state: Node = None
        self.trouble: str | None = None
        self.rows: Rows | None = None
        self._values: NDArray[Any] | None = None

    @property
    def values(self) -> NDArray[Any] | None:
        if self._values is None and self.rows is not None:
            self._values = np.asarray(self.rows)
            self._values.flags.writeable = False
        return self._values

    @values.setter
    def values(self, values: NDArray[Any] | None) -> None:
        self._values, self.rows = values, None
