"""The shims beside the ready mappings compile, and their functions give sane blocks."""

import ctypes
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from heaplaw.errors import UsageError
from heaplaw.mappings import FOLDER
from heaplaw.subjects.build import LANGUAGES, compiled

NEEDS = {"boost_buffer.cc": "libboost-dev", "boost_storage.cc": "libboost-dev"}
SHIMS = sorted(path for path in FOLDER.iterdir() if path.suffix in {s for each in LANGUAGES for s in each.suffixes})
P, S = ctypes.c_void_p, ctypes.c_size_t
Function = Callable[..., int | None]
Shim = Callable[..., Function]


def compiler(path: Path) -> str:
    """The compiler that a shim takes."""
    return next(each.command for each in LANGUAGES if path.suffix in each.suffixes)


def built(name: str) -> Path:
    """The compiled shim; the test is skipped where what it needs is not installed."""
    if shutil.which(compiler(FOLDER / name)) is None:
        pytest.skip(f"no {compiler(FOLDER / name)} (Debian: gcc, g++)")
    try:
        return compiled(FOLDER / name)
    except UsageError as error:
        if name in NEEDS and "No such file" in str(error):
            pytest.skip(f"{name}: install {NEEDS[name]}")
        raise


@pytest.fixture
def shim() -> Callable[[str], Shim]:
    """Functions of a shim, by name, result and arguments."""

    def do(source: str) -> Shim:
        library = ctypes.CDLL(str(built(source)))

        def function(name: str, result: type | None, *arguments: type) -> Function:
            found = getattr(library, name)
            found.restype, found.argtypes = result, arguments
            return found

        return function

    return do


