/*
 * pipeline_save: the run file as the run grows.  It is whole and on disk before each trial, so that
 * the coin of a pair is known before its first packet.
 */
#ifndef PATHTUNE_PIPELINE_SAVE_H
#define PATHTUNE_PIPELINE_SAVE_H

#include "pipeline.h"

#define SAVE_KEPT 50 /* run files that nobody named, the newest */

/*
 * The file of a run that nobody named: runs/TIME-PEER.json below the state's directory; the oldest
 * beyond SAVE_KEPT are removed.  Where that cannot be written a note says so, and p->save stays
 * NULL.
 */
void save_choose(struct pipeline *p);

/*
 * Write it now.  The first time an error, unless nobody named the file; later a note, once: the
 * measuring goes on, but not from there should it be interrupted.
 */
bool save_now(struct pipeline *p, struct err *e);

/*
 * Numbers as the file has them, to so many digits: what the search is told is what it will be told
 * when the run goes on.  src stays as it is where the file could not be read again.
 */
void save_rounded(struct arena *a, const struct record *r, void *src);

#endif
