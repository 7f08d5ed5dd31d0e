/*
 * play: a login that finds the machine of a transcript, played by stand_in.
 */
#ifndef PATHTUNE_TESTS_PLAY_H
#define PATHTUNE_TESTS_PLAY_H

#include "sshd.h"

#include "probes/transcript.h"

#include <errno.h>

static inline const struct transcript *
play_transcript(const struct sshd *s, const char *file)
{
	struct arena *a = s->arena;
	struct transcript *t = arena_alloc(a, sizeof(*t));
	char *text = arena_alloc(a, 1 << 20);
	FILE *f = fopen(file, "r");
	struct err e = { 0 };
	size_t n;

	cr_assert_not_null(f, "%s", file);
	n = fread(text, 1, 1 << 20, f);
	cr_assert(n < 1 << 20 && fclose(f) == 0);
	cr_assert(transcript_parse(a, file, text, n, t, &e), "%s", e.text);
	return t;
}

static inline void
play_stand_in(const struct sshd *s, const char *name)
{
	const char *path = sshd_path(s, arena_printf(s->arena, "bin/%s", name));

	if (symlink(STAND_IN, path) != 0)
		cr_assert_eq(errno, EEXIST, "%s", path);
}

/*
 * Before play_machine(): the machine's /etc and /boot are etc/ and boot/ here, for all to read and
 * to write, and no longer what its transcript says of them.
 */
static inline void
play_own_files(const struct sshd *s)
{
	SSHD_DO("mkdir", "-p", sshd_path(s, "etc"), sshd_path(s, "boot"), sshd_path(s, "bin"));
	SSHD_DO("sh", "-c", "for i in grep cksum ln cp; do ln -sf $(command -v $i) $HOME/bin/$i; done");
	sshd_write(s, "bin/uname", 0755, arena_printf(s->arena, "#!/bin/sh\n"
	    "[ \"$1\" != -n ] || { echo played; exit; }\nexec %s/bin/uname.played/uname \"$@\"\n",
	    s->dir));
	SSHD_DO("mkdir", sshd_path(s, "bin/uname.played"));
	play_stand_in(s, "uname.played/uname");
}

/* A login's own namespace, where they are; "" without. */
static inline const char *
play_enter_files(const struct sshd *s)
{
	if (access(sshd_path(s, "etc"), F_OK) != 0)
		return "";
	return arena_printf(s->arena, "[ -n \"$PLAY\" ] || PLAY=1 exec unshare -m \"$0\"\n"
	    "mount --bind %s/etc /etc && mount --bind %s/boot /boot || exit 9\n"
	    "export STAND_IN_FILES=%s/state/\n", s->dir, s->dir, s->dir);
}

/*
 * From now on a login finds the machine of a transcript: the script that comes runs with a PATH in
 * which every command answers as that machine did, beside the few that scripts themselves use.
 * What it sets it finds in state/, and a pathtune of its own there as well.  The file "shell" does
 * the same for via:.
 */
static inline const struct transcript *
play_machine(struct sshd *s, const char *file)
{
	const struct transcript *t = play_transcript(s, file);
	struct arena *a = s->arena;
	const char *shell;

	SSHD_DO("mkdir", "-p", sshd_path(s, "bin"), sshd_path(s, "state"));
	SSHD_DO("sh", "-c", "for i in sh mkdir rm sleep wc dd mv sync nohup setsid true ls; "
	    "do ln -sf $(command -v $i) $HOME/bin/$i; done");
	play_stand_in(s, "cat");
	for (size_t i = 0; i < t->n_entries; i++) {
		const struct transcript_entry *x = &t->entries[i];

		if (x->argv != NULL && (x->answer.why == NULL || strcmp(x->answer.why,
		    arena_printf(a, "%s: not found", x->argv[0])) != 0))
			play_stand_in(s, x->argv[0]);
	}
	shell = arena_printf(a, "export STAND_IN='%s' TMPDIR=%s STAND_IN_STATE=%s/state "
	    "PATHTUNE_STATE=%s/state/pathtune\n"
	    "export ASAN_OPTIONS=detect_leaks=0\n" /* which needs the /proc of its namespace */
	    /* Every file by a command, and every test: this machine has others. */
	    "sed -u 's|PATH=/usr/local/sbin:[^ ]*|PATH=%s/bin|; /_pathtune_copy [0-9]/d\n"
	    "s/_pathtune_take \\([0-9]\\)/_pathtune_read \\1/; s/\\[ \"$1\" = test \\]/false/' | "
	    "exec /bin/sh -s", file, s->dir,
	    s->dir, s->dir, s->dir);
	shell = arena_printf(a, "%s%s", play_enter_files(s), shell);
	sshd_personality(s, arena_printf(a, "[ \"$SSH_ORIGINAL_COMMAND\" = 'exec /bin/sh -s' ] || exit 9\n"
	    "%s", shell), NULL);
	sshd_write(s, "shell", 0755, arena_printf(a, "#!/bin/sh\n%s\n", shell));
	return t;
}

#endif
