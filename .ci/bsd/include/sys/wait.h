#include_next <sys/wait.h>
#include <bsd_lacks.h>

/* At least one of the four lacks these: a call is an error that tells the name. */
#define waitid not_on_every_bsd_waitid
