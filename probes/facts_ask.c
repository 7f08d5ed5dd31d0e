#include "facts_ask.h"

#include "facts_answer.h"

#include <string.h>

static bool
same_question(const struct question *q, const char **argv, const char *file)
{
	size_t i;

	if (argv == NULL || q->argv == NULL)
		return argv == NULL && q->argv == NULL && strcmp(q->file, file) == 0;
	for (i = 0; argv[i] != NULL && q->argv[i] != NULL; i++) {
		if (strcmp(argv[i], q->argv[i]) != 0)
			return false;
	}
	return argv[i] == q->argv[i];
}

static struct question *
question_of(const struct probe *p, const char **argv, const char *file)
{
	size_t i;

	for (i = 0; i < p->n_questions; i++) {
		if (same_question(&p->questions[i], argv, file))
			return &p->questions[i];
	}
	return NULL;
}

void
facts_ask(struct probe *p, const char **argv, const char *file)
{
	facts_ask_slow(p, argv, file, 0);
}

void
facts_ask_slow(struct probe *p, const char **argv, const char *file, double timeout_s)
{
	struct question *q;

	if ((argv == NULL && file == NULL) || question_of(p, argv, file) != NULL)
		return;
	q = arena_push(p->arena, &p->questions, &p->n_questions, sizeof(*q));
	q->argv = argv;
	q->file = file;
	q->timeout_s = timeout_s;
}

const struct output *
facts_said(const struct probe *p, const char **argv, const char *file)
{
	const struct question *q =
	    argv == NULL && file == NULL ? NULL : question_of(p, argv, file);

	return q != NULL && q->answered ? &q->answer : NULL;
}

/* A reason is the host's own words, and goes to a terminal: one line that commands none. */
static const char *
one_line(struct arena *a, const char *why)
{
	char *line = why == NULL ? NULL : arena_strndup(a, why, strcspn(why, "\r\n"));

	if (line != NULL)
		text_disarm(line);
	return line;
}

/* The questions that are still to be put, files first: a script copies them with one process. */
static size_t
list_open(struct probe *p, struct question **open)
{
	size_t n = 0;

	for (int argv = 0; argv < 2; argv++) {
		for (size_t i = 0; i < p->n_questions; i++) {
			struct question *q = &p->questions[i];

			if (!q->answered && (q->argv != NULL) == (argv == 1))
				open[n++] = q;
		}
	}
	return n;
}

bool
facts_ask_run(struct probe *p, bool *any)
{
	struct question **open = arena_array(p->arena, p->n_questions, sizeof(void *));
	size_t n = list_open(p, open);
	struct command *commands = arena_array(p->arena, n, sizeof(*commands));
	struct output *out = arena_array(p->arena, n, sizeof(*out));

	*any = n != 0;
	if (n == 0)
		return true;
	for (size_t i = 0; i < n; i++)
		commands[i] = (struct command){ .argv = open[i]->argv, .file = open[i]->file,
			.timeout_s = open[i]->timeout_s };
	if (!host_run(p->host, p->arena, commands, n, out, p->e))
		return false;
	for (size_t i = 0; i < n; i++) {
		out[i].why = one_line(p->arena, out[i].why);
		open[i]->answer = out[i];
		open[i]->answered = true;
	}
	return true;
}

const char *
facts_usable(const char *value)
{
	return value != NULL && answer_is_plain(value) ? value : NULL;
}
