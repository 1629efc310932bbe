"""`heaplaw init`: a first mapping from a library's symbols, and from its debug information where there is some."""

import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from elftools.elf.elffile import ELFFile

from heaplaw.errors import UsageError
from heaplaw.init import write_mapping
from heaplaw.mapping import Mapping, MappingError, check_symbols, load
from heaplaw.mappings import FOLDER
from heaplaw.subjects.elf import read_exports
from heaplaw.subjects.mapped import NotInstalledError, found_library

Compiled = Callable[..., Path]
FLAGS = ("-shared", "-fPIC", "-w", "-O1")
MARK = "# guessed"

SOURCES = {
    "tlsf": """
        #include <stddef.h>
        typedef void *tlsf_t; typedef void *pool_t; typedef void (*walker)(void *, size_t, int, void *);
        tlsf_t tlsf_create(void *mem) { return mem; }
        tlsf_t tlsf_create_with_pool(void *mem, size_t bytes) { return mem; }
        void tlsf_destroy(tlsf_t tlsf) {}
        pool_t tlsf_get_pool(tlsf_t tlsf) { return 0; }
        pool_t tlsf_add_pool(tlsf_t tlsf, void *mem, size_t bytes) { return 0; }
        void *tlsf_malloc(tlsf_t tlsf, size_t bytes) { return 0; }
        void *tlsf_memalign(tlsf_t tlsf, size_t align, size_t bytes) { return 0; }
        void *tlsf_realloc(tlsf_t tlsf, void *ptr, size_t size) { return 0; }
        void tlsf_free(tlsf_t tlsf, void *ptr) {}
        size_t tlsf_block_size(void *ptr) { return 0; }
        size_t tlsf_size(void) { return 0; }
        int tlsf_check(tlsf_t tlsf) { return 0; }
        void tlsf_walk_pool(pool_t pool, walker walk, void *user) {}
        """,
    "o1heap": """
        #include <stddef.h>
        #include <stdbool.h>
        typedef struct O1HeapInstance O1HeapInstance;
        typedef struct { size_t capacity, allocated; } Diagnostics;
        O1HeapInstance *o1heapInit(void *const base, const size_t size) { return 0; }
        void *o1heapAllocate(O1HeapInstance *const handle, const size_t amount) { return 0; }
        void o1heapFree(O1HeapInstance *const handle, void *const pointer) {}
        bool o1heapDoInvariantsHold(const O1HeapInstance *const handle) { return 1; }
        Diagnostics o1heapGetDiagnostics(const O1HeapInstance *const h) { Diagnostics d = {0, 0}; return d; }
        """,
    "pool": """
        #include <stddef.h>
        typedef struct pool pool_t; typedef enum { DONE, FULL } pool_err;
        pool_err pool_create(size_t block_size, size_t count, pool_t **out) { return 0; }
        pool_err pool_alloc(pool_t *p, void **block) { return 0; }
        pool_err pool_free(pool_t *p, void *block) { return 0; }
        void pool_destroy(pool_t *p) {}
        unsigned pool_num_free(const pool_t *p) { return 0; }
        size_t pool_used(const pool_t *p) { return 0; }
        """,
    "stack": """
        #include <stdint.h>
        typedef struct { uint8_t *base; uint32_t top, cap; } stack_alloc_t;
        int stack_init(stack_alloc_t *s, void *buffer, uint32_t size) { return 0; }
        void *stack_push(stack_alloc_t *s, uint32_t size, uint32_t align) { return 0; }
        void stack_pop(stack_alloc_t *s) {}
        void stack_reset(stack_alloc_t *s) {}
        uint32_t stack_remaining(const stack_alloc_t *s) { return 0; }
        """,
    "arena": """
        #include <stddef.h>
        struct arena *arena_create(size_t capacity) { return 0; }
        void *arena_alloc(struct arena *a, size_t n) { return 0; }
        void *arena_alloc_aligned(struct arena *a, size_t n, size_t alignment) { return 0; }
        size_t arena_mark(struct arena *a) { return 0; }
        void arena_release(struct arena *a, size_t mark) {}
        void arena_free(struct arena *a) {}
        """,
    "limited": """
        #include <stddef.h>
        struct limits { size_t left; };
        struct limits *limited_new(size_t bytes) { return 0; }
        void *limited_lua_alloc(void *ud, void *ptr, size_t osize, size_t nsize) { return 0; }
        void limited_delete(struct limits *l) {}
        """,
    "umm": """
        #include <stddef.h>
        void umm_init(void) {}
        void *umm_malloc(size_t size) { return 0; }
        void *umm_calloc(size_t num, size_t size) { return 0; }
        void *umm_realloc(void *ptr, size_t size) { return 0; }
        void umm_free(void *ptr) {}
        """,
    "plain": """
        #include <stddef.h>
        void *malloc(size_t size) { return 0; }
        void *calloc(size_t num, size_t size) { return 0; }
        void free(void *ptr) {}
        int posix_memalign(void **out, size_t align, size_t size) { return 12; }
        """,
}
BY_HAND = {
    "tlsf": """
        shape = "malloc"
        buffer = 1048576
        pool = "tlsf_create_with_pool(buffer, capacity)"
        destroy = "tlsf_destroy(pool)"
        alloc = "tlsf_malloc(pool, size)"
        aligned = "tlsf_memalign(pool, align, size)"
        realloc = "tlsf_realloc(pool, ptr, size)"
        free = "tlsf_free(pool, ptr)"
        usable_size = "tlsf_block_size(ptr)"
        invariant = "tlsf_check(pool)"
        """,
    "o1heap": """
        shape = "malloc"
        buffer = 1048576
        heap = "o1heapInit(buffer, capacity)"
        alloc = "o1heapAllocate(heap, size)"
        free = "o1heapFree(heap, ptr)"
        invariant = { call = "o1heapDoInvariantsHold(heap)", returns = "bool" }
        """,
    "pool": """
        shape = "pool"
        block_size = 64
        num_blocks = 100
        pool = "pool_create(block_size, num_blocks, &pool)"
        destroy = "pool_destroy(pool)"
        alloc = "pool_alloc(pool, &out)"
        free = { call = "pool_free(pool, ptr)", returns = "status" }
        num_free_blocks = { call = "pool_num_free(pool)", returns = "int" }
        """,
    "stack": """
        shape = "stack"
        buffer = 65536
        storage = 16
        stack = { call = "stack_init(stack, buffer, capacity)", returns = "status" }
        alloc = "stack_push(stack, size, align)"
        aligned = "stack_push(stack, size, align)"
        pop = "stack_pop(stack)"
        reset = "stack_reset(stack)"
        remaining = { call = "stack_remaining(stack)", returns = "int" }
        [promises]
        size_bits = 32
        """,
    "arena": """
        shape = "arena"
        capacity = 65536
        arena = "arena_create(capacity)"
        destroy = "arena_free(arena)"
        alloc = "arena_alloc(arena, size)"
        aligned = "arena_alloc_aligned(arena, size, align)"
        mark = "arena_mark(arena)"
        release = "arena_release(arena, mark)"
        """,
    "limited": """
        shape = "lua_alloc"
        capacity = 65536
        ud = "limited_new(capacity)"
        destroy = "limited_delete(ud)"
        lua_alloc = "limited_lua_alloc(ud, ptr, osize, nsize)"
        """,
    "umm": """
        shape = "malloc"
        init = "umm_init()"
        alloc = "umm_malloc(size)"
        zeroed = "umm_calloc(count, size)"
        realloc = "umm_realloc(ptr, size)"
        free = "umm_free(ptr)"
        """,
    "plain": """
        shape = "malloc"
        alloc = "malloc(size)"
        zeroed = "calloc(count, size)"
        free = "free(ptr)"
        posix_memalign = "posix_memalign(&out, align, size)"
        """,
}
BY_NAME = ("tlsf", "arena", "umm", "plain")
"""Those of which names alone tell all."""


