#include_next <unistd.h>
#include <bsd_lacks.h>

/* All four have it, in spite of musl's opinion that it is GNU's. */
int pipe2(int *, int);

/* At least one of the four lacks these: a call is an error that tells the name. */
#define fexecve not_on_every_bsd_fexecve
#define getentropy not_on_every_bsd_getentropy
#define getresgid not_on_every_bsd_getresgid
#define getresuid not_on_every_bsd_getresuid
#define setresgid not_on_every_bsd_setresgid
#define setresuid not_on_every_bsd_setresuid
