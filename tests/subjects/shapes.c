/* Small allocators for the tests of the drivers: every shape, every convention, and what drivers must notice, one at a time. */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

typedef unsigned char u8;
enum { WELL, WRITES_BEFORE, WRITES_AFTER, DAMAGES, MADE_ONCE, UNMAPS, UNSOUND, OVER_THE_END, KEEPS, ABORTS, GIVES_JUNK, READ_ONLY, DIRTY };

/* ---- a region: blocks follow each other behind headers of 16 bytes; the newest can be popped. */
typedef struct {
  u8 *base;
  size_t capacity, used, total, top; /* top: offset of the newest block's header plus 1; 0: none */
  int mode, calls, taken;
} region;
typedef struct { uint32_t before, used, total, pad; } header;
static region regions[8];
static int made;

static region *begin(region *r, void *buffer, size_t capacity, int mode) {
  *r = (region){.base = buffer, .capacity = capacity, .mode = mode, .taken = 1};
  return r;
}
region *rg_new(void *buffer, size_t capacity, int mode) {
  int k = 0;
  while (k < 8 && regions[k].taken) k++;
  if (k == 8 || (made++ && mode == MADE_ONCE)) return NULL;
  return begin(&regions[k], buffer, capacity, mode);
}
int rg_new_out(region **out, void *buffer, size_t capacity, int mode) {
  *out = rg_new(buffer, capacity, mode);
  return *out ? 0 : ENOMEM;
}
int rg_begin(region *storage, void *buffer, size_t capacity) {
  for (size_t k = 0; k < sizeof *storage; k++)
    if (((u8 *)storage)[k]) return 1; /* must come zeroed */
  begin(storage, buffer, capacity, WELL);
  return 0;
}
size_t rg_storage(void) { return sizeof(region); }
void rg_drop(region *r) {
  if (r->mode == UNMAPS) munmap((void *)((uintptr_t)r->base & ~(uintptr_t)4095), r->capacity + 8192);
  if (r->mode == WRITES_BEFORE) r->base[-64] ^= 1;
  r->taken = 0;
}
void *rg_alloc(region *r, size_t size, size_t align) {
  uintptr_t from = (uintptr_t)r->base + r->used + sizeof(header), at = (from + align - 1) & ~(uintptr_t)(align - 1);
  size_t end = at - (uintptr_t)r->base, room = r->capacity + (r->mode == OVER_THE_END ? 32 : 0);
  r->calls++;
  if (r->mode == ABORTS && r->calls == 40) abort();
  if (size > room || end > room - size) { errno = ENOMEM; return NULL; }
  if (r->mode == DAMAGES && r->calls % 16 == 0 && r->used) r->base[r->used - 1] ^= 1;
  if (r->mode == WRITES_BEFORE && r->calls % 8 == 0) r->base[-1 - r->calls % 64] ^= 1;
  if (r->mode == WRITES_AFTER && r->calls % 8 == 0) r->base[r->capacity + (size_t)r->calls % 64] ^= 1;
  if (r->mode == READ_ONLY && r->calls == 30) mprotect((void *)((at + 4095) & ~(uintptr_t)4095), 4096, PROT_READ);
  header h = {(uint32_t)r->top, (uint32_t)r->used, (uint32_t)r->total, 0};
  memcpy((u8 *)at - sizeof h, &h, sizeof h);
  r->top = end - sizeof h + 1, r->total += size, r->used = end + size;
  return (void *)at;
}
void *rg_plain(region *r, size_t size) { return rg_alloc(r, size, 16); }
void *rg_zeroed(region *r, size_t count, size_t size) {
  if (count && size > r->capacity / count) { errno = ENOMEM; return NULL; }
  void *p = rg_alloc(r, size * count, 16);
  if (p && (r->mode != DIRTY || r->calls % 4)) memset(p, 0, size * count);
  return p;
}
/* The same with a pointer for the block, under four conventions. The upper half of a 32-bit value is nobody's. */
int rg_status(region *r, void **out, size_t size) { return (*out = rg_alloc(r, size, 16)) ? 0 : -7; }
int rg_errno(region *r, void **out, size_t size) {
  if (r->mode == GIVES_JUNK && ++r->calls % 15 == 0) return EINTR;
  if (size == 0) { *out = NULL; return 0; }
  return (*out = rg_alloc(r, size, 16)) ? 0 : ENOMEM;
}
uint64_t rg_bool(region *r, void **out, size_t size) {
  if (r->mode == GIVES_JUNK && r->calls == 5) return 1; /* and no block */
  return 0xabcd00u | ((*out = rg_alloc(r, size, 16)) != NULL);
}
int64_t rg_bytes(region *r, void **out, size_t size) { return (*out = rg_alloc(r, size, 16)) ? (int64_t)size + 16 : -1; }

void rg_pop(region *r) {
  header h;
  if (!r->top) return;
  memcpy(&h, r->base + r->top - 1, sizeof h);
  r->used = h.used, r->total = h.total, r->top = h.before;
}
int rg_pop_sized(region *r, void *ptr, size_t osize, size_t oalign) {
  if (!r->top) return 3;
  if ((u8 *)ptr != r->base + r->top - 1 + sizeof(header) || (uintptr_t)ptr + osize != (uintptr_t)r->base + r->used) return 4;
  if ((uintptr_t)ptr % oalign) return 5;
  rg_pop(r);
  return 0;
}
void rg_reset(region *r) { r->used = r->total = r->top = 0; }
int rg_reset_status(region *r) { return rg_reset(r), 0; }
uint64_t rg_mark(region *r) { return r->used; }
uint64_t rg_mark_int(region *r) { return r->used | (uint64_t)0xbeef << 32; }
int rg_mark_out(region *r, size_t *out) { return *out = r->used, 0; }
int rg_release(region *r, size_t mark) {
  if (r->mode == KEEPS && r->calls % 2) return 1;
  while (r->used > mark) rg_pop(r);
  return 0;
}
size_t rg_remaining(region *r) { return r->capacity - r->used; }
uint64_t rg_total(region *r) { return r->total | (uint64_t)0xdead << 32; } /* an int, with rubbish above it */
int rg_check(region *r) { return r->mode == UNSOUND && r->calls > 50; }
uint64_t rg_well(region *r) { return 0x1100u | (r->mode != UNSOUND || r->calls <= 50); }
void *rg_base(region *r) { return r->base; }

