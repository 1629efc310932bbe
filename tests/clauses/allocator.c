/* A small allocator that keeps every clause of every dialect; CLAUSE_FAULT names the one thing that it does wrongly. */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define HEAP ((size_t)1 << 23)
#define MAGIC ((size_t)0x6c61776675)
struct head {
  size_t magic, room, size, live;
  struct head *next, *pad;
};
static unsigned char heap[HEAP] __attribute__((aligned(4096)));
static size_t used;
static struct head *freed;
static int refused;

static int fault(const char *name) {
  const char *set = getenv("CLAUSE_FAULT");
  return set && !strcmp(set, name);
}

static void *no(int code) {
  refused = 1;
  if (!fault("errno-not-set")) errno = code;
  return NULL;
}

static struct head *head_of(void *p) { return (struct head *)((uintptr_t)p & ~(uintptr_t)15) - 1; }

static void *take(size_t size, size_t align) {
  size_t room = ((size ? size : 1) + 15) & ~(size_t)15, shift = 0;
  if (size > HEAP) return no(ENOMEM);
  if (refused && fault("refuses-after-refusal")) return no(ENOMEM);
  if (fault("aligned-to-8") || fault("aligned-to-4")) shift = size <= 8 ? fault("aligned-to-8") ? 8 : 4 : 0;
  for (struct head **at = &freed; *at; at = &(*at)->next)
    if ((*at)->room == room && align <= 16 && !shift) {
      struct head *h = *at;
      *at = h->next;
      h->live = 1, h->size = size;
      return h + 1;
    }
  size_t place = (used + sizeof(struct head) + align - 1) / align * align;
  if (place > HEAP - room - 16) return no(ENOMEM);
  struct head *h = (struct head *)(heap + place) - 1;
  used = place + room + (shift ? 16 : 0);
  *h = (struct head){MAGIC, room, size, 1, NULL, NULL};
  return heap + place + shift;
}

void *t_malloc(size_t size) {
  if (!size && fault("zero-is-null")) return NULL;
  if (!size && fault("zero-crashes")) abort();
  return take(size, 16);
}

void *t_calloc(size_t count, size_t size) {
  if (size && count > PTRDIFF_MAX / size) return no(ENOMEM);
  void *p = t_malloc(count * size);
  return p ? memset(p, 0, count * size) : NULL;
}

static int mistaken(void *p) {
  unsigned char *at = p;
  if (at < heap || at >= heap + HEAP) return 4;
  if ((uintptr_t)p & 3) return 3;
  struct head *h = head_of(p);
  if ((unsigned char *)h < heap || h->magic != MAGIC) return 2;
  return h->live ? 0 : 1;
}

static int give(void *p) {
  static const char *const kinds[] = {"", "double-passes", "interior-passes", "unaligned-passes", "foreign-passes"};
  const char *policy = getenv("CLAUSE_POLICY");
  if (!p) return 0;
  int mistake = mistaken(p);
  if (mistake && fault(kinds[mistake])) return 0;
  if (mistake && policy) {
    if (!strcmp(policy, "exit")) _Exit(3);
    if (fault("wild-access")) *(volatile int *)(uintptr_t)(strlen(policy) + 8) = 1;
    return !strcmp(policy, "error");
  }
  if (mistake) abort();
  struct head *h = head_of(p);
  h->live = 0, h->next = freed, freed = h;
  if (fault("free-sets-errno")) errno = ENOMEM;
  if (fault("free-clears-errno")) errno = 0;
  return 0;
}

void t_free(void *p) { give(p); }
int t_give(void *p) { return give(p); }

void *t_realloc(void *p, size_t size) {
  if (!p) return t_malloc(size);
  if (!size) {
    if (fault("to-zero-crashes")) abort();
    if (!fault("to-zero-leaks")) give(p);
    if (fault("to-zero-is-a-block")) return take(0, 16);
    if (!fault("to-zero-says-nothing")) errno = EINVAL;
    return NULL;
  }
  void *made = t_malloc(size);
  if (!made) return NULL;
  size_t old = head_of(p)->size;
  memcpy(made, p, old < size ? old : size);
  give(p);
  return made;
}

static int odd(size_t align) { return !align || align & (align - 1); }

static size_t rounded(size_t align) {
  size_t power = 16;
  while (power < align && power < 4096) power *= 2;
  return power;
}

void *t_aligned_alloc(size_t align, size_t size) {
  if (odd(align)) {
    if (fault("odd-is-rounded")) return take(size, rounded(align));
    if (fault("odd-says-nothing")) return NULL;
    return no(EINVAL);
  }
  if (size % align && fault("wants-multiples")) return no(EINVAL);
  if (size % align && fault("aligns-multiples-only")) return (char *)take(size + 16, rounded(align)) + 16;
  return take(size, align < 16 ? 16 : align);
}

int t_posix_memalign(void **out, size_t align, size_t size) {
  if (odd(align) || align % sizeof(void *)) {
    if (fault("bad-alignment-is-rounded")) return *out = take(size, rounded(align)), 0;
    return fault("bad-alignment-is-enomem") ? ENOMEM : EINVAL;
  }
  void *p = take(size, align < 16 ? 16 : align);
  if (!p && fault("out-is-null")) *out = NULL;
  if (!p && fault("out-is-written")) *out = (void *)size;
  if (!p) return ENOMEM;
  *out = p;
  return 0;
}

size_t t_usable_size(void *p) { return fault("usable-is-too-much") ? HEAP : head_of(p)->room; }
