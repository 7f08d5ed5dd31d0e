/*
 * The guard of a run that was killed: every one of its system calls fails once, with every error
 * that fits it.  What it cannot bring back the next command does; values and files are never
 * anything but the older or the newer ones.
 *
 * The linker puts these functions in the place of the C library's:
 * wraps: open openat read pread write pwrite fsync rename renameat link unlink unlinkat mkdir lstat stat fstat fstatat fchmod fchown ftruncate flock lseek fork execve posix_spawn pipe socketpair send recv
 */
#include "box.h"
#include "faults.h"
#include "victim.h"

#include <dirent.h>
#include <sys/mman.h>
#include <sys/prctl.h>

static struct box h;
static struct host *host;
static struct knob_value old[2], new[2];
static const char *by, *kept;
static bool removes; /* the file is to go, instead of being replaced */

/* The knobs are files, or reached by commands: a script that works on these files. */
static void
setup_by(bool commands)
{
	static const char *const names[] = { "x.send", "x.receive" };
	struct err e = { ERR_NONE, "" };
	const char *program;

	h = box_new();
	program = box_sysctl(&h, "");
	for (size_t i = 0; i < NELEM(old); i++) {
		const char **read = arena_array(h.a, 4, sizeof(*read)),
		    **write = arena_array(h.a, 4, sizeof(*write));

		read[0] = write[0] = program;
		read[1] = "-n";
		read[2] = names[i];
		write[1] = arena_printf(h.a, "%s={value}", names[i]);
		old[i] = (struct knob_value){ .name = names[i], .text = i == 0 ? SEND_OLD :
		    RECEIVE_OLD, .file = commands ? NULL : i == 0 ? h.send : h.receive,
			.read = read, .write = write };
		new[i] = old[i];
		new[i].text = i == 0 ? SEND_NEW : RECEIVE_NEW;
	}
	by = box_path(&h, "etc/.x.conf.by");
	kept = box_path(&h, "etc/.x.conf.kept");
	cr_assert(host_open(h.a, "local", &host, &e), "%s", e.text);
	cr_assert_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	faults = mmap(NULL, sizeof(*faults), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
	    -1, 0);
	cr_assert(faults != MAP_FAILED);
}

static void
teardown(void)
{
	host_close(host);
	munmap(faults, sizeof(*faults));
	box_end(&h);
}

TestSuite(guard_faults, .fini = teardown, .timeout = 110);

/* Values set, a file replaced or removed, and dead before anything is decided. */
_Noreturn static void
die(void)
{
	struct err e = { ERR_NONE, "" };
	struct guard *g;

	ours = getpid();
	armed = true; /* and so it is in the guard */
	step(guard_arm(h.a, h.state, "B", "S", old, NELEM(old), &g, &e));
	armed = false;
	step(guard_announce(g, new, NELEM(new), &e) && knobs_set(host, h.a, new, NELEM(new), &e) &&
	    guard_held(g, &e) && guard_replaces(g, h.conf, by, kept, &e));
	box_put(by, removes ? "" : "new");
	step(link(h.conf, kept) == 0 && guard_replaces(g, h.conf, by, kept, &e));
	step((removes ? unlink(h.conf) : rename(by, h.conf)) == 0);
	raise(SIGKILL);
	_exit(99);
}

/* The run is dead, and then its guard and all that it started. */
static void
run_and_die(void)
{
	int status;
	pid_t pid;

	box_values(&h, SEND_OLD, RECEIVE_OLD);
	box_put(h.conf, "old");
	fflush(NULL);
	pid = fork();
	cr_assert(pid != -1);
	if (pid == 0)
		die();
	while (waitpid(pid, &status, 0) == -1)
		continue;
	/* Without its guard it goes no further: step(). */
	cr_assert((WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) ||
	    (WIFEXITED(status) && WEXITSTATUS(status) == 99 && faults->hit), "%d", status);
	while (wait(&status) > 0 || errno == EINTR)
		continue;
}

