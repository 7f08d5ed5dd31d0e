#include_next <signal.h>
#include <bsd_lacks.h>

/* At least one of the four lacks these: a call is an error that tells the name. */
#define sigqueue not_on_every_bsd_sigqueue
#define sigtimedwait not_on_every_bsd_sigtimedwait
#define sigwaitinfo not_on_every_bsd_sigwaitinfo
