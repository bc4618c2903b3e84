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

struct CloudNic {
  base::MacAddress mac{};
  std::vector<std::uint32_t> addresses;  // private ones
  std::optional<base::Prefix> subnet;
  std::vector<std::string> public_addresses;
  std::string id;  // by which the cloud's own commands know it; empty: by none

  friend bool operator==(const CloudNic&, const CloudNic&) = default;
};

struct CloudMachine {
  std::string name;
  std::string size;
  std::string place;  // region or zone
  std::string group;  // Azure's resource group
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
[[nodiscard]] auto read_google(std::string_view json) -> tl::expected<CloudMachine, std::string>;

}  // namespace sekisho::doctor
