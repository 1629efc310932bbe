/* An arena: blocks follow each other in chunks that come from mmap, at most
 * 1 MiB in all; a block that is too large for a chunk gets one of its own. A
 * mark is the address where the next block may begin; a release goes back to
 * one. Released chunks are kept and used again. `total` counts blocks with
 * their padding, but neither chunk headers nor what is left at chunks' ends. */
#ifndef HEAPLAW_ARENA_H
#define HEAPLAW_ARENA_H

#include "common.h"

#define ARENA_ALIGN ((size_t)16)
#define ARENA_MAX ((size_t)1 << 20)
#define ARENA_CHUNK ((size_t)16384)
#define ARENA_LONGEST ((size_t)262144) /* of chunks that double */
#define ARENA_HEAD ((size_t)64)
#define ARENA_SPARES 64

typedef struct chunk {
    struct chunk *older;
    byte *end;
    byte *dirty;   /* from here on it was never used */
    size_t length; /* header included, bytes */
    size_t before; /* used bytes of all older chunks */
    int big;       /* it was made for one large block */
} chunk;

typedef struct arena {
    int taken;
    chunk *newest;
    byte *top;     /* where the next block may begin, in the newest chunk */
    byte *limit;   /* where that chunk ends */
    size_t mapped; /* bytes of all chunks but the spare ones */
    chunk *spare[ARENA_SPARES];
    size_t spares;
    byte *latest;  /* the latest mark, if nothing was released since (a fault only) */
} arena_t;

DEFINE_SLOTS(arena_t)

API arena_t *sh_arena_new(void);
API void *sh_arena_alloc(arena_t *a, size_t size);
API void *sh_arena_aligned(arena_t *a, size_t size, size_t align);
API void *sh_arena_zeroed(arena_t *a, size_t size);
API void *sh_arena_mark(arena_t *a);
API int sh_arena_release(arena_t *a, void *mark);
API void sh_arena_reset(arena_t *a);
API size_t sh_arena_total(arena_t *a);
API int sh_arena_check(arena_t *a);
API void sh_arena_destroy(arena_t *a);

static byte *chunk_start(chunk *c) { return (byte *)c + ARENA_HEAD; }

/* A spare chunk of exactly that length, or a new one: what is spare must not change what is served. */
static chunk *chunk_make(arena_t *a, size_t length) {
    for (size_t i = 0; i < a->spares; i++) {
        chunk *c = a->spare[i];
        if (c->length != length) continue;
        a->spare[i] = a->spare[--a->spares];
        if (F(ARENA_ZERO_RECYCLED)) c->dirty = chunk_start(c);
        return c;
    }
    chunk *c = map_pages(length);
    if (!c) return NULL;
    c->length = length;
    c->end = (byte *)c + length;
    c->dirty = chunk_start(c);
    return c;
}

static size_t arena_used(const arena_t *a) {
    return a->newest ? a->newest->before + (size_t)(a->top - chunk_start(a->newest)) : 0;
}

/* Go on at `top` in the newest chunk. */
static void arena_go_on(arena_t *a, byte *top) {
    a->top = top;
    a->limit = a->newest->end;
}

/* Open a chunk of `length` bytes: it becomes the newest. */
static chunk *arena_open(arena_t *a, size_t length, int big) {
    if (length > ARENA_MAX - a->mapped) return NULL;
    chunk *c = chunk_make(a, length);
    if (!c) return NULL;
    c->big = big;
    c->older = a->newest;
    c->before = arena_used(a);
    a->mapped += length;
    a->newest = c;
    arena_go_on(a, chunk_start(c));
    return c;
}

static void arena_spare(arena_t *a, chunk *c) {
    if (a->spares < ARENA_SPARES) a->spare[a->spares++] = c;
    else unmap_pages(c, c->length);
}

/* Close the newest chunk. */
static void arena_close(arena_t *a) {
    chunk *c = a->newest;
    a->newest = c->older;
    if (!F(ARENA_BIG_COUNTED) || !c->big) a->mapped -= c->length;
    if (c->big) unmap_pages(c, c->length);
    else arena_spare(a, c);
}

arena_t *sh_arena_new(void) {
    prepare(ARENA);
    arena_t *a = arena_t_slot();
    if (!a) return NULL;
    *a = (arena_t){.taken = 1};
    if (arena_open(a, ARENA_CHUNK, 0)) return a;
    a->taken = 0;
    return refuse();
}

/* Bytes of a chunk for one block, header and padding included; 0 when none may be so long. Chunks begin at a page. */
static size_t arena_need(size_t n, size_t align) {
    size_t most = max_size(align, ARENA_HEAD);
    if (F(ARENA_SIZE_WRAP)) return round_up(most + n, PAGE);
    if (F(ARENA_CHUNK_EDGE) && n <= ARENA_CHUNK && align <= ARENA_HEAD) return min_size(most + n, ARENA_CHUNK);
    return n <= ARENA_MAX && align <= ARENA_MAX ? round_up(most + n, PAGE) : 0;
}

static size_t arena_next_length(const arena_t *a) {
    return OPT(O_DOUBLES) ? min_size(2 * a->newest->length, ARENA_LONGEST) : ARENA_CHUNK;
}

/* Where a block begins in a new chunk of at least `need` bytes; NULL without memory. The chunk is as long as they usually
 * are, if that is enough and not too much; else as short as can be, and not kept when it is closed. */
