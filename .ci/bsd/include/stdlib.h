#include_next <stdlib.h>
#include <bsd_lacks.h>

/* At least one of the four lacks these: a call is an error that tells the name. */
#define clearenv not_on_every_bsd_clearenv
