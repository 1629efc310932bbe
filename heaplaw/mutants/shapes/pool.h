/* A pool of blocks of one size over a buffer of the caller's. The first four
 * bytes of a free block name the next free one. Freed blocks are reused newest
 * first, or oldest first. */
#ifndef HEAPLAW_POOL_H
#define HEAPLAW_POOL_H

#include "common.h"

typedef struct pool {
    int taken;
    byte *base;
    size_t stride, blocks; /* bytes of a block, number of blocks */
    size_t free;           /* number of free blocks */
    uint32_t own_head;     /* number of the first free block, counted from 1; 0: none */
    uint32_t tail;         /* of the last one */
    /* what faults remember */
    byte *last_given, *last_freed;
    size_t shift;          /* distance of the blocks from the grid */
    size_t given_in_row;   /* no free between them */
    size_t freed_in_row;   /* no request between them */
    size_t down, up;       /* frees in a row, each just below, or above, the one before */
    int repeat;            /* the next block handed out stays in the list */
    int was_full, drained; /* the latter: wholly freed in one go, having been full */
} pool_t;

DEFINE_SLOTS(pool_t)

API pool_t *sh_pool_new(void *buffer, size_t block_size, size_t num_blocks);
API void *sh_pool_alloc(pool_t *p);
API int sh_pool_take(pool_t *p, void **out);
API void *sh_pool_zeroed(pool_t *p);
API void sh_pool_free(pool_t *p, void *block);
API void sh_pool_reset(pool_t *p);
API size_t sh_pool_num_free(pool_t *p);
API size_t sh_pool_num_allocated(pool_t *p);
API int sh_pool_check(pool_t *p);
API void *sh_pool_base(pool_t *p);
API void sh_pool_drop(pool_t *p);

static uint32_t pool_shared_head; /* a fault only */

static uint32_t *pool_head(pool_t *p) { return F(POOL_SHARED_LIST) ? &pool_shared_head : &p->own_head; }

static byte *pool_block(const pool_t *p, uint32_t number) {
    return p->base + p->shift + (number - 1) * p->stride;
}

static uint32_t pool_number(const pool_t *p, const byte *block) {
    return (uint32_t)((size_t)(block - p->base - p->shift) / p->stride) + 1;
}

/* No fault: a link that its owner's neighbour overwrote ends the list. */
static uint32_t pool_link(const pool_t *p, uint32_t number) {
    uint32_t next;
    memcpy(&next, pool_block(p, number), sizeof next);
    return next <= p->blocks + 1 ? next : 0;
}

static void pool_set_link(pool_t *p, uint32_t number, uint32_t next) {
    memcpy(pool_block(p, number), &next, sizeof next);
}

/* A list of all blocks in order of address. */
static void pool_thread(pool_t *p) {
    uint32_t last = (uint32_t)p->blocks + (F(POOL_ONE_TOO_MANY) ? 1 : 0) - (F(POOL_LAST_FORGOTTEN) ? 1 : 0);
    for (uint32_t number = 1; number < last; number++) pool_set_link(p, number, number + 1);
    if (last > 0) pool_set_link(p, last, 0);
    *pool_head(p) = last > 0 ? 1 : 0;
    p->tail = last;
    p->free = p->blocks;
}

pool_t *sh_pool_new(void *buffer, size_t block_size, size_t num_blocks) {
    prepare(POOL);
    if (block_size < 8 || num_blocks >= UINT32_MAX) return refuse();
    pool_t *p = pool_t_slot();
    if (!p) return NULL;
    size_t before = p->free;
    int used_before = p->blocks == num_blocks;
    *p = (pool_t){.taken = 1, .base = buffer, .stride = block_size, .blocks = num_blocks};
    pool_thread(p);
    if (F(POOL_NEW_KEEPS) && used_before) p->free = before;
    return p;
}

/* Faults only: the number of blocks in the list. */
static size_t pool_length(pool_t *p) {
    size_t length = 0;
    for (uint32_t number = *pool_head(p); number && length < p->blocks; number = pool_link(p, number)) length++;
    return length;
}

/* A fault only: put a block where it belongs in a list in order of address. */
static void pool_insert(pool_t *p, uint32_t number) {
    uint32_t before = 0, next = *pool_head(p);
    while (next && next < number) before = next, next = pool_link(p, next);
    pool_set_link(p, number, next);
    if (before) pool_set_link(p, before, number);
    else *pool_head(p) = number;
}

