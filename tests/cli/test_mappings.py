"""Mappings as a user has them: judged, wrong, expected to fail, several at once."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

SHARED = ("-shared", "-fPIC", "-O1", "-fno-builtin")
BUMP = r"""
#include <stddef.h>
#include <stdint.h>
struct bump { unsigned char *at, *end; };
void bump_init(struct bump *b, void *buffer, size_t n) { b->at = buffer; b->end = b->at + n; }
void *bump_get(struct bump *b, size_t n) {
  uintptr_t at = ((uintptr_t)b->at + 15) & ~(uintptr_t)15;
  if (at > (uintptr_t)b->end || n > (uintptr_t)b->end - at OVER) return NULL;
  b->at = (unsigned char *)at + n;
  return (void *)at;
}
"""
FIVE_LINES = """\
library = "./libbump.so"
shape = "bump"
buffer = 4096
storage = 64
bump = "bump_init(bump, buffer, capacity)"
alloc = "bump_get(bump, size)"
"""
QUICK = ("-n", "20000", "--seed", "7", "--seconds", "5")


@pytest.fixture
def bump(compiled: Callable[..., Path], tmp_path: Path) -> Callable[..., Path]:
    """A bump allocator, right or with room for `over` bytes too many, and a mapping of it."""

    def do(over: str = "", more: str = "", text: str = FIVE_LINES) -> Path:
        compiled(BUMP.replace("OVER", over), "libbump.so", *SHARED)
        mapping = tmp_path / "bump.toml"
        mapping.write_text(text + more)
        return mapping

    return do


def test_a_mapping_of_a_few_lines(run: Any, bump: Any) -> None:
    ran = run("check", bump(), *QUICK)
    assert ran.code == 0, ran
    assert "bump (libbump.so)   shape bump" in ran.out
    assert " 0 violated" in ran.out
    assert "in_bounds                   holds" in ran.out


def test_a_fault_is_shown_in_the_users_own_calls(run: Any, bump: Any, tmp_path: Path) -> None:
    ran = run("check", bump(over="+ 1"), *QUICK)
    assert ran.code == 1, ran
    assert "bump_get(bump, " in ran.out, ran.out
    assert "[[expect]]" in ran.out
    witness = next((tmp_path / "heaplaw-out").glob("*.json"))
    again = run("replay", witness)
    assert again.code == 1, again
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    assert run("replay", witness.rename(elsewhere / witness.name)).code == 1


@pytest.mark.parametrize("without", ["", "1"])
def test_with_and_without_native_code(run: Any, bump: Any, without: str) -> None:
    ran = run("check", bump(over="+ 1"), *QUICK, env={"HEAPLAW_NO_NATIVE": without})
    assert ran.code == 1, ran
    assert "VIOLATED" in ran.out


EXPECTED = """
[[expect]]
law = "in_bounds"
reason = "one byte too many, as its manual admits"
[[expect]]
law = "sized"
reason = "the same"
"""


def test_an_expected_violation_passes(run: Any, bump: Any) -> None:
    ran = run("check", bump(over="+ 1", more=EXPECTED), *QUICK[2:], "-n", "1000000")
    assert ran.code == 0, ran
    assert "in_bounds                   expected" in ran.out
    assert "as its manual admits" in ran.out
    assert "violated as expected" in ran.out


def test_an_expected_violation_that_does_not_come_fails(run: Any, bump: Any) -> None:
    ran = run("check", bump(more=EXPECTED), *QUICK[2:], "-n", "1000000")
    assert ran.code == 1, ran
    assert "HL105 in_bounds: holds, though a violation is expected" in ran.out
    assert "remove the" in ran.out


def test_a_short_run_does_not_refute_what_is_expected(run: Any, bump: Any) -> None:
    assert run("check", bump(more=EXPECTED), *QUICK).code == 0


def test_an_expectation_for_other_versions_says_nothing(run: Any, bump: Any) -> None:
    more = EXPECTED.replace('reason = "the same"', 'reason = "the same"\nversion = "9.9"')
    assert run("check", bump(over="+ 1", more=more), *QUICK).code == 1


def test_mistakes_are_told_all_at_once_and_nothing_is_run(run: Any, bump: Any, tmp_path: Path) -> None:
    text = FIVE_LINES.replace("buffer = 4096", 'bufer = 4096\nzerod = "bump_zero(bump, size)"').replace(
        "bump_get", "bump_gt"
    )
    ran = run("check", bump(text=text))
    assert (ran.code, ran.out) == (2, ""), ran
    assert "--> " in ran.err
    assert "bump.toml:3:1" in ran.err
    assert "`buffer`" in ran.err
    assert "`zeroed`" in ran.err
    assert "nothing was run" in ran.err
    assert not (tmp_path / "heaplaw-out").exists()


def test_functions_that_are_not_exported(run: Any, bump: Any) -> None:
    ran = run("check", bump(text=FIVE_LINES.replace("bump_get", "bump_gt")))
    assert (ran.code, ran.out) == (2, ""), ran
    assert "`bump_gt` is not exported" in ran.err
    assert "bump_get" in ran.err


def test_a_library_that_is_not_there(run: Any, bump: Any, tmp_path: Path) -> None:
    mapping = bump(more='package = "libbump1"\n')
    (tmp_path / "libbump.so").unlink()
    run("check", mapping).refused("./libbump.so: no such library", "install libbump1")
    both = run("check", mapping, "libc", *QUICK)
    assert both.code == 0, both
    assert "skipped: " in both.err
    assert "install libbump1" in both.err


def test_an_instance_that_cannot_be_made(run: Any, compiled: Any, tmp_path: Path) -> None:
    compiled("void *no_new(void) { return 0; } void *no_get(void *p) { return p; }", "libno.so", *SHARED)
    (tmp_path / "no.toml").write_text(
        'library = "./libno.so"\nshape = "bump"\nbump = "no_new()"\nalloc = { call = "no_get(size)" }\n'
    )
    run("check", "no.toml").refused("could not be made")


def test_several_subjects_give_a_table(run: Any, bump: Any) -> None:
    right = bump()
    ran = run("check", right, "libc", "pymem", *QUICK)
    assert ran.code == 0, ran
    head = next(line for line in ran.out.splitlines() if line.split() == ["bump", "libc", "pymem"])
    row = next(line for line in ran.out.splitlines() if line.startswith("HL501"))
    assert row.split()[2:] == ["holds", "-", "-"]
    assert row.index("holds") == head.index("bump")
    assert all(len(line) <= 100 for line in ran.out.splitlines())


def test_two_instances_are_apart(run: Any, bump: Any) -> None:
    ran = run("check", bump(more="instances = 2\n"), *QUICK)
    assert ran.code == 0, ran


def test_a_mapping_of_the_users_folder_by_name(run: Any, bump: Any, tmp_path: Path) -> None:
    mapping = bump()
    folder = tmp_path / ".heaplaw"
    folder.mkdir()
    mapping.rename(folder / "mine.toml")
    (tmp_path / "libbump.so").rename(folder / "libbump.so")
    ran = run("check", "mine", *QUICK)
    assert ran.code == 0, ran
    assert "mine" in run("subjects").out


POOL = """
#include <stdlib.h>
typedef struct { size_t size, count; unsigned char *used, *memory; } Pool;
Pool *pool_new(size_t size, size_t count) {
  Pool *pool = malloc(sizeof *pool);
  *pool = (Pool){size, count, calloc(count, 1), aligned_alloc(16, size * count)};
  return pool;
}
void pool_end(Pool *pool) { free(pool->used), free(pool->memory), free(pool); }
void *pool_base(Pool *pool) { return pool->memory; }
void *pool_get(Pool *pool) {
  for (size_t i = 0; i < pool->count; i++)
    if (!pool->used[i]) return pool->used[i] = 1, pool->memory + i * pool->size;
  return NULL;
}
void pool_put(Pool *pool, void *block) { pool->used[((unsigned char *)block - pool->memory) / pool->size] = 0; }
"""


@pytest.mark.skipif(shutil.which("cc") is None, reason="no compiler (Debian: gcc)")
def test_an_instance_whose_memory_may_move_is_not_made_again(run: Any, tmp_path: Path) -> None:
    (tmp_path / "pool.c").write_text(POOL)
    (tmp_path / "pool.toml").write_text(
        'source = "pool.c"\nshape = "pool"\nblock_size = 48\nnum_blocks = 10\n'
        'pool = "pool_new(block_size, num_blocks)"\ndestroy = "pool_end(pool)"\nbase = "pool_base(pool)"\n'
        'alloc = "pool_get(pool)"\nfree = "pool_put(pool, ptr)"\n'
    )
    ran = run("check", "pool.toml", "-n", "2000", "--seed", "1")
    assert ran.code == 0, ran.out
    assert "`base` is asked once" in ran.out
    assert "HL403  pool_on_grid                holds" in ran.out