static byte *arena_grow(arena_t *a, size_t need, size_t align) {
    size_t usual = arena_next_length(a), left = ARENA_MAX - a->mapped;
    size_t length = need <= usual && usual <= left ? usual : need;
    if (need == 0 || !arena_open(a, length, length != usual)) return NULL;
    if (F(ARENA_BIG_UNALIGNED) && a->newest->big) return a->top;
    return a->top + pad_up(address_of(a->top), align);
}

/* Where a block begins that the current chunk has room for; else NULL. */
static byte *arena_place(const arena_t *a, size_t n, size_t align) {
    size_t room = (size_t)(a->limit - a->top), pad = pad_up(address_of(a->top), align);
    size_t counted = F(ARENA_ALIGN_OVER) && align > ARENA_ALIGN ? 0 : pad;
    return counted <= room && n <= room - counted ? a->top + pad : NULL;
}

/* Faults only: the bytes of all chunks, added up. */
static size_t arena_mapped(const arena_t *a) {
    size_t length = 0;
    for (const chunk *c = a->newest; c; c = c->older) length += c->length;
    return length;
}

static void *arena_take(arena_t *a, size_t size, size_t align) {
    if (size == 0 && OPT(O_NULL0)) return NULL;
    if (F(ARENA_ALL_CHUNKS)) a->mapped = arena_mapped(a);
    size_t n = F(ARENA_ZERO_SHARES) ? size : max_size(size, 1);
    byte *p = arena_place(a, n, align);
    if (!p) p = arena_grow(a, arena_need(n, align), align);
    if (!p) return refuse();
    a->top = p < a->limit ? p + min_size(n, (size_t)(a->limit - p)) : a->limit;
    return p;
}

void *sh_arena_alloc(arena_t *a, size_t size) { return arena_take(a, size, ARENA_ALIGN); }

void *sh_arena_aligned(arena_t *a, size_t size, size_t align) { return arena_take(a, size, align); }

/* What was never used is zero as it came. */
void *sh_arena_zeroed(arena_t *a, size_t size) {
    byte *p = arena_take(a, size, ARENA_ALIGN);
    if (p && a->newest->dirty > p) memset(p, 0, min_size(size, (size_t)(a->newest->dirty - p)));
    return p;
}

void *sh_arena_mark(arena_t *a) {
    a->latest = a->top;
    return F(ARENA_MARK_CELLS) ? a->top - address_of(a->top) % 16 : a->top;
}

/* The chunk in which a mark lies, or NULL. A mark may lie at the very end of its chunk. */
static chunk *arena_chunk_of(const arena_t *a, const byte *mark) {
    chunk *c = a->newest;
    while (c && (mark < chunk_start(c) || mark > c->end || (F(ARENA_MARK_EDGE) && mark == c->end))) c = c->older;
    return c;
}

/* A fault: the chunk below is given up with those above, if it is a large block's own. */
static void arena_close_below(arena_t *a) {
    chunk *c = a->newest->older;
    if (!c || !c->big) return;
    a->newest->older = c->older;
    a->mapped -= c->length;
    c->dirty = c->end;
    arena_spare(a, c);
}

static void arena_go_back(arena_t *a, chunk *to, byte *top) {
    for (chunk *c = a->newest; c != to; c = c->older) c->dirty = c->end;
    to->dirty = to->end;
    for (int closed = 0; a->newest != to; closed++) {
        if (F(ARENA_RELEASE_ONE) && closed == 1) {
            arena_go_on(a, a->newest->end);
            return;
        }
        arena_close(a);
    }
    arena_go_on(a, top);
    if (F(ARENA_BIG_EARLY)) arena_close_below(a);
}

/* 0: everything made since the mark is gone; anything else: there is no such mark. */
int sh_arena_release(arena_t *a, void *mark) {
    byte *top = F(ARENA_INNER_ONLY) && a->latest ? a->latest : mark;
    chunk *c = arena_chunk_of(a, top);
    a->latest = NULL;
    if (F(ARENA_RELEASE_WALKS)) a->mapped = arena_mapped(a);
    if (!c && F(ARENA_MARK_EDGE)) {
        sh_arena_reset(a);
        return 0;
    }
    if (!c) return 1;
    arena_go_back(a, c, top);
    return 0;
}

void sh_arena_reset(arena_t *a) {
    chunk *first = a->newest;
    size_t length = first->length;
    while (first->older) first = first->older;
    arena_go_back(a, first, chunk_start(first));
    a->latest = NULL;
    if (F(ARENA_RESET_LIMIT)) a->limit = (byte *)first + min_size(length, first->length + PAGE);
}

size_t sh_arena_total(arena_t *a) { return arena_used(a); }

/* 0: well. The chunks are not longer than they are counted, and the top lies in the newest one. */
int sh_arena_check(arena_t *a) {
    size_t length = 0;
    for (const chunk *c = a->newest; c && length <= ARENA_MAX; c = c->older)
        length += c->length + (F(ARENA_BIG_CHECK) && c->big ? PAGE : 0);
    return length > a->mapped || a->top < chunk_start(a->newest) || a->top > a->limit;
}

void sh_arena_destroy(arena_t *a) {
    while (a->newest) {
        chunk *c = a->newest;
        a->newest = c->older;
        unmap_pages(c, c->length);
    }
    while (a->spares > 0) {
        chunk *c = a->spare[--a->spares];
        unmap_pages(c, c->length);
    }
    a->taken = 0;
}

#endif
