#include "kills_place.h"

#include "probes/files.h"
#include "probes/keeper.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#define FILES 2
#define GUARD_MS 60000

const char *const place_found_names[] = { "as before", "applied", "waiting", "BETWEEN" };

static char dir[] = "/tmp/pathtune-kills-XXXXXX";
static struct arena *arena;
static const char *state_dir, *undo_file, *profile, *run_file, *heal_file, *waiting_file;
static const char *files[FILES], *dirs[PLACE_DIRS];
static int knob[KILLS_KNOBS];

/* Values, files and record as they are at rest. */
static struct picture {
	const char *state;
	const char *value[KILLS_KNOBS];
	const char *file[FILES]; /* NULL: not there */
	const char *undo;
} picture[PLACE_FOUND];

/* ---- files ----------------------------------------------------------------------------------- */

static const char *
get(const char *path)
{
	struct err e = { ERR_NONE, "" };
	const char *text;
	size_t len;

	return files_read(arena, path, (size_t)1 << 24, &text, &len, &e) ? text : NULL;
}

/* Not renamed into place as files_write() does: that is no way to set a value. */
static bool
put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	bool ok = fd != -1 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (!ok)
		fprintf(stderr, "kills: %s: %s\n", path, strerror(errno));
	if (fd != -1)
		close(fd);
	return ok;
}

static void
wipe(const char *path)
{
	const struct dirent *entry;
	DIR *d = opendir(path);

	while (d != NULL && (entry = readdir(d)) != NULL)
		unlinkat(dirfd(d), entry->d_name, 0);
	if (d != NULL)
		closedir(d);
}

/* The profile of this system, with another directory in the place of /etc. */
static const char *
profile_text(void)
{
	const char *from = get(TESTS_DIR "/../profiles/linux.yaml"), *at;
	struct text t = { .arena = arena };

	for (; from != NULL && (at = strstr(from, "/etc/")) != NULL; from = at + strlen("/etc/")) {
		text_bytes(&t, from, (size_t)(at - from));
		text_add(&t, "%s/etc/", dir);
	}
	text_add(&t, "%s", from == NULL ? "" : from);
	return t.s;
}

static const char *
run_text(const char *os, const char *settings)
{
	return arena_printf(arena, "{\"schema\":\"pathtune-run/1\",\"facts\":{\"os\":\"%s\"},"
	    "\"advice\":{\"paths\":[{\"rtt_ms\":10,\"rate_bps\":1e9}],\"connections\":1},"
	    "\"decision\":{\"verdict\":\"change\",\"class\":\"advice\",\"settings\":[%s]}}", os,
	    settings);
}

/* ---- the place ------------------------------------------------------------------------------- */

const char *const *
place_argv(struct arena *a, const char *const *words)
{
	const char **argv = arena_array(a, PLACE_WORDS + 4, sizeof(*argv));
	size_t n = 1;

	argv[0] = PATHTUNE;
	for (size_t i = 0; i < PLACE_WORDS && words[i] != NULL; i++)
		argv[n++] = strcmp(words[i], "%") == 0 ? run_file : words[i];
	argv[n++] = "--profile";
	argv[n] = profile;
	return argv;
}

static int
pathtune(const char *const *words)
{
	struct arena *a = arena_new();
	int status = kills_run(place_argv(a, words));

	arena_free(a);
	return status;
}

const char *
place_state(char state[KILLS_STATE])
{
	return kills_state(knob, files, FILES, state);
}

bool
place_touched(struct timespec since[PLACE_DIRS])
{
	struct timespec now[PLACE_DIRS];
	struct stat st;
	bool touched = false;

	for (size_t i = 0; i < PLACE_DIRS; i++) {
		now[i] = stat(dirs[i], &st) == 0 ? st.st_mtim : (struct timespec){ 0, 0 };
		touched = touched || memcmp(&now[i], &since[i], sizeof(now[i])) != 0;
		since[i] = now[i];
	}
	return touched;
}

static void
take_picture(struct picture *p)
{
	static const char *const path[] = { KILLS_WMEM, KILLS_RMEM, KILLS_CC };
	char state[KILLS_STATE];

	p->state = arena_strdup(arena, place_state(state));
	for (size_t i = 0; i < KILLS_KNOBS; i++)
		p->value[i] = get(path[i]);
	for (size_t i = 0; i < FILES; i++)
		p->file[i] = get(files[i]);
	p->undo = get(undo_file);
}

