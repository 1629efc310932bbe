/* Names of all variants of all shapes: the correct ones and those with one
 * seeded fault. Each row: identifier, public name, shape, options. */
#ifndef HEAPLAW_VARIANTS_H
#define HEAPLAW_VARIANTS_H

enum shape { BUMP, POOL, STACK, FREELIST, ARENA, LUA, CLAUSES };

enum option {
    O_NONE = 0,
    O_NULL0 = 1, /* a request for no bytes gives NULL */
    O_DOWN = 2,  /* a bump that moves from the buffer's end to its start */
    O_FIFO = 4,  /* a pool that reuses the oldest freed block first */
    O_POISON = 8, /* freed memory is filled with 0xDD */
    O_ASIDE = 16, /* a stack whose headers are kept elsewhere */
    O_JOINS = 32, /* freed neighbours become one */
    O_BEST = 64,  /* the smallest chunk that is large enough is taken, not the first */
    O_DOUBLES = 128, /* each chunk of an arena is twice as long as the one before */
    O_MOVES = 256,   /* a resize never works in place */
    O_LAST = 512,    /* the last chunk that is large enough is taken */
    O_NEXT = 1024    /* the search goes on where the one before ended */
};

#define BUMP_VARIANTS(X)                                                       \
    X(OK_BUMP, "ok-bump", BUMP, O_NONE)                                        \
    X(OK_BUMP_DOWN, "ok-bump-down", BUMP, O_DOWN)                              \
    X(OK_BUMP_NULL_ZERO, "ok-bump-null-zero", BUMP, O_NULL0)                   \
    /* where blocks lie */                                                     \
    X(BUMP_ALIGN_RELATIVE, "bump-align-relative", BUMP, O_NONE)                \
    X(BUMP_LAST_BYTE, "bump-last-byte", BUMP, O_NONE)                          \
    X(BUMP_FIRST_OVER, "bump-first-over", BUMP, O_NONE)                        \
    X(BUMP_STRADDLES, "bump-straddles", BUMP, O_NONE)                          \
    X(BUMP_DOWN_BELOW, "bump-down-below", BUMP, O_DOWN)                        \
    X(BUMP_COUNT_8BIT, "bump-count-8bit", BUMP, O_NONE)                        \
    X(BUMP_FILLS_GAPS, "bump-fills-gaps", BUMP, O_NONE)                        \
    X(BUMP_FOOTER, "bump-footer", BUMP, O_NONE)                                \
    /* what is served, and what is not */                                      \
    X(BUMP_ALIGN_WRAP, "bump-align-wrap", BUMP, O_NONE)                        \
    X(BUMP_SIGNED, "bump-signed", BUMP, O_NONE)                                \
    X(BUMP_LAST_LINE, "bump-last-line", BUMP, O_NONE)                          \
    X(BUMP_REFUSED_ADVANCES, "bump-refused-advances", BUMP, O_NONE)            \
    X(BUMP_ZERO_SHARES, "bump-zero-shares", BUMP, O_NONE)                      \
    X(BUMP_ZEROED_NULL, "bump-zeroed-null", BUMP, O_NONE)                      \
    /* reset, counters, zeroed memory */                                       \
    X(BUMP_RESET_TOTAL, "bump-reset-total", BUMP, O_NONE)                      \
    X(BUMP_RESET_LIMIT, "bump-reset-limit", BUMP, O_NONE)                      \
    X(BUMP_NEW_KEEPS, "bump-new-keeps", BUMP, O_NONE)                          \
    X(BUMP_TOTAL_16BIT, "bump-total-16bit", BUMP, O_NONE)                      \
    X(BUMP_CHECK_8BIT, "bump-check-8bit", BUMP, O_NONE)                        \
    X(BUMP_DIRTY, "bump-dirty", BUMP, O_NONE)                                  \
    /* what calls cost: over many blocks */                                    \
    X(OK_BUMP_LONG, "ok-bump-long", BUMP, O_NONE)                              \
    X(BUMP_REWALKS, "bump-rewalks", BUMP, O_NONE)                              \
    X(BUMP_USED_REWALKS, "bump-used-rewalks", BUMP, O_NONE)

