"""What contracts share: a small memory, alignments, and laws by their names."""

from heaplaw.spec.catalogue import law
from heaplaw.spec.event import Block
from heaplaw.spec.layout import PTRDIFF_MAX, SIZE_MAX

from .engine import UNWRITTEN

ALIGNS = (8, 64)
"""Alignments that contracts ask for, by index: CrossHair follows all of them."""
ADDRESSES = SIZE_MAX
"""Buffers end below this address."""
LARGEST = PTRDIFF_MAX
"""No buffer has more bytes."""


class Cells:
    """A memory of few words, looked up by comparing addresses: a dictionary would make CrossHair fix them."""

    def __init__(self) -> None:
        self._cells: list[tuple[int, int]] = []

    def read(self, address: int) -> int:
        """The word at `address`; LookupError for one that was never written."""
        for at, value in reversed(self._cells):
            if at == address:
                return value
        raise LookupError(UNWRITTEN)

    def write(self, address: int, value: int) -> None:
        """Make `value` the word at `address`."""
        self._cells.append((address, value))


def holds(names: tuple[str, ...], *args: object) -> bool:
    """The laws of these names, as they stand in the catalogue now."""
    return all(bool(law(name).holds(*args)) for name in names)


def disjoint(blocks: list[Block]) -> bool:
    """No two blocks have a byte in common."""
    return all(
        bool(law("blocks_disjoint").holds(one, other)) for index, one in enumerate(blocks) for other in blocks[:index]
    )
