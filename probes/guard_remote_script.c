#include "guard_remote_script.h"

#include "guard_journal.h"
#include "guard_remote_files.h"
#include "process.h"
#include "../tuner/words.h"

#include <string.h>

#define VALUE "{value}"
#define HERE "pathtune_end_of_guard" /* no line of the guard's is this one */

/*
 * The guard itself, after what is its own: d, lease, n, and for each knob k read_k, write_k and
 * name_k.
 * The values that are ours are lines of the file values_k, the old one is the first.  Who makes
 * "decided" first decides: we restore, or all is kept.  "sh guard now" is for what a dead one left.
 * A reader that hangs is left behind; so what it prints goes to a file, for which nobody waits.
 * "share" fifths of the lease without a renewal are enough.
 */
static const char body[] =
    "limited() {\n"
    "	\"$@\" </dev/null 2>/dev/null &\n"
    "	p=$!\n"
    "	( sleep 5; kill -9 \"$p\" ) </dev/null >/dev/null 2>&1 &\n"
    "	w=$!\n"
    "	wait \"$p\" 2>/dev/null\n"
    "	s=$?\n"
    "	kill -9 \"$w\" 2>/dev/null\n"
    "	wait \"$w\" 2>/dev/null\n"
    "	return \"$s\"\n"
    "}\n"
    "look() {\n"
    "	now=\n"
    "	limited \"read_$k\" >\"$d/now\" || return 1\n"
    "	while read -r line || [ -n \"$line\" ]; do now=\"$now $line\"; done <\"$d/now\"\n"
    "	set -- $now\n"
    "	now=$* after=\n"
    "	eval \"after=\\$after_$k\"\n"
    "	if [ -n \"$after\" ]; then\n"
    "		case $now in\n"
    "		*\"$after\"*) set -- ${now#*\"$after\"}; now=$1 ;;\n"
    "		*) now= ;;\n"
    "		esac\n"
    "	fi\n"
    "	[ -n \"$now\" ]\n"
    "}\n"
    "nth() {\n"
    "	nth=\n"
    "	[ \"$1\" -lt \"$#\" ] || return 0\n"
    "	shift \"$1\"\n"
    "	nth=$1\n"
    "}\n"
    "owned() {\n"
    "	[ ! -e \"$d/pending$k\" ] || return 0\n"
    "	set -- $now\n"
    "	fields=$#\n"
    "	set -- $old\n"
    "	[ \"$#\" -eq \"$fields\" ] || return 1\n"
    "	i=0\n"
    "	for f in $now; do\n"
    "		i=$((i + 1)) mine=\n"
    "		while read -r line; do\n"
    "			nth \"$i\" $line\n"
    "			[ \"$nth\" != \"$f\" ] || mine=1\n"
    "		done <\"$d/values$k\"\n"
    "		[ -n \"$mine\" ] || return 1\n"
    "	done\n"
    "}\n"
    "restore_one() {\n"
    "	read -r old <\"$d/values$k\"\n"
    "	set -- $old\n"
    "	old=$*\n"
    "	look || return 1\n"
    "	[ \"$now\" != \"$old\" ] || return 0\n"
    "	if ! owned; then\n"
    "		foreign=${foreign:-$name}\n"
    "		return 0\n"
    "	fi\n"
    "	limited \"write_$k\" \"$old\" >/dev/null\n"
    "	look && [ \"$now\" = \"$old\" ] || return 1\n"
    "	restored=$((restored + 1))\n"
    "}\n"
    "restore() {\n"
    "	k=$n failed= foreign= restored=0\n"
    "	put_back\n"
    "	while [ \"$k\" -gt 0 ]; do\n"
    "		k=$((k - 1))\n"
    "		eval \"name=\\$name_$k\"\n"
    "		restore_one || failed=${failed:-$name}\n"
    "	done\n"
    "	if [ -n \"$failed\" ]; then said=\"failed $failed\"\n"
    "	elif [ -n \"$foreign\" ]; then said=\"foreign $foreign\"\n"
    "	elif [ -n \"$why\" ]; then said=\"undone $why\"\n"
    "	else said=\"ok $restored\"\n"
    "	fi\n"
    "}\n"
    "if [ \"$1\" = now ]; then\n"
    "	why=\n"
    "	if [ -e \"$d/kept\" ]; then settle; else restore; fi\n"
    "	[ -n \"$failed\" ] || rm -rf \"$d\"\n"
    "	echo \"$said\"\n"
    "	exit 0\n"
    "fi\n"
    "beats() {\n"
    "	while kill -0 \"$$\" && [ -d \"$d\" ]; do\n"
    "		beat=$((beat + 1))\n"
    "		echo \"$beat\" >\"$d/beat\"\n"
    "		sleep 1\n"
    "	done\n"
    "}\n"
    "beat=0 idle=0 was= tick=.5 ticks=$((lease * 2 * share / 5)) first=40\n"
    /* of a short lease a coarse tick, or two, would be a large part */
    "[ \"$lease\" -ge 10 ] || tick=.2 ticks=$((lease * share)) first=100\n"
    "echo \"$$\" >\"$d/pid\"\n"
    "sleep .1 2>/dev/null || tick=1 ticks=$((lease * share / 5)) first=20\n"
    /* where nothing of ours is set yet, renewals may still have to log in */
    "while [ ! -e \"$d/stop\" ] && [ ! -e \"$d/go\" ] &&\n"
    "    { [ \"$idle\" -lt \"$ticks\" ] ||\n"
    "	{ [ ! -e \"$d/announced\" ] && [ \"$idle\" -lt $((ticks + first)) ]; }; }; do\n"
    "	[ -d \"$d\" ] || exit 0\n"
    "	now=\n"
    "	read -r now <\"$d/lease\"\n"
    "	if [ \"$now\" = \"$was\" ]; then idle=$((idle + 1)); else idle=0 was=$now; fi\n"
    "	beat=$((beat + 1))\n"
    "	echo \"$beat\" >\"$d/beat\"\n"
    "	sleep \"$tick\"\n"
    "done 2>/dev/null\n"
    "mkdir \"$d/decided\" 2>/dev/null || exit 0\n"
    "beats </dev/null >/dev/null 2>&1 &\n"
    "b=$! why= failed=\n"
    /* for one who looked just before */
    "[ -e \"$d/stop\" ] || [ -e \"$d/go\" ] || sleep \"$tick\"\n"
    "if [ -e \"$d/go\" ] && [ ! -e \"$d/stop\" ] && commit; then settle; else restore; fi\n"
    "kill -9 \"$b\"\n"
    "wait \"$b\"\n"
    "if [ -e \"$d/stop\" ] || [ -e \"$d/go\" ]; then\n"
    "	echo \"$said\" >\"$d.new\"\n"
    "	mv -f \"$d.new\" \"$d.said\"\n"
    "fi\n"
    "[ -n \"$failed\" ] || rm -rf \"$d\"\n";

