/* The ghost: what a history says beside the subject's own words, for one instance, operation by operation. spec/heap.py
 * defines every field literally; this computes the same over columns. */
enum { WITH_BLOCKS = 1, WITH_PAST = 2, WITH_ORDER = 4 }; /* order needs blocks */
#define BEST_MOST (UINT64_C(1) << 20)
#define LARGEST (UINT64_C(1) << 48)
#define NO_DEPTH 0xffffffffu

struct row { u64 extent, ptr; u32 before, made_at; u8 live; };
struct past { u64 size, align, count, ptr, remaining, total; u32 named; u8 kind; };
struct freed { u64 ptr; u32 older, newer, next; };
struct ghost {
  u32 with;
  u64 live, bytes, best, freed, high, low, undone_by, remaining, total; /* the last two: in state 0 */
  struct row *rows; u64 row_room;
  u32 newest;
  struct past *path; u64 depth, known, path_room, made_since;
  int lost;
  struct freed *list; u32 list_used, list_room, list_free, oldest, latest, *table, table_room, count;
};
struct ghost_in { const u64 *row; const u8 *kind, *status; const u32 *owner; const u64 *size, *align, *count, *held, *ptr, *remaining,
                  *total, *extent, *room; };
struct ghost_out { u64 *live, *bytes, *owed, *freed, *whole, *high, *low, *newest_free, *oldest_free, *undone_by, *then_remaining,
                   *then_total, *twin_ptr; u8 *reused, *back, *twin; };

EXPORT struct ghost *hl_ghost_new(u32 with, u64 remaining, u64 total) {
  struct ghost *g = calloc(1, sizeof *g);
  if (!g) return NULL;
  g->with = with, g->remaining = remaining, g->total = total, g->low = ~UINT64_C(0), g->newest = NONE;
  g->list_used = 1;
  return g;
}
EXPORT void hl_ghost_free(struct ghost *g) { free(g->rows), free(g->path), free(g->list), free(g->table), free(g); }

/* ---- blocks, by the row that made them */
static struct row *row_at(struct ghost *g, u64 row) {
  if (row >= g->row_room) {
    u64 room = 2 * row + 1024;
    g->rows = grow(g->rows, room, sizeof *g->rows);
    memset(g->rows + g->row_room, 0, (room - g->row_room) * sizeof *g->rows);
    for (u64 k = g->row_room; k < room; k++) g->rows[k].made_at = NO_DEPTH;
    g->row_room = room;
  }
  return &g->rows[row];
}
static void end_row(struct ghost *g, u64 row) {
  struct row *x = row_at(g, row);
  if (!x->live) return;
  x->live = 0, g->live--, g->bytes -= x->extent;
}
static void end_since(struct ghost *g, int64_t since) {
  while (g->newest != NONE && (int64_t)g->newest > since) {
    end_row(g, g->newest);
    g->newest = g->rows[g->newest].before;
  }
}
static void new_row(struct ghost *g, u64 row, u64 extent, u64 ptr) {
  struct row *x = row_at(g, row);
  if (extent > LARGEST) extent = LARGEST;
  x->extent = extent, x->ptr = ptr, x->live = 1, x->before = g->newest, g->newest = (u32)row;
  g->bytes += extent;
}

/* ---- earlier states */
static void forget(struct ghost *g, u64 row, u64 remaining, u64 total) {
  g->depth = g->known = 0, g->made_since = row, g->remaining = remaining, g->total = total, g->lost = 1;
}
static u32 made_at(struct ghost *g, u32 owner) {
  if (owner == NONE || owner >= g->row_room || owner < g->made_since) return NO_DEPTH;
  return g->rows[owner].made_at;
}
static int go_back(struct ghost *g, u64 row, u8 kind, u32 owner, u64 remaining, u64 total) {
  int whole = kind == RESET || kind == RENEW;
  u32 depth = made_at(g, owner);
  if (whole && !g->lost) g->depth = 0;
  else if (!whole && depth != NO_DEPTH) g->depth = depth;
  else if (whole || owner != NONE) {
    forget(g, row, remaining, total);
    g->lost = !whole;
    return 0;
  }
  return 1;
}
static int same(const struct past *a, const struct past *b) {
  return a->kind == b->kind && a->size == b->size && a->align == b->align && a->count == b->count && a->named == b->named;
}
static void go_on(struct ghost *g, u64 row, const struct past *request, int known) {
  if (!known) {
    if (g->depth == g->path_room) g->path = grow(g->path, g->path_room = 2 * g->path_room + 1024, sizeof *g->path);
    g->path[g->depth] = *request;
    g->known = g->depth + 1;
  }
  row_at(g, row)->made_at = (u32)g->depth++;
}

