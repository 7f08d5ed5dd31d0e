#include_next <string.h>
#include <bsd_lacks.h>

/* At least one of the four lacks these: a call is an error that tells the name. */
#define explicit_bzero not_on_every_bsd_explicit_bzero
