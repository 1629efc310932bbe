"""What was learnt of a subject from the histories of its runs. Sizes in bytes."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Knowledge:
    """What the subject accepts, and where its behaviour changes. Empty at first, and always a guess: it only says what
    to ask for next.
    """

    edges: tuple[int, ...] = ()
    """Sizes after which blocks get larger: one byte more is another class."""
    gaps: tuple[tuple[int, int], ...] = ()
    """(low, high): somewhere between these sizes there is such an edge; one asks in the middle."""
    largest: int = 0
    """The largest request that was served; 0: none yet."""
    refused: int = 0
    """The smallest request that an empty instance refused; 0: none yet."""
    fills: tuple[tuple[int, int], ...] = ()
    """(size, blocks): so many blocks of that size were live when one more was refused."""
    runs: tuple[tuple[int, int], ...] = ()
    """(size, blocks): so many blocks of that size came side by side before one came from elsewhere."""
    aligns: tuple[int, ...] = ()
    """Alignments that were served."""
