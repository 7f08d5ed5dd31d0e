#include "lab_state.h"

#include "../tuner/record.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define STATE_FILE "state.json"
#define STATE_NEW "state.json.new"
#define STATE_BYTES_MAX 65536

const char *const queue_unit_names[] = { "bdp", "bytes", "packets", NULL };
const char *const loss_model_names[] = { "none", "bernoulli", "gilbert-elliott", NULL };

static const struct field lab_link_fields[] = {
	F_NUM(lab_link, rate_bps, 0, 0, FIELD_REQUIRED),
	F_NUM(lab_link, queue, 0, 0, FIELD_REQUIRED),
	F_ENUM(lab_link, queue_unit, queue_unit_names, FIELD_REQUIRED),
	F_ENUM(lab_link, loss_model, loss_model_names, FIELD_REQUIRED),
	F_NUM(lab_link, loss, 0, 0, FIELD_REQUIRED),
	F_NUM(lab_link, p_bad, 0, 0, FIELD_REQUIRED),
	F_NUM(lab_link, p_good, 0, 0, FIELD_REQUIRED),
	F_NUM(lab_link, loss_good, 0, 0, FIELD_REQUIRED),
	F_NUM(lab_link, jitter_ms, 0, 0, FIELD_REQUIRED),
	F_NUM(lab_link, police_bps, 0, 0, FIELD_REQUIRED),
	F_NUM(lab_link, police_burst_bytes, 0, 0, FIELD_REQUIRED),
	F_END,
};
static const struct record link_record = { "link", sizeof(struct lab_link), lab_link_fields };

static const struct field spec_fields[] = {
	F_STR(lab_spec, name, FIELD_REQUIRED),
	F_NUM(lab_spec, rtt_ms, 0, 0, FIELD_REQUIRED),
	F_NUM(lab_spec, mtu, 0, 0, FIELD_REQUIRED),
	F_NUM(lab_spec, seed, 0, 0, FIELD_REQUIRED),
	{ "a_to_b", FIELD_RECORD, offsetof(struct lab_spec, link[0]), 0, &link_record, NULL, 0, 0,
	    FIELD_REQUIRED },
	{ "b_to_a", FIELD_RECORD, offsetof(struct lab_spec, link[1]), 0, &link_record, NULL, 0, 0,
	    FIELD_REQUIRED },
	F_STR(lab_spec, start, FIELD_REQUIRED),
	F_BOOL(lab_spec, open_b),
	F_BOOL(lab_spec, tied),
	F_END,
};
const struct record lab_spec_record = { "lab", sizeof(struct lab_spec), spec_fields };

static const struct field stats_fields[] = {
	F_NUM(lab_stats, segments_in, 0, 0, 0),
	F_NUM(lab_stats, bytes_in, 0, 0, 0),
	F_NUM(lab_stats, segments_out, 0, 0, 0),
	F_NUM(lab_stats, bytes_out, 0, 0, 0),
	F_NUM(lab_stats, dropped_queue, 0, 0, 0),
	F_NUM(lab_stats, dropped_loss, 0, 0, 0),
	F_NUM(lab_stats, dropped_police, 0, 0, 0),
	F_NUM(lab_stats, queue_bytes, 0, 0, 0),
	F_NUM(lab_stats, lateness_us, 0, 0, 0),
	F_END,
};
const struct record lab_stats_record = { "stats", sizeof(struct lab_stats), stats_fields };

static const struct field state_fields[] = {
	F_NUM(lab_state, owner, 2, 4194304, FIELD_REQUIRED),
	F_NUM(lab_state, owner_start, 0, 0, FIELD_REQUIRED),
	F_STR(lab_state, boot, FIELD_REQUIRED),
	{ "net_a", FIELD_NUMBER, offsetof(struct lab_state, net[0]), 0, NULL, NULL, 3, 1e6,
	    FIELD_REQUIRED },
	{ "net_b", FIELD_NUMBER, offsetof(struct lab_state, net[1]), 0, NULL, NULL, 3, 1e6,
	    FIELD_REQUIRED },
	F_BOOL(lab_state, user),
	F_NUM(lab_state, cpu_total_s, 0, 0, 0),
	F_NUM(lab_state, cpu_stolen_s, 0, 0, 0),
	F_STR(lab_state, start_cc, 0),
	F_BOOL(lab_state, cc_refused),
	{ "spec", FIELD_RECORD, offsetof(struct lab_state, spec), 0, &lab_spec_record, NULL, 0, 0,
	    FIELD_REQUIRED },
	F_END,
};
static const struct record state_record = { "lab state", sizeof(struct lab_state), state_fields };

