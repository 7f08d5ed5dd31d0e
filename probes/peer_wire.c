#include "peer_wire.h"
#include "net.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define FRAME_EXTRA (4 + WIRE_MAC)
#define OUT_MAX (4 * WIRE_PAYLOAD_MAX) /* an other end that never reads is given up on */
#define READ_BYTES ((size_t)65536)

_Static_assert(WIRE_MAC == crypto_auth_BYTES && WIRE_KEY == crypto_auth_KEYBYTES, "crypto_auth");

struct part {
	const void *p;
	size_t n;
};

static void
mac(const unsigned char key[WIRE_KEY], const struct part *parts, size_t n,
    unsigned char out[WIRE_MAC])
{
	crypto_auth_hmacsha512256_state s;

	crypto_auth_hmacsha512256_init(&s, key, WIRE_KEY);
	for (size_t i = 0; i < n; i++)
		crypto_auth_hmacsha512256_update(&s, parts[i].p, parts[i].n);
	crypto_auth_hmacsha512256_final(&s, out);
}

static bool
mac_holds(const unsigned char key[WIRE_KEY], const struct part *parts, size_t n,
    const unsigned char given[WIRE_MAC])
{
	unsigned char expected[WIRE_MAC];

	mac(key, parts, n, expected);
	return sodium_memcmp(expected, given, WIRE_MAC) == 0;
}

bool
wire_start(struct err *e)
{
	if (sodium_init() < 0)
		return fail(e, ERR_FAILED, "libsodium cannot be used here: no random numbers");
	return true;
}

void
wire_random(unsigned char *p, size_t n)
{
	randombytes_buf(p, n);
}

void
wire_token_key(const char *token, unsigned char key[WIRE_KEY])
{
	static const unsigned char context[] = "pathtune-1 token";
	crypto_generichash_state s;

	crypto_generichash_init(&s, NULL, 0, WIRE_KEY);
	crypto_generichash_update(&s, context, sizeof(context));
	crypto_generichash_update(&s, (const unsigned char *)token, strlen(token));
	crypto_generichash_final(&s, key, WIRE_KEY);
}

void
wire_hello(const unsigned char nonce[WIRE_NONCE], unsigned char out[WIRE_HELLO])
{
	memcpy(out, WIRE_MAGIC, WIRE_MAGIC_BYTES);
	memcpy(out + WIRE_MAGIC_BYTES, nonce, WIRE_NONCE);
}

bool
wire_hello_read(const unsigned char in[WIRE_HELLO], unsigned char nonce[WIRE_NONCE])
{
	if (memcmp(in, WIRE_MAGIC, WIRE_MAGIC_BYTES) != 0)
		return false;
	memcpy(nonce, in + WIRE_MAGIC_BYTES, WIRE_NONCE);
	return true;
}

#define NONCES \
	{ server, WIRE_NONCE }, \
	{ \
		client, WIRE_NONCE \
	}

void
wire_claim(const unsigned char token_key[WIRE_KEY], const unsigned char server[WIRE_NONCE],
    const unsigned char client[WIRE_NONCE], unsigned char out[WIRE_CLAIM])
{
	struct part parts[] = { { "client", 6 }, NONCES };

	out[0] = 'C';
	memcpy(out + 1, client, WIRE_NONCE);
	mac(token_key, parts, NELEM(parts), out + 1 + WIRE_NONCE);
}

bool
wire_claim_check(const unsigned char token_key[WIRE_KEY], const unsigned char server[WIRE_NONCE],
    const unsigned char in[WIRE_CLAIM], unsigned char client[WIRE_NONCE])
{
	struct part parts[] = { { "client", 6 }, NONCES };

	memcpy(client, in + 1, WIRE_NONCE);
	return in[0] == 'C' && mac_holds(token_key, parts, NELEM(parts), in + 1 + WIRE_NONCE);
}

void
wire_answer(char letter, const unsigned char token_key[WIRE_KEY],
    const unsigned char server[WIRE_NONCE], const unsigned char client[WIRE_NONCE],
    unsigned char out[WIRE_ANSWER])
{
	struct part parts[] = { { "server", 6 }, { &letter, 1 }, NONCES };

	out[0] = (unsigned char)letter;
	mac(token_key, parts, NELEM(parts), out + 1);
}

