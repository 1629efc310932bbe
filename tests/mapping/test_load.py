"""Mappings without mistakes: what comes of every key, and what is filled in."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest

from heaplaw import mappings
from heaplaw.mapping import Buffer, Call, Expect, Mapping, Position, Promises, load

Reading = Callable[[str | bytes], Mapping]

FULL = """\
library = ["libmine.so.2", "./build/libmine-*.so"]
shape = "malloc"
name = "mine 2"
package = "libmine2"
preload = false
environment = { MINE_ARENAS = "1", MINE_EMPTY = "" }
buffer = { size = 65_536, align = 0x1000 }
instances = 2
header = 0
block_size = 48
init = ["my_begin(hook_malloc, hook_free)", { call = "my_seed( -1 , 0xFF,NULL )", returns = "status" }]
heap = [{ call = "my_heap(&heap, buffer, capacity)", returns = "errno" }, "my_grow(heap, block_size)"]
destroy = { call = "my_end(heap)", returns = "bool" }
alloc = "my_malloc(heap, size, align)"
zeroed = { call = "my_calloc(heap, &out, count, size)", returns = "bytes" }
realloc = { call = "my_realloc(heap, ptr, osize, oalign, size, &out)" }
aligned = 'my_aligned(heap, align, size)'
posix_memalign = "my_memalign(&out, align, size)"
free = "my_free(heap, ptr)"
usable_size = { call = "my_usable_size(ptr)", returns = "int" }
invariant = "my_check(heap)"
base = "my_base(heap)"

[promises]
alignment = 16
max_alignment = 4096
aligned_size = "multiple"
size_bits = 32
zero_size = "unique"
direction = "down"
reuse = "lifo"
coalesces = false
padding = "excluded"
errno = true
shrinks = true
zero_resize = "null"
usable = "writable"
dialects = ["C17", "POSIX"]
misuse = { double = "abort", foreign = "ignore" }
cost = "amortised"
thread_safe = true
fit = "best"
minimum = 48

[[expect]]
law = "HL101"
reason = "old"
issue = "https://example.org/1"
version = "1."

[[expect]]
law = "blocks_disjoint"
reason = "older"

