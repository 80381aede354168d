#!/usr/bin/env python3
"""Everything that people who work on Mosaic for Blender run: demo, looks, test, check, zip, bench.

Needs only Python 3.11 or newer with pip. Each command sets up what it lacks, under `.venv`: Blender as a Python module
(the package `bpy`) in `.venv/<Blender version>`, and the linters in `.venv/check`. A second run starts at once.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
import time
import tomllib
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENVS = ROOT / ".venv"
PACKAGE = "mosaic_addon"
EXAMPLE = "docs/examples/virion.pickle"

# The Python that each Blender is built for. The first one with a Python on this machine is the default, 4.5 never is.
PYTHON_OF_BLENDER = {"5.2": "3.13", "5.0": "3.11", "4.5": "3.11"}
DEFAULT_BLENDERS = ("5.2", "5.0")

TEST_TOOLS = ("pytest==9.*", "pytest-xdist==3.*", "hypothesis==6.*", "pillow==12.*", "mrcfile==1.5.*")
# Exact, so that a new release of a linter does not fail work that did not change. numpy 2.4 is the last whose
# annotations Python 3.11 can read.
CHECK_TOOLS = (
    "ruff==0.17.6",
    "mypy==2.4.1",
    "fake-bpy-module-5-2==20260730",
    "numpy==2.4.*",
    *TEST_TOOLS,
)

BLENDER_LIBRARIES_DEBIAN = "libx11-6 libxi6 libxfixes3 libxrender1 libxkbcommon0 libsm6 libice6 libgl1 libegl1"


class BuildError(Exception):
    """A reason to stop, as one sentence for the person at the terminal."""


def say(text: str) -> None:
    """Print one line of progress, at once."""
    print(f"build.py: {text}", flush=True)


def run(command: Sequence[str | Path], env: dict[str, str] | None = None) -> int:
    """Run a command from the repository's root with our terminal, and return its exit code."""
    return subprocess.run([str(part) for part in command], cwd=ROOT, env=env, check=False).returncode


# ---------------------------------------------------------------------------------------------------- interpreters


@dataclass(frozen=True)
class Interpreter:
    """A Python that was run and found to work."""

    executable: str
    version: str
    has_ensurepip: bool


PROBE = (
    "import sys, sysconfig, importlib.util as u;"
    "ok = sys.maxsize > 2**32 and not sysconfig.get_config_var('Py_GIL_DISABLED');"
    "print('%d.%d' % sys.version_info[:2], int(ok), int(u.find_spec('ensurepip') is not None), sys.executable)"
)


def probe(command: Sequence[str]) -> Interpreter | None:
    """Run a candidate and ask what it is; None when it does not run (a pyenv shim of a version not chosen, say)."""
    try:
        answer = subprocess.run([*command, "-I", "-c", PROBE], capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.SubprocessError):
        return None
    words = answer.stdout.strip().split(" ", 3)
    if answer.returncode != 0 or len(words) != 4 or words[1] != "1":
        return None
    return Interpreter(executable=words[3], version=words[0], has_ensurepip=words[2] == "1")


def candidates(version: str) -> Iterator[list[str]]:
    """Commands that may start Python `version`, such as "3.13", the likeliest first."""
    yield [sys.executable]
    suffix = ".exe" if sys.platform == "win32" else ""
    for name in (f"python{version}", "python3", "python"):
        for folder in os.environ.get("PATH", "").split(os.pathsep):
            path = Path(folder, name + suffix)
            if folder and path.is_file():
                yield [str(path)]
    pyenv_roots = [os.environ.get("PYENV_ROOT"), os.environ.get("PYENV"), "~/.pyenv", "~/.pyenv/pyenv-win"]
    for root in dict.fromkeys(Path(root).expanduser() for root in pyenv_roots if root):
        installed = [path for path in root.glob(f"versions/{version}.*") if path.name.split(".")[-1].isdecimal()]
        for path in sorted(installed, key=lambda path: int(path.name.split(".")[-1]), reverse=True):
            yield [str(path / "python.exe" if sys.platform == "win32" else path / "bin" / "python")]
    if sys.platform == "win32":
        yield ["py", f"-{version}"]


def find_interpreter(version: str) -> Interpreter | None:
    """The first Python `version` on this machine that runs."""
    if version == "{}.{}".format(*sys.version_info[:2]) and (own := probe([sys.executable])):
        return own
    for command in candidates(version):
        if (found := probe(command)) and found.version == version:
            return found
    return None


