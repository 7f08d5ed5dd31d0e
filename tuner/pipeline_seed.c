#include "pipeline_seed.h"

#include <sodium.h>
#include <string.h>

const char *
seed_new(struct arena *a)
{
	unsigned char seed[SEED_BYTES];
	char *text = arena_alloc(a, 2 * sizeof(seed) + 1);

	randombytes_buf(seed, sizeof(seed));
	return sodium_bin2hex(text, 2 * sizeof(seed) + 1, seed, sizeof(seed));
}

bool
seed_open(struct seed_stream *s, const char *text, enum direction d)
{
	size_t n = 0;

	*s = (struct seed_stream){ .drawn = 0 };
	if (text == NULL ||
	    sodium_hex2bin(s->seed, sizeof(s->seed), text, strlen(text), NULL, &n, NULL) != 0 ||
	    n != sizeof(s->seed))
		return false;
	s->seed[0] ^= (unsigned char)d;
	return true;
}

/* Each number has a key of its own: the seed with the direction and the count in it. */
unsigned long long
seed_next(void *arg)
{
	struct seed_stream *s = arg;
	unsigned char key[SEED_BYTES], bytes[8];
	unsigned long long v = 0;

	_Static_assert(SEED_BYTES == randombytes_SEEDBYTES, "a seed is a key");
	memcpy(key, s->seed, sizeof(key));
	for (size_t i = 0; i < 8; i++)
		key[8 + i] ^= (unsigned char)(s->drawn >> 8 * i);
	s->drawn++;
	randombytes_buf_deterministic(bytes, sizeof(bytes), key);
	for (size_t i = 0; i < sizeof(bytes); i++)
		v = v << 8 | bytes[i];
	return v;
}
