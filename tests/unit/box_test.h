/*
 * box_test: the host of a test program that has one for each test.
 */
#ifndef PATHTUNE_TESTS_BOX_TEST_H
#define PATHTUNE_TESTS_BOX_TEST_H

#include "box.h"

static struct box h;

static void
setup(void)
{
	h = box_new();
}

static void
teardown(void)
{
	if (box_there(box_path(&h, "state/unconfirmed"))) /* after a test that failed */
		box_do(&h, "revert", "--yes");
	box_end(&h);
}

#endif
