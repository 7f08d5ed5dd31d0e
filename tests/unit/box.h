/*
 * box: a host of files below a temporary directory: knobs, files of settings, state, and a
 * profile that says where they are.  Nothing of the machine is touched, and no privilege is needed.
 */
#ifndef PATHTUNE_TESTS_BOX_H
#define PATHTUNE_TESTS_BOX_H

#include "program.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#define SEND_OLD "4096 16384 4194304"
#define SEND_NEW "4096 16384 8388608"
#define RECEIVE_OLD "4096 131072 6291456"
#define RECEIVE_NEW "4096 131072 16777216"

struct box {
	struct arena *a;
	const char *dir;
	const char *conf;    /* the file of settings */
	const char *modules; /* the file of modules */
	const char *send, *receive, *cc; /* knobs */
	const char *state, *run, *flags;
	bool offloads;       /* its interface x0 has gro, which the run switches off, and lro */
	const char *gro;     /* what it is: "on" */
	const char *rules;   /* the file that sets it at boot */
};

static inline const char *
box_path(struct box *h, const char *name)
{
	return arena_printf(h->a, "%s/%s", h->dir, name);
}

static inline void
box_put_bytes(const char *to, const char *text, size_t len)
{
	int fd = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	cr_assert(fd != -1 && write(fd, text, len) == (ssize_t)len && close(fd) == 0, "%s", to);
}

static inline void
box_put(const char *to, const char *text)
{
	box_put_bytes(to, text, strlen(text));
}

/* NULL: not there. */
static inline char *
box_get_bytes(struct box *h, const char *from, size_t *len)
{
	struct text t = { .arena = h->a };
	int fd = open(from, O_RDONLY | O_CLOEXEC);
	char part[65536];
	ssize_t n;

	if (fd == -1)
		return NULL;
	text_bytes(&t, "", 0);
	while ((n = read(fd, part, sizeof(part))) > 0)
		text_bytes(&t, part, (size_t)n);
	close(fd);
	*len = t.len;
	return t.s;
}

/* "" where there is none. */
static inline const char *
box_get(struct box *h, const char *from)
{
	size_t len;
	const char *text = box_get_bytes(h, from, &len);

	return text == NULL ? "" : text;
}

static inline bool
box_there(const char *path)
{
	return access(path, F_OK) == 0;
}

/* An ethtool(8) for gro of x0. */
static inline const char *
box_nic(struct box *h)
{
	const char *program = box_path(h, "nic");

	box_put(program, arena_printf(h->a,
	    "#!/bin/sh\n"
	    "cd %s || exit 1\n"
	    "case $1 in show) read v <gro; echo \"gro: $v\"; echo lro: off;; *) echo \"$4\" >gro;; esac\n", h->dir));
	cr_assert_eq(chmod(program, 0755), 0);
	return program;
}

/* style: own or block.  by: lines of the profile that say how knobs are reached; NULL: files. */
static inline void
box_profile(struct box *h, const char *style, const char *by)
{
	static const char *const facts[] = { "os", "X", "release", "1.0", "boot_id", "B",
		"scope_id", "S", "privileged", "true", "interface", "x0", NULL };
	const char *const knobs[] = { "x.send", "send_max", h->send, "x.receive", "receive_max",
		h->receive, NULL };
	struct text t = { .arena = h->a };

	text_add(&t, "name: x\nsysname: X\nreleases: all\nfacts:\n");
	for (size_t i = 0; facts[i] != NULL && (h->offloads || facts[i + 2] != NULL); i += 2)
		text_add(&t, "  - fact: %s\n    argv: [echo, '%s']\n    source: s\n", facts[i],
		    facts[i + 1]);
	if (h->offloads)
		text_add(&t, "offloads: {argv: [%1$s, show], list: [gro, lro], write: [%1$s, set, "
		    "'{interface}', '{name}', '{value}'], source: s}\n", box_nic(h));
	text_add(&t, "%sknobs:\n", by == NULL ? "" : by);
	for (size_t i = 0; knobs[i] != NULL; i += 3) {
		text_add(&t, "  - name: %s\n    role: %s\n    field: 3\n    unit: bytes\n    min: 1\n"
		    "    max: 2147483647\n    beyond: wrapped\n    scope: namespace\n    source: s\n",
		    knobs[i], knobs[i + 1]);
		if (by == NULL)
			text_add(&t, "    file: %s\n", knobs[i + 2]);
	}
	text_add(&t, "  - name: x.cc\n    role: congestion\n    unit: name\n    scope: namespace\n"
	    "    source: s\n");
	if (by == NULL)
		text_add(&t, "    file: %s\n", h->cc);
	text_add(&t, "congestion:\n  module: tcp_{name}\n  source: s\npersist:\n"
	    "  settings:\n    path: %s\n    style: %s\n    line: \"{name} = {value}\"\n"
	    "    source: s\n"
	    "  modules:\n    path: %s\n    style: own\n    line: \"{name}\"\n    source: s\n"
	    "  sources: [grep, -ns, \"=\", %s, %s, /dev/null]\n"
	    "  precedence: listed\n  state: %s\n", h->conf, style, h->modules, h->conf, box_path(h, "other"),
	    h->state);
	if (h->offloads)
		text_add(&t, "  offloads:\n    path: %s/etc/offloads.{interface}\n    style: %s\n"
		    "    line: \"set {interface} {name} {value}\"\n"
		    "    reader: [test, '!', -e, %s]\n    unread: nobody reads it\n"
		    "    source: s\n", h->dir, style, box_path(h, "unread"));
	box_put(box_path(h, "x.yaml"), t.s);
}

