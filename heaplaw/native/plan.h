/* Call plans: how each operation of a subject is called, as heaplaw/plan.py writes them down. A call is a function and at
 * most six words; every argument is the index of a word, and the words of the current operation are set before it is made.
 * A function that takes fewer arguments, or narrower ones, ignores the rest: so it is on x86-64 and aarch64. */
enum { W_ZERO, W_INSTANCE, W_INSTANCE_AT, W_SIZE, W_ALIGN, W_COUNT, W_PTR, W_OSIZE, W_OALIGN, W_MARK, W_OUT, W_BUFFER, W_CAPACITY,
       W_TAG, W_HOOK_MALLOC, W_HOOK_FREE, W_HOOK_REALLOC, W_NUMBERS, W_ALL = W_NUMBERS + 64 };
static const char word_letters[] = "_iIsanpogmObcthfr"; /* in the order of the words */

#define ARGUMENTS 6
#define CALLS_MOST 8
#define BESIDE 64
struct call { void *f; u8 returns, out; u8 word[ARGUMENTS]; };
struct instance { u64 handle, buffer, storage, base, remaining, total; };
struct plan {
  u64 instances, buffer_size, buffer_align, storage_size, capacity, align;
  u64 word[W_ALL], numbers; /* numbers: literal arguments in use */
  u64 out, handle_out;      /* what &out and &instance point at */
  struct call of[KINDS], usable, counter[4], invariant, base, destroy, init[CALLS_MOST], create[CALLS_MOST];
  int counts, looks_back, inits, creates; /* looks_back: some argument is what a block was asked with, or a mark */
  struct instance instance[INSTANCES];
};

typedef u64 (*words_f)(u64, u64, u64, u64, u64, u64);
static inline u64 invoke(struct plan *p, const struct call *c) {
  const u64 *w = p->word;
  return ((words_f)c->f)(w[c->word[0]], w[c->word[1]], w[c->word[2]], w[c->word[3]], w[c->word[4]], w[c->word[5]]);
}
static inline int takes(const struct call *c, u8 word) {
  for (int k = 0; k < ARGUMENTS; k++)
    if (c->word[k] == word) return 1;
  return 0;
}
static inline u64 number_of(const struct call *c, u64 value) { return c->returns == 'i' ? (u64)(int64_t)(int)value : value; }
static inline int is_well(const struct call *c, u64 value) {
  return c->returns == 'b' ? (u8)value != 0 : c->returns == 'S' ? value == 0 : (int)value == 0;
}

/* The canary beside a buffer: `size` bytes of one value. */
#define CANARY 0xc3
static int beside_is_well(struct plan *p, u8 which, u64 *at) {
  u8 *before = (u8 *)p->instance[which].buffer - BESIDE, *after = (u8 *)p->instance[which].buffer + p->buffer_size;
  u64 diff = 0;
  for (u64 k = 0; k < BESIDE; k += 8) {
    u64 a, b;
    memcpy(&a, before + k, 8), memcpy(&b, after + k, 8);
    diff |= (a ^ UINT64_C(0xc3c3c3c3c3c3c3c3)) | (b ^ UINT64_C(0xc3c3c3c3c3c3c3c3));
  }
  if (!diff) return 1;
  u64 low = 0, high = 0;
  while (low < BESIDE && before[BESIDE - 1 - low] == CANARY) low++;
  while (high < BESIDE && after[high] == CANARY) high++;
  *at = low < high ? low : high;
  memset(before, CANARY, BESIDE), memset(after, CANARY, BESIDE);
  return 0;
}
static int buffer_is_mapped(struct plan *p, u8 which) {
  u64 first = p->instance[which].buffer & ~(u64)4095, end = p->instance[which].buffer + p->buffer_size;
  for (u64 page = first; page < end; page += GRANULE)
    if (!mapped(page, end - page < GRANULE ? end - page : GRANULE)) return 0;
  return 1;
}

/* Make instance `which` the one that calls are about. */
static inline void choose(struct plan *p, u64 which) {
  p->word[W_INSTANCE] = p->instance[which].handle, p->word[W_BUFFER] = p->instance[which].buffer;
}
static int refuses(const struct call *c, u64 value) {
  return c->returns == 'p' ? !value : c->returns == 'b' ? !(u8)value : c->returns == 'v' ? 0 : (int)value != 0;
}
static int make_instance(struct plan *p, u64 which) {
  struct instance *x = &p->instance[which];
  choose(p, which);
  if (x->storage) memset((void *)x->storage, 0, p->storage_size);
  if (p->storage_size) x->handle = p->word[W_INSTANCE] = x->storage;
  for (int k = 0, made = p->storage_size != 0; k < p->creates; k++) {
    const struct call *c = &p->create[k];
    p->handle_out = 0;
    u64 value = invoke(p, c);
    if (refuses(c, value)) return 0;
    if (made || (c->returns != 'p' && !c->out)) continue;
    x->handle = p->word[W_INSTANCE] = c->out ? p->handle_out : value;
    if (!x->handle) return 0;
    made = 1;
  }
  x->base = p->base.f ? invoke(p, &p->base) : x->buffer;
  x->remaining = p->counter[2].f ? number_of(&p->counter[2], invoke(p, &p->counter[2])) : 0;
  x->total = p->counter[3].f ? number_of(&p->counter[3], invoke(p, &p->counter[3])) : 0;
  return 1;
}

