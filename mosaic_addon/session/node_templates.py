"""Small nodes as bytes, for thousands of nodes that differ only in their names and numbers.

The *form* of a node is a pickle of it with None for each plain value. It is written once and read once for all nodes
that have it. The values stand behind it as JSON: first those that many nodes have alike, then those of this node alone,
its name and uuid. A node that is large, or holds more than plain objects do, has no form.
"""

import json
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeAlias

from .errors import MosaicError
from .nodes import NOBODY, ArrayNode, ArrayOwner, Formed, Node, ObjectNode, Pairs, Stored
from .pickle_reader import read_pickle
from .pickle_writer import write_pickle
from .remembering import remembered

Entries: TypeAlias = dict[str, Any]
Numbers: TypeAlias = list[int]
PLAIN = frozenset({type(None), bool, int, float, str})  # JSON gives these back unchanged
CONTAINERS = frozenset({Pairs, list, tuple})
STR = frozenset({str})
OWN = (("meta", "name"), ("uuid",))  # the paths to what is a node's own
MAX_DEPTH, MAX_PARTS = 8, 100  # of a node that has a form
MAX_BYTES = 256  # of an array that is part of a form
MAX_FORMS = 1000  # that are remembered when they are written
REMEMBERED = 2**24  # bytes of forms and values alike, when they are read
MAX_BRACKETS = 400  # of the JSON, so that its parser cannot run out of stack
HEAD = struct.Struct("<cII")  # MARK, the length of the form, that of the values alike; then these and the node's own
MARK = b"F"  # no pickle begins with it

_from_json = json.JSONDecoder().raw_decode
_to_json = json.JSONEncoder(ensure_ascii=False, allow_nan=False, check_circular=False, separators=(",", ":")).encode


class _OddError(Exception):
    """A node has no form."""


class Forms:
    """Writes nodes as bytes, and remembers their forms."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: dict[tuple[Any, ...], tuple[bytes, tuple[int | None, ...]]] = {}

    def dumps(self, node: Node, held: Mapping[int, Stored], alike: Entries, own: Numbers) -> bytes | None:
        """Return a node as bytes, None if it has no form.

        held: what to write instead of arrays, by the id of their nodes. alike: JSON values by name to keep with the
        node, which should be the same for many nodes. own: the numbers of this node alone.
        """
        key: list[Any] = []
        values: list[Any] = []
        try:
            _take(node, key, values, held, set(), 0)
            whole = tuple(key)
            form, places = self._known.get(whole) or self._make(whole, node, held)
            texts = []
            for place in places:
                texts.append(None if place is None else values[place])
                if place is not None:
                    values[place] = None
            shared, own_text = _to_json([alike, values]), _to_json([own, texts])
        except (_OddError, ValueError):  # a number that is not finite
            return None
        if max(_brackets(shared), _brackets(own_text)) > MAX_BRACKETS:
            return None
        shared_data = shared.encode("utf-8", "surrogatepass")
        head = HEAD.pack(MARK, len(form), len(shared_data))
        return b"".join((head, form, shared_data, own_text.encode("utf-8", "surrogatepass")))

    def _make(
        self, key: tuple[Any, ...], node: Node, held: Mapping[int, Stored]
    ) -> tuple[bytes, tuple[int | None, ...]]:
        """Make a form. Returns it and the places among the values of what is a node's own."""
        parts: list[bytes] = []
        write_pickle(_bare(node), lambda data: parts.append(bytes(data)), keep_out=held)
        form = b"".join(parts)
        made = form, _plan_of(form).own_places()
        if len(self._known) < MAX_FORMS:
            self._known[key] = made
        return made


class Alike:
    """The common part of nodes that differ in nothing but their arrays, name and uuid.

    kept: the values that `Forms.dumps` got as `alike`. checked: room for what their reader makes of them.
    """

    __slots__ = ("_places", "_plan", "_values", "checked", "kept")

    def __init__(self, plan: "_Plan", values: list[Any], kept: Entries) -> None:
        self.checked: Any = None
        self._plan = plan
        self._values = values
        self._places = plan.own_places()
        self.kept = kept

    def make(self, own: Sequence[Any], owner: ArrayOwner) -> Node:
        """Make a node. own: its name and uuid, None where it has none. owner: who holds its arrays."""
        values = self._values[:]
        for place, value in zip(self._places, own, strict=True):
            if place is not None:
                values[place] = value
        return self._plan.make(values, owner)


