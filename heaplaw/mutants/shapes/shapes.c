/* Allocators of all shapes, correct or with one seeded fault, for
 * one thread. The variable HEAPLAW_MUTANT names the variant; it is read when
 * the first instance is made. Without it a shape's first correct variant is
 * there; an unknown name, or one of another shape, ends the process with a
 * message. The mapping files beside this one say how each shape is called. */
#define _GNU_SOURCE
#include "bump.h"
#include "pool.h"
#include "pool_bits.h"
#include "stack.h"
#include "freelist.h"
#include "arena.h"
#include "lua.h"
#include "clauses.h"