def aligned_buffer(size: int, align: int = 16) -> tuple[object, int]:
    """Memory, and the address in it where `size` aligned bytes begin."""
    memory = ctypes.create_string_buffer(size + align)
    return memory, -(-ctypes.addressof(memory) // align) * align


@pytest.mark.parametrize("path", SHIMS, ids=lambda path: path.name)
def test_a_shim_compiles_without_warnings(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for language in LANGUAGES:
        strict = f"{language.command} -Wall -Wextra -Werror" + (" -std=c++17" if language.name == "C++" else "")
        monkeypatch.setenv(language.variable, strict)
    assert built(path.name).is_file()


def test_obstack_releases_back_to_a_mark(shim: Callable[[str], Shim]) -> None:
    of = shim("obstack.c")
    libc = ctypes.CDLL(None)
    storage, stack = aligned_buffer(128)
    assert of("ob_begin", ctypes.c_int, P, S, P, P)(stack, 2**16, libc.malloc, libc.free) == 0
    alloc = of("ob_alloc", P, P, ctypes.c_int)
    first = alloc(stack, 100)
    mark = of("ob_mark", P, P)(stack)
    blocks = [alloc(stack, size) for size in (1, 10_000, 24)]
    assert all(block and block % 16 == 0 for block in (first, *blocks))
    of("ob_release", None, P, P)(stack, mark)
    assert alloc(stack, 1) == blocks[0]
    assert alloc(stack, 2**16) is None  # the limit
    of("ob_end", None, P)(stack)
    del storage


def test_obstack_gives_null_when_there_is_no_memory(shim: Callable[[str], Shim]) -> None:
    of = shim("obstack.c")
    libc = ctypes.CDLL(None)
    libc.malloc.restype, libc.malloc.argtypes = P, [S]
    left = [1]

    def get(size: int) -> int | None:
        left[0] -= 1
        return libc.malloc(size) if left[0] >= 0 else None

    hook = ctypes.CFUNCTYPE(P, S)(get)
    storage, stack = aligned_buffer(128)
    assert of("ob_begin", ctypes.c_int, P, S, P, P)(stack, 2**20, hook, libc.free) == 0
    alloc = of("ob_alloc", P, P, ctypes.c_int)
    small = alloc(stack, 64)
    assert alloc(stack, 100_000) is None
    assert alloc(stack, 64) == (small or 0) + 64  # the refusal changed nothing
    assert of("ob_begin", ctypes.c_int, P, S, P, P)(stack, 2**20, hook, libc.free) == 1
    del storage


@pytest.mark.parametrize("kind", ["pmr_monotonic", "pmr_unsynchronized_pool", "pmr_synchronized_pool"])
def test_pmr_over_operator_new(shim: Callable[[str], Shim], kind: str) -> None:
    of = shim("pmr.cc")
    resource = of(kind, P)()
    allocate, deallocate = of("pmr_allocate", P, P, S, S), of("pmr_deallocate", None, P, P, S, S)
    blocks = [allocate(resource, 64, align) for align in (1, 16, 64, 4096)]
    assert all(block and block % align == 0 for block, align in zip(blocks, (1, 16, 64, 4096), strict=True))
    assert len(set(blocks)) == 4
    assert allocate(resource, 2**62, 16) is None
    for block, align in zip(blocks, (1, 16, 64, 4096), strict=True):
        deallocate(resource, block, 64, align)
    of("pmr_destroy", None, P)(resource)


def test_pmr_over_a_buffer(shim: Callable[[str], Shim]) -> None:
    of = shim("pmr.cc")
    memory, buffer = aligned_buffer(1024)
    resource = of("pmr_monotonic_over", P, P, S)(buffer, 1024)
    allocate = of("pmr_allocate", P, P, S, S)
    assert [allocate(resource, 512, 16), allocate(resource, 512, 16)] == [buffer, buffer + 512]
    assert allocate(resource, 1, 1) is None
    of("pmr_release_monotonic", None, P)(resource)
    assert allocate(resource, 1024, 16) == buffer
    of("pmr_destroy", None, P)(resource)
    del memory


def test_lua_alloc(shim: Callable[[str], Shim]) -> None:
    realloc = shim("lua_alloc.c")("lua_realloc", P, P, P, S, S)
    block = realloc(None, None, 5, 100)
    assert block
    ctypes.memset(block, 7, 100)
    block = realloc(None, block, 100, 5000)
    assert block
    assert ctypes.string_at(block, 100) == bytes([7]) * 100
    assert realloc(None, block, 5000, 0) is None
    assert realloc(None, None, 0, 0) is None
    assert realloc(None, None, 0, 2**62) is None


def test_boost_storage_hands_out_every_block(shim: Callable[[str], Shim]) -> None:
    of = shim("boost_storage.cc")
    memory, buffer = aligned_buffer(1024)
    storage = of("storage_make", P, P, S, S)(buffer, 1024, 64)
    alloc, free = of("storage_alloc", P, P), of("storage_free", None, P, P)
    blocks = [alloc(storage) for _ in range(16)]
    assert sorted(block or 0 for block in blocks) == list(range(buffer, buffer + 1024, 64))
    assert alloc(storage) is None
    free(storage, blocks[3])
    assert alloc(storage) == blocks[3]
    of("storage_destroy", None, P)(storage)
    del memory


def test_boost_buffer_comes_back_whole(shim: Callable[[str], Shim]) -> None:
    of = shim("boost_buffer.cc")
    memory, buffer = aligned_buffer(4096)
    make = of("manager_make", P, P, S)
    assert make(buffer, 16) is None
    manager = make(buffer, 4096)
    remaining = of("manager_remaining", S, P)
    alloc, free = of("manager_alloc", P, P, S), of("manager_free", None, P, P)
    whole = remaining(manager)
    blocks = [alloc(manager, 100), of("manager_aligned", P, P, S, S)(manager, 100, 256)]
    assert all(block and buffer <= block <= buffer + 4096 - 100 for block in blocks)
    assert ((blocks[0] or 1) % 16, (blocks[1] or 1) % 256) == (0, 0)
    assert alloc(manager, 4096) is None
    assert of("manager_sane", ctypes.c_int, P)(manager)
    for block in blocks:
        free(manager, block)
    assert remaining(manager) == whole
    of("manager_destroy", None, P)(manager)
    del memory
