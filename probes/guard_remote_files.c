#include "guard_remote_files.h"

#include "process.h"
#include "remote_file.h"
#include "../tuner/words.h"

#include <string.h>

/*
 * Of file number j: path, what it was ("none", or its sum), new (or "gone"), the umask for one that
 * was none; by and kept, the names beside it.  They begin with a dot and do not end in ".conf":
 * nothing reads them at boot.  nf and these are set by "commit"; without one there are no files.
 */
const char guard_remote_files_text[] =
    "file() {\n"
    "	eval \"path=\\$path_$j from=\\$from_$j new=\\$new_$j mask=\\$mask_$j\"\n"
    "	by=${path%/*}/.${path##*/}.pathtune-new-remote\n"
    "	kept=${path%/*}/.${path##*/}.pathtune-old-remote\n"
    "}\n"
    "each() {\n"
    "	j=0\n"
    "	while [ \"$j\" -lt \"$nf\" ]; do\n"
    "		file\n"
    "		\"$1\" || return 1\n"
    "		j=$((j + 1))\n"
    "	done\n"
    "}\n"
    "is() {\n"
    "	if [ \"$2\" = none ]; then\n"
    "		[ ! -e \"$1\" ] && [ ! -h \"$1\" ]\n"
    "		return\n"
    "	fi\n"
    "	[ -f \"$1\" ] && [ ! -h \"$1\" ] || return 1\n"
    "	sum=$(cksum <\"$1\") || return 1\n"
    "	set -- \"$2\" $sum\n"
    "	[ \"$1\" = \"$2 $3\" ]\n"
    "}\n"
    "untouched() {\n"
    "	is \"$1\" \"$from\" && return\n"
    "	why=\"$path: was changed in this moment by somebody else\"\n"
    "	return 1\n"
    "}\n"
    "prepare() {\n"
    "	untouched \"$path\" || return 1\n"
    "	why=\"$path: cannot be replaced\" dir=${path%/*}\n"
    "	[ -d \"${dir:-/}\" ] || ( umask 022; mkdir \"$dir\" ) || return 1\n"
    "	rm -f \"$by\" \"$kept\" || return 1\n"
    "	if [ \"$from\" != none ]; then\n"
    "		ln \"$path\" \"$kept\" || return 1\n"
    "	fi\n"
    "	[ \"$new\" != gone ] || return 0\n"
    "	if [ \"$from\" != none ]; then cp -p \"$path\" \"$by\"\n"
    "	else ( umask \"$mask\"; set -C; : >\"$by\" )\n"
    "	fi && cat \"$d/new$j\" >\"$by\" && is \"$by\" \"$new\"\n"
    "}\n"
    "swap() {\n"
    "	untouched \"$path\" || return 1\n"
    "	why=\"$path: cannot be replaced\"\n"
    "	if [ \"$new\" = gone ]; then rm -f \"$path\"; else mv -f \"$by\" \"$path\"; fi\n"
    "}\n"
    "intact() {\n"
    "	[ \"$from\" = none ] || untouched \"$kept\"\n"
    "}\n"
    "tidy() {\n"
    "	rm -f \"$by\" \"$kept\"\n"
    "}\n"
    "hold() {\n"
    "	k=0\n"
    "	while [ \"$k\" -lt \"$n\" ]; do\n"
    "		eval \"name=\\$name_$k hold=\\$hold_$k\"\n"
    "		if [ -n \"$hold\" ] && { ! look || [ \"$now\" != \"$hold\" ]; }; then\n"
    "			why=\"$name: should be $hold, is $now\"\n"
    "			return 1\n"
    "		fi\n"
    "		k=$((k + 1))\n"
    "	done\n"
    "}\n"
    "carry_out() {\n"
    "	each prepare && sync && echo >\"$d/prepared\" && sync && hold && each swap && hold &&\n"
    "		each intact && sync && echo >\"$d/kept\" && sync\n"
    "}\n"
    "commit() {\n"
    "	why=\"nothing is staged\" nf=0\n"
    "	[ -e \"$d/commit\" ] || return 1\n"
    "	. \"$d/commit\"\n"
    "	why=\n"
    "	carry_out 2>\"$d/said\" && return\n"
    "	why=${why:-its disk cannot be written} said=\n"
    "	[ ! -s \"$d/said\" ] || while read -r line; do said=$line; done <\"$d/said\"\n"
    "	[ -z \"$said\" ] || why=\"$why: ${said##*: }\"\n"
    "	return 1\n"
    "}\n"
    "settle() {\n"
    "	nf=0 said=kept\n"
    "	[ ! -e \"$d/commit\" ] || . \"$d/commit\"\n"
    "	each tidy 2>/dev/null\n"
    "	sync\n"
    "}\n"
    "file_back() {\n"
    "	if [ ! -e \"$d/prepared\" ]; then :\n"
    "	elif [ \"$new\" = gone ]; then\n"
    "		[ -e \"$path\" ] || [ ! -e \"$kept\" ] || mv -f \"$kept\" \"$path\"\n"
    "	elif [ ! -e \"$by\" ] && is \"$path\" \"$new\"; then\n"
    "		if [ \"$from\" = none ]; then rm -f \"$path\"; else mv -f \"$kept\" \"$path\"; fi\n"
    "	fi || return 1\n"
    "	rm -f \"$by\" \"$kept\"\n"
    "	return 0\n"
    "}\n"
    "put_back() {\n"
    "	nf=0\n"
    "	[ ! -e \"$d/commit\" ] || . \"$d/commit\"\n"
    "	j=$nf\n"
    "	while [ \"$j\" -gt 0 ]; do\n"
    "		j=$((j - 1))\n"
    "		file\n"
    "		file_back 2>/dev/null || failed=${failed:-$path}\n"
    "	done\n"
    "	[ \"$nf\" -eq 0 ] || sync\n"
    "}\n";

