/*
 * What came of a command on one host: its document on one line, and what people see of it.
 */
#include "fleet.h"

#include "record.h"

#include <math.h>
#include <string.h>

static const struct record result_record = { "fleet result", sizeof(struct fleet_result),
	(const struct field[]){
		F_STR(fleet_result, schema, FIELD_REQUIRED),
		F_STR(fleet_result, host, FIELD_REQUIRED),
		F_STR(fleet_result, target, FIELD_REQUIRED),
		F_STR(fleet_result, command, FIELD_REQUIRED),
		F_NUM(fleet_result, status, 0, 255, 0),
		F_NUM(fleet_result, seconds, 0, 0, 0),
		F_STR(fleet_result, error, 0),
		F_END,
	} };

bool
fleet_is_good(const struct fleet_result *r)
{
	return r->status == 0 || r->status == 3;
}

const char *
fleet_result_json(struct arena *a, const struct fleet_result *r, const char *document)
{
	const char *own = record_to_json(a, &result_record, r, false);
	size_t n = strlen(own);

	while (n > 0 && own[n - 1] != '}')
		n--;
	return arena_printf(a, "%.*s,\"document\":%s}", (int)(n == 0 ? 0 : n - 1), own,
	    document == NULL ? "null" : document);
}

/* Blanks between the words of a valid document. */
static char *
without_blanks(struct arena *a, const char *s, size_t len)
{
	char *out = arena_alloc(a, len + 1), *o = out;
	bool quoted = false;

	for (size_t i = 0; i < len; i++) {
		if (!quoted && strchr(" \t\r\n", s[i]) != NULL)
			continue;
		if (quoted && s[i] == '\\' && i + 1 < len)
			*o++ = s[i++];
		else if (s[i] == '"')
			quoted = !quoted;
		*o++ = s[i];
	}
	return out;
}

static const char *
member(const struct node *n, const char *key, const char *within)
{
	if (n == NULL || n->kind != NODE_MAP)
		return NULL;
	for (n = n->child; n != NULL; n = n->next) {
		if (strcmp(n->key, key) != 0)
			continue;
		return within != NULL ? member(n, within, NULL) :
		    n->kind == NODE_TEXT ? n->text : NULL;
	}
	return NULL;
}

/* The word in which a document says most: a verdict, a status, or which system it is about. */
static const char *
say_document(struct arena *a, const struct node *root)
{
	const char *verdict = member(root, "decision", "verdict");
	const char *status = member(root, "status", NULL);
	const char *os = member(root, "os", NULL), *release = member(root, "release", NULL);
	char *said;

	if (verdict != NULL && strcmp(verdict, "none") != 0)
		said = arena_strdup(a, verdict);
	else if (status != NULL)
		said = arena_strdup(a, status);
	else if (os != NULL)
		said = arena_printf(a, "%s %s", os, release == NULL ? "" : release);
	else
		return "";
	text_disarm(said);
	said[strcspn(said, "\n")] = '\0';
	return said;
}

bool
fleet_document(struct arena *a, const char *text, size_t len, const char **out, const char **about,
    struct err *e)
{
	struct node *root;

	if (!node_from_json(a, "its document", text, len, &root, e))
		return false;
	*out = without_blanks(a, text, len);
	*about = say_document(a, root);
	return true;
}

const char *
fleet_reason(struct arena *a, const char *said)
{
	size_t end = strlen(said), begin;
	const char *colon;
	char *line;

	while (end > 0 && strchr("\r\n \t", said[end - 1]) != NULL)
		end--;
	for (begin = end; begin > 0 && strchr("\r\n", said[begin - 1]) == NULL; begin--)
		continue;
	if (begin == end)
		return NULL;
	line = arena_strndup(a, said + begin, end - begin);
	colon = strncmp(line, "pathtune ", 9) == 0 ? strchr(line, ':') : NULL;
	if (colon != NULL && colon[1] == ' ')
		line += colon + 2 - line;
	text_disarm(line);
	return line;
}
