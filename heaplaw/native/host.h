/* The host program: a fork server. It finds the subject's functions, makes its instances, answers "ok", and for each line "run …" on standard
 * input runs the shared trace in a child process and answers how that ended ("raw …": its calls alone, with no checks; "step …":
 * with no checks, the instructions of marked calls counted, see step.h, or "nosteps" and why not). It prints through `write` alone.
 *
 * heaplaw-host FD BYTES REPLY LIBRARY NUMBERS CALL...   FD: the shared memory; REPLY: where answers go; LIBRARY: a path to load,
 * or "-" for what is already there (the C library, preloaded libraries); NUMBERS and CALLs: the plan, as plan.h reads it, each
 * call with its function's name after a second colon. The answer "ok" is followed by tabs: symbol=file for each call, then
 * @base,remaining,total for each instance. */
static int reply_fd;
static void say(const char *text) {
  size_t n = strlen(text);
  while (n > 0) {
    ssize_t wrote = write(reply_fd, text, n);
    if (wrote <= 0) _exit(4);
    text += wrote, n -= (size_t)wrote;
  }
}
static void say_number(const char *before, u64 value, const char *after) {
  char digits[24], *at = digits + sizeof digits - 1;
  *at = 0;
  do *--at = (char)('0' + value % 10), value /= 10; while (value);
  say(before), say(at), say(after);
}
static u64 milliseconds(clockid_t clock) {
  struct timespec t;
  return clock_gettime(clock, &t) ? 0 : (u64)t.tv_sec * 1000u + (u64)t.tv_nsec / 1000000u;
}

/* Bytes of address space in use: a subject may have reserved far more than it will use before the limit begins. */
static u64 address_space(void) {
  char text[64] = "";
  int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  ssize_t n = read(fd, text, sizeof text - 1);
  close(fd);
  const char *at = text;
  return n > 0 ? take_number(&at) * (u64)sysconf(_SC_PAGESIZE) : 0;
}

/* In the child: run the trace, or with `raw` its calls alone. The head takes the time. */
static void child(struct job *job, struct plan *plan, u64 bytes, u64 memory, int raw) {
  if (stepping) plan->counts = 0, plan->usable.f = NULL; /* their columns hold what was counted */
  u64 most = memory + address_space();
  struct rlimit space = {most, most}, none = {0, 0};
  sigset_t chld;
  sigemptyset(&chld), sigaddset(&chld, SIGCHLD), sigprocmask(SIG_UNBLOCK, &chld, NULL);
  setrlimit(RLIMIT_AS, &space), setrlimit(RLIMIT_CORE, &none);
  if (raw) {
    job->spent = hl_replay_raw(job, plan);
    job->progress = 4 * job->rows + FINISHED;
    _exit(0);
  }
  u64 start = nanoseconds();
  int code = hl_run(job, plan, bytes);
  job->spent = nanoseconds() - start;
  _exit(code ? 4 : 0);
}

/* Wait for the child, at most `cpu` milliseconds of its time, or `wall` of everybody's, without progress. */
static void supervise(struct job *job, pid_t pid, u64 cpu, u64 wall) {
  sigset_t chld;
  clockid_t clock;
  int status = 0, timed = clock_getcpuclockid(pid, &clock) == 0;
  u64 seen = job->progress, cpu_then = 0, wall_then = milliseconds(CLOCK_MONOTONIC);
  u64 look = cpu < 8 ? 2 : cpu > 80 ? 20 : cpu / 4; /* milliseconds between two looks */
  sigemptyset(&chld), sigaddset(&chld, SIGCHLD);
  while (waitpid(pid, &status, WNOHANG) == 0) {
    struct timespec slice = {0, (long)look * 1000000};
    sigtimedwait(&chld, NULL, &slice);
    u64 used = timed ? milliseconds(clock) : 0, clock_now = milliseconds(CLOCK_MONOTONIC);
    if (job->progress != seen || job->progress / 4 >= job->published) {
      seen = job->progress, cpu_then = used, wall_then = clock_now;
    } else if (used > cpu_then + cpu || clock_now > wall_then + wall) {
      kill(pid, SIGKILL);
      waitpid(pid, &status, 0);
      say(used > cpu_then + cpu ? "hung cpu\n" : "hung wall\n");
      return;
    }
  }
  struct rusage children;
  if (getrusage(RUSAGE_CHILDREN, &children) == 0) job->peak = (u64)children.ru_maxrss;
  if (WIFSIGNALED(status)) say_number("signal ", (u64)WTERMSIG(status), "\n");
  else if (job->progress == 4 * job->rows + FINISHED && WEXITSTATUS(status) == 0) say("completed\n");
  else say_number("exit ", (u64)WEXITSTATUS(status), "\n");
}

