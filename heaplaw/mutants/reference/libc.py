"""The global allocator: the C library's functions behind layouts."""

from .patch import Patch

__all__ = ["PATCHES"]

_LIBC = "allocators/libc.py"

PATCHES = (
    Patch(
        "ref-global-align-ignored", _LIBC,
        "    return _entered(_malloc(max(1, layout.size)) if _is_plain(layout) else _aligned(layout), layout)\n",
        "    return _entered(_malloc(max(1, layout.size)), layout)\n",
        "aligned", "malloc serves every alignment",
    ),
    Patch(
        "ref-global-64-is-plain", _LIBC,
        "    return layout.align <= int(fundamental_alignment(layout.size))\n", "    return layout.align <= 64\n",
        "aligned", "malloc is trusted with alignments up to 64",
    ),
    Patch(
        "ref-global-zeroed-is-malloc", _LIBC,
        "        return _entered(_calloc(1, max(1, layout.size)), layout)\n",
        "        return _entered(_malloc(max(1, layout.size)), layout)\n",
        "zeroed", "zeroed blocks come from malloc as they are",
    ),
    Patch(
        "ref-global-product-wraps", _LIBC,
        "        whole = int(extent(count, size))\n", "        whole = count * size % 2**64\n",
        "overflow_is_failure", "the product of count and size wraps",
        ("sized", "blocks_disjoint", "payload_kept", "failure_is_reported", "zeroed"),
    ),
    Patch(
        "ref-global-copies-short", _LIBC,
        "        ctypes.memmove(moved.ptr, ptr, min(old_layout.size, new_layout.size))\n",
        "        ctypes.memmove(moved.ptr, ptr, min(old_layout.size, new_layout.size) & ~15)\n",
        "realloc_keeps_prefix", "an aligned block that moves loses its last bytes",
    ),
    Patch(
        "ref-global-refused-is-lost", _LIBC,
        "        if not address:\n            _live[ptr] = old_layout\n", "",
        "free_is_served", "a block whose resize is refused is forgotten",
        ("failure_is_reported", "failure_changes_nothing", "realloc_failure_keeps_block", "usable_size_covers_request"),
    ),
    Patch(
        "ref-global-huge-raises", _LIBC,
        "        return 0 if max(align, size) > PTRDIFF_MAX else global_alloc",
        "        return 0 if align > PTRDIFF_MAX else global_alloc",
        "failure_is_reported", "a size above every object raises",
        ("overflow_is_failure",),
    ),
    Patch(
        "ref-global-usable-more", _LIBC,
        "        return int(_usable_size(ptr)) if _usable_size else layout.size\n",
        "        return int(_usable_size(ptr)) + 16 if _usable_size else layout.size\n",
        "usable_sizes_disjoint", "the usable size counts the next block's header",
        ("usable_size_covers_request",),
    ),
    Patch(
        "ref-global-free-kept", _LIBC,
        "    del _live[ptr]\n    _free(ptr)\n", "    del _live[ptr]\n",
        "reuse", "blocks are taken off the table, and never given back",
    ),
    Patch(
        "ref-global-size-of-32-bits", _LIBC,
        "_malloc(max(1, layout.size)) if _is_plain(layout) else _aligned(layout), layout)\n",
        "_malloc(max(1, layout.size & 0xFFFFFFFF)) if _is_plain(layout) else _aligned(layout), layout)\n",
        "sized", "sizes are cut to 32 bits on their way to malloc",
        ("failure_is_reported", "usable_size_covers_request", "overflow_is_failure", "blocks_disjoint", "payload_kept"),
    ),
)  # fmt: skip