/*
 * What is there may be at work: its beat goes on.  A process of its number alone says nothing, but
 * may be one that is slow; where there is no number yet, it may be about to start.
 */
static const char alive[] =
    "alive() {\n"
    "	t=0 was=$(cat \"$s/remote/beat\" 2>/dev/null)\n"
    "	while [ \"$t\" -lt 2 ] || { [ \"$t\" -lt 10 ] && { [ ! -e \"$s/remote/pid\" ] ||\n"
    "		kill -0 \"$(cat \"$s/remote/pid\" 2>/dev/null)\" 2>/dev/null; }; }; do\n"
    "		sleep 1\n"
    "		[ -d \"$s/remote\" ] || return 1\n"
    "		[ \"$was\" = \"$(cat \"$s/remote/beat\" 2>/dev/null)\" ] || return 0\n"
    "		t=$((t + 1))\n"
    "	done\n"
    "	return 1\n"
    "}\n";

/* What a dead one left is carried out.  Says why not, and ends the script. */
static const char carry[] =
    "carry() {\n"
    "	if [ ! -e \"$s/remote/guard\" ]; then\n"
    "		rm -rf \"$s/remote\"\n"
    "		return\n"
    "	fi\n"
    "	said=$($sh \"$s/remote/guard\" now)\n"
    "	case $said in\n"
    "	ok*) healed=$((healed + ${said#ok })) ;;\n"
    "	failed*) echo \"$said\"; exit 0 ;;\n"
    "	esac\n"
    "}\n";

