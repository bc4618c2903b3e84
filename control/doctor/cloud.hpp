// SPDX-License-Identifier: BSD-3-Clause
// In which cloud this machine is, and what the cloud's metadata server says of its NICs.
//
// None of the three tells whether its fabric lets a NIC send what is not from the NIC's own address (Azure's IP forwarding, AWS's
// source/destination check, Google's canIpForward), nor has any of them route tables there: `check_cloud` says so, and who knows.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "common/base/mac_address.hpp"
#include "common/base/prefix.hpp"
#include "control/doctor/metadata.hpp"

namespace sekisho::doctor {

enum class CloudKind : std::uint8_t { azure, aws, google };
[[nodiscard]] std::string_view to_string(CloudKind kind) noexcept;

// As far as it may go to a terminal, and into a command that is printed; empty: not told.
struct CloudName {
  std::string text;
  bool whole = true;  // nothing of it is left out: a command may have it

  friend bool operator==(const CloudName&, const CloudName&) = default;
};

struct CloudNic {
  base::MacAddress mac{};
  std::vector<std::uint32_t> addresses;  // private ones
  std::vector<base::Prefix> forwarded;   // delivered, too: Google's aliases, and its balancers' frontends
  std::optional<base::Prefix> subnet;
  // None: not told, which is not that there are none. Azure's server tells of those of the Basic SKU alone, and of none that a
  // load balancer or a NAT gateway has for it.
  std::optional<std::vector<std::string>> public_addresses;
  CloudName id;  // by which the cloud's own commands know it

  friend bool operator==(const CloudNic&, const CloudNic&) = default;
};

struct CloudMachine {
  CloudName name;
  CloudName size;
  CloudName place;  // region or zone
  CloudName group;  // Azure's resource group
  std::vector<CloudNic> nics;

  friend bool operator==(const CloudMachine&, const CloudMachine&) = default;
};

struct Cloud {
  CloudKind kind = CloudKind::azure;
  tl::expected<CloudMachine, std::string> machine;
};

// By what the firmware says; nothing: none of the three. `sysfs` is "/sys".
[[nodiscard]] auto find_cloud(const std::filesystem::path& sysfs = "/sys") -> std::optional<CloudKind>;
[[nodiscard]] auto ask_cloud(CloudKind kind, const Metadata& metadata) -> Cloud;

// What the servers answer, as values. Errors are half a sentence.
[[nodiscard]] auto read_azure(std::string_view json) -> tl::expected<CloudMachine, std::string>;
[[nodiscard]] auto read_google_nics(std::string_view json)
    -> tl::expected<std::vector<CloudNic>, std::string>;

}  // namespace sekisho::doctor
