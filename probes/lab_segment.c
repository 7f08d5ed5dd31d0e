#include "lab_segment.h"

#include <string.h>

struct vnet { /* struct virtio_net_hdr, which not every system's headers have */
	uint8_t flags;
	uint8_t gso_type;
	uint16_t hdr_len;
	uint16_t gso_size;
	uint16_t csum_start;
	uint16_t csum_offset;
};
_Static_assert(sizeof(struct vnet) == SEGMENT_VNET_BYTES, "virtio header");

#define VNET_NEEDS_CSUM 1u
#define VNET_GSO_NONE 0u
#define VNET_GSO_TCPV4 1u
#define VNET_GSO_TCPV6 4u

#define IP4_HEADER 20u
#define IP6_HEADER 40u
#define TCP_HEADER 20u
#define TCP_CHECKSUM 16u
#define TCP_FLAGS 13u
#define TCP_FIN 0x01u
#define TCP_PSH 0x08u
#define PROTOCOL_TCP 6u

static unsigned
get16(const unsigned char *p)
{
	return (unsigned)p[0] << 8 | p[1];
}

static void
put16(unsigned char *p, unsigned v)
{
	p[0] = (unsigned char)(v >> 8);
	p[1] = (unsigned char)v;
}

static uint32_t
get32(const unsigned char *p)
{
	return (uint32_t)get16(p) << 16 | get16(p + 2);
}

static void
put32(unsigned char *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v & 0xffff);
}

static unsigned
ip_version(const struct packet *p)
{
	return p->bytes[SEGMENT_VNET_BYTES] >> 4;
}

/* Where TCP and its payload start in a super-packet. */
static bool
find_payload(struct packet *p, const struct vnet *v)
{
	size_t ip = ip_version(p) == 4 ? IP4_HEADER : IP6_HEADER;

	p->tcp = SEGMENT_VNET_BYTES + (size_t)v->csum_start;
	if (v->csum_start < ip || v->csum_offset != TCP_CHECKSUM || p->tcp + TCP_HEADER > p->len)
		return false;
	p->payload = p->tcp + (size_t)(p->bytes[p->tcp + 12] >> 4) * 4;
	return p->payload >= p->tcp + TCP_HEADER && p->payload <= SEGMENT_HEADERS_MAX &&
	    p->payload < p->len;
}

bool
packet_parse(struct packet *p, const unsigned char *bytes, size_t len)
{
	struct vnet v;
	unsigned version;

	*p = (struct packet){ .bytes = bytes, .len = len, .segments = 1 };
	if (len < SEGMENT_VNET_BYTES + IP4_HEADER)
		return false;
	memcpy(&v, bytes, sizeof(v));
	version = ip_version(p);
	if ((version != 4 && version != 6) ||
	    (version == 6 && len < SEGMENT_VNET_BYTES + IP6_HEADER))
		return false;
	if (v.gso_type == VNET_GSO_NONE)
		return true;
	if (v.gso_type != (version == 4 ? VNET_GSO_TCPV4 : VNET_GSO_TCPV6) || v.gso_size == 0 ||
	    (v.flags & VNET_NEEDS_CSUM) == 0 || !find_payload(p, &v))
		return false;
	p->segment_bytes = v.gso_size;
	p->segments = (unsigned)((len - p->payload + v.gso_size - 1) / v.gso_size);
	return true;
}

/* Payload of segments first..first+count-1. */
static size_t
payload_bytes(const struct packet *p, unsigned first, unsigned count)
{
	size_t all = p->len - p->payload;
	size_t begin = first * p->segment_bytes, end = (first + count) * p->segment_bytes;

	return (end < all ? end : all) - begin;
}

size_t
packet_wire_bytes(const struct packet *p, unsigned i)
{
	if (p->segments == 1)
		return p->len - SEGMENT_VNET_BYTES;
	return p->payload - SEGMENT_VNET_BYTES + payload_bytes(p, i, 1);
}

/* One's complement sum (RFC 1071) of an even or odd number of bytes, not folded. */
static uint32_t
sum16(const unsigned char *p, size_t n)
{
	uint32_t sum = 0;

	for (; n > 1; n -= 2, p += 2)
		sum += get16(p);
	return n == 1 ? sum + ((uint32_t)p[0] << 8) : sum;
}

static unsigned
fold(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	return (sum & 0xffff) + (sum >> 16);
}

/* IP: length, IPv4 identification and checksum.  Returns the sum of the two addresses. */
static uint32_t
fix_ip(unsigned char *ip, size_t len, unsigned first)
{
	size_t header = (size_t)(ip[0] & 15) * 4;

	if (ip[0] >> 4 == 6) {
		put16(ip + 4, (unsigned)(len - IP6_HEADER));
		return sum16(ip + 8, 32);
	}
	put16(ip + 2, (unsigned)len);
	put16(ip + 4, get16(ip + 4) + first);
	put16(ip + 10, 0);
	put16(ip + 10, ~fold(sum16(ip, header)));
	return sum16(ip + 12, 8);
}

int
packet_slice(const struct packet *p, unsigned first, unsigned count, unsigned char *headers,
    struct iovec iov[2])
{
	size_t bytes, tcp_bytes;
	unsigned char *tcp = headers + p->tcp;
	uint32_t addresses;
	struct vnet v;

	if (count == p->segments) {
		iov[0] = (struct iovec){ (void *)(uintptr_t)p->bytes, p->len };
		return 1;
	}
	bytes = payload_bytes(p, first, count);
	tcp_bytes = p->payload - p->tcp + bytes;
	memcpy(headers, p->bytes, p->payload);
	memcpy(&v, headers, sizeof(v));
	if (count == 1) {
		v.gso_type = VNET_GSO_NONE;
		v.gso_size = 0;
		memcpy(headers, &v, sizeof(v));
	}
	addresses = fix_ip(headers + SEGMENT_VNET_BYTES,
	    p->payload - SEGMENT_VNET_BYTES + bytes, first);
	put32(tcp + 4, get32(tcp + 4) + (uint32_t)(first * p->segment_bytes));
	if (first + count != p->segments)
		tcp[TCP_FLAGS] &= (unsigned char)~(TCP_FIN | TCP_PSH);
	/* With NEEDS_CSUM the field holds the sum of the pseudo-header, length included. */
	put16(tcp + TCP_CHECKSUM, fold(addresses + PROTOCOL_TCP + (uint32_t)tcp_bytes));
	iov[0] = (struct iovec){ headers, p->payload };
	iov[1] = (struct iovec){ (void *)(uintptr_t)(p->bytes + p->payload +
		first * p->segment_bytes), bytes };
	return 2;
}
