/* An interface's offloads: what a boot makes of the lines, and what their commands read and set. */
#include <criterion/criterion.h>

#include "tuner/fragment.h"
#include "tuner/offloads.h"
#include "tuner/profile.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct arena *a;
static const char *dir;

static void
setup(void)
{
	char name[] = "/tmp/pathtune-offloads-XXXXXX";

	a = arena_new();
	cr_assert_not_null(mkdtemp(name));
	dir = arena_strdup(a, name);
}

static void
teardown(void)
{
	cr_assert_eq(system(arena_printf(a, "rm -rf %s", dir)), 0);
	arena_free(a);
}

TestSuite(offloads, .init = setup, .fini = teardown);

static const char *
path(const char *name)
{
	return arena_printf(a, "%s/%s", dir, name);
}

static void
put(const char *name, const char *text)
{
	int fd = open(path(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);

	cr_assert(fd != -1 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) &&
	    close(fd) == 0);
}

/* What a command prints; the programs of the test's directory come first. */
static char *
sh(const char *command)
{
	FILE *p = popen(arena_printf(a, "PATH=%s:$PATH\n%s", dir, command), "r");
	struct text t = { .arena = a };
	char part[4096];
	size_t n;

	cr_assert_not_null(p);
	text_bytes(&t, "", 0);
	while ((n = fread(part, 1, sizeof(part), p)) > 0)
		text_bytes(&t, part, n);
	pclose(p);
	return t.s;
}

static struct profile *
profile_of(const char *sysname)
{
	struct err e = { ERR_NONE, "" };
	struct profile *p;

	cr_assert(profile_for(a, sysname, &p, &e), "%s", e.text);
	return p;
}

/* A system, an interface of it and what its offloads are; two of them in a run. */
static const struct machine {
	const char *sysname, *interface, *path;
	const char *first, *second;           /* on to off, off to on */
	const char *boots;                    /* what a boot runs for them */
} machines[] = {
	{ "Linux", "ens18", "/etc/udev/rules.d/90-pathtune-ens18.rules",
	    "generic-receive-offload", "tx-tcp-segmentation",
	    "ethtool -K ens18 generic-receive-offload off\nethtool -K ens18 tx-tcp-segmentation on\n" },
	{ "FreeBSD", "vtnet0", "/etc/start_if.vtnet0", "TXCSUM_IPV6", "LRO",
	    "ifconfig vtnet0 -txcsum6\nifconfig vtnet0 lro\n" },
	{ "DragonFly", "em0", "/etc/start_if.em0", "RXCSUM", "TSO",
	    "ifconfig em0 -rxcsum\nifconfig em0 tso\n" },
	{ "NetBSD", "wm0", "/etc/ifconfig.wm0", "IP4CSUM_Rx", "TSO4",
	    "ifconfig wm0 -ip4csum-rx\nifconfig wm0 tso4\n" },
	{ "OpenBSD", "vio0", "/etc/hostname.vio0", "LRO", NULL, "ifconfig vio0 -tcplro\n" },
};

static struct facts
facts_of(const struct machine *m)
{
	struct facts f;

	record_init(&facts_record, &f);
	f.os = m->sysname;
	f.interface = m->interface;
	f.offloads = arena_array(a, 2, sizeof(*f.offloads));
	f.offloads[f.n_offloads++] = (struct offload){ m->first, "on", false };
	if (m->second != NULL)
		f.offloads[f.n_offloads++] = (struct offload){ m->second, "off", false };
	return f;
}

static struct run
run_of(const struct machine *m, const struct profile *p)
{
	struct run run;
	struct decision *d = &run.decision;

	record_init(&run_record, &run);
	run.version = "0";
	run.facts = facts_of(m);
	for (size_t i = 0; i < run.facts.n_offloads; i++)
		*(struct change_line *)arena_push(a, &d->settings, &d->n_settings,
		    sizeof(*d->settings)) = (struct change_line){
			offload_line_name(a, &run.facts, run.facts.offloads[i].name),
			run.facts.offloads[i].state, i == 0 ? "off" : "on",
			"receive-offload: words; rm -rf $(x) 'y \"z\n- a", true };
	fragment_make(a, p, &run);
	return run;
}