def loads(data: bytes, owner: ArrayOwner) -> tuple[Formed, Numbers] | None:
    """Read what `Forms.dumps` wrote: the node, and the numbers that were kept as `own`. None for other bytes.

    owner: who holds the node's arrays. Raises MosaicError for bytes that were tampered with.
    """
    if data[:1] != MARK:
        return None
    try:
        _, form, shared = HEAD.unpack_from(data)
        end = HEAD.size + form + shared
        alike = _alike_of(data[:end])
        more, own = _values_in(data[end:], list)
        if len(own) != len(OWN) or not PLAIN.issuperset(map(type, own)):
            raise MosaicError("its values do not fit")
    except (ValueError, TypeError, struct.error) as error:
        raise MosaicError(f"it cannot be read: {error}") from error
    return Formed(alike, own, owner), more


@remembered(REMEMBERED)
def _alike_of(data: bytes) -> Alike:
    """Read head, form and the values alike, which many nodes have in common. Raises MosaicError if they do not fit."""
    end = HEAD.size + HEAD.unpack_from(data)[1]
    kept, values = _values_in(data[end:], dict)
    plan = _plan_of(data[HEAD.size : end])
    if len(values) != plan.stop or not PLAIN.issuperset(map(type, values)):
        raise MosaicError("its values do not fit")
    return Alike(plan, values, kept)


def _values_in(data: bytes, kind: type) -> tuple[Any, list[Any]]:
    """Parse two values of JSON, one of a kind and a list. Raises MosaicError or ValueError for anything else."""
    text = str(data, "utf-8", "surrogatepass")
    if _brackets(text) > MAX_BRACKETS:
        raise MosaicError("its values are nested")
    (more, values), end = _from_json(text)
    if type(more) is not kind or type(values) is not list or end != len(text):
        raise MosaicError("its values do not fit")
    return more, values


def _brackets(text: str) -> int:
    return text.count("[") + text.count("{")


# --- taking a node apart ---------------------------------------------------------------------------------------------


def _take(
    node: Node, key: list[Any], values: list[Any], held: Mapping[int, Stored], seen: set[int], depth: int
) -> None:
    """Append the plain values of a node to `values`, all else about it to `key`. Raises _OddError if it has no form.

    The values of a container come before those of its parts. seen: the ids of the containers and arrays before.
    """
    kind = type(node)
    if kind is ObjectNode:
        if node.args or node.kwargs is not None:
            raise _OddError
        key.append(node.cls)
        node, kind = node.state, type(node.state)
        if kind is not Pairs:
            raise _OddError
    elif kind is ArrayNode:
        _take_array(node, key, held, seen)
        return
    if kind not in CONTAINERS or depth > MAX_DEPTH or len(seen) > MAX_PARTS or len(node) > MAX_PARTS:
        raise _OddError
    parts = node
    if kind is Pairs:
        names = tuple(node[::2])
        if not STR.issuperset(map(type, names)):
            raise _OddError
        key.append(names)
        parts = node[1::2]
    else:
        key.append(kind)
    if kind is not tuple:
        if id(node) in seen:
            raise _OddError
        seen.add(id(node))
    plain = [part for part in parts if type(part) in PLAIN]
    values += plain
    # All places at once: one after the other, they would not tell where the parts of a part end.
    places = tuple([place for place, part in enumerate(parts) if type(part) not in PLAIN])
    key.append((len(parts), places))
    for place in places:
        _take(parts[place], key, values, held, seen, depth + 1)


def _take_array(node: ArrayNode, key: list[Any], held: Mapping[int, Stored], seen: set[int]) -> None:
    """Append to `key` an array that Blender's data hold by its name, another by its values."""
    if id(node) in seen:
        raise _OddError  # shared
    seen.add(id(node))
    stored = held.get(id(node))
    if stored is not None and not stored.cls:
        key += (stored.name, stored.dtype, stored.order)
        return
    array = node.values
    if array is None or array.nbytes > MAX_BYTES or node.cls is not None or node.mask is not None:
        raise _OddError
    key += (array.dtype.str, array.shape, array.strides, array.tobytes())


