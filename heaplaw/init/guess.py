"""From the names and parameters of exported functions to the calls of a mapping."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from heaplaw.mapping.vocabulary import SHAPES

from .arguments import Instance, Made, fitted, instance_type, like_lua, lua, usual
from .life import Life, life
from .signatures import Signature
from .words import Group, words

_LIKELY = 8
"""The score of a group that is worth a word beside the one that was chosen."""
_NAMED = {"bump": ("bump", "linear"), "freelist": ("freelist", "free_list", "flist"), "pool": ("pool", "slab", "fixed")}
"""What a group may be called that says of itself which shape it has."""
_COUNTS = {"num_free_blocks": "remaining", "num_allocated": "total_allocated"}
"""Counters of pools, and those whose names a count of blocks may have as well."""


@dataclass(frozen=True)
class Guess:
    """What a library is taken to be."""

    prefix: str
    """What its functions begin with."""
    shape: str
    why: str
    """What tells the shape."""
    life: Life
    operations: dict[str, Made]
    counters: dict[str, Made]
    hints: dict[str, Made] = field(default_factory=dict[str, Made])
    """Counters that may be meant, and are not taken."""
    missing: dict[str, str] = field(default_factory=dict[str, str])
    """Keys that must be filled in, and what with."""
    size_bits: int = 64
    """Of the parameter that says how much is asked for."""
    unused: tuple[str, ...] = ()
    """Functions whose names begin so, that no call is made of."""
    others: tuple[str, ...] = ()
    """What the functions of other allocators in the library begin with."""

    @property
    def made(self) -> list[Made]:
        """Every call that was guessed."""
        single = [call for call in (self.life.init, self.life.create, self.life.destroy) if call]
        return [*single, *self.operations.values(), *self.counters.values()]


def candidates(found: Mapping[str, Group], known: Mapping[str, Signature]) -> list[Group]:
    """Groups that look like allocators, likeliest first; `known` tells some of their functions' parameters."""
    groups = [_pruned(group, known) for group in found.values()]
    # Of equals the larger one, and of equals again the one whose name is shorter: heap_alloc is also heap's own.
    ordered = sorted(groups, key=lambda group: (-group.score, -len(group.roles), len(group.key), group.key))
    return [group for group in ordered if group.score]


def guess(
    groups: list[Group], known: Mapping[str, Signature], exported: Collection[str], shape: str | None = None
) -> Guess:
    """What the first of `groups` is."""
    group = groups[0]
    told, why = _shape(group, known)
    if shape is not None and shape != told:
        why = f"as --shape says; its functions look like {told}"
    shape = shape or told
    if shape == "lua_alloc":
        return _lua(group, known, why)
    maker, kind = _maker(group, known)
    lives = life(_unfreed(group, shape, known), known, shape, kind, maker)
    every = SHAPES[shape]
    operations = _calls(every.operations, group, known, lives.instance, every.sized)
    counters = _calls(every.counters, group, known, lives.instance, every.sized)
    if "pop" in every.required and "pop" not in operations:
        operations |= _popped(group, known, lives.instance)
    request = operations.get("alloc")
    if request and "align" in request.arguments and "aligned" in every.operations:
        operations.setdefault("aligned", request)
    if "reset" in operations and not {"mark", "release"} <= operations.keys():
        operations = {key: made for key, made in operations.items() if key not in ("mark", "release")}
    operations = _statuses(operations, known)
    called = [call for call in (lives.destroy, *operations.values(), *counters.values()) if call]
    if lives.create is None and not any(lives.instance.word in call.arguments for call in called):
        lives = life(group, known, shape, "", maker)
    living = [call for call in (lives.init, lives.create, lives.destroy) if call]
    used = {call.function for call in (*living, *operations.values(), *counters.values())}
    return Guess(
        prefix=group.prefix,
        shape=shape,
        why=why,
        life=lives,
        operations=operations,
        counters=counters,
        hints=_hints(shape, group, known, lives.instance, counters),
        missing={**lives.missing, **_missing(shape, operations)},
        size_bits=_size_bits(operations, known),
        unused=_unused(group.prefix, exported, used),
        others=tuple(g.prefix for g in groups[1:] if g.score >= _LIKELY and not g.names & group.names)[:4],
    )


# ---------------------------------------------------------------------------------------------------- the group


