/*
 * Every system call of setting, persisting and taking back fails once, with every error that fits
 * it: files are what they were or wholly new at once, values and files together after the next
 * command at the latest.
 *
 * The linker puts these functions in the place of the C library's:
 * wraps: open openat read pread write pwrite fsync rename renameat link unlink unlinkat mkdir lstat stat fstat fstatat fchmod fchown ftruncate flock lseek fork execve posix_spawn pipe socketpair send recv
 *
 * needs: nm
 */
#include "box.h"
#include "faults.h"
#include "victim.h"

#include "probes/store.h"
#include "tuner/pipeline_apply.h"

#include <dirent.h>
#include <sys/mman.h>

/* ---- a change -------------------------------------------------------------------------------- */

static struct box h;
static struct pipeline p;
static struct run *wanted;
static bool by_command;

static const char old_conf[] = "# theirs\nx.other = 1", old_rules[] = "# theirs\nup";

static void
put_old(void)
{
	box_values(&h, SEND_OLD, RECEIVE_OLD);
	if (!by_command) /* only its file changes: a command takes its time */
		box_put(h.gro, "off\n");
	box_put(h.conf, old_conf);
	box_put(h.rules, old_rules);
	unlink(h.modules);
	unlink(box_path(&h, "state/undo"));
	unlink(box_path(&h, "state/journal-S"));
}

static void
setup_by(bool commands)
{
	struct cmd_context *c;
	struct err e = { ERR_NONE, "" };

	h = box_new();
	h.offloads = true;
	by_command = commands;
	box_profile(&h, "block", commands ? box_by_sysctl(&h, "") : NULL);
	box_run_file(&h, SEND_NEW, RECEIVE_NEW, "bbr");
	put_old();
	c = arena_alloc(h.a, sizeof(*c));
	*c = (struct cmd_context){ .arena = h.a, .quiet = true };
	wanted = arena_alloc(h.a, sizeof(*wanted));
	p = (struct pipeline){ .cmd = c, .run = arena_alloc(h.a, sizeof(struct run)),
		.sets = true, .profile_file = box_path(&h, "x.yaml") };
	record_init(&run_record, p.run);
	p.run->options.host = "local";
	cr_assert(cmd_run_load(h.a, h.run, wanted, &e), "%s", e.text);
	cr_assert(pipeline_probe(&p, NULL, &e), "%s", e.text);
	faults = mmap(NULL, sizeof(*faults), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
	    -1, 0);
	cr_assert(faults != MAP_FAILED);
}

static void
teardown(void)
{
	box_end(&h);
	munmap(faults, sizeof(*faults));
}

TestSuite(apply_faults, .fini = teardown, .timeout = 550);

static bool
do_apply(struct err *e)
{
	struct apply_result r;

	return pipeline_apply(&p, wanted, h.run, &r, e);
}

static bool
do_revert(struct err *e)
{
	struct apply_job j = { .p = &p, .lock = -1 };
	bool ok = apply_open(&j, e) && pipeline_revert(&j, true, false, e);

	apply_close(&j);
	return ok;
}

/* As the next command begins: what dead runs left is carried out, the record settled. */
static bool
do_heal(struct err *e)
{
	struct apply_job j = { .p = &p, .lock = -1 };
	struct orphans found;
	bool ok = guard_orphans(h.a, p.host, h.state, "B", "S", &found, e) && apply_open(&j, e);

	apply_close(&j);
	return ok;
}

static const char *
trimmed(const char *text)
{
	return arena_strndup(h.a, text, strcspn(text, "\n"));
}

