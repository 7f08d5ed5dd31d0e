#include "profile_check.h"

#include <string.h>

static bool
has(const struct endpoint_program *p, const char *key)
{
	for (size_t i = 0; i < p->n_argv; i++) {
		if (strstr(p->argv[i], key) != NULL)
			return true;
	}
	return false;
}

/* Where does it connect to, and how is it known again? */
static bool
check_program(const struct check *c, const struct endpoint_program *p)
{
	bool url = has(p, "{url}");

	if (p->direction != DIR_SEND && p->direction != DIR_RECEIVE)
		return check_wrong(c, "direction", "must be send or receive");
	if (p->greeting == GREETING_NONE)
		return check_wrong(c, "greeting", "must be line, http or address");
	if (p->tool[0] == '\0' || strpbrk(p->tool, "/{} ") != NULL)
		return check_wrong(c, "tool", "must be the name of a program");
	if (p->n_argv == 0 || (p->greeting == GREETING_HTTP) != url ||
	    (!url && !(has(p, "{address}") && has(p, "{port}"))))
		return check_wrong(c, "argv", "must have {url}, if greeting is http, and else "
		    "{address} and {port}");
	if ((p->greeting == GREETING_LINE) != has(p, "{secret}"))
		return check_wrong(c, "argv", "must have {secret} if greeting is line, and only "
		    "then");
	return check_argv(c, "argv", p->argv, p->n_argv, "address port secret url seconds");
}

bool
check_endpoints(struct check *c, const struct node *root, const struct endpoints *x)
{
	const struct node *map = check_child(root, "endpoints"), *list;

	if (map == NULL)
		return true;
	list = check_child(map, "programs");
	c->map = list == NULL ? NULL : list->child;
	for (size_t i = 0; i < x->n_programs && c->map != NULL; i++, c->map = c->map->next) {
		if (!check_program(c, &x->programs[i]))
			return false;
	}
	return true;
}
