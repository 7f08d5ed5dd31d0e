#include "ssh_revoked.h"

#include "files.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define SYSTEM_FILE "/etc/ssh/ssh_config"
#define KEYWORD "RevokedHostKeys"
#define CONFIG_BYTES ((size_t)1024 * 1024)
#define LIST_BYTES ((size_t)64 * 1024 * 1024)
#define BLANKS " \t\r"

struct asked {
	struct arena *arena;
	const char *home; /* NULL: not known */
	ssh_key key;
	struct ssh_known *known;
};

/* ---- a list ---------------------------------------------------------------------------------- */

/* "TYPE BASE64 comment"; options before the type, which authorized_keys has, no list has. */
static bool
judge_key(const struct asked *x, char *line, bool *same)
{
	char *type, *base64, *rest = NULL;
	ssh_key key = NULL;

	*same = false;
	type = strtok_r(line, BLANKS, &rest);
	if (type == NULL || *type == '#')
		return true;
	base64 = strtok_r(NULL, BLANKS, &rest);
	if (base64 == NULL ||
	    ssh_pki_import_pubkey_base64(base64, ssh_key_type_from_name(type), &key) != SSH_OK)
		return false;
	*same = ssh_key_cmp(key, x->key, SSH_KEY_CMP_PUBLIC) == 0;
	ssh_key_free(key);
	return true;
}

static bool
ask_list(const struct asked *x, const char *file, struct err *e)
{
	static const char magic[] = "SSHKRL\n";
	const char *text, *at;
	unsigned number = 0;
	char *line;
	size_t n;
	bool same;

	if (!files_read(x->arena, file, LIST_BYTES, &text, &n, e))
		return false;
	if (n >= sizeof(magic) && memcmp(text, magic, sizeof(magic)) == 0)
		return fail(e, ERR_FAILED, "%s: a list of revoked keys in OpenSSH's binary form is "
		    "not read; have it as text, one public key a line", file);
	for (at = text; (line = files_line(x->arena, &at, text + n)) != NULL;) {
		number++;
		if (!judge_key(x, line, &same))
			return fail(e, ERR_FAILED, "%s line %u: not a public key; while a list of "
			    "revoked keys cannot be read, no host is believed", file, number);
		if (same && x->known->verdict != KNOWN_REVOKED)
			*x->known = (struct ssh_known){ KNOWN_REVOKED, number, file };
	}
	return true;
}

/* ---- the settings that name it --------------------------------------------------------------- */

/* What a line says behind the keyword, its quotes taken off; NULL: it is about something else. */
static char *
named(char *line)
{
	char *s = line + strspn(line, BLANKS), *end;

	if (strncasecmp(s, KEYWORD, sizeof(KEYWORD) - 1) != 0)
		return NULL;
	s += sizeof(KEYWORD) - 1;
	if (*s == '\0' || strchr(BLANKS "=\"", *s) == NULL)
		return NULL;
	s += strspn(s, BLANKS);
	s += *s == '=';
	s += strspn(s, BLANKS);
	end = *s == '"' ? strchr(++s, '"') : s + strcspn(s, BLANKS);
	if (end != NULL)
		*end = '\0';
	return s;
}

/* "~/" and "%d/" are the home directory; NULL: something that we do not know to expand. */
static const char *
expanded(const struct asked *x, const char *name)
{
	size_t skip = *name == '~' ? 1 : strncmp(name, "%d", 2) == 0 ? 2 : 0;

	if ((skip != 0 && (name[skip] != '/' || x->home == NULL)) ||
	    strpbrk(name + skip, "%$") != NULL)
		return NULL;
	return skip == 0 ? name : arena_printf(x->arena, "%s%s", x->home, name + skip);
}

static bool
ask_config(const struct asked *x, const char *file, struct err *e)
{
	const char *text, *at, *list;
	unsigned number = 0;
	char *line, *name;
	size_t n;

	if (!files_read_any(x->arena, file, CONFIG_BYTES, &text, &n, e))
		return false;
	for (at = text; (line = files_line(x->arena, &at, text + n)) != NULL;) {
		number++;
		name = named(line);
		if (name == NULL || strcasecmp(name, "none") == 0)
			continue;
		list = expanded(x, name);
		if (*name == '\0' || list == NULL)
			return fail(e, ERR_USAGE, "%s line %u: " KEYWORD
			    " names no file that can be found: '%.200s'", file, number, name);
		if (!ask_list(x, list, e))
			return false;
	}
	return true;
}

bool
ssh_revoked_ask(struct arena *a, const char *config, ssh_key key, struct ssh_known *k,
    struct err *e)
{
	const struct asked x = { a, getenv("HOME"), key, k };

	if (*config != '\0')
		return ask_config(&x, config, e);
	return (x.home == NULL || ask_config(&x, arena_printf(a, "%s/.ssh/config", x.home), e)) &&
	    ask_config(&x, SYSTEM_FILE, e);
}
