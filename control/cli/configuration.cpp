// SPDX-License-Identifier: BSD-3-Clause
#include "control/cli/configuration.hpp"

#include <utility>

#include "control/netlink/interface_addresses.hpp"

namespace sekisho::cli {

auto read_configuration(const std::filesystem::path& file) -> tl::expected<ReadConfiguration, std::string> {
  const auto mirror = netlink::snapshot();
  auto policy = policy::read(file, mirror ? netlink::addresses_by(*mirror) : policy::InterfaceAddresses{});
  if (!policy) {
    return tl::unexpected{policy.error().to_string()};
  }
  return ReadConfiguration{*std::move(policy), mirror ? std::optional{*mirror} : std::nullopt};
}

}  // namespace sekisho::cli
