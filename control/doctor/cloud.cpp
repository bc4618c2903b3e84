// SPDX-License-Identifier: BSD-3-Clause
#include "control/doctor/cloud.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <sstream>
#include <type_traits>
#include <utility>

namespace sekisho::doctor {
namespace {

using Json = nlohmann::json;
using Words = std::vector<std::string>;

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
    nic.public_addresses = nic.public_addresses.value_or(Words{});
    nic.public_addresses->push_back(text);
  }
}

// "10.0.1.100" or "10.4.0.0/28"
void add_forwarded(CloudNic& nic, const std::string& text) {
  const auto prefix = base::parse_prefix(text.find('/') == std::string::npos ? text + "/32" : text);
  if (prefix) {
    nic.forwarded.push_back(*prefix);
  }
}

void add_nic(std::vector<CloudNic>& nics, std::string_view mac, CloudNic nic) {
  if (const auto parsed = base::parse_mac(mac)) {
    nic.mac = *parsed;
    std::ranges::sort(nic.addresses);
    nics.push_back(std::move(nic));
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

auto plain(std::string text) -> CloudName {
  const auto left_out = std::erase_if(text, [](char c) {
    const bool is_word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    return !is_word && std::string_view{"-_.()"}.find(c) == std::string_view::npos;
  });
  return {std::move(text), left_out == 0};
}

template <typename Read>
auto read_json(std::string_view text, Read read)
    -> tl::expected<std::invoke_result_t<Read, const Json&>, std::string> {
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

// Not all of the instance at once: its attributes are scripts, keys and passwords, and as long as somebody made them.
auto ask_google(const Metadata& metadata) -> tl::expected<CloudMachine, std::string> {
  const auto get = [&](const char* path) {
    return metadata.get(fmt::format("/computeMetadata/v1/instance/{}", path),
                        {{"Metadata-Flavor", "Google"}});
  };
  auto nics = get("network-interfaces/?recursive=true").and_then(read_google_nics);
  if (!nics) {
    return tl::unexpected(std::move(nics.error()));
  }
  const auto named = [&](const char* path) { return plain(last_part(get(path).value_or(""))); };
  return CloudMachine{.name = named("name"),
                      .size = named("machine-type"),
                      .place = named("zone"),
                      .group = {},
                      .nics = std::move(*nics)};
}

// None where the server says that there is no such value; the error: it does not say.
auto aws_words(const Metadata& metadata, const std::string& token, const std::string& path)
    -> tl::expected<Words, std::string> {
  return metadata.find("/latest/meta-data/" + path, {{"X-aws-ec2-metadata-token", token}})
      .map([](const std::optional<std::string>& body) {
        std::istringstream stream{body.value_or("")};
        return Words{std::istream_iterator<std::string>{stream}, {}};
      });
}

// What a NIC's addresses are is what all else is held to: without them there is no answer. Of the rest, what fails is not told.
auto ask_aws_nic(const Metadata& metadata, const std::string& token, const std::string& mac)
    -> tl::expected<CloudNic, std::string> {
  const auto words = [&](const char* what) {
    return aws_words(metadata, token, fmt::format("network/interfaces/macs/{}/{}", mac, what));
  };
  const auto addresses = words("local-ipv4s");
  if (!addresses) {
    return tl::unexpected(fmt::format("{} for the addresses of {}", addresses.error(), mac));
  }
  CloudNic nic;
  for (const auto& word : *addresses) {
    add_address(nic, word);
  }
  if (const auto publics = words("public-ipv4s")) {
    nic.public_addresses = Words{};
    for (const auto& word : *publics) {
      add_public(nic, word);
    }
  }
  if (const auto subnet = words("subnet-ipv4-cidr-block"); subnet && !subnet->empty()) {
    const auto prefix = base::parse_prefix(subnet->front());
    nic.subnet = prefix ? std::optional{*prefix} : std::nullopt;
  }
  if (const auto id = words("interface-id"); id && !id->empty()) {
    nic.id = plain(id->front());
  }
  return nic;
}

// A path a value, and a token before them (IMDSv2), which every instance takes and some require.
auto ask_aws(const Metadata& metadata) -> tl::expected<CloudMachine, std::string> {
  const auto token = metadata.put("/latest/api/token", {{"X-aws-ec2-metadata-token-ttl-seconds", "60"}});
  if (!token) {
    return tl::unexpected(token.error());
  }
  const auto macs =
      metadata.get("/latest/meta-data/network/interfaces/macs/", {{"X-aws-ec2-metadata-token", *token}});
  if (!macs) {
    return tl::unexpected(macs.error());
  }
  CloudMachine machine;
  std::istringstream listed{*macs};
  for (std::string mac; listed >> mac;) {
    if (mac.ends_with('/')) {
      mac.pop_back();
    }
    if (!base::parse_mac(mac)) {
      continue;
    }
    auto nic = ask_aws_nic(metadata, *token, mac);
    if (!nic) {
      return tl::unexpected(std::move(nic.error()));
    }
    add_nic(machine.nics, mac, std::move(*nic));
  }
  const auto named = [&](const char* path) {
    const auto words = aws_words(metadata, *token, path).value_or(Words{});
    return words.empty() ? CloudName{} : plain(words.front());
  };
  machine.name = named("instance-id");
  machine.size = named("instance-type");
  machine.place = named("placement/region");
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
      add_nic(machine.nics, with_colons(interface.value("macAddress", "")), std::move(nic));
    }
    return machine;
  });
}

auto read_google_nics(std::string_view json) -> tl::expected<std::vector<CloudNic>, std::string> {
  return read_json(json, [](const Json& root) {
    std::vector<CloudNic> nics;
    for (const auto& interface : root.get_ref<const Json::array_t&>()) {
      CloudNic nic;
      const auto text = interface.value("ip", "");
      add_address(nic, text);
      const auto address = base::parse_address(text);
      const auto mask = base::parse_address(interface.value("subnetmask", ""));
      if (address && mask) {
        const auto length = static_cast<std::uint8_t>(std::popcount(*mask));
        nic.subnet = base::Prefix{*address & *mask, length};
      }
      for (const auto* key : {"forwardedIps", "ipAliases", "targetInstanceIps"}) {
        for (const auto& forwarded : interface.value(key, Words{})) {
          add_forwarded(nic, forwarded);
        }
      }
      nic.public_addresses = Words{};
      for (const auto& access : interface.value("accessConfigs", Json::array())) {
        add_public(nic, access.value("externalIp", ""));
      }
      add_nic(nics, interface.value("mac", ""), std::move(nic));
    }
    return nics;
  });
}

}  // namespace sekisho::doctor