/* In a process of its own, so that nothing of it stays; facts are those of now. */
static int
in_child(bool (*change)(struct err *), bool with_faults)
{
	struct err e = { ERR_NONE, "" };
	int status;
	pid_t pid;

	fflush(NULL);
	armed = false;
	pid = fork();
	cr_assert(pid != -1);
	if (pid == 0) {
		for (size_t i = 0; i < p.run->facts.n_knobs; i++) {
			struct knob_fact *k = &p.run->facts.knobs[i];
			const char *file = box_path(&h, k->name + 2);
			char *text = arena_strdup(h.a, box_get(&h, file));

			text[strcspn(text, "\n")] = '\0';
			k->text = text;
		}
		p.run->facts.offloads[0].state = trimmed(box_get(&h, h.gro));
		ours = getpid();
		armed = with_faults;
		status = change(&e) ? 0 : 1;
		armed = false;
		if (!with_faults && status != 0)
			fprintf(stderr, "unexpected: %s\n", e.text);
		_exit(status);
	}
	while (waitpid(pid, &status, 0) == -1)
		continue;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* ---- what is left ---------------------------------------------------------------------------- */

struct whole {
	const char *conf, *modules, *rules, *send, *receive, *cc, *gro;
};

static struct whole
look(void)
{
	return (struct whole){ box_get(&h, h.conf), box_get(&h, h.modules),
		box_get(&h, h.rules), trimmed(box_get(&h, h.send)),
		trimmed(box_get(&h, h.receive)), trimmed(box_get(&h, h.cc)),
		trimmed(box_get(&h, h.gro)) };
}

static bool
same_files(const struct whole *a, const struct whole *b)
{
	return strcmp(a->conf, b->conf) == 0 && strcmp(a->modules, b->modules) == 0 &&
	    strcmp(a->rules, b->rules) == 0;
}

static bool
same(const struct whole *a, const struct whole *b)
{
	return same_files(a, b) && strcmp(a->send, b->send) == 0 &&
	    strcmp(a->receive, b->receive) == 0 && strcmp(a->cc, b->cc) == 0 &&
	    strcmp(a->gro, b->gro) == 0;
}

/* The file says of a knob what it runs with, and nothing where it runs with what was before. */
static bool
agrees(const char *text, const char *value, const char *old, const char *line)
{
	return (strcmp(value, old) != 0) == (strstr(text, line) != NULL);
}

/* A value that could not be set is left out, and the rest is persisted. */
static bool
partly(const struct whole *now)
{
	return agrees(now->conf, now->send, SEND_OLD, "\nx.send = " SEND_NEW "\n") &&
	    agrees(now->conf, now->receive, RECEIVE_OLD, "\nx.receive = " RECEIVE_NEW "\n") &&
	    agrees(now->conf, now->cc, "cubic", "\nx.cc = bbr\n") &&
	    agrees(now->rules, by_command ? now->gro : "off", "on", "\nset x0 gro off\n") &&
	    (strcmp(now->cc, "cubic") != 0) == (*now->modules != '\0');
}

/* A file is one of the two, or, for an apply that left a value out, a whole one with less. */
static bool
is_whole(const char *now, const char *a, const char *b, const char *end)
{
	size_t len = strlen(now), n = strlen(end);

	return strcmp(now, a) == 0 || strcmp(now, b) == 0 ||
	    (len > n && strcmp(now + len - n, end) == 0);
}

/* Calls, injected faults and what they led to, by function. */
struct tally {
	unsigned points, runs, missed, before, after, partly, healed;
};

static void
print_tally(const char *what, const struct tally t[])
{
	struct tally all = { 0, 0, 0, 0, 0, 0, 0 };

	printf("%-28s calls faults  as before  carried out  partly  healed by the next command\n", what);
	for (size_t i = 0; i < NELEM(fitting); i++) {
		if (t[i].points == 0)
			continue;
		printf("  %-26s %5u %6u %10u %12u %7u %7u\n", fitting[i].name, t[i].points,
		    t[i].runs, t[i].before, t[i].after, t[i].partly, t[i].healed);
		all.points += t[i].points;
		all.runs += t[i].runs;
		all.before += t[i].before;
		all.after += t[i].after;
		all.partly += t[i].partly;
		all.healed += t[i].healed;
	}
	printf("  %-26s %5u %6u %10u %12u %7u %7u\n", "all", all.points, all.runs, all.before,
	    all.after, all.partly, all.healed);
}

/* Names beside ours in the directory of files, or 0. */
static unsigned
beside(void)
{
	DIR *d = opendir(box_path(&h, "etc"));
	const struct dirent *entry;
	unsigned n = 0;

	cr_assert_not_null(d);
	while ((entry = readdir(d)) != NULL)
		n += strstr(entry->d_name, ".pathtune-") != NULL;
	closedir(d);
	return n;
}

/* One fault; a and b are the host before and after the change. */
static void
one_fault(const struct point *at, unsigned variant, bool (*change)(struct err *),
    const struct whole *a, const struct whole *b, struct tally *t)
{
	struct whole now;
	const char *what = arena_printf(h.a, "%s %u%s: %s", fitting[at->kind].name, at->nth,
	    at->other ? " of the guard" : "", fitting[at->kind].errors[variant] == SHORT ? "short" :
	    strerror(fitting[at->kind].errors[variant]));

	*faults = (struct faults){ .at = *at, .variant = variant };
	in_child(change, true);
	if (!faults->hit) {
		t->missed++; /* how much a recv() brings is not always the same */
		return;
	}
	t->runs++;
	now = look();
	cr_assert(is_whole(now.conf, a->conf, b->conf, "# END pathtune\n"), "%s: [%s]", what,
	    now.conf);
	cr_assert(is_whole(now.modules, a->modules, b->modules, "tcp_bbr\n"), "%s: [%s]", what,
	    now.modules);
	cr_assert(is_whole(now.rules, a->rules, b->rules, "# END pathtune\n"), "%s: [%s]", what,
	    now.rules);
	cr_assert(!same(&now, a) || box_there(box_path(&h, "state/journal-S")) || beside() == 0,
	    "%s: as before, and yet something is beside", what);
	if (same(&now, a))
		t->before++;
	else if (same(&now, b))
		t->after++;
	else if (change == do_apply && partly(&now))
		t->partly++;
	else
		t->healed++;
	cr_assert_eq(in_child(do_heal, false), 0, "%s: heals", what);
	cr_assert_eq(beside(), 0, "%s: nothing stays beside", what);
	now = look();
	cr_assert(same(&now, a) || same(&now, b) || (change == do_apply && partly(&now)), "%s: %s | %s | %s | %s\n%s\n%s\n%s", what,
	    now.send, now.receive, now.cc, now.gro, now.conf, now.modules, now.rules);
}

/* Every error that fits this call. */
static void
every_error(const struct point *at, bool (*change)(struct err *), void (*before)(void),
    const struct whole *a, const struct whole *b, struct tally *t)
{
	t->points++;
	for (unsigned v = 0; fitting[at->kind].errors[v] != 0; v++) {
		before();
		one_fault(at, v, change, a, b, t);
	}
}

static void
every_fault(const char *what, bool (*change)(struct err *), void (*before)(void),
    const char *const *expected)
{
	struct tally t[NELEM(fitting)] = { { 0, 0, 0, 0, 0, 0, 0 } };
	unsigned count[KINDS][2], missed = 0, runs = 0;
	struct whole a, b;
	struct point at;

	before();
	a = look();
	memset(faults, 0, sizeof(*faults));
	cr_assert_eq(in_child(change, true), 0);
	b = look();
	memcpy(count, faults->count, sizeof(count));
	for (at.kind = 0; at.kind < NELEM(fitting); at.kind++)
		for (at.other = 0; at.other < 2; at.other++)
			for (at.nth = 1; at.nth <= count[at.kind][at.other]; at.nth++)
				every_error(&at, change, before, &a, &b, &t[at.kind]);
	print_tally(what, t);
	for (size_t i = 0; i < NELEM(t); i++) {
		missed += t[i].missed;
		runs += t[i].runs;
	}
	cr_expect(runs > 300 && missed * 20 <= runs, "%u of %u were not reached", missed, runs);
	for (; *expected != NULL; expected++)
		cr_expect(t[kind_of(*expected)].runs != 0, "%s was reached", *expected);
}

/* What the persisting path may call without a fault: memory, texts, and what cannot fail it. */
static const char harmless[] = " __errno_location strlen strerror strcspn strchr strrchr strncmp "
    "strcmp strstr strspn strncat strtoumax strtoul memcpy memset memchr memmove memcmp snprintf "
    "free fmax getpid getppid geteuid getenv getpwuid getrlimit setrlimit sysconf environ umask "
    "clock_gettime close poll kill waitpid signal sigprocmask sigemptyset sigfillset sigaddset "
    "sigaction fcntl dup2 setsid setpgid shutdown _exit posix_spawnattr_init posix_spawnattr_destroy "
    "posix_spawnattr_setflags posix_spawnattr_setpgroup posix_spawnattr_setsigmask "
    "posix_spawnattr_setsigdefault posix_spawn_file_actions_init posix_spawn_file_actions_destroy "
    "posix_spawn_file_actions_addopen posix_spawn_file_actions_adddup2 opendir readdir closedir "
    /* the tree of --out, and what files_write() does for links and devices */
    "access mkdirat realpath isatty "
    "_GLOBAL_OFFSET_TABLE_ ";

static bool
is_ours(const char *name)
{
	static const char *const modules[] = { "arena_", "text_", "err_", "stop_", "stream_",
		"journal_", "guard_", "knobs_", "host_", "process_", "files_", "recording_",
		"start_" /* a program beside us, which nothing here needs */, "transport_", "__asan", "__ubsan", "__stack_chk", "__sanitizer" };

	for (size_t i = 0; i < NELEM(modules); i++) {
		if (strncmp(name, modules[i], strlen(modules[i])) == 0)
			return true;
	}
	return false;
}

Test(apply_faults, no_call_of_the_persisting_path_is_forgotten)
{
	static const char objects[] = "persist|store|files|guard|guard_own|guard_carry|guard_child|"
	    "guard_file|guard_journal|guard_restore|guard_run|knobs|host|host_local|process|stream";
	char line[256], object[64], name[128];
	unsigned seen = 0;
	FILE *nm;

	setup_by(false);
	nm = popen(arena_printf(h.a, "nm -Au '%s' | sed -nE 's/.*[:/](%s)\\.c\\.o: *U "
	    "([^@]*).*/\\1 \\2/p'", PROBES, objects), "r");
	cr_assert_not_null(nm);
	while (fgets(line, sizeof(line), nm) != NULL) {
		bool known = false;

		cr_assert_eq(sscanf(line, "%63s %127s", object, name), 2, "%s", line);
		seen++;
		for (size_t i = 0; i < NELEM(fitting); i++)
			known = known || strcmp(fitting[i].name, name) == 0;
		cr_expect(known || is_ours(name) ||
		    strstr(harmless, arena_printf(h.a, " %s ", name)) != NULL,
		    "%s calls %s: give it a fault here, or say why it needs none", object, name);
	}
	cr_expect(pclose(nm) == 0 && seen > 200, "%u", seen);
}

static struct knob_value send_old, send_new;

static bool
arm(struct guard **g)
{
	struct err e = { ERR_NONE, "" };

	return guard_arm(h.a, h.state, "B", "S", &send_old, 1, g, &e);
}

static void
to_set(struct guard *g)
{
	struct err e = { ERR_NONE, "" };

	step(guard_announce(g, &send_new, 1, &e) && knobs_set(p.host, h.a, &send_new, 1, &e) &&
	    guard_held(g, &e));
}

/* The facts would be those of a run that is no more. */
Test(apply_faults, a_run_that_died_between_the_facts_and_the_lock_is_an_error)
{
	struct err e = { ERR_NONE, "" };
	struct apply_result r;
	struct victim v;

	setup_by(false);
	send_old = (struct knob_value){ .name = "x.send", .file = h.send, .text = SEND_OLD };
	send_new = send_old;
	send_new.text = SEND_NEW;
	v = victim_start(box_path(&h, "state/journal-S"), arm, to_set);
	victim_kill_both(&v);
	cr_expect_not(pipeline_apply(&p, wanted, h.run, &r, &e));
	cr_expect_not_null(strstr(e.text, "run this command again"), "%s", e.text);
	cr_expect_str_eq(trimmed(box_get(&h, h.send)), SEND_OLD);
	cr_expect_not(box_there(h.conf) && strcmp(box_get(&h, h.conf), old_conf) != 0);
	cr_expect_not(box_there(box_path(&h, "state/undo")));
}

static void
put_applied(void)
{
	put_old();
	cr_assert_eq(in_child(do_apply, false), 0);
}

static const char *const by_files[] = { "open", "openat", "read", "write", "fsync", "rename",
	"renameat", "link", "unlink", "lstat", "fstat", "fstatat", "fchmod", "flock", "fork",
	"socketpair", "send", "recv", NULL };
static const char *const by_commands[] = { "posix_spawn", "pipe", "fork", "rename", NULL };

Test(apply_faults, apply_is_whole_or_not_at_all)
{
	setup_by(false);
	every_fault("apply", do_apply, put_old, by_files);
}

Test(apply_faults, revert_is_whole_or_not_at_all)
{
	setup_by(false);
	every_fault("revert", do_revert, put_applied, by_files);
}

Test(apply_faults, apply_by_commands_is_whole_or_not_at_all)
{
	setup_by(true);
	every_fault("apply, knobs by commands", do_apply, put_old, by_commands);
}
