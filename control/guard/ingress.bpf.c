// SPDX-License-Identifier: BSD-3-Clause
// The third lock: what may go up from a port's interface into the kernel's own stack. Direct action on clsact, ingress.
//
//   passes   ARP; IPv4 to an address of this host (unicast or a subnet's broadcast), 255.255.255.255 or 224/4
//   drops    all else, and counts it: IPv4 to others, IPv6, other EtherTypes, VLAN tags of another VID than 0
//
// Frames that XDP redirects never come here. The program stays when processes die, and over a rename, down and up, a new MAC
// and `nft flush ruleset`.
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/pkt_cls.h>
#include <linux/socket.h>
#include <stddef.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "ingress_layout.h"

#define AF_INET 2

// In network byte order, as on the wire.
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __type(key, __be32);
  __type(value, __u8);
  __uint(max_entries, SEKISHO_INGRESS_MAX_ADDRESSES);
} addresses SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __type(key, __u32);
  __type(value, struct sekisho_ingress_state);
  __uint(max_entries, 1);
} state SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __type(key, __u32);
  __type(value, __u64);
  __uint(max_entries, sekisho_ingress_drop_count);
} drops SEC(".maps");

static __always_inline int drop(enum sekisho_ingress_drop reason) {
  __u32 key = reason;
  __u64* count = bpf_map_lookup_elem(&drops, &key);
  if (count)
    ++*count;
  return TC_ACT_SHOT;
}

static __always_inline int may_be_new_address(struct __sk_buff* frame, __be32 source, __be32 destination) {
  __u32 zero = 0;
  struct sekisho_ingress_state* now = bpf_map_lookup_elem(&state, &zero);
  if (!now || !now->addresses_may_be_missing)
    return 0;
  struct bpf_fib_lookup way = {
      .family = AF_INET, .ifindex = frame->ifindex, .ipv4_src = source, .ipv4_dst = destination};
  return bpf_fib_lookup(frame, &way, sizeof(way), 0) == BPF_FIB_LKUP_RET_FWD_DISABLED;
}

SEC("tc")
int sekisho_guard(struct __sk_buff* frame) {
  // A tag of VID 0 is of no VLAN (IEEE 802.1Q, table 9-2). One in the frame the kernel has put beside it by now.
  if (frame->vlan_present && (frame->vlan_tci & 0x0fff) != 0)
    return drop(sekisho_ingress_other_protocol);
  if (frame->protocol == bpf_htons(ETH_P_ARP))
    return TC_ACT_UNSPEC;
  if (frame->protocol == bpf_htons(ETH_P_IPV6))
    return drop(sekisho_ingress_ipv6);
  if (frame->protocol != bpf_htons(ETH_P_IP))
    return drop(sekisho_ingress_other_protocol);

  struct iphdr ip;
  // Also where a driver has left the header in a fragment.
  if (bpf_skb_load_bytes_relative(frame, 0, &ip, sizeof(ip), BPF_HDR_START_NET) != 0)
    return drop(sekisho_ingress_short_header);
  if ((ip.daddr & bpf_htonl(0xf0000000)) == bpf_htonl(0xe0000000) || ip.daddr == 0xffffffff)
    return TC_ACT_UNSPEC;
  if (bpf_map_lookup_elem(&addresses, &ip.daddr))
    return TC_ACT_UNSPEC;
  if (may_be_new_address(frame, ip.saddr, ip.daddr))
    return TC_ACT_UNSPEC;
  return drop(sekisho_ingress_not_local);
}

char _license[] SEC("license") = "Dual BSD/GPL";
