// SPDX-License-Identifier: BSD-3-Clause
// What the generator's program and the kernel's side of it share.
#pragma once

#define TRAFFIC_FLOWS 4096
#define TRAFFIC_FRAME 60  // bytes; 64 with the checksum that no veth carries

struct traffic_frame {
  unsigned char bytes[64];
};

// What the sink counts by: the last byte of the station that a frame went to, if it was forwarded (TTL 63).
enum { traffic_stations = 256, traffic_untouched = traffic_stations, traffic_counts };
