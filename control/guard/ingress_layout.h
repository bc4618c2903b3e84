// SPDX-License-Identifier: BSD-3-Clause
// What the tc ingress program (ingress.bpf.c) and its user-space side agree on.
#pragma once

#include <linux/types.h>

#define SEKISHO_INGRESS_MAX_ADDRESSES 4096

// Why a frame was dropped. The order is the map's.
#define SEKISHO_INGRESS_DROPS(DROP) \
  DROP(not_local)                   \
  DROP(ipv6)                        \
  DROP(other_protocol)              \
  DROP(short_header)

enum sekisho_ingress_drop {
#define DROP(name) sekisho_ingress_##name,
  SEKISHO_INGRESS_DROPS(DROP)
#undef DROP
      sekisho_ingress_drop_count
};

struct sekisho_ingress_state {
  // Nobody keeps the addresses yet (`sekisho guard on` before the network is there): a frame passes, too, where the kernel
  // forwards nothing from this interface. Who logs in at an address that DHCP gave meanwhile is not shut out.
  __u32 addresses_may_be_missing;
};
