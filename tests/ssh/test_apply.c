/*
 * apply, confirm, revert and check on a host that is reached by ssh: a host of files (box.h), whose
 * state is where its profile says, as root has it.
 *
 * needs: root busybox bash mksh ksh93 tcsh
 */
#include "sshd.h"

#include "box.h"

#include "probes/knobs.h"

#include <poll.h>
#include <time.h>

static struct arena *a;
static struct sshd *s;
static struct box h;

static void
setup(void)
{
	a = arena_new();
	h = box_new();
	s = sshd_start(a);
}

static void
teardown(void)
{
	sshd_end(s);
	box_end(&h);
	arena_free(a);
}

TestSuite(ssh_apply, .init = setup, .fini = teardown, .timeout = 280);

/* A guard's shell ends its values with a newline. */
static void
expect(const char *send, const char *receive, bool persisted, const char *when)
{
	cr_expect(knobs_same(box_get(&h, h.send), send), "%s: %s", when, box_get(&h, h.send));
	cr_expect(knobs_same(box_get(&h, h.receive), receive), "%s: %s", when,
	    box_get(&h, h.receive));
	cr_expect_eq(box_there(h.conf), persisted, "%s", when);
}

static struct said
far_do(const char *command, const char *words)
{
	return box_do(&h, arena_printf(a, "%s %s", command, s->name), words);
}

static struct said
far_apply(const char *words)
{
	return far_do(arena_printf(a, "apply %s", h.run), arena_printf(a, "--yes %s", words));
}

Test(ssh_apply, what_is_applied_is_checked_and_taken_back)
{
	struct said said = far_apply("--dry-run");

	cr_expect_eq(said.status, 3, "%s", said.err);
	cr_expect_not_null(strstr(said.out, "+x.send = " SEND_NEW "\n"), "%s", said.out);
	expect(SEND_OLD, RECEIVE_OLD, false, "looked at");
	cr_expect_not(box_there(h.state), "a look leaves nothing");
	said = far_apply("");
	cr_assert_eq(said.status, 0, "%s", said.err);
	expect(SEND_NEW, RECEIVE_NEW, true, "applied");
	said = far_apply("");
	cr_expect_eq(said.status, 0, "%s", said.err);
	cr_expect_str_eq(said.out, "nothing to do: it is in force already\n");
	cr_expect_eq(far_do("check", "").status, 0);
	box_put(h.send, SEND_OLD);
	said = far_do("check", "");
	cr_expect_eq(said.status, 3, "%s", said.err);
	cr_expect_not_null(strstr(said.out, "value-drift: x.send"), "%s", said.out);
	cr_expect_eq(far_apply("").status, 0, "brings it back");
	cr_expect_eq(far_do("revert", "--yes --all").status, 0);
	expect(SEND_OLD, RECEIVE_OLD, false, "reverted");
	cr_expect_not(box_there(box_path(&h, "state/undo")));
	said = far_do("revert", "--yes");
	cr_expect_str_eq(said.out, "nothing to revert: nothing is applied\n");
}

Test(ssh_apply, a_pathtune_on_the_host_and_one_elsewhere_know_what_the_other_did)
{
	struct said said;

	cr_assert_eq(far_apply("").status, 0);
	cr_expect_eq(box_do(&h, "check", "").status, 0);
	cr_expect_eq(box_do(&h, "revert", "--yes").status, 0);
	expect(SEND_OLD, RECEIVE_OLD, false, "taken back there");
	cr_assert_eq(box_apply(&h, "").status, 0);
	cr_expect_eq(far_do("check", "").status, 0);
	said = far_apply("--confirm 60s");
	cr_expect_eq(said.status, 0, "%s", said.err);
	cr_expect_str_eq(said.out, "nothing to do: it is in force already\n");
	cr_expect_eq(far_do("revert", "--yes").status, 0);
	expect(SEND_OLD, RECEIVE_OLD, false, "taken back from elsewhere");
}

Test(ssh_apply, they_exclude_each_other)
{
	static const char waits[] = "waits to be confirmed";
	struct said said = far_apply("--confirm 200s");

	cr_assert_eq(said.status, 0, "%s", said.err);
	said = box_apply(&h, "");
	cr_expect_eq(said.status, 1);
	cr_expect_not_null(strstr(said.err, waits), "%s", said.err);
	said = far_apply("");
	cr_expect_eq(said.status, 1);
	cr_expect_not_null(strstr(said.err, waits), "%s", said.err);
	cr_expect_eq(far_do("revert", "--yes").status, 0);
	expect(SEND_OLD, RECEIVE_OLD, false, "reverted");
	cr_assert_eq(box_apply(&h, "--confirm 200s").status, 0);
	said = far_apply("");
	cr_expect_eq(said.status, 1);
	cr_expect_not_null(strstr(said.err, "/journal-S is there"), "%s", said.err);
	cr_expect_eq(box_do(&h, "revert", "--yes").status, 0);
	expect(SEND_OLD, RECEIVE_OLD, false, "reverted");
}

