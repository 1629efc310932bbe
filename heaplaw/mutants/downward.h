/* Blocks cut from the high end of the region downward, each behind a 16-byte
 * header; freed blocks wait in a list of their size class. When the last live
 * block goes, everything starts anew. Large blocks have maps of their own. */
#ifndef HEAPLAW_DOWNWARD_H
#define HEAPLAW_DOWNWARD_H

#include "big.h"
#include "faults.h"
#include "region.h"

typedef struct dw_head {
    uint32_t cls;
    uint32_t back; /* distance from the block's first header to this one */
    uint64_t pad;
} dw_head;

static void *dw_list[CLASSES];
static size_t dw_used;
static size_t dw_live;
static size_t dw_frees;

static inline dw_head *dw_of(const void *p) { return (dw_head *)((uintptr_t)p - sizeof(dw_head)); }

static void *dw_alloc(size_t n, size_t align) {
    fresh_from = NULL;
    size_t slack = align > 16 ? align : 0;
    if (n > CLASS_MAX || n + slack > CLASS_MAX) return big_alloc(n, align);
    uint32_t cls = (uint32_t)class_of(n + slack);
    byte *p = dw_list[cls];
    if (p) {
        dw_list[cls] = *(void **)(void *)p;
    } else {
        size_t whole = class_size((int)cls) + sizeof(dw_head);
        if (!rg_open_high(dw_used + whole)) return NULL;
        dw_used += whole;
        p = rg_base + rg_len - dw_used + sizeof(dw_head);
        dw_of(p)->cls = cls;
        dw_of(p)->back = 0;
    }
    if (!F(DOWN_ALIGNED_UNCOUNTED) || !slack) dw_live++;
    byte *user = slack ? align_ptr(p, align) : p;
    dw_of(user)->cls = cls;
    dw_of(user)->back = (uint32_t)(user - p) & (F(DOWN_BACK_12BIT) ? 0xFFF : UINT32_MAX);
    return user;
}

static void dw_free(void *p) {
    if (!rg_owns(p)) {
        big_free(p);
        return;
    }
    uint32_t cls = dw_of(p)->cls;
    byte *start = (byte *)p - dw_of(p)->back;
    dw_live--;
    if (F(LEAK_EIGHTH) && ++dw_frees % 8 == 0) return;
    if (dw_live == 0 && !F(FAIL_DROPS_LISTS) && !F(LEAK_EIGHTH)) {
        memset(dw_list, 0, sizeof dw_list);
        dw_used = 0;
        return;
    }
    *(void **)(void *)start = dw_list[cls];
    dw_list[cls] = start;
}

static size_t dw_capacity(const void *p) {
    if (!rg_owns(p)) return big_capacity(p);
    return class_size((int)dw_of(p)->cls) - dw_of(p)->back;
}

static int dw_resize(void *p, size_t n) {
    size_t have = dw_capacity(p);
    return n <= have && (have <= 64 || n >= have / 4);
}

#endif
