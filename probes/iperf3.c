#include "iperf3.h"

#include "../tuner/bins.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INTERVALS_MOST 24000.0 /* of all streams; the report has 500 bytes for each */
#define INTERVAL_BYTES 1024.0  /* of one stream in one interval, generously */
#define STREAM_BYTES 4096.0    /* of one stream beside that */
#define REPORT_BYTES 65536.0
#define BYTES_MOST 1e16
#define JITTER_S .02 /* of its timer: the bin in which the warm-up ends counts */
#define SECONDS_MOST (2 * FLOW_SECONDS_MAX)
#define OLDEST_MINOR 1 /* 3.1: -C and intervals of less than a second */
#define NEWEST_RTT_US 6e7

/* ---- what it is asked ------------------------------------------------------------------------ */

double
iperf3_omit_s(const struct flow_spec *f)
{
	return ceil(f->warmup_s);
}

double
iperf3_run_s(const struct flow_spec *f)
{
	return fmax(1, ceil(f->duration_s));
}

/* Tenths of a second; longer ones where the report would grow beyond all reason. */
static double
interval_s(const struct flow_spec *f)
{
	double all = f->streams * (iperf3_omit_s(f) + iperf3_run_s(f)) / BINS_S;

	return BINS_S * fmax(1, ceil(all / INTERVALS_MOST));
}

size_t
iperf3_report_max(const struct flow_spec *f)
{
	double n = (iperf3_omit_s(f) + iperf3_run_s(f)) / interval_s(f) + 4;

	return (size_t)(REPORT_BYTES + n * (f->streams + 1) * INTERVAL_BYTES +
	    f->streams * STREAM_BYTES);
}

static void
push(struct arena *a, const char ***argv, size_t *n, const char *word)
{
	*(const char **)arena_push(a, argv, n, sizeof(**argv)) = word;
}

const char *const *
iperf3_argv(struct arena *a, const struct iperf3_ask *q)
{
	const struct flow_spec *f = q->flow;
	const char *port = arena_printf(a, "%u", q->port);
	const char *const fixed[] = { "iperf3", "-c", q->server, "-p", port, "-J",
		"-t", arena_printf(a, "%.0f", iperf3_run_s(f)), "-O",
		arena_printf(a, "%.0f", iperf3_omit_s(f)), "-i",
		arena_printf(a, "%.1f", interval_s(f)), "-P", arena_printf(a, "%u", f->streams) };
	const char **argv = NULL;
	size_t n = 0;

	for (size_t i = 0; i < NELEM(fixed); i++)
		push(a, &argv, &n, fixed[i]);
	if (f->direction == DIR_RECEIVE)
		push(a, &argv, &n, "-R");
	if (f->direction == DIR_SEND && f->cc != NULL) {
		push(a, &argv, &n, "-C");
		push(a, &argv, &n, f->cc);
	}
	if (f->pin_bytes > 0) {
		push(a, &argv, &n, "-w");
		push(a, &argv, &n, arena_printf(a, "%.0f", f->pin_bytes));
	}
	if (!isnan(q->pace_bps)) { /* -b is of one stream */
		push(a, &argv, &n, "-b");
		push(a, &argv, &n, arena_printf(a, "%.0f", fmax(1, q->pace_bps / f->streams)));
	}
	push(a, &argv, &n, NULL);
	return argv;
}

/* ---- its version ----------------------------------------------------------------------------- */

bool
iperf3_version(const char *text, struct err *e)
{
	static const char head[] = "iperf ";
	unsigned long major = 0, minor = 0;
	char *end;

	if (strncmp(text, head, sizeof(head) - 1) == 0) {
		major = strtoul(text + sizeof(head) - 1, &end, 10);
		minor = *end == '.' ? strtoul(end + 1, NULL, 10) : 0;
	}
	if (major == 0)
		return fail(e, ERR_FAILED, "iperf3 does not say which version it is");
	if (major > 3 || (major == 3 && minor >= OLDEST_MINOR))
		return true;
	return fail(e, ERR_FAILED, "iperf3 there is version %lu.%lu; 3.%d or later is needed",
	    major, minor, OLDEST_MINOR);
}

/* ---- its report ------------------------------------------------------------------------------ */

/* What an interval or the end says, when it can be so at all. */
static double
number(const json_t *o, const char *key, double most)
{
	const json_t *v = json_object_get(o, key);
	double x = json_is_number(v) ? json_number_value(v) : NAN;

	return x >= 0 && x <= most ? x : NAN;
}