#define POOL_VARIANTS(X)                                                       \
    X(OK_POOL, "ok-pool", POOL, O_NONE)                                        \
    X(OK_POOL_FIFO, "ok-pool-fifo", POOL, O_FIFO)                              \
    X(OK_POOL_POISON, "ok-pool-poison", POOL, O_POISON)                        \
    X(OK_POOL_STATUS, "ok-pool-status", POOL, O_NONE)                          \
    X(OK_POOL_PAIR, "ok-pool-pair", POOL, O_NONE)                              \
    X(OK_POOL_BITS, "ok-pool-bits", POOL, O_NONE)                              \
    /* how many blocks there are, and where */                                 \
    X(POOL_ONE_TOO_MANY, "pool-one-too-many", POOL, O_NONE)                    \
    X(POOL_LAST_FORGOTTEN, "pool-last-forgotten", POOL, O_NONE)                \
    X(POOL_RESET_SHIFTS, "pool-reset-shifts", POOL, O_NONE)                    \
    X(POOL_RESET_KEEPS_LIST, "pool-reset-keeps-list", POOL, O_NONE)            \
    X(POOL_FULL_AGAIN, "pool-full-again", POOL, O_NONE)                        \
    X(POOL_SHARED_LIST, "pool-shared-list", POOL, O_NONE)                      \
    /* the free list */                                                        \
    X(POOL_FIFO_STALE_TAIL, "pool-fifo-stale-tail", POOL, O_FIFO)              \
    X(POOL_RUN_OF_8, "pool-run-of-8", POOL, O_NONE)                            \
    X(POOL_DRAIN_LOSES, "pool-drain-loses", POOL, O_NONE)                      \
    X(POOL_DRAIN_FLIPS, "pool-drain-flips", POOL, O_NONE)                      \
    X(POOL_FULL_ONCE, "pool-full-once", POOL, O_NONE)                          \
    /* counters */                                                             \
    X(POOL_RUN_COUNTS, "pool-run-counts", POOL, O_NONE)                        \
    X(POOL_NEW_KEEPS, "pool-new-keeps", POOL, O_NONE)                          \
    X(POOL_CHECK_DRAINED, "pool-check-drained", POOL, O_NONE)                  \
    /* what blocks hold */                                                     \
    X(POOL_TAG_BELOW, "pool-tag-below", POOL, O_NONE)                          \
    X(POOL_POISON_WIDE, "pool-poison-wide", POOL, O_POISON)                    \
    X(POOL_ZERO_LATE, "pool-zero-late", POOL, O_NONE)                          \
    /* success and failure by a status */                                      \
    X(POOL_STATUS_NULL, "pool-status-null", POOL, O_NONE)                      \
    X(POOL_STATUS_FILL, "pool-status-fill", POOL, O_NONE)                      \
    /* what calls cost: over many blocks */                                    \
    X(OK_POOL_MANY, "ok-pool-many", POOL, O_NONE)                              \
    X(POOL_FREE_WALKS, "pool-free-walks", POOL, O_NONE)                        \
    X(POOL_ALLOC_COUNTS, "pool-alloc-counts", POOL, O_NONE)                    \
    X(POOL_KEEPS_ORDER, "pool-keeps-order", POOL, O_NONE)                      \
    X(POOL_ABOVE_4096, "pool-above-4096", POOL, O_NONE)

#define STACK_VARIANTS(X)                                                      \
    X(OK_STACK, "ok-stack", STACK, O_NONE)                                     \
    X(OK_STACK_ASIDE, "ok-stack-aside", STACK, O_ASIDE)                        \
    /* popping */                                                              \
    X(STACK_POP_PADDING, "stack-pop-padding", STACK, O_NONE)                   \
    X(STACK_POP_TWICE, "stack-pop-twice", STACK, O_NONE)                       \
    X(STACK_POP_EMPTY, "stack-pop-empty", STACK, O_NONE)                       \
    X(STACK_POP_ZERO, "stack-pop-zero", STACK, O_NONE)                         \
    X(STACK_DEPTH_64, "stack-depth-64", STACK, O_NONE)                         \
    X(STACK_ASIDE_RING, "stack-aside-ring", STACK, O_ASIDE)                    \
    X(STACK_POP_REFUSED, "stack-pop-refused", STACK, O_NONE)                   \
    X(STACK_RESET_NEWEST, "stack-reset-newest", STACK, O_NONE)                 \
    /* where blocks lie */                                                     \
    X(STACK_HEADER_IN_TAIL, "stack-header-in-tail", STACK, O_NONE)             \
    X(STACK_FILL_OVER, "stack-fill-over", STACK, O_NONE)                       \
    X(STACK_ASIDE_UNALIGNED, "stack-aside-unaligned", STACK, O_ASIDE)          \
    X(STACK_SIZE_WRAP, "stack-size-wrap", STACK, O_NONE)                       \
    X(STACK_FIRST_WHOLE, "stack-first-whole", STACK, O_NONE)                   \
    /* counters, zeroed memory */                                              \
    X(STACK_TOTAL_PADDING, "stack-total-padding", STACK, O_NONE)               \
    X(STACK_CHECK_ZERO, "stack-check-zero", STACK, O_NONE)                     \
    X(STACK_ZERO_ONCE, "stack-zero-once", STACK, O_NONE)                       \
    X(STACK_DROP_LIVE, "stack-drop-live", STACK, O_NONE)                       \
    /* what calls cost: over many blocks */                                    \
    X(OK_STACK_DEEP, "ok-stack-deep", STACK, O_NONE)                           \
    X(STACK_POP_SEARCHES, "stack-pop-searches", STACK, O_NONE)                 \
    X(STACK_PUSH_ADDS, "stack-push-adds", STACK, O_NONE)

