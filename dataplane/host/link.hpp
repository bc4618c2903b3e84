// SPDX-License-Identifier: BSD-3-Clause
// The little that rtnetlink has to say about a TUN or TAP device: whose it is.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

namespace sekisho::host {

struct Link {
  int index = 0;
  std::string name;
  std::string alias;  // `ip link` shows it; the only mark on a netdev that is free to use
  std::string kind;   // "tun" for both; empty: a device that is not virtual
  int tun_type = 0;   // IFF_TUN or IFF_TAP
};

// Empty: there is none of that name in this network namespace.
[[nodiscard]] auto find_link(const std::string& name) -> tl::expected<std::optional<Link>, std::string>;
[[nodiscard]] auto links_with_alias(std::string_view prefix) -> tl::expected<std::vector<Link>, std::string>;
[[nodiscard]] auto set_alias(const std::string& name, const std::string& alias)
    -> tl::expected<void, std::string>;

}  // namespace sekisho::host
