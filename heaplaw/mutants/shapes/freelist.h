/* A free list over a buffer of the caller's: chunks with a header of 16 bytes
 * follow each other without gaps; first fit, or best fit. A chunk is split
 * where at least 32 bytes remain. Freed chunks go to the head of the list; or
 * the list is in order of address, and neighbours are joined. `total` counts
 * the requested bytes that are live, and nothing else. */
#ifndef HEAPLAW_FREELIST_H
#define HEAPLAW_FREELIST_H

#include "common.h"

#define LIST_HEAD ((size_t)16)
#define LIST_LEAST ((size_t)32) /* bytes of the smallest chunk, header included */
#define LIST_END UINT32_MAX

typedef struct node {
    uint32_t size; /* header included, a multiple of 16 */
    uint32_t live;
    uint32_t want; /* bytes the caller asked for, while live */
    uint32_t next; /* offset of the next free chunk, while free */
} node;

typedef struct list {
    int taken;
    byte *base;
    size_t capacity;
    uint32_t head; /* offset of the first free chunk */
    size_t total;
    uint32_t rover; /* offset where the search before ended */
    /* what faults remember */
    size_t last_size, equal_frees; /* frees in a row of chunks of one size */
    int repeat;                    /* the next chunk taken stays in the list */
} list_t;

DEFINE_SLOTS(list_t)

API list_t *sh_list_new(void *buffer, size_t capacity);
API void *sh_list_alloc(list_t *l, size_t size);
API void *sh_list_aligned(list_t *l, size_t size, size_t align);
API void *sh_list_zeroed(list_t *l, size_t count, size_t size);
API void *sh_list_realloc(list_t *l, void *block, size_t size);
API void sh_list_free(list_t *l, void *block);
API void sh_list_free_sized(list_t *l, void *block, size_t size);
API void sh_list_reset(list_t *l);
API size_t sh_list_remaining(list_t *l);
API size_t sh_list_total(list_t *l);
API int sh_list_check(list_t *l);
API void sh_list_drop(list_t *l);

static node *list_at(const list_t *l, size_t offset) { return (node *)(void *)(l->base + offset); }
static size_t list_offset(const list_t *l, const node *c) { return (size_t)((const byte *)c - l->base); }
static byte *list_payload(node *c) { return (byte *)c + LIST_HEAD; }
static node *list_of(void *block) { return (node *)(void *)((byte *)block - LIST_HEAD); }

/* No fault: links and headers that a neighbour's owner overwrote are left alone. */
static int list_sane(const list_t *l, size_t offset) {
    if (offset % 16 != 0 || offset >= l->capacity || l->capacity - offset < LIST_LEAST) return 0;
    size_t size = list_at(l, offset)->size;
    return size % 16 == 0 && size >= LIST_LEAST && size <= l->capacity - offset;
}

static node *list_free_at(const list_t *l, uint32_t offset) {
    return offset != LIST_END && list_sane(l, offset) ? list_at(l, offset) : NULL;
}

static node *list_next(const list_t *l, const node *c) { return list_free_at(l, c->next); }

/* The chunk just above, or NULL at the end of the buffer. */
static node *list_above(const list_t *l, const node *c) {
    size_t offset = list_offset(l, c) + c->size;
    return offset < l->capacity && list_sane(l, offset) ? list_at(l, offset) : NULL;
}

static void list_whole(list_t *l) {
    *list_at(l, 0) = (node){.size = (uint32_t)l->capacity, .next = LIST_END};
    l->head = 0;
    l->equal_frees = 0;
    l->repeat = 0;
    l->rover = 0;
}

list_t *sh_list_new(void *buffer, size_t capacity) {
    prepare(FREELIST);
    size_t lead = pad_up(address_of(buffer), 16);
    if (capacity >= LIST_END || capacity < lead + LIST_LEAST) return refuse();
    list_t *l = list_t_slot();
    if (!l) return NULL;
    *l = (list_t){.taken = 1, .base = (byte *)buffer + lead, .capacity = (capacity - lead) & ~(size_t)15};
    list_whole(l);
    return l;
}

/* Bytes of the chunk for a request, header included; 0 when no chunk can be so large. */
static size_t list_need(const list_t *l, size_t size) {
    if (F(FREELIST_HEADER_WRAP) && size > SIZE_MAX - LIST_LEAST) return LIST_LEAST;
    if (size > l->capacity) return 0;
    return max_size((size + LIST_HEAD + 15) & ~(size_t)15, LIST_LEAST);
}

/* Bytes to cut off in front so that the payload is aligned: none, or a chunk at least. */
static size_t list_gap(const list_t *l, node *c, size_t align) {
    uintptr_t payload = F(FREELIST_ALIGN_OFFSET) ? list_offset(l, c) + LIST_HEAD : address_of(list_payload(c));
    size_t gap = pad_up(payload, align);
    return gap > 0 && gap < LIST_LEAST ? gap + align : gap;
}

