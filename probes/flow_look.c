#include "flow_look.h"

#include "flow.h"
#include "tcpinfo.h"

#include <math.h>
#include <sys/ioctl.h>

void
look_init(struct flow_look *l, struct arena *a)
{
	*l = (struct flow_look){ .arena = a };
	load_here();
}

void
look_begin(struct flow_look *l)
{
	if (!l->began)
		load_mark(&l->mark[0]);
	l->began = true;
}

void
look_end(struct flow_look *l)
{
	if (l->began && !l->ended)
		load_mark(&l->mark[1]);
	l->ended = l->began;
}

void
look_writes(struct flow_look *l, const int *fd, unsigned n)
{
	struct pollfd p[FLOW_STREAMS_MAX];

	for (unsigned i = 0; i < n; i++)
		p[i] = (struct pollfd){ .fd = fd[i], .events = POLLOUT };
	if (poll(p, n, 0) < 0)
		return;
	for (unsigned i = 0; i < n; i++) {
		l->looks++;
		l->idle += (p[i].revents & POLLOUT) != 0;
	}
}

void
look_unread(struct flow_look *l, const int *fd, unsigned n)
{
	double sum = 0;
	int bytes;

	for (unsigned i = 0; i < n; i++)
		sum += fd[i] != -1 && ioctl(fd[i], FIONREAD, &bytes) == 0 ? bytes : 0;
	*(double *)arena_push(l->arena, &l->unread, &l->n_unread, sizeof(sum)) = sum;
}

void
look_fill(const struct flow_look *l, struct trial *t)
{
	struct load load = { NAN, NAN, NAN };

	if (l->ended)
		load = load_between(&l->mark[0], &l->mark[1]);
	t->cpu = load.cpu;
	t->cpu_wait = load.wait;
	t->system_cpu = load.system;
	t->idle_writes = l->looks > 0 ? l->idle / l->looks : NAN;
	t->unread_bytes = tcp_log_median(l->unread, l->n_unread);
}