#define FREELIST_VARIANTS(X)                                                   \
    X(OK_FREELIST, "ok-freelist", FREELIST, O_NONE)                            \
    X(OK_FREELIST_JOINS, "ok-freelist-joins", FREELIST, O_JOINS)               \
    X(OK_FREELIST_BEST, "ok-freelist-best", FREELIST, O_JOINS | O_BEST)        \
    X(OK_FREELIST_POISON, "ok-freelist-poison", FREELIST, O_POISON)            \
    X(OK_FREELIST_SIZED, "ok-freelist-sized", FREELIST, O_JOINS)               \
    X(OK_FREELIST_NULL_ZERO, "ok-freelist-null-zero", FREELIST, O_NULL0)       \
    X(OK_FREELIST_LAST, "ok-freelist-last", FREELIST, O_JOINS | O_LAST)        \
    X(OK_FREELIST_NEXT, "ok-freelist-next", FREELIST, O_JOINS | O_NEXT)        \
    /* blocks that share bytes */                                              \
    X(FREELIST_REST_48, "freelist-rest-48", FREELIST, O_NONE)                  \
    X(FREELIST_JOINS_LIVE, "freelist-joins-live", FREELIST, O_JOINS)           \
    X(FREELIST_GROW_EATS, "freelist-grow-eats", FREELIST, O_JOINS)             \
    X(FREELIST_TAIL_STAYS, "freelist-tail-stays", FREELIST, O_NONE)            \
    X(FREELIST_FOURTH_EQUAL, "freelist-fourth-equal", FREELIST, O_NONE)        \
    X(FREELIST_BEST_SHORT, "freelist-best-short", FREELIST, O_JOINS | O_BEST)  \
    X(FREELIST_GROW_HEAD, "freelist-grow-head", FREELIST, O_JOINS)             \
    X(FREELIST_NEXT_STALE, "freelist-next-stale", FREELIST, O_JOINS | O_NEXT)  \
    X(FREELIST_HEADER_WRAP, "freelist-header-wrap", FREELIST, O_NONE)          \
    X(FREELIST_COUNT_WRAP, "freelist-count-wrap", FREELIST, O_NONE)            \
    /* what blocks hold, and where they are */                                 \
    X(FREELIST_POISON_WIDE, "freelist-poison-wide", FREELIST, O_POISON)        \
    X(FREELIST_ALIGN_OFFSET, "freelist-align-offset", FREELIST, O_NONE)        \
    X(FREELIST_FAIL_FREES, "freelist-fail-frees", FREELIST, O_POISON)          \
    X(FREELIST_MOVE_ROUNDS, "freelist-move-rounds", FREELIST, O_NONE)          \
    X(FREELIST_ZERO_WORDS, "freelist-zero-words", FREELIST, O_NONE)            \
    /* what comes back */                                                      \
    X(FREELIST_FRONT_LOST, "freelist-front-lost", FREELIST, O_JOINS)           \
    X(FREELIST_FIRST_ALONE, "freelist-first-alone", FREELIST, O_JOINS)         \
    X(FREELIST_SHRUNK_FIRST, "freelist-shrunk-first", FREELIST, O_JOINS)       \
    X(FREELIST_SKIPS_LAST, "freelist-skips-last", FREELIST, O_JOINS)           \
    X(FREELIST_TRUSTS_SIZE, "freelist-trusts-size", FREELIST, O_JOINS)         \
    X(FREELIST_REFUSAL_DROPS, "freelist-refusal-drops", FREELIST, O_NONE)      \
    /* what is told */                                                         \
    X(FREELIST_TOTAL_RESIZE, "freelist-total-resize", FREELIST, O_NONE)        \
    X(FREELIST_GROWN_TOTAL, "freelist-grown-total", FREELIST, O_JOINS)         \
    X(FREELIST_RESET_TOTAL, "freelist-reset-total", FREELIST, O_NONE)          \
    X(FREELIST_ZERO_ALIGNED, "freelist-zero-aligned", FREELIST, O_NONE)        \
    X(FREELIST_ERRNO_LOST, "freelist-errno-lost", FREELIST, O_NONE)