/* It says what is written into a kernel and into /etc: nobody else may have a hand in it. */
static const char private[] =
    "set -- $(ls -ldn \"$s/.\" 2>/dev/null)\n"
    "case $1 in\n"
    "?????w*|????????w*) set -- ;;\n"
    "esac\n"
    "[ -z \"$1\" ] || [ \"$3\" = \"$(id -u)\" ] || set --\n"
    "[ -n \"$1\" ] || { echo \"unfit $s\"; exit 0; }\n";

/* A run of the host's own looks for "remote" once its journal is there: one of the two gives up. */
static const char take[] =
    "m=0 healed=0\n"
    "until mkdir \"$s/remote\" 2>/dev/null; do\n"
    "	[ -d \"$s/remote\" ] || { echo \"failed $s cannot be made: a value\"; exit 0; }\n"
    "	! alive || { echo \"busy its guard is alive\"; exit 0; }\n"
    "	[ -d \"$s/remote\" ] || continue\n"
    "	m=$((m + 1))\n"
    "	[ \"$m\" -le 2 ] || { echo \"busy $s/remote is in the way\"; exit 0; }\n"
    "	carry\n"
    "done\n"
    "for j in \"$s\"/journal-*; do\n"
    "	[ -e \"$j\" ] || continue\n"
    "	[ -z \"$own\" ] || [ \"$j\" = \"$s/$own\" ] || grep -q '^file' \"$j\" || continue\n"
    "	rm -rf \"$s/remote\"\n"
    "	echo \"busy $j is there; if its run died, what it left is taken back by the next\" \\\n"
    "		\"command of that machine itself: pathtune probe\"\n"
    "	exit 0\n"
    "done\n"
    "d=$s/remote\n"
    "rm -f \"$d.said\"\n";

static const char launch[] =
    "echo 0 >\"$d/lease\"\n"
    "mv \"$d/guard.new\" \"$d/guard\"\n"
    "sync\n"
    "if command -v setsid >/dev/null 2>&1; then\n"
    "	nohup setsid $sh \"$d/guard\" lease </dev/null >/dev/null 2>&1 &\n"
    "else\n"
    "	nohup $sh \"$d/guard\" lease </dev/null >/dev/null 2>&1 &\n"
    "fi\n"
    "t=0\n"
    "until [ -s \"$d/beat\" ]; do\n"
    "	t=$((t + 1))\n"
    "	[ \"$t\" -gt 100 ] || { sleep .1 2>/dev/null || sleep 1; continue; }\n"
    "	rm -rf \"$d\"\n"
    "	echo \"failed the guard does not start: a value\"\n"
    "	exit 0\n"
    "done\n"
    "echo \"armed $healed $d\"\n";

/* The words of an argv, {value} as the function's first argument. */
static void
add_argv(struct text *t, const char *const *argv)
{
	for (size_t i = 0; argv[i] != NULL; i++) {
		const char *at = strstr(argv[i], VALUE);

		text_bytes(t, " ", 1);
		if (at == NULL) {
			words_quote(t, argv[i]);
			continue;
		}
		if (at != argv[i])
			words_quote(t, arena_strndup(t->arena, argv[i], (size_t)(at - argv[i])));
		text_add(t, "\"$1\"");
		if (at[strlen(VALUE)] != '\0')
			words_quote(t, at + strlen(VALUE));
	}
}

