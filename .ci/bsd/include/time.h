#include_next <time.h>
#include <bsd_lacks.h>

/* At least one of the four lacks these: a call is an error that tells the name. */
#define clock_nanosleep not_on_every_bsd_clock_nanosleep
#define timer_create not_on_every_bsd_timer_create
#define timer_delete not_on_every_bsd_timer_delete
#define timer_settime not_on_every_bsd_timer_settime
