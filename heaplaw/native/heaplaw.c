/* heaplaw's native part: a driver that runs a trace on an allocator, a fork server around it (the host program), and the
 * shadow that finds pairs of live blocks that may overlap. Built twice: as the program heaplaw-host (HEAPLAW_HOST) and as
 * a library. Trace and history are columns in shared memory; spec/history.py says what each means. The driver allocates
 * nothing from the C library, so that a subject that replaces malloc is called by the trace alone. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))
typedef uint8_t u8;
typedef uint32_t u32;
typedef uint64_t u64;

enum { KIND, SLOT, SIZE, ALIGN, COUNT, INSTANCE, STATUS, FLAGS, ERR, OWNER, HELD, PTR, USABLE, BAD_AT, NUM_FREE, NUM_ALLOCATED,
       REMAINING, TOTAL, SOUND, COLUMNS };
enum { ALLOC = 1, ZALLOC, RESIZE, FREE, ALIGNED, POSIX_ALIGNED, CHECK, POP, RESET, MARK, RELEASE, RENEW, RESIZE_TO_ZERO, ODD_ALIGNED,
       ODD_POSIX_ALIGNED, MISFREE, FILL_USABLE, KINDS };
enum { SKIPPED, OK, FAILED, DIED, WRONG };
enum { DAMAGED = 1, PREFIX_LOST = 2, NOT_ZERO = 4, FAILED_CHANGED = 8, UNWRITABLE = 16, OUTSIDE = 32, OUT_WRITTEN = 64 };
enum { DOUBLE = 1, INTERIOR, UNALIGNED, FOREIGN };
enum { BETWEEN, IN_CALL, IN_PAYLOAD, FINISHED };
#define NONE 0xffffffffu
#define NULL_SLOT 0xfffffffeu
#define OBJECT_MAX ((u64)PTRDIFF_MAX)
#define INSTANCES 8
#define ERRNO_BEFORE 133 /* before a call that gives a block back: no allocator sets this one (spec/event.py) */
#define ERRNO_CLEARED 0xffffu
#define OUT_BEFORE UINT64_C(0xd15ea5e0d15ea5e0) /* where &out points before a call */

/* The head of the shared memory; the columns follow at the given offsets. */
struct job {
  u64 magic, rows;
  volatile u64 published; /* rows of the trace that may be read */
  volatile u64 progress;  /* 4 * row + where */
  u64 payload;            /* write and check payloads */
  u64 spent;              /* nanoseconds that the trace took, without starting the process */
  u64 peak;               /* KiB: the largest resident set of a run so far */
  u64 spare[1];
  u64 offset[COLUMNS];
};

/* ---- payload: positional, so that shifted data shows. Blocks up to WHOLE bytes are written over their whole size; of larger
 * ones sixteen pages, the first and the last among them. */
#define WHOLE 65536u
#define SHIFTS 4096u
#define SAMPLE 4096u
#define SAMPLES 16u
static u8 pattern[SHIFTS + WHOLE + SAMPLE];
static const u8 zeros[WHOLE];

static void make_pattern(void) {
  u64 x = 0x9e3779b97f4a7c15u;
  for (size_t i = 0; i < sizeof pattern; i++) {
    x ^= x << 13, x ^= x >> 7, x ^= x << 17;
    pattern[i] = (u8)(x >> 32);
  }
}
static inline const u8 *pattern_of(u32 id, u64 at) { return pattern + ((id * 2654435769u) >> 20) + (at & 0xffff); }
static inline u64 sample_at(u64 extent, u64 k) { return (extent - SAMPLE) * k / (SAMPLES - 1); }

static u64 first_difference(const u8 *a, const u8 *b, u64 n) {
  if (memcmp(a, b, n) == 0) return n;
  u64 i = 0;
  while (i < n && a[i] == b[i]) i++;
  return i;
}