Test(ssh_apply, what_is_confirmed_stays)
{
	struct said said = far_apply("--confirm 200s");

	cr_assert_eq(said.status, 0, "%s", said.err);
	cr_expect_not_null(strstr(said.out, arena_printf(a, "these values go back in 200 s, unless: "
	    "pathtune confirm %s\n", s->name)), "%s", said.out);
	expect(SEND_NEW, RECEIVE_NEW, false, "unconfirmed");
	cr_expect_eq(far_do("check", "").status, 3);
	said = far_do("confirm", "");
	cr_expect_eq(said.status, 0, "%s", said.err);
	cr_expect_not_null(strstr(said.out, "confirmed\n"), "%s", said.out);
	expect(SEND_NEW, RECEIVE_NEW, true, "confirmed");
	cr_expect_eq(far_do("check", "").status, 0);
	said = far_do("confirm", "");
	cr_expect_eq(said.status, 1);
	cr_expect_not_null(strstr(said.err, "nothing to confirm"), "%s", said.err);
}

static void
await(const char *gone)
{
	while (box_there(gone))
		poll(NULL, 0, 20); /* the test's time ends it */
}

Test(ssh_apply, what_nobody_confirms_goes_back_by_itself)
{
	cr_assert_eq(far_apply("--confirm 5s").status, 0);
	expect(SEND_NEW, RECEIVE_NEW, false, "unconfirmed");
	await(box_path(&h, "state/remote"));
	expect(SEND_OLD, RECEIVE_OLD, false, "its time is out");
	cr_expect_eq(far_do("confirm", "").status, 1);
}

/* A file edited between apply --confirm and confirm: nothing of it is lost, all goes back. */
Test(ssh_apply, a_confirm_tramples_on_nobody)
{
	struct said said;

	box_profile(&h, "block", NULL);
	box_put(h.conf, "# mine\r\nz=1");
	cr_assert_eq(far_apply("--confirm 200s").status, 0);
	box_put(h.conf, "# mine\r\nz=2");
	said = far_do("confirm", "");
	cr_expect_eq(said.status, 1);
	cr_expect_not_null(strstr(said.err, "was changed in this moment by somebody else; all is as "
	    "it was before"), "%s", said.err);
	expect(SEND_OLD, RECEIVE_OLD, true, "taken back");
	cr_expect_str_eq(box_get(&h, h.conf), "# mine\r\nz=2");
	cr_expect_not(box_there(box_path(&h, "state/undo")));
}

Test(ssh_apply, what_is_no_file_of_ours_is_refused_before_anything_is_set)
{
	static const char *const cases[][2] = {
		{ "ln -s elsewhere %s", "is a symbolic link" },
		{ "mkdir %s", "is a directory" },
		{ "printf '# BEGIN pathtune\\nx=1\\n' >%s", "pathtune" },
		{ "printf 'a\\0b\\n' >%s", "NUL" },
	};
	struct said said;

	box_profile(&h, "block", NULL);
	for (size_t i = 0; i < NELEM(cases); i++) {
		SSHD_DO("sh", "-c", arena_printf(a, cases[i][0], h.conf));
		said = far_apply("");
		cr_expect_eq(said.status, 1, "%s", cases[i][0]);
		cr_expect_not_null(strstr(said.err, cases[i][1]), "%s", said.err);
		cr_expect_not_null(strstr(said.err, h.conf), "%s", said.err);
		cr_expect(knobs_same(box_get(&h, h.send), SEND_OLD));
		SSHD_DO("rm", "-r", h.conf);
	}
	box_put(box_path(&h, "elsewhere"), "{}");
	SSHD_DO("mkdir", "-m", "700", h.state);
	SSHD_DO("ln", "-s", box_path(&h, "elsewhere"), box_path(&h, "state/undo"));
	said = far_apply("");
	cr_expect_eq(said.status, 1);
	cr_expect_not_null(strstr(said.err, "state/undo: is a symbolic link"), "%s", said.err);
	SSHD_DO("rm", box_path(&h, "state/undo"));
	SSHD_DO("chmod", "777", h.state);
	said = far_apply("");
	cr_expect_eq(said.status, 1);
	cr_expect_not_null(strstr(said.err, "can be written by others"), "%s", said.err);
	expect(SEND_OLD, RECEIVE_OLD, false, "refused");
}

/* ---- shells ---------------------------------------------------------------------------------- */

