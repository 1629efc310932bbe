"""What a mapping calls and a library does not export."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from heaplaw.mapping import Exported, Mapping, MappingError, check_symbols
from heaplaw.subjects.elf import Exports

Reading = Callable[[str | bytes], Mapping]


@dataclass(frozen=True)
class Library:
    """A library with these functions."""

    functions: frozenset[str]
    hidden: frozenset[str] = frozenset()
    path: str = "./libtlsf.so"


EXPORTS = frozenset({"tlsf_create_with_pool", "tlsf_malloc", "tlsf_memalign", "tlsf_free"})


def told(mapping: Mapping, library: Exported) -> str:
    with pytest.raises(MappingError) as caught:
        check_symbols(mapping, library)
    assert caught.value.count == caught.value.report.count("error: ")
    return caught.value.report


def test_all_there(reading: Reading, whole: str) -> None:
    check_symbols(reading(whole), Library(EXPORTS))
    check_symbols(reading(whole), Exports("./libtlsf.so", EXPORTS, "libtlsf.so"))


def test_all_that_are_missing_are_told_at_once_in_order(reading: Reading, whole: str) -> None:
    text = whole.replace("tlsf_malloc", "tlsf_maloc").replace("tlsf_free", "give")
    text += 'init = ["begin()", "tlsf_maloc()"]\ndestroy = "finish(pool)"\n'
    text += 'usable_size = "tlsf_maloc(ptr)"\nzeroed = "give(size)"\n'
    assert told(reading(text), Library(EXPORTS)) == (
        "error: `tlsf_maloc` is not exported by ./libtlsf.so\n"
        "  --> m.toml:5:10\n"
        "   |\n"
        ' 5 | alloc = "tlsf_maloc(pool, size)"\n'
        "   |          ^^^^^^^^^^\n"
        "   = help: similar exports: `tlsf_malloc` and `tlsf_memalign`\n\n"
        "error: `give` is not exported by ./libtlsf.so\n"
        "  --> m.toml:6:9\n"
        "   |\n"
        ' 6 | free = "give(pool, ptr)"\n'
        "   |         ^^^^\n"
        "   = help: it exports no similar function\n\n"
        "error: `begin` is not exported by ./libtlsf.so\n"
        "  --> m.toml:7:10\n"
        "   |\n"
        ' 7 | init = ["begin()", "tlsf_maloc()"]\n'
        "   |          ^^^^^\n"
        "   = help: it exports no similar function\n\n"
        "error: `finish` is not exported by ./libtlsf.so\n"
        "  --> m.toml:8:12\n"
        "   |\n"
        ' 8 | destroy = "finish(pool)"\n'
        "   |            ^^^^^^\n"
        "   = help: it exports no similar function\n\n"
        "4 errors in m.toml; nothing was run."
    )


def test_hidden(reading: Reading, whole: str) -> None:
    library = Library(EXPORTS - {"tlsf_free"}, frozenset({"tlsf_free"}))
    assert "help: it is in there, but static or hidden" in told(reading(whole), library)


def test_mangled(reading: Reading, whole: str) -> None:
    library = Library(EXPORTS - {"tlsf_free"} | {"_Z9tlsf_freePvS_", "_Z9tlsf_freedPv"})
    report = told(reading(whole), library)
    assert '`_Z9tlsf_freePvS_` is its C++ name: declare the function extern "C"' in report


def test_lua_alloc_is_one_function(reading: Reading) -> None:
    mapping = reading('library = "./m.so"\nshape = "lua_alloc"\nlua_alloc = "f(NULL, ptr, osize, nsize)"\n')
    assert told(mapping, Library(frozenset())).count("error: ") == 1


def test_a_python_subject_has_no_symbols(reading: Reading) -> None:
    text = 'python = "m"\nshape = "malloc"\nheap = "Heap()"\nalloc = "take(size)"\nfree = "give(ptr)"\n'
    check_symbols(reading(text), Library(frozenset()))


def test_the_file_may_have_changed_since(reading: Reading, whole: str) -> None:
    mapping = reading(whole)
    mapping.path.unlink()
    assert ' 6 | free = "tlsf_free(pool, ptr)"' in told(mapping, Library(EXPORTS - {"tlsf_free"}))
