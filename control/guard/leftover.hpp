// SPDX-License-Identifier: BSD-3-Clause
// Taking away what would outlive us on an interface: for `sekisho guard off`.
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "control/netlink/mirror.hpp"

namespace sekisho::guard {

struct Removed {
  std::vector<std::string> ingress;   // interfaces that had our tc program
  std::vector<std::string> steering;  // and our XDP program, of a dataplane that is not alive
  std::vector<std::string> steered;   // where a living dataplane keeps it
};

// From every interface of the mirror. The first error ends it.
[[nodiscard]] auto remove_programs(const netlink::Mirror& mirror) -> tl::expected<Removed, std::string>;

}  // namespace sekisho::guard
