/* C's allocation functions, with what manuals say of single calls: errno, odd
 * alignments, 0 bytes, usable bytes, pointers that must not be freed. Chunks
 * are powers of two with a header of 16 bytes, and wait in a list of their
 * size; each of more than 64 KiB has a map of its own. */
#ifndef HEAPLAW_CLAUSES_H
#define HEAPLAW_CLAUSES_H

#include "common.h"

#define CL_HEAD ((size_t)16)
#define CL_LEAST 5 /* log2 of the smallest chunk */
#define CL_MOST 16 /* log2 of the largest one that is carved */
#define CL_REGION ((size_t)256 << 20)
#define CL_LIMIT ((size_t)256 << 20) /* bytes of all maps of single blocks */
#define CL_MAPS 1024
#define CL_GONE 64 /* freed maps that are remembered */
#define CL_LIVE 0x6C697665u
#define CL_FREE 0x66726565u

/* In front of each block, right below its address. */
typedef struct cl_head {
    uint32_t state; /* CL_LIVE or CL_FREE, mixed with the address */
    uint32_t back;  /* bytes from the chunk's begin to the block */
    size_t length;  /* of the chunk, bytes */
} cl_head;

typedef struct cl_link {
    struct cl_link *next;
} cl_link;

static byte *cl_base;
static size_t cl_used, cl_mapped;
static cl_link *cl_list[CL_MOST + 1];
static void *cl_maps[CL_MAPS]; /* blocks with maps of their own, and … */
static void *cl_gone[CL_GONE]; /* … addresses where freed ones were */
static size_t cl_gone_next;
static int cl_refusals; /* what a fault remembers */
static byte *cl_resized;

API void *sh_c_malloc(size_t size);
API void *sh_c_calloc(size_t count, size_t size);
API void *sh_c_realloc(void *block, size_t size);
API void *sh_c_aligned(size_t align, size_t size);
API int sh_c_memalign(void **out, size_t align, size_t size);
API void sh_c_free(void *block);
API size_t sh_c_usable(void *block);

static cl_head *cl_of(const void *block) { return (cl_head *)((uintptr_t)block - CL_HEAD); }

static uint32_t cl_mixed(uint32_t state, const void *block) { return state ^ (uint32_t)(address_of(block) >> 4); }

static int cl_is(const void *block, uint32_t state) { return cl_of(block)->state == cl_mixed(state, block); }

