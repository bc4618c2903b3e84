// SPDX-License-Identifier: BSD-3-Clause
// The generator's two ends. `traffic_send` runs for each frame of BPF_PROG_TEST_RUN with live frames: it writes the next flow's frame and
// has the kernel send it by `target` as a driver's frame, in a page that has room in front. So the engine's interface meets
// what a NIC's driver would bring, not a socket buffer that XDP would have to copy first. `traffic_sink` counts and drops.
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "bench/kernel/traffic.h"

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __type(key, __u32);
  __type(value, struct traffic_frame);
  __uint(max_entries, TRAFFIC_FLOWS);
} flows SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __type(key, __u32);
  __type(value, __u64);
  __uint(max_entries, traffic_counts);
} arrived SEC(".maps");

// One thread sends.
struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __type(key, __u32);
  __type(value, __u32);
  __uint(max_entries, 2);
} state SEC(".maps");  // the interface to send by; the next flow

SEC("xdp")
int traffic_send(struct xdp_md* frame) {
  char* data = (void*)(long)frame->data;
  if (data + TRAFFIC_FRAME > (char*)(long)frame->data_end)
    return XDP_ABORTED;
  __u32 key = 1;
  __u32* next = bpf_map_lookup_elem(&state, &key);
  key = 0;
  __u32* target = bpf_map_lookup_elem(&state, &key);
  if (!next || !target)
    return XDP_ABORTED;
  key = (*next)++ % TRAFFIC_FLOWS;
  struct traffic_frame* flow = bpf_map_lookup_elem(&flows, &key);
  if (!flow)
    return XDP_ABORTED;
  // The frame was another packet's, and whoever forwarded that wrote into it.
  __builtin_memcpy(data, flow->bytes, 44);
  return bpf_redirect(*target, 0);
}

SEC("xdp")
int traffic_sink(struct xdp_md* frame) {
  struct ethhdr* ethernet = (void*)(long)frame->data;
  struct iphdr* ip = (void*)(ethernet + 1);
  if ((void*)(ip + 1) > (void*)(long)frame->data_end || ethernet->h_proto != bpf_htons(ETH_P_IP))
    return XDP_PASS;  // ARP
  __u32 key = ip->ttl == 63 ? ethernet->h_dest[5] : traffic_untouched;
  __u64* count = bpf_map_lookup_elem(&arrived, &key);
  if (count)
    ++*count;
  return XDP_DROP;
}

char _license[] SEC("license") = "Dual BSD/GPL";