def same(a: Mapping, b: Mapping) -> None:
    """Both say the same, but for names, and where it stands."""

    def said(mapping: Mapping) -> dict[str, Any]:
        def calls(table: dict[str, Any]) -> dict[str, Any]:
            return {key: (call.function, call.arguments, call.returns) for key, call in table.items()}

        living = {f"init {index}": call for index, call in enumerate(mapping.init)}
        living |= {f"create {index}": call for index, call in enumerate(mapping.create)}
        living |= {"destroy": mapping.destroy} if mapping.destroy else {}
        kept = ("shape", "kind", "buffer", "storage", "instances", "constants", "promises", "expect", "environment")
        return {
            **{key: getattr(mapping, key) for key in kept},
            "life": calls(living),
            "operations": calls(mapping.operations),
            "counters": calls(mapping.counters),
        }

    assert said(a) == said(b)


@pytest.fixture
def library(compiled: Compiled) -> Callable[..., Path]:
    """Compile one of the sources, with debug information or without."""

    def do(name: str, *flags: str) -> Path:
        return compiled(SOURCES[name], f"lib{name}.so", *FLAGS, *(flags or ("-g",)))

    return do


def written(where: Path, shape: str | None = None, prefix: str | None = None) -> Path:
    """The mapping that is written beside the library."""
    target = where.parent / "made.toml"
    write_mapping(str(where), shape, str(target), force=True, prefix=prefix)
    return target


