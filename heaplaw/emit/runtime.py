"""What every emitted program is made of: pieces of C that are also C++, taken as far as a program needs them."""

import re

STATE = r"""
enum { NOTHING, BLOCK, MARK };
/* What a request is, what came of it then, and what must come of it: where all went as then, or always. */
enum { ZEROED = 1, ALIGNED = 2, WAS_REFUSED = 4, SERVE = 8, REFUSE = 16, ALWAYS = 32, ERRNO = 64, ONLY_ENOMEM = 128 };

/* What a step holds. `of`: the step that made it, another one only where a resize failed and the old block stayed. */
struct thing {
  int of, kind, instance;
  unsigned char *at;
  uintptr_t mark;
  size_t bytes, covers;  /* that its owner may use, and that no other block may share */
  size_t asked, aligned; /* what the block was asked with */
};
static struct thing things[STEPS + 1];
static int now, which, faults; /* the step at work, its instance */
static uintptr_t value, out;   /* what the latest call gave, and what stands where &out points */

static void fault(const char *what, size_t a, size_t b) {
  printf("  FAULT: ");
  printf(what, a, b);
  printf("\n");
  faults++;
}
static void begin(int step, int instance, const char *call) {
  now = step, which = instance, out = 0;
  printf("step %d: %s\n", step, call);
  errno = 0;
}
"""
"""The beginning of every program."""