static int list_fits(const list_t *l, node *c, size_t need, size_t align) {
    size_t gap = list_gap(l, c, align);
    size_t size = c->size + (F(FREELIST_BEST_SHORT) && align <= 16 && list_above(l, c) ? 32 : 0);
    return gap <= size && need <= size - gap;
}

/* The chunk to take; `link` is set to where its offset stands in the list. NULL: there is none. */
static node *list_search(list_t *l, size_t need, size_t align, uint32_t **link) {
    node *found = NULL;
    uint32_t *at = &l->head;
    size_t patience = l->capacity / LIST_LEAST; /* no fault: a list that turns in a circle ends */
    for (node *c = list_free_at(l, *at); c && patience > 0; at = &c->next, c = list_next(l, c), patience--) {
        if (F(FREELIST_SKIPS_LAST) && c->next == LIST_END && at != &l->head) break;
        if (!list_fits(l, c, need, align)) continue;
        if (found && OPT(O_BEST) && found->size <= c->size) continue;
        if (found && OPT(O_NEXT) && list_offset(l, c) < l->rover) continue;
        found = c;
        *link = at;
        if (!OPT(O_BEST | O_LAST) && (!OPT(O_NEXT) || list_offset(l, c) >= l->rover)) break;
    }
    if (found) l->rover = (uint32_t)(list_offset(l, found) + need);
    return found;
}

/* Cut `c` down to `need` bytes. What is left becomes a free chunk; its offset, or LIST_END if too little is left. */
static uint32_t list_split(list_t *l, node *c, size_t need, uint32_t next) {
    size_t rest = c->size > need ? c->size - need : 0;
    if (F(FREELIST_REST_48) && rest == 16 && list_above(l, c)) rest = 48;
    if (rest < LIST_LEAST) return next;
    size_t offset = list_offset(l, c) + need;
    *list_at(l, offset) = (node){.size = (uint32_t)rest, .next = next};
    c->size = (uint32_t)need;
    return (uint32_t)offset;
}

/* Take `need` bytes out of the free chunk at `link`, leaving `gap` in front. */
static node *list_take(list_t *l, node *c, uint32_t *link, size_t need, size_t gap) {
    uint32_t next = c->next;
    size_t offset = list_offset(l, c);
    if (gap > 0) {
        node *front = c;
        c = list_at(l, offset + gap);
        *c = (node){.size = (uint32_t)(front->size - gap)};
        front->size = (uint32_t)gap;
        if (F(FREELIST_FRONT_LOST)) front->live = 1;
        else link = &front->next;
    }
    int exact = c->size == need, is_tail = next == LIST_END && link != &l->head;
    uint32_t rest = list_split(l, c, need, next);
    if (F(FREELIST_TAIL_STAYS) && exact && is_tail && gap == 0) return c;
    if (l->repeat && gap == 0 && rest == next) l->repeat = 0;
    else *link = rest;
    return c;
}

static void *list_too_large(list_t *l) {
    node *head = list_free_at(l, l->head);
    if (F(FREELIST_REFUSAL_DROPS) && head && head->next != LIST_END) l->head = head->next;
    if (F(FREELIST_ERRNO_LOST)) return NULL;
    return refuse();
}

static void *list_get(list_t *l, size_t size, size_t align) {
    if (size == 0 && OPT(O_NULL0)) return NULL;
    size_t need = list_need(l, size);
    if (need == 0) return list_too_large(l);
    uint32_t *link = NULL;
    node *c = list_search(l, need, align, &link);
    l->equal_frees = 0;
    if (!c) return refuse();
    uint32_t before = F(FREELIST_NEXT_STALE) && c->size >= 512 && c->size == need ? *link : LIST_END;
    c = list_take(l, c, link, need, list_gap(l, c, align));
    if (before != LIST_END && link != &l->head) *link = before; /* the rover's own chunk stays where it was */
    c->live = 1;
    c->want = (uint32_t)size;
    l->total += c->want;
    return list_payload(c);
}

void *sh_list_alloc(list_t *l, size_t size) { return list_get(l, size, 16); }

void *sh_list_aligned(list_t *l, size_t size, size_t align) {
    if (F(FREELIST_ZERO_ALIGNED) && size == 0) return NULL;
    return list_get(l, size, max_size(align, 16));
}

void *sh_list_zeroed(list_t *l, size_t count, size_t size) {
    size_t n;
    if (__builtin_mul_overflow(count, size, &n) && !F(FREELIST_COUNT_WRAP)) return list_too_large(l);
    byte *p = list_get(l, n, 16);
    if (p) memset(p, 0, F(FREELIST_ZERO_WORDS) ? n & ~(size_t)7 : n);
    return p;
}

static int list_joins_live(const list_t *l, const node *c) {
    for (int i = 0; i < 3; i++) {
        const node *above = list_above(l, c);
        if (!above || above->size != c->size || !above->live) return 0;
        c = above;
    }
    return F(FREELIST_JOINS_LIVE);
}

