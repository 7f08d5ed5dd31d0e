#include "fleet.h"

#include "record.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Which flag carries what the inventory says; NULL: the command has none for it. */
static const struct {
	const char *peer, *role, *token_file;
} flags_of[INVENTORY_COMMANDS] = {
	[INVENTORY_ADVISE] = { .role = "--role" },
	[INVENTORY_TUNE] = { "--peer", "--direction", "--token-file" },
};

int
fleet_command(const char *name)
{
	for (int i = 0; i < INVENTORY_COMMANDS; i++) {
		if (strcmp(inventory_commands[i], name) == 0)
			return i;
	}
	return -1;
}

/* ---- words ----------------------------------------------------------------------------------- */

struct words {
	struct arena *arena;
	const char **list;
	size_t n;
	const char *const *said; /* on the command line */
	size_t n_said;
	const struct inventory_flags *flags;
};

static void
add(struct words *w, const char *word)
{
	*(const char **)arena_push(w->arena, &w->list, &w->n, sizeof(char *)) = word;
}

static bool
is_flag(const char *word, const char *flag)
{
	size_t n = strlen(flag);

	return strncmp(word, flag, n) == 0 && (word[n] == '\0' || word[n] == '=');
}

/* Whoever writes the flag himself means that. */
static bool
is_said(const struct words *w, const char *flag)
{
	for (size_t i = 0; i < w->n_said; i++) {
		if (is_flag(w->said[i], flag))
			return true;
	}
	for (size_t i = 0; i < w->flags->n_words; i++) {
		if (is_flag(w->flags->words[i], flag))
			return true;
	}
	return false;
}

static void
add_flag(struct words *w, const char *flag, const char *value)
{
	if (flag != NULL && value != NULL && !is_said(w, flag))
		add(w, arena_printf(w->arena, "%s=%s", flag, value));
}

static void
add_host_flags(struct words *w, const struct inventory_host *h, int command)
{
	add_flag(w, flags_of[command].peer, h->peer);
	add_flag(w, flags_of[command].token_file, h->token_file);
	add_flag(w, flags_of[command].role, h->role == DIR_SEND ? "send" : h->role == DIR_RECEIVE ?
	    "receive" : h->role == DIR_BOTH ? "both" : NULL);
	if (!h->by_ssh)
		return;
	add_flag(w, "--identity", h->identity);
	add_flag(w, "--ssh-config", h->ssh_config);
	add_flag(w, "--ssh-timeout", h->ssh_timeout);
	add_flag(w, "--become", h->become == 0 ? NULL : inventory_become_names[h->become]);
	if (h->accept_new == 2 && !is_said(w, "--accept-new"))
		add(w, "--accept-new");
}

bool
fleet_argv(struct arena *a, const struct inventory_host *h, int command, const char *const *words,
    size_t n_words, const char ***argv, size_t *n, struct err *e)
{
	const struct inventory_flags *flags = &h->flags[command];
	struct words w = { .arena = a, .said = words, .n_said = n_words, .flags = flags };
	const char *word;

	add(&w, inventory_commands[command]);
	add(&w, "--json");
	add_host_flags(&w, h, command);
	for (size_t i = 0; i < flags->n_words; i++)
		add(&w, flags->words[i]);
	for (size_t i = 0; i < n_words; i++) {
		if (!inventory_expand(a, h, inventory_commands[command], words[i], &word, e))
			return false;
		add(&w, word);
	}
	add(&w, h->target);
	*n = w.n;
	add(&w, NULL);
	*argv = w.list;
	return true;
}

/* ---- whose turn ------------------------------------------------------------------------------ */

/* The machine that a name of a host or peer means: without scheme, user and port. */
static const char *
machine(struct arena *a, const char *name)
{
	const char *s = strstr(name, "://"), *at;
	size_t n;
	char *out;

	s = s == NULL ? name : s + 3;
	at = strrchr(s, '@');
	s = at == NULL ? s : at + 1;
	if (*s == '[')
		n = strcspn(++s, "]");
	else /* several colons: an address of IPv6, without a port */
		n = strchr(s, ':') == strrchr(s, ':') ? strcspn(s, ":") : strlen(s);
	out = arena_strndup(a, s, n);
	for (char *c = out; *c != '\0'; c++)
		*c = (char)tolower((unsigned char)*c);
	return out;
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static size_t
place_of(const char *const *sorted, size_t n, const char *name)
{
	const char *const *found = bsearch(&name, sorted, n, sizeof(char *), by_text);

	return found == NULL ? n : (size_t)(found - sorted);
}

/* bsearch() finds any of those that are equal, and all must be the same place. */
static size_t
unique(const char **sorted, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		if (kept == 0 || strcmp(sorted[kept - 1], sorted[i]) != 0)
			sorted[kept++] = sorted[i];
	}
	return kept;
}

/* Each job's own machine and that of its peer, as numbers. */
static void
place_jobs(struct arena *a, struct fleet_queue *q)
{
	const char **names = arena_array(a, 2 * q->n_jobs + 1, sizeof(char *));
	const char **all = arena_array(a, 2 * q->n_jobs + 1, sizeof(char *));
	size_t n = 0, kept;

	for (size_t i = 0; i < q->n_jobs; i++) {
		const struct inventory_host *h = q->jobs[i].host;

		names[n++] = machine(a, h->address != NULL ? h->address : h->target);
		names[n++] = machine(a, h->peer != NULL ? h->peer : h->target);
	}
	if (n != 0)
		memcpy(all, names, n * sizeof(char *));
	qsort(all, n, sizeof(char *), by_text);
	kept = unique(all, n);
	for (size_t i = 0; i < n; i++)
		q->jobs[i / 2].places[i % 2] = place_of(all, kept, names[i]);
	q->busy = arena_array(a, kept + 1, sizeof(*q->busy));
}

void
fleet_queue_make(struct arena *a, const struct inventory *v, const bool *chosen, bool apart,
    struct fleet_queue *out)
{
	*out = (struct fleet_queue){ .apart = apart };
	out->jobs = arena_array(a, v->n_hosts + 1, sizeof(*out->jobs));
	for (size_t i = 0; i < v->n_hosts; i++) {
		if (chosen[i])
			out->jobs[out->n_jobs++].host = &v->hosts[i];
	}
	if (apart)
		place_jobs(a, out);
}

struct fleet_job *
fleet_queue_next(struct fleet_queue *q)
{
	while (q->next < q->n_jobs && q->jobs[q->next].begun)
		q->next++;
	for (size_t i = q->next; i < q->n_jobs; i++) {
		struct fleet_job *j = &q->jobs[i];

		if (j->begun ||
		    (q->apart && (q->busy[j->places[0]] || q->busy[j->places[1]])))
			continue;
		j->begun = true;
		if (q->apart)
			q->busy[j->places[0]] = q->busy[j->places[1]] = true;
		return j;
	}
	return NULL;
}

void
fleet_queue_over(struct fleet_queue *q, struct fleet_job *job)
{
	job->over = true;
	if (q->apart)
		q->busy[job->places[0]] = q->busy[job->places[1]] = false;
}
