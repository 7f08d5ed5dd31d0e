#include_next <sys/socket.h>
#include <bsd_lacks.h>

/* All four have it, in spite of musl's opinion that it is GNU's. */
int accept4(int, struct sockaddr *__restrict, socklen_t *__restrict, int);
