/*
 * inventory_state: what the files of the inventory share: a group, and an entry as it is read.
 */
#ifndef PATHTUNE_INVENTORY_STATE_H
#define PATHTUNE_INVENTORY_STATE_H

#include "inventory.h"
#include "record.h"

struct inventory_group {
	struct inventory_host said; /* then with what it has from its own groups */
	int state;                  /* 0: nobody looked, 1: somebody is looking, 2: settled */
	size_t place;               /* those that it belongs to have lower ones */
};

struct inventory_reader {
	struct arena *arena;
	const char *name, *dir, *home;
	struct inventory *out;
	struct inventory_host defaults;
	struct inventory_group **by_name;
	struct err *e;
};

/* A map, or only a name, as an entry; the name has been checked. */
bool inventory_read(struct inventory_reader *r, const char *what, const struct node *n, bool named,
    struct inventory_host *out);

/* What dst does not say, src may. */
void inventory_inherit(struct arena *a, struct inventory_host *dst,
    const struct inventory_host *src);

/* With everything inherited: replaced, checked, and the target made. */
bool inventory_settle(struct inventory_reader *r, struct inventory_host *h);

struct inventory_group *inventory_group_named(const struct inventory_reader *r, const char *name);

#endif
