// SPDX-License-Identifier: BSD-3-Clause
#include "control/check/nics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "common/base/prefix.hpp"
#include "control/check/rules.hpp"
#include "control/formats/compression.hpp"
#include "control/formats/json.hpp"

namespace sekisho::check {
namespace {

using formats::Json;
using formats::Members;

auto string_of(const Members& members, std::string_view key) -> std::string {
  const auto* value = members.find(key);
  return value != nullptr && value->is_string() ? value->get<std::string>() : std::string{};
}

// The addresses of its ipConfigurations.
void add_addresses(const Members& nic, const std::filesystem::path& file, Nic& result) {
  const auto* list = nic.find("ipconfigurations");
  if (list == nullptr || !list->is_array())
    return;
  for (const auto& each : *list) {
    const auto members = Members::of(each, nic.where("ipconfigurations"), file, true);
    const auto address = members ? base::parse_address(string_of(*members, "privateipaddress"))
                                 : tl::expected<std::uint32_t, base::ParseError>{tl::unexpect, ""};
    if (address)
      result.addresses.push_back(*address);
  }
}

auto read_nic(const Json& value, const std::string& path, const std::filesystem::path& file)
    -> tl::expected<Nic, base::Error> {
  const auto members = Members::of(value, path, file, true);
  if (!members)
    return tl::unexpected(members.error());
  if (members->find("ipconfigurations") == nullptr)
    return members->refuse("ipconfigurations", "is no NIC: it has no ipConfigurations");
  const auto forwards = members->boolean("enableipforwarding", false);
  if (!forwards)
    return tl::unexpected(forwards.error());
  Nic result{.name = string_of(*members, "name"),
             .where = fmt::format("{}: {}", file.string(), path),
             .forwards = *forwards,
             .addresses = {}};
  add_addresses(*members, file, result);
  return result;
}

auto named(const Nic& nic) -> std::string {
  std::string addresses;
  for (const auto address : nic.addresses)
    addresses += (addresses.empty() ? " with " : ", ") + base::address_to_string(address);
  return fmt::format("NIC {}{}", nic.name, addresses);
}

auto find_not_forwarding(const Facts& facts) -> Offences {
  Offences result;
  for (const auto& nic : facts.nics)
    if (!nic.forwards)
      result.push_back({nic.where, fmt::format("{} has IP forwarding off", named(nic))});
  return result;
}

bool is_of_a_port(const Facts& facts, const Nic& nic) {
  return std::ranges::any_of(facts.addresses, [&](const auto& addresses) {
    return !addresses || std::ranges::any_of(*addresses, [&](const config::InterfaceAddress& own) {
      return std::ranges::find(nic.addresses, own.address) != nic.addresses.end();
    });
  });
}

auto find_of_no_port(const Facts& facts) -> Offences {
  Offences result;
  for (const auto& nic : facts.nics)
    if (!facts.addresses.empty() && !nic.addresses.empty() && !is_of_a_port(facts, nic))
      result.push_back({nic.where, fmt::format("{} is no port of the configuration", named(nic))});
  return result;
}

}  // namespace

auto read_nics(const std::filesystem::path& file) -> tl::expected<std::vector<Nic>, base::Error> {
  const auto text = formats::read_content(file, formats::max_json_bytes);
  if (!text)
    return tl::unexpected(text.error());
  const auto document = formats::parse_json(*text, file);
  if (!document)
    return tl::unexpected(document.error());
  const auto* listed = document->is_array() ? &*document : formats::find_member(*document, "value");
  std::vector<Nic> result;
  const auto add = [&](const Json& value, const std::string& path) -> tl::expected<void, base::Error> {
    auto nic = read_nic(value, path, file);
    if (!nic)
      return tl::unexpected(std::move(nic.error()));
    result.push_back(std::move(*nic));
    return {};
  };
  if (listed == nullptr || !listed->is_array()) {
    if (const auto added = add(*document, "$"); !added)
      return tl::unexpected(added.error());
    return result;
  }
  for (std::size_t i = 0; i < listed->size(); ++i)
    if (const auto added =
            add((*listed)[i], formats::element_path(document->is_array() ? "$" : "$.value", i));
        !added)
      return tl::unexpected(added.error());
  return result;
}

const Rule nic_not_forwarding{
    "nic-not-forwarding", Severity::error,
    "Azure drops what a NIC sends or receives for another address than its own unless IP forwarding is on: "
    "the "
    "appliance forwards nothing there.",
    "`az network nic update --ip-forwarding true`, of each of the appliance's NICs.", find_not_forwarding};

const Rule nic_of_no_port{
    "nic-of-no-port", Severity::note,
    "A NIC of the appliance's that the configuration has no port for forwards nothing; that "
    "is right for one of management.",
    "Nothing, if that is meant; else give it a port, or correct the address.", find_of_no_port};

}  // namespace sekisho::check
