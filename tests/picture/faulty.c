/* Allocators with a fault each, for the tests of what is told about faults. Written in C that is also C++. */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- heaps: what is handed out comes through a pointer. Blocks of 48 bytes are 16 bytes too near to the next. */
typedef struct { unsigned char *at; size_t capacity, used; int open; } heap;
static heap heaps[8];
static int begun;

int hp_begin(void *(*take)(size_t), void (*give)(void *)) {
  void *probe = take(8);
  if (probe) give(probe);
  begun = 1;
  return probe ? 0 : 12;
}
int hp_open(heap **out, void *buffer, size_t capacity) {
  int k = 0;
  while (k < 8 && heaps[k].open) k++;
  if (k == 8 || !begun) return -1;
  heaps[k].at = (unsigned char *)buffer, heaps[k].capacity = capacity, heaps[k].used = 0, heaps[k].open = 1;
  *out = &heaps[k];
  return 0;
}
void hp_close(heap *h) { h->open = 0; }
int hp_take(heap *h, void **out, size_t size) {
  size_t room = (size + 15) & ~(size_t)15;
  if (size > h->capacity - h->used || room > h->capacity - h->used) return -7;
  *out = h->at + h->used;
  h->used += size == 48 ? 32 : room;
  return 0;
}
int hp_give(void *block) { return block ? 0 : EINVAL; }

/* ---- a bump over storage of the caller's. A reset forgets the last 16 bytes; zeroed memory is not looked at. */
typedef struct { unsigned char *at; size_t capacity, used; } bump;
int look(bump *b, void *buffer, size_t capacity) {
  size_t k;
  for (k = 0; k < sizeof *b; k++)
    if (((unsigned char *)b)[k]) return 1; /* must come zeroed */
  b->at = (unsigned char *)buffer, b->capacity = capacity;
  return 0;
}
void *took(bump *b, size_t size, size_t align) {
  size_t pad = -((uintptr_t)b->at + b->used) & (align - 1);
  void *block = b->at + b->used + pad;
  if (size > b->capacity || b->used + pad > b->capacity - size) { errno = ENOMEM; return NULL; }
  b->used += pad + size;
  return block;
}
void *begin(bump *b, size_t size) { return took(b, size, 8); }
uint64_t fault(bump *b) { return 0xbad00u | (b->capacity == 4096); }
void freed(bump *b) { b->used = 0, b->capacity -= 16; }
void newest(bump *b, void *block) { b->used = (size_t)((unsigned char *)block - b->at); }
int held(bump *b) { return (int)(b->capacity - b->used); }

#ifdef __cplusplus
}
#endif