def _bare(node: Node) -> Node:
    """Copy a node with None for each plain value."""
    kind = type(node)
    if kind in PLAIN:
        return None
    if kind is ObjectNode:
        bare = ObjectNode(node.cls, ())
        bare.state = _bare(node.state)
        return bare
    if kind is Pairs:
        return Pairs([part if place % 2 == 0 else _bare(part) for place, part in enumerate(node)])
    return kind([_bare(part) for part in node]) if kind in CONTAINERS else node


# --- and putting it together -----------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Plan:
    """How to make one container of the values of a node.

    template: the container without its values. places: where in it the values from `start` to `middle` go. parts: its
    other items, each after its place; their values follow, up to `stop`.
    """

    cls: Any  # of an object whose state the container is, else None
    kind: type
    template: list[Any]
    places: Any
    start: int
    middle: int
    stop: int
    parts: list[tuple[int, Any]]  # a plan, a Stored or an ArrayNode

    def own_places(self) -> tuple[int | None, ...]:
        """Return the places among the values of what `OWN` names; None for what is not there, or there twice."""
        return tuple(self._place_of(path) for path in OWN)

    def _place_of(self, path: tuple[str, ...]) -> int | None:
        if self.kind is not Pairs or self.template[::2].count(path[0]) != 1:
            return None
        place = self.template[::2].index(path[0]) * 2 + 1
        if len(path) == 1:
            places = list(range(1, len(self.template), 2)) if type(self.places) is slice else self.places
            return self.start + places.index(place) if place in places else None
        part = dict(self.parts).get(place)
        return part._place_of(path[1:]) if type(part) is _Plan and part.cls is None else None

    def make(self, values: list[Any], owner: ArrayOwner) -> Node:
        """Make the container, or the object that has it, of the values of a node."""
        made = Pairs(self.template) if self.kind is Pairs else self.template[:]
        if type(self.places) is slice:
            made[self.places] = values[self.start : self.middle]
        else:
            for place, value in zip(self.places, islice(values, self.start, self.middle), strict=True):
                made[place] = value
        for place, part in self.parts:
            kind = type(part)
            if kind is Stored:
                made[place] = Stored(part.name, part.dtype, part.order, owner)
            elif kind is ArrayNode:
                made[place] = copy = ArrayNode()
                copy.values = part.values
            else:
                made[place] = part.make(values, owner)
        if self.cls is None:
            return tuple(made) if self.kind is tuple else made
        node = ObjectNode(self.cls, ())
        node.state = made
        return node


@remembered(REMEMBERED)
def _plan_of(form: bytes) -> _Plan:
    plan = _plan(read_pickle(form, owner=NOBODY), iter(range(MAX_PARTS)), 0)[0]
    if not isinstance(plan, _Plan):
        raise MosaicError("its form is none")
    return plan


def _plan(node: Node, numbers: Iterator[int], start: int) -> tuple[Any, int]:
    """Make the plan of a node whose values begin at `start`. Returns it and where they end.

    numbers: runs out when there are too many parts. Raises MosaicError for a node that is no form.
    """
    kind, cls = type(node), None
    if kind is Stored or (kind is ArrayNode and node.values is not None):
        return node, start
    if kind is ObjectNode:
        cls, node, kind = node.cls, node.state, type(node.state)
    if kind not in CONTAINERS or (cls is not None and kind is not Pairs) or next(numbers, None) is None:
        raise MosaicError("its form is none")
    step = 2 if kind is Pairs else 1
    every = range(step - 1, len(node), step)
    places = [place for place in every if type(node[place]) in PLAIN]
    middle = stop = start + len(places)
    parts: list[tuple[int, Any]] = []
    for place in every:
        if type(node[place]) not in PLAIN:
            part, stop = _plan(node[place], numbers, stop)
            parts.append((place, part))
    where = slice(step - 1, None, step) if len(places) == len(every) else places
    return _Plan(cls, kind, list(node), where, start, middle, stop, parts), stop
