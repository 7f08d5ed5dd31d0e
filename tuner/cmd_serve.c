/* pathtune serve: the other end of a measurement. */
#include "cmd.h"
#include "record.h"

#include "../probes/peer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

struct ready {
	const char *schema;
	double port;
	const char *token; /* NULL: it was given */
};

static const struct field ready_fields[] = {
	F_STR(ready, schema, FIELD_REQUIRED),
	F_NUM(ready, port, 0, 65535, FIELD_REQUIRED),
	F_STR(ready, token, 0),
	F_END,
};
static const struct record ready_record = { "ready", sizeof(struct ready), ready_fields };

static void
serve_ready(void *arg, unsigned port, const char *token)
{
	struct cmd_context *c = arg;
	struct ready r = { "pathtune-serve/1", port, token };
	struct arena *a = arena_new();

	if (c->json)
		puts(record_to_json(a, &ready_record, &r, false));
	else if (token != NULL)
		printf("ready port %u token %s\n", port, token);
	else
		printf("ready port %u\n", port);
	fflush(stdout); /* who started us waits for this line */
	arena_free(a);
}

static void
serve_say(void *arg, const char *line)
{
	cmd_note(arg, "serve: %s", line);
}

struct serve_flags {
	const char *listen, *token_file;
	bool token_env, token_stdin, once, while_stdin;
	double port, max_time_s, max_bytes;
};

/* Port of --port, address of --listen; both may not name a port. */
static bool
serve_listen(struct arena *a, const struct serve_flags *f, const char **listen, struct err *e)
{
	const char *colon = f->listen == NULL ? NULL : strrchr(f->listen, ':');
	const char *host = f->listen == NULL ? "*" : f->listen;

	*listen = f->listen;
	if (isnan(f->port))
		return true;
	if (f->port != floor(f->port))
		return fail(e, ERR_USAGE, "--port: %g is not a whole number", f->port);
	if (colon != NULL && (strchr(f->listen, ':') == colon || strstr(f->listen, "]:") != NULL))
		return fail(
		    e, ERR_USAGE, "--port contradicts the port in --listen %.200s", f->listen);
	*listen = arena_printf(
	    a, colon != NULL && host[0] != '[' ? "[%s]:%.0f" : "%s:%.0f", host, f->port);
	return true;
}

static bool
serve_token(struct arena *a, const struct serve_flags *f, const char **token, struct err *e)
{
	*token = NULL;
	if ((f->token_file != NULL) + f->token_env + f->token_stdin > 1)
		return fail(e, ERR_USAGE,
		    "--token-file, --token-env and --token-stdin contradict each other");
	if (f->token_file != NULL)
		return peer_token_file(a, f->token_file, token, e);
	if (f->token_env)
		return peer_token_env(token, e);
	return !f->token_stdin || peer_token_stdin(a, token, e);
}

static bool
serve_run(struct cmd_context *c, int argc, char **argv, struct err *e)
{
	struct serve_flags f = { .port = NAN, .max_time_s = NAN, .max_bytes = NAN };
	struct opt opts[] = {
		{ "listen", 0, OPT_STRING, &f.listen, 0, 0, NULL, "ADDR[:PORT]",
		    "address to listen on (all, IPv4 and IPv6)", false },
		{ "port", 0, OPT_NUMBER, &f.port, 0, 65535, NULL, "N",
		    "port to listen on (5209); 0: any, see the ready line", false },
		{ "token-file", 0, OPT_STRING, &f.token_file, 0, 0, NULL, "FILE",
		    "read the token from FILE, which only you may read", false },
		{ "token-env", 0, OPT_FLAG, &f.token_env, 0, 0, NULL, NULL,
		    "take the token from PATHTUNE_TOKEN", false },
		{ "token-stdin", 0, OPT_FLAG, &f.token_stdin, 0, 0, NULL, NULL,
		    "read the token from standard input", false },
		{ "once", 0, OPT_FLAG, &f.once, 0, 0, NULL, NULL,
		    "end after one run; so it does whenever a token is given", false },
		{ "while-stdin", 0, OPT_FLAG, &f.while_stdin, 0, 0, NULL, NULL,
		    "end when standard input does", false },
		{ "max-time", 0, OPT_TIME, &f.max_time_s, 1, 1e9, NULL, "TIME",
		    "end after this time", false },
		{ "max-bytes", 0, OPT_BYTES, &f.max_bytes, 1, 1e18, NULL, "BYTES",
		    "end when this much was sent and received", false },
		{ NULL, 0, OPT_FLAG, NULL, 0, 0, NULL, NULL, NULL, false },
	};
	struct serve_options o = { .ready = serve_ready, .say = serve_say, .arg = c };
	const char **words;
	size_t n_words;
	bool help;

	if (!cmd_options(c, &cmd_serve, opts, argc, argv, false, &words, &n_words, &help, e))
		return false;
	if (help)
		return true;
	if (n_words > 0)
		return fail(e, ERR_USAGE, "serve takes no argument: '%.40s'", words[0]);
	o.once = f.once;
	o.while_stdin = f.while_stdin;
	o.max_time_s = f.max_time_s;
	o.max_bytes = f.max_bytes;
	return serve_listen(c->arena, &f, &o.listen, e) && serve_token(c->arena, &f, &o.token, e) &&
	    peer_serve(&o, e);
}

const struct cmd cmd_serve = {
	"serve",
	"[--listen ADDR[:PORT]] [--port N] [--token-file FILE|--token-env|--token-stdin] [--once]\n"
	"                [--while-stdin] [--max-time TIME] [--max-bytes BYTES]",
	"the other end of a measurement",
	serve_run,
};
