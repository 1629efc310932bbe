"""Arena scopes: what is allocated inside is freed at the end. Source: the allocator system, Arena Scope."""

from contextvars import ContextVar
from types import TracebackType

from .errors import MisuseError
from .interface import Allocator
from .plans import Subsystem
from .registry import Registry, allocators_get, allocators_here


class arena_scope:  # noqa: N801 - used as a statement: `with arena_scope(4096) as temp:`
    """A `with` block with an arena of its own, in chunks of `chunk_size` bytes, that is dropped when the block is left,
    by whatever way. Inside, the arena is the ambient allocator (`current`). Scopes nest, in each thread and task for
    itself.

    While another allocator has chunks from the arena, leaving raises `MisuseError`: the scope is left, and its arena
    stays until that one is dropped, and then `allocator` itself.

    A scope is entered once. Leaving one that is not the innermost, or twice, is refused, and nothing is changed. The
    arena is of `registry`, by default the calling thread's: with custom allocators off it is plain malloc.
    """

    def __init__(self, chunk_size: int = 4096, registry: Registry | None = None) -> None:
        self._chunk_size = chunk_size
        self._registry = registry
        self._allocator: Allocator | None = None

    def __enter__(self) -> Allocator:
        if self._allocator is not None:
            raise MisuseError("entering an arena scope", "it was entered before")
        registry = allocators_here() if self._registry is None else self._registry
        self._allocator = registry.scratch(self._chunk_size)
        _SCOPES.set((*_SCOPES.get(), self))
        return self._allocator

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        scopes = _SCOPES.get()
        if self not in scopes:
            raise MisuseError("leaving an arena scope", "it was left before, or is another thread's or task's")
        if scopes[-1] is not self:
            raise MisuseError("leaving an arena scope", "a scope inside it has not been left yet")
        _SCOPES.set(scopes[:-1])
        self.allocator.drop()

    @property
    def allocator(self) -> Allocator:
        """The scope's arena."""
        if self._allocator is None:
            raise MisuseError("the allocator of an arena scope", "it was not entered yet")
        return self._allocator


_SCOPES: ContextVar[tuple[arena_scope, ...]] = ContextVar("_SCOPES", default=())


def current() -> Allocator:
    """The ambient allocator: the innermost scope's, outside of all the calling thread's VM Core."""
    scopes = _SCOPES.get()
    return scopes[-1].allocator if scopes else allocators_get(Subsystem.VM)
