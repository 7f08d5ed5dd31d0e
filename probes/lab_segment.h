/*
 * lab_segment: what a packet of a TUN device with IFF_VNET_HDR holds, in wire segments, and how to
 * cut a run of them out of a super-packet.
 *
 * Layout: the 10 bytes of struct virtio_net_hdr (virtio 1.2, 5.1.6; host byte order as TUN uses it
 * without TUNSETVNETLE/BE), then the IP packet.  With segmentation offload the payload is that of
 * many segments of gso_size bytes each, under one set of headers.
 */
#ifndef PATHTUNE_LAB_SEGMENT_H
#define PATHTUNE_LAB_SEGMENT_H

#include "../tuner/base.h"

#include <sys/types.h>
#include <sys/uio.h>

#define SEGMENT_VNET_BYTES 10u
#define SEGMENT_HEADERS_MAX 256u /* virtio, IP with options or extensions, TCP with options */
#define SEGMENT_PACKET_MAX (65536u + SEGMENT_VNET_BYTES)

struct packet {
	const unsigned char *bytes;  /* the virtio header; not ours */
	size_t len;
	size_t tcp;                  /* offsets from bytes; meaningful with segments > 1 */
	size_t payload;
	size_t segment_bytes;        /* payload of all segments but the last */
	unsigned segments;
};

/* False: too short, not IP, or offload fields that do not fit the packet; p is then undefined. */
bool packet_parse(struct packet *p, const unsigned char *bytes, size_t len);

/* IP bytes of segment i on the wire. */
size_t packet_wire_bytes(const struct packet *p, unsigned i);

/*
 * Segments first..first+count-1 as a packet of their own.  New headers go to headers (of
 * SEGMENT_HEADERS_MAX bytes), the payload stays where it is.  Returns the number of iov filled.
 */
int packet_slice(const struct packet *p, unsigned first, unsigned count, unsigned char *headers,
    struct iovec iov[2]);

#endif
