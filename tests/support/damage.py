"""Damaged copies of real sessions, each made from a number alone.

As a program it reads many of them, under a limit of memory and of time for each, and prints those that go wrong:

    damage.py mutations mosaic-1.3.2.pickle 0 1000      copies 0 to 999
    damage.py truncations mosaic-1.3.2.pickle 0 1000    cut off before opcodes 0 to 999
"""

from __future__ import annotations

import io
import json
import pickletools
import random
import signal
import struct
import sys
import time
from functools import cache
from itertools import pairwise
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from mosaic_addon.session import MosaicError
from mosaic_addon.session.decode import decode_session
from mosaic_addon.session.file import FileBytes, cut
from tests.support.usable import assert_usable

FOLDER = Path(__file__).parents[1] / "sessions"
SECONDS = 5  # for one copy
MEMORY = 4 * 2**30
PAYLOAD = 64  # longer bytes of one opcode are numbers of an array, of which few are changed
OPCODES = bytes(opcode.code.encode("latin-1")[0] for opcode in pickletools.opcodes)


@cache
def original(name: str) -> bytes:
    return (FOLDER / name).read_bytes()


@cache
def boundaries(name: str) -> list[int]:
    """Where each opcode of the pickle starts, counted from the start of the file."""
    data = original(name)
    start = 0
    if data[0] != 0x80:
        index = json.loads(data[4 : 4 + struct.unpack_from(">I", data)[0]])
        start = index["sections"]["state"]["offset"]
    return [start + position for _, _, position in pickletools.genops(data[start:]) if position is not None]


@cache
def places(name: str) -> list[tuple[int, int]]:
    """The stretches of the file that are not the numbers of an array."""
    starts = [0, *boundaries(name), len(original(name))]
    return [(start, min(end, start + PAYLOAD)) for start, end in pairwise(starts) if start < end]


def mutation(name: str, seed: int) -> bytes:
    """A damaged copy: one to four changes, most of them outside of arrays."""
    chance = random.Random(f"{name} {seed}")
    data = bytearray(original(name))

    def place() -> int:
        if chance.random() < 0.1:
            return chance.randrange(len(data))
        start, end = chance.choice(places(name))
        if end - start > 1 and chance.random() < 0.7:
            start += 1  # not the opcode itself, but what it holds
        return min(chance.randrange(start, end), len(data) - 1)

    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        at, length = place(), chance.choice((1, 2, 4, 9, 60, 1000))
        match chance.randrange(12):
            case 0 | 9 | 10 | 11:
                data[at] ^= 1 << chance.randrange(8)
            case 1:
                data[at] = chance.randrange(256)
            case 2:
                data[at] = chance.choice(OPCODES)
            case 3:
                data[at : at + length] = chance.randbytes(length)
            case 4:
                data[at:at] = chance.randbytes(length)
            case 5:
                del data[at : at + length]
            case 6:  # from another place of the file
                source = place()
                data[at:at] = data[source : source + length]
            case 7:  # from another file
                other = chance.choice(sorted(path.name for path in FOLDER.glob("*.pickle")))
                start = chance.choice(boundaries(other))
                data[at : at + chance.choice((0, length))] = original(other)[start : start + length]
            case 8:  # whole opcodes, moved
                data[at:at] = bytes(chance.choice(OPCODES) for _ in range(chance.choice((1, 2, 3))))
    return bytes(data)


def truncation(name: str, number: int) -> bytes:
    return original(name)[: boundaries(name)[number]]


def outcome(data: bytes) -> str:
    """What reading gives: "session" or "refused"; anything else is raised. No file is written for it."""
    try:
        session = decode_session(cut(FileBytes(io.BytesIO(data), len(data))), "damaged")
    except MosaicError as error:
        if len(str(error)) > 400:
            raise ValueError("the sentence is long") from error
        return "refused"
    assert_usable(session)
    return "session"


def main(kind: str, name: str, first: int, count: int) -> None:
    """Print "at NUMBER" before each copy, then what was wrong with it, at last how many gave what."""
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    outcomes = {"session": 0, "refused": 0}
    for number in range(first, first + count):
        print(f"at {number}", flush=True)
        data = mutation(name, number) if kind == "mutations" else truncation(name, number)
        signal.alarm(4 * SECONDS)  # ends the process
        began = time.perf_counter()
        try:
            outcomes[outcome(data)] += 1
            if time.perf_counter() - began > SECONDS:
                print(f"wrong {number}: took {time.perf_counter() - began:.1f} s")
        except Exception as error:
            print(f"wrong {number}: {type(error).__name__}: {str(error)[:300]!r}")
        signal.alarm(0)
    print(json.dumps(outcomes))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
