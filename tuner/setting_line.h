/*
 * setting_line: one line of a file that sets knobs, as the system's own reader would see it.
 *
 * The syntax is that of the file's template (persist_file.line).  Blanks around "=" are allowed
 * where the template has them: then the value is the rest of the line, "#" and ";" begin comments
 * of whole lines only, a leading "-" excuses a missing knob, and names may be written with "/".
 * Without them the setting is one word, "#" ends it wherever it stands, and a knob may be excused
 * as in optional_line.  Where the file says blanks, words are told as in the latter case, yet
 * blanks around "=" are allowed, and ":" in its place.
 */
#ifndef PATHTUNE_SETTING_LINE_H
#define PATHTUNE_SETTING_LINE_H

#include "model_profile.h"

/* Parts of the line, not terminated.  A template without {value} gives no value. */
struct setting_text {
	const char *name;
	size_t name_len;
	const char *value;
	size_t value_len;
	bool optional; /* a missing knob is no error there */
};

/* False when the line (without its newline) is no setting. */
bool setting_line(const char *s, size_t len, const struct persist_file *f,
    struct setting_text *out);

/* The name with dots: "net/ipv4/conf/eth0.1/x" is "net.ipv4.conf.eth0/1.x". */
char *setting_name(struct arena *a, const struct setting_text *s);

#endif
