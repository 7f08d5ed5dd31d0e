/*
 * peer_wire: the protocol between client and server below the level of messages: greeting,
 * proofs, authenticated frames.  Pure but for the channel's socket.
 *
 *   server, on every connection    hello:  magic, nonce (fresh for this connection)
 *   client, control connection     'C', client nonce, MAC(token key, "client", both nonces)
 *   server                         'K' or 'B' (busy), MAC(token key, that letter, both nonces);
 *                                  a wrong proof is answered by closing the connection
 *   both                           frames: u32 length, payload, MAC(session key, direction,
 *                                  sequence number, length, payload)
 *   client, data connection        'D', run nonce, u32 trial, u32 stream,
 *                                  MAC(session key, "data", hello nonce, all that)
 *   both, UDP                      'H' greeting of the client, 'U' data: letter, run nonce,
 *                                  u32 trial, u32 number, MAC(session key, "udp", direction,
 *                                  all that)
 *
 * MAC is crypto_auth (HMAC-SHA512-256).  The token key is the hash of context and token, the
 * session key a keyed hash over both nonces, the run nonce one of the session key.  Numbers are
 * big-endian.  A frame is parsed only after its MAC was verified; a nonce is used once, so nothing
 * can be replayed.
 */
#ifndef PATHTUNE_PEER_WIRE_H
#define PATHTUNE_PEER_WIRE_H

#include "../tuner/base.h"

#define WIRE_MAGIC "pathtune-2\r\n"
#define WIRE_MAGIC_BYTES 12
#define WIRE_NONCE 32
#define WIRE_KEY 32
#define WIRE_MAC 32
#define WIRE_RUN 16
#define WIRE_HELLO (WIRE_MAGIC_BYTES + WIRE_NONCE)
#define WIRE_CLAIM (1 + WIRE_NONCE + WIRE_MAC)
#define WIRE_ANSWER (1 + WIRE_MAC)
#define WIRE_DATA (1 + WIRE_RUN + 4 + 4 + WIRE_MAC)
#define WIRE_DATAGRAM (1 + WIRE_RUN + 4 + 4 + WIRE_MAC)
#define WIRE_PAYLOAD_MAX ((size_t)1024 * 1024)

bool wire_start(struct err *e); /* once, before anything else here: random numbers work */
void wire_random(unsigned char *p, size_t n);

void wire_token_key(const char *token, unsigned char key[WIRE_KEY]);

/* What both ends know once the claim was accepted. */
struct wire_session {
	unsigned char key[WIRE_KEY];
	unsigned char run[WIRE_RUN];
};

void wire_hello(const unsigned char nonce[WIRE_NONCE], unsigned char out[WIRE_HELLO]);
bool wire_hello_read(const unsigned char in[WIRE_HELLO], unsigned char nonce[WIRE_NONCE]);

void wire_claim(const unsigned char token_key[WIRE_KEY], const unsigned char server[WIRE_NONCE],
    const unsigned char client[WIRE_NONCE], unsigned char out[WIRE_CLAIM]);
/* False: not somebody who knows the token.  client gets its nonce. */
bool wire_claim_check(const unsigned char token_key[WIRE_KEY],
    const unsigned char server[WIRE_NONCE], const unsigned char in[WIRE_CLAIM],
    unsigned char client[WIRE_NONCE]);

/* letter: 'K' or 'B' */
void wire_answer(char letter, const unsigned char token_key[WIRE_KEY],
    const unsigned char server[WIRE_NONCE], const unsigned char client[WIRE_NONCE],
    unsigned char out[WIRE_ANSWER]);
bool wire_answer_check(const unsigned char token_key[WIRE_KEY],
    const unsigned char server[WIRE_NONCE], const unsigned char client[WIRE_NONCE],
    const unsigned char in[WIRE_ANSWER], char *letter);

void wire_session(const unsigned char token_key[WIRE_KEY], const unsigned char server[WIRE_NONCE],
    const unsigned char client[WIRE_NONCE], struct wire_session *out);

void wire_data(const struct wire_session *s, const unsigned char hello_nonce[WIRE_NONCE],
    uint32_t trial, uint32_t stream, unsigned char out[WIRE_DATA]);
bool wire_data_check(const struct wire_session *s, const unsigned char hello_nonce[WIRE_NONCE],
    const unsigned char in[WIRE_DATA], uint32_t *trial, uint32_t *stream);

/* The head of a datagram; server: who sends it.  Replays are the caller's to see. */
void wire_datagram(const struct wire_session *s, char kind, bool server, uint32_t trial,
    uint32_t number, unsigned char out[WIRE_DATAGRAM]);
bool wire_datagram_check(const struct wire_session *s, bool server,
    const unsigned char in[WIRE_DATAGRAM], char *kind, uint32_t *trial, uint32_t *number);

/* One end of the control connection. */
struct wire_bytes {
	unsigned char *p;
	size_t len, cap, done; /* done: of len, already handed on */
};

struct channel {
	int fd;           /* nonblocking, the channel's to close */
	bool server;      /* which end we are */
	bool closed;      /* the other end has ended */
	unsigned char key[WIRE_KEY];
	uint64_t sent, received;
	struct wire_bytes in, out;
};

void channel_init(struct channel *c, int fd, bool server, const struct wire_session *s);
void channel_close(struct channel *c);

/* Queue a frame and send what can be sent now. */
bool channel_send(struct channel *c, const char *payload, size_t len, struct err *e);
bool channel_flush(struct channel *c, struct err *e);
bool channel_pending(const struct channel *c); /* something is left to be flushed */

/* Read what has come. */
bool channel_fill(struct channel *c, struct err *e);

/*
 * The next whole frame, NULL when there is none yet (true).  False: too long or not authentic; the
 * channel is of no more use.  The payload is terminated and valid until the next call.
 */
bool channel_next(struct channel *c, const char **payload, size_t *len, struct err *e);

#endif