/* From now on /bin/sh of a login, and all that it calls sh, is this one. */
static void
shell_is(const char *name, const char *command)
{
	const char *bin = arena_printf(a, "bin-%s", name);

	SSHD_DO("mkdir", sshd_path(s, bin));
	sshd_write(s, arena_printf(a, "%s/sh", bin), 0755,
	    arena_printf(a, "#!/bin/sh\nexec %s \"$@\"\n", command));
	sshd_personality(s, arena_printf(a, "sed 's|PATH=/usr/local/sbin|PATH=%s:/usr/local/sbin|' |\n"
	    "	exec %s/sh -s", sshd_path(s, bin), sshd_path(s, bin)), NULL);
}

Test(ssh_apply, every_shell_does)
{
	static const char *const shells[][2] = { { "busybox", "busybox sh" },
		{ "bash", "bash --posix" }, { "mksh", "mksh" }, { "ksh93", "ksh93" } };
	struct said said;

	for (size_t i = 0; i < NELEM(shells); i++) {
		shell_is(shells[i][0], shells[i][1]);
		said = far_apply("");
		cr_expect_eq(said.status, 0, "%s: %s", shells[i][0], said.err);
		expect(SEND_NEW, RECEIVE_NEW, true, shells[i][0]);
		said = far_do("revert", "--yes");
		cr_expect_eq(said.status, 0, "%s: %s", shells[i][0], said.err);
		expect(SEND_OLD, RECEIVE_OLD, false, shells[i][0]);
	}
}

Test(ssh_apply, a_csh_login_that_talks_does_as_well)
{
	struct said said;

	sshd_write(s, ".cshrc", 0644, "echo Welcome to csh\necho -n prompt\\> \n");
	sshd_personality(s, arena_printf(a, "HOME=%s exec tcsh -c \"$SSH_ORIGINAL_COMMAND\"", s->dir),
	    NULL);
	said = far_apply("--confirm 200s");
	cr_expect_eq(said.status, 0, "%s", said.err);
	said = far_do("confirm", "");
	cr_expect_eq(said.status, 0, "%s", said.err);
	expect(SEND_NEW, RECEIVE_NEW, true, "csh");
}

Test(ssh_apply, as_root_by_a_program)
{
	struct said said;

	SSHD_DO("mkdir", sshd_path(s, "bin"));
	sshd_write(s, "bin/sudo", 0755, "#!/bin/sh\n[ \"$1\" = -n ] || exit 1\nshift\nexec env -i \"$@\"\n");
	sshd_personality(s, arena_printf(a, "PATH=%s:$PATH exec sh -c \"$SSH_ORIGINAL_COMMAND\"",
	    sshd_path(s, "bin")), NULL);
	said = far_apply("--become sudo");
	cr_expect_eq(said.status, 0, "%s", said.err);
	expect(SEND_NEW, RECEIVE_NEW, true, "sudo");
	cr_expect_eq(far_do("check", "--become sudo").status, 0);
}

/* ---- links that are cut ---------------------------------------------------------------------- */

#define CUTS 6
#define MINE "# mine\r\n\tz = 1"
#define UNCUT ((size_t)-1)

/* Between us and sshd: one connection, which breaks when so many bytes went there. */
struct relay {
	unsigned port;
	pid_t pid;
	int count; /* a size_t comes out of it, when the connection has ended */
};

static bool
pass(int from, int to, size_t most, size_t *n)
{
	char part[512];
	ssize_t got = read(from, part, most < sizeof(part) ? most : sizeof(part));

	if (got <= 0 || write(to, part, (size_t)got) != got)
		return false;
	*n += (size_t)got;
	return true;
}

_Noreturn static void
be_relay(int listener, int report, size_t cut)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)s->port),
		.sin_addr = { htonl(INADDR_LOOPBACK) } };
	int near = accept(listener, NULL, NULL), far = socket(AF_INET, SOCK_STREAM, 0);
	size_t there = 0, back = 0;

	if (connect(far, (struct sockaddr *)&at, sizeof(at)) == 0) {
		struct pollfd p[] = { { near, POLLIN, 0 }, { far, POLLIN, 0 } };

		while (there < cut && poll(p, 2, -1) > 0 &&
		    (p[0].revents == 0 || pass(near, far, cut - there, &there)) &&
		    (p[1].revents == 0 || pass(far, near, UNCUT, &back)))
			continue;
	}
	_exit(write(report, &there, sizeof(there)) == sizeof(there) ? 0 : 1);
}

