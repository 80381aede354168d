"""What a pickle's bytes become: inert nodes that hold data and can do nothing.

Plain values stay Python's own (None, bool, int, float, str, tuple, list, complex, slice, range, and numpy scalars).
`bytes` stay views of what was read (`memoryview`), short ones are copied. Everything else is one of the classes below. Only scalars are ever hashed or
compared, because a file can hold structures on which `hash`, `==` and `repr` never return or overflow the stack.
"""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Node: TypeAlias = Any


class Pairs(list[Node]):
    """A dict, as [key, value, key, value, …] in the order of the file. A key may be unhashable or occur twice."""

    __slots__ = ()

    def as_dict(self) -> dict[str, Node]:
        """The entries whose key is a str; of equal keys the last one counts, as in a dict."""
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
    """A bytearray: `data` is a view of what was read, or a copy if that is short."""

    __slots__ = ("data",)

    def __init__(self, data: memoryview | bytes) -> None:
        self.data = data


class Global:
    """A class or function that the file names. Never looked up, never imported.

    `kind` says what the reader makes of it: "mosaic" and "foreign" are classes of objects, "call" may stand in a call
    that is interpreted, "name" may only be mentioned. `module` is the module's name of today, `written` the one to write:
    what the file said, as its release of Mosaic looks for it there.
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
    """An object of a class that the file names: Mosaic's own, or a foreign one that is only kept.

    `args` is the tuple of its construction (empty for Mosaic's classes). `state` is None before BUILD, then the Pairs of
    its attributes or, for classes with slots, the tuple (Pairs | None, Pairs | None).
    """

    __slots__ = ("args", "cls", "kwargs", "state")

    def __init__(self, cls: Global, args: tuple[Node, ...], kwargs: Pairs | None = None) -> None:
        self.cls = cls
        self.args = args
        self.kwargs = kwargs
        self.state: Node = None

    def fields(self) -> dict[str, Node]:
        """The attributes by name, those in slots included."""
        state = self.state
        if type(state) is Pairs:
            return state.as_dict()
        if type(state) is tuple:
            return {key: value for part in state if type(part) is Pairs for key, value in part.as_dict().items()}
        return {}


class Stored:
    """An array that is not in the stream but in Blender's data, as what an import keeps on an object names it.

    name: what the owner knows it by. dtype, order ("C" or "F"): what it is to have in a file. owner: whoever holds it. A
    session that names one is refused.
    """

    __slots__ = ("dtype", "name", "order", "owner")

    def __init__(self, name: str, dtype: str, order: str = "C", owner: Any = None) -> None:
        self.name = name
        self.dtype = dtype
        self.order = order
        self.owner = owner


class Formed:
    """An object that is like many others, and not made before someone looks into it.

    alike: what it has in common with them, which makes it. own: its name and uuid, None for what it has not. owner: of its
    arrays, each a `Stored`.
    """

    __slots__ = ("alike", "own", "owner")

    def __init__(self, alike: Any, own: list[Node], owner: Any) -> None:
        self.alike = alike
        self.own = own
        self.owner = owner

    def make(self) -> Node:
        """A new node of it."""
        return self.alike.make(self.own, self.owner)


class Slot:
    """In a node that is a template, the place of what is each node's own, by its number there."""

    __slots__ = ("number",)

    def __init__(self, number: int) -> None:
        self.number = number


class CallNode:
    """A call that the file asks for and nobody makes: kept so that it can be written back."""

    __slots__ = ("args", "function")

    def __init__(self, function: Global, args: tuple[Node, ...]) -> None:
        self.function = function
        self.args = args


class DtypeNode:
    """A numpy dtype: `code` as in `numpy.dtype(code)`; `dtype` is ours from the table, None for one that we only keep."""

    __slots__ = ("code", "dtype", "state")

    def __init__(self, code: str) -> None:
        self.code = code
        self.dtype: np.dtype[Any] | None = None
        self.state: Node = None


class ArrayNode:
    """A numpy array.

    `values` is a read-only view of what was read, or None for an array that is only kept (objects, records) or damaged, which
    `trouble` then says. `args` and `state` are what the file gave, for writing it back.
    """

    __slots__ = ("args", "state", "trouble", "values")

    def __init__(self, args: tuple[Node, ...]) -> None:
        self.args = args
        self.state: Node = None
        self.values: NDArray[Any] | None = None
        self.trouble: str | None = None
