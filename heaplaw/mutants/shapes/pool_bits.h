/* A pool that keeps a bit for each of its blocks, aside: the lowest free block
 * is handed out, and nothing is ever written into a free one. */
#ifndef HEAPLAW_POOL_BITS_H
#define HEAPLAW_POOL_BITS_H

#include "common.h"

#define BITS_WORDS ((size_t)64)

typedef struct bits_pool {
    int taken;
    byte *base;
    size_t size, count, used;
    uint64_t free[BITS_WORDS]; /* bit i % 64 of word i / 64: block i is free */
} bits_pool;

DEFINE_SLOTS(bits_pool)

API bits_pool *sh_bits_new(void *buffer, size_t size, size_t count);
API void *sh_bits_base(bits_pool *p);
API void *sh_bits_alloc(bits_pool *p);
API void *sh_bits_zeroed(bits_pool *p);
API void sh_bits_free(bits_pool *p, void *block);
API void sh_bits_reset(bits_pool *p);
API size_t sh_bits_num_free(bits_pool *p);
API size_t sh_bits_num_allocated(bits_pool *p);
API int sh_bits_check(bits_pool *p);
API void sh_bits_drop(bits_pool *p);

void sh_bits_reset(bits_pool *p) {
    memset(p->free, 0, sizeof p->free);
    for (size_t i = 0; i < p->count; i++) p->free[i / 64] |= (uint64_t)1 << (i % 64);
    p->used = 0;
}

bits_pool *sh_bits_new(void *buffer, size_t size, size_t count) {
    prepare(POOL);
    if (count > 64 * BITS_WORDS) return refuse();
    bits_pool *p = bits_pool_slot();
    if (!p) return NULL;
    *p = (bits_pool){.taken = 1, .base = buffer, .size = size, .count = count};
    sh_bits_reset(p);
    return p;
}

void *sh_bits_base(bits_pool *p) { return p->base; }

void *sh_bits_alloc(bits_pool *p) {
    for (size_t w = 0; w < BITS_WORDS; w++) {
        if (!p->free[w]) continue;
        size_t i = 64 * w + (size_t)__builtin_ctzll(p->free[w]);
        p->free[w] &= p->free[w] - 1;
        p->used++;
        return p->base + i * p->size;
    }
    return refuse();
}

void *sh_bits_zeroed(bits_pool *p) {
    void *block = sh_bits_alloc(p);
    return block ? memset(block, 0, p->size) : NULL;
}

void sh_bits_free(bits_pool *p, void *block) {
    size_t i = (size_t)((byte *)block - p->base) / p->size;
    p->free[i / 64] |= (uint64_t)1 << (i % 64);
    p->used--;
}

size_t sh_bits_num_free(bits_pool *p) { return p->count - p->used; }

size_t sh_bits_num_allocated(bits_pool *p) { return p->used; }

/* 0: well. As many bits are set as blocks are free. */
int sh_bits_check(bits_pool *p) {
    size_t set = 0;
    for (size_t w = 0; w < BITS_WORDS; w++) set += (size_t)__builtin_popcountll(p->free[w]);
    return set != p->count - p->used;
}

void sh_bits_drop(bits_pool *p) { p->taken = 0; }

#endif
