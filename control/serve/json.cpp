// SPDX-License-Identifier: BSD-3-Clause
#include "control/serve/json.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/base/prefix.hpp"
#include "control/policy/policy.hpp"
#include "control/sync/transaction.hpp"

namespace sekisho::serve {

Json mac_json(std::span<const std::uint8_t> mac) {
  if (mac.size() != 6) {
    return nullptr;
  }
  return fmt::format("{:02x}:{:02x}:{:02x}:{:02x}:{:02x}:{:02x}", mac[0], mac[1], mac[2], mac[3], mac[4],
                     mac[5]);
}

Json mac_json(const std::string& bytes) {
  return mac_json(std::span{reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
}

Json counter_json(const ipc::Counter& counter) {
  return {{"packets", counter.packets()}, {"bytes", counter.bytes()}};
}

std::string policy_name(const std::string& next_hop_of_dataplane) {
  if (next_hop_of_dataplane == sync::drop_next_hop) {
    return std::string{policy::none};
  }
  return next_hop_of_dataplane == sync::exit_next_hop ? std::string{policy::leave} : next_hop_of_dataplane;
}

std::string prefix_text(const ipc::Prefix& prefix) {
  return fmt::format("{}/{}", base::address_to_string(prefix.address()), prefix.length());
}

auto string_member(const Json& request, std::string_view name)
    -> tl::expected<std::optional<std::string>, std::string> {
  const auto member = request.find(std::string{name});
  if (member == request.end() || member->is_null()) {
    return std::nullopt;
  }
  if (!member->is_string()) {
    return tl::unexpected{fmt::format("\"{}\" must be a string", name)};
  }
  return member->get<std::string>();
}

auto flag_member(const Json& request, std::string_view name) -> tl::expected<bool, std::string> {
  const auto member = request.find(std::string{name});
  if (member == request.end() || member->is_null()) {
    return false;
  }
  if (!member->is_boolean()) {
    return tl::unexpected{fmt::format("\"{}\" must be true or false", name)};
  }
  return member->get<bool>();
}

auto refuse_other_members(const Json& request, std::initializer_list<std::string_view> known)
    -> tl::expected<void, std::string> {
  for (const auto& [name, value] : request.items()) {
    if (name != "command" && std::ranges::find(known, name) == known.end()) {
      return tl::unexpected{fmt::format("there is no \"{}\" in this request", name)};
    }
  }
  return {};
}

}  // namespace sekisho::serve