/*
 * A sysctl(8) that works on the files of the knobs.  manners: shell that is run before it prints $f
 * ("-n" NAME; $value is "") or writes $value there, which it may change; NAME is $name.
 */
static inline const char *
box_sysctl(struct box *h, const char *manners)
{
	const char *program = box_path(h, "sysctl");

	box_put(program, arena_printf(h->a,
	    "#!/bin/sh\n"
	    "cd %s || exit 1\n"
	    "case $1 in -n) name=$2 value=;; *) name=${1%%%%=*} value=${1#*=};; esac\n"
	    "f=${name#x.}\n"
	    "%s\n"
	    "case $1 in -n) exec cat \"$f\";; esac\n"
	    "echo \"$value\" >\"$f\"\n", h->dir, manners));
	cr_assert_eq(chmod(program, 0755), 0);
	return program;
}

/* The lines of a profile by which it is used. */
static inline const char *
box_by_sysctl(struct box *h, const char *manners)
{
	const char *program = box_sysctl(h, manners);

	return arena_printf(h->a, "knob_read: [%s, -n, \"{name}\"]\n"
	    "knob_write: [%s, \"{name}={value}\"]\n", program, program);
}

/* A run that sets both buffers, and with cc also that and its module. */
static inline void
box_run_file(struct box *h, const char *send, const char *receive, const char *cc)
{
	struct text t = { .arena = h->a };

	text_add(&t, "{\"schema\":\"pathtune-run/1\",\"version\":\"0\",\"facts\":{\"os\":\"X\","
	    "\"release\":\"1.0\"},\"advice\":{\"paths\":[{\"rtt_ms\":10,\"rate_bps\":1e9}],"
	    "\"connections\":1},\"decision\":{\"verdict\":\"change\",\"class\":\"advice\","
	    "\"settings\":[{\"name\":\"x.send\",\"old\":\"o\",\"new\":\"%s\",\"reason\":\"r\"},"
	    "{\"name\":\"x.receive\",\"new\":\"%s\",\"reason\":\"r\"}", send, receive);
	if (cc != NULL)
		text_add(&t, ",{\"name\":\"module\",\"new\":\"tcp_%s\"},"
		    "{\"name\":\"x.cc\",\"new\":\"%s\"}", cc, cc);
	if (h->offloads)
		text_add(&t, ",{\"name\":\"offload gro x0\",\"old\":\"on\",\"new\":\"off\","
		    "\"reason\":\"r\"}");
	text_add(&t, "]}}");
	box_put(h->run, t.s);
}

static inline void
box_values(struct box *h, const char *send, const char *receive)
{
	box_put(h->send, send);
	box_put(h->receive, receive);
	box_put(h->cc, "cubic");
	box_put(h->gro, "on\n");
}

static inline struct box
box_new(void)
{
	/* Memory, where there is such: thousands of files are synced here. */
	char dir[64];
	struct box h = { .a = arena_new() };

	snprintf(dir, sizeof(dir), "%s/pathtune-box-XXXXXX",
	    access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	cr_assert_not_null(mkdtemp(dir));
	h.dir = arena_strdup(h.a, dir);
	cr_assert_eq(mkdir(box_path(&h, "etc"), 0755), 0);
	h.conf = box_path(&h, "etc/x.conf");
	h.modules = box_path(&h, "etc/modules.conf");
	h.send = box_path(&h, "send");
	h.receive = box_path(&h, "receive");
	h.cc = box_path(&h, "cc");
	h.gro = box_path(&h, "gro");
	h.rules = box_path(&h, "etc/offloads.x0");
	h.state = box_path(&h, "state");
	h.run = box_path(&h, "run.json");
	h.flags = arena_printf(h.a, "--profile %s", box_path(&h, "x.yaml"));
	box_values(&h, SEND_OLD, RECEIVE_OLD);
	box_profile(&h, "own", NULL);
	box_run_file(&h, SEND_NEW, RECEIVE_NEW, NULL);
	setenv("PATHTUNE_STATE", h.state, 1);
	return h;
}

static inline void
box_end(struct box *h)
{
	const char *command = arena_printf(h->a, "rm -rf %s", h->dir);

	cr_assert_eq(system(command), 0);
	arena_free(h->a);
}

/* pathtune COMMAND of this host; words may be "". */
static inline struct said
box_do(struct box *h, const char *command, const char *words)
{
	return program_run(h->a, arena_printf(h->a, "%s %s %s", command, h->flags, words));
}

static inline struct said
box_apply(struct box *h, const char *words)
{
	return box_do(h, arena_printf(h->a, "apply %s", h->run),
	    arena_printf(h->a, "--yes %s", words));
}

/* Both values as given, and the file of settings there or not. */
static inline void
box_expect(struct box *h, const char *send, const char *receive, bool persisted,
    const char *when)
{
	cr_expect_str_eq(box_get(h, h->send), send, "%s", when);
	cr_expect_str_eq(box_get(h, h->receive), receive, "%s", when);
	cr_expect_eq(box_there(h->conf), persisted, "%s", when);
}

#endif
