#include <criterion/criterion.h>

#include "probes/host.h"
#include "probes/transcript.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEAD "# pathtune transcript 1\n"

static struct arena *a;
static struct err e;

static void
setup(void)
{
	a = arena_new();
	e = (struct err){ 0 };
}

static void
teardown(void)
{
	arena_free(a);
}

TestSuite(transcript, .init = setup, .fini = teardown);

static bool
parse(const char *text, struct transcript *t)
{
	e = (struct err){ 0 };
	return transcript_parse(a, "T", text, strlen(text), t, &e);
}

static void
add(struct transcript *t, const char **argv, const char *file, struct output answer)
{
	*(struct transcript_entry *)arena_push(a, &t->entries, &t->n_entries,
	    sizeof(*t->entries)) = (struct transcript_entry){ argv, file, answer, 0 };
}

static struct output
said(int status, const char *text, size_t len, const char *why)
{
	return (struct output){ status, text, len, why };
}

static void
expect_same(const struct transcript *x, const struct transcript *y)
{
	cr_assert_eq(x->n_entries, y->n_entries);
	for (size_t i = 0; i < x->n_entries; i++) {
		const struct transcript_entry *ex = &x->entries[i];
		struct command c = { .argv = ex->argv, .file = ex->file };
		const struct transcript_entry *ey = transcript_find(y, &c);

		cr_assert_not_null(ey, "entry %zu", i);
		cr_expect_eq(ex->answer.status, ey->answer.status);
		cr_assert_eq(ex->answer.len, ey->answer.len, "entry %zu", i);
		cr_expect_eq(memcmp(ex->answer.text, ey->answer.text, ex->answer.len), 0);
		cr_expect_eq(ey->answer.text[ey->answer.len], '\0');
		cr_expect((ex->answer.why == NULL) == (ey->answer.why == NULL));
		if (ex->answer.why != NULL)
			cr_expect_str_eq(ex->answer.why, ey->answer.why);
	}
}

Test(transcript, anything_comes_back_as_it_was)
{
	static const char *texts[] = { "", "x", "x\n", "\n", "\n\n", "a\nb", "~", "~\n", "~~\n~",
		"|\n!\n= 0\n# end 1\n", "\\", "\\x41\n", "\t a \r\n", "$ x\n", " ", "'\"`$" };
	struct transcript t = { .origin = "composed", .path = { "192.0.2.7", 80.25, 3e8, NAN } };
	struct transcript back;
	char *text, *every = arena_alloc(a, 4096);
	size_t i;

	for (i = 0; i < 4096; i++)
		every[i] = (char)(i % 255 + 1);
	for (i = 0; i < NELEM(texts); i++) {
		const char **argv = arena_array(a, 4, sizeof(*argv));

		argv[0] = "word";
		argv[1] = texts[i];
		argv[2] = i % 2 == 0 ? NULL : "end";
		add(&t, argv, NULL, said(0, texts[i], strlen(texts[i]), NULL));
		if (*texts[i] != '\0')
			add(&t, NULL, texts[i], said(1, texts[i], strlen(texts[i]), texts[i]));
	}
	add(&t, NULL, "/every", said(-1, every, 4096, "why\n\\ \xff"));
	text = transcript_text(a, &t);
	for (i = 0; text[i] != '\0'; i++)
		cr_assert(text[i] == '\n' || text[i] == '\t' || (text[i] >= ' ' && text[i] <= '~'));
	cr_assert(parse(text, &back), "%s", e.text);
	expect_same(&t, &back);
	cr_expect_str_eq(back.origin, "composed");
	cr_expect_str_eq(back.path.peer, "192.0.2.7");
	cr_expect_eq(back.path.rtt_ms, 80.25);
	cr_expect_eq(back.path.send_bps, 3e8);
	cr_expect(isnan(back.path.receive_bps));
	cr_expect_str_eq(transcript_text(a, &back), text);
}