static double
rtt_ms(const json_t *o, const char *key)
{
	double us = number(o, key, NEWEST_RTT_US);

	return us > 0 ? us / 1e3 : NAN; /* 0: of the other end, which did not say */
}

struct report {
	struct bins bins;
	double counted_from_s, end_s; /* on the bins' clock */
	double moved_bytes;           /* of all intervals, the omitted ones included */
	double *rtt_ms;               /* of each interval that counts */
	size_t n_rtt_ms;
};

/* The mean of the streams that say it. */
static double
interval_rtt(const json_t *interval)
{
	const json_t *streams = json_object_get(interval, "streams"), *s;
	double sum = 0;
	size_t i, n = 0;

	json_array_foreach(streams, i, s) {
		double ms = rtt_ms(s, "rtt");

		sum += isnan(ms) ? 0 : ms;
		n += !isnan(ms);
	}
	return n == 0 ? NAN : sum / (double)n;
}

static bool
read_interval(struct arena *a, const json_t *interval, struct report *r)
{
	const json_t *sum = json_object_get(interval, "sum");
	double s = number(sum, "seconds", SECONDS_MOST), bytes = number(sum, "bytes", BYTES_MOST);
	double rtt = interval_rtt(interval);

	if (isnan(s) || isnan(bytes) || r->end_s + s > SECONDS_MOST)
		return false;
	bins_spread(&r->bins, r->end_s, r->end_s + s, bytes);
	r->end_s += s;
	r->moved_bytes += bytes;
	if (json_is_true(json_object_get(sum, "omitted")))
		r->counted_from_s = r->end_s;
	else if (!isnan(rtt))
		*(double *)arena_push(a, &r->rtt_ms, &r->n_rtt_ms, sizeof(rtt)) = rtt;
	return true;
}

static int
by_size(const void *x, const void *y)
{
	double a = *(const double *)x, b = *(const double *)y;

	return (a > b) - (a < b);
}

static double
median(double *v, size_t n)
{
	if (n == 0)
		return NAN;
	qsort(v, n, sizeof(*v), by_size);
	return (v[(n - 1) / 2] + v[n / 2]) / 2;
}

static double
smallest_rtt(const json_t *end)
{
	const json_t *streams = json_object_get(end, "streams"), *s;
	double least = NAN;
	size_t i;

	json_array_foreach(streams, i, s)
		least = fmin(least, rtt_ms(json_object_get(s, "sender"), "min_rtt"));
	return least;
}

/* It counts segments sent again, but not those that were sent. */
static double
retransmitted(const json_t *root, const json_t *sent)
{
	double mss = number(json_object_get(root, "start"), "tcp_mss_default", 1e6);
	double again = number(sent, "retransmits", BYTES_MOST), all;

	all = number(sent, "bytes", BYTES_MOST) / mss + again;
	return all > 0 ? again / all : NAN;
}

static bool
nonsense(struct arena *a, struct trial *t, const char *what)
{
	t->status = TRIAL_VOID;
	t->why = arena_printf(a, "iperf3's report makes no sense: %s", what);
	return false;
}

/* What makes a figure; t is void until all of it is there. */
static bool
read_goodput(struct arena *a, const struct flow_spec *f, const json_t *end,
    const struct report *r, struct trial *t)
{
	const json_t *got = json_object_get(end, "sum_received");
	double s = number(got, "seconds", SECONDS_MOST), bytes = number(got, "bytes", BYTES_MOST);

	if (!(s > 0) || !(bytes > 0))
		return nonsense(a, t, "no bytes or no time at the receiver");
	/* The other end's word: no more can come out than went in. */
	if (f->direction == DIR_SEND && bytes > r->moved_bytes * 1.000001)
		return nonsense(a, t, "the server claims to have received more than was sent");
	if (!(r->end_s > r->counted_from_s))
		return nonsense(a, t, "no interval after the warm-up");
	t->goodput_bps = 8 * bytes / s;
	return true;
}