def guesses(path: Path) -> dict[str, str]:
    """The keys that are marked as a guess, and what is said of them."""
    lines = [line for line in path.read_text().splitlines() if MARK in line and not line.startswith("#")]
    return {line.partition(" = ")[0]: line.partition(MARK)[2] for line in lines}


# ------------------------------------------------------------------------------------------------ what is written


@pytest.mark.parametrize("name", SOURCES)
def test_with_debug_information_it_is_what_one_would_write(
    name: str, library: Callable[..., Path], tmp_path: Path
) -> None:
    where = library(name)
    by_hand = tmp_path / "by_hand.toml"
    by_hand.write_text(f'library = "./{where.name}"\n' + "\n".join(map(str.strip, BY_HAND[name].splitlines())))
    path = written(where)
    same(load(path), load(by_hand))
    check_symbols(load(path), read_exports(where))
    assert guesses(path) == {"tlsf": {"invariant": ": 0 is well"}, "stack": {"stack": ": 0 is success"}}.get(name, {})
    assert found_library(load(path)).samefile(where)


@pytest.mark.parametrize("name", SOURCES)
def test_without_it_every_call_is_marked(name: str, library: Callable[..., Path], tmp_path: Path) -> None:
    where = library(name, "-g0")
    path = written(where)
    mapping = load(path)
    check_symbols(mapping, read_exports(where))
    keys = {key for key, value in tomllib.loads(path.read_text()).items() if "(" in str(value)}
    assert guesses(path).keys() - {"storage"} == (set() if name == "plain" else keys), "C says what malloc is given"
    if name in BY_NAME:
        by_hand = tmp_path / "by_hand.toml"
        by_hand.write_text(f'library = "./{where.name}"\n' + "\n".join(map(str.strip, BY_HAND[name].splitlines())))
        same(mapping, load(by_hand))


@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize("flags", ["-g", "-g0"])
def test_it_is_short_and_every_example_may_be_taken(
    name: str, flags: str, library: Callable[..., Path], tmp_path: Path
) -> None:
    lines = written(library(name, flags)).read_text().splitlines()
    assert len(lines) <= 60
    tried = tmp_path / "tried.toml"
    examples = [index for index, line in enumerate(lines) if line.startswith("# ") and " = " in line.partition("#")[2]]
    examples = [index for index in examples if lines[index][2:].partition(" = ")[0].isidentifier()]
    assert len(examples) > 8
    for index in examples:
        taken = [*lines]
        taken[index] = taken[index][2:]
        if taken[index].startswith(("law", "reason")):
            taken = [line[2:] if line.startswith(("# [[expect]]", "# law", "# reason")) else line for line in lines]
        tried.write_text("\n".join(taken))
        load(tried)


@pytest.mark.parametrize("flags", [["-gdwarf-2"], ["-gdwarf-4", "-gz"], ["-g", "-O2", "-fno-inline"]])
def test_debug_information_of_other_kinds(flags: list[str], library: Callable[..., Path]) -> None:
    told = written(library("tlsf")).read_text()
    assert written(library("tlsf", *flags)).read_text() == told


def test_debug_information_that_is_damaged_counts_as_none(library: Callable[..., Path]) -> None:
    told = written(library("tlsf", "-g0")).read_text()
    where = library("tlsf")
    with where.open("rb") as file:
        section: Any = ELFFile(file).get_section_by_name(".debug_info")
        start, end = section["sh_offset"] + 12, section["sh_offset"] + section["sh_size"]
    content = where.read_bytes()
    where.write_bytes(content[:start] + b"\xa5" * (end - start) + content[end:])
    assert written(where).read_text() == told


