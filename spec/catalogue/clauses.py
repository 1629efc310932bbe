"""What standards and manuals say of single calls, clause by clause: each dialect decides which answers it allows.

These laws are judged in scenes: short programs, each in a fresh process. Where no dialect is declared an answer is a
fault only if every dialect that speaks forbids it.
"""

from collections.abc import Callable
from errno import EINVAL, ENOMEM
from functools import partial
from signal import Signals

from ..dialects import NAMES, Clause, Clauses, Dialect, in_force, leaves_open, permitted
from ..event import ERRNO_CLEARED, Env, Event, Flag, Status, View
from ..history import EXIT_CODES
from ..law import Law, Scope
from ..logic import Truth, Word, ite, mod_pow2, neg, one_of
from ..shapes import MAKERS, REQUESTS, Kind

D = Dialect
MALLOC = frozenset({"malloc"})
C = frozenset({"C functions"})
"""Standards speak of functions of C: objects of Python are not asked by them."""
SMALL = 64
"""Bytes that the small requests of scenes ask for, at most."""
EARLY = 64
"""Operations of a process among which they come."""
HARDLY_ANYTHING = 4096
"""Bytes that are live before them, at most."""


def _answered(e: Event) -> Truth:
    return e.served | e.failed


def _served(e: Event) -> Truth:
    return e.served


def _refused(e: Event) -> Truth:
    return e.failed


def _body(clauses: Clauses) -> Callable[[Event], Truth]:
    """What the dialects in force permit."""

    def body(e: Event) -> Truth:
        return permitted(clauses, e.env.dialects, e)

    return body


def _required(clauses: Clauses, e: Event) -> str:
    """What the dialects in force ask for that do not allow what came."""
    asking = [dialect for dialect in in_force(clauses, int(e.env.dialects)) if not clauses[dialect].allows(e)]
    same: dict[str, list[str]] = {}
    for dialect in asking:
        same.setdefault(clauses[dialect].text, []).append(NAMES[dialect])
    return "; ".join(f"by {', '.join(names)}: {text}" for text, names in same.items())


def answer(e: Event) -> str:
    """What came of a call, in words: no address, nothing that differs from run to run."""
    match e.status:
        case Status.OK if one_of(e.kind, (*MAKERS, Kind.RESIZE_TO_ZERO, Kind.ODD_ALIGNED, Kind.ODD_POSIX_ALIGNED)):
            return "a block"
        case Status.OK:
            return "it returned"
        case Status.FAILED if e.kind == Kind.MISFREE:
            return f"refused (error {_signed(e.err)})" if e.err else "refused"
        case Status.FAILED:
            code = {0: "errno not set", ENOMEM: "ENOMEM", EINVAL: "EINVAL"}.get(e.err, f"error {e.err}")
            return code if e.kind == Kind.ODD_POSIX_ALIGNED else f"NULL, {code}"
        case Status.DIED:
            return ended(int(e.err))
        case _ if e.kind == Kind.MISFREE:
            return f"neither done nor refused (error {_signed(e.err)})"
        case _:
            return f"neither a block nor the failure value (error {_signed(e.err)})"


def _signed(code: Word) -> int:
    return int(code) - 2**32 if code >= 2**31 else int(code)


def ended(how: int) -> str:
    """How a process ended in a call, in words: by a signal, by an exit, or not at all."""
    if how >= EXIT_CODES:
        return f"exited: the process ended itself with code {how - EXIT_CODES}"
    return f"died: {Signals(how).name if how in set(Signals) else f'signal {how}'}" if how else "never returned"


# ---- nothing


def _asks_for_nothing(e: Event) -> Truth:
    return e.called & one_of(e.kind, (*REQUESTS, Kind.RESIZE)) & (e.extent == 0) & neg(e.unserviceable)


