/* heaplaw's native part: a driver that runs a trace on an allocator, a fork server around it (the host program), and the
 * shadow that finds pairs of live blocks that may overlap. Built twice: as the program heaplaw-host (HEAPLAW_HOST) and as
 * a library. Trace and history are columns in shared memory; spec/history.py says what each means. The driver allocates
 * nothing from the C library, so that a subject that replaces malloc is called by the trace alone. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
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

enum { KIND, SLOT, SIZE, ALIGN, COUNT, STATUS, FLAGS, ERR, OWNER, HELD, PTR, USABLE, BAD_AT, COLUMNS };
enum { ALLOC = 1, ZALLOC, RESIZE, FREE, ALIGNED, POSIX_ALIGNED, CHECK, KINDS };
enum { SKIPPED, OK, FAILED, DIED, WRONG };
enum { DAMAGED = 1, PREFIX_LOST = 2, NOT_ZERO = 4, FAILED_CHANGED = 8, UNWRITABLE = 16 };
enum { BETWEEN, IN_CALL, IN_PAYLOAD, FINISHED };
#define NONE 0xffffffffu
#define NULL_SLOT 0xfffffffeu
#define OBJECT_MAX ((u64)PTRDIFF_MAX)

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
static struct range own[4];
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
    if (at < own[i].end && own[i].start < end) return 0;
  for (u64 granule = at / GRANULE; granule <= (end - 1) / GRANULE; granule++) {
    u64 *entry = &known[granule % CACHED];
    if (*entry == granule + 1) continue;
    if (mapped(granule * GRANULE, GRANULE)) { *entry = granule + 1; continue; }
    u64 page = granule * GRANULE > at ? granule * GRANULE : at & ~(u64)4095;
    u64 stop = (granule + 1) * GRANULE < end ? (granule + 1) * GRANULE : end;
    for (; page < stop; page += 4096)
      if (!mapped(page, 4096)) return page > at ? page - at : 0;
  }
  return size;
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

/* ---- the driver */
struct slot { u64 ptr, extent; u32 owner; u32 live; };
typedef void *(*alloc_f)(size_t);
typedef void *(*zalloc_f)(size_t, size_t);
typedef void *(*resize_f)(void *, size_t);
typedef void (*free_f)(void *);
typedef void *(*aligned_f)(size_t, size_t);
typedef int (*posix_f)(void **, size_t, size_t);
typedef size_t (*usable_f)(void *);

struct run {
  struct job *job;
  void *const *calls; /* by kind; [0] is the usable size */
  struct slot *slots;
  u8 *kind, *status, *flags;
  u32 *slot, *err, *owner;
  u64 *size, *align, *count, *held, *ptr, *usable, *bad_at;
};

#define AT(name, index) ((void *)((char *)job + job->offset[index]))
static void bind_columns(struct run *r, struct job *job) {
  r->job = job;
  r->kind = AT(job, KIND), r->slot = AT(job, SLOT), r->size = AT(job, SIZE), r->align = AT(job, ALIGN);
  r->count = AT(job, COUNT), r->status = AT(job, STATUS), r->flags = AT(job, FLAGS), r->err = AT(job, ERR);
  r->owner = AT(job, OWNER), r->held = AT(job, HELD), r->ptr = AT(job, PTR), r->usable = AT(job, USABLE);
  r->bad_at = AT(job, BAD_AT);
}
static inline void fault(struct run *r, u64 i, u8 flag, u64 at) { r->flags[i] = flag, r->bad_at[i] = at; }
static inline void now(struct run *r, u64 i, u64 where) { r->job->progress = 4 * i + where; }

/* Call the subject. The result: a block's address, 0 when refused. */
static u64 call(struct run *r, u64 i, u64 old) {
  void *const f = r->calls[r->kind[i]];
  u64 size = r->size[i], result = 0;
  errno = 0;
  now(r, i, IN_CALL);
  r->status[i] = DIED;
  switch (r->kind[i]) {
    case ALLOC: result = (u64)((alloc_f)f)(size); break;
    case ZALLOC: result = (u64)((zalloc_f)f)(r->count[i], size); break;
    case RESIZE: result = (u64)((resize_f)f)((void *)old, size); break;
    case ALIGNED: result = (u64)((aligned_f)f)(r->align[i], size); break;
    case FREE: ((free_f)f)((void *)old); break;
    case POSIX_ALIGNED: {
      void *out = NULL;
      int code = ((posix_f)f)(&out, r->align[i], size);
      r->status[i] = code == 0 && out ? OK : code == ENOMEM || code == EINVAL || (code == 0 && size == 0) ? FAILED : WRONG;
      r->err[i] = (u32)code;
      return code == 0 ? (u64)out : 0;
    }
  }
  r->status[i] = result || r->kind[i] == FREE ? OK : FAILED;
  if (r->status[i] == FAILED) r->err[i] = (u32)errno;
  return result;
}

