/*
 * A program that reads and sets values as a sysctl(8) does, on files of a test's directory, and
 * misbehaves as the real ones do.  "fake -n NAME" and "fake NAME=VALUE"; what NAME ends in tells
 * how:
 *	.quiet    takes nothing, says so on stderr, and exits 0 (procps, OpenBSD)
 *	.wraps    stores the value modulo 2^32, exits 0 (FreeBSD)
 *	.clamps   stores 1000 at most, exits 0
 *	.partial  stores the first of several fields only, exits 1 (Linux)
 *	.rounds   stores a multiple of 1024, exits 0 (ethtool's rings)
 *	.fails    stores the value, exits 1
 *	.hangs    as long as a file "hang" is there, neither reads nor sets
 */
#ifndef PATHTUNE_FAKE_SYSCTL_H
#define PATHTUNE_FAKE_SYSCTL_H

#include "probes/knobs.h"

#include <criterion/criterion.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char fake_sysctl_text[] =
    "#!/bin/sh\n"
    "d=${0%/*}\n"
    "case $1 in\n"
    "-n)\n"
    "	case $2 in *.hangs) [ ! -e \"$d/hang\" ] || exec sleep 60 ;; esac\n"
    "	cat \"$d/$2\" 2>/dev/null || echo \"sysctl: unknown oid '$2'\" >&2\n"
    "	exit 0 ;;\n"
    "esac\n"
    "n=${1%%=*} v=${1#*=} s=0\n"
    "echo \"$1\" >>\"$d/log\"\n"
    "case $n in\n"
    "*.quiet) echo \"setting key \\\"$n\\\": Invalid argument\" >&2; exit 0 ;;\n"
    "*.wraps) v=$((v % 4294967296)) ;;\n"
    "*.clamps) [ \"$v\" -le 1000 ] || v=1000 ;;\n"
    "*.partial) set -- $v; read -r a b c <\"$d/$n\"; v=\"$1 $b $c\" s=1 ;;\n"
    "*.rounds) v=$((v / 1024 * 1024)) ;;\n"
    "*.fails) s=1 ;;\n"
    "*.hangs) [ ! -e \"$d/hang\" ] || exec sleep 60 ;;\n"
    "esac\n"
    "echo \"$v\" >\"$d/$n.new\" && mv \"$d/$n.new\" \"$d/$n\"\n"
    "exit $s\n";

static inline void
fake_sysctl(const char *dir, char *path, size_t size)
{
	int fd;

	snprintf(path, size, "%s/fake", dir);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0755);
	cr_assert_neq(fd, -1, "%s", path);
	cr_assert_eq(write(fd, fake_sysctl_text, strlen(fake_sysctl_text)),
	    (ssize_t)strlen(fake_sysctl_text));
	close(fd);
}

/* A knob that the program at this path reads and sets. */
static inline struct knob_value
fake_sysctl_knob(struct arena *a, const char *path, const char *name, const char *text)
{
	const char **read = arena_array(a, 4, sizeof(*read));
	const char **write = arena_array(a, 3, sizeof(*write));

	read[0] = write[0] = path;
	read[1] = "-n";
	read[2] = name;
	write[1] = arena_printf(a, "%s={value}", name);
	return (struct knob_value){ .name = name, .text = text, .read = read, .write = write };
}

#endif
