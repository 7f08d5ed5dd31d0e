/*
 * What a host says once everything is inherited: variables replaced, values checked.
 */
#include "inventory_state.h"
#include "units.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
#define VALUE_BYTES 1000

static const char *
value_of(const struct inventory_host *h, const char *name, size_t len)
{
	if (len == 4 && memcmp(name, "host", 4) == 0)
		return h->name;
	for (const struct inventory_var *v = h->vars; v != NULL; v = v->next) {
		if (strlen(v->name) == len && memcmp(v->name, name, len) == 0)
			return v->value;
	}
	return NULL;
}

bool
inventory_expand(struct arena *a, const struct inventory_host *h, const char *where,
    const char *text, const char **out, struct err *e)
{
	struct text t = { .arena = a };
	const char *open, *value;
	size_t len;

	if (strchr(text, '{') == NULL) {
		*out = text;
		return true;
	}
	for (; (open = strchr(text, '{')) != NULL; text = open + len + 2) {
		len = strcspn(open + 1, "{}");
		value = open[len + 1] == '}' ? value_of(h, open + 1, len) : NULL;
		if (value == NULL)
			return fail(e, ERR_USAGE, "%s: %s: '%.60s' names no variable of this host",
			    where, h->name, open);
		text_bytes(&t, text, (size_t)(open - text));
		text_bytes(&t, value, strlen(value));
	}
	text_bytes(&t, text, strlen(text));
	*out = t.s;
	return true;
}

/* ---- one value ------------------------------------------------------------------------------- */

static const char *
place(struct inventory_reader *r, const struct inventory_host *h)
{
	return arena_printf(r->arena, "%s:%u", r->name, h->line);
}

static bool
wrong(struct inventory_reader *r, const struct inventory_host *h, const char *key,
    const char *value, const char *what)
{
	return fail(r->e, ERR_USAGE, "%s:%u: %s: %s '%.60s' %s", r->name, h->line, h->name, key,
	    value, what);
}

/* One line that no command takes for a flag. */
static bool
is_word(const char *s)
{
	size_t n = 0;

	for (; s[n] != '\0'; n++) {
		if ((unsigned char)s[n] < ' ' || s[n] == 0x7f || n >= VALUE_BYTES)
			return false;
	}
	return n > 0 && *s != '-';
}

/* Replaced in place, and checked. */
static bool
settle_word(struct inventory_reader *r, const struct inventory_host *h, const char *key,
    const char **value)
{
	if (*value == NULL)
		return true;
	if (strchr(*value, '{') != NULL &&
	    !inventory_expand(r->arena, h, place(r, h), *value, value, r->e))
		return false;
	return is_word(*value) || wrong(r, h, key, *value, "is empty, too long or begins with -");
}

static bool
settle_path(struct inventory_reader *r, const struct inventory_host *h, const char *key,
    const char **value)
{
	if (!settle_word(r, h, key, value))
		return false;
	if (*value == NULL || **value == '/')
		return true;
	if (strncmp(*value, "~/", 2) != 0) {
		if (*r->dir != '\0')
			*value = arena_printf(r->arena, "%s/%s", r->dir, *value);
		return true;
	}
	if (r->home == NULL)
		return wrong(r, h, key, *value, "needs a home directory");
	*value = arena_printf(r->arena, "%s/%s", r->home, *value + 2);
	return true;
}

static bool
settle_flags(struct inventory_reader *r, struct inventory_host *h)
{
	for (size_t i = 0; i < INVENTORY_COMMANDS; i++) {
		struct inventory_flags *f = &h->flags[i];
		const char **words;
		bool any = false;

		for (size_t k = 0; k < f->n_words; k++)
			any = any || strchr(f->words[k], '{') != NULL;
		if (!any)
			continue;
		words = arena_array(r->arena, f->n_words, sizeof(*words));
		for (size_t k = 0; k < f->n_words; k++) {
			if (!inventory_expand(r->arena, h, place(r, h), f->words[k], &words[k],
				r->e))
				return false;
		}
		f->words = words;
	}
	return true;
}

/* ---- where it is ----------------------------------------------------------------------------- */

static bool
is_plain(const char *s, const char *more)
{
	size_t n = strspn(s, LETTERS);

	n += strspn(s + n, more);
	while (s[n] != '\0' && (isalnum((unsigned char)s[n]) || strchr(more, s[n]) != NULL))
		n++;
	return s[n] == '\0' && (isalnum((unsigned char)*s) || *s == '_');
}

/* Two colons at least, and what may stand in an IPv6 address with a zone. */
static bool
is_v6(const char *s)
{
	const char *colon = strchr(s, ':');

	return colon != NULL && strchr(colon + 1, ':') != NULL && *s != '-' &&
	    strspn(s, LETTERS ":.%_-") == strlen(s);
}

static bool
make_ssh(struct inventory_reader *r, struct inventory_host *h)
{
	const char *to = h->address != NULL ? h->address : h->name;
	bool v6 = is_v6(to);

	if (!v6 && !is_plain(to, "_.-"))
		return wrong(r, h, "address", to, "is not the name or address of a host");
	if (h->user != NULL && !is_plain(h->user, "_.+-"))
		return wrong(r, h, "user", h->user, "is not the name of a user");
	h->by_ssh = true;
	h->target = arena_printf(r->arena, "ssh://%s%s%s%s%s", h->user == NULL ? "" : h->user,
	    h->user == NULL ? "" : "@", v6 ? "[" : "", to, v6 ? "]" : "");
	if (!isnan(h->port))
		h->target = arena_printf(r->arena, "%s:%.0f", h->target, h->port);
	h->address = to;
	return true;
}

static bool
check_values(struct inventory_reader *r, struct inventory_host *h)
{
	struct err why = { ERR_NONE, "" };
	double seconds;

	if (h->ssh_timeout != NULL && !units_time(h->ssh_timeout, &seconds, &why))
		return fail(r->e, ERR_USAGE, "%s:%u: %s: ssh_timeout: %s", r->name, h->line,
		    h->name, why.text);
	return true;
}

bool
inventory_settle(struct inventory_reader *r, struct inventory_host *h)
{
	if (!settle_word(r, h, "address", &h->address) || !settle_word(r, h, "user", &h->user) ||
	    !settle_word(r, h, "target", &h->target) || !settle_word(r, h, "peer", &h->peer) ||
	    !settle_word(r, h, "ssh_timeout", &h->ssh_timeout) ||
	    !settle_path(r, h, "token_file", &h->token_file) ||
	    !settle_path(r, h, "identity", &h->identity) ||
	    !settle_path(r, h, "ssh_config", &h->ssh_config) || !settle_flags(r, h) ||
	    !check_values(r, h))
		return false;
	if (h->target == NULL)
		return make_ssh(r, h);
	h->by_ssh = strncmp(h->target, "ssh://", 6) == 0;
	h->address = NULL;
	return true;
}
