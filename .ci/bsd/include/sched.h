#include_next <sched.h>
#include <bsd_lacks.h>
