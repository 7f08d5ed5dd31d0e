/*
 * A journal carried out.  The guard runs this: nothing here needs new memory.
 */
#include "guard_journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Field number place of text is the given one. */
static bool
has_field(const char *text, size_t place, const char *field, size_t len)
{
	const char *f;
	size_t n;

	do
		f = knobs_field(&text, &n);
	while (f != NULL && place-- != 0);
	return f != NULL && knobs_same_field(f, n, field, len);
}

static bool
owns_field(const struct journal *j, size_t knob, size_t place, const char *field, size_t len)
{
	size_t i;

	if (has_field(j->knob[knob].old, place, field, len))
		return true;
	for (i = 0; i < j->n_ours; i++)
		if (j->ours[i].knob == knob && has_field(j->ours[i].text, place, field, len))
			return true;
	return false;
}

bool
journal_owns(const struct journal *j, size_t knob, const char *text)
{
	const char *old = j->knob[knob].old, *field, *old_field;
	size_t len, place, i;

	for (i = j->holds ? j->n_ours : j->n_held; i < j->n_ours; i++)
		if (j->ours[i].knob == knob)
			return true;
	for (place = 0;; place++) {
		field = knobs_field(&text, &len);
		if (field != NULL && !owns_field(j, knob, place, field, len))
			return false;
		old_field = knobs_field(&old, &len);
		if (field == NULL || old_field == NULL)
			return field == old_field;
	}
}

/* True unless it failed; counts. */
static bool
restore_one(const struct journal *j, size_t k, const struct journal_reach *r,
    struct journal_result *result)
{
	char now[JOURNAL_TEXT];

	if (!r->read(r->arg, k, now))
		return false;
	if (knobs_same(now, j->knob[k].old))
		return true;
	if (!journal_owns(j, k, now)) {
		if (result->foreign++ == 0) {
			result->first_foreign = k;
			memcpy(result->foreign_text, now, sizeof(now));
		}
		return true;
	}
	if (!r->write(r->arg, k, j->knob[k].old) || !r->read(r->arg, k, now) ||
	    !knobs_same(now, j->knob[k].old))
		return false;
	result->restored++;
	return true;
}

/* ---- files ----------------------------------------------------------------------------------- */

/* base in the directory of path. */
static bool
beside(char dst[1024], const char *path, const char *base)
{
	const char *slash = strrchr(path, '/');

	return snprintf(dst, 1024, "%.*s/%s", (int)(slash - path), path, base) < 1024;
}

/* What is there, if anything is; false: that cannot be told now. */
static bool
look(const char *path, struct stat *st, bool *there)
{
	*there = lstat(path, st) == 0;
	return *there || errno == ENOENT || errno == ENOTDIR;
}

/*
 * What was made to take the name is this, and nobody wrote to it: by now that may be days ago.  The
 * number of a device may be another one after a reboot.
 */
static bool
is_ours(const struct journal_replaced *f, const struct stat *st, bool booted)
{
	return f->inode != 0 && (booted || (uintmax_t)st->st_dev == f->device) &&
	    (uintmax_t)st->st_ino == f->inode && (uintmax_t)st->st_size == f->size &&
	    (uintmax_t)st->st_mtime == f->time_s;
}

/*
 * *changed: what has the name is ours, or the name went and what was to take it still lies beside.
 * False: that cannot be told now, and what is beside may be needed.
 */
static bool
is_changed(const struct journal_replaced *f, const char *by, bool booted, bool *changed)
{
	struct stat st;
	bool there;

	*changed = false;
	if (!look(f->path, &st, &there))
		return false;
	if (there) {
		*changed = is_ours(f, &st, booted);
	} else if (f->old[0] != '\0') {
		if (!look(by, &st, &there))
			return false;
		*changed = there && is_ours(f, &st, booted);
	}
	return true;
}

/* Before the journal goes, as far as there is a descriptor left for it. */
static void
to_disk(const char *path)
{
	char dir[512];
	int fd;

	snprintf(dir, sizeof(dir), "%.*s", (int)(strrchr(path, '/') - path) + 1, path);
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1)
		return;
	fsync(fd);
	close(fd);
}

/* On a file system that cannot be written there may be nothing to remove. */
static bool
remove_if_there(const char *path)
{
	struct stat st;
	bool there;

	return unlink(path) == 0 || errno == ENOENT || (look(path, &st, &there) && !there);
}

/* A file that another put there meanwhile stays. */
static bool
restore_file(const struct journal_replaced *f, bool booted, struct journal_result *result)
{
	char by[1024], old[1024];
	bool changed;

	if (!beside(by, f->path, f->by) || !beside(old, f->path, f->old) ||
	    !is_changed(f, by, booted, &changed))
		return false;
	if (changed) {
		if ((f->old[0] == '\0' ? unlink(f->path) : rename(old, f->path)) != 0)
			return false;
		to_disk(f->path);
		result->files++;
	}
	return remove_if_there(by) && (f->old[0] == '\0' || remove_if_there(old));
}

static void
restore_files(const struct journal *j, bool booted, struct journal_result *result)
{
	size_t i;

	for (i = j->n_files; i-- > 0;)
		if (!restore_file(&j->file[i], booted, result) && result->failed_files++ == 0)
			result->first_failed_file = i;
}

struct journal_result
journal_restore(const struct journal *j, const struct journal_reach *r)
{
	struct journal_result result = { 0 };
	size_t k;

	restore_files(j, false, &result);
	for (k = j->n; k-- > 0;)
		if (!restore_one(j, k, r, &result) && result.failed++ == 0)
			result.first_failed = k;
	return result;
}

struct journal_result
journal_restore_files(const struct journal *j)
{
	struct journal_result result = { 0 };

	restore_files(j, false, &result);
	return result;
}

struct journal_result
journal_restore_booted(const struct journal *j, const struct journal_reach *r)
{
	struct journal_result result = { 0 }, ignored = { 0 };
	char now[JOURNAL_TEXT];
	size_t k;

	restore_files(j, true, &result);
	for (k = r == NULL || result.files == 0 ? 0 : j->n; k-- > 0;)
		if (r->read(r->arg, k, now) && journal_is_announced(j, k, now) &&
		    restore_one(j, k, r, &ignored))
			result.restored = ignored.restored;
	return result;
}