def _served_or_by_pointer(e: Event) -> Truth:
    # The page of posix_memalign leaves both open; that of malloc tells what glibc gives.
    return ite(e.kind == Kind.POSIX_ALIGNED, _answered(e), _served(e))


_ZERO: Clauses = {
    D.C11: Clause("7.22.3 p1: a null pointer, or as if the size were some nonzero value", _answered),
    D.C17: Clause("7.22.3 p1: a null pointer, or as if the size were some nonzero value", _answered),
    D.C23: Clause("7.24.3 p1: a null pointer, or as if the size were some nonzero value", _answered),
    D.POSIX: Clause("malloc, RETURN VALUE: a null pointer, or one that can be passed to free", _answered),
    D.POSIX_2024: Clause("malloc, RETURN VALUE: a null pointer, or one that can be passed to free", _answered),
    D.GLIBC: Clause("malloc(3): a pointer of its own; posix_memalign(3): that, or NULL", _served_or_by_pointer),
    D.EMBEDDED: Clause("either is usual", _answered),
}

zero_size_answered = Law[Event](
    id="HL901",
    name="zero_size_answered",
    sentence="a request for 0 bytes gives a null pointer or a block, whichever the dialect allows",
    source="C17 7.22.3 p1; POSIX.1-2017 malloc; malloc(3)",
    scope=Scope.EVENT,
    shapes=MALLOC,
    premise=_asks_for_nothing,
    body=_body(_ZERO),
    observed=answer,
    required=partial(_required, _ZERO),
    accepts=((Event(Kind.ALLOC, 0, ptr=0x1010),), (Event(Kind.ALLOC, 0, status=Status.FAILED),)),
    rejects=(
        (Event(Kind.ALLOC, 0, status=Status.DIED),),
        (Event(Kind.ALLOC, 0, status=Status.FAILED, env=Env(dialects=D.GLIBC)),),
    ),
    needs=C,
    clauses=_ZERO,
    scenes=True,
)


def _resizes_to_nothing(e: Event) -> Truth:
    return e.called & (e.kind == Kind.RESIZE_TO_ZERO)


def _tells(e: Event) -> Truth:
    return e.served | (e.failed & (e.err > 0))


_TO_ZERO: Clauses = {
    D.C11: Clause("7.22.3 p1: a null pointer, or as if the size were some nonzero value", _answered),
    D.C17: Clause("7.22.3.5 p3: as for malloc(0); whether the old object is freed is the implementation's", _answered),
    D.C23: Clause("7.24.3.7 p3: undefined", leaves_open),
    D.POSIX: Clause("realloc, RETURN VALUE: a null pointer with errno set, or one that can be freed", _tells),
    D.POSIX_2024: Clause("realloc, RETURN VALUE: a null pointer with errno set, or one that can be freed", _tells),
    D.GLIBC: Clause("malloc(3), realloc: as free(ptr), and NULL", _refused),
    D.EMBEDDED: Clause("either is usual", _answered),
}

zero_resize_answered = Law[Event](
    id="HL902",
    name="zero_resize_answered",
    sentence="realloc of a block to 0 bytes gives what the dialect allows: a null pointer, or a block",
    source="C17 7.22.3.5 p3 (after DR 400); C23 7.24.3.7 p3; POSIX.1-2017 realloc; malloc(3)",
    scope=Scope.EVENT,
    shapes=MALLOC,
    premise=_resizes_to_nothing,
    body=_body(_TO_ZERO),
    observed=answer,
    required=partial(_required, _TO_ZERO),
    accepts=(
        (Event(Kind.RESIZE_TO_ZERO, 0, held=64, status=Status.FAILED),),
        (Event(Kind.RESIZE_TO_ZERO, 0, held=64, status=Status.DIED),),
        (Event(Kind.RESIZE_TO_ZERO, 0, held=64, ptr=0x1010, env=Env(dialects=D.POSIX)),),
    ),
    rejects=(
        (Event(Kind.RESIZE_TO_ZERO, 0, held=64, status=Status.DIED, env=Env(dialects=D.C17)),),
        (Event(Kind.RESIZE_TO_ZERO, 0, held=64, status=Status.FAILED, env=Env(dialects=D.POSIX)),),
        (Event(Kind.RESIZE_TO_ZERO, 0, held=64, ptr=0x1010, env=Env(dialects=D.GLIBC)),),
    ),
    needs=C | {"realloc"},
    clauses=_TO_ZERO,
    scenes=True,
)


