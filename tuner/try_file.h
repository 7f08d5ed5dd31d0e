/*
 * try_file: the file of settings that somebody wants compared: its text, and does it fit a host?
 *
 *   direction: send              # send, receive, both
 *   duration: 5s                 # counted in each trial
 *   rounds: 20                   # at most
 *   socket_windows: [64K, 512K]  # SO_SNDBUF and SO_RCVBUF of both ends, as iperf -w sets them
 *   settings:
 *     - name: present            # may be left out
 *     - name: large
 *       window: 4M               # usable window; or
 *       knobs: {net.ipv4.tcp_wmem: 4096 16384 8388608}
 *       cc: bbr
 *       streams: 4
 */
#ifndef PATHTUNE_TRY_FILE_H
#define PATHTUNE_TRY_FILE_H

#include "model.h"
#include "try.h"

#define TRY_PRESENT "present"

struct try_knob {
	const char *name;
	const char *text; /* the whole value, as the system writes it */
	unsigned line;
};

struct try_setting {
	const char *name;    /* the first is always the present one */
	const char *cc;      /* NULL: as it is */
	double window_bytes; /* NAN: as it is */
	double streams;      /* NAN: as the run has it */
	struct try_knob *knobs;
	size_t n_knobs;
	unsigned line, cc_line, window_line;
};

struct try_file {
	const char *name;          /* for errors: name:line: what */
	enum direction direction;  /* NONE: the file does not say */
	double duration_s, rounds; /* NAN: the same */
	struct try_setting *settings;
	size_t n_settings;
	double *pin_bytes;
	size_t n_pin_bytes; /* 0: sockets are left alone */
};

bool try_file_read(struct arena *a, const char *name, const char *text, size_t len,
    struct try_file *out, struct err *e);

/* What a setting is in one direction on this host. */
struct try_choice {
	const struct try_setting *setting;
	struct setting as; /* congestion control and usable window; of knobs NAN */
	double streams;
	struct change_line *lines; /* knobs, in the order in which they are set */
	size_t n_lines;
	double changes; /* lines, and the congestion control */
	bool differs;   /* from the present one, in this direction */
};

/*
 * Every knob is one of the profile's, there on this host, writable by tune, and its value has as
 * many fields as the present one, each in range; the congestion control is there and allowed; a
 * window can be set and is above the present one.  choices gets one of each of the file's settings.
 * The error names file:line.
 */
bool try_file_check(struct arena *a, const struct try_file *f, const struct profile *p,
    const struct facts *facts, const struct plan_direction *d, double streams,
    struct try_choice *choices, struct err *e);

/*
 * Settings that cannot act under the file's socket windows, in words, because pinned sockets do not
 * tune themselves, or because no window reaches the limit that is raised; NULL: all may act.
 */
const char *try_file_idle(struct arena *a, const struct try_file *f, const struct profile *p,
    const struct facts *facts, const struct plan_direction *d, const struct try_choice *choices);

#endif
