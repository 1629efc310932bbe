/* A stack over a buffer of the caller's. Eight bytes in front of each block
 * tell where the block below is and how long this one is; or they are kept
 * aside, in an array of their own. `total` counts what `remaining` lacks:
 * blocks, headers and padding. */
#ifndef HEAPLAW_STACK_H
#define HEAPLAW_STACK_H

#include "common.h"

#define STACK_ALIGN ((size_t)16)
#define NO_BLOCK UINT32_MAX

typedef struct stack_head {
    uint32_t below; /* offset of the block below, or NO_BLOCK */
    uint32_t size;  /* bytes the caller asked for */
} stack_head;

typedef struct stack_of_blocks {
    int taken;
    byte *base;
    size_t capacity;
    size_t top;       /* bytes in use */
    size_t depth;     /* live blocks */
    size_t total;
    uint32_t newest;  /* offset of the newest block, or NO_BLOCK */
    stack_head *aside;
    uint32_t before;  /* what was newest before the latest request (a fault only) */
    size_t high;      /* what zeroed requests take for used (a fault only) */
    int refuse_pop;
} sh_stack_t;

DEFINE_SLOTS(sh_stack_t)

API sh_stack_t *sh_stack_new(void *buffer, size_t capacity);
API void *sh_stack_alloc(sh_stack_t *s, size_t size);
API void *sh_stack_aligned(sh_stack_t *s, size_t size, size_t align);
API void *sh_stack_zeroed(sh_stack_t *s, size_t size);
API int sh_stack_pop(sh_stack_t *s);
API void sh_stack_reset(sh_stack_t *s);
API size_t sh_stack_remaining(sh_stack_t *s);
API size_t sh_stack_total(sh_stack_t *s);
API int sh_stack_check(sh_stack_t *s);
API void sh_stack_drop(sh_stack_t *s);

/* Each block takes a byte at least: there are never more of them. */
static size_t stack_aside_bytes(const sh_stack_t *s) { return round_up(s->capacity * sizeof(stack_head), PAGE); }

sh_stack_t *sh_stack_new(void *buffer, size_t capacity) {
    prepare(STACK);
    if (capacity == 0 || capacity >= NO_BLOCK) return refuse();
    for (int i = 0; i < INSTANCES; i++)
        if (F(STACK_DROP_LIVE) && sh_stack_t_slots[i].taken && sh_stack_t_slots[i].base == buffer) return refuse();
    sh_stack_t *s = sh_stack_t_slot();
    if (!s) return NULL;
    *s = (sh_stack_t){.taken = 1, .base = buffer, .capacity = capacity, .newest = NO_BLOCK, .before = NO_BLOCK};
    if (!OPT(O_ASIDE)) return s;
    s->aside = map_pages(stack_aside_bytes(s));
    if (s->aside) return s;
    s->taken = 0;
    return refuse();
}

/* What is known of the newest block. */
static stack_head *stack_head_of(const sh_stack_t *s) {
    size_t level = s->depth - 1;
    if (s->aside) return &s->aside[F(STACK_ASIDE_RING) ? level % 64 : level];
    return (stack_head *)(void *)(s->base + s->newest - sizeof(stack_head));
}

/* Bytes of the newest block itself: one at least, so that no two blocks share an address. */
static size_t stack_extent(const sh_stack_t *s) { return max_size(stack_head_of(s)->size, 1); }

/* Faults only: the live blocks, counted from the newest down. */
static size_t stack_levels(const sh_stack_t *s) {
    size_t levels = 0;
    for (uint32_t at = s->newest; at != NO_BLOCK && levels < s->depth; levels++)
        at = ((const stack_head *)(const void *)(s->base + at - sizeof(stack_head)))->below;
    return levels;
}

