// SPDX-License-Identifier: BSD-3-Clause
// What next hops are on this appliance, however a file writes them: names of the configuration, "None", "Internet".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "control/config/config.hpp"
#include "control/formats/route_file.hpp"
#include "control/policy/policy.hpp"
#include "control/route/route_table.hpp"

namespace sekisho::policy {

struct NextHop {
  route::NameId name = 0;
  route::NextHopType type = route::NextHopType::named;  // as it was written
};

class NextHops {
 public:
  // What they are given lives as long as they do.
  NextHops(const config::Config& config, route::Names& names, const InterfaceAddresses& addresses)
      : config_(config), names_(names), addresses_(addresses) {}

  // As the configuration names it: a next hop of its own, "None" or "Internet".
  [[nodiscard]] auto named(const std::string& name) -> NextHop;
  // Errors are half a sentence. `otherwise`: what is no next hop here is the one of this name; empty: it is an error.
  [[nodiscard]] auto resolve(const formats::NextHop& written, const std::string& otherwise = {})
      -> tl::expected<NextHop, std::string>;
  // Which of the addresses may be this appliance's own though none is known to be: it is no next hop's, and there are
  // interfaces whose addresses are not known here.
  [[nodiscard]] auto possibly_own(const std::vector<std::uint32_t>& addresses)
      -> std::optional<std::uint32_t>;
  [[nodiscard]] auto unknown_interfaces() const -> const std::string& { return unknown_interfaces_; }
  [[nodiscard]] bool is_bound(route::NextHopType type) const {
    return config_.azure.next_hops.contains(type);
  }

 private:
  [[nodiscard]] auto resolve_name(const std::string& name) -> tl::expected<NextHop, std::string>;
  [[nodiscard]] auto resolve_members(const formats::NextHop& written, const std::string& otherwise)
      -> tl::expected<NextHop, std::string>;
  [[nodiscard]] auto resolve_type(route::NextHopType type, const std::string& otherwise)
      -> tl::expected<NextHop, std::string>;
  // The address, among these, that is this appliance's or its load balancer's.
  [[nodiscard]] auto own(const std::vector<std::uint32_t>& addresses) -> std::optional<std::uint32_t>;
  void ask_for_own_addresses();

  const config::Config& config_;
  route::Names& names_;
  const InterfaceAddresses& addresses_;
  std::optional<std::vector<std::uint32_t>> own_addresses_;  // once somebody asked
  std::string unknown_interfaces_;                           // "lan0, egress0"
};

}  // namespace sekisho::policy
