/* A lua_Alloc function. Sizes up to 1 KiB have classes, 16 bytes apart: blocks
 * without headers, which nobody but the caller knows the size of. Each larger
 * block has a map of its own, at most 256 MiB in all. What shrinks never
 * fails: where there is no memory to move to, the block stays. */
#ifndef HEAPLAW_LUA_H
#define HEAPLAW_LUA_H

#include "common.h"

#define LUA_STEP ((size_t)16)
#define LUA_CLASSES 64
#define LUA_SMALL (LUA_STEP * LUA_CLASSES) /* bytes of the largest class */
#define LUA_CARVE ((size_t)16384)
#define LUA_MAX ((size_t)1 << 28)
#define LUA_HEAD ((size_t)64)

/* A map: memory to carve small blocks from, or one large block. */
typedef struct lua_map {
    struct lua_map *next, *prev;
    size_t length; /* header included, bytes */
    int carved;    /* for small blocks */
} lua_map;

typedef struct lua_heap {
    int taken;
    lua_map *maps;
    size_t mapped;           /* bytes of all maps */
    void *free[LUA_CLASSES]; /* freed blocks; the first word of each points to the next */
    byte *carve;             /* where the next small block comes from */
    size_t left;             /* bytes there */
    size_t doublings;        /* resizes in a row of one block, each to the double (a fault only) */
    void *doubled;
} lua_heap;

DEFINE_SLOTS(lua_heap)

API lua_heap *sh_lua_new(void);
API void *sh_lua_alloc(void *ud, void *ptr, size_t osize, size_t nsize);
API int sh_lua_check(lua_heap *h);
API void sh_lua_close(lua_heap *h);

static size_t lua_class(size_t n) { return n > 0 ? (n - 1) / LUA_STEP : 0; }
static size_t lua_class_size(size_t c) { return (c + 1) * LUA_STEP; }
static lua_map *lua_map_of(void *block) { return (lua_map *)(void *)((byte *)block - LUA_HEAD); }

lua_heap *sh_lua_new(void) {
    prepare(LUA);
    lua_heap *h = lua_heap_slot();
    if (h) *h = (lua_heap){.taken = 1};
    return h;
}

static void *lua_open(lua_heap *h, size_t length, int carved) {
    if (length > LUA_MAX - h->mapped) return NULL;
    lua_map *m = map_pages(length);
    if (!m) return NULL;
    m->length = length;
    m->carved = carved;
    m->next = h->maps;
    m->prev = NULL;
    if (h->maps) h->maps->prev = m;
    h->maps = m;
    h->mapped += length;
    return (byte *)m + LUA_HEAD;
}

static void lua_close(lua_heap *h, lua_map *m) {
    if (m->next) m->next->prev = m->prev;
    if (m->prev) m->prev->next = m->next;
    else h->maps = m->next;
    h->mapped -= m->length;
    unmap_pages(m, m->length);
}

static size_t lua_map_length(size_t n) {
    if (F(LUA_PAGE_SHORT)) return max_size((n + LUA_HEAD - 1) & ~(PAGE - 1), PAGE);
    return round_up(n + LUA_HEAD, PAGE);
}

/* No fault: a free list ends where its links were overwritten. */
static byte *lua_first(const lua_heap *h, size_t c) {
    uintptr_t first = address_of(h->free[c]);
    const lua_map *m = first % LUA_STEP == 0 ? h->maps : NULL;
    while (m && (!m->carved || first - address_of(m) >= m->length)) m = m->next;
    return m ? h->free[c] : NULL;
}

static void *lua_get(lua_heap *h, size_t n) {
    if (F(LUA_TRUNCATE_32)) n = (uint32_t)n;
    if (n > LUA_MAX) return NULL;
    if (n > LUA_SMALL) return lua_open(h, lua_map_length(n), 0);
    size_t c = lua_class(n), size = lua_class_size(c);
    byte *p = lua_first(h, c);
    if (p) {
        memcpy(&h->free[c], p, sizeof(void *));
        return p;
    }
    if (h->left < size) {
        size_t rest = h->left;
        byte *at = h->carve;
        p = lua_open(h, LUA_CARVE, 1);
        if (!p) return NULL;
        h->carve = p;
        h->left = LUA_CARVE - LUA_HEAD;
        if (F(LUA_REST_AS_CLASS) && rest >= LUA_STEP && c > 0) { /* what remains is taken for one block of the class */
            memcpy(at, &h->free[c - 1], sizeof(void *));
            h->free[c - 1] = at;
        }
    }
    p = h->carve;
    h->carve += size;
    h->left -= size;
    return p;
}

