#include "peer_message.h"

#include <math.h>
#include <string.h>

static const char *const type_names[] = { "none", "trial", "ready", "stop", "result", "bye", "udp",
	NULL };

#define ANY 1e18
#define WHY_MAX 200

static const struct field message_fields[] = {
	F_ENUM(message, type, type_names, FIELD_REQUIRED),
	F_NUM(message, trial, 0, 1e9, FIELD_REQUIRED),
	F_STR(message, why, 0),
	F_ENUM(message, direction, direction_names, 0),
	F_NUM(message, streams, 0, FLOW_STREAMS_MAX, 0),
	F_NUM(message, warmup_s, 0, FLOW_SECONDS_MAX, 0),
	F_NUM(message, duration_s, 0, FLOW_SECONDS_MAX, 0),
	F_NUM(message, early_s, 0, FLOW_SECONDS_MAX, 0),
	F_NUM(message, max_bytes, 0, ANY, 0),
	F_NUM(message, pin_bytes, 0, FLOW_PIN_MAX, 0),
	F_STR(message, cc, 0),
	F_NUM(message, rate_bps, 0, ANY, 0),
	F_NUM(message, burst, 0, ANY, 0),
	F_ENUM(message, status, trial_status_names, 0),
	F_NUM(message, goodput_bps, 0, ANY, 0),
	F_NUM(message, retransmits, 0, 1, 0),
	F_NUM(message, min_ms, 0, ANY, 0),
	F_NUM(message, loaded_ms, 0, ANY, 0),
	F_NUM(message, inflight_bytes, 0, ANY, 0),
	F_NUM(message, rwnd_limited, 0, 1, 0),
	F_NUM(message, sndbuf_limited, 0, 1, 0),
	F_NUM(message, delivery_rate_bps, 0, ANY, 0),
	F_NUM(message, bytes, 0, ANY, 0),
	F_NUM(message, counted_s, 0, FLOW_SECONDS_MAX, 0),
	F_NUM(message, skipped_s, 0, FLOW_SECONDS_MAX, 0),
	F_NUM(message, cpu, 0, 1e3, 0),
	F_NUM(message, cpu_wait, 0, 1, 0),
	F_NUM(message, system_cpu, 0, 1, 0),
	F_NUM(message, idle_writes, 0, 1, 0),
	F_NUM(message, unread_bytes, 0, ANY, 0),
	F_NUM(message, unsent_bytes, 0, ANY, 0),
	F_NUM(message, cwnd_bytes, 0, ANY, 0),
	F_NUM(message, rwnd_bytes, 0, ANY, 0),
	F_BOOL(message, steady),
	F_NUMS(message, intervals_bps),
	F_NUM(message, sent_bytes, 0, ANY, 0),
	F_NUM(message, sent_bps, 0, ANY, 0),
	F_NUM(message, got_bytes, 0, ANY, 0),
	F_NUM(message, got_bps, 0, ANY, 0),
	F_NUM(message, burst_bps, 0, ANY, 0),
	F_END,
};

const struct record message_record = { "message", sizeof(struct message), message_fields };

struct message
message_new(enum message_type type, double trial)
{
	struct message m;

	record_init(&message_record, &m);
	m.type = type;
	m.trial = trial;
	return m;
}

bool
message_send(struct arena *a, struct channel *c, const struct message *m, struct err *e)
{
	const char *json = record_to_json(a, &message_record, m, false);

	return channel_send(c, json, strlen(json), e);
}

/* People will read it: one line, short, and nothing that a terminal would obey. */
const char *
message_plain(struct arena *a, const char *said)
{
	char *s = said == NULL ? NULL : arena_strndup(a, said, strnlen(said, WHY_MAX));

	for (char *p = s; p != NULL && *p != '\0'; p++)
		if (*p < ' ' || *p > '~')
			*p = '?';
	return s;
}

bool
message_next(struct arena *a, struct channel *c, struct message *m, struct err *e)
{
	struct err why = { .code = ERR_NONE };
	const char *payload;
	struct node *n;
	size_t len;

	*m = message_new(MESSAGE_NONE, 0);
	if (!channel_next(c, &payload, &len, e))
		return false;
	if (payload == NULL)
		return true;
	if (!node_from_json(a, "message of the peer", payload, len, &n, &why) ||
	    !record_from_node(a, "message of the peer", &message_record, n, m, &why))
		/* Not our user's mistake. */
		return fail(e, ERR_FAILED, "%s", message_plain(a, why.text));
	m->why = message_plain(a, m->why);
	return true;
}

void
message_from_spec(struct message *m, const struct flow_spec *f)
{
	m->direction = f->direction;
	m->streams = f->streams;
	m->warmup_s = f->warmup_s;
	m->duration_s = f->duration_s;
	m->early_s = f->early_s;
	m->max_bytes = f->max_bytes;
	m->pin_bytes = f->pin_bytes;
	m->cc = f->direction == DIR_RECEIVE ? f->cc : NULL;
}

static double
known(double v)
{
	return isnan(v) ? 0 : v;
}

static enum direction
other_way(int direction)
{
	return direction == DIR_SEND ? DIR_RECEIVE : direction == DIR_RECEIVE ? DIR_SEND : DIR_NONE;
}

void
message_from_udp(struct message *m, const struct udp_spec *u)
{
	m->direction = u->direction;
	m->duration_s = u->duration_s;
	m->max_bytes = u->max_bytes;
	m->rate_bps = u->rate_bps;
	m->burst = u->burst;
}

void
message_to_udp(const struct message *m, struct udp_spec *u)
{
	*u = (struct udp_spec){ other_way(m->direction), known(m->rate_bps), known(m->duration_s),
		known(m->burst), known(m->max_bytes) };
}

