/*
 * agent: the end of a measurement on a host that is not here.  The pathtune that tunes it starts
 * one there (endpoint_agent.c) and asks by lines on its standard input: a session with the peer,
 * RTTs, trials.  It sets nothing, and ends when its input does, in the middle of a trial too, or
 * when nothing is asked for as long as the peer would keep the session.
 */
#ifndef PATHTUNE_AGENT_H
#define PATHTUNE_AGENT_H

#include "../tuner/base.h"

/* Until the end of in.  False: what was asked makes no sense, or nobody asked. */
bool agent_serve(int in, int out, struct err *e);

#endif
