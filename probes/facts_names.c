/*
 * facts_names: which interfaces there are, and which files name the one towards the peer: what
 * must be looked after before that gets another name.
 */
#include "facts_ask.h"

#include "../tuner/match.h"
#include "facts_answer.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

#define INTERFACES 256
#define NAMES 200 /* places; a machine with more has them made by a program */

static const char **
plain_argv(const struct probe *p, const char **argv, size_t n)
{
	static const struct substitution none[] = { { NULL, NULL } };

	return n == 0 ? NULL : profile_argv(p->arena, argv, n, none);
}

static const struct output *
said_by(const struct probe *p, const char **argv, size_t n)
{
	return facts_said(p, plain_argv(p, argv, n), NULL);
}

void
facts_ask_names(struct probe *p)
{
	const struct nic_system *s = &p->profile->nic;

	facts_ask(p, plain_argv(p, s->interfaces, s->n_interfaces), NULL);
	facts_ask(p, plain_argv(p, s->lines, s->n_lines), NULL);
	facts_ask(p, plain_argv(p, s->files, s->n_files), NULL);
}

/* Where the word begins in the text, with no letter or digit beside it; NULL: nowhere. */
static const char *
find_word(const char *text, size_t len, const char *word)
{
	size_t n = word == NULL ? 0 : strlen(word);

	for (size_t i = 0; n != 0 && i + n <= len; i++) {
		if (memcmp(text + i, word, n) == 0 &&
		    (i == 0 || !isalnum((unsigned char)text[i - 1])) &&
		    (i + n == len || !isalnum((unsigned char)text[i + n])))
			return text + i;
	}
	return NULL;
}

static void
add_name(struct probe *p, const char *file, double line, const char *text)
{
	struct facts *f = p->facts;

	if (f->n_names < NAMES)
		*(struct nic_name *)arena_push(p->arena, &f->names, &f->n_names,
		    sizeof(*f->names)) = (struct nic_name){ file, line, text };
}

/* Up to the name and no further: what follows may be an address or a secret. */
static void
take_line(struct probe *p, const char *s, const char *end)
{
	const struct facts *f = p->facts;
	const char *word = f->interface, *at;
	struct facts_line l;

	if (!facts_line_of(p->arena, s, end, &l))
		return;
	for (; l.len != 0 && isblank((unsigned char)*l.text); l.text++)
		l.len--;
	at = find_word(l.text, l.len, word);
	if (at == NULL) {
		word = f->driver;
		at = find_word(l.text, l.len, word);
	}
	if (at == NULL || *l.text == '#' || *l.text == ';')
		return;
	add_name(p, l.file, l.line,
	    facts_shown(p->arena, l.text, (size_t)(at - l.text) + strlen(word)));
}

static void
take_file(struct probe *p, const char *s, const char *end)
{
	const char *base = s;

	for (const char *c = s; c < end; c++)
		base = *c == '/' ? c + 1 : base;
	if (*s == '/' && find_word(base, (size_t)(end - base), p->facts->interface) != NULL)
		add_name(p, facts_shown(p->arena, s, (size_t)(end - s)), NAN, NULL);
}

/* Statuses tell of files that are not there; what was printed counts. */
static void
take_lines(struct probe *p, const struct output *o,
    void (*take)(struct probe *, const char *, const char *))
{
	const char *s, *end;

	if (o == NULL)
		return;
	if (o->status < 0) {
		facts_unknown(p->arena, p->facts, "names", o->why);
		return;
	}
	for (s = o->text; *s != '\0'; s = end + (*end == '\n')) {
		end = s + strcspn(s, "\n");
		take(p, s, end);
	}
}

void
facts_take_names(struct probe *p)
{
	const struct nic_system *n = &p->profile->nic;
	struct facts *f = p->facts;
	const struct output *all = said_by(p, n->interfaces, n->n_interfaces);

	if (all != NULL && all->status == 0 && n->names != NULL)
		match_all(p->arena, n->names, all->text, all->len, INTERFACES, &f->interfaces,
		    &f->n_interfaces);
	if (f->interface == NULL)
		return;
	take_lines(p, said_by(p, n->files, n->n_files), take_file);
	take_lines(p, said_by(p, n->lines, n->n_lines), take_line);
}