[[expect]]
law = "HL902"
dialects = ["POSIX"]
reason = "oldest"
version = "< 2.38"
"""


def call(function: str, returns: str, *arguments: str | int) -> Call:
    """A call, wherever it stands."""
    return Call(function, arguments, returns, Position(1, 1))


def bare(made: Call) -> Call:
    """The call without its place."""
    return dataclasses.replace(made, position=Position(1, 1))


def all_bare(calls: dict[str, Call]) -> dict[str, Call]:
    return {key: bare(made) for key, made in calls.items()}


def test_every_key(reading: Reading) -> None:
    mapping = reading(FULL)
    assert (mapping.path, mapping.name, mapping.shape, mapping.kind) == (Path("m.toml"), "mine 2", "malloc", "library")
    assert mapping.where == ("libmine.so.2", "./build/libmine-*.so")
    assert (mapping.package, mapping.preload) == ("libmine2", False)
    assert mapping.environment == {"MINE_ARENAS": "1", "MINE_EMPTY": ""}
    assert (mapping.buffer, mapping.storage, mapping.instances) == (Buffer(65536, 4096), 0, 2)
    assert mapping.constants == {"header": 0, "block_size": 48}
    assert mapping.instance == "heap"
    assert [bare(made) for made in mapping.init] == [
        call("my_begin", "none", "hook_malloc", "hook_free"),
        call("my_seed", "status", -1, 255, 0),
    ]
    assert [bare(made) for made in mapping.create] == [
        call("my_heap", "errno", "&instance", "buffer", "capacity"),
        call("my_grow", "none", "instance", "block_size"),
    ]
    assert mapping.destroy
    assert mapping.destroy.returns == "bool"
    assert all_bare(mapping.operations) == {
        "alloc": call("my_malloc", "pointer", "instance", "size", "align"),
        "zeroed": call("my_calloc", "bytes", "instance", "&out", "count", "size"),
        "realloc": call("my_realloc", "status", "instance", "ptr", "osize", "oalign", "size", "&out"),
        "aligned": call("my_aligned", "pointer", "instance", "align", "size"),
        "posix_memalign": call("my_memalign", "errno", "&out", "align", "size"),
        "free": call("my_free", "none", "instance", "ptr"),
    }
    assert all_bare(mapping.counters) == {
        "usable_size": call("my_usable_size", "int", "ptr"),
        "invariant": call("my_check", "status", "instance"),
        "base": call("my_base", "pointer", "instance"),
    }
    assert mapping.promises == Promises(
        alignment=16, max_alignment=4096, aligned_size="multiple", size_bits=32, zero_size="unique", direction="down",
        reuse="lifo", coalesces=False, padding="excluded", errno=True, shrinks=True, cost="amortised",
        thread_safe=True, fit="best", minimum=48, zero_resize="null", usable="writable", dialects=("C17", "POSIX"),
        misuse={"double": "abort", "foreign": "ignore"},
    )  # fmt: skip
    lines = FULL.splitlines()
    oldest = Position(lines.index('law = "HL902"') + 1, 7, 7)
    assert mapping.expect == (
        Expect("aligned", "old", "https://example.org/1", "1.", Position(lines.index('law = "HL101"') + 1, 7, 7)),
        Expect("blocks_disjoint", "older", None, None, Position(lines.index('law = "blocks_disjoint"') + 1, 7, 17)),
        Expect("zero_resize_answered", "oldest", None, "< 2.38", oldest, ("POSIX",)),
    )
    assert mapping.text == FULL


def test_what_is_filled_in(reading: Reading, whole: str) -> None:
    mapping = reading(whole)
    assert (mapping.name, mapping.kind, mapping.where) == ("m", "library", ("./libtlsf.so",))
    assert (mapping.package, mapping.preload, mapping.environment) == (None, None, {})
    assert (mapping.buffer, mapping.storage, mapping.instances) == (Buffer(1048576, 16), 0, 1)
    assert (mapping.init, mapping.destroy, mapping.counters, mapping.constants) == ((), None, {}, {})
    assert (mapping.promises, mapping.expect) == (Promises(), ())
    assert mapping.create == (
        Call("tlsf_create_with_pool", ("buffer", "capacity"), "pointer", Position(4, 9, len("tlsf_create_with_pool"))),
    )


def test_all_defaults_of_promises() -> None:
    assert dataclasses.astuple(Promises()) == (
        None, None, None, 64, "unspecified", "unspecified", "covers", "any", "any", None, "any", False, False, None,
        None, (), None, None, "any", None,
    )  # fmt: skip


@pytest.mark.parametrize("word", ["instance", "pool", "heap", "arena", "stack", "bump", "list", "allocator", "ud"])
def test_instances_by_every_name(reading: Reading, whole: str, word: str) -> None:
    mapping = reading(whole.replace("pool =", f"{word} =").replace("(pool", f"({word}"))
    assert mapping.instance == word
    assert mapping.operations["free"].arguments == ("instance", "ptr")


def test_storage_that_calls_initialise(reading: Reading, whole: str) -> None:
    made = 'storage = 64\npool = ["my_init(pool, buffer)", "my_more(pool)"]'
    mapping = reading(whole.replace('pool = "tlsf_create_with_pool(buffer, capacity)"', made))
    assert (mapping.storage, mapping.instance) == (64, "pool")
    assert [(made.arguments, made.returns) for made in mapping.create] == [
        (("instance", "buffer"), "none"),
        (("instance",), "none"),
    ]


def test_storage_alone_is_called_as_calls_call_it(reading: Reading, whole: str) -> None:
    mapping = reading(whole.replace('pool = "tlsf_create_with_pool(buffer, capacity)"', "storage = 64"))
    assert (mapping.storage, mapping.instance, mapping.create) == (64, "pool", ())
    assert mapping.operations["alloc"].arguments == ("instance", "size")


def test_instance_through_a_pointer(reading: Reading, whole: str) -> None:
    mapping = reading(whole.replace("(buffer, capacity)", "(&pool)"))
    assert [(made.arguments, made.returns) for made in mapping.create] == [(("&instance",), "status")]


def test_lua_alloc_is_three_operations(reading: Reading) -> None:
    text = 'source = "m.c"\nshape = "lua_alloc"\nud = "begin()"\nlua_alloc = "f(ud, ptr, osize, nsize, 7)"\n'
    Path("m.c").touch()
    mapping = reading(text)
    assert (mapping.kind, mapping.where) == ("source", ("m.c",))
    assert all_bare(mapping.operations) == {
        "alloc": call("f", "pointer", "instance", 0, "tag", "size", 7),
        "realloc": call("f", "pointer", "instance", "ptr", "osize", "size", 7),
        "free": call("f", "null", "instance", "ptr", "osize", 0, 7),
    }
    assert {made.position for made in mapping.operations.values()} == {Position(4, 14, 1)}


def test_python(reading: Reading) -> None:
    mapping = reading(
        'python = "package.module"\nshape = "pool"\nblock_size = 64\nnum_blocks = 10\n'
        'pool = "Outer.MyPool(block_size, num_blocks)"\nalloc = "take()"\nfree = "give(ptr)"\nreset = "clear()"\n'
    )
    assert (mapping.kind, mapping.where) == ("python", ("package.module",))
    assert [made.function for made in mapping.calls] == ["Outer.MyPool", "take", "give", "clear"]
    assert mapping.operations["alloc"] == Call("take", (), "pointer", Position(6, 10, 4))


def test_marks(reading: Reading) -> None:
    text = 'library = "./m.so"\nshape = "arena"\nalloc = "a(size)"\nmark = "m()"\nrelease = "r(mark)"\n'
    assert reading(text).operations["mark"].returns == "size"
    assert reading(text.replace("m()", "m(&out)")).operations["mark"].returns == "status"


def test_numbers_up_to_their_ends(reading: Reading, whole: str) -> None:
    ends = "18446744073709551615, -9223372036854775808, 0xffffffffffffffff, -0, 0"
    mapping = reading(whole.replace("buffer, capacity", ends))
    assert mapping.create[0].arguments == (2**64 - 1, -(2**63), 2**64 - 1, 0, 0)


def test_a_law_by_any_of_its_names(reading: Reading, whole: str) -> None:
    for name in ("HL101", "hl101", "aligned"):
        mapping = reading(f'{whole}[[expect]]\nlaw = "{name}"\nreason = "r"\n')
        assert [item.law for item in mapping.expect] == ["aligned"]


def test_tables_in_every_notation(reading: Reading, whole: str) -> None:
    promises = ["[promises]\nalignment = 8\nerrno = true\n", "promises = { alignment = 8, errno = true }\n"]
    promises.append("promises.alignment = 8\npromises.errno = true\n")
    assert {reading(whole + text).promises for text in promises} == {Promises(alignment=8, errno=True)}
    expected = ['[[expect]]\nlaw = "aligned"\nreason = "r"\n', 'expect = [{ law = "aligned", reason = "r" }]\n']
    assert len({reading(whole + text).expect[0].reason for text in expected}) == 1


def test_mappings_that_are_shipped() -> None:
    paths = sorted(mappings.FOLDER.glob("*.toml"))
    assert paths
    for path in paths:
        assert load(path).name


def test_every_field_is_frozen(reading: Reading, whole: str) -> None:
    mapping = reading(whole)
    for record in (mapping, mapping.operations["alloc"], mapping.promises, mapping.buffer):
        with pytest.raises(dataclasses.FrozenInstanceError):
            record.name = "other"  # type: ignore[union-attr, misc]
