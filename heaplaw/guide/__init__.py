"""The selection guide: which allocator for what, measured on the reference allocators. Source: Vais std/allocator,
Performance Characteristics; the allocator system, Memory Overhead.

`stands` puts every allocator under one interface, over memories that count; `costs` counts the words that operations
read and write; `workloads` and `overheads` say what memory is lost; `text` prints it, the sources' words beside.
"""

from .measure import Entry, Guide, guide
from .text import document, lines

__all__ = ["Entry", "Guide", "document", "guide", "lines"]