def _pruned(group: Group, known: Mapping[str, Signature]) -> Group:
    """The group without functions whose parameters say that they have another role."""
    roles = {role: list(names) for role, names in group.roles.items()}
    requests = roles.pop("alloc", [])
    luas = [name for name in requests if name in known and like_lua(known[name])]
    plain = [name for name in requests if name not in luas and (name not in known or _hands_out(known[name]))]
    if luas:
        roles["lua_alloc"] = [*roles.get("lua_alloc", []), *luas]
    if plain:
        roles["alloc"] = plain
        kind = instance_type(known[plain[0]]) if plain[0] in known else ""
        ends = [name for name in roles.get("free", []) if _ends_instance(known.get(name), kind)]
        frees = [name for name in roles.pop("free", []) if name not in ends]
        roles |= {"free": frees} if frees else {}
        roles |= {"destroy": [*roles.get("destroy", []), *ends]} if ends else {}
    return replace(group, roles=roles)


def _hands_out(signature: Signature) -> bool:
    """Whether a function can give memory of no type: others make objects."""
    out = any(parameter.type.pointee.kind == "pointer" for parameter in signature.parameters)
    return signature.returns.bytes or (out and signature.returns.kind in ("int", "bool"))


def _ends_instance(signature: Signature | None, kind: str) -> bool:
    """Whether a function called `free` is given nothing but the instance."""
    kinds = [parameter.type.name for parameter in signature.parameters] if signature else []
    return kinds == [kind] and kind not in ("", "void *")


def _shape(group: Group, known: Mapping[str, Signature]) -> tuple[str, str]:
    """The shape that a group seems to have, and what tells it."""
    roles, key = group.roles, group.key
    named = {shape for shape, names in _NAMED.items() if any(name in key for name in names)}
    if "lua_alloc" in roles and not {"alloc", "free"} <= roles.keys():
        return "lua_alloc", "one function does it all"
    if "pop" in roles:
        return "stack", "it has a pop"
    ends = "mark" in roles or "reset" in roles
    if "free" not in roles or (ends and "arena" in key and roles["free"][0] not in known):
        if "mark" in roles or ("reset" in roles and "bump" not in named):
            return "arena", "blocks end together"
        return "bump", "no block is ended by itself"
    if "freelist" in named:
        return "freelist", "its name says so"
    request = known.get(roles.get("alloc", [""])[0])
    if request is not None:
        numbers = any(parameter.type.kind == "int" for parameter in request.parameters)
        return ("malloc", "blocks have sizes, and are freed") if numbers else ("pool", "no size is asked for")
    if "pool" in named and roles.keys().isdisjoint(("realloc", "aligned", "zeroed", "usable_size")):
        return "pool", "its name says so"
    return "malloc", "it has an alloc and a free"


def _maker(group: Group, known: Mapping[str, Signature]) -> tuple[str, str | None]:
    """What hands out blocks, and the type of what it works on; "" for nothing, None where that is not known."""
    for name in (*group.roles.get("alloc", ()), *group.roles.get("aligned", ())):
        if name not in known:
            return name, None
        if _hands_out(known[name]):
            return name, instance_type(known[name])
    return "", None


def _unfreed(group: Group, shape: str, known: Mapping[str, Signature]) -> Group:
    """The group as its shape has it: where no block is freed, what is called `free` may end the instance."""
    names = group.roles.get("free", [])
    ends_blocks = "free" in SHAPES[shape].operations or (shape == "stack" and "pop" not in group.roles)
    if ends_blocks or "destroy" in group.roles or not names or names[0] in known:
        return group
    return replace(group, roles={**group.roles, "destroy": names})


# ---------------------------------------------------------------------------------------------------- the calls


def _call(
    role: str, names: Collection[str], known: Mapping[str, Signature], instance: Instance, sized: bool
) -> Made | None:
    """The first of `names` that can have the role."""
    for name in names:
        if name in known:
            made = fitted(role, name, known[name], instance, sized)
        else:
            # Those who walk a heap are usually given what to call.
            made = None if words(name)[-1] == "walk" else usual(role, name, instance, sized)
        if made is not None:
            return replace(made, remark=made.remark or "guessed: bytes in use") if name.endswith("total") else made
    return None


def _calls(
    keys: Collection[str], group: Group, known: Mapping[str, Signature], instance: Instance, sized: bool
) -> dict[str, Made]:
    """The calls of those of `keys` that the group has."""
    found = {key: _call(key, group.roles.get(key, ()), known, instance, sized) for key in keys}
    return {key: made for key, made in found.items() if made is not None}


