/* The macros of <obstack.h> as functions. A chunk that cannot be had is a call of obstack_alloc_failed_handler, which
 * must not return: it comes back here instead, and the caller gets NULL. */
#include <obstack.h>
#include <setjmp.h>
#include <stddef.h>

_Static_assert(sizeof(struct obstack) <= 128, "obstack.toml has 128 bytes for it");

static _Thread_local jmp_buf refused;

static void refuse(void) { longjmp(refused, 1); }

int ob_begin(struct obstack *stack, void *(*get)(size_t), void (*give)(void *)) {
  obstack_alloc_failed_handler = refuse;
  if (setjmp(refused)) return 1;
  return !obstack_specify_allocation(stack, 0, 0, get, give);
}

void *ob_alloc(struct obstack *stack, int size) { return setjmp(refused) ? NULL : obstack_alloc(stack, size); }

/* An object of no bytes: releasing it releases all that came after. */
void *ob_mark(struct obstack *stack) { return ob_alloc(stack, 0); }

void ob_release(struct obstack *stack, void *mark) { obstack_free(stack, mark); }

void ob_end(struct obstack *stack) { obstack_free(stack, NULL); }