static void
add_knob(struct text *t, const struct knob_value *v, size_t k)
{
	static const char *const cat[] = { "cat", "--", NULL };

	text_add(t, "name_%zu=", k);
	words_quote(t, v->name);
	text_add(t, "\nafter_%zu=", k);
	words_quote(t, v->after == NULL ? "" : v->after);
	text_add(t, "\nread_%zu() {", k);
	add_argv(t, v->file != NULL ? cat : v->read);
	if (v->file != NULL) {
		text_bytes(t, " ", 1);
		words_quote(t, v->file);
	}
	text_add(t, "; }\nwrite_%zu() {", k);
	if (v->file != NULL) {
		text_add(t, " printf '%%s\\n' \"$1\" >");
		words_quote(t, v->file);
	} else {
		add_argv(t, v->write);
	}
	text_add(t, "; }\n");
}

static void
add_common(struct text *t)
{
	text_add(t, "LC_ALL=C PATH=%s\nexport LC_ALL PATH\nunset IFS\numask 077\n", PROCESS_PATH);
}

void
guard_remote_script_value(struct text *t, size_t k, const char *value)
{
	struct text one = { .arena = t->arena };
	const char *field;
	size_t len;

	while ((field = knobs_field(&value, &len)) != NULL) {
		text_bytes(&one, one.len == 0 ? "" : " ", one.len == 0 ? 0 : 1);
		text_bytes(&one, field, len);
	}
	text_add(t, "printf '%%s\\n' ");
	words_quote(t, one.s == NULL ? "" : one.s);
	text_add(t, " >>values%zu\n: >pending%zu\n", k, k);
}

static void
add_state(struct text *t, const struct guard_remote_spec *spec)
{
	text_add(t, "s=");
	words_quote(t, spec->state_dir == NULL ? "" : spec->state_dir);
	text_add(t, "\ns=${s:-${PATHTUNE_STATE:-}}\nif [ -z \"$s\" ]; then\n"
	    "	s=$HOME/.local/state/pathtune\n"
	    "	[ \"$(id -u)\" -ne 0 ] || s=/var/lib/pathtune\n"
	    "fi\n"
	    "mkdir -p \"$s\" 2>/dev/null || { echo \"unmade $s\"; exit 0; }\n"
	    "%ssh='%s'\n", private, spec->shell == NULL ? "sh" : spec->shell);
}

const char *
guard_remote_script_start(struct arena *a, const struct guard_remote_spec *spec)
{
	struct text t = { .arena = a };

	add_common(&t);
	add_state(&t, spec);
	text_add(&t, "own=");
	words_quote(&t, spec->scope_id == NULL ? "" : journal_name(a, spec->scope_id));
	text_add(&t, "\n%s%s%s", alive, carry, take);
	text_add(&t, "cd \"$d\" || exit 1\n");
	for (size_t k = 0; k < spec->n; k++)
		guard_remote_script_value(&t, k, spec->old[k].text);
	text_add(&t, "rm -f pending*\ncat >guard.new <<'" HERE "'\n");
	add_common(&t);
	text_add(&t, "d=${0%%/*}\ntrap '' HUP INT TERM QUIT PIPE TSTP\nset -f\n"
	    "ulimit -f unlimited 2>/dev/null\nlease=%.0f share=%d n=%zu\n",
	    spec->lease_s, spec->early ? 3 : 5, spec->n);
	for (size_t k = 0; k < spec->n; k++)
		add_knob(&t, &spec->old[k], k);
	text_add(&t, "%s%s", guard_remote_files_text, body);
	text_add(&t, HERE "\n");
	text_bytes(&t, launch, strlen(launch));
	return t.s;
}