static bool
restore_picture(const struct picture *p)
{
	static const char *const path[] = { KILLS_WMEM, KILLS_RMEM, KILLS_CC };
	bool ok = true;

	for (size_t i = 0; i < PLACE_DIRS; i++)
		wipe(dirs[i]);
	for (size_t i = 0; i < KILLS_KNOBS; i++)
		ok = put(path[i], p->value[i]) && ok;
	for (size_t i = 0; i < FILES; i++)
		ok = (p->file[i] == NULL || put(files[i], p->file[i])) && ok;
	return put(undo_file, p->undo) && ok;
}

static bool
start_waiting(void)
{
	static const char *const words[] = { "apply", "%", "--yes", "--confirm", "3600s", NULL };

	return pathtune(words) == 0 && access(waiting_file, F_OK) == 0;
}

bool
place_restore(enum place_found to)
{
	char state[KILLS_STATE];

	return restore_picture(&picture[to == WAITING ? BEFORE : to]) &&
	    (to != WAITING || start_waiting()) &&
	    strcmp(place_state(state), picture[to].state) == 0;
}

bool
place_differs(enum place_found from)
{
	char state[KILLS_STATE];

	return strcmp(place_state(state), picture[from].state) != 0;
}

static bool
make_files(void)
{
	const char *etc = arena_printf(arena, "%s/etc", dir);

	dirs[0] = state_dir = arena_printf(arena, "%s/state", dir);
	dirs[1] = arena_printf(arena, "%s/sysctl.d", etc);
	dirs[2] = arena_printf(arena, "%s/modules-load.d", etc);
	files[0] = arena_printf(arena, "%s/90-pathtune.conf", dirs[1]);
	files[1] = arena_printf(arena, "%s/pathtune.conf", dirs[2]);
	undo_file = arena_printf(arena, "%s/undo", state_dir);
	waiting_file = arena_printf(arena, "%s/unconfirmed", state_dir);
	profile = arena_printf(arena, "%s/linux.yaml", dir);
	run_file = arena_printf(arena, "%s/run.json", dir);
	heal_file = arena_printf(arena, "%s/heal.json", dir);
	for (size_t i = 0; i < PLACE_DIRS; i++)
		if ((i == 1 && mkdir(etc, 0755) != 0) || mkdir(dirs[i], i == 0 ? 0700 : 0755) != 0)
			return false;
	return setenv("PATHTUNE_STATE", state_dir, 1) == 0 && put(profile, profile_text()) &&
	    put(heal_file, run_text("Nowhere", ""));
}

#define SEND(words) "{\"name\":\"net.ipv4.tcp_wmem\",\"new\":\"" words "\"}"

/* A first run, which is on record as well, and then the one that the kills are about. */
static bool
make_pictures(void)
{
	static const char *const apply[] = { "apply", "%", "--yes", NULL };
	static const char *const revert[] = { "revert", "--yes", NULL };
	char cc[64];

	snprintf(cc, sizeof(cc), "%s", get(KILLS_CC));
	cc[strcspn(cc, "\n")] = '\0';
	if (!put(KILLS_WMEM, "4096 16384 4194304") || !put(KILLS_RMEM, "4096 131072 6291456") ||
	    !put(KILLS_CC, "reno") || !put(run_file, run_text("Linux",
	    SEND("4096 16384 6291456"))) || pathtune(apply) != 0)
		return false;
	take_picture(&picture[BEFORE]);
	if (!put(run_file, run_text("Linux", arena_printf(arena, SEND("4096 16384 8388608")
	    ",{\"name\":\"net.ipv4.tcp_rmem\",\"new\":\"4096 131072 16777216\"},"
	    "{\"name\":\"net.ipv4.tcp_congestion_control\",\"new\":\"%s\"},"
	    "{\"name\":\"module\",\"new\":\"tcp_%s\"}", cc, cc))) || !start_waiting())
		return false;
	take_picture(&picture[WAITING]);
	if (pathtune(revert) != 0 || pathtune(apply) != 0)
		return false;
	take_picture(&picture[APPLIED]);
	return true;
}

bool
place_open(void)
{
	arena = arena_new();
	if (mkdtemp(dir) == NULL || unshare(CLONE_NEWNET) != 0 || !kills_open(-1, knob))
		return fprintf(stderr, "kills: a namespace: %s\n", strerror(errno)), false;
	if (make_files() && make_pictures())
		return true;
	fprintf(stderr, "kills: apply does not work here\n");
	place_close();
	return false;
}

void
place_close(void)
{
	if (system(arena_printf(arena, "rm -rf %s", dir)) != 0)
		fprintf(stderr, "kills: %s stays behind\n", dir);
	arena_free(arena);
}

/* ---- what is found there --------------------------------------------------------------------- */

