"""Hypothesis machines, generators and exhaustive exploration.

What lives here: the one table of sizes and phases and its two readings (bulk columns, strategies), live
subjects and sessions with them, the allocator machine, and the explorer of pure steps. All of them ask the
judge of `heaplaw.spec`. What it may import: `heaplaw.refimpl`, `heaplaw.spec`, Hypothesis, NumPy.
"""
