"""Layouts: sizes and alignments put together, without an allocator."""

from heaplaw.spec.catalogue.layouts import Asked, Laid

from ..entry import Entry

_C = "never: a layout that differs from C's describes memory that C does not have."

SERVED = Entry(
    "layout_served_if_possible",
    "A layout is given exactly when it can be: every part valid (sizes from 0 to PTRDIFF_MAX, alignments powers of "
    "two) and the whole no larger than any object. What cannot be is refused, not wrapped. Seen to break it: an "
    "array's size that wraps, the largest object refused, small negative sizes taken, every even alignment taken.",
    kept=Laid(Asked.ARRAY, 2**33, 8, count=2**33, served=False),
    broken=Laid(Asked.ARRAY, 2**33, 8, count=2**33, got_size=0, got_align=8),
    legitimate="never: a size that wraps is the size of something else.",
)
LARGEST = Entry(
    "layout_align_is_largest",
    "A struct is as strictly aligned as its strictest member, an array as its element; otherwise a member would lie "
    "right in one place and wrong in the next. Seen to break it: the alignment of the last member, and small "
    "alignments multiplied.",
    kept=Laid(Asked.EXTEND, 16, 16, 4, 4, got_size=20, got_align=16, offset=16),
    broken=Laid(Asked.EXTEND, 16, 16, 4, 4, got_size=20, got_align=4, offset=16),
    legitimate=_C,
)
EXTENDS = Entry(
    "layout_extends_like_c",
    "A member that is put behind others begins at its first aligned place, and the whole ends where it ends: the "
    "padding at the tail is asked for separately. Headers in front of payloads are computed so. Seen to break it: no "
    "padding between, padding by the base's alignment instead of the member's, a tail that is padded unasked.",
    kept=Laid(Asked.EXTEND, 12, 8, 8, 8, got_size=24, got_align=8, offset=16),
    broken=Laid(Asked.EXTEND, 12, 8, 8, 8, got_size=20, got_align=8, offset=12),
    legitimate="never: packed structs are another thing, with alignments of 1.",
)
STRIDES = Entry(
    "layout_strides",
    "An array's elements are a stride apart, the element's size rounded up to its alignment, and the last one has its "
    "padding too: three elements of 12 bytes aligned to 8 take 48. Seen to break it: elements side by side, and a last "
    "one without padding.",
    kept=Laid(Asked.ARRAY, 12, 8, count=3, got_size=48, got_align=8),
    broken=Laid(Asked.ARRAY, 12, 8, count=3, got_size=36, got_align=8),
    legitimate=_C,
)
SIZE = Entry(
    "layout_size_kept",
    "A layout has the size that was asked for; padding it gives the first multiple of its alignment from there on, and "
    "nothing if it is one already. Seen to break it: a size that is such a multiple and is padded once more.",
    kept=Laid(Asked.PADDED, 16, 8, got_size=16, got_align=8),
    broken=Laid(Asked.PADDED, 16, 8, got_size=24, got_align=8),
    legitimate=_C,
)

ENTRIES = (SERVED, LARGEST, EXTENDS, STRIDES, SIZE)
