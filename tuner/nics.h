/*
 * nics: what a NIC is called, by its PCI ids (profiles/nics.yaml, embedded).
 */
#ifndef PATHTUNE_NICS_H
#define PATHTUNE_NICS_H

#include "model.h"

/* Text of a list of NICs; file is what errors call it: "file:line: key: what". */
bool nics_parse(struct arena *a, const char *file, const char *text, size_t len,
    struct nic_model **out, size_t *n, struct err *e);

/* Ids are hexadecimal, with "0x" or without; NULL: not known. */
const char *nics_name(struct arena *a, const char *vendor, const char *device);

#endif
