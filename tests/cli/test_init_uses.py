"""`heaplaw init` as a user types it: another shape, a prefix, where it is written, and what it refuses."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from heaplaw.errors import UsageError
from heaplaw.init import write_mapping
from heaplaw.mapping import MappingError, load
from heaplaw.subjects.mapped import found_library

Compiled = Callable[..., Path]
FLAGS = ("-shared", "-fPIC", "-w", "-O1")
MARK = "# guessed"

UMM = """
    #include <stddef.h>
    void umm_init(void) {}
    void *umm_malloc(size_t size) { return 0; }
    void *umm_realloc(void *ptr, size_t size) { return 0; }
    void umm_free(void *ptr) {}
    """
TLSF = """
    #include <stddef.h>
    typedef void *tlsf_t;
    tlsf_t tlsf_create_with_pool(void *mem, size_t bytes) { return mem; }
    void tlsf_destroy(tlsf_t tlsf) {}
    void *tlsf_malloc(tlsf_t tlsf, size_t bytes) { return 0; }
    void *tlsf_realloc(tlsf_t tlsf, void *ptr, size_t size) { return 0; }
    void tlsf_free(tlsf_t tlsf, void *ptr) {}
    """


@pytest.fixture
def umm(compiled: Compiled) -> Path:
    """A library whose functions say all that there is to know."""
    return compiled(UMM, "libumm.so", *FLAGS, "-g")


# -------------------------------------------------------------------------------------------- what the user says


@pytest.mark.parametrize(("shape", "missing"), [("arena", ["reset"]), ("lua_alloc", ["lua_alloc"]), ("bump", [])])
def test_another_shape_says_what_is_missing(shape: str, missing: list[str], umm: Path, tmp_path: Path) -> None:
    target = tmp_path / "umm.toml"
    lines = write_mapping(str(umm), shape, str(target))
    text = target.read_text().splitlines()
    asked = {line.split()[1]: number for number, line in enumerate(text, 1) if "# fill in: " in line}
    assert list(asked) == missing
    assert f'shape = "{shape}"' in target.read_text()
    assert "its functions look like malloc" in target.read_text()
    if not missing:
        assert lines[-1] == f"next: heaplaw check {target}"
        assert load(target).shape == shape
        return
    (number,) = asked.values()
    assert lines[-1] == f"to be filled in: line {number} of {target}; then: heaplaw check {target}"
    with pytest.raises(MappingError):
        load(target)
    text[number - 1] = text[number - 1].removeprefix("# ")
    target.write_text("\n".join(text))
    assert load(target).shape == shape


def test_a_prefix_chooses_among_allocators(compiled: Compiled) -> None:
    where = compiled(UMM + TLSF, "libboth.so", *FLAGS, "-g")
    target = where.parent / "both.toml"
    write_mapping(str(where), output=str(target))
    assert "tlsf_malloc" in target.read_text()
    assert "--prefix umm_" in target.read_text()
    write_mapping(str(where), output=str(target), force=True, prefix="umm_")
    assert load(target).operations["alloc"].function == "umm_malloc"
    with pytest.raises(UsageError, match="what does begins with tlsf_, umm_"):
        write_mapping(str(where), output=str(target), force=True, prefix="other_")


def test_a_file_is_never_written_over_unless_asked(umm: Path, tmp_path: Path, run: Any) -> None:
    target = tmp_path / "umm.toml"
    target.write_text("mine")
    run("init", "./libumm.so").refused("umm.toml", "--force")
    assert target.read_text() == "mine"
    ran = run("init", "./libumm.so", "--force")
    assert (ran.code, ran.out.splitlines()) == (0, ["umm.toml: written", "next: heaplaw check umm.toml"])
    assert load(target).operations["alloc"].function == "umm_malloc"
    target.unlink()
    target.symlink_to(tmp_path / "elsewhere")
    run("init", "./libumm.so").refused("umm.toml", "--force")
    assert not (tmp_path / "elsewhere").exists()


def test_the_library_is_found_from_where_the_mapping_is(umm: Path, tmp_path: Path) -> None:
    odd = umm.rename(tmp_path / 'lib [1] *"x".so')
    folder = tmp_path / "deep" / "er"
    folder.mkdir(parents=True)
    write_mapping(str(odd), output=str(folder))
    (path,) = folder.iterdir()
    assert path.name == ' [1] *"x".toml'
    (tmp_path / 'lib 1 *"x".so').write_text("the name is no pattern")
    assert found_library(load(path)).samefile(odd)


def test_printed_it_is_a_mapping_as_well(compiled: Compiled, tmp_path: Path, run: Any) -> None:
    compiled(TLSF, "libtlsf.so", *FLAGS, "-g0")
    ran = run("init", "libtlsf.so", "-o", "-")
    assert (ran.code, ran.err) == (0, "")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["libtlsf.so", "libtlsf.so.c"]
    saved = tmp_path / "saved.toml"
    saved.write_text(ran.out)
    assert load(saved).operations["alloc"].function == "tlsf_malloc"
    assert ran.out.splitlines()[-1] == "# next: heaplaw check FILE"
    numbers = [int(word.strip(",")) for word in ran.out.splitlines()[-2].split() if word.strip(",").isdigit()]
    lines = ran.out.splitlines()
    assert numbers == [number for number, line in enumerate(lines, 1) if MARK in line and not line.startswith("#")]


def test_what_cannot_be_written(umm: Path, tmp_path: Path, run: Any) -> None:
    run("init", "./libumm.so", "-o", "no/such/folder/x.toml").refused("no/such/folder/x.toml", "cannot be written")
    run("init", "./libumm.so", "-o", "x.yaml").refused("x.yaml", ".toml")
    run("init", "./libumm.so", "--shape", "heap").refused("heap", "malloc")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["libumm.so", "libumm.so.c"]


def test_what_is_no_allocator(compiled: Compiled, tmp_path: Path, run: Any) -> None:
    run("init", "nothing.so").refused("nothing.so", "no such file")
    run("init", "./nothing.so").refused("nothing.so", "no such file")
    (tmp_path / "text.so").write_text("hello")
    run("init", "text.so").refused("text.so", "not a shared library")
    compiled("int add(int a) { return a; } int queue_get(void) { return 0; }", "libsum.so", *FLAGS)
    run("init", "libsum.so").refused("libsum.so", "add, queue_get")
    hidden = "void *my_malloc(unsigned long n) { return 0; } void my_free(void *p) {}"
    compiled(hidden, "libhid.so", *FLAGS, "-fvisibility=hidden")
    run("init", "libhid.so").refused("libhid.so", "static or hidden")


def test_cpp_names_are_not_taken(compiled: Compiled, run: Any) -> None:
    compiled("void *my_malloc(unsigned long) { return 0; } void my_free(void *) {}", "libmy.cc.so", *FLAGS)
    run("init", "libmy.cc.so").refused("libmy.cc.so", 'extern "C"')


WORKING = """
    #include <stddef.h>
    #include <stdint.h>
    typedef struct { unsigned char *mem; uint32_t size, count, next, live; } fixed;
    int fixed_init(fixed *p, void *mem, size_t mem_size, uint32_t block_size, uint32_t num_blocks) {
        if (mem_size / block_size < num_blocks) return 1;
        p->mem = mem; p->size = block_size; p->count = num_blocks; p->live = 0; p->next = 0;
        for (uint32_t i = 0; i < num_blocks; i++) *(uint32_t *)(p->mem + (size_t)i * block_size) = i + 1;
        return 0;
    }
    void *fixed_get(fixed *p) {
        if (p->next == p->count) return 0;
        unsigned char *block = p->mem + (size_t)p->next * p->size;
        p->next = *(uint32_t *)block; p->live++;
        return block;
    }
    void fixed_put(fixed *p, void *block) {
        *(uint32_t *)block = p->next; p->next = ((unsigned char *)block - p->mem) / p->size; p->live--;
    }
    uint32_t fixed_free_count(const fixed *p) { return p->count - p->live; }
    """


def test_what_is_written_can_be_checked(compiled: Compiled, run: Any) -> None:
    compiled(WORKING, "libfixed.so", *FLAGS, "-g")
    assert run("init", "libfixed.so").code == 0
    ran = run("check", "fixed.toml", "-n", "4000", "--seed", "1")
    assert ran.code == 0, ran
    assert "free_count_exact            holds" in ran.out
    broken = WORKING.replace("p->count - p->live", "p->count - p->live + (p->live == 7)")
    compiled(broken, "libfixed.so", *FLAGS, "-g")
    assert run("check", "fixed.toml", "-n", "4000", "--seed", "1", "--seconds", "1").code == 1
