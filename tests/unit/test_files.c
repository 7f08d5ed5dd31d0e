#include <criterion/criterion.h>

#include "probes/files.h"
#include "probes/host.h"
#include "probes/stop.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[] = "/tmp/pathtune-files-XXXXXX";
static struct arena *a;
static struct err e;

static void
setup(void)
{
	a = arena_new();
	cr_assert_not_null(mkdtemp(dir));
	cr_assert_eq(chdir(dir), 0);
	umask(022);
}

static void
teardown(void)
{
	const char *const argv[] = { "rm", "-rf", dir, NULL };
	struct command c = { .argv = argv };
	struct output out;
	struct host *h;

	cr_assert_eq(chdir("/"), 0);
	cr_assert(host_open(a, "local", &h, &e) && host_run(h, a, &c, 1, &out, &e));
	arena_free(a);
}

TestSuite(files, .init = setup, .fini = teardown);

static const char *
get(const char *path)
{
	const char *text = NULL;
	size_t len;

	e = (struct err){ 0 };
	cr_assert(files_read(a, path, 1 << 20, &text, &len, &e), "%s", e.text);
	cr_assert_eq(strlen(text), len);
	return text;
}

static mode_t
mode_of(const char *path)
{
	struct stat st;

	cr_assert_eq(lstat(path, &st), 0, "%s", path);
	return st.st_mode;
}

static unsigned
entries(const char *path)
{
	DIR *d = opendir(path);
	unsigned n = 0;

	cr_assert_not_null(d);
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n - 2;
}

static bool
put(const char *path, const char *text)
{
	e = (struct err){ 0 };
	return files_write(path, text, strlen(text), 0644, &e);
}

Test(files, what_is_written_is_read_back)
{
	static const char *const paths[] = { "plain", "./dotted" };
	const char *text;
	size_t i, len;

	for (i = 0; i < NELEM(paths); i++) {
		cr_assert(put(paths[i], "one\n"), "%s", e.text);
		cr_expect_str_eq(get(paths[i]), "one\n");
		cr_assert(put(paths[i], "second, longer\n"), "%s", e.text);
		cr_expect_str_eq(get(paths[i]), "second, longer\n");
		cr_expect_eq(mode_of(paths[i]) & 07777, 0644);
	}
	cr_assert(put(arena_printf(a, "%s/absolute", dir), ""), "%s", e.text);
	cr_expect_str_eq(get("absolute"), "");
	cr_assert(files_write("nul", "a\0b", 3, 0600, &e));
	cr_assert(files_read(a, "nul", 3, &text, &len, &e));
	cr_expect(len == 3 && memcmp(text, "a\0b", 4) == 0);
	cr_expect_eq(mode_of("nul") & 07777, 0600);
	cr_expect_eq(entries("."), 4, "nothing is left beside");
}

Test(files, a_file_that_is_there_keeps_its_mode_and_a_link_is_followed)
{
	cr_assert(put("target", "old"));
	cr_assert_eq(chmod("target", 0604), 0);
	cr_assert_eq(symlink("target", "link"), 0);
	cr_assert(put("link", "new"), "%s", e.text);
	cr_expect_str_eq(get("target"), "new");
	cr_expect(S_ISLNK(mode_of("link")));
	cr_expect_eq(mode_of("target") & 07777, 0604);
	cr_assert_eq(symlink("nowhere", "dangling"), 0);
	cr_expect_not(put("dangling", "x"));
	cr_expect_eq(access("nowhere", F_OK), -1);
	if (geteuid() == 0) {
		struct stat st;

		cr_assert_eq(chown("target", 12345, 54321), 0);
		cr_assert(put("target", "by root"), "%s", e.text);
		cr_assert_eq(stat("target", &st), 0);
		cr_expect(st.st_uid == 12345 && st.st_gid == 54321);
	}
}

Test(files, what_cannot_be_written_is_named)
{
	static const struct {
		const char *path, *why;
	} cases[] = {
		{ "missing/file", "missing/file: No such file or directory" },
		{ ".", ".: Is a directory" },
		{ "missing/", "missing/: not the name of a file" },
		{ "file/below", "file/below: Not a directory" },
		{ "", ": not the name of a file" },
		{ "/dev/full", "/dev/full: No space left on device" },
		{ "/proc/none", "/proc/none: No such file or directory" },
	};
	size_t i;

	cr_assert(put("file", "kept"));
	for (i = 0; i < NELEM(cases); i++) {
		cr_expect_not(put(cases[i].path, "x"), "%s", cases[i].path);
		cr_expect_str_eq(e.text, cases[i].why);
	}
	cr_expect(put("/dev/null", "x"), "%s", e.text);
	cr_expect_str_eq(get("file"), "kept");
	cr_expect_eq(entries("."), 1);
}

