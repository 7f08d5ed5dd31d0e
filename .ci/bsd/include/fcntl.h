#include_next <fcntl.h>
#include <bsd_lacks.h>

/* At least one of the four lacks these: a call is an error that tells the name. */
#define posix_fadvise not_on_every_bsd_posix_fadvise
#define posix_fallocate not_on_every_bsd_posix_fallocate
