"""What functions of allocators are usually called: a name's beginning puts it in a group, the rest in a role."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

_TOKEN = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z0-9]+|[A-Z0-9]+")


def listed(text: str) -> frozenset[str]:
    """The words of a text, as a set."""
    return frozenset(text.split())


NAMES: dict[str, str] = {
    "alloc": """malloc64 malloc alloc64 alloc allocate palloc alloc_bytes alloc_mem mem_alloc alloc_block allocate_block
        block_alloc block_allocate new_block get_block take_block acquire_block acquire obtain take get push""",
    "zeroed": """calloc zalloc pcalloc callocate alloc0 alloc_zeroed alloc_zero malloc_zeroed malloc_zero
        allocate_zeroed allocate_zero zeroed_alloc zero_alloc alloc_clear push_zeroed push_zero""",
    "realloc": "realloc64 realloc reallocate resize resize_block",
    "aligned": """aligned_alloc malloc_aligned alloc_aligned memalign aligned_malloc allocate_aligned aligned_allocate
        alloc_align align_alloc aligned push_aligned""",
    "posix_memalign": "posix_memalign",
    "free": """free dealloc deallocate free_block dealloc_block deallocate_block block_free release_block put_block
        return_block give_block give_back put give release recycle""",
    "usable_size": "malloc_usable_size usable_size malloc_size msize alloc_size block_size get_size size_of sizeof",
    "pop": "pop free_last pop_last free_top pop_block",
    "mark": """mark get_mark get_marker marker set_mark make_mark checkpoint get_checkpoint snapshot savepoint
        save_point save""",
    "release": """release_to free_to_mark free_to_marker free_to rewind_to reset_to pop_to restore_to rollback_to
        release_mark pop_mark restore rollback release rewind""",
    "reset": "reset clear free_all release_all reset_all clear_all dealloc_all rewind",
    "remaining": """remaining bytes_remaining remaining_bytes available bytes_available available_bytes free_bytes
        bytes_free bytes_left left free_size size_free free_space space_left free_memory get_remaining get_available
        get_free""",
    "total_allocated": """total_allocated bytes_allocated allocated_bytes used_bytes bytes_used total_used used
        allocated in_use used_size size_used used_memory memory_used get_used get_allocated total""",
    "num_free_blocks": """num_free_blocks num_free free_count free_blocks count_free blocks_free free_block_count
        get_num_free get_free_count""",
    "num_allocated": """num_allocated num_used used_count allocated_count used_blocks allocated_blocks blocks_used
        count_used count_allocated num_allocated_blocks get_num_used get_used_count""",
    "invariant": """check validate verify invariant invariants check_invariants do_invariants_hold check_integrity
        is_valid is_sane is_consistent consistent sane check_heap check_pool self_check walk""",
    "initialize": "initialize initialise global_init library_init lib_init process_init startup",
}
"""Roles, and the rest of the name of what has them, likeliest first."""
_RANKS = {role: {name: rank for rank, name in enumerate(names.split())} for role, names in NAMES.items()}

VERBS = {
    "create": "create new make init begin open setup construct initialize initialise",
    "destroy": "destroy delete drop end fini finish close deinit finalize teardown shutdown dispose terminate cleanup",
}
"""Roles whose names are open-ended (create_with_pool, init_ex), and how they begin, likeliest first."""
_MORE = """(_(with|in|into|from|on|at|ex|core|static|default|buffer|fixed|sized)(_.*)?
    |_(heap|pool|arena|stack|bump|allocator|list|freelist|instance|region|zone))?"""
_LIFE = {role: re.compile(f"(?P<verb>{'|'.join(verbs.split())}){_MORE}", re.VERBOSE) for role, verbs in VERBS.items()}

_LUA = re.compile(r"lua.*alloc|l_alloc")

_STRONG = listed(
    """malloc64 malloc alloc64 alloc allocate palloc mem_alloc alloc_block allocate_block block_alloc block_allocate
    calloc zalloc pcalloc realloc reallocate realloc64 aligned_alloc malloc_aligned alloc_aligned memalign
    aligned_malloc posix_memalign dealloc deallocate"""
)
"""Names that only allocators use; a queue may have `get` and `put`."""
_NOUNS = re.compile(r"pool|heap|arena|stack|bump|slab|mem|alloc|block|blk|region|zone|free_?list|chunk|fixed|slot")
_INSIDE = ("pool", "heap", "arena", "stack", "allocator", "zone", "region")
"""What the thing may be called that functions of a library with a shorter name work on: apr_palloc, apr_pool_create."""

_BELOW = ("create", "destroy", "reset", "mark", "release")

_WEIGHTS = {
    "alloc": 3, "free": 3, "lua_alloc": 4, "pop": 2, "reset": 2, "mark": 1, "release": 1, "zeroed": 2, "realloc": 2,
    "aligned": 2, "posix_memalign": 2, "create": 1, "destroy": 1, "usable_size": 1,
}  # fmt: skip
"""How much a role says that a group is an allocator."""


def words(name: str) -> list[str]:
    """The words of a name in either style, in small letters: `o1heapAllocate`, `old_size`."""
    return [match.group().lower() for match in _TOKEN.finditer(name)]


@dataclass
class Group:
    """Functions whose names begin alike."""

    key: str
    """What their names begin with, in small letters and without underscores at its ends."""
    prefix: str = ""
    """The same as it is most often written, without underscores before it."""
    roles: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    """What each may be, likeliest first."""
    strong: bool = False
    """One of them has a name that only allocators use."""

    @property
    def thing(self) -> bool:
        """Whether the functions say in their names what they work on: a pool, a heap."""
        return _NOUNS.search(self.key) is not None

    @property
    def names(self) -> frozenset[str]:
        """Every function that has a role."""
        return frozenset(name for names in self.roles.values() for name in names)

    @property
    def score(self) -> int:
        """How much it looks like an allocator; 0: it does not."""
        requests = [name for role in ("alloc", "aligned", "lua_alloc") for name in self.roles.get(role, ())]
        telling = self.strong or "lua_alloc" in self.roles or self.thing
        if not requests or not telling:
            return 0
        ends = [role for role in ("free", "pop", "reset", "release", "lua_alloc") if role in self.roles]
        if not ends and not self.thing and "create" not in self.roles:
            return 0
        idle = {"pop"} if "free" in self.roles else set[str]()  # no shape has both: it pops something else
        plain = {"malloc", "free"} <= self.names  # takes the C library's place
        return self.strong + 10 * plain + sum(_WEIGHTS.get(role, 0) for role in self.roles.keys() - idle)


def groups(functions: Iterable[str]) -> dict[str, Group]:
    """Functions by the beginnings of their names; one may be in several groups. C++ names are in none."""
    found: dict[str, Group] = {}
    ranked: dict[tuple[str, str], list[tuple[int, int, str]]] = {}
    written: dict[str, Counter[str]] = {}
    for name in sorted(functions):
        if name.startswith("_Z"):
            continue
        tokens = list(_TOKEN.finditer(name))
        for index in range(len(tokens) + 1):
            start = tokens[index].start() if index < len(tokens) else len(name)
            prefix = name[:start]
            rest = "_".join(token.group().lower() for token in tokens[index:])
            for role, rank in _roles(rest, prefix):
                key = prefix.strip("_").lower()
                group = found.setdefault(key, Group(key))
                written.setdefault(key, Counter())[prefix.lstrip("_") if key else ""] += 1
                group.strong |= rest in _STRONG or (role == "alloc" and not rest)
                hidden = len(name) - len(name.lstrip("_"))
                ranked.setdefault((key, role), []).append((rank, hidden, name))
    for (key, role), names in ranked.items():
        found[key].roles[role] = [name for _, _, name in sorted(names)]
    for key, group in found.items():
        group.prefix = max(written[key], key=lambda prefix: (written[key][prefix], len(prefix)))
        _settle_release(group)
        _fill(group, found)
    return found


def _roles(rest: str, prefix: str) -> list[tuple[str, int]]:
    """The roles of a name whose end is `rest`, and how likely each is: 0 is likeliest."""
    roles = [(role, ranks[rest]) for role, ranks in _RANKS.items() if rest in ranks]
    for role, pattern in _LIFE.items():
        if found := pattern.fullmatch(rest):
            # Of those that begin alike the shorter one.
            roles.append((role, 100 * VERBS[role].split().index(found["verb"]) + len(rest)))
    if not rest and re.fullmatch(r"_*(?!malloc|calloc|realloc|valloc)[a-z]+alloc", prefix):
        roles.append(("alloc", 0))  # talloc_free belongs to talloc
    if rest == "zero" and prefix.rstrip("_").endswith("alloc"):
        roles.append(("zeroed", 0))
    if _LUA.fullmatch(rest) or (rest in ("alloc", "allocator") and "lua" in words(prefix)):
        return [("lua_alloc", 0)]
    return roles


def _settle_release(group: Group) -> None:
    """Where there are marks, `release` or `rewind` goes back to one; elsewhere it ends a block, or all of them."""
    if "mark" not in group.roles:
        group.roles.pop("release", None)
    for back in group.roles.get("release", [])[:1]:
        for role in ("free", "reset"):
            rest = [name for name in group.roles.pop(role, []) if name != back]
            group.roles |= {role: rest} if rest else {}


def _fill(group: Group, found: dict[str, Group]) -> None:
    """Take from a group below (`apr_pool_` below `apr_`) how instances begin and end, where this one lacks it."""
    if not group.key or "free" in group.roles or "alloc" not in group.roles:
        return
    for thing in _INSIDE:
        below = found.get(f"{group.key}_{thing}")
        if below is not None and "create" in below.roles and "alloc" not in below.roles:
            group.roles |= {role: below.roles[role] for role in _BELOW if role in below.roles}
            return
