// SPDX-License-Identifier: BSD-3-Clause
#include "control/formats/arm_networks.hpp"

#include <cstdint>
#include <string>

#include "common/base/prefix.hpp"

namespace sekisho::formats {
namespace {

using Answer = std::optional<Json>;
using Arguments = std::span<const Json>;

auto network_of(const Json& value) -> std::optional<base::Prefix> {
  const auto prefix = value.is_string() ? base::parse_prefix(value.get_ref<const std::string&>())
                                        : tl::expected<base::Prefix, base::ParseError>{tl::unexpect, ""};
  return prefix ? std::optional{*prefix} : std::nullopt;
}

// Up to and without `end`.
auto index_of(const Json& value, std::uint64_t end) -> std::optional<std::uint64_t> {
  if (!value.is_number_integer() || (!value.is_number_unsigned() && value.get<std::int64_t>() < 0) ||
      value.get<std::uint64_t>() >= end)
    return std::nullopt;
  return value.get<std::uint64_t>();
}

// What a network without room for hosts, its own and the broadcast address has, no page says.
constexpr std::uint8_t longest_of_hosts = 30;

}  // namespace

auto cidr_host(Arguments of) -> Answer {
  const auto network = network_of(of[0]);
  if (!network || network->length > longest_of_hosts)
    return std::nullopt;
  const auto index = index_of(of[1], network->last() - network->address - 1);
  if (!index)
    return std::nullopt;
  return base::address_to_string(network->address + 1 + static_cast<std::uint32_t>(*index));
}

auto cidr_subnet(Arguments of) -> Answer {
  const auto network = network_of(of[0]);
  const auto length = index_of(of[1], 33);
  if (!network || !length || *length < network->length)
    return std::nullopt;
  const auto index = index_of(of[2], std::uint64_t{1} << (*length - network->length));
  if (!index)
    return std::nullopt;
  const auto address = network->address + (*index << (32 - *length));
  return base::to_string({static_cast<std::uint32_t>(address), static_cast<std::uint8_t>(*length)});
}

auto parse_cidr(Arguments of) -> Answer {
  const auto network = network_of(of[0]);
  if (!network || network->length > longest_of_hosts)
    return std::nullopt;
  return Json{{"network", base::address_to_string(network->address)},
              {"netmask", base::address_to_string(network->mask())},
              {"broadcast", base::address_to_string(network->last())},
              {"firstUsable", base::address_to_string(network->address + 1)},
              {"lastUsable", base::address_to_string(network->last() - 1)},
              {"cidr", network->length}};
}

}  // namespace sekisho::formats