static void *stack_push(sh_stack_t *s, size_t size, size_t align) {
    if (F(STACK_PUSH_ADDS)) s->depth = stack_levels(s);
    size_t head = s->aside ? 0 : sizeof(stack_head);
    size_t start = min_size(s->top, s->capacity), n = max_size(size, 1);
    if (F(STACK_HEADER_IN_TAIL)) start &= ~(size_t)7;
    if (!s->aside) align = max_size(align, sizeof(stack_head));
    if (F(STACK_ASIDE_UNALIGNED) && n < align && align <= STACK_ALIGN) align = min_size(align, 8);
    size_t room = s->capacity - start;
    size_t pad = pad_up(address_of(s->base) + start + head, align);
    size_t need = F(STACK_FILL_OVER) ? pad : pad + head;
    int fits = need <= room && n <= room - need;
    if (F(STACK_SIZE_WRAP)) fits = start + head + pad + n <= s->capacity;
    if (F(STACK_FIRST_WHOLE) && s->depth == 0) fits = n <= s->capacity && pad + head <= room;
    if (!fits) {
        if (F(STACK_POP_REFUSED) && size > s->capacity) s->refuse_pop = 1;
        return refuse();
    }
    s->before = s->newest;
    uint32_t offset = (uint32_t)(start + pad + head);
    s->newest = offset;
    s->depth++;
    *stack_head_of(s) = (stack_head){.below = s->before, .size = (uint32_t)size};
    s->top = min_size(offset + n, s->capacity);
    s->total += s->top - start;
    return s->base + offset;
}

void *sh_stack_alloc(sh_stack_t *s, size_t size) { return stack_push(s, size, STACK_ALIGN); }

void *sh_stack_aligned(sh_stack_t *s, size_t size, size_t align) { return stack_push(s, size, align); }

void *sh_stack_zeroed(sh_stack_t *s, size_t size) {
    byte *p = stack_push(s, size, STACK_ALIGN);
    if (!p) return NULL;
    size_t from = (size_t)(p - s->base), dirty = size;
    if (F(STACK_ZERO_ONCE)) {
        dirty = s->high > from ? min_size(size, s->high - from) : 0;
        s->high = max_size(s->high, s->top);
    }
    memset(p, 0, dirty);
    return p;
}

static void stack_empty(sh_stack_t *s) {
    s->top = s->depth = 0;
    s->newest = NO_BLOCK;
}

/* Take the newest block away: the top is where the one below ends. */
static void stack_drop_newest(sh_stack_t *s) {
    size_t offset = s->newest, was = s->top;
    uint32_t below = F(STACK_POP_TWICE) ? s->before : stack_head_of(s)->below;
    if (below >= s->capacity || (F(STACK_DEPTH_64) && s->depth == 65)) { /* NO_BLOCK, mostly */
        stack_empty(s);
    } else {
        s->newest = below;
        if (s->depth > 1) s->depth--;
        s->top = s->newest + stack_extent(s);
    }
    if (F(STACK_POP_PADDING)) s->top = offset - sizeof(stack_head);
    s->total -= F(STACK_TOTAL_PADDING) ? was - offset + sizeof(stack_head) : was - s->top;
}

/* 0: the newest block is gone; there may have been none. */
int sh_stack_pop(sh_stack_t *s) {
    if (s->refuse_pop) {
        s->refuse_pop = 0;
        return 1;
    }
    if (s->newest == NO_BLOCK) {
        if (F(STACK_POP_EMPTY)) s->top -= sizeof(stack_head);
        return 0;
    }
    if (F(STACK_POP_SEARCHES)) s->depth = stack_levels(s);
    int again = F(STACK_POP_ZERO) && stack_head_of(s)->size == 0;
    stack_drop_newest(s);
    if (again && s->newest != NO_BLOCK) stack_drop_newest(s);
    return 0;
}

void sh_stack_reset(sh_stack_t *s) {
    uint32_t newest = s->newest;
    stack_empty(s);
    s->total = 0;
    if (F(STACK_RESET_NEWEST)) s->newest = newest;
}

size_t sh_stack_remaining(sh_stack_t *s) { return s->capacity - s->top; }

size_t sh_stack_total(sh_stack_t *s) { return s->total; }

/* 0: well. The newest block and the top lie within the buffer. */
int sh_stack_check(sh_stack_t *s) {
    if (F(STACK_CHECK_ZERO) && s->newest != NO_BLOCK && stack_head_of(s)->size == 0) return 1;
    return s->top > s->capacity || (s->newest != NO_BLOCK && s->newest >= s->capacity);
}

void sh_stack_drop(sh_stack_t *s) {
    if (s->aside) unmap_pages(s->aside, stack_aside_bytes(s));
    s->taken = F(STACK_DROP_LIVE) && s->depth > 0;
}

#endif
