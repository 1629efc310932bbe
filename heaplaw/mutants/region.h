/* One reserved stretch of address space, opened piece by piece from either
 * end, and small arithmetic helpers. Nothing here carries a fault. */
#ifndef HEAPLAW_REGION_H
#define HEAPLAW_REGION_H

#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>

#define KIB ((size_t)1024)
#define PAGE ((size_t)4096)
#define SLAB (64 * KIB)
#define REGION_MAX (KIB * KIB * KIB)
#define REGION_MIN (64 * KIB * KIB)
#define OPEN_STEP (256 * KIB)

typedef unsigned char byte;

static byte *rg_base;      /* aligned to SLAB */
static size_t rg_len;      /* multiple of OPEN_STEP */
static size_t rg_open_lo;  /* bytes accessible at the low end */
static size_t rg_open_hi;  /* bytes accessible at the high end */

static inline size_t round_up(size_t n, size_t to) {
    return (n + to - 1) & ~(to - 1);
}

static inline byte *align_ptr(byte *p, size_t to) {
    return p + (round_up((uintptr_t)p, to) - (uintptr_t)p);
}

static inline size_t min_size(size_t a, size_t b) { return a < b ? a : b; }

static void rg_init(void) {
    for (size_t len = REGION_MAX; len >= REGION_MIN; len /= 2) {
        void *m = mmap(NULL, len + SLAB, PROT_NONE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (m != MAP_FAILED) {
            rg_base = align_ptr(m, SLAB);
            rg_len = len;
            return;
        }
    }
}

/* Make the first `upto` bytes accessible; false when there is no room. */
static int rg_open_low(size_t upto) {
    if (upto <= rg_open_lo) return 1;
    if (upto > rg_len) return 0;
    size_t end = min_size(round_up(upto, OPEN_STEP), rg_len);
    if (mprotect(rg_base + rg_open_lo, end - rg_open_lo,
                 PROT_READ | PROT_WRITE) != 0)
        return 0;
    rg_open_lo = end;
    return 1;
}

/* Make the last `upto` bytes accessible; false when there is no room. */
static int rg_open_high(size_t upto) {
    if (upto <= rg_open_hi) return 1;
    if (upto > rg_len) return 0;
    size_t end = min_size(round_up(upto, OPEN_STEP), rg_len);
    if (mprotect(rg_base + rg_len - end, end - rg_open_hi,
                 PROT_READ | PROT_WRITE) != 0)
        return 0;
    rg_open_hi = end;
    return 1;
}

static inline int rg_owns(const void *p) {
    return (uintptr_t)p - (uintptr_t)rg_base < rg_len;
}

/* Memory of the newest block from this address on is known to be zero;
 * NULL when nothing is known. Set by every allocation of a design. */
static byte *fresh_from;

#endif