def _zero_resize_as_promised(e: Event) -> Truth:
    return ite(e.env.zero_resize == 1, e.failed, e.served)


zero_resize_as_promised = Law[Event](
    id="HL903",
    name="zero_resize_as_promised",
    sentence="realloc of a block to 0 bytes gives what was promised: NULL, or a block of its own",
    source="the allocator's manual, as its mapping promises it",
    scope=Scope.EVENT,
    shapes=frozenset({"malloc", "freelist"}),
    premise=_resizes_to_nothing,
    body=_zero_resize_as_promised,
    observed=answer,
    required=lambda e: "NULL" if e.env.zero_resize == 1 else "a block",
    accepts=(
        (Event(Kind.RESIZE_TO_ZERO, 0, held=64, status=Status.FAILED, env=Env(zero_resize=1)),),
        (Event(Kind.RESIZE_TO_ZERO, 0, held=64, ptr=0x1010, env=Env(zero_resize=2)),),
    ),
    rejects=(
        (Event(Kind.RESIZE_TO_ZERO, 0, held=64, ptr=0x1010, env=Env(zero_resize=1)),),
        (Event(Kind.RESIZE_TO_ZERO, 0, held=64, status=Status.FAILED, env=Env(zero_resize=2)),),
    ),
    needs=frozenset({"realloc", "zero resize"}),
    scenes=True,
)

# ---- refusals


def _asks_for_little(pre: View, e: Event, _post: View) -> Truth:
    asked = one_of(e.kind, MAKERS) & (e.extent >= 1) & (e.extent <= SMALL)
    usual = neg(one_of(e.kind, (Kind.ALIGNED, Kind.POSIX_ALIGNED))) | (e.align <= SMALL)
    early = (e.index < EARLY) & (pre.live_bytes <= HARDLY_ANYTHING)
    return e.called & asked & usual & early & neg(e.status == Status.DIED)


def _step_served(_pre: View, e: Event, _post: View) -> Truth:
    return e.served


small_request_served = Law[View, Event, View](
    id="HL904",
    name="small_request_served",
    sentence="a small request is served while hardly anything is live, also right after refusals",
    source="C17 7.22.3 p1 (a null pointer is returned if the space cannot be allocated); POSIX.1-2017 malloc, ENOMEM",
    scope=Scope.STEP,
    shapes=frozenset({"malloc", "lua_alloc"}),
    premise=_asks_for_little,
    body=_step_served,
    observed=lambda pre, e, post: answer(e),
    required=lambda pre, e, post: "a block",
    accepts=((View(), Event(Kind.ALLOC, 48, ptr=0x1010), View()),),
    rejects=(
        (View(), Event(Kind.ALLOC, 48, status=Status.FAILED), View()),
        (View(live_bytes=16), Event(Kind.RESIZE, 64, held=16, status=Status.FAILED), View()),
    ),
    needs=C,
    scenes=True,
)


def _is_refused(e: Event) -> Truth:
    asked = one_of(e.kind, (Kind.ALLOC, Kind.ZALLOC, Kind.RESIZE, Kind.ALIGNED, Kind.POSIX_ALIGNED))
    return e.failed & asked & (e.unserviceable | (e.extent >= 1))


def _says_enomem(e: Event) -> Truth:
    return e.err == ENOMEM


