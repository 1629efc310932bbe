/* A heap in one buffer: first fit, split on demand, neighbours joined as they are met. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { ALIGN = 16 };

typedef struct Block {
  size_t size; /* bytes behind the header */
  size_t free;
} Block;

typedef struct Heap {
  char *end;
  size_t unused;
} Heap;

static Block *first(Heap *heap) { return (Block *)(heap + 1); }

static Block *after(Heap *heap, Block *block) {
  char *next = (char *)(block + 1) + block->size;
  return next < heap->end ? (Block *)next : NULL;
}

/* Joins to a block the free ones behind it. */
static void join(Heap *heap, Block *block) {
  for (Block *next = after(heap, block); next && next->free; next = after(heap, block))
    block->size += sizeof(Block) + next->size;
}

/* Cuts a block to `size` bytes; what is left becomes a free block, if it is large enough to be one. */
static void cut(Block *block, size_t size) {
  if (block->size - size < sizeof(Block) + ALIGN) return;
  Block *rest = (Block *)((char *)(block + 1) + size);
  rest->size = block->size - size - sizeof(Block);
  rest->free = true;
  block->size = size;
}

/* `buffer` is aligned to 16 bytes. */
Heap *heap_create(void *buffer, size_t capacity) {
  Heap *heap = buffer;
  heap->end = (char *)buffer + capacity / ALIGN * ALIGN;
  *first(heap) = (Block){heap->end - (char *)(first(heap) + 1), true};
  return heap;
}

void *heap_alloc(Heap *heap, size_t size) {
  if (size > PTRDIFF_MAX) return NULL;
  size = (size + ALIGN - 1) / ALIGN * ALIGN;
  for (Block *block = first(heap); block; block = after(heap, block)) {
    if (!block->free) continue;
    join(heap, block);
    if (block->size < size) continue;
    cut(block, size);
    block->free = false;
    return block + 1;
  }
  return NULL;
}

void heap_free(Heap *heap, void *ptr) {
  (void)heap;
  if (ptr) ((Block *)ptr - 1)->free = true;
}

void *heap_realloc(Heap *heap, void *ptr, size_t size) {
  if (!ptr) return heap_alloc(heap, size);
  if (size > PTRDIFF_MAX) return NULL;
  Block *block = (Block *)ptr - 1;
  size_t old = block->size;
  join(heap, block); /* perhaps there is room behind it */
  if (block->size >= size) {
    cut(block, size);
    return ptr;
  }
  cut(block, old);
  void *moved = heap_alloc(heap, size);
  if (!moved) return NULL;
  memcpy(moved, ptr, old);
  heap_free(heap, ptr);
  return moved;
}
