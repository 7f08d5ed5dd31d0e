/*
 * record: one field table per struct serves YAML -> struct, JSON -> struct and struct -> JSON.
 *
 * Input is turned into a tree of nodes first; a node remembers where it stood, so that an error
 * names file:line (YAML) or the path of keys (JSON).  Both readers reject duplicate keys, more
 * than NODE_DEPTH levels, too much text (NODE_BYTES, NODE_YAML_BYTES), NUL bytes, and (YAML)
 * aliases, anchors, tags and several documents.
 *
 * Unknown values: a number is NAN, a string NULL, an enum 0 where its table starts with "unknown".
 * Unknown numbers and strings are written as null, and null reads as unknown.
 */
#ifndef PATHTUNE_RECORD_H
#define PATHTUNE_RECORD_H

#include "base.h"

#define NODE_DEPTH 64
#define NODE_BYTES ((size_t)64 * 1024 * 1024)   /* JSON: a run file */
#define NODE_YAML_BYTES ((size_t)1024 * 1024)   /* YAML: written by hand, and libyaml is slow */
#define NODE_KEYS 256  /* of one YAML map */
#define NODE_KEY 128   /* bytes of a key, all printable: errors quote them */

enum node_kind { NODE_NULL, NODE_TEXT, NODE_NUMBER, NODE_BOOL, NODE_LIST, NODE_MAP };

struct node {
	enum node_kind kind;
	const char *key;    /* within a map, else NULL                              */
	const char *text;   /* NODE_TEXT, and the spelling of a YAML scalar         */
	double number;      /* NODE_NUMBER                                          */
	bool truth;         /* NODE_BOOL                                            */
	unsigned line;      /* 1.. in YAML, 0 in JSON                               */
	struct node *child; /* first of a list or map                               */
	struct node *next;
};

/* name is what errors call the input (a file name).  len bytes, need not be terminated. */
bool node_from_yaml(struct arena *a, const char *name, const char *text, size_t len,
    struct node **out, struct err *e);
/* The same of up to most bytes: what programs write may be longer than what people do. */
bool node_from_yaml_most(struct arena *a, const char *name, const char *text, size_t len,
    size_t most, struct node **out, struct err *e);
bool node_from_json(struct arena *a, const char *name, const char *text, size_t len,
    struct node **out, struct err *e);

/* A key that errors may quote: 1..NODE_KEY bytes, no control characters. */
bool node_key_ok(const char *key);

enum field_type {
	FIELD_STRING,  /* const char *                                             */
	FIELD_NUMBER,  /* double, min..max; NAN when absent                        */
	FIELD_BOOL,    /* bool                                                     */
	FIELD_ENUM,    /* int, an index into names                                 */
	FIELD_STRINGS, /* const char **, count at count_offset                     */
	FIELD_NUMBERS, /* double *, count at count_offset                          */
	FIELD_RECORD,  /* a struct within                                          */
	FIELD_LIST,    /* an array of structs, count at count_offset               */
};

#define FIELD_REQUIRED 1u /* absent or null is an error                              */

struct record;

struct field {
	const char *name;
	enum field_type type;
	size_t offset;
	size_t count_offset;        /* STRINGS, NUMBERS, LIST                          */
	const struct record *record; /* RECORD, LIST                                   */
	const char *const *names;   /* ENUM: NULL-terminated                           */
	double min, max;            /* NUMBER: both 0 means any finite number          */
	unsigned flags;
};

struct record {
	const char *name;
	size_t size;
	const struct field *fields; /* ends with a NULL name */
};

/* Shorthand for tables. */
#define F_STR(s, m, fl) { #m, FIELD_STRING, offsetof(struct s, m), 0, NULL, NULL, 0, 0, fl }
#define F_NUM(s, m, lo, hi, fl) \
	{ #m, FIELD_NUMBER, offsetof(struct s, m), 0, NULL, NULL, lo, hi, fl }
#define F_BOOL(s, m) { #m, FIELD_BOOL, offsetof(struct s, m), 0, NULL, NULL, 0, 0, 0 }
#define F_ENUM(s, m, table, fl) \
	{ #m, FIELD_ENUM, offsetof(struct s, m), 0, NULL, table, 0, 0, fl }
#define F_STRS(s, m) \
	{ #m, FIELD_STRINGS, offsetof(struct s, m), offsetof(struct s, n_##m), NULL, NULL, 0, 0, 0 }
#define F_NUMS(s, m) \
	{ #m, FIELD_NUMBERS, offsetof(struct s, m), offsetof(struct s, n_##m), NULL, NULL, 0, 0, 0 }
#define F_REC(s, m, r) { #m, FIELD_RECORD, offsetof(struct s, m), 0, r, NULL, 0, 0, 0 }
#define F_LIST(s, m, r) \
	{ #m, FIELD_LIST, offsetof(struct s, m), offsetof(struct s, n_##m), r, NULL, 0, 0, 0 }
#define F_END { NULL, FIELD_STRING, 0, 0, NULL, NULL, 0, 0, 0 }

/* Set every field to unknown: numbers NAN, the rest zero. */
void record_init(const struct record *r, void *dst);

/* Fill dst (already of the right size) from a map.  Unknown keys are errors. */
bool record_from_node(struct arena *a, const char *name, const struct record *r,
    const struct node *n, void *dst, struct err *e);

/*
 * The struct as JSON text, keys in table order, 2-space indent if pretty else one line.  Integral
 * numbers are written without a fraction, others with up to 12 significant digits.
 */
char *record_to_json(struct arena *a, const struct record *r, const void *src, bool pretty);

#endif
