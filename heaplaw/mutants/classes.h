/* Segregated size classes: 64 KiB slabs carved on demand, one free list per
 * class (LIFO or FIFO), wholly free slabs return to a common pool. Facts
 * about slabs are kept outside of them. */
#ifndef HEAPLAW_CLASSES_H
#define HEAPLAW_CLASSES_H

#include <stdlib.h>
#include <string.h>

#include "big.h"
#include "faults.h"
#include "region.h"

#define SLABS (REGION_MAX / SLAB)
#define NO_SLAB (-1)
#define KEEP_CARVED (16 * KIB) /* a current slab carved less stays put */

typedef struct slab {
    int cls; /* class + 1, 0 while in the pool */
    int next_pool;
    size_t live, carved;
} slab;

/* Links of a free block, in its second 8 bytes; 0 ends the list, otherwise
 * the offset in the region / 16 + 1. */
typedef struct links {
    uint32_t next, prev;
} links;

typedef struct size_class {
    uint32_t head, tail;
    int current; /* slab being carved */
    size_t waiting, live;
    byte *again; /* to be handed out once more */
    int repeat;  /* the next block taken is to be handed out twice */
    int skew;    /* the next block taken is to be off by 16 */
} size_class;

static slab sl_table[SLABS];
static size_t sl_count;
static int sl_pool = NO_SLAB;
static size_class sc_table[CLASSES];
static int sc_last_class, sc_same_frees;
static byte *sc_last_freed;
static int sc_streak; /* frees in a row, each just below the one before */
static byte *sc_kept; /* the aligned block freed last (a fault only) */

static void cls_init(void) {
    for (int i = 0; i < CLASSES; i++) sc_table[i].current = NO_SLAB;
}

static inline byte *sl_base(size_t s) { return rg_base + s * SLAB; }
static inline size_t sl_of(const void *p) { return (size_t)((const byte *)p - rg_base) / SLAB; }
static inline byte *ref_ptr(uint32_t ref) { return rg_base + (size_t)(ref - 1) * 16; }
static inline uint32_t ref_of(const byte *p) { return (uint32_t)((size_t)(p - rg_base) / 16 + 1); }
static inline size_t first_at(int c) { return F(CLASS_1008_SKEW) && class_size(c) == 1008 ? 8 : 0; }
static inline links *ln(uint32_t ref) {
    byte *p = ref_ptr(ref);
    int c = sl_table[sl_of(p)].cls - 1;
    return (links *)(void *)(p + 8 + (c >= 0 ? first_at(c) : 0));
}

static byte *block_start(const void *p) {
    size_t s = sl_of(p);
    int c = sl_table[s].cls - 1;
    size_t first = first_at(c), size = class_size(c);
    size_t at = (size_t)((const byte *)p - sl_base(s)) - first;
    return sl_base(s) + first + at / size * size;
}

static void list_remove(size_class *k, uint32_t ref) {
    links *l = ln(ref);
    if (l->prev) ln(l->prev)->next = l->next;
    else k->head = l->next;
    if (l->next) ln(l->next)->prev = l->prev;
    else if (!F(FIFO_STALE_TAIL) || k->head) k->tail = l->prev;
    k->waiting--;
}

static void list_add(size_class *k, uint32_t ref) {
    links *l = ln(ref);
    if (OPT(O_FIFO)) {
        l->next = 0;
        l->prev = k->tail;
        if (k->tail) ln(k->tail)->next = ref;
        else k->head = ref;
        k->tail = ref;
    } else {
        l->prev = 0;
        l->next = k->head;
        if (k->head) ln(k->head)->prev = ref;
        else k->tail = ref;
        k->head = ref;
    }
    k->waiting++;
}

static int slab_take(int c) {
    int s = sl_pool;
    if (s != NO_SLAB) {
        sl_pool = sl_table[s].next_pool;
    } else {
        if (sl_count >= SLABS || !rg_open_low(min_size((sl_count + 2) * SLAB, rg_len)) ||
            (sl_count + 1) * SLAB > rg_len)
            return NO_SLAB;
        s = (int)sl_count++;
    }
    sl_table[s].cls = c + 1;
    sl_table[s].live = 0;
    sl_table[s].carved = first_at(c);
    return s;
}

static void slab_release(int c, int s) {
    size_class *k = &sc_table[c];
    slab *b = &sl_table[s];
    size_t size = class_size(c);
    if (b->live == 0)
        for (size_t at = first_at(c); at < min_size(b->carved, SLAB); at += size)
            list_remove(k, ref_of(sl_base((size_t)s) + at));
    else /* blocks are still live: forget every waiting one */
        k->head = k->tail = 0, k->waiting = 0;
    if (k->current == s) k->current = NO_SLAB;
    b->cls = 0;
    b->next_pool = sl_pool;
    sl_pool = s;
}

static int slab_is_full(int c, const slab *b) {
    size_t size = class_size(c);
    if (F(SLAB_TAIL_OVER) && size <= KIB) return b->carved >= SLAB;
    if (F(CARVE_16BIT) && size <= KIB && SLAB % size == 0) return b->carved >= SLAB + 2 * size;
    return b->carved + size > SLAB;
}

static int sc_added; /* the latest operation on lists added a block */

static inline int size_is_power(size_t n) { return n && (n & (n - 1)) == 0; }

