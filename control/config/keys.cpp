// SPDX-License-Identifier: BSD-3-Clause
#include "control/config/keys.hpp"

#include <algorithm>
#include <array>

namespace sekisho::config {
namespace {

constexpr std::array all{
    &keys::include,         &keys::port,     &keys::neighbour,      &keys::next_hop, &keys::member,
    &keys::probe,           &keys::internet, &keys::exit,           &keys::zone,     &keys::route,
    &keys::assertion,       &keys::azure,    &keys::azure_next_hop, &keys::bgp,      &keys::peer,
    &keys::advertised_file, &keys::metrics,  &keys::health,         &keys::web,      &keys::hook,
    &keys::guard,           &keys::icmp,     &keys::ip_options,
};

}  // namespace

std::string_view to_string(KeyType type) noexcept {
  switch (type) {
    case KeyType::string:
      return "string";
    case KeyType::string_or_false:
      return "string or false";
    case KeyType::integer:
      return "integer";
    case KeyType::auto_or_integer:
      return "\"auto\" or integer";
    case KeyType::boolean:
      return "boolean";
    case KeyType::time:
      return "time";
    case KeyType::strings:
      return "list of strings";
    case KeyType::string_or_strings:
      return "string or list of strings";
    case KeyType::table:
      return "table";
    case KeyType::tables:
      return "list of tables";
    case KeyType::strings_and_tables:
      break;
  }
  return "list of strings and tables";
}

const Key* KeyTable::find(std::string_view key) const noexcept {
  const auto found = std::ranges::find(keys, key, &Key::name);
  return found == keys.end() ? nullptr : &*found;
}

std::span<const KeyTable* const> key_tables() noexcept {
  return all;
}

}  // namespace sekisho::config
