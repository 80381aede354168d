"""The reader's own sources: nothing in them could run what a file asks for, whatever a test has not thought of."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "mosaic_addon" / "session"
SOURCES = sorted(path.name for path in FOLDER.glob("*.py"))
READER = {
    f"{name}.py"
    for name in (
        "__init__ budget decode decode_models decode_tree describe dtypes errors file gc_pause library_values node_templates nodes pickle_calls pickle_reader plain_values "
        "reading regular_file releases session stream_place values"
    ).split()
}

MODULES = set(
    "pickle _pickle copyreg importlib imp runpy pkgutil zipimport marshal shelve dill cloudpickle joblib subprocess multiprocessing "
    "ctypes cffi code codeop types inspect operator functools socket urllib http webbrowser zlib gzip bz2 lzma zipfile tarfile "
    "builtins bpy".split()
)
CALLS = set(
    "eval exec compile __import__ open input globals locals vars hash setattr delattr breakpoint load loads import_module reload "
    "find_class system popen spawn fork execv Popen memmap fromfile fromregex genfromtxt loadtxt save savez rundocs fromstring "
    "methodcaller attrgetter setrecursionlimit setflags __setstate__ __reduce__ __reduce_ex__".split()
)
ATTRIBUTES = set("__dict__ __class__ __globals__ __builtins__ __subclasses__ modules".split())
TOO_WIDE = {"", "Exception", "BaseException", "MemoryError", "RecursionError"}
# All that reading needs of these: to open the one file, to ask what it is, to read its index.
PARTS = {
    "os": set(
        "PathLike O_RDONLY O_NONBLOCK O_BINARY open fdopen fstat stat stat_result close fspath fsdecode path".split()
    ),
    "json": {"loads", "dumps", "JSONEncoder", "JSONDecoder"},
    "sys": {"maxunicode", "maxsize", "stdlib_module_names"},
    "gc": {"isenabled", "disable", "enable"},
    "re": {"compile"},
}
# And of what writing needs: to make one file beside another, and to put it in its place.
REPLACING = {
    "os": set(
        "PathLike O_WRONLY O_RDWR O_RDONLY O_CREAT O_EXCL O_BINARY W_OK open fdopen fstat stat close path fsencode fsync "
        "replace rename link unlink access fchown fchmod stat_result posix_fadvise POSIX_FADV_DONTNEED geteuid listdir "
        "O_NOFOLLOW O_NONBLOCK listxattr getxattr setxattr".split()
    )
}
# Names that do no harm of modules that could.
HARMLESS = {("functools", "lru_cache"), ("functools", "wraps"), ("types", "MappingProxyType")}


def complaints(source: str, parts: dict[str, set[str]] = PARTS) -> Iterator[str]:
    """What a source does that none in this package may; of the modules in `parts` it may use these attributes alone."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                yield from (f"imports {alias.name}" for alias in names if alias.name.partition(".")[0] in MODULES)
            case ast.ImportFrom(module=str(module), level=0, names=names) if (
                module.partition(".")[0] in MODULES | parts.keys()
            ):
                yield from (f"imports {a.name} from {module}" for a in names if (module, a.name) not in HARMLESS)
            case ast.Attribute(value=ast.Name(id=module), attr=part) if module in parts:
                if part not in parts[module]:
                    yield f"uses {module}.{part}"
            case ast.Attribute(attr=part) if part in ATTRIBUTES:
                yield f"reaches for {part}"
            case ast.Call(func=ast.Attribute(value=ast.Name(id=module))) if module in parts:
                pass  # judged above
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if name in CALLS:
                yield f"calls {name}"
            case ast.Call(func=ast.Name(id="getattr"), args=[_, second, *_]) if not isinstance(second, ast.Constant):
                yield "calls getattr with a computed name"
            case ast.ExceptHandler(type=caught):
                yield from (f"catches {name or 'all'}" for name in names_of(caught) if name in TOO_WIDE)


def names_of(caught: ast.expr | None) -> list[str]:
    types = caught.elts if isinstance(caught, ast.Tuple) else [caught]
    return [item.id if isinstance(item, ast.Name) else "" if item is None else "?" for item in types]


def test_the_reader_is_all_here() -> None:
    assert set(SOURCES) >= READER


@pytest.mark.parametrize("source", SOURCES)
def test_no_source_could_run_a_file(source: str) -> None:
    text = (FOLDER / source).read_text()
    parts = PARTS if source in READER else REPLACING if source == "atomic_write.py" else {}
    assert list(complaints(text, parts)) == []


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "from pickle import loads",
        "import importlib.util",
        "import _pickle as p",
        "np.load(f)",
        "eval(text)",
        "compile(text, 'x', 'exec')",
        "__import__('os')",
        "getattr(value, name)",
        "setattr(value, 'x', 1)",
        "os.system('x')",
        "from os import system",
        "from functools import reduce",
        "sys.modules['os']",
        "sys.setrecursionlimit(10**6)",
        "value.__dict__['x'] = 1",
        "value.__class__",
        "node.__setstate__(state)",
        "np.memmap(path)",
        "open(path)",
        "hash(key)",
        "marshal.loads(x)",
        "try:\n    x\nexcept RecursionError:\n    pass",
        "try:\n    x\nexcept (ValueError, MemoryError):\n    pass",
        "try:\n    x\nexcept:\n    pass",
    ],
)
def test_each_of_these_would_be_seen(source: str) -> None:
    assert list(complaints(source))


@pytest.mark.parametrize(
    "source", ["os.open(path, 0)", "getattr(os, 'O_BINARY', 0)", "json.loads(x)", "from .errors import MosaicError"]
)
def test_none_of_these_is_mistaken(source: str) -> None:
    assert not list(complaints(source))