/* A buffer with canaries beside it and pages beyond them that nobody may touch. Its address is a multiple of `align`, not of
 * twice that: an allocator that takes a buffer for better aligned than it is shows it. */
static u64 new_buffer(u64 size, u64 align) {
  u64 room = size + 4 * align + 2 * BESIDE;
  char *inside = guarded(room, -1);
  if (!inside) return 0;
  u64 end = ((u64)inside + ((room + 4095) & ~(u64)4095)) - BESIDE;
  u64 at = (end - size) & ~(2 * align - 1);
  at = at + align + size <= end ? at + align : at - align;
  memset((void *)(at - BESIDE), CANARY, BESIDE), memset((void *)(at + size), CANARY, BESIDE);
  return at;
}

static u64 take_number(const char **text) {
  u64 value = 0;
  while (**text == ' ') ++*text;
  while (**text >= '0' && **text <= '9') value = value * 10 + (u64)(*(*text)++ - '0');
  return value;
}
/* The numbers of a plan: instances, buffer size and alignment, storage, capacity, promised alignment. NULL without memory. */
EXPORT struct plan *hl_plan_new(const char *numbers) {
  struct plan *p = guarded(sizeof *p, -1);
  if (!p) return NULL;
  p->instances = take_number(&numbers), p->buffer_size = take_number(&numbers), p->buffer_align = take_number(&numbers);
  p->storage_size = take_number(&numbers), p->capacity = take_number(&numbers), p->align = take_number(&numbers);
  if (p->instances < 1 || p->instances > INSTANCES) return NULL;
  p->word[W_INSTANCE_AT] = (u64)&p->handle_out, p->word[W_OUT] = (u64)&p->out, p->word[W_CAPACITY] = p->capacity;
  p->word[W_HOOK_MALLOC] = (u64)malloc, p->word[W_HOOK_FREE] = (u64)free, p->word[W_HOOK_REALLOC] = (u64)realloc;
  return p;
}
static struct call *place_of(struct plan *p, const char *slot) {
  switch (slot[0]) {
    case 'u': return &p->usable;
    case 'f': p->counts = 1; return &p->counter[0];
    case 'n': p->counts = 1; return &p->counter[1];
    case 'r': p->counts = 1; return &p->counter[2];
    case 't': p->counts = 1; return &p->counter[3];
    case 'v': p->counts = 1; return &p->invariant;
    case 'B': return &p->base;
    case 'D': return &p->destroy;
    case 'I': return p->inits < CALLS_MOST ? &p->init[p->inits++] : NULL;
    case 'C': return p->creates < CALLS_MOST ? &p->create[p->creates++] : NULL;
  }
  u64 kind = take_number(&slot);
  return kind > 0 && kind < KINDS ? &p->of[kind] : NULL;
}
/* Enter one call: "slot:notation", and the function. 0 on success. */
EXPORT int hl_plan_call(struct plan *p, const char *text, void *function) {
  struct call *c = place_of(p, text);
  const char *at = strchr(text, ':');
  if (!c || !at || !at[1]) return 1;
  *c = (struct call){.f = function, .returns = (u8)at[1]};
  at += 2;
  for (int k = 0; *at && *at != ':'; k++, at++) {
    if (k == ARGUMENTS) return 1;
    if (*at == '#') {
      at++;
      if (W_NUMBERS + p->numbers == W_ALL) return 1;
      c->word[k] = (u8)(W_NUMBERS + p->numbers);
      p->word[W_NUMBERS + p->numbers++] = take_number(&at);
      if (*at != ';') return 1;
      continue;
    }
    const char *letter = strchr(word_letters, *at);
    if (!letter) return 1;
    c->word[k] = (u8)(letter - word_letters);
    if (*at == 'O' || *at == 'I') c->out = 1;
    if (*at == 'o' || *at == 'g' || *at == 'm') p->looks_back = 1;
  }
  return 0;
}
/* Everything that comes before the first operation: buffers, the library's own beginning, the instances. 0 on success; else 1
 * plus the number of the instance that could not be made, 100 without memory, 101 when a call of `init` was refused. */
EXPORT int hl_plan_begin(struct plan *p) {
  for (u64 k = 0; k < p->instances; k++) {
    struct instance *x = &p->instance[k];
    if (p->buffer_size && !(x->buffer = new_buffer(p->buffer_size, p->buffer_align))) return 100;
    if (p->storage_size && !(x->storage = (u64)guarded(p->storage_size, -1))) return 100;
  }
  for (int k = 0; k < p->inits; k++) {
    choose(p, 0);
    if (refuses(&p->init[k], invoke(p, &p->init[k]))) return 101;
  }
  for (u64 k = 0; k < p->instances; k++)
    if (!make_instance(p, k)) return 1 + (int)k;
  return 0;
}
