"""Layouts: sizes and alignments, extended, repeated, padded."""

from .patch import Patch

__all__ = ["PATCHES", "PROOF"]

_LAYOUT = "layout.py"
_EXTENDS = ("layout_extends_like_c", "layout_served_if_possible")

PATCHES = (
    Patch(
        "ref-layout-no-padding", _LAYOUT,
        '        offset = _check_size("size", align_up(self.size, ext.align))\n', "        offset = self.size\n",
        "layout_extends_like_c", "an extension begins where the base ends, aligned or not",
        _EXTENDS,
    ),
    Patch(
        "ref-layout-padded-by-base", _LAYOUT,
        '        offset = _check_size("size", align_up(self.size, ext.align))\n',
        '        offset = _check_size("size", align_up(self.size, self.align))\n',
        "layout_extends_like_c", "an extension begins at a multiple of the base's alignment",
        _EXTENDS,
    ),
    Patch(
        "ref-layout-tail-padded", _LAYOUT,
        "        return Layout(offset + ext.size, max(self.align, ext.align)), offset\n",
        "        return Layout(align_up(offset + ext.size, ext.align), max(self.align, ext.align)), offset\n",
        "layout_extends_like_c", "the tail behind an extension is padded",
        _EXTENDS,
    ),
    Patch(
        "ref-layout-align-of-last", _LAYOUT,
        "max(self.align, ext.align)), offset\n", "ext.align), offset\n",
        "layout_align_is_largest", "a struct has the alignment of its last member",
    ),
    Patch(
        "ref-layout-align-added", _LAYOUT,
        "max(self.align, ext.align)), offset\n",
        "self.align * ext.align if self.align < 8 else max(self.align, ext.align)), offset\n",
        "layout_align_is_largest", "small alignments are multiplied",
        ("layout_served_if_possible",),
    ),
    Patch(
        "ref-layout-stride-unpadded", _LAYOUT,
        '    stride = align_up(_check_size("elem_size", elem_size), elem_align)\n',
        '    stride = _check_size("elem_size", elem_size)\n',
        "layout_strides", "an array's elements stand side by side, aligned or not",
        ("layout_served_if_possible",),
    ),
    Patch(
        "ref-layout-last-unpadded", _LAYOUT,
        "    return Layout(stride * count, elem_align)\n",
        "    return Layout(stride * count - (stride - elem_size) if count != 0 else 0, elem_align)\n",
        "layout_strides", "the last element of an array is not padded",
        ("layout_served_if_possible",),
    ),
    Patch(
        "ref-layout-product-wraps", _LAYOUT,
        '    if count != 0 and stride > PTRDIFF_MAX // count:\n'
        '        raise LayoutError("size", stride * count, _TOO_LARGE)\n'
        "    return Layout(stride * count, elem_align)\n",
        "    return Layout(stride * count % 2**64, elem_align)\n",
        "layout_served_if_possible", "an array's size wraps",
        ("layout_strides",),
    ),
    Patch(
        "ref-layout-half-refused", _LAYOUT,
        "    if value > PTRDIFF_MAX:\n", "    if value >= PTRDIFF_MAX:\n",
        "layout_served_if_possible", "the largest object is refused",
    ),
    Patch(
        "ref-layout-negative-taken", _LAYOUT,
        "    if value < 0:\n", "    if value < -8:\n",
        "layout_served_if_possible", "small negative sizes are taken",
    ),
    Patch(
        "ref-layout-any-align", _LAYOUT,
        "    if not is_power_of_two(value):\n", "    if value == 0 or value % 2 and value != 1:\n",
        "layout_served_if_possible", "every even alignment is taken",
    ),
    Patch(
        "ref-layout-padded-more", _LAYOUT,
        "        return Layout(align_up(self.size, self.align), self.align)\n",
        "        return Layout(align_up(self.size + 1, self.align), self.align)\n",
        "layout_size_kept", "a size that is a multiple of the alignment is padded once more",
        ("layout_served_if_possible",),
    ),
)  # fmt: skip

PROOF: tuple[Patch, ...] = (
    Patch(
        "ref-layout-new-unaligned", _LAYOUT,
        "    return Layout(size, align)\n", "    return Layout(size, min(align, 8))\n",
        "layout_align_is_largest", "a new layout is aligned to no more than 8",
    ),
    Patch(
        "ref-layout-new-padded", _LAYOUT,
        "    return Layout(size, align)\n", "    return Layout(size, align).padded()\n",
        "layout_size_kept", "a new layout is padded",
        ("layout_served_if_possible",),
    ),
    Patch(
        "ref-layout-array-unaligned", _LAYOUT,
        "    return Layout(stride * count, elem_align)\n", "    return Layout(stride * count, 1)\n",
        "layout_align_is_largest", "an array is not aligned as its elements are",
    ),
    Patch(
        "ref-layout-padded-unaligned", _LAYOUT,
        "        return Layout(align_up(self.size, self.align), self.align)\n",
        "        return Layout(align_up(self.size, self.align), 1)\n",
        "layout_align_is_largest", "a padded layout loses its alignment",
    ),
    Patch(
        "ref-layout-members-swapped", _LAYOUT,
        "    return base.extend(ext)[0]\n", "    return ext.extend(base)[0]\n",
        "layout_extends_like_c", "the function puts the base behind its extension",
    ),
)  # fmt: skip
"""Faults of single steps and turns that the others leave alone: for proofs, which look at each of these."""
