/* A bump allocator over a buffer of the caller's: blocks follow each other, up
 * or down, and end together at a reset. No headers. `total` counts what
 * `remaining` lacks: blocks with their padding. */
#ifndef HEAPLAW_BUMP_H
#define HEAPLAW_BUMP_H

#include "common.h"

#define BUMP_ALIGN ((size_t)16)

typedef struct bump {
    int taken;
    byte *base;
    size_t capacity;
    size_t used;   /* bytes from the end where it began */
    size_t total;  /* the same, as it is told */
    size_t blocks; /* since the last reset */
    size_t high;   /* the most that was used before a reset (a fault only) */
    int again;     /* it was reset (a fault only) */
    byte *gap;     /* padding of 16 bytes and more (a fault only) */
    size_t gap_len;
} bump_t;

DEFINE_SLOTS(bump_t)

API bump_t *sh_bump_new(void *buffer, size_t capacity);
API void *sh_bump_alloc(bump_t *b, size_t size, size_t align);
API void *sh_bump_get(bump_t *b, size_t size);
API void *sh_bump_zeroed(bump_t *b, size_t size);
API void sh_bump_reset(bump_t *b);
API size_t sh_bump_remaining(bump_t *b);
API size_t sh_bump_total(bump_t *b);
API int sh_bump_check(bump_t *b);
API void sh_bump_drop(bump_t *b);

bump_t *sh_bump_new(void *buffer, size_t capacity) {
    prepare(BUMP);
    bump_t *b = bump_t_slot();
    if (!b) return NULL;
    bump_t fresh = {.taken = 1, .base = buffer, .capacity = capacity};
    if (F(BUMP_NEW_KEEPS) && b->capacity == capacity) fresh.used = fresh.total = b->used;
    *b = fresh;
    return b;
}

/* Bytes to leave out so that a block of `n` is aligned. */
static size_t bump_pad(const bump_t *b, size_t n, size_t align) {
    if (OPT(O_DOWN)) return (address_of(b->base) + b->capacity - b->used - n) & (align - 1);
    if (F(BUMP_ALIGN_RELATIVE)) return pad_up(b->used, align);
    return pad_up(address_of(b->base) + b->used, align);
}

static int bump_fits(const bump_t *b, size_t n, size_t pad, size_t align) {
    size_t room = b->capacity - b->used;
    if (F(BUMP_ALIGN_WRAP)) return b->used + pad + n <= b->capacity;
    if (F(BUMP_SIGNED)) return (ptrdiff_t)n <= (ptrdiff_t)room && (ptrdiff_t)pad <= (ptrdiff_t)(room - n);
    if (F(BUMP_LAST_BYTE)) room += 1;
    if (F(BUMP_FIRST_OVER) && b->used == 0) room += 16;
    if (F(BUMP_LAST_LINE)) room -= min_size(room, 64);
    if (F(BUMP_RESET_LIMIT) && b->high > 0) room -= b->capacity - max_size(b->high, b->used);
    if (F(BUMP_STRADDLES) && align > 64) pad = 0;
    if (F(BUMP_DOWN_BELOW)) pad = 0;
    return n <= room && pad <= room - n;
}

/* A small request takes padding that an aligned one left behind. */
static byte *bump_gap(bump_t *b, size_t n, size_t align) {
    if (n > BUMP_ALIGN || align > BUMP_ALIGN || b->gap_len < BUMP_ALIGN) return NULL;
    byte *p = b->gap;
    b->gap += BUMP_ALIGN;
    b->gap_len -= BUMP_ALIGN;
    return p;
}

static void bump_keep_gap(bump_t *b, size_t pad) {
    size_t lead = pad_up(address_of(b->base) + b->used, BUMP_ALIGN);
    b->gap = b->base + b->used + lead;
    b->gap_len = pad > lead ? pad - lead : 0;
}

/* Faults only: the number of blocks, one by one. */
static void bump_rewalk(bump_t *b) {
    volatile size_t blocks = 0;
    while (blocks < b->blocks) blocks = blocks + 1;
    b->blocks = blocks;
}

static void *bump_take(bump_t *b, size_t size, size_t align) {
    if (size == 0 && OPT(O_NULL0)) return NULL;
    if (F(BUMP_REWALKS) || (F(BUMP_USED_REWALKS) && b->again)) bump_rewalk(b);
    size_t n = size > 0 || F(BUMP_ZERO_SHARES) ? size : 1;
    size_t pad = bump_pad(b, n, align);
    if (F(BUMP_FILLS_GAPS)) {
        byte *p = bump_gap(b, n, align);
        if (p) return p;
    }
    if (!bump_fits(b, n, pad, align)) {
        if (F(BUMP_REFUSED_ADVANCES)) b->used += min_size(pad, b->capacity - b->used);
        return refuse();
    }
    if (F(BUMP_FILLS_GAPS) && pad >= 2 * BUMP_ALIGN) bump_keep_gap(b, pad);
    byte *p = OPT(O_DOWN) ? b->base + (b->capacity - b->used - n - pad) : b->base + b->used + pad;
    b->used = min_size(b->used + pad + n, b->capacity);
    b->total += pad + n;
    b->blocks++;
    if (F(BUMP_COUNT_8BIT) && b->blocks == 256) b->blocks = b->used = b->total = 0;
    if (F(BUMP_FOOTER)) memset(p + n, 0xFB, 8);
    return p;
}

void *sh_bump_alloc(bump_t *b, size_t size, size_t align) { return bump_take(b, size, align); }

void *sh_bump_get(bump_t *b, size_t size) { return bump_take(b, size, BUMP_ALIGN); }

void *sh_bump_zeroed(bump_t *b, size_t size) {
    if (F(BUMP_ZEROED_NULL) && size == 0) return NULL;
    byte *p = bump_take(b, size, BUMP_ALIGN);
    if (p && !F(BUMP_DIRTY)) memset(p, 0, size);
    return p;
}

void sh_bump_reset(bump_t *b) {
    if (F(BUMP_RESET_LIMIT)) b->high = max_size(b->high, b->used);
    b->used = 0;
    if (!F(BUMP_RESET_TOTAL)) b->total = 0;
    b->blocks = 0;
    b->gap_len = 0;
    b->again = 1;
}

size_t sh_bump_remaining(bump_t *b) { return b->capacity - b->used; }

size_t sh_bump_total(bump_t *b) { return F(BUMP_TOTAL_16BIT) ? (uint16_t)b->total : b->total; }

/* 0: well. No more is used than there is, and each block takes a byte at least. */
int sh_bump_check(bump_t *b) {
    if (F(BUMP_CHECK_8BIT) && b->used > 0 && (uint8_t)b->blocks == 0) return 1;
    return b->used > b->capacity || b->blocks > b->used;
}

void sh_bump_drop(bump_t *b) { b->taken = 0; }

#endif
