"""Mappings of `faulty.c` that several tests use."""

HEAPS = """
source = "faulty.c"
shape = "malloc"
instances = 2
buffer = 1024
init = { call = "hp_begin(hook_malloc, hook_free)", returns = "errno" }
heap = "hp_open(&heap, buffer, capacity)"
destroy = "hp_close(heap)"
alloc = "hp_take(heap, &out, size)"
free = { call = "hp_give(ptr)", returns = "errno" }
[promises]
alignment = 16
"""
"""Two heaps in buffers that they are given: instances with hooks, blocks by pointer."""