/* Ours, a directory, and nobody else can put things into it. */
static bool
check_dir(int fd, const char *path, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return fail(e, ERR_FAILED, "%s: %s", path, strerror(errno));
	if (st.st_uid != geteuid() || (st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return fail(e, ERR_FAILED, "%s: not ours alone (owner and mode)", path);
	return true;
}

/* *fd is -1 when it is not there. */
static bool
open_dir(int parent, const char *name, const char *path, int *fd, struct err *e)
{
	int d = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (d < 0 && errno != ENOENT)
		return fail(e, ERR_FAILED, "%s: %s", path,
		    errno == ELOOP || errno == ENOTDIR ? "not a directory" : strerror(errno));
	if (d >= 0 && !check_dir(d, path, e)) {
		close(d);
		return false;
	}
	*fd = d;
	return true;
}

/* One step down the path; *fd moves with it and is -1 from where there is nothing. */
static bool
descend(struct arena *a, bool make, const char *name, const char **path, int *fd, struct err *e)
{
	int parent = *fd;
	bool ok = true;

	*path = arena_printf(a, "%s/%s", *path, name);
	if (parent < 0)
		return true;
	*fd = -1;
	if (make && mkdirat(parent, name, 0700) != 0 && errno != EEXIST)
		ok = fail(e, ERR_FAILED, "%s: %s", *path, strerror(errno));
	ok = ok && open_dir(parent, name, *path, fd, e);
	close(parent);
	return ok;
}

bool
state_base(struct arena *a, bool make, const char **path, int *fd, struct err *e)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	const char *first = "pathtune";

	if (geteuid() == 0)
		*path = "/run";
	else if (runtime != NULL && runtime[0] == '/')
		*path = runtime;
	else {
		*path = "/tmp";
		first = arena_printf(a, "pathtune-%lu", (unsigned long)geteuid());
	}
	*fd = open(*path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*fd < 0)
		return fail(e, ERR_FAILED, "%s: %s", *path, strerror(errno));
	return descend(a, make, first, path, fd, e) && descend(a, make, "lab", path, fd, e);
}

bool
state_lock(int base, struct err *e)
{
	while (flock(base, LOCK_EX) != 0)
		if (errno != EINTR)
			return fail(e, ERR_FAILED, "cannot lock the directory of labs: %s",
			    strerror(errno));
	return true;
}

bool
state_open(int base, const char *name, int *fd, struct err *e)
{
	char path[64];

	snprintf(path, sizeof(path), "state of lab %s", name);
	return open_dir(base, name, path, fd, e);
}

static bool
slurp(struct arena *a, int dir, const char *name, char **text, size_t *len, struct err *e)
{
	int fd = openat(dir, STATE_FILE, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	ssize_t n;

	*text = NULL;
	if (fd < 0)
		return errno == ENOENT ||
		    fail(e, ERR_FAILED, "lab %s: %s: %s", name, STATE_FILE, strerror(errno));
	*text = arena_alloc(a, STATE_BYTES_MAX);
	n = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid() ?
	    read(fd, *text, STATE_BYTES_MAX) : -1;
	close(fd);
	if (n < 0)
		return fail(e, ERR_FAILED, "lab %s: %s: not a file of ours", name, STATE_FILE);
	*len = (size_t)n;
	return true;
}

bool
state_read(struct arena *a, int dir, const char *name, struct lab_state **out, struct err *e)
{
	const char *file = arena_printf(a, "lab %s: %s", name, STATE_FILE);
	struct lab_state *s = arena_alloc(a, sizeof(*s));
	struct node *node;
	size_t len = 0;
	char *text;

	if (!slurp(a, dir, name, &text, &len, e))
		return false;
	if (text == NULL) {
		*out = NULL;
		return true;
	}
	record_init(&state_record, s);
	if (!node_from_json(a, file, text, len, &node, e) ||
	    !record_from_node(a, file, &state_record, node, s, e))
		return false;
	if (s->spec.name == NULL || strcmp(s->spec.name, name) != 0)
		return fail(e, ERR_FAILED, "%s: tells of another lab", file);
	*out = s;
	return true;
}

bool
state_write(struct arena *a, int dir, const struct lab_state *s, struct err *e)
{
	char *text = record_to_json(a, &state_record, s, true);
	size_t len = strlen(text);
	int fd = openat(dir, STATE_NEW, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	bool ok = fd >= 0 && write(fd, text, len) == (ssize_t)len;

	if (fd >= 0)
		ok = close(fd) == 0 && ok;
	if (!ok || renameat(dir, STATE_NEW, dir, STATE_FILE) != 0)
		return fail(e, ERR_FAILED, "lab %s: cannot write its state: %s", s->spec.name,
		    strerror(errno));
	return true;
}

/*
 * The journal's directory with its files, and those of the run files within; links are removed,
 * never followed.
 */
static void
remove_dir(int parent, const char *name, unsigned levels)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (d == NULL) {
		if (fd >= 0)
			close(fd);
		return;
	}
	while ((entry = readdir(d)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (unlinkat(dirfd(d), entry->d_name, 0) != 0 && levels > 1)
			remove_dir(dirfd(d), entry->d_name, levels - 1);
	}
	closedir(d);
	unlinkat(parent, name, AT_REMOVEDIR);
}

bool
state_remove(int base, const char *name, struct err *e)
{
	int dir;

	if (!state_open(base, name, &dir, e))
		return false;
	if (dir < 0)
		return true;
	remove_dir(dir, STATE_JOURNAL, 2);
	unlinkat(dir, STATE_STATS, 0);
	unlinkat(dir, STATE_NEW, 0);
	unlinkat(dir, STATE_FILE, 0);
	close(dir);
	if (unlinkat(base, name, AT_REMOVEDIR) != 0)
		return fail(e, ERR_FAILED, "state of lab %s: cannot remove its directory: %s", name,
		    strerror(errno));
	return true;
}
