/*
 * pathtune profile: which systems are known, what is known of one, and whether a file of one's own
 * is sound.
 */
#include "cmd.h"
#include "profile.h"
#include "profile_read.h"
#include "../probes/files.h"

#include <stdio.h>
#include <string.h>

struct entry {
	const char *name, *system, *releases;
};

struct entries {
	struct entry *profiles;
	size_t n_profiles;
};

static const struct field entry_fields[] = {
	F_STR(entry, name, 0),
	F_STR(entry, system, 0),
	F_STR(entry, releases, 0),
	F_END,
};
static const struct record entry_record = { "profile", sizeof(struct entry), entry_fields };

static const struct field entries_fields[] = {
	F_LIST(entries, profiles, &entry_record),
	F_END,
};
static const struct record entries_record = { "profiles", sizeof(struct entries), entries_fields };

static bool
list(struct cmd_context *c, struct err *e)
{
	struct entries all = { NULL, 0 };
	struct entry *one;
	const char *name, *text;
	struct profile *p;
	size_t len;

	for (size_t i = 0; (name = profile_embedded(i, &text, &len)) != NULL; i++) {
		if (!profile_named(c->arena, name, &p, e))
			return false;
		one = arena_push(c->arena, &all.profiles, &all.n_profiles, sizeof(*one));
		*one = (struct entry){ name, p->sysname, p->releases };
	}
	if (c->json)
		puts(record_to_json(c->arena, &entries_record, &all, true));
	for (size_t i = 0; !c->json && i < all.n_profiles; i++)
		printf("%-10s  %-10s  %s\n", all.profiles[i].name, all.profiles[i].system,
		    all.profiles[i].releases);
	return true;
}

static void
print_json(struct cmd_context *c, const struct profile *p)
{
	puts(record_to_json(c->arena, &profile_record, p, true));
}

/* An embedded one as it was written, so that it can be the start of one's own. */
static bool
show(struct cmd_context *c, const char *name, const char *text, size_t len, struct err *e)
{
	struct profile *p;

	if (!c->json) {
		fwrite(text, 1, len, stdout);
		return true;
	}
	if (!profile_named(c->arena, name, &p, e))
		return false;
	print_json(c, p);
	return true;
}

static bool
check(struct cmd_context *c, const char *file, struct err *e)
{
	struct profile *p;
	const char *text;
	size_t len;

	/* What is too large for a profile is for its own reader to say. */
	if (!files_read(c->arena, file, NODE_BYTES, &text, &len, e) ||
	    !profile_parse(c->arena, file, text, len, &p, e))
		return false;
	if (c->json)
		print_json(c, p);
	else
		printf("%s: sound, profile of %s\n", file, p->sysname);
	return true;
}

static bool
profile(struct cmd_context *c, int argc, char **argv, struct err *e)
{
	struct opt opts[] = { { NULL, 0, OPT_FLAG, NULL, 0, 0, NULL, NULL, NULL, false } };
	const char **words, *name, *text;
	struct profile *p;
	size_t n, len;
	bool help;

	if (!cmd_options(c, &cmd_profile, opts, argc, argv, false, &words, &n, &help, e) || help)
		return help;
	if (n > 1)
		return fail(e, ERR_USAGE, "'%.60s': one profile or file at a time", words[1]);
	if (n == 0)
		return list(c, e);
	for (size_t i = 0; (name = profile_embedded(i, &text, &len)) != NULL; i++) {
		if (strcmp(name, words[0]) == 0)
			return show(c, name, text, len, e);
	}
	/* A word without a slash or a dot is a name, and this one is wrong: the error tells all. */
	return strpbrk(words[0], "/.") == NULL ? profile_named(c->arena, words[0], &p, e) :
	    check(c, words[0], e);
}

const struct cmd cmd_profile = { "profile", "[NAME | FILE]",
	"lists what systems are known, prints a profile, or checks a file", profile };