static const char stage_text[] =
    "is() {\n"
    "	sum=$(cksum <\"$1\") || return 1\n"
    "	set -- \"$2\" $sum\n"
    "	[ \"$1\" = \"$2 $3\" ]\n"
    "}\n"
    "[ ! -e decided ] && kill -0 \"$(cat pid)\" 2>/dev/null || { echo gone; exit 0; }\n";

static void
add_file(struct text *t, const struct guard_remote_file *f, size_t j)
{
	text_add(t, "path_%zu=", j);
	words_quote(t, f->path);
	text_add(t, " from_%zu='%s' new_%zu='%s' mask_%zu=%s\n", j,
	    f->was == NULL ? "none" : remote_file_sum(t->arena, f->was, f->was_len), j,
	    f->want == NULL ? "gone" : remote_file_sum(t->arena, f->want, f->len), j,
	    f->secret ? "077" : "022");
}

static const char *
new_name(struct arena *a, size_t j)
{
	return arena_printf(a, "new%zu", j);
}

/* A cut link may leave a part of a text: it is looked at before anything says that it is there. */
static const char *
stage_script(struct arena *a, const char *dir, const struct guard_remote_change *x)
{
	struct text t = { .arena = a };

	text_add(&t, "LC_ALL=C PATH=%s\nexport LC_ALL PATH\nunset IFS\numask 077\ncd ",
	    PROCESS_PATH);
	words_quote(&t, dir);
	text_add(&t, " 2>/dev/null || { echo gone; exit 0; }\n%s", stage_text);
	for (size_t j = 0; j < x->n_files; j++) {
		if (x->files[j].want != NULL)
			text_add(&t, "is new%zu '%s' || { echo 'failed what was sent'; exit 0; }\n",
			    j, remote_file_sum(a, x->files[j].want, x->files[j].len));
	}
	text_add(&t, "cat >commit.new <<'pathtune_end_of_commit'\nnf=%zu\n", x->n_files);
	for (size_t j = 0; j < x->n_files; j++)
		add_file(&t, &x->files[j], j);
	for (size_t k = 0; k < x->n_holds; k++) {
		text_add(&t, "hold_%zu=", x->holds[k].knob);
		words_quote(&t, x->holds[k].text);
		text_bytes(&t, "\n", 1);
	}
	text_add(&t, "pathtune_end_of_commit\nmv commit.new commit || exit 1\n"
	    "[ ! -s result.new ] || mv result.new result\n"
	    "echo staged >lease.new && mv lease.new lease\n"
	    "[ -e decided ] && echo gone || echo ok\n");
	return t.s;
}

void
guard_remote_files_stage(struct arena *a, const char *dir, const struct guard_remote_change *x,
    struct command **c, size_t *n)
{
	const char **argv = arena_array(a, 4, sizeof(*argv));

	for (size_t j = 0; j < x->n_files; j++) {
		if (x->files[j].want != NULL)
			remote_file_bring(a, arena_printf(a, "%s/%s", dir, new_name(a, j)),
			    x->files[j].want, x->files[j].len, c, n);
	}
	if (x->result != NULL)
		remote_file_bring(a, arena_printf(a, "%s/result.new", dir), x->result,
		    strlen(x->result), c, n);
	argv[0] = "sh";
	argv[1] = "-c";
	argv[2] = stage_script(a, dir, x);
	*(struct command *)arena_push(a, c, n, sizeof(**c)) =
	    (struct command){ .argv = argv, .even_stopped = true };
}