def test_parameters_that_no_mapping_knows_are_guesses(compiled: Compiled) -> None:
    source = """
        #include <stddef.h>
        void *odd_alloc(const char *tag, int bytes, int flags) { return 0; }
        void odd_free(void *p, int bytes) {}
        """
    path = written(compiled(source, "libodd.so", *FLAGS, "-g"))
    mapping = load(path)
    assert mapping.operations["alloc"].arguments == (0, "size", 0)
    assert mapping.operations["free"].arguments == ("ptr", "osize")
    assert mapping.promises.size_bits == 31
    assert guesses(path) == {"alloc": ": NULL for tag, 0 for flags"}


def test_what_makes_objects_is_no_allocator(compiled: Compiled) -> None:
    source = """
        struct frame *frame_alloc(void) { return 0; }
        void frame_free(struct frame *f) {}
        """
    where = compiled(source, "libframe.so", *FLAGS, "-g")
    with pytest.raises(UsageError, match="looks like an allocator's"):
        written(where)


def test_memory_given_once_makes_no_instance(compiled: Compiled) -> None:
    source = """
        #include <stddef.h>
        void sys_heap_init(void *mem, size_t bytes) {}
        void *sys_heap_alloc(size_t n) { return 0; }
        void sys_heap_free(void *p) {}
        """
    mapping = load(written(compiled(source, "libsys.so", *FLAGS, "-g")))
    assert [(call.function, call.arguments) for call in mapping.init] == [("sys_heap_init", ("buffer", "capacity"))]
    assert (mapping.instance, mapping.buffer is not None) == (None, True)


def test_blocks_of_a_size_that_nobody_says_are_asked_for(compiled: Compiled) -> None:
    source = """
        typedef struct { char mem[640]; } pool_t;
        void pool_init(pool_t *pool) {}
        void *pool_take(pool_t *pool) { return 0; }
        void pool_give(pool_t *pool, void *block) {}
        """
    where = compiled(source, "libfixed.so", *FLAGS, "-g")
    lines = write_mapping(str(where), output=str(where.parent))
    path = where.parent / "fixed.toml"
    text = path.read_text().splitlines()
    asked = [number for number, line in enumerate(text, 1) if "# fill in: " in line]
    assert [text[number - 1].split()[1] for number in asked] == ["block_size", "num_blocks"]
    assert lines[-1] == f"to be filled in: lines {asked[0]} and {asked[1]} of {path}; then: heaplaw check {path}"
    with pytest.raises(MappingError):
        load(path)
    filled = [
        line.replace("# block_size =", "block_size = 64").replace("# num_blocks =", "num_blocks = 10") for line in text
    ]
    path.write_text("\n".join(filled))
    mapping = load(path)
    assert (mapping.storage, mapping.constants) == (640, {"block_size": 64, "num_blocks": 10})


READY = ("jemalloc", "talloc", "apr_pool", "sqlite", "tbbmalloc", "mimalloc")


@pytest.mark.parametrize("name", READY)
def test_real_libraries(name: str, tmp_path: Path) -> None:
    ready = load(FOLDER / f"{name}.toml")
    try:
        where = found_library(ready)
    except NotInstalledError:
        pytest.skip(f"{name}: install {ready.package}")
    target = tmp_path / "made.toml"
    prefix = "mi_" if name == "mimalloc" else None
    lines = write_mapping(str(where), output=str(target), prefix=prefix)
    made = load(target)
    check_symbols(made, read_exports(where))
    assert any(name in line.partition("heaplaw check ")[2].split(" or ") for line in lines), "it says so"
    assert made.shape == ready.shape
    assert made.where == (where.name,), "the loader finds it"
    functions = {key: call.function for key, call in made.operations.items()}
    assert (
        functions.items()
        >= {
            key: call.function for key, call in ready.operations.items() if key in ("alloc", "free", "realloc", "reset")
        }.items()
    )
    if name == "jemalloc":
        same(made, replace(ready, promises=made.promises, expect=()))
    assert len(target.read_text().splitlines()) <= 60
