/*
 * bench_probe: how long "pathtune probe" of this host takes, without a peer.
 */
#include "tuner/stats.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define STARTS 20
#define BAR_MS 100.0

static double
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* What it finds is not shown, its errors are. */
static double
probe_ms(void)
{
	double began = now_ms();
	int status, null;
	pid_t pid = fork();

	if (pid == 0) {
		null = open("/dev/null", O_WRONLY);
		dup2(null, STDOUT_FILENO);
		execl(PATHTUNE, PATHTUNE, "probe", (char *)NULL);
		_exit(127);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (pid < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		fputs("bench_probe: pathtune probe failed\n", stderr);
		exit(1);
	}
	return now_ms() - began;
}

int
main(void)
{
	double ms[STARTS], median;

	for (size_t i = 0; i < STARTS; i++)
		ms[i] = probe_ms();
	median = stats_median(ms, STARTS);
	printf("probe, no peer: median of %d %.0f ms, slowest %.0f; bar %.0f ms %s\n", STARTS, median,
	    stats_quantile(ms, STARTS, 1), BAR_MS, median < BAR_MS ? "reached" : "falls short");
	return 0;
}