# ---------------------------------------------------------------------------------------------------- environments


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock file, so that two runs never set up one environment at the same time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        told = False
        while True:
            try:
                if sys.platform == "win32":
                    import msvcrt

                    msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
                else:
                    import fcntl

                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError:
                if not told:
                    say(f"waiting for another build.py that is setting up {path.with_suffix('').name}")
                    told = True
                time.sleep(0.5)
        yield


@dataclass(frozen=True)
class Environment:
    """A virtual environment under `.venv`, and what belongs into it."""

    folder: Path
    requirements: tuple[str, ...]

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")

    @property
    def stamp(self) -> Path:
        """The file that says what was installed: `unfinished`, or the fingerprint of the requirements."""
        return self.folder / "installed-by-build.txt"

    @property
    def has_blender(self) -> bool:
        """Whether Blender's Python module is among the requirements."""
        return any(requirement.startswith("bpy==") for requirement in self.requirements)

    @property
    def fingerprint(self) -> str:
        """Changes whenever the requirements do."""
        return hashlib.sha256("\n".join(self.requirements).encode()).hexdigest()

    def stamped(self) -> str | None:
        """What the stamp says; None without one."""
        try:
            return self.stamp.read_text(encoding="ascii").strip()
        except OSError:
            return None

    def ready(self) -> bool:
        """Whether the last installation was completed for these requirements."""
        return self.stamped() == self.fingerprint and self.python.exists()

    def set_up(self, interpreter: Interpreter, what: str) -> None:
        """Make the environment and install the requirements, unless that is done already.

        An environment with other requirements is brought up to date; one whose installation was interrupted is made
        anew.
        """
        shown = self.folder.relative_to(ROOT).as_posix()
        with locked(self.folder.with_name(self.folder.name + ".lock")):
            if self.ready():
                return
            works = self.stamped() != "unfinished" and self.python.exists() and probe([str(self.python)])
            if not works or works.version != interpreter.version:
                say(f"making {shown} with Python {interpreter.version} ({interpreter.executable})")
                shutil.rmtree(self.folder, ignore_errors=True)
                self.folder.mkdir(parents=True, exist_ok=True)
                self.stamp.write_text("unfinished\n", encoding="ascii")
                options = [] if interpreter.has_ensurepip else ["--without-pip"]
                if run([interpreter.executable, "-m", "venv", *options, self.folder]) != 0:
                    raise BuildError(f"Python's own `venv` could not make {shown}; see above.")
            self.stamp.write_text("unfinished\n", encoding="ascii")
            size = " (some 400 MB to download unless pip has kept them)" if self.has_blender else ""
            say(f"installing {what} into {shown}{size}")
            if run([*self.pip(), "install", "--no-input", *self.requirements], env=pip_environment()) != 0:
                raise BuildError(f"pip could not install {what}; its message is above.")
            self.check_blender()
            self.stamp.write_text(self.fingerprint + "\n", encoding="ascii")
            say(f"{shown} is ready")

    def pip(self) -> list[str | Path]:
        """How to start pip for this environment: its own, or that of the running Python where Debian split it off."""
        if next(self.folder.glob("[Ll]ib/**/site-packages/pip"), None):
            return [self.python, "-m", "pip"]
        return [sys.executable, "-m", "pip", "--python", self.python]

    def check_blender(self) -> None:
        """Import bpy once, since it needs libraries of the system that pip cannot install."""
        if not self.has_blender:
            return
        answer = subprocess.run(
            [str(self.python), "-c", "import bpy"], capture_output=True, text=True, timeout=600, check=False
        )
        if answer.returncode != 0:
            reason = (answer.stderr.strip().splitlines() or ["it said nothing"])[-1]
            hint = f" (on Debian and Ubuntu: apt-get install {BLENDER_LIBRARIES_DEBIAN})" if "lib" in reason else ""
            raise BuildError(f"Blender's Python module is installed but does not start: {reason}{hint}")


def pip_environment() -> dict[str, str]:
    """The environment for pip: no advice to update pip itself."""
    return {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}


