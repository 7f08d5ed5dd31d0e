/*
 * A run that switches an offload: set with the other values, kept by a file of its own, and taken
 * back, on this host and through a shell.
 */
#include "box_test.h"

static const char theirs[] = "# theirs\nup\n\nlast line";

/* Here, and through a shell. */
static const char *hosts[] = { "", NULL };

static void
setup_offloads(void)
{
	setup();
	h.offloads = true;
	box_profile(&h, "block", NULL);
	box_run_file(&h, SEND_NEW, RECEIVE_NEW, NULL);
	box_put(h.rules, theirs);
	box_put(box_path(&h, "link"), "#!/bin/sh\nexec sh -s\n");
	cr_assert_eq(chmod(box_path(&h, "link"), 0755), 0);
	hosts[1] = arena_printf(h.a, "via:%s", box_path(&h, "link"));
}

TestSuite(apply_offloads, .init = setup_offloads, .fini = teardown, .timeout = 100);

static const char *
gro(void)
{
	return arena_strndup(h.a, box_get(&h, h.gro), strcspn(box_get(&h, h.gro), "\n"));
}

static struct said
apply_at(const char *host, const char *words)
{
	return box_do(&h, arena_printf(h.a, "apply %s %s", h.run, host), words);
}

static struct said
at(const char *command, const char *host, const char *words)
{
	return box_do(&h, arena_printf(h.a, "%s %s", command, host), words);
}

Test(apply_offloads, are_shown_set_kept_checked_and_taken_back_byte_for_byte)
{
	for (size_t i = 0; i < NELEM(hosts); i++) {
		struct said s = apply_at(hosts[i], "--dry-run");
		size_t len;

		cr_assert_eq(s.status, 3, "%s", s.err);
		cr_expect_not_null(strstr(s.out, "+set x0 gro off\n"), "%s", s.out);
		cr_expect_not_null(strstr(s.out, "to set offload gro x0: on -> off\n"), "%s", s.out);
		cr_expect_str_eq(gro(), "on");
		s = apply_at(hosts[i], "--yes");
		cr_assert_eq(s.status, 0, "%s", s.err);
		cr_expect_str_eq(gro(), "off");
		cr_expect_eq(strncmp(box_get(&h, h.rules), theirs, strlen(theirs)), 0);
		cr_expect_not_null(strstr(box_get(&h, h.rules), "\nset x0 gro off\n# END pathtune\n"),
		    "%s", box_get(&h, h.rules));
		cr_expect_null(strstr(box_get(&h, h.conf), "gro"), "%s", box_get(&h, h.conf));
		s = apply_at(hosts[i], "--yes");
		cr_expect_str_eq(s.out, "nothing to do: it is in force already\n");
		s = at("check", hosts[i], "");
		cr_expect_eq(s.status, 0, "%s", s.out);
		s = at(arena_printf(h.a, "check %s", h.run), hosts[i], "");
		cr_expect_eq(s.status, 0, "%s", s.out);
		s = at("revert", hosts[i], "--yes");
		cr_assert_eq(s.status, 0, "%s", s.err);
		cr_expect_not_null(strstr(s.out, "restored offload gro x0: off -> on\n"), "%s", s.out);
		cr_expect_str_eq(gro(), "on");
		cr_expect_str_eq(box_get_bytes(&h, h.rules, &len), theirs);
	}
}

/* A new block takes the place of the one before. */
Test(apply_offloads, what_an_earlier_run_keeps_there_stays)
{
	box_put(h.rules, arena_printf(h.a, "%s\n# BEGIN pathtune\n# earlier\n  set x0 lro off\n"
	    "# END pathtune\nset x0 gro on\n", theirs));
	cr_assert_eq(box_apply(&h, "").status, 0);
	cr_expect_not_null(strstr(box_get(&h, h.rules), "\nset x0 gro off\n"));
	cr_expect_not_null(strstr(box_get(&h, h.rules),
	    "\n# kept: this file set it already\nset x0 lro off\n# END pathtune\nset x0 gro on\n"),
	    "%s", box_get(&h, h.rules));
}

Test(apply_offloads, a_file_that_nobody_had_is_removed)
{
	unlink(h.rules);
	cr_assert_eq(box_apply(&h, "").status, 0);
	cr_expect(box_there(h.rules));
	cr_assert_eq(box_do(&h, "revert", "--yes").status, 0);
	cr_expect_not(box_there(h.rules));
}