const char *
guard_remote_script_tell(struct arena *a, const char *dir, unsigned long renewals,
    const char *what)
{
	struct text t = { .arena = a };

	add_common(&t);
	text_add(&t, "cd ");
	words_quote(&t, dir);
	text_add(&t, " 2>/dev/null && [ ! -e decided ] && kill -0 \"$(cat pid)\" 2>/dev/null ||\n"
	    "	{ echo gone; exit 0; }\n%s"
	    "echo %lu >lease.new && mv lease.new lease\n"
	    "[ -e decided ] && echo gone || echo ok\n", what, renewals);
	return t.s;
}

/* Say it to the guard, and wait for what comes of it; a dead one's work is done here. */
static const char tell_text[] =
    "until [ -s \"$d.said\" ]; do\n"
    "	[ -d \"$d\" ] || [ -s \"$d.said\" ] || { echo gone; exit 0; }\n"
    "	kill -0 \"$(cat \"$d/pid\" 2>/dev/null)\" 2>/dev/null ||\n"
    "		[ -s \"$d.said\" ] || { sh \"$d/guard\" now; exit 0; }\n"
    "	sleep .1 2>/dev/null || sleep 1\n"
    "done\n"
    "cat \"$d.said\"\n"
    "case $(cat \"$d.said\") in\n"
    "failed*) ;;\n"
    "*)\n"
    "	while [ -d \"$d\" ] && kill -0 \"$(cat \"$d/pid\" 2>/dev/null)\" 2>/dev/null; do\n"
    "		sleep .1 2>/dev/null || sleep 1\n"
    "	done ;;\n"
    "esac\n"
    "rm -f \"$d.said\"\n";

const char *
guard_remote_script_end(struct arena *a, const char *dir, enum guard_remote_end end)
{
	struct text t = { .arena = a };

	add_common(&t);
	text_add(&t, "d=");
	words_quote(&t, dir);
	if (end == GUARD_REMOTE_KEEP)
		text_add(&t, "\nmkdir \"$d/decided\" 2>/dev/null || { echo gone; exit 0; }\n"
		    ": >\"$d/kept\"\n"
		    "rm -rf \"$d\"\n"
		    "echo ok\n");
	else
		text_add(&t, "\n[ -d \"$d\" ] || [ -s \"$d.said\" ] || { echo gone; exit 0; }\n"
		    "( : >\"$d/%s\" ) 2>/dev/null\n%s", end == GUARD_REMOTE_GO ? "go" : "stop",
		    tell_text);
	return t.s;
}

const char *
guard_remote_script_look(struct arena *a, const char *dir, const char *usual, bool heal)
{
	struct text t = { .arena = a };

	add_common(&t);
	text_add(&t, "s=");
	words_quote(&t, dir == NULL ? "" : dir);
	text_add(&t, "\ns=${s:-${PATHTUNE_STATE:-}} sh=sh healed=0\n"
	    "if [ -z \"$s\" ]; then\n"
	    "	s=${HOME:-}/.local/state/pathtune\n"
	    "	[ \"$(id -u)\" -ne 0 ] || s=");
	words_quote(&t, usual);
	text_add(&t, "\nfi\necho \"dir $s\"\necho \"uid $(id -u)\"\n"
	    "[ -e \"$s\" ] || exit 0\n%s%s%s", private, alive, carry);
	text_add(&t, "if [ ! -d \"$s/remote\" ]; then :\n"
	    "elif alive; then\n"
	    "	[ -s \"$s/remote/result\" ] && [ ! -e \"$s/remote/decided\" ] &&\n"
	    "		echo waits || echo busy\n"
	    "%s"
	    "fi\n"
	    "[ ! -s \"$s/remote.said\" ] || echo \"said $(cat \"$s/remote.said\")\"\n"
	    "%s", heal ? "elif [ -d \"$s/remote\" ]; then\n	carry\n	echo \"healed $healed\"\n" :
	    "elif [ -d \"$s/remote\" ]; then echo dead\n",
	    heal ? "[ -d \"$s/remote\" ] || rm -f \"$s/remote.said\"\n" : "");
	return t.s;
}
