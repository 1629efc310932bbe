/* What all shapes share: choosing the variant, small arithmetic, refusals and
 * the places where instances stand. Nothing here carries a fault. */
#ifndef HEAPLAW_COMMON_H
#define HEAPLAW_COMMON_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "variants.h"

#define API __attribute__((visibility("default")))

typedef unsigned char byte;

static inline size_t min_size(size_t a, size_t b) { return a < b ? a : b; }
static inline size_t max_size(size_t a, size_t b) { return a > b ? a : b; }

/* Bytes from `address` up to the next multiple of `align`, a power of two. */
static inline size_t pad_up(uintptr_t address, size_t align) { return -address & (align - 1); }

static inline size_t round_up(size_t n, size_t to) { return (n + to - 1) & ~(to - 1); }

static inline uintptr_t address_of(const void *p) { return (uintptr_t)p; }

/* The answer to every request that cannot be served. */
static void *refuse(void) {
    errno = ENOMEM;
    return NULL;
}

#define PAGE ((size_t)4096)

/* `length` bytes of zeroed memory, a multiple of PAGE, with an inaccessible page behind; NULL without room. */
static void *map_pages(size_t length) {
    void *m = mmap(NULL, length + PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (m == MAP_FAILED) return NULL;
    if (mprotect(m, length, PROT_READ | PROT_WRITE) == 0) return m;
    munmap(m, length + PAGE);
    return NULL;
}

static void unmap_pages(void *m, size_t length) { munmap(m, length + PAGE); }

static void give_up(const char *text) {
    if (write(STDERR_FILENO, text, strlen(text)) < 0) abort();
    abort();
}

/* Called before an instance is made: reads the variant's name once. */
static void prepare(enum shape shape) {
    static int ready;
    const char *name = getenv("HEAPLAW_MUTANT");
    if (!ready && name && *name) {
        int i = 0;
        while (i < V_COUNT && strcmp(variant_rows[i].name, name) != 0) i++;
        if (i == V_COUNT) give_up("HEAPLAW_MUTANT: unknown name\n");
        the_variant = (enum variant)i;
        the_options = variant_rows[i].options;
    }
    ready = 1;
    if (the_variant != V_COUNT && variant_rows[the_variant].shape != shape)
        give_up("HEAPLAW_MUTANT: the variant is of another shape\n");
}

/* Instances stand in static storage, so that the whole buffer is for blocks. */
#define INSTANCES 64

#define DEFINE_SLOTS(type)                                                     \
    static type type##_slots[INSTANCES];                                       \
    static type *type##_slot(void) {                                           \
        for (int i = 0; i < INSTANCES; i++) {                                  \
            if (type##_slots[i].taken) continue;                               \
            type##_slots[i].taken = 1;                                         \
            return &type##_slots[i];                                           \
        }                                                                      \
        return refuse();                                                       \
    }

#endif