bool
wire_answer_check(const unsigned char token_key[WIRE_KEY], const unsigned char server[WIRE_NONCE],
    const unsigned char client[WIRE_NONCE], const unsigned char in[WIRE_ANSWER], char *letter)
{
	struct part parts[] = { { "server", 6 }, { in, 1 }, NONCES };

	*letter = (char)in[0];
	return (*letter == 'K' || *letter == 'B') &&
	    mac_holds(token_key, parts, NELEM(parts), in + 1);
}

static void
derive(const unsigned char key[WIRE_KEY], const char *context, const unsigned char *server,
    const unsigned char *client, unsigned char *out, size_t n)
{
	crypto_generichash_state s;

	crypto_generichash_init(&s, key, WIRE_KEY, n);
	crypto_generichash_update(&s, (const unsigned char *)context, strlen(context));
	crypto_generichash_update(&s, server, WIRE_NONCE);
	crypto_generichash_update(&s, client, WIRE_NONCE);
	crypto_generichash_final(&s, out, n);
}

void
wire_session(const unsigned char token_key[WIRE_KEY], const unsigned char server[WIRE_NONCE],
    const unsigned char client[WIRE_NONCE], struct wire_session *out)
{
	derive(token_key, "pathtune-1 session", server, client, out->key, WIRE_KEY);
	derive(out->key, "pathtune-1 run", server, client, out->run, WIRE_RUN);
}

static void
put_u32(unsigned char *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (unsigned char)(v >> (24 - 8 * i));
}