/* The file as the system's own rc would carry it out, with programs that only say their words. */
static char *
boot(const struct machine *m, const char *text)
{
	static const char say[] = "#!/bin/sh\necho ${0##*/} $*\n";

	put("ethtool", say);
	put("ifconfig", say);
	put("file", text);
	/* network.subr: a script that is sourced */
	if (strncmp(m->path, "/etc/start_if.", 14) == 0)
		return sh(arena_printf(a, ". %s", path("file")));
	/* udev(7): what stands in RUN, of each line whose KERNEL is the interface */
	if (strcmp(m->sysname, "Linux") == 0)
		return sh(arena_printf(a, "sed -n 's/^ACTION==\"add|move\", SUBSYSTEM==\"net\", "
		    "KERNEL==\"%s\", RUN+=\"\\(.*\\)\"$/\\1/p' %s | "
		    "sed 's,PATH=[^;]*;,,' >%s; . %s", m->interface, path("file"), path("run"),
		    path("run")));
	/* rc.d/network and netstart: each line that is no comment goes to ifconfig(8) */
	return sh(arena_printf(a, "while read -r args; do case $args in ''|'#'*) ;; *) "
	    "ifconfig %s $args ;; esac; done <%s", m->interface, path("file")));
}

Test(offloads, each_system_s_boot_makes_of_the_file_what_was_measured)
{
	for (size_t i = 0; i < NELEM(machines); i++) {
		const struct machine *m = &machines[i];
		struct profile *p = profile_of(m->sysname);
		struct run run = run_of(m, p);

		cr_assert_eq(run.n_files, 1, "%s: and no file of settings", m->sysname);
		cr_expect_str_eq(run.files[0].path, m->path);
		cr_expect_eq(fragment_is_block(run.files[0].text), i != 0, "%s", m->sysname);
		cr_expect_str_eq(boot(m, run.files[0].text), m->boots, "%s:\n%s", m->sysname,
		    run.files[0].text);
		for (size_t k = 0; k < run.decision.n_settings; k++) {
			const struct change_line *l = &run.decision.settings[k];
			const char *text = run.files[0].text;

			cr_expect(offload_boots(a, p, &run.facts, l->name, l->new, text,
			    strlen(text)), "%s %s", m->sysname, l->name);
			cr_expect_not(offload_boots(a, p, &run.facts, l->name,
			    strcmp(l->new, "on") == 0 ? "off" : "on", text, strlen(text)));
		}
	}
}

Test(offloads, what_a_file_sets_already_is_said_again)
{
	for (size_t i = 0; i < NELEM(machines); i++) {
		const struct machine *m = &machines[i];
		struct profile *p = profile_of(m->sysname);
		struct run run = run_of(m, p);
		const char *text = arena_printf(a, "# theirs\n%s", run.files[0].text);
		struct change_line *kept;
		size_t n;

		kept = offload_kept(a, p, &run.facts, run.decision.settings, 1, text, strlen(text),
		    &n);
		cr_assert_eq(n, run.decision.n_settings - 1, "%s", m->sysname);
		if (n == 1) {
			cr_expect_str_eq(kept[0].name, run.decision.settings[1].name);
			cr_expect_str_eq(kept[0].new, "on");
		}
		offload_kept(a, p, &run.facts, NULL, 0, "", 0, &n);
		cr_expect_eq(n, 0);
		if (i == 0)
			continue;
		/* A line of theirs stays where it is. */
		text = offload_boot_line(a, p, &run.facts, run.decision.settings[0].name, "on");
		offload_kept(a, p, &run.facts, NULL, 0, text, strlen(text), &n);
		cr_expect_eq(n, 0, "%s", m->sysname);
	}
}

Test(offloads, a_name_or_value_that_is_none_makes_no_line)
{
	struct profile *p = profile_of("FreeBSD");
	struct facts f = facts_of(&machines[1]);
	static const char *const interfaces[] = { "../x", "-a", "a b", "", NULL, "a\nb" };
	struct persist_file file;

	cr_expect_not_null(offload_boot_line(a, p, &f, "offload LRO vtnet0", "off"));
	cr_expect_null(offload_boot_line(a, p, &f, "offload LRO vtnet1", "off"));
	cr_expect_null(offload_boot_line(a, p, &f, "offload LRO", "off"));
	cr_expect_null(offload_boot_line(a, p, &f, "offload X vtnet0", "off"));
	cr_expect_null(offload_boot_line(a, p, &f, "offload LRO vtnet0", "off; reboot"));
	cr_expect_null(offload_found(&f, "offload LRO vtnet1"));
	for (size_t i = 0; i < NELEM(interfaces); i++) {
		f.interface = interfaces[i];
		cr_expect_not(offload_file(a, p, &f, &file));
		cr_expect_null(offload_boot_line(a, p, &f, arena_printf(a, "offload LRO %s",
		    interfaces[i] == NULL ? "?" : interfaces[i]), "off"));
	}
}

