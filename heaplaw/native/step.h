/* Exact cost of single calls, in instructions. On x86-64 the processor stops after each instruction (the trap flag, bit 8 of
 * the flags) and a handler counts; under Callgrind it is asked to write down what each call took. Included after plan.h.
 *
 * A row of the trace is counted where its `usable` column holds, before the run, a mark: the cap in instructions (24 bits),
 * how many calls of the group may exceed it (8 bits), the group's number (32 bits). After the run it holds the number of
 * instructions, of the function and all that it calls; cap + 1 where there are more; 0 where the call was not counted, as
 * its group had taken as many as those calls may. An instruction that repeats itself (rep movs) is one. What the kernel does is none. */
#define STEP_CAP(mark) ((mark) & 0xffffff)
#define STEP_LATE(mark) ((mark) >> 24 & 0xff)
#define STEP_GROUP(mark) ((mark) >> 32)
static int stepping; /* calls that are marked are counted */

#if defined(__x86_64__) && defined(__linux__)
#include <ucontext.h>
#define TRAP_FLAG 0x100u

/* ---- valgrind: requests are rotations that change nothing, which it looks for. valgrind.h and callgrind.h have the numbers. */
enum { V_RUNNING = 0x1001, C_DUMP_AT = 0x43540003, C_ZERO = 0x43540001, C_TOGGLE = 0x43540002 };
static u64 valgrind(u64 request, u64 argument) {
  volatile u64 words[6] = {request, argument};
  u64 answer = 0;
  __asm__ volatile("rolq $3, %%rdi\n\trolq $13, %%rdi\n\trolq $61, %%rdi\n\trolq $51, %%rdi\n\txchgq %%rbx, %%rbx"
                   : "+d"(answer) : "a"(words) : "cc", "memory");
  return answer;
}

static inline int under_valgrind(void) { return valgrind(V_RUNNING, 0) != 0; }

static volatile u64 steps, steps_counted, steps_most, step_last;
static u64 step_overhead; /* of a call of a function that is one instruction */

static void on_step(int number, siginfo_t *info, void *context) {
  greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
  u64 at = (u64)registers[REG_RIP];
  (void)number, (void)info;
  steps_counted += at != step_last, step_last = at;
  if (++steps > steps_most) registers[REG_EFL] &= ~(greg_t)TRAP_FLAG;
}

/* One call with the trap flag set: how many instructions came until it was cleared. The same code for every function. */
static __attribute__((noinline)) u64 step_through(struct plan *p, const struct call *c, u64 most, u64 *value) {
  steps = steps_counted = step_last = 0, steps_most = most;
  __builtin_ia32_writeeflags_u64(__builtin_ia32_readeflags_u64() | TRAP_FLAG);
  *value = invoke(p, c);
  __builtin_ia32_writeeflags_u64(__builtin_ia32_readeflags_u64() & ~(u64)TRAP_FLAG);
  return steps_counted;
}

__asm__(".text\n.type hl_step_empty, @function\nhl_step_empty: ret\n.size hl_step_empty, . - hl_step_empty");
extern char hl_step_empty[];

/* Whether calls can be counted here: NULL, or why not. To be asked once, before anything is counted. */
static inline const char *step_begin(struct plan *p) {
  static u8 stack[65536] __attribute__((aligned(16)));
  struct call empty = {.f = hl_step_empty};
  u64 value;
  stepping = 1;
  if (under_valgrind()) return getenv("HEAPLAW_CALLGRIND") ? NULL : "it runs under valgrind, where nothing is stepped";
  stack_t own = {.ss_sp = stack, .ss_size = sizeof stack};
  struct sigaction action = {.sa_sigaction = on_step, .sa_flags = SA_SIGINFO | SA_ONSTACK};
  sigset_t trap;
  sigemptyset(&trap), sigaddset(&trap, SIGTRAP), sigprocmask(SIG_UNBLOCK, &trap, NULL);
  if (sigaltstack(&own, NULL) || sigaction(SIGTRAP, &action, NULL)) return "the handler of single steps is refused";
  step_overhead = step_through(p, &empty, 1000, &value);
  if (!step_overhead || step_through(p, &empty, 1000, &value) != step_overhead) return "the processor does not stop at each instruction here";
  return NULL;
}

/* Under Callgrind: each call, marked or the empty one, has a part of its own in what is written down. */
static u64 step_noted(struct plan *p, const struct call *c, u64 row) {
  char text[32] = "row ", *at = text + 4, digits[20];
  int n = 0;
  do digits[n++] = (char)('0' + row % 10), row /= 10; while (row);
  while (n) *at++ = digits[--n];
  *at = 0;
  valgrind(C_ZERO, 0), valgrind(C_TOGGLE, 0);
  u64 value = invoke(p, c);
  valgrind(C_TOGGLE, 0), valgrind(C_DUMP_AT, (u64)text);
  return value;
}

/* Call, and put the cost in place of the mark. */
static u64 step_call(struct plan *p, const struct call *c, u64 *mark, u64 row) {
  static u64 group, spent;
  static int noting = -1;
  u64 asked = *mark, cap = STEP_CAP(asked), value;
  if (noting < 0) noting = under_valgrind();
  if (noting) {
    struct call empty = {.f = hl_step_empty};
    if (group == 0) step_noted(p, &empty, NONE);
    group = 1;
    return step_noted(p, c, row);
  }
  if (STEP_GROUP(asked) != group) group = STEP_GROUP(asked), spent = 0;
  if (spent > cap * (STEP_LATE(asked) + 1)) { *mark = 0; return invoke(p, c); }
  u64 took = step_through(p, c, cap + step_overhead, &value);
  *mark = steps > steps_most ? cap + 1 : took - step_overhead + 1;
  spent += *mark;
  return value;
}
#else
static inline int under_valgrind(void) { return 0; }
static inline const char *step_begin(struct plan *p) { (void)p; return "instructions are counted on Linux for x86-64 alone"; }
static u64 step_call(struct plan *p, const struct call *c, u64 *mark, u64 row) { (void)mark, (void)row; return invoke(p, c); }
#endif
