/* Names of all variants: the correct ones and those with one seeded fault.
 * Each row: identifier, public name, base design, options of the design. */
#ifndef HEAPLAW_FAULTS_H
#define HEAPLAW_FAULTS_H

enum design { FIT, CLS, DWN };

enum option {
    O_NONE = 0,
    O_FIFO = 1,   /* freed blocks are reused oldest first */
    O_POISON = 2, /* freed memory is filled with 0xDD */
    O_NULL0 = 4,  /* a request for no bytes gives NULL */
    O_MOVES = 8,  /* realloc never works in place */
    O_EXACT = 16, /* usable size is the requested size */
    O_BEST = 32,  /* the smallest free chunk that is large enough is taken */
    O_GUARD = 64, /* 16 known bytes behind each block are looked at when it is freed */
    O_DELAY = 128 /* freed blocks wait until 64 more were freed, or memory is short */
};

#define VARIANTS(X)                                                            \
    X(OK_FIRSTFIT, "ok-firstfit", FIT, O_NONE)                                 \
    X(OK_CLASSES, "ok-classes", CLS, O_NONE)                                   \
    X(OK_CLASSES_FIFO, "ok-classes-fifo", CLS, O_FIFO)                         \
    X(OK_POISON, "ok-poison", CLS, O_POISON)                                   \
    X(OK_NULL_ZERO, "ok-null-zero", CLS, O_NULL0)                              \
    X(OK_REALLOC_MOVES, "ok-realloc-moves", CLS, O_MOVES)                      \
    X(OK_DOWNWARD, "ok-downward", DWN, O_NONE)                                 \
    X(OK_USABLE_EXACT, "ok-usable-exact", FIT, O_EXACT)                        \
    X(OK_BESTFIT, "ok-bestfit", FIT, O_BEST)                                   \
    X(OK_GUARDS, "ok-guards", FIT, O_EXACT | O_GUARD)                          \
    X(OK_QUARANTINE, "ok-quarantine", CLS, O_DELAY)                            \
    /* alignment */                                                            \
    X(CLASS_1008_SKEW, "class-1008-skew", CLS, O_NONE)                         \
    X(ALIGN_PAGE_LARGE, "align-page-large", CLS, O_NONE)                       \
    X(ALIGN_64K_AS_PAGE, "align-64k-as-page", CLS, O_NONE)                     \
    X(ALIGN_RECYCLED, "align-recycled", FIT, O_NONE)                           \
    X(ALIGN_STALE_CACHE, "align-stale-cache", CLS, O_NONE)                     \
    X(ALIGN_GAP_16, "align-gap-16", FIT, O_NONE)                               \
    X(TOP_UNALIGNED, "top-unaligned", FIT, O_NONE)                             \
    /* room for the request */                                                 \
    X(BIG_PAGE_SHORT, "big-page-short", CLS, O_NONE)                           \
    X(TRUNCATE_32, "truncate-32", FIT, O_NONE)                                 \
    X(BIG_SHRINK_STALE, "big-shrink-stale", CLS, O_NONE)                       \
    /* overlapping blocks */                                                   \
    X(SIZE_33, "size-33", CLS, O_NONE)                                         \
    X(LIFO_TRIPLE, "lifo-triple", CLS, O_NONE)                                 \
    X(SLAB_TAIL_OVER, "slab-tail-over", CLS, O_NONE)                           \
    X(FREE_64_SKEW, "free-64-skew", CLS, O_NONE)                               \
    X(GROW_EATS_SMALL, "grow-eats-small", FIT, O_NONE)                         \
    X(SLAB_RELEASE_EARLY, "slab-release-early", CLS, O_NONE)                   \
    X(LIVE_COUNT_8BIT, "live-count-8bit", CLS, O_NONE)                         \
    X(CARVE_16BIT, "carve-16bit", CLS, O_FIFO)                                 \
    X(ZERO_NOT_TAKEN, "zero-not-taken", CLS, O_NONE)                           \
    X(CALLOC_16BIT, "calloc-16bit", CLS, O_NONE)                               \
    X(COALESCE_LIVE, "coalesce-live", FIT, O_NONE)                             \
    X(COALESCE_WRAPS, "coalesce-wraps", FIT, O_NONE)                           \
    X(SPLIT_MIN_BIN, "split-min-bin", FIT, O_NONE)                             \
    X(REALLOC_CLASS_EDGE, "realloc-class-edge", CLS, O_NONE)                   \
    X(REALLOC_SAME_FREES, "realloc-same-frees", CLS, O_NONE)                   \
    X(LIST_POWER_OF_TWO, "list-power-of-two", CLS, O_NONE)                     \
    X(ALIGNED_FREE_AS_START, "aligned-free-as-start", CLS, O_NONE)             \
    X(DOWN_BACK_12BIT, "down-back-12bit", DWN, O_NONE)                         \
    X(DOWN_ALIGNED_UNCOUNTED, "down-aligned-uncounted", DWN, O_NONE)           \
    /* foreign payload changed */                                              \
    X(POISON_PLUS_8, "poison-plus-8", CLS, O_POISON)                           \
    X(FREE_TAG_IN_TAIL, "free-tag-in-tail", FIT, O_NONE)                       \
    X(FIFO_STALE_TAIL, "fifo-stale-tail", CLS, O_FIFO)                         \
    X(BIG_UNMAP_EXTRA, "big-unmap-extra", CLS, O_NONE)                         \
    X(SPLIT_TAIL_LONG, "split-tail-long", FIT, O_NONE)                         \
    X(COALESCE_TAG_FAR, "coalesce-tag-far", FIT, O_NONE)                       \
    /* realloc */                                                              \
    X(REALLOC_WORDS, "realloc-words", CLS, O_MOVES)                            \
    X(REALLOC_PAGE_ONLY, "realloc-page-only", CLS, O_NONE)                     \
    X(REALLOC_BIG_TO_SMALL, "realloc-big-to-small", CLS, O_NONE)               \
    X(REALLOC_FROM_BASE, "realloc-from-base", CLS, O_NONE)                     \
    X(REALLOC_CHAIN_6, "realloc-chain-6", CLS, O_MOVES)                        \
    X(SHRINK_TAIL_EARLY, "shrink-tail-early", FIT, O_NONE)                     \
    X(POISON_SHRUNK, "poison-shrunk", CLS, O_POISON)                           \
    X(REALLOC_FAIL_FREES, "realloc-fail-frees", CLS, O_NONE)                   \
    X(REALLOC_FAIL_WRITES, "realloc-fail-writes", DWN, O_NONE)                 \
    X(REALLOC_FAIL_SHRINKS, "realloc-fail-shrinks", FIT, O_NONE)               \
    /* zeroed memory */                                                        \
    X(CALLOC_512_DIRTY, "calloc-512-dirty", CLS, O_NONE)                       \
    X(CALLOC_COUNT_ONLY, "calloc-count-only", FIT, O_NONE)                     \
    X(CALLOC_TRUSTS_SLAB, "calloc-trusts-slab", CLS, O_NONE)                   \
    X(CALLOC_TRUSTS_MAP, "calloc-trusts-map", CLS, O_NONE)                     \
    X(CALLOC_TRUSTS_TOP, "calloc-trusts-top", FIT, O_NONE)                     \
    X(CALLOC_TRUSTS_RESIZED, "calloc-trusts-resized", CLS, O_NONE)             \
    X(CALLOC_TRUSTS_GROWN, "calloc-trusts-grown", FIT, O_NONE)                 \
    X(CALLOC_WORDS, "calloc-words", FIT, O_NONE)                               \
    /* the process ends or hangs */                                            \
    X(ABORT_PTRDIFF, "abort-ptrdiff", CLS, O_NONE)                             \
    X(EXIT_AFTER_5, "exit-after-5", CLS, O_NONE)                               \
    X(COALESCE_LOOP, "coalesce-loop", FIT, O_NONE)                             \
    X(CRASH_AT_1000, "crash-at-1000", CLS, O_NONE)                             \
    X(STACK_SMASH, "stack-smash", CLS, O_NONE)                                 \
    X(NULL_FREED_LATER, "null-freed-later", CLS, O_NONE)                       \
    /* sizes that cannot be served */                                          \
    X(HEADER_WRAP, "header-wrap", FIT, O_NONE)                                 \
    X(CALLOC_WRAP, "calloc-wrap", CLS, O_NONE)                                 \
    X(CALLOC_WRAP_2_33, "calloc-wrap-2-33", FIT, O_NONE)                       \
    X(ALIGN_WRAP, "align-wrap", CLS, O_NONE)                                   \
    X(REALLOC_WRAP, "realloc-wrap", FIT, O_NONE)                               \
    X(SIGNED_COMPARE, "signed-compare", DWN, O_NONE)                           \
    /* consequences of a failure */                                            \
    X(FAIL_REFUSES_NEXT, "fail-refuses-next", CLS, O_NONE)                     \
    X(FAIL_STICKY, "fail-sticky", FIT, O_NONE)                                 \
    X(FAIL_SCRIBBLES, "fail-scribbles", FIT, O_NONE)                           \
    /* usable size */                                                          \
    X(USABLE_PLUS_8, "usable-plus-8", CLS, O_NONE)                             \
    X(USABLE_24_SHORT, "usable-24-short", FIT, O_EXACT)                        \
    X(USABLE_STALE, "usable-stale", FIT, O_EXACT)                              \
    X(USABLE_SHRUNK, "usable-shrunk", FIT, O_EXACT)                            \
    X(USABLE_GROWN, "usable-grown", FIT, O_NONE)                               \
    /* reuse */                                                                \
    X(NO_REUSE_2048, "no-reuse-2048", CLS, O_NONE)                             \
    X(FIFO_TAIL_LOST, "fifo-tail-lost", CLS, O_FIFO)                           \
    X(COALESCE_FORGETS, "coalesce-forgets", FIT, O_NONE)                       \
    X(LEAK_EIGHTH, "leak-eighth", DWN, O_NONE)                                 \
    X(REALLOC_LEAKS_OLD, "realloc-leaks-old", CLS, O_NONE)                     \
    X(ALIGNED_FRONT_LOST, "aligned-front-lost", FIT, O_NONE)                   \
    X(FAIL_DROPS_LISTS, "fail-drops-lists", DWN, O_NONE)                       \
    /* the very first operation */                                             \
    X(FIRST_FREE, "first-free", CLS, O_NONE)                                   \
    X(FIRST_CALLOC, "first-calloc", FIT, O_NONE)                               \
    X(FIRST_REALLOC, "first-realloc", CLS, O_NONE)                             \
    X(FIRST_ALIGNED, "first-aligned", FIT, O_NONE)

#define AS_ID(id, name, design, options) V_##id,
enum variant { VARIANTS(AS_ID) V_COUNT };
#undef AS_ID

struct variant_row {
    const char *name;
    enum design design;
    int options;
};

#define AS_ROW(id, name, design, options) {name, design, options},
static const struct variant_row variant_rows[] = {VARIANTS(AS_ROW)};
#undef AS_ROW

static enum variant the_variant;
static int the_options;

/* True when the seeded fault `id` was chosen. */
#define F(id) (the_variant == V_##id)
#define OPT(o) ((the_options & (o)) != 0)

#endif