static void lua_give(lua_heap *h, void *block, size_t size) {
    if (size > LUA_SMALL || (F(LUA_FREE_LARGEST) && size == LUA_SMALL)) {
        lua_close(h, lua_map_of(block));
        return;
    }
    size_t c = lua_class(size);
    if (F(LUA_FREE_EDGE) && size % 64 == 0 && size < LUA_SMALL) c++;
    memcpy(block, &h->free[c], sizeof(void *));
    h->free[c] = block;
}

/* Is the block right for the new size as it lies? */
static int lua_stays(void *block, size_t osize, size_t nsize) {
    if (OPT(O_MOVES) || nsize > LUA_MAX) return 0;
    if (osize > LUA_SMALL && nsize > LUA_SMALL) return lua_map_of(block)->length == lua_map_length(nsize);
    if (osize > LUA_SMALL || nsize > LUA_SMALL) return 0;
    if (F(LUA_KEEPS_CLASS)) return (osize + 31) / 32 == (nsize + 31) / 32;
    return lua_class(osize) == lua_class(nsize);
}

/* How many bytes to copy. */
static size_t lua_kept(lua_heap *h, void *block, size_t osize, size_t nsize) {
    size_t kept = min_size(osize, nsize);
    if (F(LUA_COPY_WORDS)) kept &= ~(size_t)7;
    if (F(LUA_MAP_TO_CLASS) && osize > 4 * PAGE && nsize <= LUA_SMALL) kept = min_size(kept, 512);
    if (F(LUA_CLASS_TO_MAP) && osize <= LUA_SMALL && nsize > 4 * PAGE) kept = min_size(kept, 512);
    if (F(LUA_DOUBLINGS)) {
        h->doublings = block == h->doubled && nsize / 2 == osize ? h->doublings + 1 : 0;
        if (h->doublings == 4) kept -= min_size(kept, 16);
    }
    return kept;
}

static void *lua_resize(lua_heap *h, void *block, size_t osize, size_t nsize) {
    if (lua_stays(block, osize, nsize)) return block;
    if (F(LUA_SHRINK_REFUSED) && nsize <= LUA_SMALL && nsize < osize && !h->free[lua_class(nsize)]) return NULL;
    if (F(LUA_SHRINK_MAP) && nsize > LUA_SMALL && nsize < osize / 4) return NULL;
    byte *moved = lua_get(h, nsize);
    /* A block has room for all that is smaller; a map that serves as a small block stays until the end. */
    if (!moved && nsize <= osize) return block;
    if (!moved) {
        if (F(LUA_FAIL_FREES)) lua_give(h, block, osize);
        return NULL;
    }
    size_t kept = lua_kept(h, block, osize, nsize);
    if (F(LUA_FREE_THEN_COPY) && osize <= LUA_SMALL) lua_give(h, block, osize);
    memcpy(moved, block, kept);
    if (!F(LUA_FREE_THEN_COPY) || osize > LUA_SMALL) lua_give(h, block, osize);
    return h->doubled = moved;
}

void *sh_lua_alloc(void *ud, void *ptr, size_t osize, size_t nsize) {
    lua_heap *h = ud;
    if (nsize == 0) {
        if (ptr || F(LUA_FREE_NULL)) lua_give(h, ptr, osize);
        return F(LUA_FREE_RETURNS) ? ptr : NULL;
    }
    /* Without a block, osize tells what kind of object is to be made. */
    if (!ptr && !F(LUA_TAG_AS_SIZE)) return lua_get(h, nsize);
    return lua_resize(h, ptr, osize, nsize);
}

/* 0: well. The maps are as long as they are counted, and what is left to carve lies in one of them. */
int sh_lua_check(lua_heap *h) {
    size_t length = 0, around = 0;
    for (const lua_map *m = h->maps; m && length <= h->mapped; m = m->next) {
        length += m->length;
        if (address_of(h->carve) - address_of(m) <= m->length) around++;
    }
    return length != h->mapped || (h->left > 0 && around == 0);
}

void sh_lua_close(lua_heap *h) {
    while (h->maps) lua_close(h, h->maps);
    h->taken = 0;
}

#endif