/* Leading bytes of the first `limit` that are as owner `id` of a block of `extent` bytes wrote them. */
static u64 verify(const u8 *block, u32 id, u64 extent, u64 limit) {
  if (extent <= WHOLE) return first_difference(block, pattern_of(id, 0), limit);
  for (u64 k = 0; k < SAMPLES; k++) {
    u64 at = sample_at(extent, k);
    if (at >= limit) break;
    u64 n = limit - at < SAMPLE ? limit - at : SAMPLE;
    u64 same = first_difference(block + at, pattern_of(id, at), n);
    if (same < n) return at + same;
  }
  return limit;
}
static void fill(u8 *block, u32 id, u64 extent) {
  if (extent <= WHOLE) { memcpy(block, pattern_of(id, 0), extent); return; }
  for (u64 k = 0; k < SAMPLES; k++) {
    u64 at = sample_at(extent, k);
    memcpy(block + at, pattern_of(id, at), SAMPLE);
  }
}
static u64 zero_bytes(const u8 *block, u64 extent) {
  if (extent <= WHOLE) return first_difference(block, zeros, extent);
  for (u64 k = 0; k < SAMPLES; k++) {
    u64 at = sample_at(extent, k), same = first_difference(block + at, zeros, SAMPLE);
    if (same < SAMPLE) return at + same;
  }
  return extent;
}

/* ---- is a block ours to write? Mapped memory, and not the driver's own. Granules known to be mapped are cached; a stale
 * entry costs a signal, which is reported as what it is. */
#define GRANULE 65536u
#define CACHED 4096u
static u64 known[CACHED];
struct range { u64 start, end; };
static struct range own[4 + 2 * INSTANCES];
static int owns;

static void keep_out(const void *start, u64 size) { own[owns++] = (struct range){(u64)start, (u64)start + size}; }
static int mapped(u64 start, u64 size) {
  static unsigned char resident[GRANULE / 4096 + 1];
  return mincore((void *)start, size, resident) == 0;
}
/* Leading bytes of [at, at + size) that may be touched; size is at most WHOLE. */
static u64 span_reach(u64 at, u64 size) {
  u64 end = at + size;
  if (size == 0) return 0;
  if (end < at || end > (UINT64_C(1) << 56)) return 0;
  for (int i = 0; i < owns; i++)
    if (at < own[i].end && own[i].start < end) end = own[i].start > at ? own[i].start : at;
  if (end == at) return 0;
  for (u64 granule = at / GRANULE; granule <= (end - 1) / GRANULE; granule++) {
    u64 *entry = &known[granule % CACHED];
    if (*entry == granule + 1) continue;
    if (mapped(granule * GRANULE, GRANULE)) { *entry = granule + 1; continue; }
    u64 page = granule * GRANULE > at ? granule * GRANULE : at & ~(u64)4095;
    u64 stop = (granule + 1) * GRANULE < end ? (granule + 1) * GRANULE : end;
    for (; page < stop; page += 4096)
      if (!mapped(page, 4096)) return page > at ? page - at : 0;
  }
  return end - at;
}
static u64 block_reach(u64 at, u64 extent) {
  if (extent <= WHOLE) return span_reach(at, extent);
  for (u64 k = 0; k < SAMPLES; k++) {
    u64 from = sample_at(extent, k);
    if (at + from < at) return from;
    u64 n = span_reach(at + from, SAMPLE);
    if (n < SAMPLE) return from + n;
  }
  return extent;
}

/* Memory of the driver's own between two stretches that nobody may touch: a subject that unmaps or writes a little too much
 * meets those. `fd` is -1 for private memory. NULL when there is no room. */
