// SPDX-License-Identifier: BSD-3-Clause
// Which frames of a netdev belong to the kernel and which to the dataplane.
//
//   kernel      ARP; IPv4 to 255.255.255.255 or 224/4 (DHCP, IGMP, VRRP), and to a local address (unicast or subnet broadcast)
//               from a source that this interface may carry
//   dataplane   all other IPv4, by the AF_XDP socket of the receive queue
//   nobody      IPv6 and every other EtherType; VLAN tags of any VID but 0; IPv4 from a group's or the interface's own MAC address;
//               to a local address from any other source; all other IPv4 until `ready` is set or while the
//               queue has no socket
//
// A tag of VID 0 is of no VLAN: it is taken off, and the frame belongs to whom it belongs without it.
//
// Nothing that the kernel could forward past the firewall is ever passed up because of a doubt: an IPv4 frame that is too
// short for a header has no destination that could be local, so it goes to the dataplane, which drops and counts it by
// name, and so do wrong versions and header lengths. Only a frame too short for an Ethernet header is dropped here.
//
// When the dataplane dies or stops this program stays attached. Its sockets are gone then and the redirect falls back to DROP.
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "common/xdp/layout.h"

// The PMD finds this map by its name and puts its sockets in.
struct {
  __uint(type, BPF_MAP_TYPE_XSKMAP);
  __type(key, __u32);
  __type(value, __u32);
  __uint(max_entries, 256);
} xsks_map SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __type(key, __u32);
  __type(value, struct sekisho_steer_state);
  __uint(max_entries, 1);
} state SEC(".maps");

// In network byte order, as on the wire.
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __type(key, __be32);
  __type(value, __u8);
  __uint(max_entries, SEKISHO_STEER_MAX_LOCAL);
} local_addresses SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __type(key, __u32);
  __type(value, __u64);
  __uint(max_entries, sekisho_steer_verdict_count);
} verdicts SEC(".maps");

// sekisho_steer_source_verdict by prefix; the longest decides.
struct {
  __uint(type, BPF_MAP_TYPE_LPM_TRIE);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, struct sekisho_steer_source);
  __type(value, __u8);
  __uint(max_entries, SEKISHO_STEER_MAX_SOURCES);
} host_sources SEC(".maps");

static __always_inline int verdict(enum sekisho_steer_verdict reason, int action) {
  __u32 key = reason;
  __u64* count = bpf_map_lookup_elem(&verdicts, &key);
  if (count)
    ++*count;
  return action;
}

// What the dataplane does itself on ports that it owns (decide/verdict.hpp).
static __always_inline int give_to_kernel(__be32 source) {
  struct sekisho_steer_source key = {.length = 32, .address = source};
  __u8* known = bpf_map_lookup_elem(&host_sources, &key);
  if (!known)
    return verdict(sekisho_steer_dropped_unknown_source, XDP_DROP);
  if (*known == sekisho_steer_spoofed)
    return verdict(sekisho_steer_dropped_spoofed_source, XDP_DROP);
  if (*known != sekisho_steer_allowed)
    return verdict(sekisho_steer_dropped_martian_source, XDP_DROP);
  return verdict(sekisho_steer_passed_local, XDP_PASS);
}

static __always_inline int is_vlan_tag(__be16 type) {
  return type == bpf_htons(ETH_P_8021Q) || type == bpf_htons(ETH_P_8021AD);
}

// IEEE 802.1Q, table 9-2, of VID 0: "Indicates that the tag header contains only priority information; no VID is present in the
// frame." Whether the frame's tag was of that kind and is gone; what pointed into the frame points nowhere then.
static __always_inline int remove_priority_tag(struct xdp_md* frame) {
  char* data = (void*)(long)frame->data;
  struct {
    struct ethhdr ethernet;
    __be16 control;
    __be16 type;
  }* tagged = (void*)data;
  if ((void*)(tagged + 1) > (void*)(long)frame->data_end || (tagged->control & bpf_htons(0x0fff)) != 0)
    return 0;
  struct ethhdr untagged = tagged->ethernet;
  untagged.h_proto = tagged->type;
  __builtin_memcpy(data + sizeof(*tagged) - sizeof(untagged), &untagged, sizeof(untagged));
  return bpf_xdp_adjust_head(frame, sizeof(*tagged) - sizeof(untagged)) == 0;
}

SEC("xdp")
int sekisho_steer(struct xdp_md* frame) {
  void* data = (void*)(long)frame->data;
  void* end = (void*)(long)frame->data_end;

  struct ethhdr* ethernet = data;
  if ((void*)(ethernet + 1) > end)
    return verdict(sekisho_steer_dropped_short, XDP_DROP);
  if (is_vlan_tag(ethernet->h_proto)) {
    if (!remove_priority_tag(frame))
      return verdict(sekisho_steer_dropped_vlan_tagged, XDP_DROP);
    ethernet = (void*)(long)frame->data;
    end = (void*)(long)frame->data_end;
    if ((void*)(ethernet + 1) > end || is_vlan_tag(ethernet->h_proto))
      return verdict(sekisho_steer_dropped_vlan_tagged, XDP_DROP);
  }
  if (ethernet->h_proto == bpf_htons(ETH_P_ARP))
    return verdict(sekisho_steer_passed_arp, XDP_PASS);
  if (ethernet->h_proto == bpf_htons(ETH_P_IPV6))
    return verdict(sekisho_steer_dropped_ipv6, XDP_DROP);
  if (ethernet->h_proto != bpf_htons(ETH_P_IP))
    return verdict(sekisho_steer_dropped_other, XDP_DROP);

  __u32 zero = 0;
  struct sekisho_steer_state* now = bpf_map_lookup_elem(&state, &zero);
  if (!now)
    return verdict(sekisho_steer_dropped_not_ready, XDP_DROP);
  __u64 sender = 0;
  __builtin_memcpy(&sender, ethernet->h_source, sizeof ethernet->h_source);
  if ((sender & 1) || sender == now->station)
    return verdict(sekisho_steer_dropped_bad_sender, XDP_DROP);

  struct iphdr* ip = (void*)(ethernet + 1);
  if ((void*)(ip + 1) <= end) {
    __be32 destination = ip->daddr;
    // 224/4, and 255.255.255.255 of class E; the rest of class E is a martian for the dataplane to count.
    if ((destination & bpf_htonl(0xf0000000)) == bpf_htonl(0xe0000000) || destination == 0xffffffff)
      return verdict(sekisho_steer_passed_broadcast, XDP_PASS);
    if (bpf_map_lookup_elem(&local_addresses, &destination))
      return give_to_kernel(ip->saddr);
  }

  if (!now->ready)
    return verdict(sekisho_steer_dropped_not_ready, XDP_DROP);
  if (bpf_redirect_map(&xsks_map, frame->rx_queue_index, XDP_DROP) != XDP_REDIRECT)
    return verdict(sekisho_steer_dropped_no_socket, XDP_DROP);
  return verdict(sekisho_steer_redirected, XDP_REDIRECT);
}

char _license[] SEC("license") = "Dual BSD/GPL";
