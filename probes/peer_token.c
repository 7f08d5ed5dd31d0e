#include "peer_session.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TOKEN_RANDOM_BYTES 24

bool
peer_token_check(const char *token, struct err *e)
{
	size_t n = strlen(token);

	for (size_t i = 0; i < n; i++)
		if (token[i] <= ' ' || token[i] > '~')
			return fail(e, ERR_USAGE,
			    "token: only printable ASCII characters without blanks are allowed");
	if (n < PEER_TOKEN_MIN || n > PEER_TOKEN_MAX)
		return fail(e, ERR_USAGE, "token: %zu characters, expected %d to %d", n,
		    PEER_TOKEN_MIN, PEER_TOKEN_MAX);
	return true;
}

const char *
peer_token_new(struct arena *a)
{
	unsigned char raw[TOKEN_RANDOM_BYTES];
	size_t n = sodium_base64_ENCODED_LEN(sizeof(raw), sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	char *text = arena_alloc(a, n);

	wire_random(raw, sizeof(raw));
	sodium_bin2base64(text, n, raw, sizeof(raw), sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	sodium_memzero(raw, sizeof(raw));
	return text;
}

/* Up to the end of the line or of the input, as far as there is room; a stop is heard. */
static bool
line_read(int fd, const char *what, char *text, size_t room, size_t *len, struct err *e)
{
	struct pollfd p[2];
	ssize_t n = 1;

	while (n != 0 && *len < room && (*len == 0 || text[*len - 1] != '\n')) {
		p[0] = (struct pollfd){ .fd = fd, .events = POLLIN };
		if (!session_poll(p, 1, -1, e))
			return false;
		if (p[0].revents == 0)
			continue;
		n = read(fd, text + *len, room - *len);
		if (n < 0 && !net_later())
			return fail(e, ERR_FAILED, "token: %.200s: %s", what, strerror(errno));
		*len += n > 0 ? (size_t)n : 0;
	}
	return true;
}

/* One line, newline removed; what names the source. */
static bool
token_read(struct arena *a, int fd, const char *what, const char **out, struct err *e)
{
	char text[PEER_TOKEN_MAX + 3];
	size_t len = 0;

	if (!line_read(fd, what, text, sizeof(text) - 1, &len, e))
		return false;
	if (len > 0 && text[len - 1] == '\n')
		len--;
	if (len > 0 && text[len - 1] == '\r')
		len--;
	text[len] = '\0';
	if (strlen(text) != len)
		return fail(e, ERR_USAGE, "token: %.200s holds a NUL byte", what);
	if (!peer_token_check(text, e))
		return false;
	*out = arena_strdup(a, text);
	sodium_memzero(text, sizeof(text));
	return true;
}

bool
peer_token_file(struct arena *a, const char *path, const char **out, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	bool ok = false;

	if (fd == -1 || fstat(fd, &st) != 0)
		fail(e, ERR_FAILED, "token file %.200s: %s", path, strerror(errno));
	else if (!S_ISREG(st.st_mode))
		fail(e, ERR_USAGE, "token file %.200s: not a regular file", path);
	else if ((st.st_mode & (S_IRWXG | S_IRWXO)) != 0)
		fail(e, ERR_USAGE, "token file %.200s: others may use it (mode %03o); chmod 600 it",
		    path, (unsigned)(st.st_mode & 0777));
	else
		ok = token_read(a, fd, path, out, e);
	if (fd != -1)
		close(fd);
	return ok;
}

bool
peer_token_env(const char **out, struct err *e)
{
	const char *token = getenv("PATHTUNE_TOKEN");

	if (token == NULL)
		return fail(e, ERR_USAGE, "token: PATHTUNE_TOKEN is not set");
	if (!peer_token_check(token, e))
		return false;
	*out = token;
	return true;
}

bool
peer_token_stdin(struct arena *a, const char **out, struct err *e)
{
	return token_read(a, STDIN_FILENO, "standard input", out, e);
}