/* ---- a list: first fit over a buffer, freed neighbours joined, headers of 16 bytes. */
typedef struct { uint64_t size, taken; } cell; /* size: bytes behind the header */
typedef struct { u8 *base; size_t capacity; int mode; size_t calls; } list;
static list lists[8];
static int lists_made;

static cell *next(list *l, cell *c) {
  u8 *at = (u8 *)(c + 1) + c->size;
  return at < l->base + l->capacity ? (cell *)at : NULL;
}
void ls_reset(list *l) {
  cell whole = {l->capacity - sizeof(cell), 0};
  memcpy(l->base, &whole, sizeof whole);
}
list *ls_new(void *buffer, size_t capacity, int mode) {
  list *l = &lists[lists_made++ % 8];
  *l = (list){buffer, capacity & ~(size_t)15, mode, 0};
  ls_reset(l);
  return l;
}
static void join(list *l, cell *c) {
  for (cell *n; !c->taken && (n = next(l, c)) && !n->taken;) c->size += sizeof(cell) + n->size;
}
void *ls_alloc(list *l, size_t size) {
  l->calls++;
  if (size > l->capacity) { errno = ENOMEM; return NULL; }
  size_t want = size ? (size + 15) & ~(size_t)15 : 16;
  for (cell *c = (cell *)l->base; c; c = next(l, c)) {
    join(l, c);
    if (c->taken || c->size < want) continue;
    if (c->size >= want + 2 * sizeof(cell)) {
      cell *rest = (cell *)((u8 *)(c + 1) + want);
      *rest = (cell){c->size - want - sizeof(cell), 0};
      c->size = want;
    }
    c->taken = 1;
    return c + 1;
  }
  errno = ENOMEM;
  return NULL;
}
void *ls_zeroed(list *l, size_t count, size_t size) {
  if (count && size > l->capacity / count) { errno = ENOMEM; return NULL; }
  void *p = ls_alloc(l, size * count);
  return p ? memset(p, 0, size * count) : NULL;
}
void ls_free(list *l, void *p) { if (p) ((cell *)p - 1)->taken = 0, join(l, (cell *)p - 1); }
int ls_free_errno(list *l, void *p) { return ls_free(l, p), 0; }
void ls_free_sized(list *l, void *p, size_t size) { if (p && ((cell *)p - 1)->size >= size) ls_free(l, p); }
void *ls_resize(list *l, void *p, size_t size) {
  if (!p) return ls_alloc(l, size);
  size_t old = ((cell *)p - 1)->size;
  if (l->mode == DAMAGES && size > old) ((u8 *)p)[0] ^= 1;
  if (size <= old) return p;
  void *q = ls_alloc(l, size);
  if (q) memcpy(q, p, l->mode == DIRTY ? old / 2 : old), ls_free(l, p);
  return q;
}
size_t ls_usable(list *l, void *p) { (void)l; return ((cell *)p - 1)->size; }
void *ls_lua(list *l, void *p, size_t osize, size_t nsize) {
  if (nsize) return !p && osize > 9 ? NULL : ls_resize(l, p, nsize); /* a new block's old size is a tag */
  ls_free_sized(l, p, osize);
  return l->mode == GIVES_JUNK ? (void *)0x10 : NULL;
}

/* ---- a pool. */
typedef struct { u8 *base; size_t size, count, live; void *first; } pool;
static pool pools[8];
static int pools_made;
void pl_reset(pool *p) {
  p->first = NULL, p->live = 0;
  for (size_t k = p->count; k-- > 0;) memcpy(p->base + k * p->size, &p->first, sizeof(void *)), p->first = p->base + k * p->size;
}
pool *pl_new(void *buffer, size_t size, size_t count) {
  pool *p = &pools[pools_made++ % 8];
  *p = (pool){.base = buffer, .size = size, .count = count};
  pl_reset(p);
  return p;
}
void *pl_alloc(pool *p) {
  void *block = p->first;
  if (block) memcpy(&p->first, block, sizeof(void *)), p->live++;
  return block;
}
void *pl_zeroed(pool *p) { void *block = pl_alloc(p); return block ? memset(block, 0, p->size) : NULL; }
void pl_free(pool *p, void *block) { if (block) memcpy(block, &p->first, sizeof(void *)), p->first = block, p->live--; }
size_t pl_free_blocks(pool *p) { return p->count - p->live; }
int pl_live(pool *p) { return (int)p->live; }

/* ---- beginnings. */
static int begun;
static void *(*hooked)(size_t);
int begin_well(void *(*m)(size_t), void (*f)(void *), void *(*r)(void *, size_t)) {
  hooked = m, begun++;
  void *p = r(m(8), 16);
  f(p);
  return p == NULL;
}
int begin_badly(void) { return 5; }
void *hk_alloc(size_t size) { return begun == 1 ? hooked(size) : NULL; }
void hk_free(void *p) { free(p); }
