/* The shadow: for every 16-byte cell of the address space, which live block owns it. Feeding it the operations of a history
 * in order of time gives the pairs of live blocks that share a byte, exactly: a cell that several blocks share keeps the
 * list of all of them. A block of LARGE bytes or more owns whole pages instead, and cells only at its ragged ends; a page counts the
 * cells in it that are owned, so that most pages need no look at their cells. Blocks above HUGE bytes stand in a list of
 * their own. Whoever feeds it has the law's own body confirm each pair. */
#include <stdlib.h>

#define CELL 4
#define REGION 22
#define CELLS (1u << (REGION - CELL))
#define SHARED 0x80000000u
#define PAGE_SHIFT 12
#define PAGE_CELLS (1u << (PAGE_SHIFT - CELL))
#define PAGES (1u << (REGION - PAGE_SHIFT))
#define LARGE (1u << 13)
#define HUGE_BLOCK (UINT64_C(1) << 30)

struct block { u64 ptr, extent; u32 id, mark; };
struct link { u32 block, next; };
struct region { u64 number; u32 *cells; u32 *pages; u32 *owned; }; /* pages: owners of whole ones; owned: cells in use, by page */
struct shadow {
  struct block *blocks; u32 block_used, block_room, block_free;
  struct link *links; u32 link_used, link_room, link_free;
  struct region *regions; u32 region_used, region_room;
  u32 *of_id; u64 id_room;
  u32 *before, newest[256]; /* by id: the one that the same instance made before; by instance: the newest. Where many end at once */
  u32 *huge; u32 huge_used, huge_room;
  u64 live, pairs;
  struct region *latest;
};

static void *grow(void *old, u64 room, size_t each) {
  void *grown = realloc(old, room * each);
  if (!grown) abort();
  return grown;
}
static u32 new_block(struct shadow *s) {
  if (s->block_free) { u32 b = s->block_free; s->block_free = s->blocks[b].id; return b; }
  if (s->block_used == s->block_room) s->blocks = grow(s->blocks, s->block_room *= 2, sizeof *s->blocks);
  return s->block_used++;
}
static u32 new_link(struct shadow *s, u32 block, u32 next) {
  u32 l = s->link_free;
  if (l) s->link_free = s->links[l].next;
  else {
    if (s->link_used == s->link_room) s->links = grow(s->links, s->link_room *= 2, sizeof *s->links);
    l = s->link_used++;
  }
  s->links[l] = (struct link){block, next};
  return l;
}