/* Take in the block that row i was given: usable size, zeroes, kept prefix; then write its owner's pattern. */
static void receive(struct run *r, u64 i, u64 at, struct slot *old) {
  u64 size = r->size[i], count = r->count[i];
  u64 extent = size > OBJECT_MAX / (count ? count : 1) ? 0 : size * count;
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
  if (r->calls[0]) {
    now(r, i, IN_CALL);
    r->usable[i] = ((usable_f)r->calls[0])((void *)at);
  }
  if (old) old->live = 0;
  r->slots[i] = (struct slot){at, extent, (u32)i, 1};
}

static void one(struct run *r, u64 i) {
  u8 kind = r->kind[i];
  struct slot *old = NULL;
  if (kind == 0 || kind >= KINDS || (kind != CHECK && !r->calls[kind])) return; /* skipped */
  u32 s = r->slot[i];
  if ((kind == RESIZE || kind == FREE || kind == CHECK) && s != NULL_SLOT) {
    if (s >= i || !r->slots[s].live) return;
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
  u64 at = call(r, i, old ? old->ptr : 0);
  if (kind == FREE) { if (old) old->live = 0; return; }
  if (at) { receive(r, i, at, old); return; }
  if (kind != RESIZE || !old) return;
  if (r->job->payload) {
    now(r, i, IN_PAYLOAD);
    u64 kept = verify((u8 *)old->ptr, old->owner, old->extent, old->extent);
    if (kept < old->extent && !r->flags[i]) fault(r, i, FAILED_CHANGED, kept);
  }
  r->slots[i] = (struct slot){0, 0, old->owner, 1}; /* the slot of a failed resize holds the old block */
}

/* Run all rows of the job in this process. 0, or an errno when the driver itself lacks memory. */
EXPORT int hl_run(struct job *job, void *const *calls, u64 job_bytes) {
  struct run r = {.calls = calls};
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
  memset(known, 0, sizeof known);
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

/* The same calls with no checks, no payload, no history: what checked replay is compared with. Nanoseconds. */
EXPORT u64 hl_replay_raw(struct job *job, void *const *calls) {
  struct run r = {.calls = calls};
  bind_columns(&r, job);
  u64 bytes = (job->rows + 1) * sizeof(void *);
  void **at = guarded(bytes, -1);
  if (!at) return 0;
  u64 start = nanoseconds();
  for (u64 i = 0; i < job->rows; i++) {
    u8 kind = r.kind[i];
    void *old = r.slot[i] < i ? at[r.slot[i]] : NULL;
    if (kind == CHECK || !calls[kind] || ((kind == FREE || kind == RESIZE) && !old)) continue;
    switch (kind) {
      case ALLOC: at[i] = ((alloc_f)calls[kind])(r.size[i]); break;
      case ZALLOC: at[i] = ((zalloc_f)calls[kind])(r.count[i], r.size[i]); break;
      case ALIGNED: at[i] = ((aligned_f)calls[kind])(r.align[i], r.size[i]); break;
      case POSIX_ALIGNED: if (((posix_f)calls[kind])(&at[i], r.align[i], r.size[i])) at[i] = NULL; break;
      case FREE: ((free_f)calls[kind])(old), at[r.slot[i]] = NULL; break;
      case RESIZE:
        at[i] = ((resize_f)calls[kind])(old, r.size[i]);
        if (!at[i]) at[i] = old;
        at[r.slot[i]] = NULL;
        break;
    }
  }
  u64 end = nanoseconds();
  unguard(at, bytes);
  return end - start;
}

#ifndef HEAPLAW_HOST
#include "shadow.h"
#else
#include "host.h"
#endif