static byte *class_take(int c) {
    size_class *k = &sc_table[c];
    fresh_from = NULL;
    sc_last_freed = NULL;
    if (k->again) {
        byte *p = k->again;
        k->again = NULL;
        return p;
    }
    if (F(LIST_POWER_OF_TWO) && c < 64 && size_is_power(k->waiting) && k->waiting >= 16 && sc_added) k->repeat = 1;
    sc_added = 0;
    if (F(CRASH_AT_1000) && c < 64 && k->live == 1000 && !k->head) *(volatile int *)NULL = 1;
    if (k->head) {
        byte *p = ref_ptr(k->head) + first_at(c);
        list_remove(k, k->head);
        sl_table[sl_of(p)].live++;
        k->live++;
        if (k->repeat) k->repeat = 0, k->again = p;
        if (k->skew) k->skew = 0, p += 16;
        return p;
    }
    if (k->current == NO_SLAB || slab_is_full(c, &sl_table[k->current])) {
        int s = slab_take(c);
        if (s == NO_SLAB) return NULL;
        k->current = s;
    }
    slab *b = &sl_table[k->current];
    byte *p = sl_base((size_t)k->current) + (F(CARVE_16BIT) ? (uint16_t)b->carved : b->carved);
    b->carved += class_size(c);
    b->live++;
    k->live++;
    if (F(CALLOC_TRUSTS_SLAB)) fresh_from = p;
    return p;
}

static void class_put(int c, byte *p) {
    size_class *k = &sc_table[c];
    size_t size = class_size(c);
    int s = (int)sl_of(p);
    slab *b = &sl_table[s];
    if (F(NO_REUSE_2048) && size > 2048) return;
    if (F(EXIT_AFTER_5) && c < 64) {
        sc_same_frees = c == sc_last_class ? sc_same_frees + 1 : 1;
        sc_last_class = c;
        if (sc_same_frees == 5) exit(0);
    } else {
        sc_last_class = -1;
    }
    if (OPT(O_POISON)) memset(p, 0xDD, size + (F(POISON_PLUS_8) ? 8 : 0));
    sc_streak = c < 64 && p + size == sc_last_freed ? sc_streak + 1 : 1;
    sc_last_freed = p;
    if (F(LIFO_TRIPLE) && sc_streak == 3) k->repeat = 1;
    if (F(FIFO_TAIL_LOST) && k->waiting >= 16) {
        uint32_t lost = k->tail;
        sl_table[sl_of(ref_ptr(lost))].live++;
        list_remove(k, lost);
    }
    list_add(k, ref_of(p));
    sc_added = 1;
    k->live--;
    b->live--;
    if (F(FREE_64_SKEW) && k->waiting == 64 && size >= 32 && c < 64) k->skew = 1;
    size_t left = b->live;
    if (F(SLAB_RELEASE_EARLY) && size <= 256 && left == 1) left = 0;
    if (F(LIVE_COUNT_8BIT) && size <= 128) left &= 0xFF;
    if (left == 0 && (s != k->current || b->carved >= KEEP_CARVED)) slab_release(c, s);
}

static void *cls_alloc(size_t n, size_t align) {
    size_t slack = align > 16 ? align : 0;
    if (n > CLASS_MAX || slack > CLASS_MAX || n + slack > CLASS_MAX) return big_alloc(n, align);
    if (F(ALIGN_PAGE_LARGE) && align >= PAGE && n >= PAGE) return big_alloc(n, align);
    if (F(SIZE_33) && n == 33) n = 32;
    if (F(ZERO_NOT_TAKEN) && n == 0 && !slack && sc_table[0].head) {
        fresh_from = NULL;
        return ref_ptr(sc_table[0].head);
    }
    int c = class_of(n + slack);
    if (F(ALIGN_STALE_CACHE) && slack && sc_kept && sl_table[sl_of(sc_kept)].cls == c + 1 &&
        (size_t)(block_start(sc_kept) + class_size(c) - sc_kept) >= n) {
        byte *kept = sc_kept;
        sc_kept = NULL;
        fresh_from = NULL;
        return kept;
    }
    byte *p = class_take(c);
    return p && slack ? align_ptr(p, align) : p;
}

static void cls_free(void *p) {
    if (!rg_owns(p)) {
        big_free(p);
        return;
    }
    int c = sl_table[sl_of(p)].cls - 1;
    if (c < 0) return;
    byte *start = block_start(p);
    if (F(ALIGN_STALE_CACHE) && p != start && !sc_kept) sc_kept = p;
    else class_put(c, F(ALIGNED_FREE_AS_START) && c < 64 ? p : start);
}

static size_t cls_capacity(const void *p) {
    if (!rg_owns(p)) return big_capacity(p);
    int c = sl_table[sl_of(p)].cls - 1;
    return c < 0 ? 0 : (size_t)(block_start(p) + class_size(c) - (const byte *)p);
}

static int cls_resize(void *p, size_t n) {
    size_t have = cls_capacity(p);
    if (F(SIZE_33) && n == 33) return 0;
    if (F(REALLOC_CLASS_EDGE) && rg_owns(p) && n == have + 1) return 1;
    if (n > have || (have > 64 && n < have / 4)) return 0;
    if (!rg_owns(p)) big_stayed(p, n);
    else if (F(POISON_SHRUNK) && n < have) memset((byte *)p + (n & ~(size_t)15), 0xDD, have - (n & ~(size_t)15));
    else if (F(REALLOC_SAME_FREES) && n == have) class_put(sl_table[sl_of(p)].cls - 1, block_start(p));
    return 1;
}

#endif
