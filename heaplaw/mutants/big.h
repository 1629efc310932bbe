/* Size classes and large blocks: every large block is a map of its own, with
 * a header in front of the payload. */
#ifndef HEAPLAW_BIG_H
#define HEAPLAW_BIG_H

#include <string.h>

#include "faults.h"
#include "region.h"

#define CLASSES 68
#define CLASS_MAX (16 * KIB)
#define BIG_HDR ((size_t)64)
#define BIG_LIMIT REGION_MAX

/* Classes: 16-byte steps up to 1 KiB, then 2, 4, 8 and 16 KiB. */
static inline int class_of(size_t n) {
    if (n <= KIB) return n ? (int)((n + 15) / 16) - 1 : 0;
    int c = 64;
    for (size_t s = 2 * KIB; s < n; s *= 2) c++;
    return c;
}

static inline size_t class_size(int c) {
    return c < 64 ? 16 * ((size_t)c + 1) : (2 * KIB) << (c - 64);
}

typedef struct big_head {
    byte *map;
    size_t len;
    size_t want;
    size_t resized; /* in place (a fault only) */
} big_head;

static size_t big_live;    /* bytes in maps of live blocks */
static byte *big_kept;     /* one freed map (a fault only) */
static size_t big_kept_len;

static inline big_head *big_of(const void *p) { return (big_head *)((uintptr_t)p - sizeof(big_head)); }

static void *big_alloc(size_t n, size_t align) {
    if (n > BIG_LIMIT || align > BIG_LIMIT) return NULL;
    if (F(ALIGN_64K_AS_PAGE) && align > PAGE) align = PAGE;
    if (F(ALIGN_PAGE_LARGE) && align >= PAGE && n >= PAGE) align = 16;
    size_t slack = align > BIG_HDR ? align : 0;
    size_t len = round_up(n + BIG_HDR + slack, PAGE);
    if (len > BIG_LIMIT - big_live) return NULL;
    byte *map = MAP_FAILED;
    if (big_kept && big_kept_len >= len && !slack) {
        map = big_kept;
        len = big_kept_len;
        big_kept = NULL;
    } else {
        map = mmap(NULL, len, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    }
    if (map == MAP_FAILED) return NULL;
    byte *user = align_ptr(map + BIG_HDR, align > BIG_HDR ? align : BIG_HDR);
    size_t lead = (size_t)(user - BIG_HDR - map) & ~(PAGE - 1);
    if (lead) munmap(map, lead);
    map += lead;
    len -= lead;
    size_t keep = round_up((size_t)(user - map) + n, PAGE);
    if (keep < len) munmap(map + keep, len - keep);
    len = keep;
    if (F(BIG_PAGE_SHORT) && !slack && round_up(n, PAGE) < len)
        mprotect(map + len - PAGE, PAGE, PROT_NONE);
    big_head *h = big_of(user);
    h->map = map;
    h->len = len;
    h->want = n;
    h->resized = 0;
    big_live += len;
    fresh_from = user;
    return user;
}

static void big_free(void *p) {
    big_head h = *big_of(p);
    big_live -= h.len;
    int keeps = F(CALLOC_TRUSTS_MAP) ? h.len <= KIB * KIB : F(CALLOC_TRUSTS_RESIZED) && h.resized;
    if (keeps && big_kept && F(CALLOC_TRUSTS_RESIZED) && h.len > big_kept_len) {
        munmap(big_kept, big_kept_len);
        big_kept = NULL;
    }
    if (keeps && !big_kept) {
        big_kept = h.map;
        big_kept_len = h.len;
        return;
    }
    if (F(BIG_UNMAP_EXTRA) && h.want >= 128 * KIB && !rg_owns(h.map + h.len)) h.len += PAGE;
    munmap(h.map, h.len);
}

/* What resizes in place leave to maps: nothing, where no fault is. */
static void big_stayed(void *p, size_t n) {
    big_head *h = big_of(p);
    size_t used = round_up((size_t)((byte *)p - h->map) + n, PAGE);
    if (F(CALLOC_TRUSTS_RESIZED)) h->resized = n != h->want;
    if (F(BIG_SHRINK_STALE) && h->len >= 64 * KIB && used < h->len)
        mprotect(h->map + used, h->len - used, PROT_NONE);
}

static size_t big_capacity(const void *p) {
    const big_head *h = big_of(p);
    return h->len - (size_t)((const byte *)p - h->map);
}

#endif
