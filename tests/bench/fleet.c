/*
 * fleet: "fleet [RUNS [HOSTS]]": pathtune fleet beside ansible and pssh, as root, on one OpenSSH
 * server that answers on all addresses of 127/8 in a namespace of this program's own.
 *
 * All of them log in with one key and exchange keys in the same way (curve25519), 32 hosts at a
 * time; ansible's connections are its defaults, and no run finds those of another one.  "raw" runs
 * the very scripts that our probe sends, "ping" ansible's module, pssh only "true".  Root's shell
 * is dash there: what somebody's .bashrc does is no business of ours.  Runs take turns; medians.
 *
 * The hundred targets share this machine's processors with those that ask them, and their logins
 * and scripts are the same work for all; so what a host costs the asking side is told as well.
 */
#include "probes/flow.h"
#include "tuner/base.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define RUNS_MOST 25
#define JOBS 32
#define MANY 500
#define MANY_BYTES (64.0 * 1024 * 1024)
#define TIMEOUT_S 5 /* of a dead host */

static struct arena *a;
static char dir[] = "/tmp/pathtune-fleet-XXXXXX";
static pid_t server;

static void
die(const char *what)
{
	fprintf(stderr, "fleet: %s: %s\n", what, strerror(errno));
	exit(1);
}

static const char *
path(const char *name)
{
	return arena_printf(a, "%s/%s", dir, name);
}

static void
write_file(const char *name, const char *text)
{
	FILE *f = fopen(path(name), "w");

	if (f == NULL || fputs(text, f) < 0 || fclose(f) != 0)
		die(name);
}

static const char *
read_file(const char *name)
{
	char *text = arena_alloc(a, 1 << 16);
	FILE *f = fopen(name, "r");
	size_t n = f == NULL ? 0 : fread(text, 1, (1 << 16) - 1, f);

	if (f != NULL)
		fclose(f);
	return n == 0 ? "" : text;
}

/* By a shell of ours, quietly; its process. */
static pid_t
begin(const char *command)
{
	pid_t pid = fork();

	if (pid == -1)
		die("fork");
	if (pid == 0) {
		int log = open(path("said"), O_WRONLY | O_CREAT | O_APPEND, 0600);

		dup2(log, 1);
		dup2(log, 2);
		execl("/bin/sh", "sh", "-c", arena_printf(a, "exec %s", command), (char *)NULL);
		_exit(127);
	}
	return pid;
}

static int
end(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid)
		die("waitpid");
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void
must(const char *command)
{
	if (end(begin(command)) == 0)
		return;
	fprintf(stderr, "fleet: failed: %s\n%s\n", command, read_file(path("said")));
	exit(1);
}

/* ---- the place ------------------------------------------------------------------------------- */

static const char *
address(size_t i)
{
	return arena_printf(a, "127.1.%zu.%zu", i / 250, i % 250 + 1);
}

static void
enter_namespaces(void)
{
	struct ifreq lo = { .ifr_name = "lo" };
	int s;

	if (unshare(CLONE_NEWNET | CLONE_NEWNS) != 0)
		die("a namespace (this bench needs root)");
	s = socket(AF_INET, SOCK_DGRAM, 0);
	lo.ifr_flags = IFF_UP | IFF_RUNNING;
	if (s == -1 || ioctl(s, SIOCSIFFLAGS, &lo) != 0)
		die("lo");
	close(s);
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mount("none", "/run", "tmpfs", 0, NULL) != 0 || mkdir("/run/sshd", 0755) != 0)
		die("/run");
	must(arena_printf(a, "sed 's#^root:.*#root:x:0:0:root:%s:/bin/dash#' /etc/passwd >%s", dir,
	    path("passwd")));
	if (mount(path("passwd"), "/etc/passwd", NULL, MS_BIND, NULL) != 0)
		die("/etc/passwd");
}

static void
write_inventories(size_t n_hosts)
{
	struct text all = { .arena = a }, dead = { .arena = a }, known = { .arena = a };
	struct text names = { .arena = a };
	const char *key = read_file(path("host_key.pub"));

	text_add(&all, "defaults: {user: root, identity: %s, ssh_timeout: %ds}\nhosts:\n",
	    path("key"), TIMEOUT_S);
	text_add(&dead, "%s", all.s);
	for (size_t i = 0; i < MANY; i++) {
		text_add(&all, "- {name: h%03zu, address: %s}\n", i, address(i));
		/* One in ten: every other of them refuses, the rest does not answer. */
		if (i < n_hosts)
			text_add(&dead, "- {name: h%03zu, address: %s, port: %d}\n", i, address(i),
			    i % 10 != 5 ? 22 : i % 20 == 5 ? 23 : 24);
		if (i < n_hosts)
			text_add(&names, "%s\n", address(i));
		text_add(&known, "%s %s", address(i), key);
	}
	write_file("hosts.yaml", all.s);
	write_file("dead.yaml", dead.s);
	write_file("hosts", names.s);
	write_file(".ssh/known_hosts", known.s);
}

