// SPDX-License-Identifier: BSD-3-Clause
// The upper mark: forwarding by XDP with the kernel's own rules, routes, next-hop groups and neighbours (bpf_fib_lookup). It asks
// less than the two others: no filter, no counters by next hop, no ICMP errors. What it cannot forward is dropped.
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define AF_INET 2

struct count {
  __u64 packets;
  __u64 bytes;
};

// By interface where packets came in.
struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __type(key, __u32);
  __type(value, struct count);
  __uint(max_entries, 256);
} received SEC(".maps");

static __always_inline int is_martian(__be32 network_order) {
  __u32 address = bpf_ntohl(network_order);
  return address >> 24 == 0 || address >> 24 == 127 || address >> 16 == 0xa9fe || address >> 28 >= 0xe;
}

static __always_inline int has_good_checksum(const struct iphdr* ip) {
  const __u16* words = (const void*)ip;
  __u32 sum = 0;
#pragma unroll
  for (int i = 0; i < 10; ++i)
    sum += words[i];
  sum = (sum & 0xffff) + (sum >> 16);
  return (__u16)(sum + (sum >> 16)) == 0xffff;
}

SEC("xdp")
int fib_forward(struct xdp_md* frame) {
  struct ethhdr* ethernet = (void*)(long)frame->data;
  struct iphdr* ip = (void*)(ethernet + 1);
  void* end = (void*)(long)frame->data_end;
  if ((void*)(ethernet + 1) > end || ethernet->h_proto != bpf_htons(ETH_P_IP))
    return XDP_PASS;
  if ((void*)(ip + 1) > end || ip->version != 4 || ip->ihl != 5 || ip->ttl <= 1 || !has_good_checksum(ip) ||
      is_martian(ip->saddr) || is_martian(ip->daddr))
    return XDP_DROP;
  struct bpf_fib_lookup way = {
      .family = AF_INET,
      .l4_protocol = ip->protocol,
      .tot_len = bpf_ntohs(ip->tot_len),
      .ifindex = frame->ingress_ifindex,
      .tos = ip->tos,
      .ipv4_src = ip->saddr,
      .ipv4_dst = ip->daddr,
  };
  __be16* ports = (void*)(ip + 1);
  if ((void*)(ports + 2) <= end) {
    way.sport = ports[0];
    way.dport = ports[1];
  }
  if (bpf_fib_lookup(frame, &way, sizeof way, 0) != BPF_FIB_LKUP_RET_SUCCESS)
    return XDP_DROP;
  __u32 key = frame->ingress_ifindex;
  struct count* count = bpf_map_lookup_elem(&received, &key);
  if (count) {
    ++count->packets;
    count->bytes += (long)end - (long)ethernet;
  }
  // RFC 1624: a TTL that is one less makes the sum 0x0100 more.
  __u32 check = ip->check;
  check += bpf_htons(0x0100);
  ip->check = (__u16)(check + (check >= 0xffff));
  --ip->ttl;
  __builtin_memcpy(ethernet->h_dest, way.dmac, ETH_ALEN);
  __builtin_memcpy(ethernet->h_source, way.smac, ETH_ALEN);
  return bpf_redirect(way.ifindex, 0);
}

char _license[] SEC("license") = "Dual BSD/GPL";
