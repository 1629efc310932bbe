"""Arena scopes: what is allocated inside is freed at the end, by whatever way; scopes nest."""

import threading
from collections.abc import Iterator

import pytest

from heaplaw.refimpl.system import (
    Arena,
    MisuseError,
    Platform,
    Registry,
    Subsystem,
    Switches,
    Trace,
    allocators_get,
    allocators_here,
    allocators_init,
    allocators_shutdown,
    arena_scope,
    current,
)


@pytest.fixture(autouse=True)
def registry() -> Iterator[Registry]:
    yield allocators_init(switches=Switches())
    if allocators_here().is_open:
        allocators_shutdown()


def raise_inside(scope: arena_scope, error: Exception) -> None:
    with scope as temp:
        assert current() is temp
        current().alloc(100)
        raise error


def test_scope__frees_what_was_allocated_inside_and_nothing_else() -> None:
    outside = current().alloc(10)
    with arena_scope(4096) as temp:
        assert current() is temp
        current().alloc(1024)
        temp.alloc(5000)
        assert (temp.current_bytes(), temp.footprint()) == (6024, 4096 + 5040)
    assert (temp.current_bytes(), temp.footprint(), temp.leaks()) == (0, 0, [])
    assert [leak.address for leak in allocators_get(Subsystem.VM).leaks()] == [outside]


def test_scope__frees_when_an_exception_leaves_it() -> None:
    scope = arena_scope()
    with pytest.raises(KeyError, match="out"):
        raise_inside(scope, KeyError("out"))
    assert (scope.allocator.total_bytes(), scope.allocator.current_bytes(), scope.allocator.footprint()) == (100, 0, 0)
    assert current() is allocators_get(Subsystem.VM)


def test_scopes__nest_and_the_innermost_is_ambient() -> None:
    with arena_scope() as outer:
        kept = current().alloc(8)
        inner = arena_scope()
        with pytest.raises(ZeroDivisionError):
            raise_inside(inner, ZeroDivisionError())
        assert current() is outer
        assert [leak.address for leak in outer.leaks()] == [kept]
        assert inner.allocator.leaks() == []
    assert current() is allocators_get(Subsystem.VM)


def test_scope__left_twice_is_refused() -> None:
    scope = arena_scope()
    with arena_scope() as outer:
        with scope:
            pass
        kept = outer.alloc(3)
        with pytest.raises(MisuseError, match="it was left before"):
            scope.__exit__(None, None, None)
        assert current() is outer
        assert [leak.address for leak in outer.leaks()] == [kept]


def test_scope__left_before_an_inner_one_is_refused() -> None:
    outer, inner = arena_scope(), arena_scope()
    first, second = outer.__enter__(), inner.__enter__()
    first.alloc(1)
    second.alloc(2)
    with pytest.raises(MisuseError, match="a scope inside it has not been left yet"):
        outer.__exit__(None, None, None)
    assert current() is second
    assert (first.current_bytes(), second.current_bytes()) == (1, 2)
    inner.__exit__(None, None, None)
    outer.__exit__(None, None, None)
    assert (first.current_bytes(), second.current_bytes()) == (0, 0)


def test_scope__is_entered_once() -> None:
    scope = arena_scope()
    with pytest.raises(MisuseError, match="it was not entered yet"):
        _ = scope.allocator
    with scope as temp:
        with pytest.raises(MisuseError, match="it was entered before"):
            scope.__enter__()
        assert current() is temp
    with pytest.raises(MisuseError, match="it was entered before"), scope:
        pass


def test_scope__is_its_threads_own() -> None:
    seen: list[object] = []

    def elsewhere() -> None:
        seen.append(current())
        with arena_scope() as other:
            seen.append(current() is other)
        allocators_shutdown()

    with arena_scope() as temp:
        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
        assert current() is temp
    assert seen[0] is not temp
    assert seen[0] is not allocators_get(Subsystem.VM)
    assert seen[1] is True


@pytest.mark.parametrize(
    ("switches", "kind"),
    [(Switches(), Arena), (Switches(custom=False), Platform), (Switches(debug=True), Trace)],
)
def test_scope__is_of_a_registry(switches: Switches, kind: type) -> None:
    registry = Registry(switches=switches)
    with arena_scope(256, registry) as temp:
        assert isinstance(temp, kind)
        assert temp.alloc(300, tag="inside") != 0
        assert registry.tags()["inside"].current == 300
    assert (registry.tags()["inside"].current, registry.tags()["inside"].peak) == (0, 300)
    assert registry.shutdown().count == 0


def test_scope__of_a_registry_that_was_shut_down_is_refused() -> None:
    allocators_shutdown()
    with pytest.raises(MisuseError, match="the registry has been shut down"), arena_scope():
        pass
