"""What cannot be done is told in one line, with exit code 2, before anything is run."""

import json
from pathlib import Path
from typing import Any

import pytest

STUB = "#include <stddef.h>\nvoid *{0}malloc(size_t n) {{ (void)n; return 0; }}\nvoid {0}free(void *p) {{ (void)p; }}\n"
SHARED = ("-shared", "-fPIC", "-fno-builtin")


def test_files_that_are_no_library(run: Any, tmp_path: Path) -> None:
    (tmp_path / "text.so").write_text("hello")
    (tmp_path / "empty.so").write_text("")
    run("check", "./absent.so").refused("absent.so: no such file")
    run("check", tmp_path).refused("a folder, not a shared library")
    run("check", "./text.so").refused("text.so: not a shared library")
    run("check", "./empty.so").refused("empty.so: ")
    run("check", "/dev/zero").refused("not a regular file")


def test_files_that_another_command_takes(run: Any, tmp_path: Path) -> None:
    for name in ("stk.c", "stk.cc", "stk.cpp"):
        (tmp_path / name).write_text("void *malloc(unsigned long n) { return 0; }\n")
        run("check", name).refused(f"{name}: a source, not a shared library", f'source = "{name}"', "explain mapping")
    (tmp_path / "w.json").write_text("{}")
    run("check", "w.json").refused("w.json: not a shared library", "`heaplaw replay w.json`")
    run("check", "./w.json").refused("`heaplaw replay w.json`")


def test_executables_and_objects(run: Any, compiled: Any) -> None:
    main = STUB.format("") + "int main(void) { return 0; }\n"
    run("check", compiled(main, "pie", "-pie", "-fPIE")).refused("an executable", "-shared")
    run("check", compiled(main, "fixed", "-no-pie")).refused("an executable", "-shared")
    run("check", compiled(STUB.format(""), "stub.o", "-c")).refused("an object file", "-shared")


