"""The contract of `lua_Alloc`: one function that allocates, resizes and frees."""

from ..event import Event, Status
from ..law import Law, Scope
from ..logic import Truth
from ..shapes import Kind

LUA = frozenset({"lua_alloc"})


def _frees(e: Event) -> Truth:
    return e.served & (e.kind == Kind.FREE)


def _gives_null(e: Event) -> Truth:
    return e.ptr == 0


free_gives_null = Law[Event](
    id="HL601",
    name="free_gives_null",
    sentence="called with a new size of 0 the function frees the block and returns NULL",
    source="Lua 5.4 manual 4.6, lua_Alloc",
    scope=Scope.EVENT,
    shapes=LUA,
    premise=_frees,
    body=_gives_null,
    observed=lambda e: f"{e.ptr:#x}",
    required=lambda e: "NULL",
    accepts=((Event(Kind.FREE, 0, held=64),),),
    rejects=((Event(Kind.FREE, 0, held=64, ptr=0x1010),),),
    dialects={
        "Lua 5.1": "manual 3.7, lua_Alloc: if nsize is zero, the allocator must return NULL",
        "Lua 5.4": "manual 4.6: when nsize is zero, the allocator must behave like free and then return NULL",
    },
)


def _shrinks(e: Event) -> Truth:
    return e.called & (e.kind == Kind.RESIZE) & (e.extent >= 1) & (e.extent <= e.held)


def _is_served(e: Event) -> Truth:
    return e.served


shrink_succeeds = Law[Event](
    id="HL602",
    name="shrink_succeeds",
    sentence="a resize to no more than the old size is served",
    source="Lua 5.1 to 5.3 manuals, lua_Alloc (Lua assumes that the allocator never fails when osize >= nsize)",
    scope=Scope.EVENT,
    shapes=frozenset({"lua_alloc", "malloc", "freelist"}),
    premise=_shrinks,
    body=_is_served,
    observed=lambda e: f"{e.held} -> {e.extent} bytes refused",
    required=lambda e: "a block",
    accepts=((Event(Kind.RESIZE, 32, held=64, ptr=0x1010),),),
    rejects=((Event(Kind.RESIZE, 32, held=64, status=Status.FAILED),),),
    dialects={"Lua 5.1 to 5.3": "lua_Alloc", "Lua 5.4": "no longer says so"},
    needs=frozenset({"shrinks"}),
)

LAWS = (free_gives_null, shrink_succeeds)
