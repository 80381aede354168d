"""Which geometry of a file is which of an older state of it."""

from collections import Counter
from collections.abc import Iterable
from typing import TypeAlias

from ...session.session import Session
from ..record import SessionRecord

Place: TypeAlias = tuple[str, int]  # the container, "clusters" or "models", and the number in the file's list
Identity: TypeAlias = tuple[str, str, int]  # the container or, of a uuid, "", the name or uuid, how many had it before


def identities_read(record: SessionRecord) -> dict[Place, Identity]:
    """Return who the geometries of a session were when it was read, by their places."""
    return _identities(
        (container, index, name, uuid) for container, entries in record.names.items() for index, name, uuid in entries
    )


def identities_in(session: Session) -> dict[Place, Identity]:
    """Return who the geometries in a file are, by their places."""
    return _identities((item.container, item.index, item.name, item.uuid) for item in session.geometries)


def _identities(entries: Iterable[tuple[str, int, str, str | None]]) -> dict[Place, Identity]:
    """Identify geometries by their uuid. Those of a release without uuids are told apart by name and order."""
    counts: Counter[tuple[str, str]] = Counter()
    found: dict[Place, Identity] = {}
    for container, index, name, uuid in entries:
        key = ("", uuid) if uuid else (container, name)
        found[container, index] = (*key, counts[key])
        counts[key] += 1
    return found
