/*
 * Labs without root: in a user namespace of the user's own, or one clear error and nothing left.
 *
 * needs: root userns
 */
#include "probes/lab.h"
#include "probes/lab_state.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#define SOMEBODY 65534
#define TUN makedev(10, 200)

/* In a mount namespace of the test's own: what is made here is gone with its process. */
static const char dir[] = "/mnt";
static struct arena *arena;

static void
begin(void)
{
	arena = arena_new();
	cr_assert_eq(unshare(CLONE_NEWNS), 0);
	cr_assert_eq(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	cr_assert_eq(mount("tmpfs", dir, "tmpfs", 0, "mode=755"), 0);
	setenv("XDG_RUNTIME_DIR", dir, 1);
}

static void
end(void)
{
	lab_down(arena, "lab", NULL);
	lab_down(arena, "test-without", NULL);
	arena_free(arena);
}

TestSuite(lab_user, .init = begin, .fini = end);

static bool
write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);
	bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return ok;
}

/* A TUN node that everybody may open, as many systems have it; not where none can be made. */
static void
open_tun_to_all(void)
{
	const char *node = arena_printf(arena, "%s/tun", dir);

	if (mknod(node, S_IFCHR | 0666, TUN) == 0 && chmod(node, 0666) == 0)
		mount(node, "/dev/net/tun", NULL, MS_BIND, NULL);
}

static void
become_somebody(void)
{
	cr_assert_eq(chown(dir, SOMEBODY, SOMEBODY), 0);
	cr_assert(setgroups(0, NULL) == 0 && setresgid(SOMEBODY, SOMEBODY, SOMEBODY) == 0 &&
	    setresuid(SOMEBODY, SOMEBODY, SOMEBODY) == 0);
	/* As after a login, which ends in an exec. */
	cr_assert_eq(prctl(PR_SET_DUMPABLE, 1), 0);
}

static void
nothing_is_there(void)
{
	struct lab_info *labs;
	struct err e = { 0 };
	size_t n = 1;

	cr_assert(lab_list(arena, NULL, &labs, &n, &e), "%s", e.text);
	cr_assert_eq(n, 0u);
	cr_assert_neq(access(arena_printf(arena, "%s/pathtune/lab/lab", dir), F_OK), 0);
}

static void
use_it(void)
{
	const char *const argv[] = { "cat", "/proc/sys/net/ipv4/tcp_wmem",
		"/sys/class/net/path0/mtu", NULL };
	const char *expected = "4096\t16384\t4194304\n1400\n";
	char text[128] = "";
	struct err e = { 0 };
	int fd[2], status;
	size_t len = 0;
	ssize_t n;
	pid_t pid;

	cr_assert_eq(pipe(fd), 0);
	cr_assert(lab_spawn(arena, "lab", 'a', argv, fd[1], &pid, &e), "%s", e.text);
	close(fd[1]);
	while ((n = read(fd[0], text + len, sizeof(text) - 1 - len)) > 0)
		len += (size_t)n;
	close(fd[0]);
	cr_assert(lab_wait(arena, "lab", pid, &status, &e), "%s", e.text);
	cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	cr_assert_str_eq(text, expected);
}

Test(lab_user, a_lab_of_somebody_works_or_says_what_it_needs)
{
	struct lab_spec s = lab_default();
	struct err e = { 0 };
	const char *cc;

	s.mtu = 1400;
	s.tied = true; /* should the test crash */
	open_tun_to_all();
	become_somebody();
	if (lab_up(arena, &s, &cc, &e)) {
		use_it();
		cr_assert(lab_down(arena, "lab", &e), "%s", e.text);
	} else
		cr_assert(strstr(e.text, "the lab needs root") != NULL, "%s", e.text);
	nothing_is_there();
}

Test(lab_user, without_the_right_to_the_device_the_error_says_so)
{
	struct lab_spec s = lab_default();
	const char *node = arena_printf(arena, "%s/tun", dir);
	struct err e = { 0 };
	const char *cc;

	cr_assert_eq(close(open(node, O_CREAT | O_WRONLY, 0600)), 0);
	cr_assert_eq(mount(node, "/dev/net/tun", NULL, MS_BIND, NULL), 0);
	become_somebody();
	cr_assert_not(lab_up(arena, &s, &cc, &e));
	cr_assert(strstr(e.text, "the lab needs root") != NULL, "%s", e.text);
	nothing_is_there();
}

/* Root of a user namespace that may have no further ones, then without any capability. */
static bool
lose_all_rights(void)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct none[2] = { { 0, 0, 0 }, { 0, 0, 0 } };

	return unshare(CLONE_NEWUSER) == 0 && write_text("/proc/self/setgroups", "deny") &&
	    write_text("/proc/self/uid_map", "0 0 1") &&
	    write_text("/proc/self/gid_map", "0 0 1") &&
	    write_text("/proc/sys/user/max_user_namespaces", "0") &&
	    syscall(SYS_capset, &header, none) == 0;
}

Test(lab_user, where_no_namespace_can_be_made_the_error_says_so)
{
	struct lab_spec s = lab_default();
	struct err e = { 0 };
	const char *cc;
	int fd[2];
	pid_t pid;

	s.name = "test-without";
	cr_assert_eq(pipe(fd), 0);
	pid = fork(); /* into a user namespace of its own goes only a process of one thread */
	if (pid == 0) {
		if (!lose_all_rights())
			snprintf(e.text, sizeof(e.text), "test: %s", strerror(errno));
		else if (lab_up(arena, &s, &cc, &e))
			snprintf(e.text, sizeof(e.text), "test: a lab was made");
		_exit(write(fd[1], &e, sizeof(e)) < 0);
	}
	cr_assert_eq(read(fd[0], &e, sizeof(e)), (ssize_t)sizeof(e));
	waitpid(pid, NULL, 0);
	cr_assert_str_eq(e.text, "cannot make a network namespace: Operation not permitted; the "
	    "lab needs root, or a kernel that allows unprivileged user namespaces");
	cr_assert_neq(access("/run/pathtune/lab/test-without", F_OK), 0);
}
