/* Boundary-tag first fit: 16-byte headers, binned free chunks, splitting and
 * coalescing, an unused "top" that grows upward in the region. */
#ifndef HEAPLAW_FIRSTFIT_H
#define HEAPLAW_FIRSTFIT_H

#include <string.h>

#include "faults.h"
#include "region.h"

#define HDR ((size_t)16)
#define CHUNK_MIN ((size_t)32)
#define USED 1u
#define BINS 32

typedef struct chunk {
    uint32_t prev; /* size of the chunk just below, 0 for the lowest */
    uint32_t tag;  /* own size | USED */
    uint64_t want; /* bytes the caller asked for */
    struct chunk *next_free, *prev_free; /* only while free */
} chunk;

static chunk *ff_bin[BINS];
static size_t ff_top;  /* offset where the unused part begins */
static size_t ff_last; /* size of the chunk just below the top */
static size_t ff_high; /* nothing above this offset was ever used */
static chunk *ff_grown; /* the chunk that grew in place last (a fault only) */

static inline size_t ck_size(const chunk *c) { return c->tag & ~USED; }
static inline int ck_used(const chunk *c) { return (c->tag & USED) != 0; }
static inline size_t ck_off(const chunk *c) { return (size_t)((const byte *)c - rg_base); }
static inline chunk *ck_at(size_t off) { return (chunk *)(void *)(rg_base + off); }
static inline chunk *ck_of(const void *p) { return ck_at((size_t)((const byte *)p - rg_base) - HDR); }
static inline byte *ck_payload(chunk *c) { return (byte *)c + HDR; }
static inline int bin_of(size_t size) { return 63 - __builtin_clzll(size); }

/* The chunk just above, or NULL when the top is there. */
static inline chunk *ck_above(const chunk *c) {
    size_t off = ck_off(c) + ck_size(c);
    return off == ff_top ? NULL : ck_at(off);
}

static inline chunk *ck_below(const chunk *c) {
    return c->prev ? ck_at(ck_off(c) - c->prev) : NULL;
}

/* Tell the chunk above (or the top) how large `c` now is. */
static void ck_publish(chunk *c) {
    chunk *above = ck_above(c);
    if (above) above->prev = (uint32_t)ck_size(c);
    else ff_last = ck_size(c);
}

static void bin_insert_at(chunk *c, int b) {
    chunk **head = &ff_bin[b];
    c->tag &= ~USED;
    c->prev_free = NULL;
    c->next_free = *head;
    if (*head) (*head)->prev_free = c;
    *head = c;
}

static void bin_insert(chunk *c) { bin_insert_at(c, bin_of(ck_size(c))); }

static void bin_remove(chunk *c) {
    if (c->prev_free) c->prev_free->next_free = c->next_free;
    else ff_bin[bin_of(ck_size(c))] = c->next_free;
    if (c->next_free) c->next_free->prev_free = c->prev_free;
}

/* The smallest free chunk that is large enough: bins hold sizes from one power of two to the next. */
static chunk *bin_best(size_t need) {
    chunk *best = NULL;
    for (int b = bin_of(need); b < BINS && !best; b++)
        for (chunk *c = ff_bin[b]; c; c = c->next_free)
            if (ck_size(c) >= need && (!best || ck_size(c) < ck_size(best))) best = c;
    return best;
}

static chunk *bin_search(size_t need) {
    if (OPT(O_BEST)) return bin_best(need);
    for (int b = bin_of(need); b < BINS; b++) {
        int patience = 64; /* bounds the long lists of one fault */
        for (chunk *c = ff_bin[b]; c; c = c->next_free) {
            if (ck_size(c) >= need) return c;
            if (F(COALESCE_FORGETS) && --patience == 0) break;
        }
    }
    return NULL;
}

static int all_same(const chunk *c, int steps, int upward) {
    size_t size = ck_size(c);
    for (int i = 0; i < steps; i++) {
        c = upward ? ck_above(c) : ck_below(c);
        if (!c || !ck_used(c) || ck_size(c) != size) return 0;
    }
    return 1;
}

/* A search for the last free neighbour that undoes every step it takes. */
static void walk_back_and_forth(const chunk *c) {
    volatile size_t steps = 0;
    for (const chunk *w = c; w; w = ck_below(ck_above(w))) steps++;
}

static void ff_release(chunk *c) {
    chunk *below = ck_below(c), *above = ck_above(c);
    if (F(COALESCE_FORGETS)) {
        bin_insert(c);
        return;
    }
    if (F(FREE_TAG_IN_TAIL) && below && ck_used(below) && below->want % 16 == 9 &&
        below->want <= ck_size(below) - HDR) {
        uint64_t tag = c->tag;
        memcpy(ck_payload(below) + below->want - sizeof tag, &tag, sizeof tag);
    }
    int join_below = below && !ck_used(below);
    int join_above = above && !ck_used(above);
    int triple = join_below && join_above && ck_size(c) <= 1040 &&
                 ck_size(below) == ck_size(c) && ck_size(above) == ck_size(c);
    if (F(COALESCE_LOOP) && triple) walk_back_and_forth(c);
    if (F(COALESCE_LIVE) && all_same(c, 2, 0) && all_same(c, 2, 1))
        join_below = 1;
    if (join_above) {
        bin_remove(above);
        c->tag += (uint32_t)ck_size(above);
    }
    if (join_below) {
        if (!ck_used(below)) bin_remove(below);
        below->tag = (uint32_t)(ck_size(below) + ck_size(c)) | USED;
        c = below;
    }
    if (ck_off(c) + ck_size(c) == ff_top) {
        chunk *lowest = ck_at(0);
        if (F(COALESCE_WRAPS) && ck_off(c) > ck_size(lowest) && !ck_used(lowest)) {
            bin_remove(lowest);
            lowest->tag += (uint32_t)ck_size(c);
            bin_insert(lowest);
        }
        ff_top = ck_off(c);
        ff_last = c->prev;
        return;
    }
    ck_publish(c);
    if (F(COALESCE_TAG_FAR) && join_below && join_above && ck_size(c) > 256 * KIB) {
        uint64_t tag = ck_size(c);
        memcpy(ck_payload(ck_above(c)), &tag, sizeof tag);
    }
    bin_insert(c);
}