/* ---- addresses that were freed and not handed out again */
static u32 *bucket(struct ghost *g, u64 ptr) { return &g->table[((ptr * 0x9e3779b97f4a7c15u) >> 32) & (g->table_room - 1)]; }
static void new_freed(struct ghost *g, u64 ptr) {
  if (2 * ++g->count > g->table_room) {
    g->table_room = 4 * g->count + 64;
    while (g->table_room & (g->table_room - 1)) g->table_room += g->table_room & -g->table_room;
    g->table = grow(g->table, g->table_room, sizeof *g->table);
    memset(g->table, 0, g->table_room * sizeof *g->table);
    for (u32 f = g->oldest; f; f = g->list[f].newer) {
      u32 *head = bucket(g, g->list[f].ptr);
      g->list[f].next = *head, *head = f;
    }
  }
  u32 f = g->list_free;
  if (f) g->list_free = g->list[f].next;
  else {
    if (g->list_used >= g->list_room) g->list = grow(g->list, g->list_room = 2 * g->list_room + 64, sizeof *g->list);
    f = g->list_used++;
  }
  u32 *head = bucket(g, ptr);
  g->list[f] = (struct freed){ptr, g->latest, 0, *head};
  *head = f;
  if (g->latest) g->list[g->latest].newer = f;
  else g->oldest = f;
  g->latest = f;
}
/* The one freed first, where an address was freed more than once: newer ones stand before it. */
static int take_freed(struct ghost *g, u64 ptr) {
  if (!g->count) return 0;
  u32 *at = NULL;
  for (u32 *next = bucket(g, ptr); *next; next = &g->list[*next].next)
    if (g->list[*next].ptr == ptr) at = next;
  if (!at) return 0;
  u32 f = *at;
  struct freed *x = &g->list[f];
  *at = x->next;
  if (x->older) g->list[x->older].newer = x->newer;
  else g->oldest = x->newer;
  if (x->newer) g->list[x->newer].older = x->older;
  else g->latest = x->older;
  x->next = g->list_free, g->list_free = f, g->count--;
  return 1;
}

/* Feed `n` operations that were called; every column of `out` that is there gets what holds after each. */
EXPORT void hl_ghost_feed(struct ghost *g, u64 n, const struct ghost_in *in, const struct ghost_out *out) {
  int blocks = g->with & WITH_BLOCKS, past = g->with & WITH_PAST, order = g->with & WITH_ORDER;
  for (u64 i = 0; i < n; i++) {
    u8 kind = in->kind[i], status = in->status[i];
    u32 owner = in->owner[i];
    u64 row = in->row[i], extent = in->extent[i];
    int served = status == OK, failed = status == FAILED, made = served && makes(kind), empty = g->live == 0;
    int undoes = served && kind >= POP && kind != MARK, sweeps = undoes && kind != POP;
    int ends = served && owner != NONE && (kind == FREE || kind == RESIZE || kind == POP);
    struct past request = {in->size[i], in->align[i], in->count[i], in->ptr[i], past ? in->remaining[i] : 0, past ? in->total[i] : 0,
                           past ? made_at(g, owner) : 0, kind};
    u64 popped = ends && order && owner < g->row_room ? g->rows[owner].ptr : 0;
    if (blocks) {
      if (sweeps) end_since(g, kind == RELEASE && owner != NONE ? (int64_t)owner : -1);
      else if (ends) end_row(g, owner);
      if (made) g->live++, new_row(g, row, extent, in->ptr[i]);
    } else g->live += (u64)made - (u64)ends;
    if (made && empty && (kind == ALLOC || kind == ZALLOC) && extent <= BEST_MOST && extent > g->best) g->best = extent;
    int twin = 0, back = 0;
    u64 then_remaining = 0, then_total = 0, twin_ptr = 0;
    if (past) {
      int known = !undoes && kind != CHECK && g->depth < g->known && same(&g->path[g->depth], &request);
      if (known) twin = 1, twin_ptr = g->path[g->depth].ptr;
      if (undoes) {
        back = go_back(g, row, kind, owner, in->remaining[i], in->total[i]);
        if (back) {
          then_remaining = g->depth ? g->path[g->depth - 1].remaining : g->remaining;
          then_total = g->depth ? g->path[g->depth - 1].total : g->total;
          g->undone_by = kind;
        }
      } else if (served && kind != CHECK) go_on(g, row, &request, known);
      else if (!served && !failed) forget(g, row + 1, in->remaining[i], in->total[i]);
    }
    if (g->live == 0) g->high = 0, g->low = ~UINT64_C(0);
    else if (made) {
      u64 end = in->ptr[i] + in->room[i];
      if (end < in->ptr[i]) end = ~UINT64_C(0);
      if (end > g->high) g->high = end;
      if (in->ptr[i] < g->low) g->low = in->ptr[i];
    }
    int reused = 0;
    if (order) {
      if (sweeps || status == DIED || status == WRONG)
        while (g->oldest) take_freed(g, g->list[g->oldest].ptr);
      else if (ends && kind == FREE && popped) new_freed(g, popped);
      else if (made) reused = take_freed(g, in->ptr[i]);
    }
    if (out->live) out->live[i] = g->live;
    if (out->bytes) out->bytes[i] = g->bytes;
    if (out->owed) out->owed[i] = failed ? g->freed : 0;
    g->freed = served && kind == FREE ? in->held[i] : 0;
    if (out->freed) out->freed[i] = g->freed;
    if (out->whole) out->whole[i] = g->live ? 0 : g->best;
    if (out->high) out->high[i] = g->high, out->low[i] = g->low;
    if (out->newest_free) {
      out->newest_free[i] = g->latest ? g->list[g->latest].ptr : 0;
      out->oldest_free[i] = g->oldest ? g->list[g->oldest].ptr : 0;
      out->reused[i] = (u8)reused;
    }
    if (out->twin) {
      out->undone_by[i] = g->undone_by, out->back[i] = (u8)back, out->then_remaining[i] = then_remaining;
      out->then_total[i] = then_total, out->twin[i] = (u8)twin, out->twin_ptr[i] = twin_ptr;
    }
  }
}
