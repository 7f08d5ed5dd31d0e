#include "lab_link.h"

#include "lab_loss.h"

#include <math.h>
#include <stdlib.h>
#include <sys/mman.h>

#define RING_SLACK ((size_t)1024 * 1024)
#define RING_ALIGN 8u
#define RING_BYTES_PER_RUN 128 /* fewer than the smallest packet's: a flood of those drops early */
#define RUNS_SLACK 4096

/* Segments of one packet that are delivered together. */
struct run {
	double due_ns;
	uint64_t begin;   /* the packet, as a position of the ring */
	uint32_t len;
	uint32_t first, count;
};

struct link {
	double ns_per_byte;
	double mtu;
	double room;             /* bytes; queues in packets use departures */
	double *departures;      /* of the last n_departures admitted segments */
	size_t n_departures;
	uint64_t admitted;
	double free_ns;          /* the serialiser is idle from here on */
	double delay_ns, jitter_ns;
	double last_due_ns;
	struct {
		double bytes_per_ns, burst, tokens, at_ns;
	} police;
	struct loss loss;
	uint64_t jitter_key, on_wire;

	/* Positions grow for ever; modulo size they are offsets. */
	unsigned char *ring;
	size_t size;
	uint64_t head, tail;
	uint64_t released;       /* tail once the packet last taken is done with */
	bool full;               /* the next packet goes to spare and is dropped */
	unsigned char *spare;
	struct run *runs;
	size_t n_runs;
	uint64_t run_head, run_tail;
	unsigned char headers[SEGMENT_HEADERS_MAX];

	struct lab_stats stats;
	double late_ns, n_late;
};

static double
one_way_ms(const struct lab_spec *s)
{
	return s->rtt_ms / 2;
}

double
link_queue_room(const struct lab_spec *s, unsigned direction)
{
	const struct lab_link *l = &s->link[direction];

	if (l->queue_unit == QUEUE_BDP)
		return l->queue * l->rate_bps / 8 * s->rtt_ms / 1e3;
	return l->queue;
}

static double
ring_bytes(const struct lab_spec *s, unsigned direction)
{
	const struct lab_link *l = &s->link[direction];
	double queue = link_queue_room(s, direction);
	double wire = l->rate_bps / 8 * (one_way_ms(s) + l->jitter_ms) / 1e3;

	if (l->queue_unit == QUEUE_PACKETS)
		queue *= s->mtu;
	return 1.25 * (queue + wire) + RING_SLACK;
}

double
link_memory_bytes(const struct lab_spec *s, unsigned direction)
{
	double ring = ring_bytes(s, direction);

	return ring * (1 + (double)sizeof(struct run) / RING_BYTES_PER_RUN);
}