#define ARENA_VARIANTS(X)                                                      \
    X(OK_ARENA, "ok-arena", ARENA, O_NONE)                                     \
    X(OK_ARENA_DOUBLES, "ok-arena-doubles", ARENA, O_DOUBLES)                  \
    X(OK_ARENA_NULL_ZERO, "ok-arena-null-zero", ARENA, O_NULL0)                \
    /* marks, releases, resets */                                              \
    X(ARENA_RELEASE_ONE, "arena-release-one", ARENA, O_NONE)                   \
    X(ARENA_INNER_ONLY, "arena-inner-only", ARENA, O_NONE)                     \
    X(ARENA_MARK_EDGE, "arena-mark-edge", ARENA, O_NONE)                       \
    X(ARENA_MARK_CELLS, "arena-mark-cells", ARENA, O_NONE)                     \
    X(ARENA_RESET_LIMIT, "arena-reset-limit", ARENA, O_DOUBLES)                \
    /* chunks for one large block */                                           \
    X(ARENA_BIG_EARLY, "arena-big-early", ARENA, O_NONE)                       \
    X(ARENA_BIG_UNALIGNED, "arena-big-unaligned", ARENA, O_NONE)               \
    X(ARENA_BIG_COUNTED, "arena-big-counted", ARENA, O_NONE)                   \
    X(ARENA_BIG_CHECK, "arena-big-check", ARENA, O_NONE)                       \
    X(ARENA_CHUNK_EDGE, "arena-chunk-edge", ARENA, O_NONE)                     \
    X(ARENA_SIZE_WRAP, "arena-size-wrap", ARENA, O_NONE)                       \
    /* small blocks */                                                         \
    X(ARENA_ALIGN_OVER, "arena-align-over", ARENA, O_NONE)                     \
    X(ARENA_ZERO_SHARES, "arena-zero-shares", ARENA, O_NONE)                   \
    X(ARENA_ZERO_RECYCLED, "arena-zero-recycled", ARENA, O_NONE)               \
    /* what calls cost: over many blocks */                                    \
    X(OK_ARENA_LONG, "ok-arena-long", ARENA, O_NONE)                           \
    X(OK_ARENA_DOUBLES_LONG, "ok-arena-doubles-long", ARENA, O_DOUBLES)        \
    X(ARENA_ALL_CHUNKS, "arena-all-chunks", ARENA, O_NONE)                     \
    X(ARENA_RELEASE_WALKS, "arena-release-walks", ARENA, O_NONE)

#define LUA_VARIANTS(X)                                                        \
    X(OK_LUA, "ok-lua", LUA, O_NONE)                                           \
    X(OK_LUA_MOVES, "ok-lua-moves", LUA, O_MOVES)                              \
    /* calls that are not resizes */                                           \
    X(LUA_TAG_AS_SIZE, "lua-tag-as-size", LUA, O_NONE)                         \
    X(LUA_FREE_RETURNS, "lua-free-returns", LUA, O_NONE)                       \
    X(LUA_FREE_NULL, "lua-free-null", LUA, O_NONE)                             \
    X(LUA_FREE_EDGE, "lua-free-edge", LUA, O_NONE)                             \
    X(LUA_TRUNCATE_32, "lua-truncate-32", LUA, O_NONE)                         \
    X(LUA_PAGE_SHORT, "lua-page-short", LUA, O_NONE)                           \
    X(LUA_FREE_LARGEST, "lua-free-largest", LUA, O_NONE)                       \
    X(LUA_REST_AS_CLASS, "lua-rest-as-class", LUA, O_NONE)                     \
    /* resizes */                                                              \
    X(LUA_COPY_WORDS, "lua-copy-words", LUA, O_NONE)                           \
    X(LUA_FREE_THEN_COPY, "lua-free-then-copy", LUA, O_NONE)                   \
    X(LUA_KEEPS_CLASS, "lua-keeps-class", LUA, O_NONE)                         \
    X(LUA_MAP_TO_CLASS, "lua-map-to-class", LUA, O_NONE)                       \
    X(LUA_CLASS_TO_MAP, "lua-class-to-map", LUA, O_NONE)                       \
    X(LUA_DOUBLINGS, "lua-doublings", LUA, O_NONE)                             \
    X(LUA_SHRINK_REFUSED, "lua-shrink-refused", LUA, O_NONE)                   \
    X(LUA_SHRINK_MAP, "lua-shrink-map", LUA, O_NONE)                           \
    X(LUA_FAIL_FREES, "lua-fail-frees", LUA, O_NONE)

