"""The laws of memory managers: stated once, as small predicates that every engine runs.

What lives here: logic helpers, layout arithmetic, shapes, columns, events and the abstract heap, laws and their
catalogue, the naive judge (the oracle of all judges), verdicts and protocols.
What it may import: the standard library, and nothing of ours outside this package.
"""
