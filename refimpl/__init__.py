"""The reference implementation: pure step functions over a memory, and thin classes around them.

What it may import: `heaplaw.spec`, and the standard library.
"""
