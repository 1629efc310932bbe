"""lua_Alloc functions."""

from heaplaw.mutants import Mutant

from .variant import Correct

__all__ = ["CORRECT", "MUTANTS"]

_LUA = "ok-lua"

CORRECT = (
    Correct(_LUA, "lua_alloc.toml", "size classes without headers, maps for large blocks"),
    Correct("ok-lua-moves", "lua_alloc.toml", "a resize never works in place"),
)

MUTANTS = (
    # --- calls that are not resizes
    Mutant(
        "lua-tag-as-size", "failure_is_reported", _LUA,
        "osize is taken for the size of an old block where there is none",
        "a request with any osize",
        also=("first_operation",),
    ),
    Mutant(
        "lua-free-returns", "free_gives_null", _LUA,
        "freeing returns the block",
        "a free",
    ),
    Mutant(
        "lua-free-null", "failure_is_reported", _LUA,
        "crash when NULL is freed",
        "ptr NULL with nsize 0",
        also=("first_operation",), hidden=True,
    ),
    Mutant(
        "lua-free-edge", "blocks_disjoint", _LUA,
        "a freed block of a size divisible by 64 goes into the class above",
        "free of an exact multiple of 64 up to 960, then 1 to 16 bytes more",
        also=("payload_kept", "sized"),
    ),
    Mutant(
        "lua-truncate-32", "sized", _LUA,
        "sizes are cut to 32 bits; the block is short",
        "a size from 2**32",
        also=("overflow_is_failure", "blocks_disjoint", "failure_is_reported"), hidden=True,
    ),
    Mutant(
        "lua-page-short", "sized", _LUA,
        "a map is a page too short for its header",
        "a size above 1 KiB, up to 64 bytes below a multiple of 4096 or exactly one",
    ),
    Mutant(
        "lua-free-largest", "failure_is_reported", _LUA,
        "freeing a block of exactly the largest class takes it for a map",
        "free, or a moving resize, of a block of 1024 bytes",
        also=("payload_kept",),
    ),
    Mutant(
        "lua-rest-as-class", "sized", _LUA,
        "what is too short for the last request counts as a block of the class below it",
        "16 KiB carved up to less than the class asked for by 32 bytes or more, then requests of the class below",
        also=("payload_kept", "blocks_disjoint", "failure_is_reported"), hidden=True,
    ),
    # --- resizes
    Mutant(
        "lua-copy-words", "realloc_keeps_prefix", _LUA,
        "only whole 8-byte words are copied",
        "a moving resize with the smaller size not divisible by 8",
    ),
    Mutant(
        "lua-free-then-copy", "realloc_keeps_prefix", _LUA,
        "the old block is freed, and has its link written, before it is copied",
        "a moving resize of at most 1 KiB",
    ),
    Mutant(
        "lua-keeps-class", "blocks_disjoint", _LUA,
        "a resize stays in place within steps of 32 bytes, although classes are 16 bytes apart",
        "growth from an odd class to the next",
        also=("payload_kept", "realloc_keeps_prefix", "sized"),
    ),
    Mutant(
        "lua-map-to-class", "realloc_keeps_prefix", _LUA,
        "shrinking from more than 16 KiB to a class copies at most 512 bytes",
        "a resize from above 16 KiB to 513 ... 1024 bytes",
        hidden=True,
    ),
    Mutant(
        "lua-class-to-map", "realloc_keeps_prefix", _LUA,
        "growing from a class to more than 16 KiB copies at most 512 bytes",
        "a resize from 513 ... 1024 bytes to above 16 KiB",
        hidden=True,
    ),
    Mutant(
        "lua-doublings", "realloc_keeps_prefix", _LUA,
        "the fifth time in a row that a block is doubled its last 16 bytes are not copied",
        "one block doubled five times, having moved before",
        hidden=True,
    ),
    Mutant(
        "lua-shrink-refused", "shrink_succeeds", _LUA,
        "shrinking fails where the smaller class has no freed block",
        "a resize to a smaller class that no block was freed to",
    ),
    Mutant(
        "lua-shrink-map", "shrink_succeeds", _LUA,
        "shrinking a map to a map of less than a quarter fails",
        "a resize from more than 4 KiB to less than a quarter, and more than 1 KiB",
        hidden=True,
    ),
    Mutant(
        "lua-fail-frees", "realloc_failure_keeps_block", _LUA,
        "a failed resize frees the old block",
        "a resize above 256 MiB",
        also=("blocks_disjoint", "payload_kept"), hidden=True,
    ),
)  # fmt: skip
