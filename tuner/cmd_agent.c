/*
 * pathtune agent: the end of a measurement that another pathtune starts on this host.  Not for
 * people: it talks in lines of JSON.
 */
#include "cmd.h"
#include "../probes/agent.h"

#include <unistd.h>

static bool
agent(struct cmd_context *c, int argc, char **argv, struct err *e)
{
	struct opt opts[] = { { NULL, 0, OPT_FLAG, NULL, 0, 0, NULL, NULL, NULL, false } };
	const char **words;
	size_t n;
	bool help;

	if (!cmd_options(c, &cmd_agent, opts, argc, argv, false, &words, &n, &help, e) || help)
		return help;
	if (n != 0)
		return fail(e, ERR_USAGE, "agent takes no argument: '%.40s'", words[0]);
	return agent_serve(STDIN_FILENO, STDOUT_FILENO, e);
}

const struct cmd cmd_agent = { "agent", "",
	"the end of a measurement that another pathtune starts here; not for people", agent };
