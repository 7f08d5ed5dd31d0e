#include <criterion/criterion.h>
#include <string.h>

#include "tuner/nics.h"

static struct arena *arena;

static void
setup(void)
{
	arena = arena_new();
}

static void
teardown(void)
{
	arena_free(arena);
}

TestSuite(nics, .init = setup, .fini = teardown);

Test(nics, are_named_by_their_pci_ids)
{
	static const struct { const char *vendor, *device, *name; } cases[] = {
		{ "0x1af4", "0x1000", "virtio-net (transitional)" }, { "0x1af4", "0x1041", "virtio-net" },
		{ "0x8086", "0x100e", "e1000 (82540EM)" }, { "8086", "100E", "e1000 (82540EM)" },
		{ "0x15ad", "0x07b0", "vmxnet3" }, { "0x15ad", "0x7b0", "vmxnet3" },
		{ "0x8086", "0x1041", NULL }, { "0x8086", "", NULL }, { "0x8086", NULL, NULL },
		{ NULL, "0x100e", NULL }, { "0x8086", "0x100e0", NULL }, { "0x8086", "0x100g", NULL },
		{ "-8086", "0x100e", NULL }, { "0x", "0x100e", NULL },
	};
	size_t i;

	for (i = 0; i < NELEM(cases); i++) {
		const char *name = nics_name(arena, cases[i].vendor, cases[i].device);

		cr_expect(cases[i].name == NULL ? name == NULL :
		    name != NULL && strcmp(name, cases[i].name) == 0, "case %zu: %s", i, name);
	}
}

Test(nics, what_is_wrong_is_named_with_file_and_line)
{
	static const struct { const char *text, *error; } cases[] = {
		{ "nics:\n  - {vendor: a, device: b, name: n}\n", "x:2: source: is missing" },
		{ "nics:\n  - {vendor: q, device: b, name: n, source: s}\n",
		    "x:2: vendor: must be a PCI id such as 0x8086" },
		{ "nics:\n  - {vendor: a, device: 0x12345, name: n, source: s}\n",
		    "x:2: device: must be a PCI id such as 0x8086" },
		{ "nics:\n  - {vendor: a, device: b, name: n, source: s}\n"
		    "  - {vendor: 0xA, device: 0x000b, name: m, source: s}\n",
		    "x:3: device: another has it already" },
		{ "nic: []\n", "x:1: nic: unknown key" },
		{ "[]\n", "x:1: must be a map (nics)" },
	};
	struct nic_model *nics;
	size_t i, n;

	for (i = 0; i < NELEM(cases); i++) {
		struct err e = { 0 };

		cr_assert_not(nics_parse(arena, "x", cases[i].text, strlen(cases[i].text), &nics, &n,
		    &e), "case %zu", i);
		cr_expect_eq(e.code, ERR_USAGE);
		cr_expect_str_eq(e.text, cases[i].error, "case %zu: %s", i, e.text);
	}
}