/* A listener that takes nobody any more: whoever comes waits. */
static void
open_deaf_port(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(24) };
	int s = socket(AF_INET, SOCK_STREAM, 0);

	if (s == -1 || bind(s, (struct sockaddr *)&at, sizeof(at)) != 0 || listen(s, 0) != 0)
		die("port 24");
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	for (int i = 0; i < 4; i++) {
		int c = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

		(void)connect(c, (struct sockaddr *)&at, sizeof(at));
	}
}

static void
await_server(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(22),
		.sin_addr = { htonl(INADDR_LOOPBACK) } };
	const struct timespec while_ = { 0, 20000000 };

	for (int i = 0; i < 500; i++) {
		int s = socket(AF_INET, SOCK_STREAM, 0);
		bool ok = connect(s, (struct sockaddr *)&at, sizeof(at)) == 0;

		close(s);
		if (ok)
			return;
		nanosleep(&while_, NULL);
	}
	die("sshd does not answer");
}

static void
make_place(size_t n_hosts)
{
	if (mkdtemp(dir) == NULL || setenv("HOME", dir, 1) != 0 ||
	    mkdir(path(".ssh"), 0700) != 0)
		die(dir);
	unsetenv("SSH_AUTH_SOCK");
	enter_namespaces();
	must(arena_printf(a, "ssh-keygen -q -t ed25519 -N '' -f %s", path("host_key")));
	must(arena_printf(a, "ssh-keygen -q -t ed25519 -N '' -f %s", path("key")));
	write_file("sshd_config", arena_printf(a, "HostKey %s\nAuthorizedKeysFile %s.pub\n"
	    "StrictModes no\nUsePAM no\nPidFile none\nPermitRootLogin prohibit-password\n"
	    "PasswordAuthentication no\nKbdInteractiveAuthentication no\nPrintMotd no\n"
	    "PrintLastLog no\nUseDNS no\nMaxStartups 1000\nKexAlgorithms curve25519-sha256\n"
	    "Subsystem sftp internal-sftp\nListenAddress 0.0.0.0\n", path("host_key"), path("key")));
	write_inventories(n_hosts);
	write_file("ansible.cfg", arena_printf(a, "[defaults]\ninventory=%s\nremote_user=root\n"
	    "private_key_file=%s\nforks=%d\ninterpreter_python=/usr/bin/python3\n", path("hosts"),
	    path("key"), JOBS));
	setenv("ANSIBLE_CONFIG", path("ansible.cfg"), 1);
	/* What would go to the shell of a host, kept. */
	write_file("keep", arena_printf(a, "n=$(ls %s | grep -c ^round)\ncat >%s/round$n\n"
	    "exec /bin/sh -s <%s/round$n\n", dir, dir, dir));
	must(arena_printf(a, "%s probe 'via:/bin/sh %s'", PATHTUNE, path("keep")));
	server = begin(arena_printf(a, "/usr/sbin/sshd -D -f %s -E %s", path("sshd_config"),
	    path("log")));
	open_deaf_port();
	await_server();
}

/* ---- figures --------------------------------------------------------------------------------- */

/* Bytes of the process and all below it that are its own, and its part of the shared ones. */
static double
pss_bytes(long pid)
{
	const char *s = strstr(read_file(arena_printf(a, "/proc/%ld/smaps_rollup", pid)), "\nPss:");
	const char *kids = read_file(arena_printf(a, "/proc/%ld/task/%ld/children", pid, pid));
	double sum = s == NULL ? 0 : strtod(s + 5, NULL) * 1024;
	char *next;
	long kid;

	for (kid = strtol(kids, &next, 10); next != kids; kid = strtol(kids, &next, 10)) {
		sum += pss_bytes(kid);
		kids = next;
	}
	return sum;
}

/* The most that it had at any time, as often as we can look. */
static double
most_memory(const char *command, size_t *looks)
{
	const struct timespec while_ = { 0, 10000000 };
	struct arena *kept = a;
	pid_t pid = begin(command);
	double most = 0, now;

	for (*looks = 0; waitpid(pid, NULL, WNOHANG) == 0; (*looks)++) {
		a = arena_new();
		now = pss_bytes(pid);
		arena_free(a);
		a = kept;
		most = now > most ? now : most;
		nanosleep(&while_, NULL);
	}
	return most;
}

struct rival {
	const char *name, *command;
	double seconds[RUNS_MOST], median_s;
	double cpu_s; /* of all runs; ssh processes that go to the background are not in it */
	bool missing;
};

