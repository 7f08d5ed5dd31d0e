/*
 * fuzz: what every target is: bytes from anywhere, taken by one reader of ours.  A target aborts when
 * a promise is broken; the sanitizers see to the rest.
 *
 * Each fuzz_NAME.c is built twice: with corpus.c as an ordinary test over corpus/NAME, and with
 * -DPATHTUNE_FUZZ=ON (clang) as a libFuzzer program of the same name.
 */
#ifndef PATHTUNE_TESTS_FUZZ_H
#define PATHTUNE_TESTS_FUZZ_H

#include "tuner/base.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A promise of the reader. */
static inline void
promise(bool kept, const char *what, const char *detail)
{
	if (kept)
		return;
	fprintf(stderr, "promise broken: %s: %s\n", what, detail == NULL ? "" : detail);
	abort();
}

/* What is refused is refused with a reason. */
static inline void
promise_reason(bool ok, const struct err *e)
{
	promise(ok == (e->code == ERR_NONE), "an error exactly when it fails", e->text);
	promise(ok || e->text[0] != '\0', "a reason", NULL);
}

#endif