Test(apply_offloads, drift_of_the_state_and_of_the_file_is_told)
{
	struct said s;

	cr_assert_eq(box_apply(&h, "").status, 0);
	box_put(h.gro, "on\n");
	s = box_do(&h, "check", "");
	cr_expect_eq(s.status, 3);
	cr_expect_not_null(strstr(s.out, "value-drift: offload gro x0: is on, off was applied"),
	    "%s", s.out);
	cr_expect_null(strstr(s.out, "not-persisted"), "%s", s.out);
	box_put(h.gro, "off\n");
	box_put(h.rules, theirs);
	s = box_do(&h, "check", "");
	cr_expect_eq(s.status, 3);
	cr_expect_not_null(strstr(s.out, "file-drift: "), "%s", s.out);
	cr_expect_not_null(strstr(s.out, "not-persisted: offload gro x0"), "%s", s.out);
	s = box_do(&h, "check", h.run);
	cr_expect_not_null(strstr(s.out, "not-persisted: offload gro x0"), "%s", s.out);
	cr_expect_eq(box_apply(&h, "").status, 0, "brings it back");
	cr_expect_eq(box_do(&h, "check", "").status, 0);
}

Test(apply_offloads, what_no_boot_would_keep_is_left_out_with_the_reason)
{
	struct said s;

	box_put(box_path(&h, "unread"), "");
	for (size_t i = 0; i < NELEM(hosts); i++) {
		s = apply_at(hosts[i], "--yes");
		cr_assert_eq(s.status, 0, "%s", s.err);
		cr_expect_not_null(strstr(s.out, "the offloads of x0 are left out, they would not "
		    "outlive a boot: nobody reads it\n"), "%s", s.out);
		cr_expect_str_eq(gro(), "on");
		cr_expect_str_eq(box_get(&h, h.rules), theirs);
		cr_expect_str_eq(box_get(&h, h.send), SEND_NEW);
		cr_assert_eq(at("revert", hosts[i], "--yes").status, 0);
		box_values(&h, SEND_OLD, RECEIVE_OLD);
	}
}

Test(apply_offloads, one_of_another_interface_or_without_a_file_is_left_out)
{
	struct said s;

	cr_assert_eq(system(arena_printf(h.a, "sed -i 's/gro x0/gro x1/' %s", h.run)), 0);
	s = box_apply(&h, "");
	cr_assert_eq(s.status, 0, "%s", s.err);
	cr_expect_not_null(strstr(s.out, "offload gro x1 = off is left out: this host's interface "
	    "is x0"), "%s", s.out);
	cr_expect_str_eq(gro(), "on");
	cr_expect_eq(box_do(&h, "check", h.run).status, 0, "nor is it missed");
}

Test(apply_offloads, one_that_the_driver_refuses_leaves_the_run_and_its_file)
{
	struct said s;

	box_put(box_path(&h, "nic"), arena_printf(h.a, "#!/bin/sh\n[ $1 != show ] || echo gro: on\n"));
	s = box_apply(&h, "");
	cr_expect_eq(s.status, 1);
	cr_expect_not_null(strstr(s.err, "offload gro x0: "), "%s", s.err);
	cr_expect_str_eq(box_get(&h, h.rules), theirs);
	cr_expect_str_eq(box_get(&h, h.send), SEND_NEW, "what held is in force");
	cr_expect(box_there(h.conf));
}

Test(apply_offloads, a_value_that_is_neither_on_nor_off_is_refused)
{
	cr_assert_eq(system(arena_printf(h.a, "sed -i 's/\"new\":\"off\"/\"new\":\"off; x\"/' %s",
	    h.run)), 0);
	cr_expect_eq(box_apply(&h, "").status, 1);
	box_expect(&h, SEND_OLD, RECEIVE_OLD, false, "refused");
}

Test(apply_offloads, what_is_not_confirmed_goes_back)
{
	for (size_t i = 0; i < NELEM(hosts); i++) {
		struct said s = apply_at(hosts[i], "--confirm 60s --yes");

		cr_assert_eq(s.status, 0, "%s", s.err);
		cr_expect_str_eq(gro(), "off", "%s", hosts[i]);
		cr_expect_str_eq(box_get(&h, h.rules), theirs, "nothing is written yet");
		cr_expect_eq(at("revert", hosts[i], "--yes").status, 0, "%s", hosts[i]);
		cr_expect_str_eq(gro(), "on", "%s", hosts[i]);
		cr_assert_eq(apply_at(hosts[i], "--confirm 60s --yes").status, 0);
		s = at("confirm", hosts[i], "");
		cr_expect_eq(s.status, 0, "%s", s.err);
		cr_expect_not_null(strstr(box_get(&h, h.rules), "\nset x0 gro off\n"));
		cr_expect_eq(at("revert", hosts[i], "--yes").status, 0, "%s", hosts[i]);
		cr_expect_str_eq(box_get(&h, h.rules), theirs);
	}
}