static void
read_intervals(struct arena *a, const struct report *r, struct trial *t)
{
	size_t first = bins_warmup(r->counted_from_s - JITTER_S), end = bins_complete(r->end_s);

	if (end > BINS_MAX)
		end = BINS_MAX;
	t->bytes = r->moved_bytes;
	t->warmup_s = (double)first * BINS_S;
	t->duration_s = end > first ? (double)(end - first) * BINS_S : 0;
	t->steady = end > first && bins_steady(&r->bins, first, end);
	t->n_intervals_bps = end;
	t->intervals_bps = arena_array(a, end, sizeof(double));
	for (size_t i = 0; i < end; i++)
		t->intervals_bps[i] = 8 * bins_rate(&r->bins, i, i + 1);
}

static void
read_result(struct arena *a, const json_t *root, const struct flow_spec *f, struct trial *t)
{
	const json_t *end = json_object_get(root, "end"), *interval, *sent;
	const json_t *intervals = json_object_get(root, "intervals");
	struct report r = { .moved_bytes = 0 };
	size_t i;

	json_array_foreach(intervals, i, interval) {
		if (!read_interval(a, interval, &r)) {
			nonsense(a, t, "an interval without bytes or time");
			return;
		}
	}
	if (!read_goodput(a, f, end, &r, t))
		return;
	read_intervals(a, &r, t);
	sent = json_object_get(end, "sum_sent");
	t->retransmits = retransmitted(root, sent);
	t->rtt.min_ms = smallest_rtt(end);
	t->rtt.loaded_ms = median(r.rtt_ms, r.n_rtt_ms);
	t->cpu = number(json_object_get(end, "cpu_utilization_percent"), "host_total", 1e6) / 100;
	t->status = TRIAL_OK;
	t->why = NULL;
}

/* Its own words, which may hold anything: UTF-8 by the JSON, harmless by us. */
static const char *
words_of(struct arena *a, const char *s)
{
	char *words = arena_printf(a, "%.160s", s);

	words[strcspn(words, "\r\n")] = '\0';
	text_disarm(words);
	return words;
}

static enum iperf3_outcome
read_error(struct arena *a, const char *error, struct trial *t, const char **why)
{
	const char *words = words_of(a, error);

	*why = t->why = arena_printf(a, "iperf3: %s", words);
	t->status = TRIAL_VOID;
	if (strstr(words, "server is busy") != NULL)
		return IPERF3_BUSY;
	return strstr(words, "unable to connect to server") != NULL ||
	    strstr(words, "unable to send cookie") != NULL ? IPERF3_UNREACHED : IPERF3_DONE;
}

/* Warnings may stand before the report; what stands there instead of it is the reason. */
static json_t *
load(const char *text, size_t len, json_error_t *why)
{
	const char *begin = memchr(text, '{', len);

	*why = (json_error_t){ .line = -1 };
	return begin == NULL ? NULL : json_loadb(begin, len - (size_t)(begin - text),
	    JSON_DISABLE_EOF_CHECK | JSON_DECODE_INT_AS_REAL, why);
}

enum iperf3_outcome
iperf3_read(struct arena *a, const char *text, size_t len, const struct flow_spec *f,
    struct trial *t, const char **why)
{
	enum iperf3_outcome outcome = IPERF3_DONE;
	json_error_t bad;
	const char *error;
	json_t *root;

	*why = NULL;
	if (len == 0 || len > iperf3_report_max(f)) {
		t->why = len == 0 ? "iperf3 ended without a report" :
		    "iperf3's report is longer than it can be";
		return outcome;
	}
	root = load(text, len, &bad);
	if (root == NULL) {
		t->why = arena_printf(a, bad.line == -1 ? "iperf3: %s" :
		    "iperf3's report is cut or no JSON: %s",
		    words_of(a, bad.line == -1 ? arena_strndup(a, text, len) : bad.text));
		return outcome;
	}
	error = json_string_value(json_object_get(root, "error"));
	if (error != NULL)
		outcome = read_error(a, error, t, why);
	else
		read_result(a, root, f, t);
	json_decref(root);
	return outcome;
}

const char *
iperf3_address(struct arena *a, const char *text, size_t len)
{
	json_error_t bad;
	json_t *root = load(text, len, &bad);
	const char *s = json_string_value(json_object_get(json_array_get(json_object_get(
	    json_object_get(root, "start"), "connected"), 0), "remote_host"));
	const char *address = s != NULL && *s != '\0' && strlen(s) < 64 &&
	    strspn(s, "0123456789abcdefABCDEF:.%") == strlen(s) ? arena_strdup(a, s) : NULL;

	json_decref(root);
	return address;
}