static const char whole[] = HEAD
    "# origin: composed from A.1\n"
    "# a comment\n"
    "$ sysctl -n kern.ipc.maxsockbuf\n|2097152\n= 0\n"
    "\n"
    "< /proc/sys/net/ipv4/tcp_rmem\n|4096\t131072\t33554432\n= 0\n"
    "# another\n"
    "$ ethtool -i 'odd name' 'it'\\\\''s'\n!ethtool: not found\n= -1\n"
    "$ four\n|a\n|\\x7eb\n|~c\\x00d\n= 3\n"
    "# end 4\n";

Test(transcript, reads_what_people_write)
{
	static const char *odd[] = { "ethtool", "-i", "odd name", "it's", NULL }, *four[] = { "four",
		NULL }, *none[] = { "none", NULL };
	struct command c[] = { { .argv = odd }, { .argv = four }, { .argv = none },
		{ .file = "/proc/sys/net/ipv4/tcp_rmem" }, { .file = "four" } };
	const struct transcript_entry *x;
	struct transcript t;

	cr_assert(parse(whole, &t), "%s", e.text);
	cr_expect_str_eq(t.origin, "composed from A.1");
	cr_assert_not_null(x = transcript_find(&t, &c[0]));
	cr_expect_eq(x->answer.status, -1);
	cr_expect_str_eq(x->answer.why, "ethtool: not found");
	cr_expect_eq(x->line, 12);
	cr_assert_not_null(x = transcript_find(&t, &c[1]));
	cr_expect_str_eq(x->answer.text, "a\n~b\nc?d", "a NUL byte is a '?' as with other hosts");
	cr_expect_str_eq(x->answer.why, "exit status 3");
	cr_expect_null(transcript_find(&t, &c[2]));
	cr_assert_not_null(x = transcript_find(&t, &c[3]));
	cr_expect_str_eq(x->answer.text, "4096\t131072\t33554432\n");
	cr_expect_null(transcript_find(&t, &c[4]), "a file is not a command");
}

Test(transcript, cut_anywhere_it_is_refused_or_the_same)
{
	size_t n, len = strlen(whole);
	struct transcript t, all;

	cr_assert(parse(whole, &all));
	for (n = 0; n < len; n++) {
		char *copy = malloc(n + 1); /* exactly as long, so that a sanitizer sees one more */
		bool ok;

		memcpy(copy, whole, n);
		e = (struct err){ 0 };
		ok = transcript_parse(a, "T", copy, n, &t, &e);
		free(copy);
		cr_assert_eq(ok, n == len - 1, "cut at %zu", n);
		if (ok)
			expect_same(&all, &t);
		else
			cr_assert_eq(strncmp(e.text, "T:", 2), 0, "%s", e.text);
	}
}