/* Put `c` into the list by address and join it with free neighbours. */
static void list_insert(list_t *l, node *c) {
    uint32_t offset = (uint32_t)list_offset(l, c), *link = &l->head;
    node *below = NULL;
    for (node *n = list_free_at(l, *link); n && n < c; n = list_next(l, n)) {
        below = n;
        link = &n->next;
    }
    c->next = *link;
    *link = offset;
    node *above = list_above(l, c);
    if (above && c->next == list_offset(l, above)) {
        c->next = above->next;
        c->size += above->size;
    } else if (list_joins_live(l, c)) {
        c->size += above->size;
    }
    if (F(FREELIST_FIRST_ALONE) && below && list_offset(l, below) == 0) return;
    if (below && list_above(l, below) == c) {
        below->next = c->next;
        below->size += c->size;
    }
}

static void list_put(list_t *l, node *c) {
    l->total -= c->want;
    c->live = c->want = 0;
    l->equal_frees = c->size == l->last_size ? l->equal_frees + 1 : 1;
    l->last_size = c->size;
    if (F(FREELIST_FOURTH_EQUAL) && l->equal_frees == 4) l->repeat = 1;
    if (OPT(O_JOINS)) {
        list_insert(l, c);
        return;
    }
    c->next = l->head;
    l->head = (uint32_t)list_offset(l, c);
}

void sh_list_free(list_t *l, void *block) {
    node *c = block ? list_of(block) : NULL;
    if (!c || !list_sane(l, list_offset(l, c))) return;
    size_t payload = c->size - LIST_HEAD + (F(FREELIST_POISON_WIDE) && list_above(l, c) ? 24 : 0);
    if (OPT(O_POISON)) memset(block, 0xDD, payload);
    list_put(l, c);
}

/* The same for a caller who knows the size that was asked for. */
void sh_list_free_sized(list_t *l, void *block, size_t size) {
    node *c = block ? list_of(block) : NULL;
    size_t need = list_need(l, size);
    if (c && F(FREELIST_TRUSTS_SIZE) && need < c->size) { /* nobody ever frees what is left over */
        *list_at(l, list_offset(l, c) + need) = (node){.size = (uint32_t)(c->size - need), .live = 1};
        c->size = (uint32_t)need;
    }
    sh_list_free(l, block);
}

/* Try to hold `need` bytes where the chunk is. */
static int list_resize(list_t *l, node *c, size_t need) {
    if (need <= c->size && !OPT(O_JOINS)) return 1;
    node *above = list_above(l, c);
    if (need > c->size) {
        int eats = F(FREELIST_GROW_EATS) && above && above->size == c->size;
        if (!OPT(O_JOINS) || !above || (above->live && !eats) || need - c->size > above->size) return 0;
        uint32_t *link = &l->head, offset = (uint32_t)list_offset(l, above);
        while (*link != offset && list_free_at(l, *link)) link = &list_at(l, *link)->next;
        if (*link == offset && !(F(FREELIST_GROW_HEAD) && link == &l->head && above->next != LIST_END)) *link = above->next;
        c->size += above->size;
    }
    uint32_t rest = list_split(l, c, need, LIST_END);
    if (rest == LIST_END) return 1;
    if (F(FREELIST_SHRUNK_FIRST)) {
        list_at(l, rest)->next = l->head;
        l->head = rest;
    } else {
        list_insert(l, list_at(l, rest));
    }
    return 1;
}

static void *list_no_room(list_t *l, void *block) {
    if (F(FREELIST_FAIL_FREES)) sh_list_free(l, block);
    return list_too_large(l);
}

void *sh_list_realloc(list_t *l, void *block, size_t size) {
    if (!block) return sh_list_alloc(l, size);
    size_t need = list_need(l, size);
    if (need == 0) return list_no_room(l, block);
    node *c = list_of(block);
    size_t had = c->size;
    if (list_resize(l, c, need)) {
        if (!F(FREELIST_TOTAL_RESIZE)) l->total += size - c->want;
        if (!F(FREELIST_GROWN_TOTAL) || c->size <= had) c->want = (uint32_t)size;
        return block;
    }
    byte *moved = list_get(l, size, 16);
    if (!moved) return NULL;
    size_t kept = min_size(c->want, size);
    memcpy(moved, block, F(FREELIST_MOVE_ROUNDS) && kept > 512 ? kept & ~(size_t)15 : kept);
    sh_list_free(l, block);
    return moved;
}

void sh_list_reset(list_t *l) {
    list_whole(l);
    if (!F(FREELIST_RESET_TOTAL)) l->total = 0;
}

size_t sh_list_remaining(list_t *l) { return l->capacity - l->total; }

size_t sh_list_total(list_t *l) { return l->total; }

/* 0: well. The list ends, and no more bytes are in it than there are. */
int sh_list_check(list_t *l) {
    size_t bytes = 0;
    for (node *c = list_free_at(l, l->head); c && bytes <= l->capacity; c = list_next(l, c)) bytes += c->size;
    return bytes > l->capacity || l->total > l->capacity;
}

void sh_list_drop(list_t *l) { l->taken = 0; }

#endif