/* ---- by the profile's own commands ----------------------------------------------------------- */

/* Its flags are words of the file "flags"; the system's way to print them. */
static const char ifconfig[] =
    "#!/bin/sh\n"
    "cd ${0%/*} || exit 1\n"
    "[ \"$1\" = it0 ] || { echo \"no such interface\" >&2; exit 1; }\n"
    "if [ $# = 1 ]; then sed \"s/FLAGS/$(cat flags)/\" form; exit; fi\n"
    "case $2 in -*) w=${2#-} ;; *) w=$2 ;; esac\n"
    "n=$(grep \"^$w \" names | cut -d' ' -f2)\n"
    "[ -n \"$n\" ] || exit 1\n"
    "f=$(tr , '\\n' <flags | grep -vx \"$n\")\n"
    "case $2 in -*) ;; *) f=\"$f $n\" ;; esac\n"
    "echo $f | tr ' ' , >flags\n";

static char *
command(const char **argv, const char *value)
{
	struct text t = { .arena = a };

	for (; *argv != NULL; argv++)
		text_add(&t, "'%s' ", strcmp(*argv, "{value}") == 0 ? value : *argv);
	return sh(arena_printf(a, "%s 2>/dev/null", t.s));
}

Test(offloads, the_bsds_commands_read_what_they_set)
{
	static const struct { const char *sysname, *form; } forms[] = {
		{ "FreeBSD", "it0: flags=8843<UP,RUNNING> metric 0\n\toptions=4c07bb<FLAGS>\n" },
		{ "DragonFly", "it0: flags=8843<UP,RUNNING> metric 0\n\toptions=4c07bb<FLAGS>\n" },
		{ "OpenBSD", "it0: flags=8843<UP,FLAGS> mtu 1500\n\tstatus: active\n" },
		{ "NetBSD", "it0: flags=0x8843<UP> mtu 1500\n"
		    "\tcapabilities=0x7ff80<TSO4,TSO6,IP4CSUM_Rx,IP4CSUM_Tx>\n"
		    "\tcapabilities=0x7ff80<TCP4CSUM_Rx,TCP4CSUM_Tx,TCP6CSUM_Rx,TCP6CSUM_Tx>\n"
		    "\tenabled=0x1<Other>\n\tenabled=0x2<FLAGS>\n\tec_enabled=0x7<VLAN_MTU>\n" },
	};
	struct facts f;
	size_t looked_at = 0;

	record_init(&facts_record, &f);
	f.interface = "it0";
	put("ifconfig", ifconfig);
	for (size_t i = 0; i < NELEM(forms); i++) {
		struct profile *p = profile_of(forms[i].sysname);
		struct text names = { .arena = a };

		for (size_t k = 0; k < p->offloads.n_switches; k++)
			text_add(&names, "%s %s\n", p->offloads.switches[k].flag,
			    p->offloads.switches[k].name);
		put("names", names.s);
		put("form", forms[i].form);
		put("flags", "A,B\n");
		for (size_t k = 0; k < p->offloads.n_switches; k++, looked_at++) {
			const char *name = p->offloads.switches[k].name;
			struct extra_way w;

			cr_assert(offload_way(a, p, &f, name, &w), "%s", name);
			cr_expect_null(w.after);
			cr_expect_str_eq(command(w.read, NULL), "off\n", "%s", name);
			command(w.write, "on");
			cr_expect_str_eq(command(w.read, NULL), "on\n", "%s %s", name,
			    sh("cat " "flags"));
			command(w.write, "off");
			cr_expect_str_eq(command(w.read, NULL), "off\n", "%s", name);
			command(w.write, "on"); /* the next one among others */
		}
		f.interface = "gone0";
		{
			struct extra_way w;

			cr_assert(offload_way(a, p, &f, p->offloads.switches[0].name, &w));
			cr_expect_str_eq(command(w.read, NULL), "", "no interface is not \"off\"");
		}
		f.interface = "it0";
	}
	cr_expect_gt(looked_at, 15);
}
