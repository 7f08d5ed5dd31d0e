#include_next <poll.h>
#include <bsd_lacks.h>