void
message_from_udp_result(struct message *m, const struct udp_result *r)
{
	m->status = r->why == NULL ? TRIAL_OK : TRIAL_VOID;
	m->why = r->why;
	m->sent_bytes = r->sent_bytes;
	m->sent_bps = r->sent_bps;
	m->got_bytes = r->got_bytes;
	m->got_bps = r->got_bps;
	m->burst_bps = r->burst_bps;
}

static void
join(double *mine, double theirs)
{
	if (isnan(*mine))
		*mine = theirs;
}

void
message_to_udp_result(const struct message *m, struct udp_result *r)
{
	join(&r->sent_bytes, m->sent_bytes);
	join(&r->sent_bps, m->sent_bps);
	join(&r->got_bytes, m->got_bytes);
	join(&r->got_bps, m->got_bps);
	join(&r->burst_bps, m->burst_bps);
	if (r->why == NULL && m->status != TRIAL_OK)
		r->why = m->why != NULL ? m->why : "the peer could not do it";
}

void
message_to_spec(const struct message *m, struct flow_spec *f)
{
	*f = (struct flow_spec){
		.direction = other_way(m->direction),
		.streams = (unsigned)known(m->streams),
		.warmup_s = known(m->warmup_s),
		.duration_s = known(m->duration_s),
		.early_s = known(m->early_s),
		.max_bytes = known(m->max_bytes),
		.pin_bytes = known(m->pin_bytes),
	};
}

void
message_from_trial(struct message *m, const struct trial *t)
{
	m->status = t->status;
	m->why = t->why;
	m->goodput_bps = t->goodput_bps;
	m->retransmits = t->retransmits;
	m->min_ms = t->rtt.min_ms;
	m->loaded_ms = t->rtt.loaded_ms;
	m->inflight_bytes = t->inflight_bytes;
	m->rwnd_limited = t->rwnd_limited;
	m->sndbuf_limited = t->sndbuf_limited;
	m->delivery_rate_bps = t->delivery_rate_bps;
	m->bytes = t->bytes;
	m->counted_s = t->duration_s;
	m->skipped_s = t->warmup_s;
	m->cpu = t->cpu;
	m->cpu_wait = t->cpu_wait;
	m->system_cpu = t->system_cpu;
	m->idle_writes = t->idle_writes;
	m->unread_bytes = t->unread_bytes;
	m->unsent_bytes = t->unsent_bytes;
	m->cwnd_bytes = t->cwnd_bytes;
	m->rwnd_bytes = t->rwnd_bytes;
	m->steady = t->steady;
	m->intervals_bps = t->intervals_bps;
	m->n_intervals_bps = t->n_intervals_bps;
}

/* Interval by interval, and none without end. */
static bool
intervals_credible(const struct message *m, double most_bytes)
{
	double bytes = 0;

	if (m->n_intervals_bps > (size_t)(FLOW_SECONDS_MAX / FLOW_INTERVAL_S) + 1)
		return false;
	for (size_t i = 0; i < m->n_intervals_bps; i++) {
		if (!(m->intervals_bps[i] >= 0))
			return false;
		bytes += m->intervals_bps[i] / 8 * FLOW_INTERVAL_S;
	}
	return bytes <= most_bytes;
}

bool
message_credible(const struct message *m, double sent_bytes)
{
	double most_bytes = sent_bytes * (1 + 1e-6) + 1; /* of rounding */

	if (!intervals_credible(m, m->status == TRIAL_OK ? most_bytes : INFINITY))
		return false;
	return m->status != TRIAL_OK || (known(m->bytes) <= most_bytes &&
	    m->counted_s >= FLOW_INTERVAL_S / 2 && m->goodput_bps >= 0 &&
	    m->goodput_bps / 8 * m->counted_s <= most_bytes);
}

static void
counts_to_trial(const struct message *m, struct trial *t)
{
	t->goodput_bps = m->goodput_bps;
	t->bytes = known(m->bytes);
	t->duration_s = m->counted_s;
	t->warmup_s = m->skipped_s;
	t->steady = m->steady;
	t->unread_bytes = m->unread_bytes;
	t->intervals_bps = m->intervals_bps;
	t->n_intervals_bps = m->n_intervals_bps;
}

static void
kernel_to_trial(const struct message *m, struct trial *t)
{
	t->retransmits = m->retransmits;
	t->rtt.min_ms = m->min_ms;
	t->rtt.loaded_ms = m->loaded_ms;
	t->inflight_bytes = m->inflight_bytes;
	t->rwnd_limited = m->rwnd_limited;
	t->sndbuf_limited = m->sndbuf_limited;
	t->delivery_rate_bps = m->delivery_rate_bps;
	t->idle_writes = m->idle_writes;
	t->unsent_bytes = m->unsent_bytes;
	t->cwnd_bytes = m->cwnd_bytes;
	t->rwnd_bytes = m->rwnd_bytes;
}

static void
status_to_trial(const struct message *m, struct trial *t)
{
	if (t->status == TRIAL_OK && m->status != TRIAL_OK) {
		t->status = (enum trial_status)m->status;
		t->why = m->why != NULL ? m->why : "the peer could not do this transfer";
	}
}

void
message_to_trial(const struct message *m, struct trial *t)
{
	if (t->direction == DIR_SEND)
		counts_to_trial(m, t);
	else
		kernel_to_trial(m, t);
	t->peer_cpu = m->cpu;
	t->peer_cpu_wait = m->cpu_wait;
	t->peer_system_cpu = m->system_cpu;
	status_to_trial(m, t);
}

void
message_to_whole_trial(const struct message *m, struct trial *t)
{
	counts_to_trial(m, t);
	kernel_to_trial(m, t);
	status_to_trial(m, t);
}