_ENOMEM: Clauses = {
    D.C11: Clause("7.5 p3: errno may be set or not", leaves_open),
    D.C17: Clause("7.5 p3: errno may be set or not", leaves_open),
    D.C23: Clause("7.5 p3: errno may be set or not", leaves_open),
    D.POSIX: Clause("malloc, calloc, realloc, posix_memalign, ERRORS: ENOMEM", _says_enomem),
    D.POSIX_2024: Clause("malloc, calloc, realloc, aligned_alloc, posix_memalign, ERRORS: ENOMEM", _says_enomem),
    D.GLIBC: Clause("malloc(3), ERRORS: ENOMEM", _says_enomem),
    D.EMBEDDED: Clause("there is no errno", leaves_open),
}

refusal_says_enomem = Law[Event](
    id="HL905",
    name="refusal_says_enomem",
    sentence="a request that cannot be served tells ENOMEM, in errno or by its value, where the dialect says so",
    source="POSIX.1-2017 malloc, calloc, realloc: ERRORS; malloc(3)",
    scope=Scope.EVENT,
    shapes=MALLOC,
    premise=_is_refused,
    body=_body(_ENOMEM),
    observed=answer,
    required=partial(_required, _ENOMEM),
    accepts=(
        (Event(Kind.ALLOC, 2**62, status=Status.FAILED),),
        (Event(Kind.ALLOC, 2**62, status=Status.FAILED, err=ENOMEM, env=Env(dialects=D.POSIX)),),
    ),
    rejects=((Event(Kind.ALLOC, 2**62, status=Status.FAILED, env=Env(dialects=D.POSIX | D.C17)),),),
    needs=frozenset({"C functions", "huge sizes"}),
    clauses=_ENOMEM,
    scenes=True,
)


def _refuses_by_pointer(e: Event) -> Truth:
    return e.failed & one_of(e.kind, (Kind.POSIX_ALIGNED, Kind.ODD_POSIX_ALIGNED)) & (e.extent >= 1) | (
        e.failed & (e.kind == Kind.POSIX_ALIGNED) & e.unserviceable
    )


def _out_kept(e: Event) -> Truth:
    return neg(e.flags == Flag.OUT_WRITTEN)


def _out_kept_or_null(e: Event) -> Truth:
    return neg(e.flags == Flag.OUT_WRITTEN) | (e.bad_at == 0)


def _out_pointer(e: Event) -> str:
    if e.flags != Flag.OUT_WRITTEN:
        return "the out-pointer is as it was"
    return "the out-pointer was made NULL" if e.bad_at == 0 else "something was written to the out-pointer"


_OUT: Clauses = {
    D.POSIX: Clause("posix_memalign, RETURN VALUE: left unmodified, or set to a null pointer", _out_kept_or_null),
    D.POSIX_2024: Clause("posix_memalign, RETURN VALUE: left unmodified, or set to a null pointer", _out_kept_or_null),
    D.GLIBC: Clause("posix_memalign(3): memptr is not modified on failure", _out_kept),
}

out_pointer_kept = Law[Event](
    id="HL906",
    name="out_pointer_kept",
    sentence="a posix_memalign that fails leaves the out-pointer alone, or makes it NULL where the dialect allows that",
    source="POSIX.1-2017 posix_memalign, RETURN VALUE; posix_memalign(3)",
    scope=Scope.EVENT,
    shapes=MALLOC,
    premise=_refuses_by_pointer,
    body=_body(_OUT),
    observed=_out_pointer,
    required=partial(_required, _OUT),
    accepts=(
        (Event(Kind.POSIX_ALIGNED, 2**62, 64, status=Status.FAILED, err=ENOMEM),),
        (Event(Kind.POSIX_ALIGNED, 2**62, 64, status=Status.FAILED, err=ENOMEM, flags=Flag.OUT_WRITTEN),),
    ),
    rejects=(
        (Event(Kind.ODD_POSIX_ALIGNED, 64, 3, status=Status.FAILED, err=EINVAL, flags=Flag.OUT_WRITTEN, bad_at=1),),
        (
            Event(
                Kind.POSIX_ALIGNED,
                2**62,
                64,
                status=Status.FAILED,
                err=ENOMEM,
                flags=Flag.OUT_WRITTEN,
                env=Env(dialects=D.GLIBC),
            ),
        ),
    ),
    needs=C | {"posix_memalign"},
    clauses=_OUT,
    scenes=True,
)

