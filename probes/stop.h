/*
 * stop: one place that hears SIGINT, SIGTERM and SIGHUP.  Every wait of the program includes
 * stop_fd() and every loop looks at stop_requested(), so that a command ends in an orderly way:
 * values restored, lab removed, exit status 5.  A second signal does not end the program faster:
 * restoring is short, and the guard does it should we be killed.
 */
#ifndef PATHTUNE_STOP_H
#define PATHTUNE_STOP_H

#include <stdbool.h>

bool stop_install(void);   /* once, from main(); SIGPIPE is ignored as well */
int stop_requested(void);  /* the signal's number, or 0 */
int stop_fd(void);         /* readable (never read it) once a signal came; -1 before install */
/*
 * While values are set, the terminal's Ctrl-Z would leave them in force for as long as the process
 * is stopped: it is ignored between stop_hold(true) and stop_hold(false).
 */
void stop_hold(bool held);

void stop_reset(void);     /* in a forked child: default handlers again, fd closed */

#endif