static struct relay
relay_start(size_t cut)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), ends[2];
	struct relay r;

	cr_assert(fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0 &&
	    listen(fd, 1) == 0 && getsockname(fd, (struct sockaddr *)&at, &len) == 0 &&
	    pipe(ends) == 0);
	fcntl(ends[0], F_SETFD, FD_CLOEXEC);
	r = (struct relay){ ntohs(at.sin_port), fork(), ends[0] };
	cr_assert(r.pid >= 0);
	if (r.pid == 0) {
		signal(SIGPIPE, SIG_IGN);
		be_relay(fd, ends[1], cut);
	}
	close(fd);
	close(ends[1]);
	return r;
}

static size_t
relay_end(struct relay r)
{
	size_t n = 0;

	cr_expect_eq(read(r.count, &n, sizeof(n)), (ssize_t)sizeof(n));
	close(r.count);
	waitpid(r.pid, NULL, 0);
	return n;
}

static struct started
start_apply(struct box *b, const struct relay *r, const char *timeout)
{
	FILE *f = fopen(sshd_path(s, ".ssh/known_hosts"), "a");

	cr_assert(f != NULL && fprintf(f, "[127.0.0.1]:%u %s", r->port,
	    sshd_read(s, "host_key.pub")) > 0 && fclose(f) == 0);
	return program_start(a, arena_printf(a, "apply %s ssh://127.0.0.1:%u %s --yes --ssh-timeout %s",
	    b->run, r->port, b->flags, timeout));
}

/* All old or all new; true: new. */
static bool
is_new(struct box *b, const char *when)
{
	bool new = box_there(box_path(b, "state/undo"));

	const char *conf = box_get(b, b->conf);

	cr_expect(new ? strncmp(conf, MINE "\n# BEGIN pathtune\n", sizeof(MINE) + 17) == 0 &&
	    strstr(conf, "\nx.receive = " RECEIVE_NEW "\n# END pathtune\n") != NULL :
	    strcmp(conf, MINE) == 0, "%s: %s", when, conf);
	cr_expect(knobs_same(box_get(b, b->send), new ? SEND_NEW : SEND_OLD), "%s", when);
	cr_expect(knobs_same(box_get(b, b->receive), new ? RECEIVE_NEW : RECEIVE_OLD), "%s", when);
	return new;
}

static struct box
block_box(void)
{
	struct box b = box_new();

	box_profile(&b, "block", NULL);
	box_put(b.conf, MINE);
	return b;
}

Test(ssh_apply, a_link_cut_anywhere_leaves_the_old_or_the_new_never_between)
{
	struct relay r = relay_start(UNCUT), relays[CUTS];
	struct started runs[CUTS];
	struct box boxes[CUTS];
	size_t total, n_new = 0;

	box_end(&h);
	h = block_box();
	cr_assert_eq(program_end(a, start_apply(&h, &r, "60s")).status, 0);
	total = relay_end(r);
	cr_assert_gt(total, 10000);
	/* The login is of the same length each time, and so is nearly all of the rest. */
	for (size_t i = 0; i < CUTS; i++) {
		boxes[i] = block_box();
		relays[i] = relay_start(total - total * (CUTS - i) * (CUTS - i) / 100);
		runs[i] = start_apply(&boxes[i], &relays[i], "5s");
		if (i % 2 == 1) {
			for (size_t j = i - 1; j <= i; j++)
				cr_expect_neq(program_end(a, runs[j]).status, -1);
		}
	}
	for (size_t i = 0; i < CUTS; i++) {
		relay_end(relays[i]);
		await(box_path(&boxes[i], "state/remote"));
		n_new += is_new(&boxes[i], arena_printf(a, "cut %zu of %d", i, CUTS));
	}
	cr_log_info("%zu of %d were new", n_new, CUTS);
	for (size_t i = 0; i < CUTS; i++)
		box_end(&boxes[i]);
}

Test(ssh_apply, the_next_command_tells_what_became_of_the_lost_one)
{
	struct said said;

	/* The answer never comes: what was asked last is carried out all the same. */
	sshd_personality(s, "t=$(mktemp)\ncat >$t\n"
	    "if grep -qF '( : >\"$d/go\" )' $t; then exec 1>&-; fi\nsh -s <$t\nrm -f $t", NULL);
	said = far_apply("");
	cr_expect_eq(said.status, 1, "%s", said.out);
	cr_expect_not_null(strstr(said.err, "as it was, or changed as a whole"), "%s", said.err);
	await(box_path(&h, "state/remote"));
	expect(SEND_NEW, RECEIVE_NEW, true, "carried out");
	sshd_personality(s, NULL, NULL);
	said = far_do("check", "");
	cr_expect_eq(said.status, 0, "%s", said.out);
	said = far_apply("");
	cr_expect_eq(said.status, 0, "%s", said.err);
	cr_expect_str_eq(said.out, "nothing to do: it is in force already\n");
}