#define GUARD (UINT64_C(1) << 20)
static void *guarded(u64 bytes, int fd) {
  int flags = fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE : MAP_SHARED;
  bytes = (bytes + 4095) & ~(u64)4095;
  char *room = mmap(NULL, bytes + 2 * GUARD, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (room == MAP_FAILED) return NULL;
  void *inside = mmap(room + GUARD, bytes, PROT_READ | PROT_WRITE, flags | MAP_FIXED, fd, 0);
  if (inside != MAP_FAILED) return inside;
  munmap(room, bytes + 2 * GUARD);
  return NULL;
}
static void unguard(void *inside, u64 bytes) {
  munmap((char *)inside - GUARD, ((bytes + 4095) & ~(u64)4095) + 2 * GUARD);
}

#include "plan.h"
#include "step.h"

/* ---- the driver */
struct slot { u64 ptr, extent; u32 owner, live, before; }; /* before: the row that made the instance's previous block or mark */

struct run {
  struct job *job;
  struct plan *plan;
  struct slot *slots;
  u32 newest[INSTANCES]; /* the row that made the newest block or mark; those before it hang on it */
  u8 gone[INSTANCES];    /* destroyed, and could not be made again */
  u8 *kind, *instance, *status, *flags, *sound;
  u32 *slot, *err, *owner;
  u64 *size, *align, *count, *held, *ptr, *usable, *bad_at, *counters[4];
};

#define AT(index) ((void *)((char *)job + job->offset[index]))
static void bind_columns(struct run *r, struct job *job) {
  r->job = job;
  r->kind = AT(KIND), r->slot = AT(SLOT), r->size = AT(SIZE), r->align = AT(ALIGN), r->count = AT(COUNT);
  r->instance = AT(INSTANCE), r->status = AT(STATUS), r->flags = AT(FLAGS), r->err = AT(ERR), r->owner = AT(OWNER);
  r->held = AT(HELD), r->ptr = AT(PTR), r->usable = AT(USABLE), r->bad_at = AT(BAD_AT), r->sound = AT(SOUND);
  for (int k = 0; k < 4; k++) r->counters[k] = AT(NUM_FREE + k);
}
static inline void fault(struct run *r, u64 i, u8 flag, u64 at) { r->flags[i] = flag, r->bad_at[i] = at; }
static inline void now(struct run *r, u64 i, u64 where) { r->job->progress = 4 * i + where; }
static inline int makes(u8 kind) { return kind >= ALLOC && kind <= POSIX_ALIGNED && kind != FREE; }
static inline int aligns(u8 kind) { return kind == ALIGNED || kind == POSIX_ALIGNED || kind == ODD_ALIGNED || kind == ODD_POSIX_ALIGNED; }
/* The operation whose function this one calls. */
static inline u8 function_of(u8 kind) {
  switch (kind) {
    case RESIZE_TO_ZERO: return RESIZE;
    case ODD_ALIGNED: return ALIGNED;
    case ODD_POSIX_ALIGNED: return POSIX_ALIGNED;
    case MISFREE: return FREE;
    default: return kind;
  }
}

/* What the operation at row i is about, as words for its arguments. */
static void set_words(struct run *r, u64 i, u64 old) {
  struct plan *p = r->plan;
  u8 kind = r->kind[i];
  u32 owner = r->owner[i];
  p->word[W_SIZE] = r->size[i], p->word[W_COUNT] = r->count[i], p->word[W_PTR] = old, p->word[W_TAG] = i % 10;
  p->word[W_ALIGN] = aligns(kind) ? r->align[i] : p->align;
  p->word[W_OSIZE] = 0, p->word[W_OALIGN] = p->align, p->out = OUT_BEFORE;
  if (owner == NONE || !p->looks_back) return;
  u8 made = r->kind[owner];
  p->word[W_OSIZE] = r->size[owner] * r->count[owner];
  if (made == ALIGNED || made == POSIX_ALIGNED) p->word[W_OALIGN] = r->align[owner];
  p->word[W_MARK] = made == MARK ? r->slots[owner].ptr : 0;
}

/* Call the subject. The result: a block's address, 0 when refused, or a mark. */
static u64 ask(struct run *r, u64 i, u64 old) {
  u8 kind = r->kind[i];
  const struct call *c = &r->plan->of[function_of(kind)];
  int maker = makes(kind) || (kind >= RESIZE_TO_ZERO && kind <= ODD_POSIX_ALIGNED), frees = kind == FREE;
  set_words(r, i, old);
  errno = frees ? ERRNO_BEFORE : 0;
  now(r, i, IN_CALL);
  r->status[i] = DIED;
  u64 value = stepping && r->usable[i] ? step_call(r->plan, c, &r->usable[i], i) : invoke(r->plan, c);
  int error = errno, code = (int)value, status = OK;
  u64 out = r->plan->out == OUT_BEFORE ? 0 : r->plan->out, given = c->out ? out : number_of(c, value);
  switch (c->returns) {
    case 'p': status = value || r->kind[i] == MARK ? OK : FAILED; break;
    case 's': status = code ? FAILED : maker && !given ? (r->size[i] ? WRONG : FAILED) : OK; break;
    case 'e':
      status = code == 0 && (given || !maker) ? OK : code == ENOMEM || code == EINVAL || (code == 0 && r->size[i] == 0) ? FAILED : WRONG;
      break;
    case 'b': status = (u8)value ? OK : FAILED, code = 0; break;
    case 'y': status = (int64_t)value > 0 || (!maker && (int64_t)value == 0) ? OK : FAILED, code = 0; break;
    case 'z': r->ptr[i] = value; break;
  }
  r->status[i] = (u8)status;
  if (status == FAILED || status == WRONG)
    r->err[i] = (u32)(c->returns == 's' || c->returns == 'e' ? code : c->returns == 'p' ? error : 0);
  else if (frees && c->returns == 'v' && error != ERRNO_BEFORE)
    r->err[i] = error ? (u32)error : ERRNO_CLEARED;
  else if (c->returns == 'e' || c->returns == 's')
    r->err[i] = 0;
  if (status == FAILED && function_of(kind) == POSIX_ALIGNED && c->out && r->plan->out != OUT_BEFORE) fault(r, i, OUT_WRITTEN, out != 0);
  return status == OK ? given : 0;
}

/* Take in the block that row i was given: usable size, zeroes, kept prefix; then write its owner's pattern. */
static void receive(struct run *r, u64 i, u64 at, struct slot *old) {
  u64 size = r->size[i], count = r->count[i];
  u64 extent = size > OBJECT_MAX / (count ? count : 1) ? 0 : size * count;
  u8 which = r->instance[i];
  r->ptr[i] = at;
  now(r, i, IN_PAYLOAD);
  u64 reach = r->job->payload ? block_reach(at, extent) : extent;
  if (reach < extent) {
    fault(r, i, UNWRITABLE, reach);
    extent = 0; /* nothing is written, nothing checked later */
  } else if (r->job->payload) {
    if (r->kind[i] == ZALLOC) {
      u64 zero = zero_bytes((u8 *)at, extent);
      if (zero < extent) fault(r, i, NOT_ZERO, zero);
    }
    if (old) {
      u64 both = old->extent < extent ? old->extent : extent;
      u64 kept = verify((u8 *)at, old->owner, old->extent, both);
      if (kept < both && !r->flags[i]) fault(r, i, PREFIX_LOST, kept);
    }
    fill((u8 *)at, (u32)i, extent);
  }
  if (r->plan->usable.f) {
    now(r, i, IN_CALL);
    r->plan->word[W_PTR] = at;
    r->usable[i] = number_of(&r->plan->usable, invoke(r->plan, &r->plan->usable));
  }
  if (old) old->live = 0;
  r->slots[i] = (struct slot){at, extent, (u32)i, 1, r->newest[which]};
  r->newest[which] = (u32)i;
}

/* The newest block or mark of an instance that is still there. */
static u32 newest(struct run *r, u8 which) {
  while (r->newest[which] != NONE && !r->slots[r->newest[which]].live) r->newest[which] = r->slots[r->newest[which]].before;
  return r->newest[which];
}
/* Before many blocks end: those made in rows from `since` on must be as their owners wrote them. */
static void verify_from(struct run *r, u64 i, u32 since) {
  now(r, i, IN_PAYLOAD);
  r->status[i] = DIED;
  for (u32 row = newest(r, r->instance[i]); row != NONE && row >= since; row = r->slots[row].before) {
    struct slot *block = &r->slots[row];
    if (!block->live || r->kind[row] == MARK || block->owner != row) continue;
    u64 intact = verify((u8 *)block->ptr, row, block->extent, block->extent);
    if (intact == block->extent) continue;
    fault(r, i, DAMAGED, intact);
    r->ptr[i] = block->ptr, r->held[i] = block->extent;
    return;
  }
}
static void end_from(struct run *r, u8 which, u32 since) {
  for (u32 row; (row = newest(r, which)) != NONE && row >= since;) r->slots[row].live = 0;
}

/* Bytes beside the buffer that are not as they were: told once, then put back. */
static void look_beside(struct run *r, u64 i) {
  u64 at;
  if (!r->plan->buffer_size || !r->job->payload || beside_is_well(r->plan, r->instance[i], &at)) return;
  if (!r->flags[i]) fault(r, i, OUTSIDE, at);
}

static void renew(struct run *r, u64 i) {
  struct plan *p = r->plan;
  u8 which = r->instance[i];
  if (r->job->payload) verify_from(r, i, 0);
  now(r, i, IN_CALL);
  r->status[i] = DIED;
  invoke(p, &p->destroy);
  now(r, i, IN_PAYLOAD);
  end_from(r, which, 0);
  struct instance *x = &p->instance[which];
  int there = !p->buffer_size || buffer_is_mapped(p, which);
  if (there) {
    look_beside(r, i);
    if (p->buffer_size) memset((void *)x->buffer, 0xa5, p->buffer_size);
    now(r, i, IN_CALL);
    r->status[i] = make_instance(p, which) ? OK : FAILED;
  } else {
    fault(r, i, OUTSIDE, 0);
    r->status[i] = FAILED;
  }
  r->gone[which] = r->status[i] != OK;
}

/* A mark, a reset, a release, a pop: what concerns more than one block, or names none. */
static void one_region(struct run *r, u64 i) {
  u8 kind = r->kind[i], which = r->instance[i];
  u32 s = r->slot[i];
  switch (kind) {
    case POP: {
      u32 top = newest(r, which);
      struct slot *block = top == NONE ? NULL : &r->slots[top];
      if (!block && takes(&r->plan->of[POP], W_PTR)) return; /* there is no block to name */
      if (block) {
        r->owner[i] = top, r->held[i] = block->extent;
        if (r->job->payload) {
          now(r, i, IN_PAYLOAD);
          r->status[i] = DIED;
          u64 intact = verify((u8 *)block->ptr, top, block->extent, block->extent);
          if (intact < block->extent) fault(r, i, DAMAGED, intact);
        }
      }
      ask(r, i, block ? block->ptr : 0);
      if (!block) r->status[i] = OK, r->err[i] = 0; /* popping an empty stack: it has returned, that is all */
      else if (r->status[i] == OK) block->live = 0;
      return;
    }
    case MARK: {
      u64 value = ask(r, i, 0);
      r->ptr[i] = value;
      if (r->status[i] != OK) return;
      r->slots[i] = (struct slot){value, 0, (u32)i, 1, r->newest[which]};
      r->newest[which] = (u32)i;
      return;
    }
    case RELEASE:
      if (s >= i || r->kind[s] != MARK || !r->slots[s].live || r->instance[s] != which) return;
      r->owner[i] = s;
      if (r->job->payload) verify_from(r, i, s);
      ask(r, i, 0);
      if (r->status[i] == OK) end_from(r, which, s);
      return;
    case RESET:
      if (r->job->payload) verify_from(r, i, 0);
      ask(r, i, 0);
      if (r->status[i] == OK) end_from(r, which, 0);
      return;
    case RENEW: renew(r, i); return;
  }
}

static void one_block(struct run *r, u64 i) {
  u8 kind = r->kind[i];
  struct slot *old = NULL;
  u32 s = r->slot[i];
  if ((kind == RESIZE || kind == FREE || kind == CHECK) && s != NULL_SLOT) {
    if (s >= i || !r->slots[s].live || r->kind[s] == MARK) return;
    old = &r->slots[r->slots[s].owner];
    if (!old->live) return;
    r->owner[i] = old->owner;
    r->held[i] = old->extent;
    if (r->job->payload) {
      now(r, i, IN_PAYLOAD);
      r->status[i] = DIED;
      u64 intact = verify((u8 *)old->ptr, old->owner, old->extent, old->extent);
      if (intact < old->extent) fault(r, i, DAMAGED, intact);
    }
    if (kind == CHECK) { r->status[i] = OK; return; }
  }
  if (kind == CHECK) return;
  u64 at = ask(r, i, old ? old->ptr : 0);
  if (kind == FREE) { if (old && r->status[i] == OK) old->live = 0; return; }
  if (r->status[i] == OK) { receive(r, i, at, old); return; }
  if (kind != RESIZE || !old) return;
  if (r->job->payload) {
    now(r, i, IN_PAYLOAD);
    u64 kept = verify((u8 *)old->ptr, old->owner, old->extent, old->extent);
    if (kept < old->extent && !r->flags[i]) fault(r, i, FAILED_CHANGED, kept);
  }
  r->slots[i] = (struct slot){0, 0, old->owner, 1, NONE}; /* the slot of a failed resize holds the old block */
}

/* What scenes alone ask: standards treat it apart, or leave it open. Nobody touches a block that it may have ended or made. */
static void probe(struct run *r, u64 i) {
  static u8 foreign[4096] __attribute__((aligned(4096)));
  u8 kind = r->kind[i];
  u32 s = r->slot[i];
  int named = kind == RESIZE_TO_ZERO || kind == FILL_USABLE || (kind == MISFREE && r->size[i] != FOREIGN);
  struct slot *old = named && s < i && r->slots[s].ptr && r->kind[s] != MARK ? &r->slots[r->slots[s].owner] : NULL;
  if (named && (!old || !old->live != (kind == MISFREE && r->size[i] == DOUBLE))) return;
  u64 at = old ? old->ptr : (u64)foreign + 64;
  if (old) r->owner[i] = old->owner, r->held[i] = old->extent;
  if (kind == FILL_USABLE) {
    u64 usable = r->usable[old->owner];
    r->usable[i] = usable;
    now(r, i, IN_PAYLOAD);
    r->status[i] = DIED;
    u64 reach = block_reach(at, usable);
    if (reach < usable) fault(r, i, UNWRITABLE, reach);
    for (u64 k = old->extent; k < usable && k < reach; k++) ((volatile u8 *)at)[k] = (u8)~k;
    r->status[i] = OK;
    for (u64 k = old->extent; k < usable && k < reach && !r->flags[i]; k++)
      if (((volatile u8 *)at)[k] != (u8)~k) fault(r, i, UNWRITABLE, k);
    return;
  }
  if (kind == MISFREE) at += r->size[i] == INTERIOR ? 16 : r->size[i] == UNALIGNED;
  u64 given = kind == ODD_ALIGNED || kind == ODD_POSIX_ALIGNED ? ask(r, i, 0) : ask(r, i, at);
  if (kind == RESIZE_TO_ZERO && r->status[i] != WRONG) old->live = 0;
  if (kind != MISFREE) r->ptr[i] = given;
}

/* The subject's counters, after operation i. */
static void count(struct run *r, u64 i) {
  struct plan *p = r->plan;
  now(r, i, IN_CALL);
  for (int k = 0; k < 4; k++)
    if (p->counter[k].f) r->counters[k][i] = number_of(&p->counter[k], invoke(p, &p->counter[k]));
  if (p->invariant.f) r->sound[i] = is_well(&p->invariant, invoke(p, &p->invariant)) ? 1 : 2;
}

static void one(struct run *r, u64 i) {
  u8 kind = r->kind[i], which = r->instance[i];
  struct plan *p = r->plan;
  if (kind == 0 || kind >= KINDS || which >= p->instances || r->gone[which]) return; /* skipped */
  if (kind == RENEW ? !p->destroy.f : kind != CHECK && kind != FILL_USABLE && !p->of[function_of(kind)].f) return;
  if (p->instances > 1) choose(p, which);
  if (kind > RENEW) probe(r, i);
  else if (kind < POP) one_block(r, i);
  else one_region(r, i);
  if (r->status[i] == SKIPPED) return;
  if (!r->gone[which]) look_beside(r, i);
  if (p->counts && !r->gone[which]) count(r, i);
}

/* Run all rows of the job in this process. 0, or an errno when the driver itself lacks memory. */
EXPORT int hl_run(struct job *job, struct plan *plan, u64 job_bytes) {
  struct run r = {.plan = plan};
  u64 bytes = (job->rows + 1) * sizeof(struct slot);
  bind_columns(&r, job);
  make_pattern();
  r.slots = guarded(bytes, -1);
  if (!r.slots) return errno;
  owns = 0;
  keep_out(job, job_bytes);
  keep_out(r.slots, bytes);
  keep_out(pattern, sizeof pattern);
  keep_out((char *)__builtin_frame_address(0) - 65536, 131072);
  for (u64 k = 0; k < plan->instances; k++) {
    r.newest[k] = NONE;
    if (!plan->buffer_size) continue;
    keep_out((void *)(plan->instance[k].buffer - BESIDE), BESIDE);
    keep_out((void *)(plan->instance[k].buffer + plan->buffer_size), BESIDE);
  }
  memset(known, 0, sizeof known);
  choose(plan, 0);
  for (u64 i = 0, ready = 0; i < job->rows; i++) {
    while (i >= ready) {
      ready = job->published;
      if (i >= ready) nanosleep(&(struct timespec){0, 50000}, NULL);
    }
    one(&r, i);
  }
  job->progress = 4 * job->rows + FINISHED;
  unguard(r.slots, bytes);
  return 0;
}

static u64 nanoseconds(void) {
  struct timespec t;
  return clock_gettime(CLOCK_MONOTONIC, &t) ? 0 : (u64)t.tv_sec * 1000000000u + (u64)t.tv_nsec;
}

/* The same calls with no checks, no payload, no history: what checked replay is compared with. Nanoseconds. For subjects with
 * one instance, whose operations make, resize and free single blocks. */
EXPORT u64 hl_replay_raw(struct job *job, struct plan *plan) {
  struct run r = {.plan = plan};
  bind_columns(&r, job);
  u64 bytes = (job->rows + 1) * sizeof(u64);
  u64 *at = guarded(bytes, -1), *word = plan->word;
  if (!at) return 0;
  choose(plan, 0);
  u64 start = nanoseconds();
  for (u64 i = 0; i < job->rows; i++) {
    u8 kind = r.kind[i];
    u64 old = r.slot[i] < i ? at[r.slot[i]] : 0;
    if (kind >= CHECK || !plan->of[kind].f || ((kind == FREE || kind == RESIZE) && !old)) continue;
    word[W_SIZE] = r.size[i], word[W_COUNT] = r.count[i], word[W_ALIGN] = r.align[i], word[W_PTR] = old, plan->out = 0;
    u64 value = invoke(plan, &plan->of[kind]);
    if (kind != FREE) at[i] = plan->of[kind].out ? plan->out : value;
    if (kind == RESIZE && !at[i]) at[i] = old;
    if (kind == FREE || kind == RESIZE) at[r.slot[i]] = 0;
  }
  u64 end = nanoseconds();
  unguard(at, bytes);
  return end - start;
}

#ifndef HEAPLAW_HOST
#include "shadow.h"
#include "ghost.h"
#else
#include "host.h"
#endif