/* A limit on the size of files stands for a full disk. */
Test(files, a_write_that_fails_leaves_the_old_file_and_nothing_beside)
{
	struct rlimit small = { 100, RLIM_INFINITY }, before;
	char big[1000];

	memset(big, 'x', sizeof(big));
	cr_assert(put("file", "kept"));
	signal(SIGXFSZ, SIG_IGN);
	cr_assert_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
	cr_expect_not(files_write("file", big, sizeof(big), 0644, &e));
	cr_expect_str_eq(e.text, "file: File too large");
	cr_expect_not(files_write("new", big, sizeof(big), 0644, NULL));
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
	cr_expect_str_eq(get("file"), "kept");
	cr_expect_eq(entries("."), 1);
}

Test(files, what_cannot_be_read_is_named)
{
	const char *text = "untouched";
	size_t len = 7;

	cr_assert(put("file", "12345"));
	cr_expect_not(files_read(a, "missing", 10, &text, &len, &e));
	cr_expect_str_eq(e.text, "missing: No such file or directory");
	e = (struct err){ 0 };
	cr_expect_not(files_read(a, ".", 10, &text, &len, &e));
	cr_expect_str_eq(e.text, ".: Is a directory");
	e = (struct err){ 0 };
	cr_expect_not(files_read(a, "file", 4, &text, &len, &e));
	cr_expect_str_eq(e.text, "file: larger than 4 bytes");
	cr_expect(len == 7 && strcmp(text, "untouched") == 0);
	cr_expect(files_read(a, "file", 5, &text, &len, NULL));
	e = (struct err){ 0 };
	cr_expect_not(files_read(a, "/dev/zero", 1 << 20, &text, &len, &e));
}

Test(files, a_stop_ends_the_reading_of_a_pipe)
{
	const char *text;
	size_t len;
	int keep;

	cr_assert_eq(mkfifo("pipe", 0600), 0);
	keep = open("pipe", O_RDWR);
	cr_assert(stop_install());
	cr_assert_eq(write(keep, "first", 5), 5);
	raise(SIGTERM);
	cr_expect_not(files_read(a, "pipe", 10, &text, &len, &e));
	cr_expect_str_eq(e.text, "pipe: stopped by signal 15");
	cr_expect_eq(e.code, ERR_STOPPED);
	close(keep);
	cr_expect_str_eq(put("file", "x") ? get("file") : "", "x", "files work even so");
	stop_reset();
}

Test(files, a_tree_is_written_below_its_directory)
{
	struct file_text f[] = {
		{ "/etc/sysctl.d/90-pathtune.conf", "net.ipv4.tcp_rmem = 1 2 3\n" },
		{ "/etc/modules-load.d/90-pathtune.conf", "tcp_bbr\n" },
		{ "/top", "x" },
	};

	cr_assert(files_tree_write("out", f, 3, &e), "%s", e.text);
	f[2].text = "again";
	cr_assert(files_tree_write("out/", f, 3, &e), "%s", e.text);
	cr_expect_str_eq(get("out/etc/sysctl.d/90-pathtune.conf"), f[0].text);
	cr_expect_str_eq(get("out/etc/modules-load.d/90-pathtune.conf"), "tcp_bbr\n");
	cr_expect_str_eq(get("out/top"), "again");
	cr_expect_eq(mode_of("out/top") & 07777, 0644);
	cr_expect_eq(mode_of("out/etc/sysctl.d") & 07777, 0755);
	cr_expect_eq(entries("out/etc/sysctl.d"), 1);
}

Test(files, a_tree_never_leaves_its_directory)
{
	static const char *const bad[] = { "/../x", "/etc/../../x", "relative", "", "/", "/etc/",
		"//x", "/./x", "/a//b", "/.." };
	struct file_text f[] = { { "/fine", "x" }, { NULL, "x" } };
	size_t i;

	for (i = 0; i < NELEM(bad); i++) {
		f[1].path = bad[i];
		e = (struct err){ 0 };
		cr_expect_not(files_tree_write("out", f, 2, &e), "%s", bad[i]);
		cr_expect_eq(strncmp(e.text, bad[i], strlen(bad[i])), 0, "%s", e.text);
		cr_expect_eq(access("out", F_OK), -1, "nothing is written before all are checked");
	}
	f[1].path = "/etc/sysctl.d/x";
	cr_assert_eq(mkdir("outside", 0755), 0);
	cr_assert_eq(mkdir("out", 0755), 0);
	cr_assert_eq(symlink("../outside", "out/etc"), 0);
	e = (struct err){ 0 };
	cr_expect_not(files_tree_write("out", f, 2, &e));
	cr_expect_eq(strncmp(e.text, "out/etc/sysctl.d/x: ", 20), 0, "%s", e.text);
	cr_expect_eq(entries("outside"), 0);
	cr_assert(put("victim", "kept"));
	cr_assert_eq(unlink("out/fine"), 0);
	cr_assert_eq(symlink("../victim", "out/fine"), 0);
	e = (struct err){ 0 };
	cr_expect(files_tree_write("out", f, 1, &e), "%s", e.text);
	cr_expect_str_eq(get("victim"), "kept");
	cr_expect(S_ISREG(mode_of("out/fine")), "a link in the file's place is replaced");
}