PIECES = {
    "make_pattern": r"""
/* What owners write into their blocks: the bytes of heaplaw's own driver. Of a block of more than WHOLE bytes they
 * write sixteen pages, the first and the last among them. */
#define WHOLE ((size_t)65536)
#define PART ((size_t)4096)
static unsigned char pattern[PART + WHOLE + PART];
static void make_pattern(void) {
  uint64_t x = UINT64_C(0x9e3779b97f4a7c15);
  size_t k;
  for (k = 0; k < sizeof pattern; k++) {
    x ^= x << 13, x ^= x >> 7, x ^= x << 17;
    pattern[k] = (unsigned char)(x >> 32);
  }
}
static const unsigned char *written(int step, size_t at) {
  return pattern + (((uint32_t)(step - 1) * UINT32_C(2654435769)) >> 20) + (at & 0xffff);
}
static int parts(size_t bytes) { return bytes > WHOLE ? 16 : 1; }
static size_t part_at(size_t bytes, int k) { return bytes > WHOLE ? (bytes - PART) * (size_t)k / 15 : 0; }
static size_t part_size(size_t bytes) { return bytes > WHOLE ? PART : bytes; }
""",
    "intact": r"""
/* The first of `limit` bytes at `block` that is not what the owner of `t` wrote; or `limit`. */
static size_t intact(const struct thing *t, const unsigned char *block, size_t limit) {
  int k;
  size_t j;
  for (k = 0; k < parts(t->bytes); k++) {
    size_t at = part_at(t->bytes, k);
    for (j = 0; j < part_size(t->bytes) && at + j < limit; j++)
      if (block[at + j] != written(t->of, at)[j]) return at + j;
  }
  return limit;
}
""",
    "zero": r"""
/* The first of `bytes` bytes at `block` that is not 0; or `bytes`. */
static size_t zero(const unsigned char *block, size_t bytes) {
  int k;
  size_t j;
  for (k = 0; k < parts(bytes); k++)
    for (j = 0; j < part_size(bytes); j++)
      if (block[part_at(bytes, k) + j]) return part_at(bytes, k) + j;
  return bytes;
}
""",
    "check": r"""
static void check(const struct thing *t) {
  size_t at = intact(t, t->at, t->bytes);
  if (at < t->bytes) fault("the block of step %zu: byte %zu is not what was written", (size_t)t->of, at);
}
""",
    "held": r"""
/* The block that a step holds; things[0] where there is none. */
static struct thing *held(int step) {
  struct thing *t = &things[things[step].of];
  return t->kind == BLOCK ? t : &things[0];
}
""",
    "block": r"""
static uintptr_t block(int step) { return (uintptr_t)held(step)->at; }
""",
    "look": r"""
/* Whether a step holds a block; it must be as its owner wrote it. */
static int look(int step) {
  if (held(step)->kind == BLOCK) check(held(step));
  else printf("  not called: there is no such block\n");
  return held(step)->kind == BLOCK;
}
""",
    "newest": r"""
/* The newest live block of the instance; things[0] where there is none. */
static struct thing *newest(void) {
  int step;
  for (step = now - 1; step > 0; step--)
    if (things[step].kind == BLOCK && things[step].instance == which) return &things[step];
  return &things[0];
}
""",
    "look_since": r"""
/* All live blocks of the instance that were made from a step on must be as their owners wrote them. */
static void look_since(int step) {
  int k;
  for (k = now - 1; k > 0 && k >= step; k--)
    if (things[k].kind == BLOCK && things[k].instance == which) check(&things[k]);
}
""",
    "marked_at": r"""
/* Whether the mark that a step took is there. */
static int marked_at(int step) {
  int there = things[step].kind == MARK && things[step].instance == which;
  if (!there) printf("  not called: there is no such mark\n");
  return there;
}
""",
    "done": r"""
/* A call that gives 0 or an error code: whether it was served. */
static int done(void) {
  int code = (int)value;
  if (code && code != ENOMEM && code != EINVAL) fault("neither 0, nor ENOMEM, nor EINVAL: %zu", (size_t)code, 0);
  return code == 0;
}
""",
    "gave_null": r"""
static int gave_null(void) {
  if (value) fault("gave not NULL but %#zx", (size_t)value, 0);
  return 1;
}
""",
    "refused": r"""
static void refused(int must) {
  printf("  refused: value %d, errno %d\n", (int)value, errno);
  if (must) fault("refused", 0, 0);
}
""",
    "share": r"""
static int share(const struct thing *a, const struct thing *b) {
  const struct thing *first = a->at <= b->at ? a : b, *second = first == a ? b : a;
  return second->covers && (size_t)(second->at - first->at) < first->covers;
}
""",
    "took": r"""
/* The step was given `given`, if `ok`: look at it, then write it full. */
static void took(int ok, uintptr_t given, size_t size, size_t count, size_t align, int flags) {
  static int astray; /* some request ended otherwise than it did then */
  int vast = count && size > (size_t)PTRDIFF_MAX / count, error = errno, k;
  size_t bytes = vast ? 0 : size * count, room = @ROOM@;
  struct thing *t = &things[now];
  if ((ok && given) == !!(flags & WAS_REFUSED)) astray = 1;
  if (astray) flags &= ~(SERVE | REFUSE);
  if (!ok || !given) {
    refused(flags & (SERVE | ALWAYS));
    if (ok && size) fault("success, and no block", 0, 0);
    if (flags & ONLY_ENOMEM && error != ENOMEM) fault("refused, and errno is %zu, not ENOMEM", (size_t)error, 0);
    if (flags & ERRNO && error != ENOMEM && error != EINVAL) fault("refused, and errno is %zu", (size_t)error, 0);
    after();
    return;
  }
  printf("  %#jx\n", (uintmax_t)given);
  if (vast) fault("handed out, though too large: %zu times %zu bytes", count, size);
  if (flags & REFUSE) fault("handed out, and had to be refused", 0, 0);
  size_t past = align ? given % align : 0;
  if (past == 1) fault("not aligned: %zu byte past a multiple of %zu", past, align);
  if (past > 1) fault("not aligned: %zu bytes past a multiple of %zu", past, align);
@PLACE@  t->of = now, t->kind = BLOCK, t->instance = which, t->at = (unsigned char *)given, t->bytes = bytes;
  t->covers = bytes > room ? bytes : room, t->asked = size * count, t->aligned = flags & ALIGNED ? align : @PROMISED@;
  if (flags & ZEROED && zero(t->at, bytes) < bytes) fault("byte %zu is not zero", zero(t->at, bytes), 0);
  for (k = 0; k < parts(bytes); k++)
    memcpy(t->at + part_at(bytes, k), written(now, part_at(bytes, k)), part_size(bytes));
@USABLE@  for (k = 1; k <= STEPS; k++)
    if (k != now && things[k].kind == BLOCK && share(t, &things[k]))
      fault("shares bytes with the block of step %zu", (size_t)k, 0);
  after();
}
""",
    "resized": r"""
/* A resize of the block that step `from` holds (0: of none). */
static void resized(int from, int ok, uintptr_t given, size_t size, size_t align, int flags) {
  struct thing *old = held(from);
  if (old->kind == BLOCK && ok && given) {
    size_t both = old->bytes < size ? old->bytes : size, kept = intact(old, (unsigned char *)given, both);
    if (kept < both) fault("byte %zu was not kept", kept, 0);
    old->kind = NOTHING;
  } else if (old->kind == BLOCK) {
    size_t kept = intact(old, old->at, old->bytes);
    if (kept < old->bytes) fault("the resize failed, and byte %zu of the old block changed", kept, 0);
    things[now].of = old->of;
  }
  took(ok, given, size, 1, align, flags);
}
""",
    "freed": r"""
static void freed(int step, int ok) {
  if (ok) held(step)->kind = NOTHING;
  else refused(1);
  after();
}
""",
    "popped": r"""
static void popped(int ok) {
  struct thing *t = newest();
  if (t->kind == NOTHING) printf("  nothing live\n");
  else if (ok) t->kind = NOTHING;
  else refused(1);
  after();
}
""",
    "ended_since": r"""
/* Blocks and marks of the instance that were made from a step on are there no longer. */
static void ended_since(int step) {
  int k;
  for (k = step; k < now; k++)
    if (things[k].instance == which) things[k].kind = NOTHING;
}
""",
    "swept": r"""
static void swept(int step, int ok) {
  if (ok) ended_since(step);
  else refused(1);
  after();
}
""",
    "marked": r"""
static void marked(int ok, uintptr_t given) {
  struct thing *t = &things[now];
  if (ok) t->of = now, t->kind = MARK, t->instance = which, t->mark = given, printf("  %#jx\n", (uintmax_t)given);
  else refused(0);
  after();
}
""",
    "renewed": r"""
/* The instance was destroyed: make it again over the same memory. */
static int renewed(void) {
  ended_since(0);
@REFILL@  if (make(which)) { after(); return 1; }
  fault("no instance was made", 0, 0);
  return 0;
}
""",
    "errno_kept": r"""
static void errno_kept(int before) {
  if (errno != before) fault("errno was %zu, and is %zu", (size_t)before, (size_t)errno);
}
""",
    "out_kept": r"""
/* A call that was refused left what stands where &out points; or made it NULL, where that is allowed. */
#define SENTINEL ((uintptr_t)UINT64_C(0x5eed5eed5eed5eed))
static void out_kept(int null_allowed) {
  if ((int)value && out != SENTINEL && !(null_allowed && !out)) fault("refused, and wrote %#zx", (size_t)out, 0);
  if (out == SENTINEL) out = 0;
}
""",
    "answered": r"""
/* What came of a call whose answer standards treat apart, and which answers are allowed. The block is left alone. */
enum { GAVE = 1, QUIET = 2, SAID_ENOMEM = 4, SAID_EINVAL = 8, SAID_ELSE = 16, ANY_ANSWER = 31 };
static void answered(int ok, uintptr_t given, int error, int allowed) {
  int none = !ok || !given, code = error == ENOMEM ? SAID_ENOMEM : error == EINVAL ? SAID_EINVAL : SAID_ELSE;
  if (none) printf("  refused: error %d\n", error);
  else printf("  a block: %#jx\n", (uintmax_t)given);
  if (!(allowed & (!none ? GAVE : !error ? QUIET : code))) fault("no such answer is allowed", 0, 0);
  after();
}
""",
    "fill_usable": r"""
/* The owner writes the block that a step holds up to its usable size, and reads that back. */
static void fill_usable(int step, size_t usable) {
  volatile unsigned char *at = held(step)->at;
  size_t k, from = held(step)->bytes;
  printf("  usable %zu\n", usable);
  for (k = from; k < usable; k++) at[k] = (unsigned char)~k;
  for (k = from; k < usable; k++)
    if (at[k] != (unsigned char)~k) { fault("usable byte %zu cannot be written", k, 0); break; }
}
""",
    "freed_at": r"""
/* The block that a step held; things[0], which is nowhere, while it still does. */
static struct thing *freed_at(int step) {
  struct thing *t = &things[things[step].of];
  return t->kind == NOTHING ? t : &things[0];
}
""",
    "foreign": r"""
/* Memory that the allocator never had. */
static uintptr_t foreign(void) {
  static unsigned char elsewhere[4096] __attribute__((aligned(4096)));
  return (uintptr_t)elsewhere + 64;
}
""",
    "let_it_end": r"""
/* The process may end itself now: that is no fault. */
static void ended_itself(int number) {
  printf("  it ended itself: signal %d\n", number);
  fflush(stdout);
  _Exit(faults != 0);
}
static void let_it_end(void) {
  signal(SIGABRT, ended_itself), signal(SIGILL, ended_itself), signal(SIGTRAP, ended_itself);
}
""",
    "misused": r"""
/* A misuse that returned, and what was promised of it. */
enum { ABORT = 1, IGNORE = 2, ERROR = 3 };
static void misused(int ok, int promised) {
  printf(ok ? "  returned\n" : "  refused\n");
  if (promised == ABORT) fault("the process lives", 0, 0);
  if (promised == IGNORE && !ok) fault("refused", 0, 0);
  if (promised == ERROR && ok) fault("not refused", 0, 0);
  after();
}
""",
    "told": r"""
static int told(void) {
  if (faults) printf("faults seen: %d\n", faults);
@END@  return faults != 0;
}
""",
}
"""Functions of the program, in order: each needs only those before it, and `after` and `make`, which are generated."""

