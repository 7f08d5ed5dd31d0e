/*
 * transcript: what a host was asked and said, as a file that people can read, compare and write.
 *
 *	# pathtune transcript 1
 *	# origin: composed from os-facts.md A.1, D.2          (or: recorded on ...)
 *	# peer: 192.0.2.10
 *	# rtt_ms: 209
 *	$ sysctl -n kern.ipc.maxsockbuf
 *	|2097152
 *	= 0
 *	< /proc/sys/net/ipv4/tcp_rmem
 *	|4096	131072	33554432
 *	= 0
 *	$ ethtool -i 'odd name'
 *	!ethtool: not found
 *	= -1
 *	# end 3
 *
 * "$" an argv, words quoted as for sh where they hold anything but [A-Za-z0-9_./:@%+=,-]; "<" a
 * file; "|" a line of stdout, "|~" the last one where no newline follows it (a line that begins
 * with "~" itself is written "|\x7e.."); "!" the reason of a status that is not 0; "=" the status.
 * Bytes outside of printable ASCII and tab are \xNN, a backslash is \\, in quotes too.  Before the
 * first question may stand the origin, the peer's numeric address as it occurs in questions, and
 * what is known of the path to it: rtt_ms (to 1e6), send_bps, receive_bps (to 1e15).  Other lines
 * that begin with "#" are comments; they and empty lines may stand between answers.  "# end N" with
 * the number of answers is last: a file cut anywhere is refused.  The same question twice is an
 * error.
 */
#ifndef PATHTUNE_TRANSCRIPT_H
#define PATHTUNE_TRANSCRIPT_H

#include "host.h"

#define TRANSCRIPT_FILE "transcript"            /* within its directory */
#define TRANSCRIPT_BYTES ((size_t)16 * 1024 * 1024)
#define TRANSCRIPT_ENTRIES ((size_t)65536)

struct transcript_entry {
	const char **argv;   /* NULL: file */
	const char *file;
	struct output answer;
	unsigned line;
};

struct transcript {
	const char *origin;      /* NULL: not said */
	struct host_path path;
	struct transcript_entry *entries;
	size_t n_entries;
};

/* name is what errors call it: "name:line: what". */
bool transcript_parse(struct arena *a, const char *name, const char *text, size_t len,
    struct transcript *out, struct err *e);

char *transcript_text(struct arena *a, const struct transcript *t);

/* NULL: it was not asked then. */
const struct transcript_entry *transcript_find(const struct transcript *t,
    const struct command *c);

/*
 * Host names, addresses and MACs replaced by such that are for documentation (RFC 5737, RFC 3849,
 * 02:00:..), the same one by the same one throughout, in questions and answers, in hexadecimal
 * digits in a kernel's table of routes too; loopback, masks, unspecified and link-local prefixes
 * stay.  What follows password=, passphrase=, secret= or key= is "...".
 */
void transcript_redact(struct arena *a, struct transcript *t, const struct host_names *names);

#endif
