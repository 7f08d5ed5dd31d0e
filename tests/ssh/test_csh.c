/*
 * A login shell that is a csh.
 * needs: tcsh
 */
#include "sshd.h"

#include "probes/host.h"
#include "probes/stop.h"

Test(ssh_csh, a_csh_with_a_talking_cshrc_answers_like_any_other)
{
	struct command c[] = { { .argv = (const char *const[]){ "printf", "%s", "it's !x $y", NULL } },
		{ .argv = (const char *const[]){ "sh", "-c", "echo no >&2; exit 3", NULL } } };
	struct arena *a = arena_new();
	struct sshd *s = sshd_start(a);
	struct err e = { 0 };
	struct output o[2];
	struct host *h;

	cr_assert(stop_install());
	sshd_write(s, ".cshrc", 0644, "echo Welcome to csh\necho -n prompt\\> \n");
	sshd_personality(s, arena_printf(a, "HOME=%s exec tcsh -c \"$SSH_ORIGINAL_COMMAND\"", s->dir),
	    NULL);
	cr_assert(host_open(a, s->name, &h, &e), "%s", e.text);
	cr_assert(host_run(h, a, c, 2, o, &e), "%s", e.text);
	cr_expect_str_eq(o[0].text, "it's !x $y");
	cr_expect_eq(o[1].status, 3);
	cr_expect_str_eq(o[1].why, "no");
	host_close(h);
	sshd_end(s);
	arena_free(a);
}