# ---- alignments


def _asks_oddly_by_pointer(e: Event) -> Truth:
    return e.called & (e.kind == Kind.ODD_POSIX_ALIGNED)


def _says_einval(e: Event) -> Truth:
    return e.failed & (e.err == EINVAL)


_EINVAL: Clauses = {
    D.POSIX: Clause(
        "posix_memalign, ERRORS: EINVAL where it is no power of two multiple of sizeof(void *)", _says_einval
    ),
    D.POSIX_2024: Clause("posix_memalign, ERRORS: EINVAL where it is no such power of two", _says_einval),
    D.GLIBC: Clause("posix_memalign(3), ERRORS: EINVAL", _says_einval),
}

bad_alignment_einval = Law[Event](
    id="HL907",
    name="bad_alignment_einval",
    sentence="posix_memalign gives EINVAL for an alignment that is no power of two, or no multiple of a pointer's size",
    source="POSIX.1-2017 posix_memalign, ERRORS",
    scope=Scope.EVENT,
    shapes=MALLOC,
    premise=_asks_oddly_by_pointer,
    body=_body(_EINVAL),
    observed=answer,
    required=partial(_required, _EINVAL),
    accepts=((Event(Kind.ODD_POSIX_ALIGNED, 64, 24, status=Status.FAILED, err=EINVAL),),),
    rejects=(
        (Event(Kind.ODD_POSIX_ALIGNED, 64, 24, ptr=0x1010),),
        (Event(Kind.ODD_POSIX_ALIGNED, 64, 4, status=Status.FAILED, err=ENOMEM),),
    ),
    needs=C | {"posix_memalign"},
    clauses=_EINVAL,
    scenes=True,
)


def _asks_oddly(e: Event) -> Truth:
    return e.called & (e.kind == Kind.ODD_ALIGNED)


_ODD: Clauses = {
    D.C11: Clause("7.22.3.1 p2, before DR 460: undefined", leaves_open),
    D.C17: Clause("7.22.3.1 p2: fails by returning a null pointer", _refused),
    D.C23: Clause("7.24.3.1 p2: fails by returning a null pointer", _refused),
    D.POSIX_2024: Clause("aligned_alloc, ERRORS: EINVAL", _says_einval),
    D.GLIBC: Clause("posix_memalign(3): EINVAL where it is no power of two", _says_einval),
    D.EMBEDDED: Clause("says nothing", leaves_open),
}

odd_alignment_refused = Law[Event](
    id="HL908",
    name="odd_alignment_refused",
    sentence="aligned_alloc with an alignment that is no power of two fails by returning a null pointer",
    source="C17 7.22.3.1 p2 (DR 460); C23 7.24.3.1 p2",
    scope=Scope.EVENT,
    shapes=MALLOC,
    premise=_asks_oddly,
    body=_body(_ODD),
    observed=answer,
    required=partial(_required, _ODD),
    accepts=(
        (Event(Kind.ODD_ALIGNED, 64, 3, status=Status.FAILED),),
        (Event(Kind.ODD_ALIGNED, 64, 3, ptr=0x1010),),
    ),
    rejects=((Event(Kind.ODD_ALIGNED, 64, 3, ptr=0x1010, env=Env(dialects=D.C17)),),),
    needs=C | {"aligned_alloc"},
    clauses=_ODD,
    scenes=True,
)


