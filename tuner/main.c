/*
 * main: the command table, the exit status, and the only place that prints an error.
 */
#include "cmd.h"
#include "../probes/stop.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct cmd *const commands[] = {
	&cmd_probe,
	&cmd_advise,
	&cmd_tune,
	&cmd_apply,
	&cmd_confirm,
	&cmd_revert,
	&cmd_check,
	&cmd_fleet,
	&cmd_measure,
	&cmd_compare,
	&cmd_demo,
	&cmd_show,
	&cmd_import,
	&cmd_serve,
	&cmd_profile,
	&cmd_module,
	&cmd_lab,
	&cmd_agent,
};

static int
usage(FILE *out)
{
	fputs("usage: pathtune COMMAND [ARGUMENTS]\n\n", out);
	for (size_t i = 0; i < NELEM(commands); i++)
		if (commands[i] != &cmd_agent) /* not for people */
			fprintf(out, "  %-8s %s\n", commands[i]->name, commands[i]->summary);
	fputs(
	    "\npathtune COMMAND --help tells more; pathtune --version prints the version.\n", out);
	return out == stdout ? 0 : 2;
}

static int
exit_status(const struct err *e)
{
	static const int status[] = {
		[ERR_NONE] = 1,
		[ERR_FAILED] = 1,
		[ERR_USAGE] = 2,
		[ERR_PENDING] = 3,
		[ERR_FLEET] = 4,
		[ERR_STOPPED] = 5,
	};

	return status[e->code];
}

static bool
terminal(FILE *f)
{
	const char *term = getenv("TERM");

	return isatty(fileno(f)) && (term == NULL || strcmp(term, "dumb") != 0);
}

/* A full disk or a closed pipe shows only when what was printed is flushed. */
static bool
flush_results(struct err *e)
{
	if (fflush(stdout) == 0 && ferror(stdout) == 0)
		return true;
	return fail(e, ERR_FAILED, "standard output: could not be written");
}

/*
 * A standard descriptor that is closed would go to the next file that is opened: what is printed
 * would end up in a journal or on the peer's connection.  Filled the wrong way round, so that using
 * it is still an error.
 */
static bool
fill_standard(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) == -1 &&
		    open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
			return false;
	}
	return true;
}

static int again(const char *program, int argc, char **argv);

static int
run(const struct cmd *cmd, const char *program, int argc, char **argv)
{
	struct cmd_context c = { .arena = arena_new(),
		.tty = terminal(stderr),
		.color = terminal(stdout) && getenv("NO_COLOR") == NULL,
		.program = program,
		.again = again };
	struct err e = { ERR_NONE, "" };
	int status;

	if (!fill_standard())
		fail(&e, ERR_FAILED, "/dev/null could not be opened");
	else if (!stop_install())
		fail(&e, ERR_FAILED, "signal handlers could not be installed");
	else if (cmd->run(&c, argc, argv, &e))
		flush_results(&e);
	cmd_progress_end(&c);
	status = e.code == ERR_NONE ? c.status : exit_status(&e);
	if (e.code != ERR_NONE) {
		fflush(stdout);
		fprintf(stderr, "pathtune %s: %s\n", cmd->name, e.text);
	}
	arena_free(c.arena);
	return status;
}

static const struct cmd *
command_of(const char *name)
{
	for (size_t i = 0; i < NELEM(commands); i++) {
		if (strcmp(name, commands[i]->name) == 0)
			return commands[i];
	}
	return NULL;
}

static int
again(const char *program, int argc, char **argv)
{
	const struct cmd *cmd = command_of(argv[0]);

	return cmd == NULL ? 2 : run(cmd, program, argc, argv);
}

int
main(int argc, char **argv)
{
	const struct cmd *cmd;

	if (argc < 2)
		return usage(stderr);
	if (strcmp(argv[1], "--version") == 0) {
		puts("pathtune " PATHTUNE_VERSION);
		return 0;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
	    strcmp(argv[1], "help") == 0)
		return usage(stdout);
	cmd = command_of(argv[1]);
	if (cmd != NULL)
		return run(cmd, argv[0], argc - 1, argv + 1);
	fprintf(stderr, "pathtune: %.60s is not a command\n", argv[1]);
	return usage(stderr);
}
