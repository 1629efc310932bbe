"""An allocator around another one, which serves its requests."""

from dataclasses import replace

from .base import Blocks, Booked
from .errors import MisuseError
from .interface import Allocator, Leak
from .ledger import Held, Note


def sited(leak: Leak, other: Leak) -> Leak:
    """The leak, at the other one's place."""
    return replace(leak, file=other.file, line=other.line)


class Wrapper(Booked):
    """Passes everything on to `inner`, which it owns from now on: nobody else calls it, and `drop` drops it too."""

    def __init__(self, inner: Allocator, name: str) -> None:
        if inner.statistics().live_blocks:
            raise MisuseError(f"{name} around {inner.name}", "it has live blocks, which the wrapper would not know")
        super().__init__(name, inner.alignment)
        self.inner = inner

    def footprint(self) -> int:
        """The inner allocator's."""
        return self.inner.footprint()

    def leaks(self) -> list[Leak]:
        """All live blocks, in order of birth; where they were allocated is asked of `inner`, which may record it."""
        inside = {leak.address: leak for leak in self.inner.leaks()}
        return [leak if leak.file else sited(leak, inside.get(leak.address, leak)) for leak in super().leaks()]

    def invariant(self) -> bool:
        """Both know the same blocks."""
        mine = [(ptr, held.size, held.tag) for ptr, held in self.ledger.blocks.items() if self._passed_on(held)]
        theirs = [(leak.address, leak.size, leak.tag) for leak in self.inner.leaks()]
        return super().invariant() and self.inner.invariant() and mine == theirs

    def _passed_on(self, held: Held) -> bool:
        """The block is one of `inner`'s."""
        return True

    def _take(self, size: int, align: int, note: Note) -> int:
        return self.inner.alloc(size, align, tag=note.tag, site=note.site)

    def _take_zeroed(self, size: int, align: int, note: Note) -> int:
        return self.inner.alloc_zeroed(size, align, tag=note.tag, site=note.site)

    def _resize(self, ptr: int, held: Held, size: int, note: Note) -> int:
        return self.inner.realloc(ptr, size, tag=note.tag, site=note.site)

    def _give(self, ptr: int, held: Held) -> None:
        self.inner.free_sized(ptr, held.size)

    def _mark(self) -> int:
        return self.inner.mark()

    def _unwind(self, dying: Blocks, mark: int | None) -> None:
        if mark is None:
            self.inner.reset()
        else:
            self.inner.release(mark)

    def _close(self, dying: Blocks) -> None:
        self.inner.drop()