def _odd_size(e: Event) -> Truth:
    little = (e.extent >= 1) & (e.extent <= 4096) & (e.align <= 4096) & (e.index < EARLY)
    no_multiple = neg(mod_pow2(e.size, ite(e.align == 0, 1, e.align)) == 0)
    return e.called & (e.kind == Kind.ALIGNED) & little & no_multiple


def _served_aligned(e: Event) -> Truth:
    return e.served & (mod_pow2(e.ptr, ite(e.align == 0, 1, e.align)) == 0)


_ODD_SIZE: Clauses = {
    D.C11: Clause("7.22.3.1 p2, before DR 460: undefined where the size is no multiple of the alignment", leaves_open),
    D.C17: Clause("7.22.3.1 p2: any size", _served_aligned),
    D.C23: Clause("7.24.3.1 p2: any size", _served_aligned),
    D.POSIX_2024: Clause("aligned_alloc, as C17: any size", _served_aligned),
    D.GLIBC: Clause("posix_memalign(3): the size should be a multiple; what comes otherwise is left open", leaves_open),
    D.EMBEDDED: Clause("says nothing", leaves_open),
}

odd_size_served = Law[Event](
    id="HL909",
    name="odd_size_served",
    sentence="aligned_alloc serves sizes that are no multiple of the alignment",
    source="C17 7.22.3.1 p2 (DR 460); C23 7.24.3.1 p2",
    scope=Scope.EVENT,
    shapes=MALLOC,
    premise=_odd_size,
    body=_body(_ODD_SIZE),
    observed=answer,
    required=partial(_required, _ODD_SIZE),
    accepts=((Event(Kind.ALIGNED, 100, 64, ptr=0x1040, env=Env(dialects=D.C17)),),),
    rejects=((Event(Kind.ALIGNED, 100, 64, status=Status.FAILED, env=Env(dialects=D.C17)),),),
    needs=C | {"aligned_alloc", "any aligned size"},
    clauses=_ODD_SIZE,
    scenes=True,
)


def _plain_block(e: Event) -> Truth:
    return e.makes & one_of(e.kind, (Kind.ALLOC, Kind.ZALLOC, Kind.RESIZE)) & (e.extent >= 1)


def _for_any_object(e: Event) -> Truth:
    return mod_pow2(e.ptr, 16) == 0


def _for_what_fits(e: Event) -> Truth:
    return mod_pow2(e.ptr, e.required_align) == 0


_SMALL: Clauses = {
    D.C11: Clause("7.22.3 p1: for any object with a fundamental alignment, whatever the size", _for_any_object),
    D.C17: Clause("7.22.3 p1: for any object with a fundamental alignment, whatever the size", _for_any_object),
    D.C23: Clause("7.24.3 p1: for any object whose size is at most the size requested", _for_what_fits),
    D.POSIX: Clause("malloc, DESCRIPTION: for any type of object", _for_any_object),
    D.POSIX_2024: Clause("malloc, DESCRIPTION: for any object with a fundamental alignment", _for_any_object),
    D.GLIBC: Clause("malloc(3): for any type that fits; the manual says 16, which is left open here", _for_what_fits),
    D.EMBEDDED: Clause("as promised", _for_what_fits),
}

small_sizes_aligned = Law[Event](
    id="HL910",
    name="small_sizes_aligned",
    sentence="blocks of small sizes are aligned as the dialect says: for any object, or for any that fits",
    source="C17 7.22.3 p1 and C23 7.24.3 p1, which differ; alignof(max_align_t) is 16 on 64-bit systems",
    scope=Scope.EVENT,
    shapes=MALLOC,
    premise=_plain_block,
    body=_body(_SMALL),
    observed=lambda e: f"an address that is a multiple of {min(16, e.ptr & -e.ptr)}",
    required=partial(_required, _SMALL),
    accepts=(
        (Event(Kind.ALLOC, 8, ptr=0x1008),),
        (Event(Kind.ALLOC, 8, ptr=0x1010, env=Env(dialects=D.C17)),),
    ),
    rejects=(
        (Event(Kind.ALLOC, 8, ptr=0x1004),),
        (Event(Kind.ALLOC, 8, ptr=0x1008, env=Env(dialects=D.C17)),),
    ),
    needs=C,
    clauses=_SMALL,
    scenes=True,
)

