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

size_t
facts_ask(struct probe *p, const char **argv, const char *file)
{
	struct question *q;
	size_t i;

	for (i = 0; i < p->n_questions; i++) {
		if (same_question(&p->questions[i], argv, file))
			return i;
	}
	q = arena_push(p->arena, &p->questions, &p->n_questions, sizeof(*q));
	q->argv = argv;
	q->file = file;
	return i;
}

bool
facts_ask_run(struct probe *p)
{
	struct command *commands = arena_array(p->arena, p->n_questions, sizeof(*commands));
	struct output *out = arena_array(p->arena, p->n_questions, sizeof(*out));
	size_t i, n = 0;

	for (i = 0; i < p->n_questions; i++) {
		if (p->questions[i].answered)
			continue;
		commands[n].argv = p->questions[i].argv;
		commands[n++].file = p->questions[i].file;
	}
	if (n == 0)
		return true;
	if (!host_run(p->host, p->arena, commands, n, out, p->e))
		return false;
	for (i = n = 0; i < p->n_questions; i++) {
		if (p->questions[i].answered)
			continue;
		p->questions[i].answer = out[n++];
		p->questions[i].answered = true;
	}
	return true;
}

const char *
facts_usable(const char *value)
{
	return value != NULL && answer_is_plain(value) ? value : NULL;
}
