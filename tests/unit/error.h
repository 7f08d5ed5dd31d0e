/*
 * error: what an error must say, where the libraries' own words at its end may change.
 */
#ifndef PATHTUNE_TESTS_ERROR_H
#define PATHTUNE_TESTS_ERROR_H

#include "tuner/base.h"

#include <criterion/criterion.h>
#include <string.h>

static inline void
error_begins(const struct err *e, const char *begin, size_t number)
{
	cr_expect_eq(strncmp(e->text, begin, strlen(begin)), 0, "case %zu: %s", number, e->text);
}

#endif