Test(transcript, what_is_wrong_is_said_with_its_line)
{
	static const struct { const char *text, *error; } cases[] = {
		{ "", "T:0: this is no transcript: its first line is not \"# pathtune transcript 1\"" },
		{ "# pathtune transcript 2\n# end 0\n", "T:1: this is no transcript" },
		{ HEAD "$ a\n= 0\n$ a\n= 0\n# end 2\n", "T:4: the same question as in line 2" },
		{ HEAD "< a\n= 0\n< a\n= 0\n# end 2\n", "T:4: the same question as in line 2" },
		{ HEAD "$ a\n= 0\n# end 2\n", "T:4: 1 answers are here, '2' says the end" },
		{ HEAD "$ a\n= 0\n# end 1x\n", "T:4: 1 answers" },
		{ HEAD "# end 0\n# more\n", "T:3: something follows the end" },
		{ HEAD "$ a\n|\\\n= 0\n# end 1\n", "T:3: a backslash" },
		{ HEAD "$ a\n|\\x4\n= 0\n# end 1\n", "T:3: a backslash" },
		{ HEAD "$ a\n|\\xAB\n= 0\n# end 1\n", "T:3: a backslash" },
		{ HEAD "$ a\n|\\n\n= 0\n# end 1\n", "T:3: a backslash" },
		{ HEAD "$ a\r\n= 0\n# end 1\n", "T:2: byte 0x0d must be written \\x0d" },
		{ HEAD "$ a\n|\xc3\xa9\n= 0\n# end 1\n", "T:3: byte 0xc3 must be" },
		{ HEAD "$ a\n|~x\n|y\n= 0\n# end 1\n", "T:4: output goes on behind a line" },
		{ HEAD "$ a\n!x\n|y\n= 1\n# end 1\n", "T:4: '|y' where the answer goes on" },
		{ HEAD "$ a\n!x\n= 0\n# end 1\n", "T:4: a reason (\"!\"), but the status is 0" },
		{ HEAD "$ a\n= 256\n# end 1\n", "T:3: '= 256' is not \"= \" and a status" },
		{ HEAD "$ a\n= \n# end 1\n", "T:3: '= ' is not" },
		{ HEAD "$ a\n= 99999999999999999999\n# end 1\n", "T:3: '= 99999999999999999999' is not" },
		{ HEAD "$ a\n\n= 0\n# end 1\n", "T:3: '' where the answer goes on" },
		{ HEAD "$ a\n# end 0\n", "T:3: '# end 0' where the answer goes on" },
		{ HEAD "$ \n= 0\n# end 1\n", "T:2: no command" },
		{ HEAD "$a\n= 0\n# end 1\n", "T:2: '$a' is not the beginning of a question" },
		{ HEAD "\\x24 a\n= 0\n# end 1\n", "T:2: '$ a' is not the beginning of a question" },
		{ HEAD "< a b\n= 0\n# end 1\n", "T:2: one file is asked for" },
		{ HEAD "$ 'a\n= 0\n# end 1\n", "T:2: a quote is not closed" },
		{ HEAD "$ a;b\n= 0\n# end 1\n", "T:2: ';' must be in single quotes" },
		{ HEAD "$ a\\x00\n= 0\n# end 1\n", "T:2: a question has no NUL byte" },
		{ HEAD "# rtt_ms: -1\n# end 0\n", "T:2: rtt_ms: '-1' is not a number above 0" },
		{ HEAD "# rtt_ms: nan\n# end 0\n", "T:2: rtt_ms: 'nan' is not a number" },
		{ HEAD "# rtt_ms: 1000001\n# end 0\n",
		    "T:2: rtt_ms: '1000001' is not a number above 0, up to 1e+06" },
		{ HEAD "# peer: h\303\251te\n# end 0\n",
		    "T:2: peer: 'h\303\251te' is not a numeric address" },
		{ HEAD "# rtt_ms: 1\n# rtt_ms: 1\n# end 0\n", "T:3: rtt_ms is there twice" },
		{ HEAD "# peer: a\n# peer: a\n# end 0\n", "T:3: peer is there twice" },
		{ HEAD "# peer: \n# end 0\n", "T:2: peer is empty" },
	};
	struct transcript t = { .n_entries = 77 };

	for (size_t i = 0; i < NELEM(cases); i++) {
		cr_assert_not(parse(cases[i].text, &t), "%s", cases[i].text);
		cr_expect_eq(e.code, ERR_USAGE);
		cr_expect_eq(strncmp(e.text, cases[i].error, strlen(cases[i].error)), 0,
		    "%s instead of %s", e.text, cases[i].error);
	}
	cr_expect_eq(t.n_entries, 77, "the output is untouched");
	cr_expect_not(transcript_parse(a, "T", HEAD "# x\0y\n# end 0\n", 39, &t, &e));
	e = (struct err){ 0 };
	cr_expect_not(transcript_parse(a, "T", HEAD "$ a\n|\0\n= 0\n", 37, &t, &e));
	cr_expect_str_eq(e.text, "T:3: byte 0x00 must be written \\x00");
}

Test(transcript, a_path_of_any_size_is_read_as_it_was_written)
{
	static const double rtts[] = { 1e6, 999999.99999999, .00002, 5e-324 };
	struct transcript t = { .path = { "fe80::1%em0", NAN, 1e15, .5 } }, back;

	for (size_t i = 0; i < NELEM(rtts); i++) {
		t.path.rtt_ms = rtts[i];
		cr_assert(parse(transcript_text(a, &t), &back), "%s", e.text);
		cr_expect_float_eq(back.path.rtt_ms, rtts[i], rtts[i] * 1e-9);
		cr_expect_eq(back.path.send_bps, 1e15);
		cr_expect_str_eq(back.path.peer, "fe80::1%em0");
	}
}