# ---- giving back


def _freed(e: Event) -> Truth:
    return e.served & (e.kind == Kind.FREE)


def _errno_kept(e: Event) -> Truth:
    return e.err == 0


def _not_cleared(e: Event) -> Truth:
    return neg(e.err == ERRNO_CLEARED)


_KEPT: Clauses = {
    D.C11: Clause("7.5 p3: errno may change, but never to 0", _not_cleared),
    D.C17: Clause("7.5 p3: errno may change, but never to 0", _not_cleared),
    D.C23: Clause("7.5 p3: errno may change, but never to 0", _not_cleared),
    D.POSIX: Clause("errno.h: no function sets errno to 0", _not_cleared),
    D.POSIX_2024: Clause("free, DESCRIPTION: errno is as before", _errno_kept),
    D.GLIBC: Clause("free(3), since 2.33: errno is as before", _errno_kept),
    D.EMBEDDED: Clause("there is no errno", leaves_open),
}

free_keeps_errno = Law[Event](
    id="HL911",
    name="free_keeps_errno",
    sentence="free leaves errno as it was where the dialect says so, and never sets it to 0",
    source="POSIX.1-2024 free; free(3)",
    scope=Scope.EVENT,
    shapes=MALLOC,
    premise=_freed,
    body=_body(_KEPT),
    observed=lambda e: {0: "errno as before", ERRNO_CLEARED: "errno was set to 0"}.get(e.err, f"errno became {e.err}"),
    required=partial(_required, _KEPT),
    accepts=((Event(Kind.FREE, 0, held=64),), (Event(Kind.FREE, 0, held=64, err=12),)),
    rejects=((Event(Kind.FREE, 0, held=64, err=12, env=Env(dialects=D.POSIX_2024)),),),
    needs=C,
    clauses=_KEPT,
    scenes=True,
)


def _fills(e: Event) -> Truth:
    return e.called & (e.kind == Kind.FILL_USABLE)


def _all_writable(e: Event) -> Truth:
    return e.served & neg(e.flags == Flag.UNWRITABLE)


usable_bytes_writable = Law[Event](
    id="HL912",
    name="usable_bytes_writable",
    sentence="every byte of the usable size can be written and read, also after a resize",
    source="malloc_usable_size(3) before man-pages 6.05; jemalloc(3); where the mapping promises it",
    scope=Scope.EVENT,
    shapes=frozenset({"malloc", "freelist"}),
    premise=_fills,
    body=_all_writable,
    observed=lambda e: (
        f"only {e.bad_at} of {e.usable} usable bytes can be written" if e.flags == Flag.UNWRITABLE else answer(e)
    ),
    required=lambda e: f"{e.usable} writable bytes",
    accepts=((Event(Kind.FILL_USABLE, 0, held=24, usable=32),),),
    rejects=(
        (Event(Kind.FILL_USABLE, 0, held=24, usable=9000, flags=Flag.UNWRITABLE, bad_at=4096),),
        (Event(Kind.FILL_USABLE, 0, held=24, usable=32, status=Status.DIED),),
    ),
    needs=frozenset({"usable_size", "usable bytes"}),
    scenes=True,
)

LAWS = (
    zero_size_answered,
    zero_resize_answered,
    zero_resize_as_promised,
    small_request_served,
    refusal_says_enomem,
    out_pointer_kept,
    bad_alignment_einval,
    odd_alignment_refused,
    odd_size_served,
    small_sizes_aligned,
    free_keeps_errno,
    usable_bytes_writable,
)

__all__ = ["EARLY", "LAWS", "SMALL", "answer", "ended"]
