"""The reference allocators as subjects: `heaplaw check ref:stack`, and the others that `table.REFERENCES` lists.

`plain` wraps what users hold in objects of plain methods (sizes and tags in, addresses out), which report what laws ask
for; `table` says how each is made, which calls it has, and what it promises.
"""
