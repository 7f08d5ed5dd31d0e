#include "probes/lab_segment.h"

#include <criterion/criterion.h>
#include <string.h>

#define MSS 1000u
#define PAYLOAD 3500u /* four segments, the last of 500 bytes */
#define TCP_AT(v6) (SEGMENT_VNET_BYTES + ((v6) ? 40u : 20u))
#define DATA_AT(v6) (TCP_AT(v6) + 32u) /* with 12 bytes of options */

static unsigned
get16(const unsigned char *p)
{
	return (unsigned)p[0] << 8 | p[1];
}

static uint32_t
get32(const unsigned char *p)
{
	return (uint32_t)get16(p) << 16 | get16(p + 2);
}

static void
put16(unsigned char *p, unsigned v)
{
	p[0] = (unsigned char)(v >> 8);
	p[1] = (unsigned char)v;
}

static unsigned
sum(const unsigned char *p, size_t n, uint32_t s)
{
	for (; n > 1; n -= 2, p += 2)
		s += get16(p);
	if (n == 1)
		s += (uint32_t)p[0] << 8;
	s = (s >> 16) + (s & 0xffff);
	return (s + (s >> 16)) & 0xffff;
}

/* A super-packet as TUN gives it; returns its length. */
static size_t
super_packet(bool v6, unsigned char *b)
{
	size_t len = DATA_AT(v6) + PAYLOAD, ip_len = len - SEGMENT_VNET_BYTES;
	unsigned char *ip = b + SEGMENT_VNET_BYTES, *tcp = b + TCP_AT(v6);
	uint16_t gso = MSS, start = v6 ? 40 : 20, offset = 16;

	memset(b, 0, len);
	b[0] = 1;
	b[1] = v6 ? 4 : 1;
	memcpy(b + 4, &gso, 2);
	memcpy(b + 6, &start, 2);
	memcpy(b + 8, &offset, 2);
	if (v6) {
		ip[0] = 0x60;
		put16(ip + 4, (unsigned)ip_len - 40);
		ip[6] = 6;
		ip[7] = 64;
		ip[8] = ip[24] = 0xfd;
		ip[23] = 1;
		ip[39] = 2;
	} else {
		ip[0] = 0x45;
		put16(ip + 2, (unsigned)ip_len);
		put16(ip + 4, 0xffff);
		ip[8] = 64;
		ip[9] = 6;
		memcpy(ip + 12, "\12\123\0\1\12\123\0\2", 8);
		put16(ip + 10, ~sum(ip, 20, 0));
	}
	put16(tcp + 4, 0xffff); /* sequence number 0xfffff000: wraps */
	put16(tcp + 6, 0xf000);
	tcp[12] = 0x80;
	tcp[13] = 0x19; /* ACK PSH FIN */
	for (size_t i = 0; i < PAYLOAD; i++)
		b[DATA_AT(v6) + i] = (unsigned char)(i * 7 + i / 256);
	return len;
}

/* What the other kernel would get. */
static size_t
slice(const struct packet *p, unsigned first, unsigned count, unsigned char *out)
{
	unsigned char headers[SEGMENT_HEADERS_MAX];
	struct iovec iov[2];
	size_t len = 0;
	int n = packet_slice(p, first, count, headers, iov);

	for (int i = 0; i < n; i++) {
		memcpy(out + len, iov[i].iov_base, iov[i].iov_len);
		len += iov[i].iov_len;
	}
	return len;
}

