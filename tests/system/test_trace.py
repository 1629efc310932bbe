"""The trace's records: what they say, in which order, and where a request was made."""

import inspect

from hypothesis import given, settings
from hypothesis import strategies as st

from heaplaw.refimpl.system import Arena, Leak, Observed, Platform, SizePools, Trace
from heaplaw.refimpl.system.records import Field, Texts
from heaplaw.refimpl.system.words import ProcessWords

FIXED = settings(derandomize=True, database=None, deadline=None, max_examples=60)


def here() -> int:
    """The line from which this is called."""
    frame = inspect.currentframe()
    assert frame is not None
    assert frame.f_back is not None
    return frame.f_back.f_lineno


def test_record__is_the_request() -> None:
    trace = Trace(Arena())
    line = here() + 1
    first = trace.alloc(10, tag="a")
    second = trace.alloc_zeroed(20, site=("player.swift", 42))
    assert trace.leaks() == [
        Leak(first, 10, __file__, line, "a", 1),
        Leak(second, 20, "player.swift", 42, "", 2),
    ]


def test_record__of_a_resized_block_is_of_the_resize() -> None:
    trace = Trace(Platform())
    first, second = trace.alloc(10, tag="a", site=("a.c", 1)), trace.alloc(20, tag="b", site=("b.c", 2))
    moved = trace.realloc(first, 500, site=("c.c", 3))
    assert trace.leaks() == [Leak(second, 20, "b.c", 2, "b", 2), Leak(moved, 500, "c.c", 3, "a", 3)]
    again = trace.realloc(moved, 600, tag="renamed", site=("d.c", 4))
    assert trace.leaks()[1:] == [Leak(again, 600, "d.c", 4, "renamed", 4)]
    assert (trace.tag_current("a"), trace.tag_peak("a"), trace.tag_current("renamed")) == (0, 500, 600)


def test_site__is_the_programs_through_any_number_of_allocators() -> None:
    inner = Trace(SizePools())
    outer = Observed(Trace(inner), lambda notice: None)
    line = here() + 1
    outer.alloc(1)
    for allocator in (inner, outer.inner, outer):
        (leak,) = allocator.leaks()
        assert (leak.file, leak.line) == (__file__, line)


def test_untraced__blocks_have_the_site_that_was_given() -> None:
    platform = Platform()
    platform.alloc(1)
    platform.alloc(2, site=("a.c", 7))
    assert [(leak.file, leak.line) for leak in platform.leaks()] == [("", 0), ("a.c", 7)]


def test_record__is_eight_words_in_memory() -> None:
    parent = Platform()
    trace = Trace(Platform(), parent)
    block = trace.alloc(10, site=("a.c", 3))
    (chunk,) = parent.leaks()
    words = ProcessWords().read_all(chunk.address, len(Field))
    assert words[:2] == [block, 10]
    assert (words[Field.LINE], words[Field.SERIAL], words[Field.OLDER], words[Field.NEWER]) == (3, 1, 0, 0)


def test_texts__are_numbered_once() -> None:
    texts = Texts()
    numbers = [texts.number(text) for text in ("", "a", "b", "a")]
    assert numbers == [0, 1, 2, 1]
    assert [texts.text(number) for number in numbers] == ["", "a", "b", "a"]


@FIXED
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 50), st.integers(0, 9)), max_size=40))
def test_leaks__are_a_dictionarys(program: list[tuple[int, int, int]]) -> None:
    trace, expected, serial = Trace(Platform()), dict[int, Leak](), 0
    for what, size, pick in program:
        site, tag = ("file", size), f"{pick % 3}"
        chosen = list(expected)[pick % len(expected)] if expected else 0
        if what == 3 and chosen:
            trace.free(chosen)
            del expected[chosen]
        elif what == 2 and chosen:
            serial += 1
            moved = trace.realloc(chosen, size, site=site)
            tag = expected.pop(chosen).tag
            expected[moved] = Leak(moved, size, *site, tag, serial)
        else:
            serial += 1
            made = trace.alloc(size, tag=tag, site=site)
            expected[made] = Leak(made, size, *site, tag, serial)
        assert trace.leaks() == list(expected.values())
        assert (trace.leak_count(), trace.leak_bytes()) == (len(expected), sum(x.size for x in expected.values()))
