"""A real Mosaic that answers questions about session files: started once for many of them, as it takes seconds to start."""

from __future__ import annotations

import json
import subprocess
import tempfile
import threading
from pathlib import Path
from types import TracebackType
from typing import Any

SCRIPT = Path(__file__).parent / "answer_with_mosaic.py"
TIMEOUT = 300.0  # seconds for one answer


class MosaicDied(AssertionError):
    """Mosaic ended over a file: the worst that a file can do to it."""


class RealMosaic:
    """Asks the Mosaic in which `python` runs. Starts it when first asked, and again after it died."""

    def __init__(self, python: str) -> None:
        self.python = python
        self._process: subprocess.Popen[str] | None = None
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115

    def __enter__(self) -> RealMosaic:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self._errors.close()

    def load(self, path: Path) -> dict[str, Any]:
        """What Mosaic has of a session: "geometries", each with its container and name, "browser" and "shape".

        Raises AssertionError with Mosaic's own words where it refuses the file.
        """
        answer = self._ask({"load": str(path)})
        assert answer["error"] is None, f"{path.name}: {answer['error']}"
        return answer

    def refusal(self, path: Path) -> str | None:
        """Why Mosaic does not load a file, None if it does. Raises MosaicDied where it crashes."""
        return self._ask({"load": str(path)})["error"]

    def differences(self, left: Path, right: Path) -> list[str]:
        """What differs between two files, as `same_in_mosaic` tells it."""
        return self._ask({"compare": [str(left), str(right)]})["differences"]

    def _ask(self, question: dict[str, Any]) -> dict[str, Any]:
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(
                [self.python, SCRIPT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, text=True
            )
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        guard = threading.Timer(TIMEOUT, process.kill)
        guard.start()
        try:
            process.stdin.write(json.dumps(question) + "\n")
            process.stdin.flush()
            line = process.stdout.readline()
        finally:
            guard.cancel()
        if not line:
            process.wait()
            self._errors.seek(0)
            raise MosaicDied(f"exit code {process.returncode}: {self._errors.read()[-2000:]}")
        return json.loads(line)


def of_name(told: dict[str, Any], name: str) -> dict[str, Any]:
    """The geometry of that name in what `load` gave."""
    return next(item for item in told["geometries"] if item["name"] == name)
