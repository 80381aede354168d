"""A program, `cost.py FILE LIMIT`: opens a file with LIMIT bytes of memory, and prints as JSON what came of it and its cost."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3]))


def peak_memory() -> int:
    """The most bytes that this process had so far."""
    status = Path("/proc/self/status").read_text()
    return 1024 * int(status.partition("VmHWM:")[2].split()[0])


if __name__ == "__main__":
    import resource

    from mosaic_addon.session import MosaicError, open_session

    limit = int(sys.argv[2])
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    before = peak_memory()
    began = time.perf_counter()
    try:
        session = open_session(sys.argv[1])
        outcome = f"opened {len(session.geometries)} {len(session.warnings)}"
    except MosaicError as error:
        session = None
        outcome = f"MosaicError: {error}"
    seconds = time.perf_counter() - began
    memory = peak_memory() - before
    del session  # taking it down must not fail either
    print(json.dumps({"outcome": outcome, "seconds": seconds, "memory": memory}))
