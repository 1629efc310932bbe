/* Small single-threaded allocators, correct or with one seeded fault. The
 * variable HEAPLAW_MUTANT names the variant; it is read at the first call.
 * Without it the variant is ok-firstfit; an unknown name ends the process
 * with a message. Memory comes from mmap only. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "faults.h"
#include "region.h"
#include "big.h"
#include "classes.h"
#include "downward.h"
#include "firstfit.h"

#define API __attribute__((visibility("default")))

API void *mut_malloc(size_t n);
API void mut_free(void *p);
API void *mut_calloc(size_t count, size_t size);
API void *mut_realloc(void *p, size_t n);
API void *mut_aligned_alloc(size_t align, size_t n);
API int mut_posix_memalign(void **out, size_t align, size_t n);
API size_t mut_malloc_usable_size(void *p);

struct operations {
    void *(*alloc)(size_t n, size_t align);
    void (*free)(void *p);
    size_t (*capacity)(const void *p);
    int (*resize)(void *p, size_t n);
};

static const struct operations designs[] = {
    [FIT] = {ff_alloc, ff_free, ff_capacity, ff_resize},
    [CLS] = {cls_alloc, cls_free, cls_capacity, cls_resize},
    [DWN] = {dw_alloc, dw_free, dw_capacity, dw_resize},
};

static const struct operations *ops;
static enum design the_design;
static int ready;

/* What faults about failures and realloc chains remember. */
static byte *newest;
static int refuse_next, failures_in_row, refusals_left;
static void *chain_end;
static int chain_length;
static int null_freed; /* how often */

/* Blocks that were freed and are not given back yet, oldest at `delay_next`. */
#define DELAYED 64
#define DELAY_MOST (4 * KIB)
static void *delayed[DELAYED];
static size_t delay_next;

#define GUARD ((size_t)16)
#define GUARD_BYTE 0xFD

static void say(const char *text) {
    if (write(STDERR_FILENO, text, strlen(text)) < 0) return;
}

static void choose(void) {
    const char *name = getenv("HEAPLAW_MUTANT");
    int found = name && *name ? -1 : V_OK_FIRSTFIT;
    for (int i = 0; found < 0 && i < V_COUNT; i++)
        if (strcmp(variant_rows[i].name, name) == 0) found = i;
    if (found < 0) {
        say("HEAPLAW_MUTANT: unknown name\n");
        abort();
    }
    the_variant = (enum variant)found;
    the_options = variant_rows[found].options;
    the_design = variant_rows[found].design;
    ops = &designs[the_design];
}

/* `lazy` says that the chosen fault leaves this entry without preparation. */
static void prepare(enum variant lazy) {
    if (ready) return;
    choose();
    if (the_variant == lazy) *(volatile int *)NULL = 1;
    rg_init();
    cls_init();
    ready = 1;
}

static void *fail(void) {
    errno = ENOMEM;
    if (F(FAIL_REFUSES_NEXT)) refuse_next = 1;
    if (F(FAIL_STICKY) && ++failures_in_row == 3) refusals_left = 64;
    if (F(FAIL_SCRIBBLES) && newest) memset(newest, 0, 8);
    if (F(FAIL_DROPS_LISTS)) memset(dw_list, 0, sizeof dw_list);
    return NULL;
}

static size_t guard_size(void) { return OPT(O_GUARD) ? GUARD : 0; }

/* Ends the process where the bytes behind a block were written to. */
static void look_at_guard(const byte *p) {
    const byte *guard = p + ff_wanted(p) - GUARD;
    for (size_t i = 0; i < GUARD; i++)
        if (guard[i] != GUARD_BYTE) abort();
}

/* Give back what waits; whether anything did. */
static int delayed_now(void) {
    int any = 0;
    for (size_t i = 0; i < DELAYED; i++) {
        if (!delayed[i]) continue;
        ops->free(delayed[i]);
        delayed[i] = NULL;
        any = 1;
    }
    return any;
}

/* All allocation goes through here. */
static void *get(size_t n, size_t align) {
    if (F(ABORT_PTRDIFF) && n == (size_t)PTRDIFF_MAX + 1) abort();
    if (F(HEADER_WRAP) && n > SIZE_MAX - 16) n += 32;
    if (F(SIGNED_COMPARE) && n > PTRDIFF_MAX && n - PTRDIFF_MAX <= PAGE) n = 16;
    if (F(TRUNCATE_32) && n <= PTRDIFF_MAX) n = (uint32_t)n;
    if (F(ALIGN_WRAP) && align > 16 && n + align < n) n = 0;
    if (n > PTRDIFF_MAX) return fail();
    if (refuse_next && n > CLASS_MAX) {
        refuse_next = 0;
        errno = ENOMEM;
        return NULL;
    }
    if (refusals_left > 0) {
        refusals_left--;
        errno = ENOMEM;
        return NULL;
    }
    if (F(NULL_FREED_LATER) && null_freed && n <= 32) *(volatile int *)NULL = 1;
    byte *p = ops->alloc(n + guard_size(), align);
    if (!p && delayed_now()) p = ops->alloc(n + guard_size(), align);
    if (!p) return fail();
    if (OPT(O_GUARD)) memset(p + n, GUARD_BYTE, GUARD);
    failures_in_row = 0;
    newest = p;
    return p;
}

static void give(void *p) {
    if (p == newest) newest = NULL;
    if (OPT(O_GUARD)) look_at_guard(p);
    if (OPT(O_DELAY) && ops->capacity(p) <= DELAY_MOST) {
        void *oldest = delayed[delay_next];
        delayed[delay_next] = p;
        delay_next = (delay_next + 1) % DELAYED;
        p = oldest;
    }
    if (p) ops->free(p);
}