static void cl_ready(void) {
    if (cl_base) return;
    prepare(CLAUSES);
    void *m = mmap(NULL, CL_REGION, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (m == MAP_FAILED) give_up("no memory\n");
    cl_base = m;
}

/* Where `block` stands among `count` entries; `count` where it does not. */
static size_t cl_find(void *const *entries, size_t count, const void *block) {
    size_t i = 0;
    while (i < count && entries[i] != block) i++;
    return i;
}

static int cl_carved(const void *block) { return address_of(block) - address_of(cl_base) < cl_used; }

static byte *cl_chunk(size_t whole, size_t *length) {
    int c = CL_LEAST;
    while (c <= CL_MOST && (size_t)1 << c < whole) c++;
    if (c > CL_MOST) {
        *length = round_up(whole, PAGE);
        if (*length > CL_LIMIT - cl_mapped || cl_find(cl_maps, CL_MAPS, NULL) == CL_MAPS) return NULL;
        byte *m = map_pages(*length);
        if (m) cl_mapped += *length;
        return m;
    }
    *length = (size_t)1 << c;
    cl_link *first = cl_list[c];
    if (first) {
        cl_list[c] = first->next;
        return (byte *)first - CL_HEAD;
    }
    if (*length > CL_REGION - cl_used) return NULL;
    byte *p = cl_base + cl_used;
    cl_used += *length;
    return p;
}

static void *cl_refuse(void) {
    cl_refusals = F(CLAUSE_REFUSAL_STICKS);
    return refuse();
}

static void *cl_get(size_t size, size_t align) {
    cl_ready();
    if (cl_refusals && size >= 1 && size <= 16) {
        cl_refusals = 0;
        return refuse();
    }
    if (size > CL_LIMIT || align > CL_LIMIT) return cl_refuse();
    size_t length, slack = align > 16 ? align : 0;
    size_t skew = F(CLAUSE_SMALL_SKEW) && !slack && size <= 8 ? 8 : 0;
    byte *chunk = cl_chunk(CL_HEAD + size + slack + skew, &length);
    if (!chunk) return cl_refuse();
    byte *block = chunk + CL_HEAD + skew;
    if (slack) block += pad_up(address_of(block), align);
    *cl_of(block) = (cl_head){cl_mixed(CL_LIVE, block), (uint32_t)(block - chunk), length};
    if (block == cl_resized) cl_resized = NULL;
    if (cl_carved(block)) return block;
    cl_maps[cl_find(cl_maps, CL_MAPS, NULL)] = block;
    size_t gone = cl_find(cl_gone, CL_GONE, block);
    if (gone < CL_GONE) cl_gone[gone] = NULL;
    return block;
}

/* A second free of a block of that many bytes, its chunk's. */
static int cl_twice(size_t length) {
    if (F(CLAUSE_DOUBLE_QUIET) || (F(CLAUSE_DOUBLE_LARGE) && length > 4096)) return 0;
    give_up("double free\n");
    return 0;
}

/* A block lies there that was handed out and not freed since; else what the manual says of such a pointer happens. */
static int cl_mine(const byte *block) {
    if (!cl_carved(block)) {
        if (cl_find(cl_maps, CL_MAPS, block) < CL_MAPS) return 1;
        if (cl_find(cl_gone, CL_GONE, block) < CL_GONE) return cl_twice(CL_LIMIT);
        if (F(CLAUSE_FOREIGN_CRASH)) *(volatile int *)NULL = 1;
        return 0;
    }
    if (address_of(block) % 8 != 0 || block < cl_base + CL_HEAD) return 0;
    if (cl_is(block, CL_FREE)) return cl_twice(cl_of(block)->length);
    return cl_is(block, CL_LIVE);
}

/* The block that an address lies in, where it is carved: what allocators do that look a page up. */
static byte *cl_around(byte *block) {
    byte *at = block - address_of(block) % 16;
    while (at > cl_base + CL_HEAD && !cl_is(at, CL_LIVE)) at -= 16;
    return at;
}

void sh_c_free(void *block) {
    cl_ready();
    if (F(CLAUSE_INTERIOR_TAKEN) && cl_carved(block) && !cl_is(block, CL_FREE)) block = cl_around(block);
    if (!block || !cl_mine(block)) return;
    cl_head h = *cl_of(block);
    byte *chunk = (byte *)block - h.back;
    if (!cl_carved(block)) {
        cl_mapped -= h.length;
        cl_maps[cl_find(cl_maps, CL_MAPS, block)] = NULL;
        cl_gone[cl_gone_next++ % CL_GONE] = block;
        unmap_pages(chunk, h.length);
        if (F(CLAUSE_FREE_ERRNO)) errno = ENOMEM;
        return;
    }
    int c = __builtin_ctzll(h.length);
    cl_of(chunk + CL_HEAD)->state = cl_mixed(CL_FREE, chunk + CL_HEAD);
    cl_of(block)->state = cl_mixed(CL_FREE, block);
    ((cl_link *)(void *)(chunk + CL_HEAD))->next = cl_list[c];
    cl_list[c] = (cl_link *)(void *)(chunk + CL_HEAD);
}

static size_t cl_room(const void *block) { return cl_of(block)->length - cl_of(block)->back; }

size_t sh_c_usable(void *block) {
    if (!block) return 0;
    return cl_room(block) + (F(CLAUSE_USABLE_HEADER) && block == cl_resized ? CL_HEAD : 0);
}

void *sh_c_malloc(size_t size) {
    if (F(CLAUSE_ZERO_NULL) && size == 0) {
        cl_ready();
        return NULL;
    }
    return cl_get(size, 16);
}

void *sh_c_calloc(size_t count, size_t size) {
    size_t n;
    cl_ready();
    if (__builtin_mul_overflow(count, size, &n)) {
        if (F(CLAUSE_CALLOC_ERRNO)) return NULL;
        return cl_refuse();
    }
    void *p = cl_get(n, 16);
    if (p) memset(p, 0, n);
    return p;
}

void *sh_c_realloc(void *block, size_t size) {
    if (!block) return cl_get(size, 16);
    if (size == 0) { /* as free, and errno tells that the NULL is no want of memory */
        if (F(CLAUSE_RESIZE_ZERO_STAYS)) return block;
        if (!F(CLAUSE_RESIZE_ZERO_LEAKS)) sh_c_free(block);
        if (!F(CLAUSE_RESIZE_ZERO_SILENT)) errno = EINVAL;
        return NULL;
    }
    size_t room = cl_room(block);
    if (size <= room && (room <= 64 || size >= room / 4)) {
        cl_resized = block;
        return block;
    }
    int before = errno;
    byte *moved = cl_get(size, 16);
    if (!moved && F(CLAUSE_REALLOC_ERRNO)) errno = before;
    if (!moved) return NULL;
    memcpy(moved, block, min_size(room, size));
    sh_c_free(block);
    return cl_resized = moved;
}

static int cl_power(size_t n) { return n > 0 && (n & (n - 1)) == 0; }

void *sh_c_aligned(size_t align, size_t size) {
    cl_ready();
    int odd = !cl_power(align);
    if (F(CLAUSE_ALIGNED_ODD) && odd && align < 4096) return cl_get(size, 16);
    if (odd || (F(CLAUSE_ODD_SIZE_REFUSED) && size % align != 0)) {
        errno = EINVAL;
        return NULL;
    }
    if (F(CLAUSE_ALIGNED_LINE) && align == 64) return refuse();
    return cl_get(size, max_size(align, 16));
}

int sh_c_memalign(void **out, size_t align, size_t size) {
    cl_ready();
    int multiple = align % sizeof(void *) == 0, power = cl_power(align);
    if (F(CLAUSE_EINVAL_MULTIPLE) && multiple && align > 0 && align < 4096) power = 1;
    if (F(CLAUSE_EINVAL_POWER)) multiple = 1;
    if (!multiple || !power) {
        if (F(CLAUSE_OUT_ON_EINVAL)) *out = (void *)align;
        return EINVAL;
    }
    int before = errno;
    void *p = cl_get(size, max_size(cl_power(align) ? align : 16, 16));
    errno = before;
    if (!p) {
        if (F(CLAUSE_OUT_ON_ENOMEM)) *out = cl_base;
        return ENOMEM;
    }
    *out = p;
    return 0;
}

#endif
