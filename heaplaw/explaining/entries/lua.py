"""The contract of lua_Alloc."""

from ..entry import Entry
from ..program import alloc, free, program, resize

FREE_GIVES_NULL = Entry(
    "free_gives_null",
    "lua_Alloc is one function for everything; with a new size of 0 it frees the block and returns NULL. Lua's debug "
    "builds up to 5.3 assert it. Seen to break it: returning the block that was freed.",
    kept=program("lua_alloc", alloc(64, 0x10), free(1)),
    broken=program("lua_alloc", alloc(64, 0x10), free(1, at=0x10)),
    legitimate="never: every manual since 5.1 says so.",
)
SHRINK = Entry(
    "shrink_succeeds",
    "A resize to no more than the old size is served: there is room already. The manuals up to Lua 5.3 say that Lua "
    "assumes it. Seen to break it: shrinking by moving to a smaller class, and refusing where "
    "that has no free block.",
    kept=program("lua_alloc", alloc(64, 0x10), resize(1, 32, 0x10)),
    broken=program("lua_alloc", alloc(64, 0x10), resize(1, 32)),
    legitimate="under Lua 5.4, whose manual no longer says so, and in C, which never did: it is judged only where it "
    "is promised.",
    settings=("shrinks = false",),
)

ENTRIES = (FREE_GIVES_NULL, SHRINK)
