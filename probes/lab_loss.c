#include "lab_loss.h"

#define GOLDEN 0x9e3779b97f4a7c15u /* 2^64 / golden ratio: steps that visit every residue */

/* The finaliser of SplitMix64 (Steele, Lea, Flood 2014): a bijection that spreads every bit. */
static uint64_t
mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

uint64_t
loss_key(uint64_t seed, unsigned stream)
{
	return mix(mix(seed + GOLDEN) + GOLDEN * (stream + 1));
}

double
loss_uniform(uint64_t key, uint64_t n)
{
	return (double)(mix(key + GOLDEN * (n + 1)) >> 11) * 0x1p-53;
}

void
loss_init(struct loss *l, const struct lab_link *link, uint64_t seed, unsigned direction)
{
	bool chain = link->loss_model == LOSS_GILBERT_ELLIOTT;

	*l = (struct loss){
		.model = link->loss_model,
		.p_bad = link->p_bad,
		.p_good = link->p_good,
		.share = { chain ? link->loss_good : link->loss, link->loss },
		.key = loss_key(seed, direction),
	};
}

bool
loss_next(struct loss *l)
{
	uint64_t n = l->n++;

	if (l->model == LOSS_NONE)
		return false;
	if (l->model == LOSS_GILBERT_ELLIOTT) {
		double u = loss_uniform(l->key, 2 * n + 1);

		l->bad = l->bad ? u >= l->p_good : u < l->p_bad;
	}
	return loss_uniform(l->key, 2 * n) < l->share[l->bad];
}

double
loss_expected(const struct lab_link *link)
{
	double bad;

	if (link->loss_model == LOSS_NONE)
		return 0;
	if (link->loss_model == LOSS_BERNOULLI)
		return link->loss;
	bad = link->p_bad / (link->p_bad + link->p_good);
	return bad * link->loss + (1 - bad) * link->loss_good;
}
