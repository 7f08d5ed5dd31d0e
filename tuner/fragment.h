/*
 * fragment: a decision -> the text of each file, as it would lie on the host; and back.
 *
 * Our block in a file that others own stands between the lines FRAGMENT_BEGIN and FRAGMENT_END.
 */
#ifndef PATHTUNE_FRAGMENT_H
#define PATHTUNE_FRAGMENT_H

#include "model.h"

#define FRAGMENT_BEGIN "# BEGIN pathtune"
#define FRAGMENT_END "# END pathtune"

/*
 * Fills run->files from run->decision; none when nothing changes.  A file of ours takes the place
 * of the one that is there, and so does our block: each says again what the file on the host sets
 * already (fragment_keep.h).  The text for a file that others own is our block alone.  Every
 * setting line is preceded by its reason; one that could not be verified on this host says so; one
 * that the file's reader would not take as it is (a blank, too long) is a comment that says that.
 * A comment never contains what the reader could take for a setting: each of its lines begins with
 * "#", is short, continues on no other and is no mark.  An interface's offloads have a file of
 * their own, where the profile names one (offloads.h).
 */
void fragment_make(struct arena *a, const struct profile *p, struct run *run);

/* Whether a text is a block, to be merged into what is there. */
bool fragment_is_block(const char *text);

struct fragment_setting {
	const char *name;    /* with dots */
	const char *value;   /* of a module what its line has, "" for none */
	unsigned line;       /* 1.. */
	bool optional;       /* "?=", or a leading "-" */
};

/*
 * All settings of a file of this kind, as the system's own reader would see them.
 * A line that is no setting is skipped, so is one longer than the reader takes.  Text may be
 * anything: NUL bytes, no newline at the end, endless lines.
 */
struct fragment_setting *fragment_read(struct arena *a, const struct persist_file *f,
    const char *text, size_t len, size_t *n);

/*
 * The file's text with our block replaced, or appended; a newline that is lacking before or behind
 * it is added.  block NULL: without it.  A BEGIN without its END, an END without its BEGIN, or two
 * blocks, is ERR_FAILED naming file:line.
 */
bool fragment_merge(struct arena *a, const char *file, const char *text, size_t len,
    const char *block, char **out, struct err *e);

/*
 * Where our block is in a text, with its marks and its last newline: *begin to *end; both 0 where
 * there is none.  Errors as of fragment_merge().
 */
bool fragment_block(const char *file, const char *text, size_t len, size_t *begin, size_t *end,
    struct err *e);

#endif