def _popped(group: Group, known: Mapping[str, Signature], instance: Instance) -> dict[str, Made]:
    """Of a stack whose blocks are freed: the newest is given to `free`."""
    made = _call("free", group.roles.get("free", ()), known, instance, sized=True)
    return {"pop": replace(made, remark=made.remark or "guessed: it ends the newest block")} if made else {}


def _statuses(operations: dict[str, Made], known: Mapping[str, Signature]) -> dict[str, Made]:
    """Where blocks are handed out with a status, what ends them gives one too."""
    request = operations.get("alloc")
    if request is None or "&out" not in request.arguments or request.returns:
        return operations
    kind = known[request.function].returns
    found = dict(operations)
    for key in ("free", "pop", "reset", "release"):
        made = found.get(key)
        if made and made.function in known and known[made.function].returns == kind:
            found[key] = replace(made, returns="status")
    return found


def _hints(
    shape: str, group: Group, known: Mapping[str, Signature], instance: Instance, counters: Mapping[str, Made]
) -> dict[str, Made]:
    """A pool's counters that may count blocks or bytes."""
    if shape != "pool":
        return {}
    found = {
        key: _call(key, group.roles.get(role, ()), known, instance, sized=False)
        for key, role in _COUNTS.items()
        if key not in counters
    }
    return {key: made for key, made in found.items() if made is not None}


def _lua(group: Group, known: Mapping[str, Signature], why: str) -> Guess:
    """The one function of a `lua_Alloc`, and its first argument where something makes one."""
    name = next(iter(group.roles.get("lua_alloc", ())), "")
    signature = known.get(name)
    maker, kind = (name, None) if name else _maker(group, known)
    if signature is not None:
        kind = signature.parameters[0].type.name if signature.parameters else ""
    lives = life(group, known, "lua_alloc", kind if "create" in group.roles else "", maker)
    if lives.create is None:
        lives = life(group, known, "lua_alloc", "", maker)
    operations = {"lua_alloc": lua(name, signature, lives.instance)} if name else {}
    missing = {} if name else {"lua_alloc": "allocates, resizes and frees"}
    return Guess(group.prefix, "lua_alloc", why, lives, operations, {}, missing=missing)


# ------------------------------------------------------------------------------------------------ what is lacking


def _missing(shape: str, operations: Collection[str]) -> dict[str, str]:
    """Operations that the shape must have, and what they do."""
    rules = SHAPES[shape]
    lacking = [key for key in rules.required if key not in operations]
    for group in rules.one_of:
        if not any(set(choice) <= set(operations) for choice in group):
            begun = [choice for choice in group if set(choice) & set(operations)]
            lacking += [key for key in (begun or group)[0] if key not in operations]
    return {key: DOES[key] for key in lacking}


DOES = {
    "alloc": "hands out a block",
    "zeroed": "hands out zeroed memory",
    "aligned": "hands out a block aligned to align",
    "posix_memalign": "the same under POSIX's rules",
    "realloc": "resizes a block",
    "free": "ends a block",
    "pop": "ends the newest live block",
    "reset": "ends all blocks",
    "mark": "gives a mark",
    "release": "ends all blocks made since a mark",
    "lua_alloc": "allocates, resizes and frees",
    "usable_size": "the bytes of a block that may be used",
    "remaining": "the bytes that are left",
    "total_allocated": "the bytes that are in use",
    "num_free_blocks": "how many blocks are free",
    "num_allocated": "how many blocks are live",
    "invariant": "its own check of itself; status: 0 is well",
    "base": "where its memory begins, if not at buffer",
}
"""What operations and counters do."""


def _size_bits(operations: Mapping[str, Made], known: Mapping[str, Signature]) -> int:
    """Of the narrowest parameter that a size is passed in; the sign takes a bit."""
    bits = [64]
    for made in operations.values():
        parameters = known[made.function].parameters if made.function in known else ()
        for word, parameter in zip(made.arguments, parameters, strict=False):
            if word == "size" and parameter.type.size:
                bits.append(8 * parameter.type.size - parameter.type.signed)
    return min(bits)


def _unused(prefix: str, exported: Collection[str], used: Collection[str]) -> tuple[str, ...]:
    """Functions beside those that are called, by name; none of a library without a prefix, which may have thousands."""
    if not prefix:
        return ()
    return tuple(sorted(name for name in exported if name.lstrip("_").startswith(prefix) and name not in used))