BUFFER = """
#define BESIDE 4096
#define AREA ((BUFFER + 4 * ALIGN + 128 + 4095) & ~4095)
static unsigned char room[INSTANCES][BESIDE + AREA + BESIDE] __attribute__((aligned(4096))), *buffer[INSTANCES];
"""
BESIDE = r"""
/* A buffer between bytes that nobody may write, as far from a page's edge as in heaplaw's own driver; its address is a
 * multiple of ALIGN, and not of twice that. */
static void place(int k) {
  uintptr_t end = (uintptr_t)room[k] + BESIDE + AREA - 64, at = (end - BUFFER) & ~(uintptr_t)(2 * ALIGN - 1);
  buffer[k] = (unsigned char *)(at + ALIGN + BUFFER <= end ? at + ALIGN : at - ALIGN);
  memset(buffer[k] - BESIDE, 0xc3, BESIDE), memset(buffer[k] + BUFFER, 0xc3, BESIDE);
}
static void look_beside(void) {
  const unsigned char *before = buffer[which] - 1, *behind = buffer[which] + BUFFER;
  size_t k = 0;
  while (k < BESIDE && before[-(ptrdiff_t)k] == 0xc3 && behind[k] == 0xc3) k++;
  if (k == BESIDE) return;
  fault("%zu bytes from the buffer's edge, outside, a byte changed", k, 0);
  memset(buffer[which] - BESIDE, 0xc3, BESIDE), memset(buffer[which] + BUFFER, 0xc3, BESIDE);
}

"""
"""What a program with a buffer has beside `STATE`."""
PLACE = r"""  if (given < base[which] || @NEEDED@ > @CAPACITY@ || given - base[which] > @CAPACITY@ - @NEEDED@) {
    fault("not inside the %zu bytes from %#zx", (size_t)@CAPACITY@, (size_t)base[which]);
    bytes = 0; /* it is not written */
  }
"""
GRID = r"""  if ((given - base[which]) % @SIZE@)
    fault("%zu bytes off the grid", (size_t)((given - base[which]) % @SIZE@), 0);
"""
NO_FAULT = """  else printf("no fault seen\\n");
"""
NO_VERDICT = r"""  else {
    printf("not judged: @LAW@ compares several steps; no single step shows a fault\n");
    printf("compare what is printed above with `observed` and `required` at the top of the source\n");
    return 3;
  }
"""
"""How a program ends that cannot judge its law."""
USABLE = r"""  value = @CALL@;
  printf("  usable %zu\n", (size_t)value);
  if (value < bytes) fault("only %zu bytes are usable", (size_t)value, 0);
  t->covers = value > t->covers ? value : t->covers;
"""
REFILL = """  look_beside();
  memset(buffer[which], 0xa5, BUFFER);
"""
OWN = frozenset(
    """
    NOTHING BLOCK MARK ZEROED ALIGNED WAS_REFUSED SERVE REFUSE ALWAYS ERRNO ONLY_ENOMEM SENTINEL ended_itself elsewhere
    GAVE QUIET SAID_ENOMEM SAID_EINVAL SAID_ELSE ANY_ANSWER ABORT IGNORE ERROR WHOLE PART STEPS INSTANCES
    BUFFER ALIGN BESIDE AREA STORAGE thing things now which faults astray value out fault begin pattern written parts
    part_at part_size after make place look_beside room buffer storage base handle line main k
    """.split()  # noqa: SIM905 - a list of quoted names would be four times as long
).union(PIECES)
"""Names that an emitted program has for itself."""
FOREIGN = frozenset(
    """
    printf setvbuf memset memcpy stdout errno signal fflush _Exit
    auto break case char const continue default do double else enum extern float for goto if inline int long register
    restrict return short signed sizeof static struct switch typedef union unsigned void volatile while
    and asm bool catch class delete explicit export false friend mutable namespace new not operator or private protected
    public template this throw true try typeid typename using virtual xor
    """.split()  # noqa: SIM905 - likewise
)
"""Names that C, C++ or the headers have."""


def needed(text: str) -> list[str]:
    """The names of the pieces that the C code `text` needs, in their order."""
    found: set[str] = set()
    waiting = [re.sub(r'"(\\.|[^"\\])*"', "", text)]
    while waiting:
        words = set(re.findall(r"(\w+)\(", waiting.pop()))
        fresh = [name for name in PIECES if name in words and name not in found]
        found.update(fresh)
        waiting += [PIECES[name] for name in fresh]
    return [name for name in PIECES if name in found]
