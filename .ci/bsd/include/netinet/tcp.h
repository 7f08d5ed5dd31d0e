/*
 * TCP options as the four systems have them, and of struct tcp_info the members that are the same
 * on all that have one.  Values: golang.org/x/sys 0.3.0 and the libc crate 0.2.139; TCP_INFO and
 * struct tcp_info: netinet/tcp.h of FreeBSD 14, NetBSD 10 and OpenBSD 7.6.
 */
#ifndef BSD_NETINET_TCP_H
#define BSD_NETINET_TCP_H

#include <stdint.h>

#define TCP_NODELAY 1
#define TCP_MAXSEG 2

#if defined(__FreeBSD__)
#define TCP_INFO 32
#define TCP_CONGESTION 64
#define TCP_CA_NAME_MAX 16
#elif defined(__NetBSD__)
#define TCP_INFO 9
#define TCP_CONGCTL 0x20
#elif defined(__OpenBSD__)
#define TCP_INFO 9
#endif

#ifdef TCP_INFO
struct tcp_info {
	uint8_t tcpi_state;
	uint8_t tcpi_options;
	uint8_t tcpi_snd_wscale : 4, tcpi_rcv_wscale : 4;
	uint32_t tcpi_rto;
	uint32_t tcpi_snd_mss;
	uint32_t tcpi_rcv_mss;
	uint32_t tcpi_last_data_recv;
	uint32_t tcpi_rtt;
	uint32_t tcpi_rttvar;
	uint32_t tcpi_snd_ssthresh;
	uint32_t tcpi_snd_cwnd;
	uint32_t tcpi_rcv_space;
	uint32_t tcpi_snd_wnd;
	uint32_t tcpi_snd_nxt;
	uint32_t tcpi_rcv_nxt;
	uint32_t tcpi_snd_rexmitpack;
	uint32_t tcpi_rcv_ooopack;
	uint32_t tcpi_snd_zerowin;
};
#endif

#endif
