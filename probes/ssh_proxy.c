#include "ssh_proxy.h"

#include "net.h"
#include "process.h"
#include "stream.h"
#include "../tuner/words.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define STDERR_BYTES ((size_t)16384) /* more is read, and dropped */

/* What libssh makes of a ProxyJump.  ssh itself would hand its file of settings on. */
static const char jump[] = " -W '[%h]:%p' ";

struct ssh_proxy {
	struct arena *arena;
	pid_t pid;
	struct stream err;
};

/* One word with its %h, %p .. replaced; NULL when there is another one. */
static const char *
expanded(struct arena *a, const char *word, const struct ssh_proxy_for *to)
{
	struct text t = { .arena = a };

	text_bytes(&t, "", 0);
	for (const char *s = word; *s != '\0'; s++) {
		if (*s != '%') {
			text_bytes(&t, s, 1);
			continue;
		}
		switch (*++s) {
		case 'h': text_add(&t, "%s", to->host); break;
		case 'n': text_add(&t, "%s", to->asked); break;
		case 'p': text_add(&t, "%u", to->port); break;
		case 'r': text_add(&t, "%s", to->user); break;
		case '%': text_bytes(&t, "%", 1); break;
		default: return NULL;
		}
	}
	return t.s;
}

static bool
is_ssh(const char *program)
{
	const char *slash = strrchr(program, '/');

	return strcmp(slash == NULL ? program : slash + 1, "ssh") == 0;
}

static void
push(struct arena *a, const char ***argv, size_t *n, const char *word)
{
	*(const char **)arena_push(a, argv, n, sizeof(char *)) = word;
}

bool
ssh_proxy_words(struct arena *a, const char *line, const struct ssh_proxy_for *to,
    const char ***argv, struct err *e)
{
	bool file = to->config != NULL && *to->config != '\0' && strstr(line, jump) != NULL;
	const char **words = NULL, **out = NULL, *w;
	struct err why = { ERR_NONE, "" };
	size_t n = 0, k = 0;

	if (!words_split(a, line, &words, &n, &why))
		return fail(e, ERR_USAGE, "ProxyCommand '%.80s' would need a shell (%s), and none "
		    "is started; put it into a script", line, why.text);
	for (size_t i = n > 1 && strcmp(words[0], "exec") == 0 ? 1 : 0; i < n; i++) {
		w = expanded(a, words[i], to);
		if (w == NULL)
			return fail(e, ERR_USAGE, "ProxyCommand '%.80s': only %%h, %%n, %%p, %%r "
			    "and %%%% are known", line);
		push(a, &out, &k, w);
		if (k > 1 || !is_ssh(w))
			continue;
		push(a, &out, &k, "-o");
		push(a, &out, &k, "BatchMode=yes");
		for (int f = 0; file && f < 2; f++)
			push(a, &out, &k, f == 0 ? "-F" : to->config);
	}
	if (k == 0)
		return fail(e, ERR_USAGE, "ProxyCommand is empty");
	push(a, &out, &k, NULL);
	*argv = out;
	return true;
}

static void
close_all(const int *fds, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (fds[i] != -1)
			close(fds[i]);
	}
}

/* Above the standard descriptors, close-on-exec. */
static bool
lift(int fds[2])
{
	int low[2] = { fds[0], fds[1] };

	for (size_t i = 0; i < 2; i++) {
		fds[i] = fcntl(low[i], F_DUPFD_CLOEXEC, 3);
		close(low[i]);
	}
	return fds[0] != -1 && fds[1] != -1;
}

bool
ssh_proxy_start(struct arena *a, const char *const *argv, struct ssh_proxy **out, int *fd,
    struct err *e)
{
	int link[2] = { -1, -1 }, err[2] = { -1, -1 };
	struct ssh_proxy *p = arena_alloc(a, sizeof(*p));
	bool ok;

	ok = socketpair(AF_UNIX, SOCK_STREAM, 0, link) == 0 && lift(link) && pipe(err) == 0 &&
	    lift(err) && net_ready(link[0]) && net_ready(err[0]);
	if (!ok)
		fail(e, ERR_FAILED, "%s: %s", argv[0], strerror(errno));
	ok = ok && process_start(a, argv, true, (const int[]){ link[1], link[1], err[1] }, &p->pid,
		e);
	if (!ok) {
		close_all(link, 2);
		close_all(err, 2);
		return false;
	}
	close_all((const int[]){ link[1], err[1] }, 2);
	p->arena = a;
	p->err = (struct stream){ .arena = a, .cap = STDERR_BYTES, .fd = err[0] };
	*fd = link[0];
	*out = p;
	return true;
}

int
ssh_proxy_stderr(const struct ssh_proxy *p)
{
	return p->err.fd;
}

void
ssh_proxy_listen(struct ssh_proxy *p)
{
	if (p->err.fd != -1 && !stream_read(&p->err) && errno != EAGAIN)
		stream_close(&p->err);
}

const char *
ssh_proxy_said(struct ssh_proxy *p)
{
	const char *s = stream_text(&p->err), *end = s + strlen(s), *begin;

	while (end > s && (end[-1] == '\n' || end[-1] == '\r'))
		end--;
	for (begin = end; begin > s && begin[-1] != '\n'; begin--)
		continue;
	return begin == end ? NULL : arena_strndup(p->arena, begin, (size_t)(end - begin));
}

void
ssh_proxy_end(struct ssh_proxy *p)
{
	process_end(p->pid);
	stream_close(&p->err);
}
