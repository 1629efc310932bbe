/* A heap in one buffer: first fit, what is left over is cut off, free neighbours are joined as they are met. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { GRAIN = 32 };

typedef struct Block {
  size_t size; /* bytes behind this header */
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

static void join(Heap *heap, Block *block) {
  for (Block *next = after(heap, block); next && next->free; next = after(heap, block))
    block->size += sizeof(Block) + next->size;
}

static void cut(Block *block, size_t size) {
  if (block->size - size < sizeof(Block) + GRAIN) return;
  Block *rest = (Block *)((char *)(block + 1) + size);
  *rest = (Block){block->size - size - sizeof(Block), 1};
  block->size = size;
}

Heap *heap_create(void *buffer, size_t capacity) {
  Heap *heap = buffer;
  heap->end = (char *)buffer + capacity / GRAIN * GRAIN;
  *first(heap) = (Block){heap->end - (char *)(first(heap) + 1), 1};
  return heap;
}

void *heap_alloc(Heap *heap, size_t size) {
  if (size > PTRDIFF_MAX) return NULL;
  if (size == 0) return NULL;
  size = (size + sizeof(Block) + GRAIN - 1) / GRAIN * GRAIN - sizeof(Block); /* whole grains, with the header */
  for (Block *block = first(heap); block; block = after(heap, block)) {
    if (!block->free) continue;
    join(heap, block);
    if (block->size < size) continue;
    cut(block, size);
    block->free = 0;
    return block + 1;
  }
  return NULL;
}

void heap_free(Heap *heap, void *ptr) {
  (void)heap;
  if (ptr) ((Block *)ptr - 1)->free = 1;
}

void *heap_realloc(Heap *heap, void *ptr, size_t size) {
  if (!ptr) return heap_alloc(heap, size);
  Block *block = (Block *)ptr - 1;
  if (size <= block->size) return ptr;
  void *moved = heap_alloc(heap, size);
  if (moved) memcpy(moved, ptr, block->size);
  heap_free(heap, ptr);
  return moved;
}

size_t heap_usable(Heap *heap, void *ptr) {
  (void)heap;
  return ptr ? ((Block *)ptr - 1)->size : 0;
}
