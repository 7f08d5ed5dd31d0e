#include_next <netinet/in.h>
#include <bsd_lacks.h>