static uint32_t
get_u32(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

#define DATA_CLAIM (WIRE_DATA - WIRE_MAC)

void
wire_data(const struct wire_session *s, const unsigned char hello_nonce[WIRE_NONCE], uint32_t trial,
    uint32_t stream, unsigned char out[WIRE_DATA])
{
	struct part parts[] = { { "data", 4 }, { hello_nonce, WIRE_NONCE }, { out, DATA_CLAIM } };

	out[0] = 'D';
	memcpy(out + 1, s->run, WIRE_RUN);
	put_u32(out + 1 + WIRE_RUN, trial);
	put_u32(out + 5 + WIRE_RUN, stream);
	mac(s->key, parts, NELEM(parts), out + DATA_CLAIM);
}

bool
wire_data_check(const struct wire_session *s, const unsigned char hello_nonce[WIRE_NONCE],
    const unsigned char in[WIRE_DATA], uint32_t *trial, uint32_t *stream)
{
	struct part parts[] = { { "data", 4 }, { hello_nonce, WIRE_NONCE }, { in, DATA_CLAIM } };

	*trial = get_u32(in + 1 + WIRE_RUN);
	*stream = get_u32(in + 5 + WIRE_RUN);
	return in[0] == 'D' && memcmp(in + 1, s->run, WIRE_RUN) == 0 &&
	    mac_holds(s->key, parts, NELEM(parts), in + DATA_CLAIM);
}

#define DATAGRAM_HEAD (WIRE_DATAGRAM - WIRE_MAC)

void
wire_datagram(const struct wire_session *s, char kind, bool server, uint32_t trial, uint32_t number,
    unsigned char out[WIRE_DATAGRAM])
{
	const char who = server ? 'S' : 'C';
	struct part parts[] = { { "udp", 3 }, { &who, 1 }, { out, DATAGRAM_HEAD } };

	out[0] = (unsigned char)kind;
	memcpy(out + 1, s->run, WIRE_RUN);
	put_u32(out + 1 + WIRE_RUN, trial);
	put_u32(out + 5 + WIRE_RUN, number);
	mac(s->key, parts, NELEM(parts), out + DATAGRAM_HEAD);
}

bool
wire_datagram_check(const struct wire_session *s, bool server,
    const unsigned char in[WIRE_DATAGRAM], char *kind, uint32_t *trial, uint32_t *number)
{
	const char who = server ? 'S' : 'C';
	struct part parts[] = { { "udp", 3 }, { &who, 1 }, { in, DATAGRAM_HEAD } };

	*kind = (char)in[0];
	*trial = get_u32(in + 1 + WIRE_RUN);
	*number = get_u32(in + 5 + WIRE_RUN);
	return (*kind == 'H' || *kind == 'U') && memcmp(in + 1, s->run, WIRE_RUN) == 0 &&
	    mac_holds(s->key, parts, NELEM(parts), in + DATAGRAM_HEAD);
}

/* ---- channel -------------------------------------------------------------------------------- */

static unsigned char *
bytes_room(struct wire_bytes *b, size_t n)
{
	if (b->done > 0) {
		memmove(b->p, b->p + b->done, b->len - b->done);
		b->len -= b->done;
		b->done = 0;
	}
	if (b->len + n > b->cap) {
		unsigned char *grown = realloc(b->p, (b->len + n) * 2);

		if (grown == NULL) {
			fputs("pathtune: out of memory\n", stderr);
			exit(1);
		}
		b->p = grown;
		b->cap = (b->len + n) * 2;
	}
	return b->p + b->len;
}

void
channel_init(struct channel *c, int fd, bool server, const struct wire_session *s)
{
	*c = (struct channel){ .fd = fd, .server = server };
	memcpy(c->key, s->key, WIRE_KEY);
}

void
channel_close(struct channel *c)
{
	if (c->fd != -1)
		close(c->fd);
	free(c->in.p);
	free(c->out.p);
	sodium_memzero(c->key, sizeof(c->key));
	*c = (struct channel){ .fd = -1, .closed = true };
}

/* frame: length and payload as sent. */
static void
frame_mac(const struct channel *c, bool from_server, uint64_t sequence, const unsigned char *frame,
    size_t len, unsigned char out[WIRE_MAC])
{
	unsigned char prefix[9] = { from_server ? 'S' : 'C' };
	struct part parts[] = { { prefix, sizeof(prefix) }, { frame, 4 + len } };

	put_u32(prefix + 1, (uint32_t)(sequence >> 32));
	put_u32(prefix + 5, (uint32_t)sequence);
	mac(c->key, parts, NELEM(parts), out);
}

bool
channel_send(struct channel *c, const char *payload, size_t len, struct err *e)
{
	unsigned char *p;

	if (len > WIRE_PAYLOAD_MAX || c->out.len - c->out.done > OUT_MAX)
		return fail(e, ERR_FAILED, "control connection: too much to send");
	p = bytes_room(&c->out, len + FRAME_EXTRA);
	put_u32(p, (uint32_t)len);
	memcpy(p + 4, payload, len);
	frame_mac(c, c->server, c->sent++, p, len, p + 4 + len);
	c->out.len += len + FRAME_EXTRA;
	return channel_flush(c, e);
}

bool
channel_pending(const struct channel *c)
{
	return c->out.len > c->out.done;
}

bool
channel_flush(struct channel *c, struct err *e)
{
	while (channel_pending(c)) {
		ssize_t n =
		    send(c->fd, c->out.p + c->out.done, c->out.len - c->out.done, MSG_NOSIGNAL);

		if (n < 0 && net_later())
			return true;
		if (n < 0)
			return fail(e, ERR_FAILED, "control connection: %s", strerror(errno));
		c->out.done += (size_t)n;
	}
	return true;
}

bool
channel_fill(struct channel *c, struct err *e)
{
	ssize_t n;

	if (c->in.len - c->in.done > WIRE_PAYLOAD_MAX + FRAME_EXTRA)
		return true; /* take out what is there first */
	n = recv(c->fd, bytes_room(&c->in, READ_BYTES), READ_BYTES, 0);
	if (n < 0 && !net_later())
		return fail(e, ERR_FAILED, "control connection: %s", strerror(errno));
	if (n == 0)
		c->closed = true;
	if (n > 0)
		c->in.len += (size_t)n;
	return true;
}

bool
channel_next(struct channel *c, const char **payload, size_t *len, struct err *e)
{
	unsigned char *frame, expected[WIRE_MAC];
	size_t have = c->in.len - c->in.done, n;

	*payload = NULL;
	if (have < 4)
		return true;
	frame = c->in.p + c->in.done;
	n = get_u32(frame);
	if (n > WIRE_PAYLOAD_MAX)
		return fail(
		    e, ERR_FAILED, "control connection: a message of %zu bytes is too long", n);
	if (have < n + FRAME_EXTRA)
		return true;
	frame_mac(c, !c->server, c->received++, frame, n, expected);
	if (sodium_memcmp(expected, frame + 4 + n, WIRE_MAC) != 0)
		return fail(e, ERR_FAILED, "control connection: a message is not authentic");
	c->in.done += n + FRAME_EXTRA;
	frame[4 + n] = '\0'; /* over the first byte of the MAC, which was used */
	*payload = (const char *)frame + 4;
	*len = n;
	return true;
}