static void serve(struct job *job, struct plan *plan, u64 bytes) {
  char line[128];
  for (;;) {
    size_t n = 0;
    while (n + 1 < sizeof line && read(0, line + n, 1) == 1 && line[n] != '\n') n++;
    if (n == 0) _exit(0);
    line[n] = 0;
    const char *at = line + 4;
    u64 cpu = take_number(&at), wall = take_number(&at), memory = take_number(&at);
    const char *why = line[1] == 't' ? step_begin(plan) : NULL;
    stepping = line[1] == 't';
    if (why) { say("nosteps "), say(why), say("\n"); continue; }
    pid_t pid = fork();
    if (pid < 0) say_number("nofork ", (u64)errno, "\n");
    else if (pid == 0) child(job, plan, bytes, memory, line[1] == 'a');
    else supervise(job, pid, cpu, wall);
  }
}

/* Find a call's function, and tell where it was found. */
static void find(struct plan *plan, void *library, const char *text) {
  const char *symbol = strrchr(text, ':') + 1;
  Dl_info where;
  void *f = dlsym(library, symbol);
  say("\t"), say(symbol), say("=");
  if (f && dladdr(f, &where) && where.dli_fname) say(where.dli_fname);
  if (hl_plan_call(plan, text, f)) _exit(2);
}

int main(int argc, char **argv) {
  if (argc < 6) _exit(2);
  /* Addresses that repeat make runs that repeat; where the kernel refuses, they vary. */
  int was = personality(0xffffffff);
  if (!under_valgrind() && was != -1 && !(was & ADDR_NO_RANDOMIZE) && personality((unsigned long)was | ADDR_NO_RANDOMIZE) != -1)
    execv("/proc/self/exe", argv);
  const char *fd = argv[1], *size = argv[2], *reply = argv[3];
  u64 bytes = take_number(&size);
  struct job *job = guarded(bytes, (int)take_number(&fd));
  struct plan *plan = hl_plan_new(argv[5]);
  reply_fd = (int)take_number(&reply);
  if (!job || !plan) { say("error the shared memory cannot be mapped\n"); _exit(4); }
  void *library = RTLD_DEFAULT;
  if (strcmp(argv[4], "-") != 0 && !(library = dlopen(argv[4], RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND))) {
    say("error "), say(dlerror()), say("\n");
    _exit(2);
  }
  for (int k = 6; k < argc; k++)
    if (!dlsym(library, strrchr(argv[k], ':') + 1)) {
      say("error "), say(strrchr(argv[k], ':') + 1), say(" is exported but cannot be loaded\n");
      _exit(2);
    }
  say("ok");
  for (int k = 6; k < argc; k++) find(plan, library, argv[k]);
  alarm(40); /* who waits gives up before; if nobody waits any more, a hang must still end */
  int failed = hl_plan_begin(plan);
  alarm(0);
  if (failed == 101) say("\terror it could not be begun: a call of init was refused\n"), _exit(2);
  if (failed == 100) say("\terror there is no memory for its buffer\n"), _exit(2);
  if (failed) say_number("\terror instance ", (u64)failed, " could not be made: the call gave no instance\n"), _exit(2);
  for (u64 k = 0; k < plan->instances; k++) {
    const struct instance *x = &plan->instance[k];
    say_number("\t@", x->base, ","), say_number("", x->remaining, ","), say_number("", x->total, "");
  }
  say("\n");
  sigset_t chld;
  sigemptyset(&chld), sigaddset(&chld, SIGCHLD), sigprocmask(SIG_BLOCK, &chld, NULL);
  serve(job, plan, bytes);
}