static byte *pool_pop(pool_t *p) {
    if (F(POOL_ALLOC_COUNTS)) p->free = pool_length(p);
    uint32_t *head = pool_head(p), number = *head;
    p->freed_in_row = p->down = p->up = 0;
    if (number == 0) {
        p->was_full = 1;
        return F(POOL_FULL_AGAIN) && p->last_given ? p->last_given : refuse();
    }
    uint32_t next = pool_link(p, number);
    if (p->repeat) {
        p->repeat = 0;
    } else {
        *head = next;
        if (next == 0 && !F(POOL_FIFO_STALE_TAIL)) p->tail = 0;
    }
    if (p->free > 0) p->free--;
    p->given_in_row++;
    p->drained = 0;
    return p->last_given = pool_block(p, number);
}

static void pool_append(pool_t *p, uint32_t number) {
    pool_set_link(p, number, 0);
    if (p->tail) pool_set_link(p, p->tail, number);
    else *pool_head(p) = number;
    p->tail = number;
}

/* Put a block second, behind the first free one. */
static void pool_tuck(pool_t *p, uint32_t number) {
    uint32_t first = *pool_head(p);
    pool_set_link(p, number, pool_link(p, first));
    pool_set_link(p, first, number);
}

static void pool_push(pool_t *p, byte *block) {
    uint32_t number = pool_number(p, block), *head = pool_head(p);
    if (F(POOL_DRAIN_LOSES) && p->drained) return;
    if (F(POOL_FREE_WALKS) || (F(POOL_ABOVE_4096) && p->blocks - p->free > 4096)) p->free = pool_length(p);
    if (F(POOL_KEEPS_ORDER)) {
        pool_insert(p, number);
        return;
    }
    if (OPT(O_FIFO)) {
        pool_append(p, number);
    } else if (*head && ((F(POOL_FULL_ONCE) && p->was_full) || (F(POOL_DRAIN_FLIPS) && p->drained))) {
        pool_tuck(p, number);
    } else {
        pool_set_link(p, number, *head);
        *head = number;
    }
}

void *sh_pool_alloc(pool_t *p) { return pool_pop(p); }

/* 0, and the block in `out`; anything else: there is none. */
int sh_pool_take(pool_t *p, void **out) {
    byte *block = pool_pop(p);
    if (!block && F(POOL_STATUS_NULL)) *out = NULL;
    if (!block) return F(POOL_STATUS_NULL) ? 0 : ENOMEM;
    *out = block;
    return F(POOL_STATUS_FILL) && p->given_in_row == p->blocks ? ENOMEM : 0;
}

void *sh_pool_zeroed(pool_t *p) {
    byte *block = pool_pop(p);
    size_t kept = F(POOL_ZERO_LATE) ? sizeof(uint32_t) : 0;
    if (block) memset(block + kept, 0, p->stride - kept);
    return block;
}

void sh_pool_free(pool_t *p, void *freed) {
    byte *block = freed;
    if (OPT(O_POISON)) memset(block, 0xDD, p->stride + (F(POOL_POISON_WIDE) ? 8 : 0));
    p->given_in_row = 0;
    p->drained = ++p->freed_in_row == p->blocks;
    p->down = block + p->stride == p->last_freed ? p->down + 1 : 1;
    p->up = p->last_freed && block == p->last_freed + p->stride ? p->up + 1 : 1;
    p->last_freed = block;
    if (F(POOL_TAG_BELOW) && p->down == 8 && block > p->base) memset(block - 4, 0xFE, 4);
    if (F(POOL_RUN_OF_8) && p->down == 8) p->repeat = 1;
    pool_push(p, block);
    p->free += F(POOL_RUN_COUNTS) && p->up == 8 ? 2 : 1;
}

void sh_pool_reset(pool_t *p) {
    p->last_given = p->last_freed = NULL;
    p->given_in_row = p->freed_in_row = p->down = p->up = 0;
    p->drained = 0;
    if (F(POOL_RESET_SHIFTS)) p->shift = 8;
    if (F(POOL_RESET_KEEPS_LIST)) p->free = p->blocks;
    else pool_thread(p);
}

size_t sh_pool_num_free(pool_t *p) { return p->free; }

size_t sh_pool_num_allocated(pool_t *p) { return p->blocks - p->free; }

/* 0: well. No more blocks are free than there are, and the list begins with one of them. */
int sh_pool_check(pool_t *p) {
    if (F(POOL_CHECK_DRAINED) && p->drained) return 1;
    return p->free > p->blocks || *pool_head(p) > p->blocks + 1;
}

void *sh_pool_base(pool_t *p) { return p->base; }

void sh_pool_drop(pool_t *p) { p->taken = 0; }

#endif
