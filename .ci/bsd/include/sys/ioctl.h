#include_next <sys/ioctl.h>
#include <bsd_lacks.h>