static void
check_slice(bool v6, const unsigned char *whole, const struct packet *p, unsigned first,
    unsigned count)
{
	unsigned char got[8192], *ip = got + SEGMENT_VNET_BYTES, *tcp = got + TCP_AT(v6);
	size_t end = (first + count) * MSS < PAYLOAD ? (first + count) * MSS : PAYLOAD;
	size_t bytes = end - first * MSS, len = slice(p, first, count, got);
	size_t addresses = v6 ? 32 : 8;
	bool last = first + count == 4;
	uint16_t gso;

	cr_assert_eq(len, DATA_AT(v6) + bytes);
	cr_assert_arr_eq(got + DATA_AT(v6), whole + DATA_AT(v6) + first * MSS, bytes);
	memcpy(&gso, got + 4, 2);
	cr_assert_eq(got[0], 1, "checksum still to be done");
	cr_assert_eq(got[1], count == 1 ? 0 : v6 ? 4 : 1);
	cr_assert_eq(gso, count == 1 ? 0 : MSS);
	cr_assert_eq(get32(tcp + 4), 0xfffff000u + first * MSS);
	cr_assert_eq(tcp[13], last ? 0x19 : 0x10, "PSH and FIN belong to the last");
	if (v6)
		cr_assert_eq(get16(ip + 4), len - SEGMENT_VNET_BYTES - 40);
	else {
		cr_assert_eq(get16(ip + 2), len - SEGMENT_VNET_BYTES);
		cr_assert_eq(get16(ip + 4), (0xffff + first) & 0xffff);
		cr_assert_eq(sum(ip, 20, 0), 0xffff, "header checksum");
	}
	cr_assert_eq(get16(tcp + 16), sum(ip + (v6 ? 8 : 12), addresses, 6 + 32 + (uint32_t)bytes),
	    "pseudo-header");
}

Test(lab_segment, every_run_of_a_super_packet_is_a_packet)
{
	for (int v6 = 0; v6 < 2; v6++) {
		unsigned char b[8192];
		size_t len = super_packet(v6, b);
		struct packet p;

		cr_assert(packet_parse(&p, b, len));
		cr_assert_eq(p.segments, 4);
		for (unsigned first = 0; first < 4; first++)
			for (unsigned count = 1; first + count <= 4; count++)
				if (count < 4)
					check_slice(v6, b, &p, first, count);
	}
}

Test(lab_segment, all_segments_are_the_packet_as_it_was)
{
	unsigned char b[8192], got[8192];
	size_t len = super_packet(true, b);
	struct packet p;

	cr_assert(packet_parse(&p, b, len));
	cr_assert_eq(slice(&p, 0, 4, got), len);
	cr_assert_arr_eq(got, b, len);
}

Test(lab_segment, wire_bytes_count_headers_once_a_segment)
{
	unsigned char b[8192];
	struct packet p;

	cr_assert(packet_parse(&p, b, super_packet(false, b)));
	cr_assert_eq(packet_wire_bytes(&p, 0), MSS + 52);
	cr_assert_eq(packet_wire_bytes(&p, 3), 500 + 52);
	cr_assert(packet_parse(&p, b, super_packet(true, b)));
	cr_assert_eq(packet_wire_bytes(&p, 1), MSS + 72);
	memset(b, 0, SEGMENT_VNET_BYTES);
	b[SEGMENT_VNET_BYTES] = 0x45;
	cr_assert(packet_parse(&p, b, SEGMENT_VNET_BYTES + 40));
	cr_assert_eq(p.segments, 1);
	cr_assert_eq(packet_wire_bytes(&p, 0), 40);
}

Test(lab_segment, what_is_no_packet_is_refused)
{
	static const struct {
		const char *what;
		size_t at;
		unsigned char value;
	} broken[] = {
		{ "IP version", SEGMENT_VNET_BYTES, 0x15 }, { "offload of IPv6", 1, 4 },
		{ "unknown offload", 1, 3 }, { "no checksum to do", 0, 0 },
		{ "TCP before the IP header's end", 6, 19 }, { "another checksum", 8, 6 },
		{ "TCP header of 0 bytes", TCP_AT(false) + 12, 0 },
	};
	unsigned char b[8192];
	struct packet p;

	for (size_t i = 0; i < NELEM(broken); i++) {
		size_t len = super_packet(false, b);

		b[broken[i].at] = broken[i].value;
		cr_assert_not(packet_parse(&p, b, len), "%s", broken[i].what);
	}
	super_packet(false, b);
	memset(b + 4, 0, 2);
	cr_assert_not(packet_parse(&p, b, DATA_AT(false) + PAYLOAD), "segments of no bytes");
	super_packet(false, b);
	for (size_t len = 0; len <= DATA_AT(false); len++)
		cr_assert_not(packet_parse(&p, b, len), "cut to %zu", len);
}