static double
cpu_s(void)
{
	struct rusage u;

	getrusage(RUSAGE_CHILDREN, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	    (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static double
timed(const char *command, int status)
{
	double began_s = flow_clock_s();
	int got = end(begin(command));

	if (got != status) {
		fprintf(stderr, "fleet: exit %d of: %s\n%s\n", got, command,
		    read_file(path("said")));
		exit(1);
	}
	return flow_clock_s() - began_s;
}

static int
order(const void *x, const void *y)
{
	double d = *(const double *)x - *(const double *)y;

	return (d > 0) - (d < 0);
}

static bool
bar(const char *what, double value, double least)
{
	printf("  %-52s %6.1f   bar %-5.1f %s\n", what, value, least, value >= least ? "ok" : "MISSED");
	return value >= least;
}

static bool
table(struct rival *r, size_t n, size_t n_hosts, size_t runs)
{
	bool ok;

	printf("%zu hosts, %d at a time, seconds:\n", n_hosts, JOBS);
	for (size_t i = 0; i < n; i++) {
		printf("  %-34s", r[i].name);
		if (r[i].missing) {
			printf(" not installed\n");
			continue;
		}
		for (size_t k = 0; k < runs; k++)
			printf(" %6.2f", r[i].seconds[k]);
		qsort(r[i].seconds, runs, sizeof(double), order);
		r[i].median_s = r[i].seconds[runs / 2];
		printf("   median %6.2f, x %.1f; here %.1f ms of processor a host, x %.1f\n",
		    r[i].median_s, r[i].median_s / r[0].median_s,
		    1e3 * r[i].cpu_s / (double)(runs * n_hosts), r[i].cpu_s / r[0].cpu_s);
	}
	ok = r[1].missing || bar("times faster than ansible raw", r[1].median_s / r[0].median_s, 4);
	return (r[2].missing ||
	    bar("times faster than ansible ping", r[2].median_s / r[0].median_s, 10)) && ok;
}

static bool
compare(size_t n_hosts, size_t runs)
{
	const char *ours = arena_printf(a, "%s fleet %s --jobs %d --limit @%s --json probe", PATHTUNE,
	    path("hosts.yaml"), JOBS, path("first"));
	const char *ansible = "env ANSIBLE_SSH_CONTROL_PATH_DIR=$(mktemp -d -p $HOME) ansible all";
	struct rival r[] = {
		{ .name = "pathtune fleet probe", .command = ours },
		{ .name = "ansible -m raw, the same scripts", .command = arena_printf(a,
		    "%s -m raw -a 'for i in %s/round*; do sh -s <$i; done'", ansible, dir) },
		{ .name = "ansible -m ping", .command = arena_printf(a, "%s -m ping", ansible) },
		{ .name = "parallel-ssh true", .command = arena_printf(a, "parallel-ssh -h %s -l root "
		    "-p %d -x '-i %s' true", path("hosts"), JOBS, path("key")) },
	};
	struct text first = { .arena = a };

	for (size_t i = 0; i < n_hosts; i++)
		text_add(&first, "h%03zu\n", i);
	write_file("first", first.s);
	r[1].missing = r[2].missing = end(begin("ansible --version")) != 0;
	r[3].missing = end(begin("parallel-ssh --version")) != 0;
	for (size_t k = 0; k < runs; k++) {
		for (size_t i = 0; i < NELEM(r); i++) {
			r[i].cpu_s -= cpu_s();
			r[i].seconds[k] = r[i].missing ? 0 : timed(r[i].command, 0);
			r[i].cpu_s += cpu_s();
		}
	}
	return table(r, NELEM(r), n_hosts, runs);
}

static bool
memory(void)
{
	size_t looks;
	double most = most_memory(arena_printf(a, "%s fleet %s --jobs %d --json probe", PATHTUNE,
	    path("hosts.yaml"), JOBS), &looks);

	printf("%d hosts, %d at a time: at most %.1f MiB of proportional memory, seen %zu times   "
	    "bar 64 %s\n", MANY, JOBS, most / 1048576, looks, most < MANY_BYTES ? "ok" : "MISSED");
	return most < MANY_BYTES;
}

static bool
one_in_ten_dead(size_t n_hosts)
{
	double all_s = timed(arena_printf(a, "%s fleet %s --jobs %d --limit @%s --json probe",
	    PATHTUNE, path("hosts.yaml"), JOBS, path("first")), 0);
	double dead_s = timed(arena_printf(a, "%s fleet %s --jobs %d --json probe", PATHTUNE,
	    path("dead.yaml"), JOBS), 4);
	bool ok = dead_s - all_s <= TIMEOUT_S;

	printf("%zu hosts: %.2f s; with one in ten dead, timeout %d s: %.2f s   %s\n", n_hosts, all_s,
	    TIMEOUT_S, dead_s, ok ? "ok" : "MISSED");
	return ok;
}

int
main(int argc, char **argv)
{
	size_t runs = argc > 1 ? strtoul(argv[1], NULL, 10) : 5;
	size_t hosts = argc > 2 ? strtoul(argv[2], NULL, 10) : 100;
	bool ok;

	if (runs < 1 || runs > RUNS_MOST || hosts < 10 || hosts > MANY) {
		fprintf(stderr, "usage: fleet [RUNS [HOSTS]]\n");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	a = arena_new();
	make_place(hosts);
	ok = compare(hosts, runs);
	ok = memory() && ok;
	ok = one_in_ten_dead(hosts) && ok;
	kill(server, SIGTERM);
	end(server);
	must(arena_printf(a, "rm -rf %s", dir));
	arena_free(a);
	return ok ? 0 : 1;
}
