/* Equal blocks in one buffer. Those that were never handed out are not touched; freed ones hold the list. */
#include <stddef.h>

typedef struct Slab {
  char *blocks;
  size_t block_size, count;
  size_t fresh; /* blocks from here on were never handed out */
  size_t used;
  void **freed;
} Slab;

int slab_init(Slab *slab, void *buffer, size_t block_size, size_t count) {
  if (block_size < sizeof(void *)) return -1;
  *slab = (Slab){.blocks = buffer, .block_size = block_size, .count = count};
  return 0;
}

/* 0, and the block in *out; -1 where none is left. */
int slab_take(Slab *slab, void **out) {
  if (slab->freed) {
    *out = slab->freed;
    slab->freed = *slab->freed;
  } else if (slab->fresh < slab->count) {
    *out = slab->blocks + slab->fresh++ * slab->block_size;
  } else {
    return -1;
  }
  slab->used++;
  return 0;
}

void slab_give(Slab *slab, void *block) {
  *(void **)block = slab->freed;
  slab->freed = block;
  slab->used--;
}

size_t slab_used(const Slab *slab) { return slab->used; }