#define CLAUSE_VARIANTS(X)                                                     \
    X(OK_CLAUSES, "ok-clauses", CLAUSES, O_NONE)                               \
    /* refusals */                                                             \
    X(CLAUSE_CALLOC_ERRNO, "clause-calloc-errno", CLAUSES, O_NONE)             \
    X(CLAUSE_REALLOC_ERRNO, "clause-realloc-errno", CLAUSES, O_NONE)           \
    X(CLAUSE_REFUSAL_STICKS, "clause-refusal-sticks", CLAUSES, O_NONE)         \
    X(CLAUSE_OUT_ON_EINVAL, "clause-out-on-einval", CLAUSES, O_NONE)           \
    X(CLAUSE_OUT_ON_ENOMEM, "clause-out-on-enomem", CLAUSES, O_NONE)           \
    /* alignments */                                                           \
    X(CLAUSE_EINVAL_MULTIPLE, "clause-einval-multiple", CLAUSES, O_NONE)       \
    X(CLAUSE_EINVAL_POWER, "clause-einval-power", CLAUSES, O_NONE)             \
    X(CLAUSE_ALIGNED_ODD, "clause-aligned-odd", CLAUSES, O_NONE)               \
    X(CLAUSE_ALIGNED_LINE, "clause-aligned-line", CLAUSES, O_NONE)             \
    X(CLAUSE_ODD_SIZE_REFUSED, "clause-odd-size-refused", CLAUSES, O_NONE)     \
    X(CLAUSE_SMALL_SKEW, "clause-small-skew", CLAUSES, O_NONE)                 \
    /* nothing */                                                              \
    X(CLAUSE_ZERO_NULL, "clause-zero-null", CLAUSES, O_NONE)                   \
    X(CLAUSE_RESIZE_ZERO_LEAKS, "clause-resize-zero-leaks", CLAUSES, O_NONE)   \
    X(CLAUSE_RESIZE_ZERO_STAYS, "clause-resize-zero-stays", CLAUSES, O_NONE)   \
    X(CLAUSE_RESIZE_ZERO_SILENT, "clause-resize-zero-silent", CLAUSES, O_NONE) \
    /* giving back, usable bytes */                                            \
    X(CLAUSE_FREE_ERRNO, "clause-free-errno", CLAUSES, O_NONE)                 \
    X(CLAUSE_USABLE_HEADER, "clause-usable-header", CLAUSES, O_NONE)           \
    /* pointers that must not be freed */                                      \
    X(CLAUSE_DOUBLE_QUIET, "clause-double-quiet", CLAUSES, O_NONE)             \
    X(CLAUSE_DOUBLE_LARGE, "clause-double-large", CLAUSES, O_NONE)             \
    X(CLAUSE_INTERIOR_TAKEN, "clause-interior-taken", CLAUSES, O_NONE)         \
    X(CLAUSE_FOREIGN_CRASH, "clause-foreign-crash", CLAUSES, O_NONE)

#define VARIANTS(X)                                                            \
    BUMP_VARIANTS(X)                                                           \
    POOL_VARIANTS(X)                                                           \
    STACK_VARIANTS(X)                                                          \
    FREELIST_VARIANTS(X)                                                       \
    ARENA_VARIANTS(X)                                                          \
    LUA_VARIANTS(X)                                                            \
    CLAUSE_VARIANTS(X)

#define AS_ID(id, name, shape, options) V_##id,
enum variant { VARIANTS(AS_ID) V_COUNT };
#undef AS_ID

struct variant_row {
    const char *name;
    enum shape shape;
    int options;
};

#define AS_ROW(id, name, shape, options) {name, shape, options},
static const struct variant_row variant_rows[] = {VARIANTS(AS_ROW)};
#undef AS_ROW

static enum variant the_variant = V_COUNT; /* V_COUNT: none was named */
static int the_options;

/* True when the seeded fault `id` was chosen. */
#define F(id) (the_variant == V_##id)
#define OPT(o) ((the_options & (o)) != 0)

#endif