def blender_environment(asked: str | None) -> Environment:
    """The environment with bpy `asked`, or the newest that this machine has a Python for, set up when needed."""
    for blender in [asked] if asked else DEFAULT_BLENDERS:
        environment = Environment(VENVS / blender, (f"bpy=={blender}.*", *TEST_TOOLS))
        if environment.ready():
            return environment
        if interpreter := find_interpreter(PYTHON_OF_BLENDER[blender]):
            environment.set_up(interpreter, f"Blender {blender} as a Python module and the test tools")
            return environment
    if asked:
        raise BuildError(
            f"Blender {asked} needs Python {PYTHON_OF_BLENDER[asked]}, which was found neither on PATH nor under "
            f"pyenv: install it from python.org or with `pyenv install {PYTHON_OF_BLENDER[asked]}`."
        )
    raise BuildError(
        "Neither Python 3.13 (for Blender 5.2) nor Python 3.11 (for Blender 5.0) was found on PATH or under pyenv: "
        "install Python 3.13 from python.org or with `pyenv install 3.13`."
    )


def check_environment() -> Environment:
    """The environment with the linters, on the Python that runs this."""
    environment = Environment(VENVS / "check", CHECK_TOOLS)
    if not environment.ready():
        interpreter = probe([sys.executable])
        if interpreter is None:
            raise BuildError(f"{sys.executable} cannot be used; run this with another Python, 3.11 or newer.")
        environment.set_up(interpreter, "the linters")
    return environment


# --------------------------------------------------------------------------------------------------- extension zip


def manifest_version(root: Path = ROOT) -> str:
    """The version, from `blender_manifest.toml`, the one place of it."""
    import tomllib

    return str(tomllib.loads((root / "blender_manifest.toml").read_text(encoding="utf-8"))["version"])


def extension_files(root: Path = ROOT) -> dict[str, Path]:
    """What the zip holds, by its name there and sorted: the package's content, the manifest and the licence."""
    files = {name: root / name for name in ("blender_manifest.toml", "LICENSE")}
    package = root / PACKAGE
    for path in package.rglob("*"):
        parts = path.relative_to(package).parts
        left_out = path.suffix == ".pyc" or any(part == "__pycache__" or part.startswith(".") for part in parts)
        if path.is_file() and not left_out:
            files["/".join(parts)] = path
    return dict(sorted(files.items()))


def write_zip(target: Path, root: Path = ROOT) -> Path:
    """Write the extension zip; the same sources give the same bytes, whatever their dates, modes and order on disk."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w") as archive:
        for name, path in extension_files(root).items():
            entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            entry.create_system = 3  # Unix, on Windows too
            entry.external_attr = 0o100644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, path.read_bytes(), compresslevel=9)
    return target


def validate_zip(target: Path, prefix: Path) -> subprocess.CompletedProcess[str]:
    """Run the extension tool that Blender ships, found inside the bpy of the virtual environment `prefix`."""
    tool = next(prefix.glob("[Ll]ib/**/site-packages/bpy/**/bl_pkg/cli/blender_ext.py"), None)
    tags = next(prefix.glob("[Ll]ib/**/site-packages/bpy/**/_bpy_internal/extensions/tags.py"), None)
    if tool is None or tags is None:
        raise BuildError(f"Blender's extension tool was not found under {prefix}.")
    command = [sys.executable, str(tool), "validate", str(target), f"--valid-tags={tags}"]
    return subprocess.run(command, capture_output=True, text=True, check=False)


# -------------------------------------------------------------------------------------------------------- commands


def demo(options: argparse.Namespace) -> int:
    """Render the example session to demo.png and save it as demo.blend."""
    environment = blender_environment(options.blender)
    jobs = {
        "demo.png": ["render", EXAMPLE, "-o", "demo.png", "--size", "1920x1080"],
        "demo.blend": ["import", EXAMPLE, "-o", "demo.blend"],
    }
    for target, arguments in jobs.items():
        say(f"making {target} from {EXAMPLE}")
        if code := run([environment.python, "-m", PACKAGE, *arguments]):
            return code
    say(f"done: {ROOT / 'demo.png'} is the picture, {ROOT / 'demo.blend'} opens in Blender")
    return 0


def looks(options: argparse.Namespace) -> int:
    """Render the pictures of looks that the panel Figure shows, each a panel of docs/examples/looks.toml."""
    environment = blender_environment(options.blender)
    recipe = ROOT / "docs" / "examples" / "looks.toml"
    for panel in tomllib.loads(recipe.read_text(encoding="utf-8"))["panel"]:
        target = ROOT / PACKAGE / "ui" / "figures" / "looks" / f"{panel['look']}.jpg"
        target.parent.mkdir(exist_ok=True)
        command = [environment.python, "-m", PACKAGE, "figure", recipe, "--only", panel["letter"], "-o", target]
        if run(command) != 0:
            return 1
    return 0


def test(options: argparse.Namespace) -> int:
    """Run the tests in the environment of one Blender."""
    environment = blender_environment(options.blender)
    return run([environment.python, "-m", "pytest", *processes_for(options.extra), *options.extra])


def processes_for(extra: Sequence[str]) -> list[str]:
    """How pytest shares the tests among processes: one a core, but a single one where somebody looks at a test.

    Each takes up to 600 MB, as Blender's module is in every one. What is given later counts, so `-n 1` or `-n 0` after
    it, and `--pdb`, have their way.
    """
    if {"-s", "--capture=no", "--trace"} & set(extra) or any("::" in word for word in extra):
        return []
    return ["-n", "auto", "--maxprocesses", "8", "--dist", "worksteal"]


def bench(options: argparse.Namespace) -> int:
    """Run the measurements of tests/support/bench.py."""
    environment = blender_environment(options.blender)
    return run([environment.python, "tests/support/bench.py", *options.extra])


def build_zip(options: argparse.Namespace) -> int:
    """Write dist/mosaic_addon-<version>.zip and check it with Blender's own tool."""
    target = write_zip(ROOT / "dist" / f"{PACKAGE}-{manifest_version()}.zip")
    verdict = validate_zip(target, blender_environment(options.blender).folder)
    if verdict.returncode != 0:
        print(verdict.stdout, verdict.stderr, sep="", file=sys.stderr)
        raise BuildError(f"Blender's extension tool refuses {target}; see above.")
    say(f"{target} ({target.stat().st_size / 1000:.0f} kB) is valid; drop it on a Blender window to install it")
    return 0


