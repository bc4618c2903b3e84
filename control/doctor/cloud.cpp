// SPDX-License-Identifier: BSD-3-Clause
#include "control/doctor/cloud.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <utility>

namespace sekisho::doctor {
namespace {

using Json = nlohmann::json;

auto without_newline(const std::filesystem::path& file) -> std::string {
  std::string line;
  std::getline(std::ifstream{file}, line);
  return line;
}

// What does not look like it should is left out: half of what a server says is better than nothing.
void add_address(CloudNic& nic, const std::string& text) {
  if (const auto address = base::parse_address(text)) {
    nic.addresses.push_back(*address);
  }
}

void add_public(CloudNic& nic, const std::string& text) {
  if (base::parse_address(text)) {
    nic.public_addresses.push_back(text);
  }
}

void add_nic(CloudMachine& machine, std::string_view mac, CloudNic nic) {
  if (const auto parsed = base::parse_mac(mac)) {
    nic.mac = *parsed;
    std::ranges::sort(nic.addresses);
    machine.nics.push_back(std::move(nic));
  }
}

// "000D3AF806EC"
auto with_colons(std::string_view mac) -> std::string {
  std::string result;
  for (std::size_t i = 0; i < mac.size(); ++i) {
    if (i != 0 && i % 2 == 0) {
      result += ':';
    }
    result += mac[i];
  }
  return result;
}

// "projects/123/zones/europe-west4-a"
auto last_part(const std::string& path) -> std::string {
  return path.substr(path.rfind('/') + 1);
}

// Names go to a terminal, and into a command that is printed.
auto plain(std::string text) -> std::string {
  std::erase_if(text, [](char c) {
    const bool is_word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    return !is_word && std::string_view{"-_.()"}.find(c) == std::string_view::npos;
  });
  return text;
}

template <typename Read>
auto read_json(std::string_view text, Read read) -> tl::expected<CloudMachine, std::string> {
  try {
    return read(Json::parse(text));
  } catch (const Json::exception& error) {
    return tl::unexpected(fmt::format("an answer that this version does not understand ({})", error.what()));
  }
}

auto ask_azure(const Metadata& metadata) {
  return metadata.get("/metadata/instance?api-version=2021-02-01", {{"Metadata", "true"}})
      .and_then([](const std::string& body) { return read_azure(body); });
}

auto ask_google(const Metadata& metadata) {
  return metadata.get("/computeMetadata/v1/instance/?recursive=true", {{"Metadata-Flavor", "Google"}})
      .and_then([](const std::string& body) { return read_google(body); });
}

// A path a value, and a token before them (IMDSv2), which every instance takes and some require.
auto ask_aws(const Metadata& metadata) -> tl::expected<CloudMachine, std::string> {
  const auto token = metadata.put("/latest/api/token", {{"X-aws-ec2-metadata-token-ttl-seconds", "60"}});
  if (!token) {
    return tl::unexpected(token.error());
  }
  const auto get = [&](const std::string& path) {
    return metadata.get("/latest/meta-data/" + path, {{"X-aws-ec2-metadata-token", *token}});
  };
  const auto listed = get("network/interfaces/macs/");
  if (!listed) {
    return tl::unexpected(listed.error());
  }
  CloudMachine machine{.name = plain(get("instance-id").value_or("")),
                       .size = plain(get("instance-type").value_or("")),
                       .place = plain(get("placement/region").value_or("")),
                       .group = {},
                       .nics = {}};
  std::istringstream macs{*listed};
  for (std::string mac; macs >> mac;) {
    if (mac.ends_with('/')) {
      mac.pop_back();
    }
    const auto of_nic = [&](const char* what) {
      return std::istringstream{get(fmt::format("network/interfaces/macs/{}/{}", mac, what)).value_or("")};
    };
    CloudNic nic;
    std::string word;
    for (auto words = of_nic("local-ipv4s"); words >> word;) {
      add_address(nic, word);
    }
    for (auto words = of_nic("public-ipv4s"); words >> word;) {
      add_public(nic, word);
    }
    if (auto words = of_nic("subnet-ipv4-cidr-block"); words >> word) {
      const auto subnet = base::parse_prefix(word);
      nic.subnet = subnet ? std::optional{*subnet} : std::nullopt;
    }
    if (auto words = of_nic("interface-id"); words >> word) {
      nic.id = plain(word);
    }
    add_nic(machine, mac, std::move(nic));
  }
  return machine;
}

}  // namespace

std::string_view to_string(CloudKind kind) noexcept {
  switch (kind) {
    case CloudKind::azure:
      return "Azure";
    case CloudKind::aws:
      return "AWS";
    case CloudKind::google:
      return "Google Cloud";
  }
  return "";
}

// Azure's tag is that of every machine there, and of no other Hyper-V host's.
auto find_cloud(const std::filesystem::path& sysfs) -> std::optional<CloudKind> {
  const auto firmware = sysfs / "class/dmi/id";
  if (without_newline(firmware / "chassis_asset_tag") == "7783-7084-3265-9085-8269-3286-77") {
    return CloudKind::azure;
  }
  if (without_newline(firmware / "sys_vendor") == "Amazon EC2") {
    return CloudKind::aws;
  }
  if (without_newline(firmware / "product_name") == "Google Compute Engine") {
    return CloudKind::google;
  }
  return std::nullopt;
}

auto ask_cloud(CloudKind kind, const Metadata& metadata) -> Cloud {
  switch (kind) {
    case CloudKind::azure:
      return {kind, ask_azure(metadata)};
    case CloudKind::aws:
      return {kind, ask_aws(metadata)};
    case CloudKind::google:
      return {kind, ask_google(metadata)};
  }
  return {kind, tl::unexpected(std::string{})};
}

auto read_azure(std::string_view json) -> tl::expected<CloudMachine, std::string> {
  return read_json(json, [](const Json& root) {
    const auto& compute = root.at("compute");
    CloudMachine machine{.name = plain(compute.value("name", "")),
                         .size = plain(compute.value("vmSize", "")),
                         .place = plain(compute.value("location", "")),
                         .group = plain(compute.value("resourceGroupName", "")),
                         .nics = {}};
    for (const auto& interface : root.at("network").at("interface")) {
      const auto& ipv4 = interface.at("ipv4");
      CloudNic nic;
      for (const auto& address : ipv4.at("ipAddress")) {
        add_address(nic, address.value("privateIpAddress", ""));
        add_public(nic, address.value("publicIpAddress", ""));
      }
      for (const auto& subnet : ipv4.at("subnet")) {
        const auto text = fmt::format("{}/{}", subnet.value("address", ""), subnet.value("prefix", ""));
        const auto prefix = base::parse_prefix(text);
        nic.subnet = prefix ? std::optional{*prefix} : nic.subnet;
      }
      add_nic(machine, with_colons(interface.value("macAddress", "")), std::move(nic));
    }
    return machine;
  });
}

auto read_google(std::string_view json) -> tl::expected<CloudMachine, std::string> {
  return read_json(json, [](const Json& root) {
    CloudMachine machine{.name = plain(root.value("name", "")),
                         .size = plain(last_part(root.value("machineType", ""))),
                         .place = plain(last_part(root.value("zone", ""))),
                         .group = {},
                         .nics = {}};
    for (const auto& interface : root.at("networkInterfaces")) {
      CloudNic nic;
      const auto text = interface.value("ip", "");
      add_address(nic, text);
      const auto address = base::parse_address(text);
      const auto mask = base::parse_address(interface.value("subnetmask", ""));
      if (address && mask) {
        const auto length = static_cast<std::uint8_t>(std::popcount(*mask));
        nic.subnet = base::Prefix{*address & *mask, length};
      }
      for (const auto& access : interface.value("accessConfigs", Json::array())) {
        add_public(nic, access.value("externalIp", ""));
      }
      add_nic(machine, interface.value("mac", ""), std::move(nic));
    }
    return machine;
  });
}

}  // namespace sekisho::doctor