static struct region *place(struct region *table, u32 room, u64 number) {
  u64 at = (number * 0x9e3779b97f4a7c15u) >> 32;
  for (;; at++) {
    struct region *r = &table[at & (room - 1)];
    if (!r->cells || r->number == number) return r;
  }
}
static struct region *region(struct shadow *s, u64 number) {
  if (s->latest && s->latest->number == number && s->latest->cells) return s->latest;
  struct region *r = place(s->regions, s->region_room, number);
  if (!r->cells) {
    if (2 * ++s->region_used > s->region_room) {
      u32 room = s->region_room * 2;
      struct region *bigger = calloc(room, sizeof *bigger);
      if (!bigger) abort();
      for (u32 i = 0; i < s->region_room; i++)
        if (s->regions[i].cells) *place(bigger, room, s->regions[i].number) = s->regions[i];
      free(s->regions);
      s->regions = bigger, s->region_room = room;
      r = place(bigger, room, number);
    }
    r->number = number;
    r->cells = mmap(NULL, (CELLS + 2 * PAGES) * sizeof(u32), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (r->cells == MAP_FAILED) abort();
    r->pages = r->cells + CELLS, r->owned = r->pages + PAGES;
  }
  return s->latest = r;
}

struct found { u32 *pairs; u64 room, count; };
static int meet(const struct block *a, const struct block *b) {
  return a->ptr <= b->ptr ? b->ptr - a->ptr < a->extent : a->ptr - b->ptr < b->extent;
}
static void compare(struct shadow *s, u32 older, u32 newer, u32 mark, struct found *out) {
  struct block *a = &s->blocks[older], *b = &s->blocks[newer];
  if (a->mark == mark || !meet(a, b)) return;
  a->mark = mark;
  if (out->count < out->room) out->pairs[2 * out->count] = a->id, out->pairs[2 * out->count + 1] = b->id;
  out->count++;
}
static void compare_cell(struct shadow *s, u32 cell, u32 newer, u32 mark, struct found *out) {
  if (!(cell & SHARED)) { compare(s, cell, newer, mark, out); return; }
  for (u32 l = cell & ~SHARED; l; l = s->links[l].next) compare(s, s->links[l].block, newer, mark, out);
}
static void enter(struct shadow *s, u32 *cell, u32 b, u32 mark, struct found *out) {
  if (!*cell) { *cell = b; return; }
  compare_cell(s, *cell, b, mark, out);
  u32 rest = *cell & SHARED ? *cell & ~SHARED : new_link(s, *cell, 0);
  *cell = SHARED | new_link(s, b, rest);
}
static void leave(struct shadow *s, u32 *cell, u32 b) {
  if (*cell == b) { *cell = 0; return; }
  if (!(*cell & SHARED)) return;
  u32 head = *cell & ~SHARED, before = 0, l = head;
  while (l && s->links[l].block != b) before = l, l = s->links[l].next;
  if (!l) return;
  if (before) s->links[before].next = s->links[l].next;
  else head = s->links[l].next;
  s->links[l].next = s->link_free, s->link_free = l;
  if (head && !s->links[head].next) { /* one owner left: direct again */
    *cell = s->links[head].block;
    s->links[head].next = s->link_free, s->link_free = head;
  } else *cell = head ? SHARED | head : 0;
}

/* Walk the cells from `from` to `to` (numbers, inclusive): `in` is 1 when block b comes, 0 when it goes. */
static void walk_cells(struct shadow *s, u64 from, u64 to, u32 b, u32 mark, int in, struct found *out) {
  for (u64 c = from; c <= to;) {
    struct region *r = region(s, c >> (REGION - CELL));
    u64 page = (c & (CELLS - 1)) / PAGE_CELLS, stop = (c | (PAGE_CELLS - 1)) < to ? c | (PAGE_CELLS - 1) : to;
    if (in && r->pages[page]) compare_cell(s, r->pages[page], b, mark, out);
    u32 *cell = &r->cells[c & (CELLS - 1)], n = (u32)(stop - c + 1), others = 0;
    for (u32 i = 0; i < n; i++) others |= in ? cell[i] : cell[i] ^ b;
    if (!others) { /* nobody else here: the whole run at once */
      for (u32 i = 0; i < n; i++) cell[i] = in ? b : 0;
      r->owned[page] += in ? n : -n;
    } else
      for (u32 i = 0; i < n; i++) {
        if (in) r->owned[page] += !cell[i], enter(s, &cell[i], b, mark, out);
        else leave(s, &cell[i], b), r->owned[page] -= !cell[i];
      }
    c = stop + 1;
  }
}
/* The same for whole pages. */
static void walk_pages(struct shadow *s, u64 from, u64 to, u32 b, u32 mark, int in, struct found *out) {
  for (u64 p = from; p < to; p++) {
    struct region *r = region(s, p >> (REGION - PAGE_SHIFT));
    u64 page = p & (PAGES - 1);
    if (!in) { leave(s, &r->pages[page], b); continue; }
    if (r->owned[page])
      for (u64 c = 0; c < PAGE_CELLS; c++) {
        u32 cell = r->cells[page * PAGE_CELLS + c];
        if (cell) compare_cell(s, cell, b, mark, out);
      }
    enter(s, &r->pages[page], b, mark, out);
  }
}
static void walk(struct shadow *s, const struct block *x, u32 b, u32 mark, int in, struct found *out) {
  u64 first = x->ptr, last = x->ptr + x->extent - 1;
  if (x->extent < LARGE) { walk_cells(s, first >> CELL, last >> CELL, b, mark, in, out); return; }
  u64 from = (first + 4095) >> PAGE_SHIFT, to = (last + 1) >> PAGE_SHIFT; /* whole pages: [from, to) */
  if (first < from << PAGE_SHIFT) walk_cells(s, first >> CELL, ((from << PAGE_SHIFT) - 1) >> CELL, b, mark, in, out);
  walk_pages(s, from, to, b, mark, in, out);
  if (to << PAGE_SHIFT <= last) walk_cells(s, (to << PAGE_SHIFT) >> CELL, last >> CELL, b, mark, in, out);
}

static int is_huge(const struct block *b) { return b->extent > HUGE_BLOCK || b->ptr + b->extent < b->ptr; }
static void enter_huge(struct shadow *s, u32 b, u32 mark, struct found *out) {
  const struct block huge = s->blocks[b];
  for (u32 i = 0; i < s->region_room; i++) {
    struct region *r = &s->regions[i];
    struct block all = {r->number << REGION, 1u << REGION, 0, 0};
    if (!r->cells || !meet(&all, &huge)) continue;
    for (u64 page = 0; page < PAGES; page++) {
      if (r->pages[page]) compare_cell(s, r->pages[page], b, mark, out);
      for (u64 c = 0; r->owned[page] && c < PAGE_CELLS; c++) {
        u32 cell = r->cells[page * PAGE_CELLS + c];
        if (cell) compare_cell(s, cell, b, mark, out);
      }
    }
  }
  if (s->huge_used == s->huge_room) s->huge = grow(s->huge, s->huge_room *= 2, sizeof *s->huge);
  s->huge[s->huge_used++] = b;
}
static void birth(struct shadow *s, u32 id, u64 ptr, u64 extent, struct found *out) {
  u32 b = new_block(s), mark = id + 1;
  const struct block x = {ptr, extent, id, 0};
  s->blocks[b] = x;
  s->of_id[id] = b;
  s->pairs += s->live++;
  for (u32 i = 0; i < s->huge_used; i++) compare(s, s->huge[i], b, mark, out);
  if (is_huge(&x)) enter_huge(s, b, mark, out);
  else walk(s, &x, b, mark, 1, out);
}
static void death(struct shadow *s, u32 id) {
  u32 b = s->of_id[id];
  if (!b) return;
  s->of_id[id] = 0;
  s->live--;
  const struct block gone = s->blocks[b];
  if (!is_huge(&gone)) walk(s, &gone, b, 0, 0, NULL);
  else
    for (u32 i = 0; i < s->huge_used; i++)
      if (s->huge[i] == b) { s->huge[i] = s->huge[--s->huge_used]; break; }
  s->blocks[b].id = s->block_free, s->block_free = b;
}

EXPORT struct shadow *hl_shadow_new(void) {
  struct shadow *s = calloc(1, sizeof *s);
  if (!s) return NULL;
  s->block_room = s->link_room = s->huge_room = 1024, s->block_used = s->link_used = 1, s->region_room = 64;
  memset(s->newest, 0xff, sizeof s->newest);
  s->blocks = grow(NULL, s->block_room, sizeof *s->blocks), s->links = grow(NULL, s->link_room, sizeof *s->links);
  s->huge = grow(NULL, s->huge_room, sizeof *s->huge), s->regions = calloc(s->region_room, sizeof *s->regions);
  return s;
}
/* The blocks of one instance that were made by operations after `since` (NONE: all of them) die. */
static void deaths(struct shadow *s, u8 instance, u32 since) {
  u32 id = s->newest[instance];
  for (; id != NONE && (since == NONE || id > since); id = s->before[id]) death(s, id);
  s->newest[instance] = id;
}
/* Feed `rows` operations, the first of which has index `base`: `ends` is nonzero where the block of `owner` dies, `makes` where
 * a block of `extent` bytes is born at `ptr` (one without bytes meets nobody). Where `sweeps` is there and nonzero, the blocks of
 * `instance` made since `owner` die. Writes up to `room` pairs (older, newer); gives how many there are. */
EXPORT u64 hl_shadow_feed(struct shadow *s, u64 base, u64 rows, const u8 *ends, const u32 *owner, const u8 *makes, const u64 *ptr,
                          const u64 *extent, const u8 *sweeps, const u8 *instance, u32 *pairs, u64 room) {
  struct found out = {pairs, room, 0};
  if (base + rows > s->id_room) {
    u64 grown = 2 * (base + rows);
    s->of_id = grow(s->of_id, grown, sizeof *s->of_id);
    memset(s->of_id + s->id_room, 0, (grown - s->id_room) * sizeof *s->of_id);
    if (sweeps) s->before = grow(s->before, grown, sizeof *s->before);
    s->id_room = grown;
  }
  for (u64 i = 0; i < rows; i++) {
    if (sweeps && sweeps[i]) deaths(s, instance[i], owner[i]);
    else if (ends[i] && owner[i] != NONE) death(s, owner[i]);
    if (!makes[i]) continue;
    u32 id = (u32)(base + i);
    if (sweeps) s->before[id] = s->newest[instance[i]], s->newest[instance[i]] = id;
    if (extent[i]) birth(s, id, ptr[i], extent[i], &out);
  }
  return out.count;
}
/* Pairs of blocks live at the same time, so far. */
EXPORT u64 hl_shadow_pairs(const struct shadow *s) { return s->pairs; }
EXPORT void hl_shadow_free(struct shadow *s) {
  for (u32 i = 0; i < s->region_room; i++)
    if (s->regions[i].cells) munmap(s->regions[i].cells, (CELLS + 2 * PAGES) * sizeof(u32));
  free(s->regions), free(s->blocks), free(s->links), free(s->of_id), free(s->before), free(s->huge), free(s);
}