static void clear(byte *p, size_t n) {
    if (fresh_from && fresh_from <= p) return;
    size_t dirty = n;
    if (fresh_from && fresh_from < p + n) dirty = (size_t)(fresh_from - p);
    memset(p, 0, dirty);
}

void *mut_malloc(size_t n) {
    prepare(V_COUNT);
    if (n == 0 && OPT(O_NULL0)) return NULL;
    return get(n, 16);
}

void mut_free(void *p) {
    prepare(V_FIRST_FREE);
    if (p) give(p);
    else null_freed++;
}

void *mut_calloc(size_t count, size_t size) {
    prepare(V_FIRST_CALLOC);
    size_t n;
    int wraps = __builtin_mul_overflow(count, size, &n);
    if (F(CALLOC_WRAP)) wraps = 0;
    if (F(CALLOC_WRAP_2_33) && (count | size) >> 33 == 0) wraps = 0;
    if (wraps) return fail();
    if (n == 0 && OPT(O_NULL0)) return NULL;
    if (F(CALLOC_16BIT) && n >= 64 * KIB && n <= PTRDIFF_MAX) n = (uint16_t)n;
    byte *p = get(n, 16);
    if (!p) return NULL;
    if (F(CALLOC_512_DIRTY) && ops->capacity(p) == 512) return p;
    if (F(CALLOC_COUNT_ONLY)) n = min_size(n, count);
    if (F(CALLOC_WORDS)) n &= ~(size_t)7;
    clear(p, n);
    return p;
}

/* Copy through a small buffer on the stack, rounded to whole lines. */
static __attribute__((noinline)) void bounce_copy(byte *to, const byte *from, size_t n) {
    byte line[128];
    volatile byte *out = line;
    size_t whole = round_up(n, sizeof line);
    for (size_t i = 0; i < whole; i++) out[i] = from[i];
    for (size_t i = 0; i < n; i++) to[i] = out[i];
}

/* How many bytes, and from where, the faulty copies of realloc take. */
static void carry(byte *to, const byte *from, size_t n, size_t keep) {
    if (F(REALLOC_WORDS)) keep = keep / 8 * 8;
    if (F(REALLOC_PAGE_ONLY)) keep = min_size(keep, PAGE);
    if (F(REALLOC_BIG_TO_SMALL) && !rg_owns(from) && rg_owns(to)) from -= BIG_HDR;
    if (F(REALLOC_FROM_BASE) && rg_owns(from)) from = block_start(from);
    if (F(REALLOC_CHAIN_6) && chain_length >= 6 && keep > 16) keep -= 16;
    if (F(STACK_SMASH) && n > 128 && n <= 136 && keep == n) bounce_copy(to, from, n);
    else memcpy(to, from, keep);
}

static void realloc_failed(void *p) {
    if (F(REALLOC_FAIL_FREES)) give(p);
    if (F(REALLOC_FAIL_WRITES)) memcpy(p, &p, sizeof p);
    if (F(REALLOC_FAIL_SHRINKS) && ops->capacity(p) >= 240) ff_resize(p, ops->capacity(p) / 2);
}

void *mut_realloc(void *p, size_t n) {
    prepare(V_FIRST_REALLOC);
    if (!p) return mut_malloc(n);
    if (n == 0 && OPT(O_NULL0)) {
        give(p);
        return NULL;
    }
    if (F(REALLOC_WRAP) && n >= SIZE_MAX - 64) return p;
    size_t have = OPT(O_GUARD) ? ff_wanted(p) - GUARD : ops->capacity(p);
    chain_length = p == chain_end && n > have ? chain_length + 1 : 1;
    chain_end = NULL;
    if (n <= PTRDIFF_MAX && !OPT(O_MOVES) && ops->resize(p, n + guard_size())) {
        if (OPT(O_GUARD)) memset((byte *)p + n, GUARD_BYTE, GUARD);
        return chain_end = p;
    }
    byte *q = get(n, 16);
    if (!q) {
        realloc_failed(p);
        errno = ENOMEM;
        return NULL;
    }
    carry(q, p, n, min_size(have, n));
    if (!F(REALLOC_LEAKS_OLD) || have < KIB) give(p);
    return chain_end = q;
}

static int power_of_two(size_t n) { return n && (n & (n - 1)) == 0; }

void *mut_aligned_alloc(size_t align, size_t n) {
    prepare(V_FIRST_ALIGNED);
    if (!power_of_two(align)) {
        errno = EINVAL;
        return NULL;
    }
    if (n == 0 && OPT(O_NULL0)) return NULL;
    return get(n, align > 16 ? align : 16);
}

int mut_posix_memalign(void **out, size_t align, size_t n) {
    prepare(V_FIRST_ALIGNED);
    if (!power_of_two(align) || align % sizeof(void *) != 0) return EINVAL;
    if (n == 0 && OPT(O_NULL0)) {
        *out = NULL;
        return 0;
    }
    int before = errno;
    void *p = get(n, align > 16 ? align : 16);
    errno = before;
    if (!p) return ENOMEM;
    *out = p;
    return 0;
}

size_t mut_malloc_usable_size(void *p) {
    prepare(V_COUNT);
    if (!p) return 0;
    if (OPT(O_EXACT)) {
        size_t want = ff_wanted(p) - guard_size();
        return F(USABLE_24_SHORT) && want == 24 ? 16 : want;
    }
    size_t extra = F(USABLE_PLUS_8) ? 8 : F(USABLE_GROWN) && ff_grown && p == ck_payload(ff_grown) ? 32 : 0;
    return ops->capacity(p) + extra;
}
