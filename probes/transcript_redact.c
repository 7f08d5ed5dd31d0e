#include "transcript.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define HEX_COLON_DOT "0123456789abcdefABCDEF:."
#define MAC_PARTS 6
#define MAC_PARTS_MAX 32
#define V4_BYTES 21 /* at most, with a port */

/* What was replaced, in the order of appearance: the place is the number of the replacement. */
struct seen {
	const char **names;
	size_t n;
};

/* A name of the host's and what stands for it. */
struct name {
	const char *is;
	const char *becomes;
};

struct redaction {
	struct arena *arena;
	struct name names[3 * HOST_NAMES + 1]; /* of a host the longest first */
	size_t n_names;
	struct seen v4, v6, mac;
};

/* From 1 on; the same for the same. */
static unsigned
number_of(struct redaction *r, struct seen *s, const char *name)
{
	for (size_t i = 0; i < s->n; i++) {
		if (strcmp(s->names[i], name) == 0)
			return (unsigned)i + 1;
	}
	*(const char **)arena_push(r->arena, &s->names, &s->n, sizeof(*s->names)) =
	    arena_strdup(r->arena, name);
	return (unsigned)s->n;
}

static bool
of_name(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/* ---- addresses ------------------------------------------------------------------------------- */

/* Loopback, "any", multicast, and masks: ones, then zeros. */
static bool
v4_says_nothing(uint32_t address)
{
	return address >> 24 == 127 || address == 0 || address >> 28 == 0xe ||
	    (address >> 24 == 255 && (~address & (~address + 1)) == 0);
}

static const char *
v4_for(struct redaction *r, uint32_t address)
{
	static const char *const nets[] = { "192.0.2", "198.51.100", "203.0.113" }; /* RFC 5737 */
	struct in_addr in = { htonl(address) };
	char text[INET_ADDRSTRLEN];
	unsigned n, net;

	inet_ntop(AF_INET, &in, text, sizeof(text));
	if (v4_says_nothing(address))
		return arena_strdup(r->arena, text);
	n = number_of(r, &r->v4, text) - 1;
	if (address >> 16 == (169u << 8 | 254))
		return arena_printf(r->arena, "169.254.%u.%u", n / 254 % 256, n % 254 + 1);
	net = n / 254 < NELEM(nets) ? n / 254 : NELEM(nets) - 1; /* 762 are told apart */
	return arena_printf(r->arena, "%s.%u", nets[net], n % 254 + 1);
}

static const char *
v6_for(struct redaction *r, const struct in6_addr *in)
{
	static const unsigned char solicited[13] = { 0xff, 2, [11] = 1, [12] = 0xff };
	const unsigned char *b = in->s6_addr;
	char text[INET6_ADDRSTRLEN];
	unsigned n;

	inet_ntop(AF_INET6, in, text, sizeof(text));
	if (strcmp(text, "::") == 0 || strcmp(text, "::1") == 0 || strcmp(text, "fe80::") == 0)
		return arena_strdup(r->arena, text);
	if (b[0] == 0xff && memcmp(b, solicited, sizeof(solicited)) != 0)
		return arena_strdup(r->arena, text); /* multicast and masks */
	n = number_of(r, &r->v6, text) & 0xffff;
	if (b[0] == 0xff)
		return arena_printf(r->arena, "ff02::1:ff00:%x", n);
	if (b[0] == 0xfe && (b[1] & 0xc0) == 0x80)
		return arena_printf(r->arena, "fe80::%x", n);
	return arena_printf(r->arena, "2001:db8::%x", n); /* RFC 3849 */
}

/* "52:54:00:12:34:56", and longer ones of other kinds of link. */
static bool
is_mac(const char *s)
{
	size_t parts = 1;

	for (; parts <= MAC_PARTS_MAX && isxdigit((unsigned char)s[0]) &&
	     isxdigit((unsigned char)s[1]); s += 3, parts++) {
		if (s[2] == '\0')
			return parts >= MAC_PARTS;
		if (s[2] != ':')
			return false;
	}
	return false;
}

static const char *
mac_for(struct redaction *r, const char *mac, const char *colon)
{
	char *digits = arena_alloc(r->arena, strlen(mac) + 1), *to = digits;
	unsigned n;

	for (; *mac != '\0'; mac++) {
		if (*mac != ':')
			*to++ = (char)tolower((unsigned char)*mac);
	}
	if (strspn(digits, "0") == strlen(digits) || strspn(digits, "f") == strlen(digits))
		return arena_printf(r->arena, "%.2s%s%.2s%s%.2s%s%.2s%s%.2s%s%.2s", digits, colon,
		    digits, colon, digits, colon, digits, colon, digits, colon, digits);
	n = number_of(r, &r->mac, digits);
	return arena_printf(r->arena, "02%s00%s00%s00%s%02x%s%02x", colon, colon, colon, colon,
	    n >> 8 & 0xff, colon, n & 0xff);
}

/* ---- one run of hexadecimal digits, colons and dots ------------------------------------------ */

/*
 * Four numbers with dots, or five as BSD's netstat writes a port.  How many bytes are the address;
 * 0: it is none.
 */
static size_t
v4_length(struct redaction *r, const char *s, uint32_t *address)
{
	size_t len = 0, dots = 0;
	struct in_addr in;

	if (strnlen(s, V4_BYTES + 1) > V4_BYTES)
		return 0;
	for (; s[len] != '\0' && (s[len] != '.' || dots != 3); len++)
		dots += s[len] == '.';
	if (strspn(s, "0123456789.") != strlen(s) || (s[len] == '.' && strchr(s + len + 1, '.')))
		return 0;
	if (inet_pton(AF_INET, arena_strndup(r->arena, s, len), &in) != 1)
		return 0;
	*address = ntohl(in.s_addr);
	return len;
}

/* Adds what stands for the run; false: it is no address, nothing was added. */
static bool
add_address(struct redaction *r, struct text *t, const char *s)
{
	struct in6_addr in6;
	uint32_t address;
	size_t len;

	if (is_mac(s))
		text_add(t, "%s", mac_for(r, s, ":"));
	else if (inet_pton(AF_INET6, s, &in6) == 1)
		text_add(t, "%s", v6_for(r, &in6));
	else if ((len = v4_length(r, s, &address)) != 0)
		text_add(t, "%s%s", v4_for(r, address), s + len);
	else
		return false;
	return true;
}

/* A piece without colons, which may be an IPv4 address. */
static void
add_piece(struct redaction *r, struct text *t, const char *s, size_t len)
{
	uint32_t address;
	size_t took = v4_length(r, arena_strndup(r->arena, s, len), &address);

	if (took != 0)
		text_add(t, "%s", v4_for(r, address));
	text_bytes(t, s + took, len - took);
}

/* A run as a whole, else piece by piece between its colons: "addr:192.0.2.1", "192.0.2.1:443". */
static void
add_run(struct redaction *r, struct text *t, const char *s, size_t len)
{
	const char *run = arena_strndup(r->arena, s, len);
	size_t n;

	while (*run != '\0' && !add_address(r, t, run)) {
		n = strcspn(run, ":");
		add_piece(r, t, run, n);
		run += n;
		n = *run == ':';
		text_bytes(t, run, n);
		run += n;
	}
}

/* The part of the run at s that may be an address; the rest belongs to the words around it. */
static size_t
run_length(const char *s)
{
	size_t len = strspn(s, HEX_COLON_DOT);

	while (len != 0 && of_name(s[len]) && s[len - 1] != ':' && s[len - 1] != '.')
		len--; /* "192.0.2.1.domain" */
	if (s[len] == '-' && isalpha((unsigned char)s[len + 1]) && memchr(s, ':', len) == NULL)
		return 0; /* "5.15.90.1-microsoft" is a release */
	if (len > 1 && (s[len - 1] == '.' || (s[len - 1] == ':' && s[len - 2] != ':')))
		len--;
	return len;
}

/* ---- the kernel's tables of routes ----------------------------------------------------------- */

#define HEX "0123456789abcdef"
#define HEX_CAPITAL "0123456789ABCDEF"

/* A word of so many digits is at s, and this blank behind it. */
static bool
field(const char *s, const char *digits, size_t n, char blank)
{
	return strspn(s, digits) == n && s[n] == blank;
}

static unsigned
byte_at(const char *hex)
{
	return (unsigned)strtoul((const char[]){ hex[0], hex[1], '\0' }, NULL, 16);
}

/* As a little-endian machine prints it: the last byte first. */
static void
add_hex_v4(struct redaction *r, struct text *t, const char *hex)
{
	struct in_addr in;

	inet_pton(AF_INET, v4_for(r, byte_at(hex + 6) << 24 | byte_at(hex + 4) << 16 |
	    byte_at(hex + 2) << 8 | byte_at(hex)), &in);
	for (unsigned shift = 0; shift < 32; shift += 8)
		text_add(t, "%02X", (unsigned)ntohl(in.s_addr) >> shift & 0xff);
}

static void
add_hex_v6(struct redaction *r, struct text *t, const char *hex)
{
	struct in6_addr in;

	for (size_t i = 0; i < sizeof(in); i++)
		in.s6_addr[i] = (unsigned char)byte_at(hex + 2 * i);
	inet_pton(AF_INET6, v6_for(r, &in), &in);
	for (size_t i = 0; i < sizeof(in); i++)
		text_add(t, "%02x", in.s6_addr[i]);
}

/* /proc/net/route: name, destination, gateway, flags, with tabs; s is at the first tab. */
static size_t
add_route_v4(struct redaction *r, struct text *t, const char *s)
{
	if (*s != '\t' || !field(s + 1, HEX_CAPITAL, 8, '\t') ||
	    !field(s + 10, HEX_CAPITAL, 8, '\t') || !field(s + 19, HEX_CAPITAL, 4, '\t'))
		return 0;
	text_bytes(t, s, 1);
	add_hex_v4(r, t, s + 1);
	text_bytes(t, s + 9, 1);
	add_hex_v4(r, t, s + 10);
	return 18;
}

/* /proc/net/ipv6_route: every address is followed by two digits of length or eight of metric. */
static size_t
add_route_v6(struct redaction *r, struct text *t, const char *text, const char *s)
{
	if ((s != text && s[-1] != '\n' && s[-1] != ' ') || !field(s, HEX, 32, ' ') ||
	    (!field(s + 33, HEX, 2, ' ') && !field(s + 33, HEX, 8, ' ')))
		return 0;
	add_hex_v6(r, t, s);
	return 32;
}

/* ---- texts ----------------------------------------------------------------------------------- */

static bool
begins_word(const char *text, const char *s)
{
	return s == text || (!of_name(s[-1]) && s[-1] != '-');
}

static bool
has_word(const char *s, const char *word)
{
	const char *at = s;

	for (size_t n = strlen(word); (at = strstr(at, word)) != NULL; at++) {
		if (begins_word(s, at) && !of_name(at[n]) && at[n] != '-')
			return true;
	}
	return false;
}

/* The host's name at s; how many bytes it has. */
static size_t
add_name(struct redaction *r, struct text *t, const char *text, const char *s)
{
	for (size_t i = 0, n; i < r->n_names && begins_word(text, s); i++) {
		n = strlen(r->names[i].is);
		if (strncmp(s, r->names[i].is, n) == 0 && !of_name(s[n]) && s[n] != '-') {
			text_add(t, "%s", r->names[i].becomes);
			return n;
		}
	}
	return 0;
}

/* The MAC in the name of an interface, "enx525400123456"; s is at the x. */
static size_t
add_interface(struct redaction *r, struct text *t, const char *text, const char *s)
{
	static const char *const kinds[] = { "en", "wl", "ww" };

	if (*s != 'x' || s - text < 2 || strspn(s + 1, "0123456789abcdef") != 12 || of_name(s[13]))
		return 0;
	for (size_t i = 0; i < NELEM(kinds); i++) {
		if (strncmp(s - 2, kinds[i], 2) == 0) {
			text_add(t, "x%s", mac_for(r, arena_strndup(r->arena, s + 1, 12), ""));
			return 13;
		}
	}
	return 0;
}

/* What a file of settings (loader.conf(5), for one) keeps as a password; s is at the "=". */
static size_t
add_secret(struct text *t, const char *text, const char *s)
{
	static const char *const kinds[] = { "password", "passphrase", "secret", "key" };
	const char *end = s;

	while (*s == '=' && end > text && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	for (size_t i = 0, n; *s == '=' && i < NELEM(kinds); i++) {
		n = strlen(kinds[i]);
		if ((size_t)(end - text) >= n && memcmp(end - n, kinds[i], n) == 0) {
			text_bytes(t, "=...", 4);
			return strcspn(s, "\n");
		}
	}
	return 0;
}

/*
 * An address at s, which is not before *plain; else one byte, and where a run begins that is none,
 * *plain is moved behind it.  How many bytes of the text it was.
 */
static size_t
add_rest(struct redaction *r, struct text *t, const char *text, const char *s, const char **plain)
{
	size_t len = s < *plain ? 0 : strspn(s, HEX_COLON_DOT), address = 0;

	if (len != 0) {
		if (s == text || !of_name(s[-1]))
			address = run_length(s);
		else
			len = strcspn(s, ":") < len ? strcspn(s, ":") : len; /* "addr:192.0.2.1" */
		*plain = s + len;
	}
	if (address != 0)
		add_run(r, t, s, address);
	else
		text_bytes(t, s, 1);
	return address != 0 ? address : 1;
}

static const char *
redacted(struct redaction *r, const char *text)
{
	struct text t = { .arena = r->arena };
	const char *plain = text;

	if (text == NULL)
		return NULL;
	text_bytes(&t, "", 0);
	for (size_t n, i = 0; text[i] != '\0'; i += n) {
		if ((n = add_name(r, &t, text, text + i)) == 0 &&
		    (n = add_interface(r, &t, text, text + i)) == 0 &&
		    (n = add_route_v4(r, &t, text + i)) == 0 &&
		    (n = add_route_v6(r, &t, text, text + i)) == 0 &&
		    (n = add_secret(&t, text, text + i)) == 0)
			n = add_rest(r, &t, text, text + i, &plain);
	}
	return t.s;
}

/* ---- names ----------------------------------------------------------------------------------- */

/* A host called "net" or "64" tells nobody who it is, but knobs and numbers would go with it. */
static bool
tells(const struct transcript *t, const char *name)
{
	if (strlen(name) < 3 || strspn(name, "0123456789.") == strlen(name) ||
	    strncmp(name, "localhost", 9) == 0)
		return false;
	for (size_t i = 0; i < t->n_entries; i++) {
		const struct transcript_entry *x = &t->entries[i];

		if (x->argv == NULL && has_word(x->file, name))
			return false;
		for (const char **w = x->argv; w != NULL && *w != NULL; w++) {
			if (has_word(*w, name))
				return false;
		}
	}
	return true;
}

static void
take_names(struct redaction *r, const struct transcript *t, const char *hostname)
{
	const char *dot = strchr(hostname, '.');
	const struct name all[] = {
		{ dot == NULL ? "" : hostname, "host.example.org" },
		{ dot == NULL || strchr(dot + 1, '.') == NULL ? "" : dot + 1, "example.org" },
		{ arena_strndup(r->arena, hostname, strcspn(hostname, ".")), "host" },
	};

	for (size_t i = 0; i < NELEM(all); i++) {
		if (tells(t, all[i].is))
			r->names[r->n_names++] = all[i];
	}
}

void
transcript_redact(struct arena *a, struct transcript *t, const struct host_names *names)
{
	struct redaction r = { .arena = a };

	for (size_t i = 0; i < HOST_NAMES && names->hosts[i] != NULL; i++)
		take_names(&r, t, names->hosts[i]);
	if (names->user != NULL && strcmp(names->user, "root") != 0 && tells(t, names->user))
		r.names[r.n_names++] = (struct name){ names->user, "user" };
	for (size_t i = 0; i < t->n_entries; i++) {
		struct transcript_entry *x = &t->entries[i];

		for (const char **w = x->argv; w != NULL && *w != NULL; w++)
			*w = redacted(&r, *w);
		x->file = redacted(&r, x->file);
		x->answer.text = redacted(&r, x->answer.text);
		x->answer.len = strlen(x->answer.text);
		x->answer.why = redacted(&r, x->answer.why);
	}
	t->path.peer = redacted(&r, t->path.peer);
}
