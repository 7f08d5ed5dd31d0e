/*
 * fragment: a decision -> the text of each file, as it would lie on the host; and back.
 *
 * Our block in a file that others own stands between the lines "# BEGIN pathtune" and
 * "# END pathtune".
 */
#ifndef PATHTUNE_FRAGMENT_H
#define PATHTUNE_FRAGMENT_H

#include "model.h"

/*
 * Fills run->files from run->decision; none when nothing changes.  Every setting line is preceded
 * by its reason; one that could not be verified on this host says so.  A comment never contains
 * what the file's reader could take for a setting (OpenBSD and DragonFly read words).
 */
void fragment_make(struct arena *a, const struct profile *p, struct run *run);

struct fragment_setting {
	const char *name;
	const char *value;
	unsigned line;       /* 1.. */
	bool optional;       /* "?=", or a leading "-" */
};

/*
 * All settings of a file of this kind, as the system's own reader would see them: the syntax is
 * that of f->line, with what sysctl.d(5), sysctl.conf(5) and loader.conf(5) allow (comments,
 * quotes, blanks where line has them, '/' for '.' in names).  A line that is no setting is skipped.  Text
 * may be anything: NUL bytes, no newline at the end, endless lines.
 */
struct fragment_setting *fragment_read(struct arena *a, const struct persist_file *f,
    const char *text, size_t len, size_t *n);

/*
 * The file's text with our block replaced (or appended, with a newline before it where the text
 * lacks one); block NULL: without it.  A BEGIN without its END, or two blocks, is ERR_FAILED naming
 * file:line.
 */
bool fragment_merge(struct arena *a, const char *file, const char *text, size_t len,
    const char *block, char **out, struct err *e);

#endif
