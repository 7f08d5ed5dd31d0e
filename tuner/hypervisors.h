/*
 * hypervisors: what runs a virtual machine, and how the model of its NIC is changed there
 * (profiles/hypervisors.yaml, embedded).
 */
#ifndef PATHTUNE_HYPERVISORS_H
#define PATHTUNE_HYPERVISORS_H

#include "model.h"

/*
 * Text of such a list; file is what errors call it: "file:line: key: what".  Ids are unique, every
 * offer is of a model of the list, substitutions are known, and a hypervisor has either steps with
 * offers, or what can be done instead.
 */
bool hypervisors_parse(struct arena *a, const char *file, const char *text, size_t len,
    struct hypervisors *out, struct err *e);

/* The embedded list. */
bool hypervisors_embedded(struct arena *a, struct hypervisors *out, struct err *e);

/* By id, or NULL. */
const struct nic_kind *hypervisors_model(const struct hypervisors *h, const char *id);

/* What this one calls the model; NULL: it does not have it. */
const char *hypervisor_offers(const struct hypervisor *h, const char *model);

/* It may be what runs this host, by what the host tells. */
bool hypervisor_fits(const struct hypervisor *h, const struct facts *f);

#endif