Test(transcript, a_host_answers_from_one_in_memory)
{
	static const char *const uname[] = { "uname", "-s", NULL }, *const id[] = { "id", NULL };
	const struct command c[] = { { .argv = uname }, { .argv = id } };
	struct output out[2];
	struct transcript t;
	struct host *h;

	cr_assert(parse(HEAD "# rtt_ms: 7\n$ uname -s\n|Linux\n= 0\n# end 1\n", &t));
	h = host_replay(a, &t);
	t = (struct transcript){ 0 }; /* it has its own */
	cr_assert(host_run(h, a, c, 2, out, &e));
	cr_expect_str_eq(out[0].text, "Linux\n");
	cr_expect_eq(out[1].status, -1);
	cr_expect_not(host_is_here(h));
	cr_expect_eq(host_path(h)->rtt_ms, 7);
	host_close(h);
}

Test(transcript, large_ones_are_read_or_refused)
{
	struct text s = { .arena = a };
	struct transcript t;
	size_t i;

	text_add(&s, "%s", HEAD);
	for (i = 0; i < 50000; i++)
		text_add(&s, "$ command %zu\n|answer %zu\n|more\n= 0\n", i, i);
	text_add(&s, "# end 50000\n");
	cr_assert(parse(s.s, &t), "%s", e.text);
	cr_expect_str_eq(t.entries[49999].answer.text, "answer 49999\nmore\n");

	s = (struct text){ .arena = a };
	text_add(&s, "%s$ a\n", HEAD);
	for (i = 0; i < 200000; i++)
		text_bytes(&s, "|\n", 2);
	text_add(&s, "= 0\n# end 1\n");
	cr_assert(parse(s.s, &t), "%s", e.text);
	cr_expect_eq(t.entries[0].answer.len, 200000);

	s = (struct text){ .arena = a };
	text_add(&s, "%s$ a\n", HEAD);
	for (i = 0; i <= HOST_OUTPUT_BYTES; i++)
		text_bytes(&s, "|\n", 2);
	text_add(&s, "= 0\n# end 1\n");
	cr_expect_not(parse(s.s, &t));
	cr_expect_str_eq(e.text, "T:262147: more than 262144 bytes of output");

	s = (struct text){ .arena = a };
	text_add(&s, "%s", HEAD);
	for (i = 0; i <= TRANSCRIPT_ENTRIES; i++)
		text_add(&s, "$ %zu\n= 0\n", i);
	cr_expect_not(parse(s.s, &t));
	cr_expect_str_eq(e.text, "T:131074: more than 65536 questions");
}

Test(transcript, replay_answers_what_was_asked_and_nothing_else)
{
	static const char *argv[] = { "sysctl", "-n", "kern.ipc.maxsockbuf", NULL };
	char dir[] = "/tmp/pathtune-replay-XXXXXX", *file;
	struct command c[] = { { .argv = argv }, { .file = "/etc/passwd" } };
	struct output out[2];
	struct host *h;
	FILE *f;

	cr_assert_not_null(mkdtemp(dir));
	file = arena_printf(a, "%s/transcript", dir);
	cr_assert_not(host_open(a, arena_printf(a, "replay:%s", dir), &h, &e));
	cr_expect_str_eq(e.text, arena_printf(a, "%s: No such file or directory", file));
	cr_assert_not_null(f = fopen(file, "w"));
	fprintf(f, "%s", whole);
	fclose(f);
	e = (struct err){ 0 };
	cr_assert(host_open(a, arena_printf(a, "replay:%s", dir), &h, &e), "%s", e.text);
	cr_expect_not(host_is_here(h));
	cr_assert(host_run(h, a, c, 2, out, &e));
	cr_expect_str_eq(out[0].text, "2097152\n");
	cr_expect_eq(out[0].status, 0);
	cr_expect_eq(out[1].status, -1);
	cr_expect_str_eq(out[1].why, "not asked when this was recorded");
	cr_expect_str_eq(out[1].text, "");
	cr_expect_null(host_path(h)->peer);
	cr_expect_not(host_write(h, "/nonexistent/knob", "1", &e));
	cr_expect_str_eq(e.text, "/nonexistent/knob: a recording cannot be changed");
	host_close(h);
	unlink(file);
	rmdir(dir);
}
