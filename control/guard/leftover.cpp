// SPDX-License-Identifier: BSD-3-Clause
#include "control/guard/leftover.hpp"

#include <bpf/libbpf.h>
#include <fmt/format.h>

#include <cstring>

#include "common/xdp/program.hpp"
#include "control/guard/ingress.hpp"

namespace sekisho::guard {

auto remove_programs(const netlink::Mirror& mirror) -> tl::expected<Removed, std::string> {
  Removed removed;
  for (const auto& [index, link] : mirror.links) {
    const auto ingress = remove_ingress(index);
    if (!ingress) {
      return tl::unexpected(fmt::format("{}: {}", link.name, ingress.error()));
    }
    if (*ingress) {
      removed.ingress.push_back(link.name);
    }
    const auto program = xdp::attached_program(index);
    if (!program || !program->is_steering()) {
      continue;
    }
    if (xdp::living_owner(*program)) {
      removed.steered.push_back(link.name);
      continue;
    }
    if (const int error = bpf_xdp_detach(index, 0, nullptr); error < 0) {
      return tl::unexpected(
          fmt::format("{}: the steering program of a dataplane that is gone cannot be detached ({})",
                      link.name, std::strerror(-error)));
    }
    removed.steering.push_back(link.name);
  }
  return removed;
}

}  // namespace sekisho::guard
