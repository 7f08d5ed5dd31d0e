/*
 * offloads: an interface's offloads among the lines of a run, where a line is called
 * "offload NAME INTERFACE" and its value is "on" or "off": what they are, how they are read and
 * set, and what makes them so at boot.
 */
#ifndef PATHTUNE_OFFLOADS_H
#define PATHTUNE_OFFLOADS_H

#include "extras.h"
#include "model.h"

/* What a line calls an offload of the interface of these facts. */
const char *offload_line_name(struct arena *a, const struct facts *f, const char *offload);

/* A line of this name is an offload's, of whatever interface. */
bool offload_is_line(const char *line);

/* An interface's name goes into argvs and paths: nothing in it is a flag or leads elsewhere. */
bool offload_interface_ok(const char *interface);

bool offload_value_ok(const char *value);

/* {flag} of an offload; NULL: it cannot be switched. */
const char *offload_flag(const struct offload_source *o, const char *offload);

/* The offload that a line names; NULL: not of this interface, or it is not there. */
const struct offload *offload_found(const struct facts *f, const char *line);

/* How it is read and set; false: it cannot be. */
bool offload_way(struct arena *a, const struct profile *p, const struct facts *f,
    const char *offload, struct extra_way *out);

/* What the host has of a line, a knob's text or an offload's state; NULL: not known. */
const char *offload_or_knob(const struct facts *f, const char *line);

/* The file that sets this interface's offloads at boot, with its path; false: there is none. */
bool offload_file(struct arena *a, const struct profile *p, const struct facts *f,
    struct persist_file *out);

/* The line of that file that makes this one of a run hold; NULL: it cannot be said there. */
const char *offload_boot_line(struct arena *a, const struct profile *p, const struct facts *f,
    const char *line, const char *value);

/* Whether a text has that line. */
bool offload_boots(struct arena *a, const struct profile *p, const struct facts *f,
    const char *line, const char *value, const char *text, size_t len);

/*
 * Lines that a text of that file sets already (of one of others: our block in it) and that are not
 * among lines: a new text takes its place, and is to say them again.
 */
struct change_line *offload_kept(struct arena *a, const struct profile *p, const struct facts *f,
    const struct change_line *lines, size_t n_lines, const char *text, size_t len, size_t *n);

#endif
