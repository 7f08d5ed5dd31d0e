#include_next <sys/mman.h>
#include <bsd_lacks.h>