static void *
map(size_t n)
{
	void *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

static void
unmap(void *p, size_t n)
{
	if (p != NULL)
		munmap(p, n);
}

void
link_free(struct link *l)
{
	if (l == NULL)
		return;
	unmap(l->ring, l->size);
	unmap(l->runs, l->n_runs * sizeof(*l->runs));
	free(l->spare);
	free(l->departures);
	free(l);
}

static bool
take_memory(struct link *l, const struct lab_spec *s, unsigned direction)
{
	l->size = (size_t)ring_bytes(s, direction) / RING_ALIGN * RING_ALIGN;
	l->n_runs = l->size / RING_BYTES_PER_RUN + RUNS_SLACK;
	l->ring = map(l->size);
	l->runs = map(l->n_runs * sizeof(*l->runs));
	l->spare = malloc(SEGMENT_PACKET_MAX);
	if (s->link[direction].queue_unit == QUEUE_PACKETS) {
		/* One more: the segment being serialised does not wait. */
		l->n_departures = (size_t)s->link[direction].queue + 1;
		l->departures = calloc(l->n_departures, sizeof(*l->departures));
		if (l->departures == NULL)
			return false;
	}
	return l->ring != NULL && l->runs != NULL && l->spare != NULL;
}

struct link *
link_new(const struct lab_spec *s, unsigned direction)
{
	const struct lab_link *spec = &s->link[direction];
	struct link *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return NULL;
	l->ns_per_byte = 8e9 / spec->rate_bps;
	l->mtu = s->mtu;
	l->room = link_queue_room(s, direction);
	l->delay_ns = one_way_ms(s) * 1e6;
	l->jitter_ns = spec->jitter_ms * 1e6;
	l->police.bytes_per_ns = spec->police_bps / 8e9;
	l->police.burst = l->police.tokens = spec->police_burst_bytes;
	loss_init(&l->loss, spec, (uint64_t)s->seed, direction);
	l->jitter_key = loss_key((uint64_t)s->seed, 2 + direction);
	if (!take_memory(l, s, direction)) {
		link_free(l);
		return NULL;
	}
	return l;
}

static bool
conforms(struct link *l, double bytes, double now)
{
	double tokens;

	if (l->police.bytes_per_ns == 0)
		return true;
	tokens = l->police.tokens + (now - l->police.at_ns) * l->police.bytes_per_ns;
	l->police.tokens = tokens < l->police.burst ? tokens : l->police.burst;
	l->police.at_ns = now;
	if (l->police.tokens < bytes)
		return false;
	l->police.tokens -= bytes;
	return true;
}

static double
backlog_bytes(const struct link *l, double now)
{
	return l->free_ns > now ? (l->free_ns - now) / l->ns_per_byte : 0;
}

/* Room for one more?  What is being serialised does not wait: hence one MTU, one packet more. */
static bool
fits(const struct link *l, double bytes, double now)
{
	if (l->n_departures != 0)
		return l->departures[l->admitted % l->n_departures] <= now;
	return backlog_bytes(l, now) + bytes <= l->room + l->mtu;
}

/* When the last bit has left the serialiser. */
static double
serialise(struct link *l, double bytes, double now)
{
	l->free_ns = (l->free_ns > now ? l->free_ns : now) + bytes * l->ns_per_byte;
	if (l->n_departures != 0)
		l->departures[l->admitted++ % l->n_departures] = l->free_ns;
	return l->free_ns;
}

/* Take one segment through policer, queue, serialiser and wire.  False: it is gone. */
static bool
transmit(struct link *l, double bytes, double now, double *departure)
{
	l->stats.segments_in++;
	l->stats.bytes_in += bytes;
	if (!conforms(l, bytes, now)) {
		l->stats.dropped_police++;
		return false;
	}
	if (!fits(l, bytes, now)) {
		l->stats.dropped_queue++;
		return false;
	}
	*departure = serialise(l, bytes, now);
	l->on_wire++;
	if (loss_next(&l->loss)) {
		l->stats.dropped_loss++;
		return false;
	}
	l->stats.segments_out++;
	l->stats.bytes_out += bytes;
	return true;
}

/* Order is kept: jitter can only push later packets back. */
static double
arrival(struct link *l, double departure)
{
	double due = departure + l->delay_ns;

	if (l->jitter_ns > 0)
		due += l->jitter_ns * loss_uniform(l->jitter_key, l->on_wire);
	if (due < l->last_due_ns)
		due = l->last_due_ns;
	l->last_due_ns = due;
	return due;
}

static struct run *
push_run(struct link *l, size_t len, unsigned first)
{
	struct run *r = &l->runs[l->run_head++ % l->n_runs];

	*r = (struct run){ .begin = l->head, .len = (uint32_t)len, .first = first };
	return r;
}

/* Bytes of the packet up to the end of segment i. */
static size_t
end_of(const struct packet *p, unsigned i)
{
	size_t end = p->payload + (i + 1) * p->segment_bytes;

	return p->segments == 1 || end > p->len ? p->len : end;
}

/*
 * Segment by segment into runs.  Returns the bytes that must be kept for them: a full queue cuts
 * the end off a super-packet, and what was dropped is to take no room here either.
 */
static size_t
transmit_packet(struct link *l, const struct packet *p, double now)
{
	struct run *run = NULL;
	double began = 0, departure;
	size_t keep = 0;

	for (unsigned i = 0; i < p->segments; i++) {
		if (!transmit(l, (double)packet_wire_bytes(p, i), now, &departure)) {
			run = NULL;
			continue;
		}
		if (run == NULL || departure - began > LINK_BATCH_NS) {
			run = push_run(l, p->len, i);
			began = departure;
		}
		run->count++;
		run->due_ns = arrival(l, departure);
		keep = end_of(p, i);
	}
	return keep;
}

static void
drop_packet(struct link *l, const struct packet *p)
{
	for (unsigned i = 0; i < p->segments; i++) {
		l->stats.segments_in++;
		l->stats.bytes_in += (double)packet_wire_bytes(p, i);
		l->stats.dropped_queue++;
	}
}

unsigned char *
link_room(struct link *l)
{
	uint64_t rest = l->size - l->head % l->size;
	uint64_t begin = rest < SEGMENT_PACKET_MAX ? l->head + rest : l->head;

	l->full = begin + SEGMENT_PACKET_MAX - l->tail > l->size;
	if (l->full)
		return l->spare;
	l->head = begin;
	return l->ring + begin % l->size;
}

void
link_arrive(struct link *l, size_t len, double now_ns)
{
	struct packet p;
	unsigned char *bytes = l->full ? l->spare : l->ring + l->head % l->size;
	size_t keep = 0;

	l->tail = l->released;
	if (!packet_parse(&p, bytes, len))
		return;
	if (l->full || l->run_head - l->run_tail + p.segments > l->n_runs)
		drop_packet(l, &p);
	else
		keep = transmit_packet(l, &p, now_ns);
	l->head += (keep + RING_ALIGN - 1) / RING_ALIGN * RING_ALIGN;
}

double
link_due(const struct link *l)
{
	return l->run_tail == l->run_head ? INFINITY : l->runs[l->run_tail % l->n_runs].due_ns;
}

int
link_take(struct link *l, double now_ns, struct iovec iov[2])
{
	const struct run *r = &l->runs[l->run_tail % l->n_runs];
	struct packet p;

	l->tail = l->released;
	if (link_due(l) > now_ns)
		return 0;
	l->run_tail++;
	l->late_ns += now_ns - r->due_ns;
	l->n_late++;
	/* Up to this packet's begin all is done with; the packet itself may have more runs. */
	l->released = l->run_tail == l->run_head ? l->head : l->runs[l->run_tail % l->n_runs].begin;
	packet_parse(&p, l->ring + r->begin % l->size, r->len);
	return packet_slice(&p, r->first, r->count, l->headers, iov);
}

struct lab_stats
link_stats(const struct link *l, double now_ns)
{
	struct lab_stats s = l->stats;

	s.queue_bytes = backlog_bytes(l, now_ns);
	s.lateness_us = l->n_late == 0 ? 0 : l->late_ns / l->n_late / 1e3;
	return s;
}
