/* A free list over a buffer: first fit in order of address, blocks are split, freed neighbours are joined. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct Block {
  size_t size; /* bytes, this header included; a multiple of 16 */
  struct Block *next; /* the next free block, while this one is free */
} Block;

typedef struct List {
  Block *first;
} List;

enum { HEADER = 16, LEAST = 32 };

int fl_init(List *list, void *buffer, size_t capacity) {
  list->first = buffer;
  *list->first = (Block){.size = capacity / 16 * 16};
  return 0;
}

void *fl_alloc(List *list, size_t size) {
  if (size == 0 || size > SIZE_MAX - HEADER - 15) return NULL;
  size_t need = (size + HEADER + 15) / 16 * 16;
  Block **link = &list->first;
  while (*link && (*link)->size < need) link = &(*link)->next;
  Block *block = *link;
  if (!block) return NULL;
  if (block->size - need >= LEAST) {
    Block *rest = (Block *)((char *)block + need);
    *rest = (Block){block->size - need, block->next};
    block->size = need;
    *link = rest;
  } else {
    *link = block->next;
  }
  return (char *)block + HEADER;
}

/* Joins a block with the next one, if they are neighbours. */
static void join(Block *block) {
  Block *next = block->next;
  if (next && (char *)block + block->size == (char *)next) {
    block->size += next->size;
    block->next = next->next;
  }
}

void fl_free(List *list, void *memory) {
  Block *block = (Block *)((char *)memory - HEADER), *before = NULL;
  Block **link = &list->first;
  while (*link && *link < block) {
    before = *link;
    link = &before->next;
  }
  block->next = *link;
  *link = block;
  join(block);
  if (before) join(before);
}

size_t fl_usable(const void *memory) { return ((const Block *)((const char *)memory - HEADER))->size - HEADER; }

/* These only look. */
const Block *fl_first(const List *list) { return list->first; }
const Block *fl_next(const Block *block) { return block->next; }
size_t fl_size(const Block *block) { return block->size; }