def check(options: argparse.Namespace) -> int:
    """Lint, formatting and types."""
    python = check_environment().python
    commands: list[list[str]] = [
        ["ruff", "check", *(["--fix"] if options.fix else []), "."],
        ["ruff", "format", *([] if options.fix else ["--check"]), "."],
        ["mypy"],
    ]
    failed = []
    for command in commands:
        say(" ".join(command))
        if run([python, "-m", *command]) != 0:
            failed.append(" ".join(command[:2]))
    if failed:
        say(f"failed: {', '.join(failed)}")
    return 1 if failed else 0


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the command line; what `test` and `bench` do not know goes on to pytest and to the benchmark."""
    parser = argparse.ArgumentParser(prog="build.py", description=__doc__, allow_abbrev=False)
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    def add(name: str, function: object, about: str, takes_extra: str = "") -> argparse.ArgumentParser:
        command = commands.add_parser(
            name,
            help=about,
            description=about + (f" {takes_extra}" if takes_extra else ""),
            usage=f"build.py {name} [options]" + (" [arguments passed on]" if takes_extra else ""),
            allow_abbrev=False,
        )
        command.set_defaults(function=function, takes_extra=bool(takes_extra), name=name)
        return command

    with_blender = [
        add("demo", demo, "Render the example session to demo.png and save it as demo.blend."),
        add("looks", looks, "Render the pictures of looks that the panel Figure shows."),
        add("test", test, "Run the tests.", "Other arguments go to pytest: build.py test -k name -x"),
        add("zip", build_zip, "Write the extension to dist/ and check it with Blender's own tool."),
        add("bench", bench, "Measure speed and memory.", "Other arguments go to tests/support/bench.py."),
    ]
    for command in with_blender:
        command.add_argument(
            "--blender",
            choices=sorted(PYTHON_OF_BLENDER),
            help="the Blender version to use (default: 5.2 where Python 3.13 is found, else 5.0)",
        )
    checker = add("check", check, "Lint, formatting and types: ruff and mypy.")
    checker.add_argument("--fix", action="store_true", help="mend what ruff can mend, and format")

    options, extra = parser.parse_known_args(arguments)
    if extra and not options.takes_extra:
        parser.error(f"`{options.name}` does not know {' '.join(extra)}")
    options.extra = [word for word in extra if word != "--"]
    return options


def main(arguments: Sequence[str]) -> int:
    """Run one command and return the exit code."""
    if sys.version_info < (3, 11):  # noqa: UP036 - older ones do get here
        print("build.py: Python 3.11 or newer is needed, this is " + sys.version.split()[0], file=sys.stderr)
        return 1
    options = parse(arguments)
    try:
        return int(options.function(options))
    except BuildError as error:
        sys.stdout.flush()
        print(f"build.py: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
