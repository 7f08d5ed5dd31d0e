/* What labs there are, and what they carried. */
#include "lab.h"

#include "lab_owner.h"
#include "lab_state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static bool
list_one(struct arena *a, int base, const char *path, const char *name, struct lab_info **labs,
    size_t *n, struct err *e)
{
	struct lab_state *s = NULL;
	struct lab_info *info;
	int dir, owner;
	bool ok;

	if (!state_open(base, name, &dir, e))
		return false;
	ok = dir < 0 || state_read(a, dir, name, &s, e);
	if (dir >= 0)
		close(dir);
	if (s == NULL) /* gone meanwhile, or being made */
		return ok;
	owner = state_owner(s);
	if (owner >= 0)
		close(owner);
	info = arena_push(a, labs, n, sizeof(*info));
	*info = (struct lab_info){
		.name = s->spec.name,
		.owner = (pid_t)s->owner,
		.alive = owner >= 0,
		.state_dir = arena_printf(a, "%s/%s", path, name),
		.spec = s->spec,
		.start_cc = s->start_cc,
		.cc_refused = s->cc_refused,
	};
	return true;
}

static int
by_name(const void *a, const void *b)
{
	const struct lab_info *x = a, *y = b;

	return strcmp(x->name, y->name);
}

/* One that is damaged is in no other's way. */
static void
list_any(struct arena *a, int base, const char *path, const char *name, struct lab_info **labs,
    size_t *n)
{
	struct err why = { ERR_NONE, "" };
	struct lab_info *info;

	if (list_one(a, base, path, name, labs, n, &why))
		return;
	info = arena_push(a, labs, n, sizeof(*info));
	*info = (struct lab_info){
		.name = arena_strdup(a, name),
		.damage = arena_strdup(a, why.text),
		.state_dir = arena_printf(a, "%s/%s", path, name),
	};
}

static bool
list_all(struct arena *a, int base, const char *path, struct lab_info **labs, size_t *n,
    struct err *e)
{
	int fd = fcntl(base, F_DUPFD_CLOEXEC, 0);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (d == NULL) {
		if (fd >= 0)
			close(fd);
		return fail(e, ERR_FAILED, "%s: %s", path, strerror(errno));
	}
	while ((entry = readdir(d)) != NULL)
		if (lab_check_name(entry->d_name, NULL))
			list_any(a, base, path, entry->d_name, labs, n);
	closedir(d);
	if (*n > 1)
		qsort(*labs, *n, sizeof(**labs), by_name);
	return true;
}

bool
lab_list(struct arena *a, const char *name, struct lab_info **labs, size_t *n, struct err *e)
{
	const char *path;
	int base;
	bool ok;

	*labs = NULL;
	*n = 0;
	if ((name != NULL && !lab_check_name(name, e)) || !state_base(a, false, &path, &base, e))
		return false;
	if (base < 0)
		return true;
	ok = name != NULL ? list_one(a, base, path, name, labs, n, e) :
	    list_all(a, base, path, labs, n, e);
	close(base);
	return ok;
}

bool
lab_stats(struct arena *a, const char *name, struct lab_stats stats[2], struct err *e)
{
	struct lab_state *s;
	struct lab_shared *shared;
	struct stat st;
	const char *path;
	int fd;
	bool ok;

	if (!state_find(a, name, &s, &path, NULL, e))
		return false;
	path = arena_printf(a, "%s/%s", path, STATE_STATS);
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return fail(e, ERR_FAILED, "%s: %s", path, strerror(errno));
	shared = fstat(fd, &st) == 0 && st.st_size == (off_t)sizeof(*shared) ?
	    mmap(NULL, sizeof(*shared), PROT_READ, MAP_SHARED, fd, 0) : MAP_FAILED;
	close(fd);
	if (shared == MAP_FAILED)
		return fail(e, ERR_FAILED, "%s: not the figures of a lab", path);
	ok = shared_read(shared, stats);
	munmap(shared, sizeof(*shared));
	return ok || fail(e, ERR_FAILED, "lab %s: its figures do not come to rest", name);
}
