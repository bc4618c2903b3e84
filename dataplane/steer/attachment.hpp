// SPDX-License-Identifier: BSD-3-Clause
// net_af_xdp attaches the steering program when it sets up its first queue and detaches it when it closes: between the two
// ports of a restart, and after a clean stop, the netdev would be bare. The PMD calls libbpf's bpf_xdp_attach() and
// bpf_xdp_detach(), and the dynamic linker finds ours first, which every program that links this room exports. For a netdev
// that is claimed, to attach is to ask who claimed it, and to detach is to leave everything as it is; for any other they are
// libbpf's own.
#pragma once

#include <cstdint>

namespace sekisho::steer {

class Attacher {
 public:
  virtual ~Attacher() = default;
  // Instead of the PMD's call. 0 or a negative errno.
  virtual int install(int program) noexcept = 0;
};

// Until it is released. One thread only: the one that opens ports.
void claim(int ifindex, Attacher& attacher);
void release(int ifindex, const Attacher& attacher) noexcept;

// libbpf's own. `replaced`: the program that must be attached now, by file descriptor; -1: none must be. 0 or a negative errno.
[[nodiscard]] int attach_in_place_of(int ifindex, int program, int replaced) noexcept;

}  // namespace sekisho::steer
