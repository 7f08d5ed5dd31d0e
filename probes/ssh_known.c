#include "ssh_known.h"

#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SYSTEM_FILE "/etc/ssh/ssh_known_hosts"
#define FILE_BYTES ((size_t)64 * 1024 * 1024) /* a fleet's file has some hundred bytes a host */
#define BLANKS " \t\r"

/* The next word of a line; "" at its end. */
static char *
word(char **at)
{
	char *w = *at + strspn(*at, BLANKS);

	*at = w + strcspn(w, BLANKS);
	if (**at != '\0')
		*(*at)++ = '\0';
	return w;
}

/* False: not about this host. */
static bool
judge_line(struct arena *a, char *line, const char *host, ssh_key key,
    enum ssh_known_verdict *verdict)
{
	struct ssh_knownhosts_entry *entry = NULL;
	const char *hosts = word(&line), *type, *base64;
	bool revoked = strcmp(hosts, "@revoked") == 0, same;
	int rc;

	if (revoked)
		hosts = word(&line);
	if (*hosts == '\0' || *hosts == '#' || *hosts == '@' ||
	    (!revoked && strchr(hosts, '!') != NULL))
		return false;
	type = word(&line);
	base64 = word(&line);
	rc = ssh_known_hosts_parse_line(host, arena_printf(a, "%s %s %s", hosts, type, base64),
	    &entry);
	if (rc == SSH_AGAIN)
		return false;
	same = rc == SSH_OK && entry != NULL &&
	    ssh_key_cmp(entry->publickey, key, SSH_KEY_CMP_PUBLIC) == 0;
	if (rc == SSH_OK)
		ssh_knownhosts_entry_free(entry);
	*verdict = revoked ? KNOWN_REVOKED : same ? KNOWN_OK : KNOWN_CHANGED;
	return !revoked || same;
}

/* Revoked goes before known, known before changed, changed before unknown. */
static bool
outweighs(enum ssh_known_verdict x, enum ssh_known_verdict y)
{
	static const int weight[] = { [KNOWN_UNKNOWN] = 0, [KNOWN_CHANGED] = 1, [KNOWN_OK] = 2,
		[KNOWN_REVOKED] = 3 };

	return weight[x] > weight[y];
}

void
ssh_known_text(struct arena *a, const char *file, const char *text, size_t n, const char *host,
    ssh_key key, struct ssh_known *k)
{
	const char *at = text;
	enum ssh_known_verdict v;
	unsigned number = 0;
	char *line;

	while ((line = files_line(a, &at, text + n)) != NULL) {
		number++;
		if (judge_line(a, line, host, key, &v) && outweighs(v, k->verdict))
			*k = (struct ssh_known){ v, number, file };
	}
}

static bool
ask_one(struct arena *a, const char *file, const char *host, ssh_key key, struct ssh_known *k,
    struct err *e)
{
	const char *text;
	size_t n;

	if (!files_read_any(a, file, FILE_BYTES, &text, &n, e))
		return false;
	ssh_known_text(a, file, text, n, host, key, k);
	return true;
}

bool
ssh_known_ask(struct arena *a, const char *file, const char *host, ssh_key key,
    struct ssh_known *k, struct err *e)
{
	*k = (struct ssh_known){ KNOWN_UNKNOWN, 0, file };
	return ask_one(a, file, host, key, k, e) && ask_one(a, SYSTEM_FILE, host, key, k, e);
}

/* One write behind the last newline, under a lock: a fleet's processes share the file. */
static bool
append(int fd, const char *line)
{
	struct flock all = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	size_t len = strlen(line);
	struct stat st;
	char last = '\n';

	if (fcntl(fd, F_SETLKW, &all) != 0 || fstat(fd, &st) != 0 ||
	    (st.st_size > 0 && pread(fd, &last, 1, st.st_size - 1) != 1))
		return false;
	if (last == '\n') {
		line++;
		len--;
	}
	return write(fd, line, len) == (ssize_t)len;
}

bool
ssh_known_record(struct arena *a, const char *file, const char *host, ssh_key key, struct err *e)
{
	const char *slash = strrchr(file, '/');
	char *base64;
	int fd;
	bool ok;

	if (ssh_pki_export_pubkey_base64(key, &base64) != SSH_OK)
		return fail(e, ERR_FAILED, "the host's key cannot be written down");
	if (slash != NULL && slash != file)
		(void)mkdir(arena_strndup(a, file, (size_t)(slash - file)), 0700);
	fd = open(file, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	ok = fd != -1 && append(fd, arena_printf(a, "\n%s %s %s\n", host,
	    ssh_key_type_to_char(ssh_key_type(key)), base64));
	ssh_string_free_char(base64);
	if (!ok)
		fail(e, ERR_FAILED, "%s: %s", file, strerror(errno));
	if (fd != -1)
		close(fd);
	return ok;
}

const char *
ssh_known_fingerprint(struct arena *a, ssh_key key)
{
	const char *type = ssh_key_type_to_char(ssh_key_type(key));
	unsigned char *hash = NULL;
	char *said = NULL, *out;
	size_t n;

	if (ssh_get_publickey_hash(key, SSH_PUBLICKEY_HASH_SHA256, &hash, &n) == 0)
		said = ssh_get_fingerprint_hash(SSH_PUBLICKEY_HASH_SHA256, hash, n);
	out = arena_printf(a, "%s %s", type == NULL ? "unknown" : type,
	    said == NULL ? "(no fingerprint)" : said);
	ssh_string_free_char(said);
	ssh_clean_pubkey_hash(&hash);
	return out;
}
