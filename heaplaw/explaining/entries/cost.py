"""What calls cost, counted in instructions."""

from heaplaw.spec.catalogue.cost import Cost, Form
from heaplaw.spec.shapes import Kind

from ..entry import Entry

BOUNDED = Entry(
    "instructions_bounded",
    "Whoever promises constant cost promises it for large heaps too. heaplaw fills a heap with 10, 1,000 and 100,000 "
    "blocks, fresh and fragmented, counts every instruction of some calls of each operation, and compares the worst "
    "call of all pairs of heaps a factor of 10 apart; the median call alone, where the cost is amortised. Counts are "
    "exact and repeat; time is never asked. Seen to break it: a free that walks the list to its end, a pop that "
    "searches from the bottom, a request that counts the free blocks.",
    kept=Cost(Kind.FREE, Form.FRESH, 1_000, 100_000, 24, 31, 8_000),
    broken=Cost(Kind.FREE, Form.FRAGMENTED, 1_000, 100_000, 2_018, 8_001, 8_000),
    legitimate="where no such cost is promised: first fit searches its list, and growing by doubling copies now and "
    'then; say `cost = "amortised"`, `"any"`, or a table that names the operations of constant cost.',
)

ENTRIES = (BOUNDED,)
