"""Small nodes as bytes, for the thousands that differ only in their names and numbers: what they share, and what each has.

The *form* is a pickle of the node with None for each plain value; it is written once and read once for all nodes of it. The
values stand behind it as JSON: those that many nodes have alike, and those that are a node's own, its name and uuid. A node
that is large, or holds more than a plain object does, has no form.
"""

import json
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Any, TypeAlias

from .errors import MosaicError
from .nodes import ArrayNode, Formed, Node, ObjectNode, Pairs, Stored
from .pickle_reader import read_pickle
from .pickle_writer import write_pickle

Entries: TypeAlias = dict[str, Any]
PLAIN = frozenset({type(None), bool, int, float, str})  # what JSON gives back as it was
CONTAINERS = frozenset({Pairs, list, tuple})
STR = frozenset({str})
OWN = (("meta", "name"), ("uuid",))  # where a node has what is its own
MAX_DEPTH, MAX_PARTS = 8, 100  # of a node that has a form
MAX_BYTES = 256  # of an array that is part of a form
MAX_FORMS = 1000  # that are remembered
MAX_BRACKETS = 400  # of the JSON, so that its parser cannot run out of stack
HEAD = struct.Struct("<cII")  # then the form and what is alike, of these lengths, and what is the node's own
MARK = b"F"  # no pickle begins so

_from_json = json.JSONDecoder().raw_decode
_to_json = json.JSONEncoder(ensure_ascii=False, allow_nan=False, check_circular=False, separators=(",", ":")).encode


class _OddError(Exception):
    """The node has no form."""


class Forms:
    """The forms of the nodes that were written so far."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: dict[tuple[Any, ...], tuple[bytes, tuple[int | None, ...]]] = {}

    def dumps(self, node: Node, held: Mapping[int, Stored], alike: Entries, own: Entries) -> bytes | None:
        """A node as bytes, None for one that has no form.

        held: what to write instead of arrays, by the id of their nodes. alike, own: JSON values by name that are kept with it;
        those of `alike` should be the same for many nodes.
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
        """A new form, and where what is the node's own stands among its values."""
        parts: list[bytes] = []
        write_pickle(_bare(node), lambda data: parts.append(bytes(data)), keep_out=held)
        form = b"".join(parts)
        made = form, _plan_of(form).own_places()
        if len(self._known) < MAX_FORMS:
            self._known[key] = made
        return made


class Alike:
    """What nodes have in common that differ in nothing but their arrays and what is their own.

    kept: what was given to `dumps` as alike.
    """

    __slots__ = ("_places", "_plan", "_values", "kept")

    def __init__(self, plan: "_Plan", values: list[Any], kept: Entries) -> None:
        self._plan = plan
        self._values = values
        self._places = plan.own_places()
        self.kept = kept

    def make(self, own: Sequence[Any], owner: Any) -> Node:
        """The node. own: as `Formed` says."""
        values = self._values[:]
        for place, value in zip(self._places, own, strict=True):
            if place is not None:
                values[place] = value
        return self._plan.make(values, owner)


def loads(data: bytes, owner: Any) -> tuple[Formed, Entries] | None:
    """The node that `dumps` got, and what was kept with it alone; None for bytes that are no such. owner: of its `Stored`.

    Raises MosaicError for what was tampered with.
    """
    if data[:1] != MARK:
        return None
    try:
        _, form, shared = HEAD.unpack_from(data)
        end = HEAD.size + form + shared
        alike = _alike_of(data[:end])
        more, own = _values_in(data[end:])
        if len(own) != len(OWN) or not PLAIN.issuperset(map(type, own)):
            raise MosaicError("its values do not fit")
    except (ValueError, TypeError, struct.error) as error:
        raise MosaicError(f"it cannot be read: {error}") from error
    return Formed(alike, own, owner), more


@lru_cache(MAX_FORMS)
def _alike_of(data: bytes) -> Alike:
    end = HEAD.size + HEAD.unpack_from(data)[1]
    kept, values = _values_in(data[end:])
    plan = _plan_of(data[HEAD.size : end])
    if len(values) != plan.stop or not PLAIN.issuperset(map(type, values)):
        raise MosaicError("its values do not fit")
    return Alike(plan, values, kept)


def _values_in(data: bytes) -> tuple[Entries, list[Any]]:
    text = str(data, "utf-8", "surrogatepass")
    if _brackets(text) > MAX_BRACKETS:
        raise MosaicError("its values are nested")
    (more, values), end = _from_json(text)
    if type(more) is not dict or type(values) is not list or end != len(text):
        raise MosaicError("its values do not fit")
    return more, values


def _brackets(text: str) -> int:
    return text.count("[") + text.count("{")


# --- taking a node apart ---------------------------------------------------------------------------------------------


def _take(
    node: Node, key: list[Any], values: list[Any], held: Mapping[int, Stored], seen: set[int], depth: int
) -> None:
    """Put the plain values of a node into `values`, each container's own before those of its parts, and all else into `key`."""
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
    if id(node) in seen:
        raise _OddError  # shared
    seen.add(id(node))
    stored = held.get(id(node))
    if stored is not None:
        key += (stored.name, stored.dtype, stored.order)
        return
    array = node.values
    if array is None or array.nbytes > MAX_BYTES:
        raise _OddError
    key += (array.dtype.str, array.shape, array.strides, array.tobytes())


def _bare(node: Node) -> Node:
    """A node without its plain values."""
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
    """How to make one container: where its plain values go, those from `start` to `middle`, and its parts after them."""

    cls: Any  # of an object whose state it is
    kind: type
    template: list[Any]
    places: Any
    start: int
    middle: int
    stop: int
    parts: list[tuple[int, Any]]  # a plan, a Stored or an ArrayNode

    def own_places(self) -> tuple[int | None, ...]:
        """Where the values are that `OWN` names; None for what is not there, or twice."""
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

    def make(self, values: list[Any], owner: Any) -> Node:
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
                made[place] = copy = ArrayNode(part.args)
                copy.state, copy.values = part.state, part.values
            else:
                made[place] = part.make(values, owner)
        if self.cls is None:
            return tuple(made) if self.kind is tuple else made
        node = ObjectNode(self.cls, ())
        node.state = made
        return node


@lru_cache(MAX_FORMS)
def _plan_of(form: bytes) -> _Plan:
    plan = _plan(read_pickle(form, owner=True), iter(range(MAX_PARTS)), 0)[0]
    if not isinstance(plan, _Plan):
        raise MosaicError("its form is none")
    return plan


def _plan(node: Node, numbers: Iterator[int], start: int) -> tuple[Any, int]:
    """The plan for a node whose plain values begin at `start`, and where they end. numbers: how many parts there may be."""
    kind, cls = type(node), None
    if kind in (Stored, ArrayNode):
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