pid_t
place_keeper(void)
{
	char path[600], text[256] = "";
	long pid = 0;
	int fd = kills_journal(state_dir, path, sizeof(path)) ? open(path, O_RDONLY | O_CLOEXEC) :
	    -1;
	const char *at = text;

	if (fd != -1 && read(fd, text, sizeof(text) - 1) > 0) {
		for (int tabs = 0; tabs < 3 && (at = strchr(at, '\t')) != NULL; tabs++)
			at++;
		pid = at == NULL ? 0 : strtol(at, NULL, 10);
	}
	if (fd != -1)
		close(fd);
	return (pid_t)pid;
}

static enum place_found
look(void)
{
	char state[KILLS_STATE];

	place_state(state);
	for (int i = 0; i < PLACE_FOUND; i++)
		if (strcmp(state, picture[i].state) == 0)
			return (enum place_found)i;
	return BETWEEN;
}

/*
 * The keeper takes one question after the other.  Who asks nothing is let go when all before him are
 * answered and the keeper waits on, and is reset when it has ended.
 */
static bool
somebody_waits(void)
{
	const struct timeval most = { GUARD_MS / 1000, 0 };
	int fd = keeper_connect(arena, waiting_file);
	ssize_t n = -1;
	char byte;

	if (fd == -1)
		return false;
	if (shutdown(fd, SHUT_WR) == 0 &&
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &most, sizeof(most)) == 0)
		n = read(fd, &byte, 1);
	close(fd);
	return n == 0;
}

/* No command is at work: one that decided may still write that down. */
static bool
is_unlocked(void)
{
	int fd = open(state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool free = fd != -1 && flock(fd, LOCK_EX | LOCK_NB) == 0;

	if (fd != -1)
		close(fd);
	return free;
}

/*
 * Until all who could still change something are gone, or only wait to be asked.  The lock is held
 * from before a keeper is started until it has ended.
 */
static bool
await_rest(bool may_wait, bool *waits)
{
	for (int ms = 0; ms < GUARD_MS; ms++) {
		*waits = may_wait && somebody_waits();
		if (*waits || (kills_await_guard(state_dir, 1) && is_unlocked()))
			return true;
	}
	return false;
}

/* Something of ours lies beside the files. */
static bool
is_littered(void)
{
	const struct dirent *entry;
	bool found = false;

	for (size_t i = 1; i < PLACE_DIRS; i++) {
		DIR *d = opendir(dirs[i]);

		while (d != NULL && (entry = readdir(d)) != NULL)
			found = found || strstr(entry->d_name, ".pathtune-") != NULL;
		if (d != NULL)
			closedir(d);
	}
	return found;
}

/* What is on record is what is there: so many levels, all of them applied. */
static bool
record_says(size_t levels)
{
	const char *text = get(undo_file);
	size_t n = 0, applied = 0;

	for (; text != NULL && (text = strstr(text, "\"state\": \"")) != NULL; text++, n++)
		applied += strncmp(text, "\"state\": \"applied\"", 18) == 0;
	return n == levels && applied == levels;
}

static bool
revert_works(char words[KILLS_STATE])
{
	static const char *const revert[] = { "revert", "--yes", NULL };
	char state[KILLS_STATE];
	int status = pathtune(revert);

	if (status == 0 && look() == BEFORE && record_says(1))
		return true;
	snprintf(words, KILLS_STATE, "revert exits %d, record %s, and leaves %.2000s", status,
	    record_says(1) ? "right" : "wrong", place_state(state));
	return false;
}

/* What the next command finds and leaves, after all others are at rest. */
static const char *
judge_rest(enum place_found found, bool waits, char words[KILLS_STATE])
{
	const char *const heal[] = { "apply", heal_file, "--yes", NULL };
	char journal[600];

	if (!waits)
		pathtune(heal);
	if (kills_journal(state_dir, journal, sizeof(journal)) && !waits)
		return "a journal is left";
	if (look() != found)
		return "the next command changed something";
	if (is_littered())
		return "something is left beside a file";
	if (!waits && !record_says(found == APPLIED ? 2 : 1))
		return "the record tells something else";
	return found != BEFORE && !revert_works(words) ? words : NULL;
}

const char *
place_judge(const bool may[PLACE_FOUND], enum place_found undone, enum place_found *found,
    bool *healed, char words[KILLS_STATE])
{
	const char *const heal[] = { "apply", heal_file, "--yes", NULL };
	char journal[600];
	bool waits;

	*found = BETWEEN;
	*healed = false;
	if (!await_rest(may[WAITING], &waits))
		return "somebody is not done";
	*healed = !waits && kills_journal(state_dir, journal, sizeof(journal));
	if (*healed)
		pathtune(heal);
	*found = look();
	if (*found == BETWEEN || !may[*found] || (*found == WAITING) != waits)
		return place_state(words);
	if (!*healed && *found == undone && is_littered())
		return "undone, and something is left beside a file";
	return judge_rest(*found, waits, words);
}