static bool
is_one_of(const char *file, const char *a, const char *b)
{
	const char *now = box_get(&h, file);
	size_t len = strcspn(now, "\n");

	return (strlen(a) == len && strncmp(now, a, len) == 0) ||
	    (strlen(b) == len && strncmp(now, b, len) == 0);
}

static bool
is_as_before(void)
{
	return is_one_of(h.send, SEND_OLD, SEND_OLD) &&
	    is_one_of(h.receive, RECEIVE_OLD, RECEIVE_OLD) && is_one_of(h.conf, "old", "old") &&
	    !box_there(by) && !box_there(kept) && !box_there(box_path(&h, "state/journal-S"));
}

struct tally {
	unsigned runs, missed, itself; /* the guard did it by itself */
};

static void
one_fault(const struct point *at, unsigned variant, struct tally *t)
{
	const char *what = arena_printf(h.a, "%s %u: %d", fitting[at->kind].name, at->nth,
	    fitting[at->kind].errors[variant]);
	struct err e = { ERR_NONE, "" };
	struct orphans found;
	bool itself;

	*faults = (struct faults){ .at = *at, .variant = variant };
	run_and_die();
	t->runs++;
	t->missed += !faults->hit; /* how much a recv() brings is not always the same */
	cr_assert(is_one_of(h.send, SEND_OLD, SEND_NEW) &&
	    is_one_of(h.receive, RECEIVE_OLD, RECEIVE_NEW), "%s: a value", what);
	cr_assert(is_one_of(h.conf, "old", removes ? "" : "new"), "%s: [%s]", what,
	    box_get(&h, h.conf));
	itself = is_as_before();
	cr_assert(itself || box_there(box_path(&h, "state/journal-S")), "%s: nobody knows", what);
	cr_assert(guard_orphans(h.a, host, h.state, "B", "S", &found, &e), "%s: %s", what, e.text);
	cr_assert(is_as_before(), "%s: the next command brings it back", what);
	t->itself += itself;
}

/* Every error of these calls; always: of these the guard needs nobody's help. */
static void
every_fault(const char *words, const char *const *calls, const char *always)
{
	struct point at = { .other = 1 };
	unsigned count[KINDS];

	memset(faults, 0, sizeof(*faults));
	run_and_die();
	cr_assert(is_as_before());
	for (unsigned i = 0; i < NELEM(fitting); i++)
		count[i] = faults->count[i][1];
	printf("%-28s calls faults  by itself\n", words);
	for (; *calls != NULL; calls++) {
		struct tally t = { 0, 0, 0 };

		at.kind = kind_of(*calls);
		for (at.nth = 1; at.nth <= count[at.kind]; at.nth++)
			for (unsigned v = 0; fitting[at.kind].errors[v] != 0; v++)
				one_fault(&at, v, &t);
		printf("  %-26s %5u %6u %10u\n", *calls, count[at.kind], t.runs, t.itself);
		cr_expect(t.runs != 0 && t.missed * 2 <= t.runs, "%s: %u of %u not reached",
		    *calls, t.missed, t.runs);
		cr_expect(strcmp(*calls, always) != 0 || t.itself == t.runs, "%s", always);
	}
}

/* Not ftruncate(): only a file that stands for a kernel's has a length, which is cut so. */
static const char *const by_files[] = { "pread", "pwrite", "lstat", "rename", "unlink", "open",
	"fsync", "fstat", "fstatat", "unlinkat", "send", "recv", NULL };
static const char *const by_commands[] = { "fork", "execve", NULL };

Test(guard_faults, what_the_guard_cannot_bring_back_the_next_command_does)
{
	setup_by(false);
	every_fault("guard", by_files, "fsync");
	removes = true;
	every_fault("guard, a file that was to go", by_files, "fsync");
}

/* Where the system has no process to give, it tries again. */
Test(guard_faults, no_process_for_a_command_is_waited_for)
{
	setup_by(true);
	every_fault("guard, knobs by commands", by_commands, "fork");
}
