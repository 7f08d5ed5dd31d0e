#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "tuner/setting_line.h"

static const char *linux_accepts[] = { "dash", "semicolon", "slash" };
static const char *freebsd_accepts[] = { "blanks", "comment", "quotes", "colon" };
static const char *netbsd_accepts[] = { "comment", "question" };

static const struct persist_file linux_file = { .line = "{name} = {value}",
	.accepts = linux_accepts, .n_accepts = NELEM(linux_accepts) };
static const struct persist_file freebsd_file = { .line = "{name}={value}",
	.accepts = freebsd_accepts, .n_accepts = NELEM(freebsd_accepts) };
static const struct persist_file netbsd_file = { .line = "{name}={value}",
	.accepts = netbsd_accepts, .n_accepts = NELEM(netbsd_accepts) };
static const struct persist_file strict_file = { .line = "{name}={value}" };
static const char *words_accepts[] = { "comment", "indent", "words" };
static const struct persist_file words_file = { .line = "{name}={value}",
	.accepts = words_accepts, .n_accepts = NELEM(words_accepts) };
static const struct persist_file loader_file = { .line = "{name}_load=\"YES\"" };
static const struct persist_file names_file = { .line = "{name}" };
static const struct persist_file command_file = { .line = "ipadm set-prop -p {name}={value} tcp" };

static bool
same(const char *s, size_t len, const char *expected)
{
	return strlen(expected) == len && memcmp(s, expected, len) == 0;
}

Test(setting_line, is_read_as_the_system_would)
{
	static const struct {
		const struct persist_file *file;
		const char *line, *name, *value;
		bool optional;
	} cases[] = {
		{ &linux_file, "a.b = 1", "a.b", "1", false },
		{ &linux_file, "  a.b=1 2\t3 \r", "a.b", "1 2\t3", false },
		{ &linux_file, "-a.b = 1", "a.b", "1", true },
		{ &linux_file, "a.b = 1 # 2", "a.b", "1 # 2", false },
		{ &linux_file, "a.b = \"1\"", "a.b", "\"1\"", false },
		{ &linux_file, "# a.b = 1", NULL, NULL, false },
		{ &linux_file, "; a.b = 1", NULL, NULL, false },
		{ &linux_file, "a.b", NULL, NULL, false },
		{ &linux_file, "a.b =", NULL, NULL, false },
		{ &linux_file, "= 1", NULL, NULL, false },
		{ &linux_file, "a b = 1", NULL, NULL, false },
		{ &linux_file, "-", NULL, NULL, false },
		{ &linux_file, "", NULL, NULL, false },
		{ &freebsd_file, "a.b=1", "a.b", "1", false },
		{ &freebsd_file, " a.b : 1 # more", "a.b", "1", false },
		{ &freebsd_file, "a.b=\"1\"", "a.b", "1", false },
		{ &freebsd_file, "a.b='1 2'", "a.b", "1 2", false },
		{ &freebsd_file, "a.b=1\\#2", "a.b", "1\\#2", false },
		{ &freebsd_file, "a.b#=1", NULL, NULL, false },
		{ &freebsd_file, "a.b=\"1", "a.b", "\"1", false },
		{ &netbsd_file, "a.b?=1", "a.b", "1", true },
		{ &netbsd_file, "a.b=1# x", "a.b", "1", false },
		{ &netbsd_file, "a.b=\"1\"", "a.b", "\"1\"", false },
		{ &strict_file, "a.b=1 c", "a.b", "1", false },
		{ &strict_file, "a.b = 1", NULL, NULL, false },
		{ &strict_file, " a.b=1", NULL, NULL, false },
		{ &strict_file, "a.b?=1", "a.b?", "1", false },
		{ &loader_file, "cc_htcp_load=\"YES\"", "cc_htcp", "YES", false },
		{ &loader_file, "a.b=\"1\"", NULL, NULL, false },
		{ &loader_file, "_load=\"YES\"", NULL, NULL, false },
		{ &names_file, "tcp_bbr", "tcp_bbr", "", false },
		{ &names_file, "# tcp_bbr", NULL, NULL, false },
		{ &command_file, "ipadm set-prop -p max_buf=8 tcp", "max_buf", "8", false },
		{ &command_file, "ipadm set-prop -p max_buf=8 udp", NULL, NULL, false },
		{ &command_file, "ipadm", NULL, NULL, false },
	};
	struct setting_text t;
	size_t i;

	for (i = 0; i < NELEM(cases); i++) {
		bool sets = setting_line(cases[i].line, strlen(cases[i].line), cases[i].file, &t);

		cr_assert_eq(sets, cases[i].name != NULL, "case %zu: %s", i, cases[i].line);
		if (!sets)
			continue;
		cr_expect(same(t.name, t.name_len, cases[i].name), "case %zu: %.*s", i,
		    (int)t.name_len, t.name);
		cr_expect(same(t.value, t.value_len, cases[i].value), "case %zu: %.*s", i,
		    (int)t.value_len, t.value);
		cr_expect_eq(t.optional, cases[i].optional, "case %zu", i);
	}
}

Test(setting_line, a_name_may_have_slashes_where_the_reader_takes_them)
{
	static const struct {
		const struct persist_file *file;
		const char *line, *knob;
		bool sets;
	} cases[] = {
		{ &linux_file, "net.ipv4.tcp_rmem = 1", "net.ipv4.tcp_rmem", true },
		{ &linux_file, "net/ipv4/tcp_rmem = 1", "net.ipv4.tcp_rmem", true },
		{ &linux_file, "net/ipv4.tcp_rmem = 1", "net.ipv4.tcp_rmem", false },
		{ &linux_file, "net.ipv4.tcp_rmem2 = 1", "net.ipv4.tcp_rmem", false },
		{ &linux_file, "net.ipv4.tcp_rme = 1", "net.ipv4.tcp_rmem", false },
		{ &strict_file, "net/ipv4/tcp_rmem=1", "net.ipv4.tcp_rmem", false },
		{ &names_file, "bbr", "bbr", true },
	};
	struct setting_text t;
	size_t i;

	for (i = 0; i < NELEM(cases); i++) {
		cr_assert(setting_line(cases[i].line, strlen(cases[i].line), cases[i].file, &t));
		cr_expect_eq(setting_line_sets(&t, cases[i].file, cases[i].knob), cases[i].sets,
		    "case %zu", i);
	}
}

/* The line lies at the very end of its memory, so that ASan sees one byte more. */
Test(setting_line, may_be_anything)
{
	static const struct persist_file *const files[] = { &linux_file, &freebsd_file, &netbsd_file,
		&strict_file, &loader_file, &names_file, &command_file, &words_file };
	static const char bytes[] = " \t=#-?\"':;/.a\0\xff\r";
	struct setting_text t;
	unsigned seed = 1;

	for (size_t i = 0; i < 200000; i++) {
		size_t len = i % 9;
		char *line = malloc(len + 1), *s = line + 1;

		for (size_t k = 0; k < len; k++) {
			seed = seed * 1103515245u + 12345u;
			s[k] = bytes[(seed >> 16) % sizeof(bytes)];
		}
		for (const char *at = s, *end = s + len; setting_line_next(&at, &len,
		    files[i % NELEM(files)], &t);) {
			cr_assert(t.name >= s && t.name_len > 0 && t.name + t.name_len <= end);
			cr_assert(t.value >= s && t.value + t.value_len <= end);
			cr_assert(at <= end && len == (size_t)(end - at));
		}
		free(line);
	}
}
