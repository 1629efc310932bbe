/* The macros of <obstack.h> as functions. A chunk that cannot be had is a call of obstack_alloc_failed_handler, which
 * must not return: it comes back here instead, and the caller gets NULL. No chunk above a limit can be had, so that this
 * happens: an obstack takes sizes up to INT_MAX, which a machine may well have. */
#include <obstack.h>
#include <setjmp.h>
#include <stddef.h>

struct stack {
  struct obstack made;
  void *(*get)(size_t);
  void (*give)(void *);
  size_t limit;
};

_Static_assert(sizeof(struct stack) <= 128, "obstack.toml has 128 bytes for it");

static _Thread_local jmp_buf refused;

static void refuse(void) { longjmp(refused, 1); }

static void *get_chunk(void *stack, size_t size) {
  struct stack *of = stack;
  return size <= of->limit ? of->get(size) : NULL;
}

static void give_chunk(void *stack, void *chunk) { ((struct stack *)stack)->give(chunk); }

int ob_begin(struct stack *stack, size_t limit, void *(*get)(size_t), void (*give)(void *)) {
  obstack_alloc_failed_handler = refuse;
  stack->get = get, stack->give = give, stack->limit = limit;
  if (setjmp(refused)) return 1;
  return !obstack_specify_allocation_with_arg(&stack->made, 0, 0, get_chunk, give_chunk, stack);
}

void *ob_alloc(struct stack *stack, int size) {
  if (setjmp(refused)) return NULL;
  return obstack_alloc(&stack->made, size);
}

/* An object of no bytes: releasing it releases all that came after. */
void *ob_mark(struct stack *stack) { return ob_alloc(stack, 0); }

void ob_release(struct stack *stack, void *mark) { obstack_free(&stack->made, mark); }

void ob_end(struct stack *stack) { obstack_free(&stack->made, NULL); }