/* Cut `c` down to `need` bytes; the rest becomes a free chunk. */
static void ff_trim(chunk *c, size_t need) {
    size_t rest = ck_size(c) - need;
    if (rest < CHUNK_MIN) return;
    c->tag = (uint32_t)need | USED;
    chunk *tail = ck_at(ck_off(c) + need);
    tail->prev = (uint32_t)need;
    tail->tag = (uint32_t)rest | USED;
    tail->want = 0;
    chunk *above = ck_above(tail);
    if (F(SPLIT_TAIL_LONG) && rest == 96 && above && ck_used(above) && ck_size(above) >= 64) {
        tail->tag += 32;
        bin_insert(tail);
        memset(ck_payload(tail) + 96, 0, sizeof(uint64_t));
        return;
    }
    ck_publish(tail);
    if (F(SPLIT_MIN_BIN) && rest == CHUNK_MIN && above && ck_used(above)) bin_insert_at(tail, bin_of(rest) + 1);
    else ff_release(tail);
}

static chunk *ff_take(size_t need) {
    chunk *c = bin_search(need);
    fresh_from = NULL;
    if (c) {
        bin_remove(c);
        c->tag |= USED;
        c->want = 0;
        return c;
    }
    if (need > rg_len - ff_top) return NULL;
    if (F(TOP_UNALIGNED) && ff_last && ff_top + need > rg_open_lo && rg_len - ff_top > need + 8) {
        ck_at(ff_top - ff_last)->tag += 8; /* what no longer is a whole number of lines goes to the last chunk */
        ff_last += 8;
        ff_top += 8;
    }
    if (!rg_open_low(ff_top + need)) return NULL;
    fresh_from = F(CALLOC_TRUSTS_TOP) ? rg_base + ff_top : rg_base + ff_high;
    c = ck_at(ff_top);
    c->prev = (uint32_t)ff_last;
    c->tag = (uint32_t)need | USED;
    c->want = 0;
    ff_top += need;
    ff_last = need;
    if (ff_top > ff_high) ff_high = ff_top;
    return c;
}

static size_t ff_need(size_t n) {
    return (n ? round_up(n, 16) : 16) + HDR;
}

static void *ff_alloc(size_t n, size_t align) {
    if (n > rg_len || align > rg_len) return NULL;
    size_t need = ff_need(n);
    if (align <= 16 || (F(ALIGN_RECYCLED) && bin_search(need))) {
        chunk *c = ff_take(need);
        if (!c) return NULL;
        ff_trim(c, need);
        c->want = n;
        return ck_payload(c);
    }
    chunk *c = ff_take(need + align + CHUNK_MIN);
    if (!c) return NULL;
    byte *user = align_ptr(ck_payload(c), align);
    size_t gap = (size_t)(user - ck_payload(c));
    if (gap && gap < CHUNK_MIN) gap += F(ALIGN_GAP_16) ? CHUNK_MIN : align;
    if (gap) {
        size_t whole = ck_size(c);
        chunk *front = c;
        c = ck_at(ck_off(front) + gap);
        front->tag = (uint32_t)gap | USED;
        c->prev = (uint32_t)gap;
        c->tag = (uint32_t)(whole - gap) | USED;
        c->want = 0;
        ck_publish(c);
        if (!F(ALIGNED_FRONT_LOST)) ff_release(front);
    }
    ff_trim(c, need);
    c->want = n;
    return ck_payload(c);
}

static void ff_free(void *p) { ff_release(ck_of(p)); }

static size_t ff_capacity(const void *p) { return ck_size(ck_of(p)) - HDR; }

static size_t ff_wanted(const void *p) { return ck_of(p)->want; }

/* Try to hold `n` bytes where the block is. */
static int ff_resize(void *p, size_t n) {
    if (n > rg_len) return 0;
    chunk *c = ck_of(p);
    size_t need = ff_need(n), have = ck_size(c);
    if (need > have) {
        chunk *above = ck_above(c);
        int eat = F(GROW_EATS_SMALL) && above && ck_used(above) && ck_size(above) == CHUNK_MIN;
        if (!above) {
            size_t more = need - have;
            if (more > rg_len - ff_top || !rg_open_low(ff_top + more)) return 0;
            if (F(CALLOC_TRUSTS_GROWN)) ff_high = ff_top;
            ff_top += more;
            if (ff_top > ff_high && !F(CALLOC_TRUSTS_GROWN)) ff_high = ff_top;
            c->tag = (uint32_t)need | USED;
        } else if ((!ck_used(above) || eat) && have + ck_size(above) >= need) {
            if (!eat) bin_remove(above);
            c->tag += (uint32_t)ck_size(above);
        } else {
            return 0;
        }
        ck_publish(c);
        ff_trim(c, need);
        if (!F(USABLE_STALE)) c->want = n;
        ff_grown = c;
        return 1;
    }
    if (F(SHRINK_TAIL_EARLY) && n >= 256 && have >= 2 * need) need -= 32;
    ff_trim(c, need);
    if (!F(USABLE_SHRUNK)) c->want = n;
    return 1;
}

#endif