def test_damaged_libraries(run: Any, compiled: Any, tmp_path: Path) -> None:
    whole = compiled(STUB.format("my_"), "stub.so", *SHARED).read_bytes()
    part = tmp_path / "part.so"
    for size in (3, 20, 64, 200, 700, 4096, len(whole) // 2, len(whole) - 900):
        part.write_bytes(whole[:size])
        run("check", part, "--prefix", "my_").refused("part.so: ")
    foreign = bytearray(whole)
    foreign[18:20] = (8).to_bytes(2, "little")  # e_machine: MIPS
    part.write_bytes(foreign)
    run("check", part, "--prefix", "my_").refused("built for MIPS", "this machine is")


def test_missing_symbols_and_what_may_be_meant(run: Any, compiled: Any) -> None:
    stub = compiled(STUB.format("je_"), "stub.so", *SHARED)
    run("check", stub).refused("does not export malloc nor free", "je_malloc", "--prefix je_")
    run("check", stub, "--prefix", "ej_").refused("ej_malloc", "--prefix je_")
    run("check", "libc", "--prefix", "je_").refused("does not export je_malloc", "no --prefix")
    half = compiled("#include <stddef.h>\nvoid *malloc(size_t n) { (void)n; return 0; }", "half.so", *SHARED)
    run("check", half).refused("does not export free")


def test_static_hidden_and_mangled_names(run: Any, compiled: Any) -> None:
    hidden = '__attribute__((visibility("hidden"), used)) void *my_malloc(unsigned long n) { (void)n; return 0; }\n'
    hidden += "__attribute__((used)) static void my_free(void *p) { (void)p; }\n"
    run("check", compiled(hidden, "hidden.so", *SHARED), "--prefix", "my_").refused("static or hidden")
    source = STUB.format("my_").replace("my_malloc", "my_malloc")
    mangled = compiled(source, "mangled.cc.so", *SHARED)
    run("check", mangled, "--prefix", "my_").refused("_Z9my_malloc", 'extern "C"')


def test_symbols_that_are_another_librarys(run: Any, compiled: Any, library: Path) -> None:
    run("check", "glibc", env={"LD_PRELOAD": str(library)}).refused("resolves to", library.name.partition(".")[0])
    run("check", "glibc", env={"LD_PRELOAD": str(library), "HEAPLAW_NO_NATIVE": "1"}).refused("resolves to")


def test_calls_that_are_passed_on(run: Any, compiled: Any) -> None:
    source = (
        "#include <stddef.h>\nextern void *__libc_malloc(size_t); extern void __libc_free(void *);\n"
        "static void *m(void) { return (void *)__libc_malloc; } static void *f(void) { return (void *)__libc_free; }\n"
        'void *my_malloc(size_t) __attribute__((ifunc("m"))); void my_free(void *) __attribute__((ifunc("f")));\n'
    )
    stub = compiled(source, "pass.so", *SHARED)
    run("check", stub, "--prefix", "my_").refused("my_malloc resolves to", "libc.so")
    run("check", stub, "--prefix", "my_", env={"HEAPLAW_NO_NATIVE": "1"}).refused("my_malloc resolves to")


def test_a_library_that_cannot_be_loaded(run: Any, compiled: Any) -> None:
    source = "#include <stddef.h>\nextern int nowhere(void);\n"
    source += "void *my_malloc(size_t n) { return (void *)(n + nowhere()); }\nvoid my_free(void *p) { (void)p; }\n"
    stub = compiled(source, "unresolved.so", *SHARED)
    run("check", stub, "--prefix", "my_").refused("nowhere")


@pytest.mark.parametrize("seed", ["abc", "-1", "99999999999999999999", ""])
def test_bad_seeds(run: Any, seed: str) -> None:
    run("check", f"--seed={seed}").refused("--seed")


@pytest.mark.parametrize("count", ["0", "-5", "many", "99999999999"])
def test_bad_counts(run: Any, count: str) -> None:
    run("check", f"-n{count}").refused("--operations")


def test_options_that_would_have_no_effect(run: Any) -> None:
    run("check", "--shape", "queue").refused("'queue'", "'malloc', 'bump', 'pool'")
    run("check", "glibc", "--shape", "pool").refused("a mapping says its shape", "--shape pool is for Python objects")
    run("check", "./libmine.so", "--shape", "pool").refused("needs a mapping", "heaplaw init ./libmine.so --shape pool")
    run("check", "cpython", "--prefix", "je_").refused("--prefix je_ is for shared libraries")
    run("check", "glibc", "--num-blocks", "9").refused("--num-blocks is for Python objects")
    run("check", "heaplaw.mutants.pools:CorrectPool").refused("say which shape it has: --shape malloc, bump, pool")
    run("check", "--frobnicate").refused("--frobnicate")


def test_names_that_are_not_known(run: Any, mutants: Path) -> None:
    run("check", "cpythn").refused("no such subject", "did you mean cpython?")
    run("check", "mutant:size-34").refused("no such mutant", "size-33")
    run("explain", "blocks_disjont").refused("no such law", "blocks_disjoint")
    run("laws", "HL103").refused("`heaplaw explain HL103`")
    run("cheque").refused("cheque")


THINGS = """
class Empty: pass
class Raises:
    def __init__(self): raise RuntimeError("no room")
class Needs:
    def __init__(self, arena): pass
class Pool:
    def __init__(self, block_size=8, num_blocks=2): pass
    def acquire(self): return 0
class ReadOnly:
    memory = b"bytes"
    def malloc(self, n): pass
    def free(self, p): pass
class Leaves:
    def __init__(self):
        import os
        os._exit(0)
class Exits:
    def __init__(self): raise SystemExit("bye")
class Property:
    @property
    def malloc(self): raise KeyError("later")
    def free(self, p): pass
number = 3
"""


@pytest.mark.parametrize(
    ("thing", "shape", "words"),
    [
        ("absent_module:Pool", "pool", ["cannot import absent_module"]),
        ("things:Pooll", "pool", ["things has no Pooll", "similar: Pool"]),
        ("things:Pool", "pool", ["Pool has no method", "alloc", "dealloc", "its methods: acquire"]),
        ("things:Empty", "malloc", ["Empty has no method", "its methods: none"]),
        ("things:Raises", "malloc", ["raised RuntimeError: no room"]),
        ("things:Needs", "malloc", ["raised TypeError", "arena"]),
        ("things:ReadOnly", "malloc", ["memory is no writable buffer"]),
        ("things:Leaves", "malloc", ["ended with exit code 0"]),
        ("things:Exits", "malloc", ["raised SystemExit: bye"]),
        ("things:Property", "malloc", ["raised KeyError: 'later'"]),
        ("things:number", "pool", ["int has no method"]),
        ("broken:Pool", "pool", ["importing broken raised ZeroDivisionError"]),
        ("typo:Pool", "pool", ["typo"]),
    ],
)
def test_things_that_are_no_subject(run: Any, tmp_path: Path, thing: str, shape: str, words: list[str]) -> None:
    (tmp_path / "things.py").write_text(THINGS)
    (tmp_path / "broken.py").write_text("1 / 0\n")
    (tmp_path / "typo.py").write_text("class Pool(:\n")
    run("check", thing, "--shape", shape).refused(thing, *words)


def test_folders_that_cannot_be_written_to(run: Any, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for folder in ("file", "file/below", "/proc/nothing/here", "x" * 300):
        run("check", "-n", "50000000", "--output", folder).refused("--output")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file"]


def test_all_subjects_are_found_before_one_is_run(run: Any) -> None:
    ran = run("check", "glibc", "nothing", "./absent.so", "-n", "50000000")
    assert (ran.code, ran.out) == (2, "")
    lines = ran.err.splitlines()
    assert len(lines) == 2
    assert "nothing: no such subject" in lines[0]
    assert "absent.so: no such file" in lines[1]


def test_files_that_are_no_stored_trace(run: Any, tmp_path: Path) -> None:
    file = tmp_path / "trace.json"
    run("replay", file).refused("cannot be read: No such file")
    run("replay", tmp_path).refused("cannot be read: Is a directory")
    for text in ("", "{", "[]", "3", "null", '"x"', "{}", '{"heaplaw": 1}', "[" * 100_000, '{"heaplaw": 99}'):
        file.write_text(text)
        run("replay", file).refused("trace.json: ")
    file.write_bytes(bytes(range(256)))
    run("replay", file).refused("not a stored trace")


def test_stored_traces_that_were_changed(run: Any, mutants: Path, tmp_path: Path) -> None:
    from heaplaw.store import checksum

    assert run("check", "mutant:size-33", "-n", "20000", "--seed", "1").code == 1
    stored = next((tmp_path / "heaplaw-out").glob("HL103-*.json"))
    document = json.loads(stored.read_text())
    file = tmp_path / "changed.json"

    def write(changed: dict[str, Any], sealed: bool = True) -> None:
        if sealed:
            changed = {**changed, "checksum": checksum(changed)}
        file.write_text(json.dumps(changed))

    file.write_text(stored.read_text()[:-200])
    run("replay", file).refused("not a stored trace")
    write({**document, "observed": "nothing"}, sealed=False)
    run("replay", file).refused("its checksum does not match")
    operation = document["operations"][0]
    changes: tuple[dict[str, Any], ...] = (
        {"operations": [{**operation, "size": -1}]},
        {"operations": [{**operation, "op": "DANCE"}]},
        {"operations": []},
        {"operations": 3},
        {"shape": "circle"},
        {"law": "HL999"},
        {"env": {}},
        {"times": 10**12},
        {"subject": {"kind": "dream"}},
        {"subject": {}},
        {"subject": {**document["subject"], "environment": {"HEAPLAW_MUTANT": "gone"}}},
    )
    for change in changes:
        write({**document, **change})
        run("replay", file).refused()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("ref:",), "ref:: no such reference allocator; there are global, bump"),
        (("stack",), "stack: no such subject; did you mean ref:stack?"),
        (("ref:stak",), "ref:stak: no such reference allocator; similar: stack"),
        (("ref:stack", "--shape", "stack"), "ref:stack: a reference allocator has its shape"),
        (("ref:stack", "--prefix", "x"), "ref:stack: --prefix x is for shared libraries"),
        (("ref:stack", "--capacity", "64"), "ref:stack: --capacity is for your own Python objects"),
    ],
)
def test_reference_allocators_refuse_what_has_no_effect(run: Any, arguments: tuple[str, ...], said: str) -> None:
    ran = run("check", *arguments)
    assert ran.code == 2
    assert said in ran.err
    assert len(ran.err.splitlines()) == 1


@pytest.mark.parametrize("option", ["--cpu", "--memory", "--seconds", "--boundary-share"])
@pytest.mark.parametrize("number", ["nan", "-NaN"])
def test_what_is_not_a_number_is_in_no_range(run: Any, option: str, number: str) -> None:
    run("check", f"{option}={number}", "-n", "1").refused(option, f"{number} is not in the range")


def test_several_traces_have_no_document_and_no_program(run: Any) -> None:
    run("replay").refused("Missing argument 'FILE...'")
    run("replay", "a.json", "b.json", "--json").refused("--json: for one FILE at a time, not for 2")
    run("replay", "a.json", "b.json", "c.json", "--emit", "c").refused("--emit: for one FILE at a time, not for 3")
    run("replay", "a.json", "b.json").refused("a.json: ")
