/* The host program: a fork server. It finds the subject's functions, answers "ok", and for each line "run …" on standard
 * input runs the shared trace in a child process ("raw …": its calls alone, with no checks) and answers how that ended. It prints through `write` alone.
 *
 * heaplaw-host FD BYTES REPLY LIBRARY SYMBOL...   FD: the shared memory; REPLY: where answers go; LIBRARY: a path to load, or
 * "-" for what is already there (the C library, preloaded libraries); SYMBOL: one a kind from 0 (usable size), "-" for none. */
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
static u64 number(const char **text) {
  u64 value = 0;
  while (**text == ' ') ++*text;
  while (**text >= '0' && **text <= '9') value = value * 10 + (u64)(*(*text)++ - '0');
  return value;
}
static u64 milliseconds(clockid_t clock) {
  struct timespec t;
  return clock_gettime(clock, &t) ? 0 : (u64)t.tv_sec * 1000u + (u64)t.tv_nsec / 1000000u;
}

/* In the child: run the trace, or with `raw` its calls alone. The head takes the time. */
static void child(struct job *job, void *const *calls, u64 bytes, u64 memory, int raw) {
  struct rlimit space = {memory, memory}, none = {0, 0};
  sigset_t chld;
  sigemptyset(&chld), sigaddset(&chld, SIGCHLD), sigprocmask(SIG_UNBLOCK, &chld, NULL);
  setrlimit(RLIMIT_AS, &space), setrlimit(RLIMIT_CORE, &none);
  if (raw) {
    job->spent = hl_replay_raw(job, calls);
    job->progress = 4 * job->rows + FINISHED;
    _exit(0);
  }
  u64 start = nanoseconds();
  int code = hl_run(job, calls, bytes);
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

static void serve(struct job *job, void *const *calls, u64 bytes) {
  char line[128];
  for (;;) {
    size_t n = 0;
    while (n + 1 < sizeof line && read(0, line + n, 1) == 1 && line[n] != '\n') n++;
    if (n == 0) _exit(0);
    line[n] = 0;
    const char *at = line + 4;
    u64 cpu = number(&at), wall = number(&at), memory = number(&at);
    pid_t pid = fork();
    if (pid < 0) say_number("nofork ", (u64)errno, "\n");
    else if (pid == 0) child(job, calls, bytes, memory, line[1] == 'a');
    else supervise(job, pid, cpu, wall);
  }
}

int main(int argc, char **argv) {
  static void *calls[KINDS];
  if (argc != 5 + KINDS - 1) _exit(2); /* CHECK is no call */
  /* Addresses that repeat make runs that repeat; where the kernel refuses, they vary. */
  int was = personality(0xffffffff);
  if (was != -1 && !(was & ADDR_NO_RANDOMIZE) && personality((unsigned long)was | ADDR_NO_RANDOMIZE) != -1)
    execv("/proc/self/exe", argv);
  const char *fd = argv[1], *size = argv[2], *reply = argv[3];
  u64 bytes = number(&size);
  struct job *job = guarded(bytes, (int)number(&fd));
  reply_fd = (int)number(&reply);
  if (!job) { say("error the shared memory cannot be mapped\n"); _exit(4); }
  void *library = RTLD_DEFAULT;
  if (strcmp(argv[4], "-") != 0 && !(library = dlopen(argv[4], RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND))) {
    say("error "), say(dlerror()), say("\n");
    _exit(2);
  }
  say("ok");
  for (int kind = 0; kind < KINDS - 1; kind++) {
    Dl_info where;
    const char *symbol = argv[5 + kind];
    if (strcmp(symbol, "-") == 0) continue;
    calls[kind] = dlsym(library, symbol);
    say("\t"), say(symbol), say("=");
    if (calls[kind] && dladdr(calls[kind], &where) && where.dli_fname) say(where.dli_fname);
  }
  say("\n");
  sigset_t chld;
  sigemptyset(&chld), sigaddset(&chld, SIGCHLD), sigprocmask(SIG_BLOCK, &chld, NULL);
  serve(job, calls, bytes);
}
