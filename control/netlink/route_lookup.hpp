// SPDX-License-Identifier: BSD-3-Clause
// By which of its routes the kernel would send to an address, asked once, in the network namespace of the caller.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <tl/expected.hpp>

#include "common/base/prefix.hpp"

namespace sekisho::netlink {

struct RouteTo {
  base::Prefix prefix;
  std::uint32_t gateway = 0;  // 0: the address is on a link
};

// nullopt: by none. The error is one sentence.
[[nodiscard]] auto route_to(std::uint32_t address) -> tl::expected<std::optional<RouteTo>, std::string>;
// Whether it is the default.
[[nodiscard]] bool is_reached_by_default(std::uint32_t address);

}  // namespace sekisho::netlink
