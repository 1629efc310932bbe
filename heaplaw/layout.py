"""How trace and history lie in memory shared with a subject's process. Pure Python: the worker uses it without NumPy.

The head of 4096 bytes holds unsigned 64-bit words: magic, rows, published, progress, payload, time spent, two spare
ones, then the offset of every column. Columns are contiguous, in the order of `COLUMNS`, each starting on a page; the
pages of those that nobody writes are never there.
"""

from heaplaw.spec.history import EVENT_COLUMNS, OP_COLUMNS, REPORT_COLUMNS

MAGIC = 0x6865_6170_6C61_7731
HEAD = 4096
ROWS, PUBLISHED, PROGRESS, PAYLOAD, SPENT, PEAK, OFFSETS = 1, 2, 3, 4, 5, 6, 8
"""Indices of the words of the head."""
BETWEEN, IN_CALL, IN_PAYLOAD, FINISHED = range(4)
"""`progress` is 4 * row + one of these."""
_LABEL = next(column for column in OP_COLUMNS if column.name == "label")
COLUMNS = (*(column for column in OP_COLUMNS if column is not _LABEL), *EVENT_COLUMNS, _LABEL, *REPORT_COLUMNS)
"""In this order; the driver in C knows those before the label."""


def offsets(rows: int) -> tuple[list[int], int]:
    """The offset of every column for at most `rows` operations, and the size of it all, bytes."""
    at, result = HEAD, list[int]()
    for column in COLUMNS:
        result.append(at)
        at += (rows * column.width + 4095) // 4096 * 4096
    return result, at
