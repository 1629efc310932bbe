/* A million random steps on fifty blocks; every byte is compared before its block is changed. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "heap.c"

static unsigned char buffer[1 << 20] __attribute__((aligned(16)));

int main(void) {
  static const size_t sizes[] = {16, 100, 4096};
  unsigned char *blocks[50] = {NULL};
  size_t lengths[50] = {0};
  Heap *heap = heap_create(buffer, sizeof buffer);
  for (int step = 0; step < 1000000; step++) {
    int k = rand() % 50;
    for (size_t i = 0; i < lengths[k]; i++) assert(blocks[k][i] == k);
    size_t size = rand() % 3 ? sizes[rand() % 3] : 0;
    if (size == 0) {
      heap_free(heap, blocks[k]);
      blocks[k] = NULL;
    } else {
      blocks[k] = heap_realloc(heap, blocks[k], size);
      assert(blocks[k]);
      for (size_t i = 0; i < size && i < lengths[k]; i++) assert(blocks[k][i] == k);
      memset(blocks[k], k, size);
    }
    lengths[k] = size;
  }
  puts("all well");
}
