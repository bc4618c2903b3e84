// SPDX-License-Identifier: BSD-3-Clause
#include "control/config/presets.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>

namespace sekisho::config {
namespace {

constexpr auto host(unsigned a, unsigned b, unsigned c, unsigned d) -> base::Prefix {
  return {a << 24 | b << 16 | c << 8 | d, 32};
}

constexpr std::array kms_public{
    PresetHost{host(20, 118, 99, 224), "azkms.core.windows.net"},
    PresetHost{host(40, 83, 235, 53), "azkms.core.windows.net"},
    PresetHost{host(23, 102, 135, 246), "kms.core.windows.net"},
};
constexpr std::array kms_usgov{
    PresetHost{host(23, 97, 0, 13), "kms.core.usgovcloudapi.net"},
    PresetHost{host(52, 126, 105, 2), "azkms.core.usgovcloudapi.net"},
};
constexpr std::array kms_china{
    PresetHost{host(159, 27, 28, 100), "azkms.core.chinacloudapi.cn"},
    PresetHost{host(163, 228, 64, 161), "azkms.core.chinacloudapi.cn"},
    PresetHost{host(42, 159, 7, 249), "kms.core.chinacloudapi.cn"},
};

// RHUI 4. "All Azure government PAYG instances use the same RHUI IP addresses".
constexpr std::array rhui{
    PresetHost{host(52, 136, 197, 163), "West Europe"},
    PresetHost{host(20, 225, 226, 182), "South Central US"},
    PresetHost{host(52, 142, 4, 99), "East US"},
    PresetHost{host(20, 248, 180, 252), "Australia East"},
    PresetHost{host(20, 24, 186, 80), "Southeast Asia"},
};

constexpr std::array<bool, 3> everywhere{true, true, true};
constexpr std::array<bool, 3> not_in_china{true, true, false};
constexpr std::array<bool, 3> in_public{true, false, false};

constexpr std::array desktop{PresetTag{"WindowsVirtualDesktop", everywhere}};
constexpr std::array monitoring{PresetTag{"AzureMonitor", not_in_china}};
constexpr std::array backup{PresetTag{"AzureBackup", not_in_china}, PresetTag{"Storage", not_in_china},
                            PresetTag{"AzureActiveDirectory", everywhere}};
constexpr std::array updates{PresetTag{"AzureUpdateDelivery", in_public},
                             PresetTag{"AzureFrontDoor.FirstParty", in_public}};
constexpr std::array identity{PresetTag{"AzureActiveDirectory", everywhere}};
constexpr std::array management{
    PresetTag{"AzureResourceManager", everywhere},  PresetTag{"GuestAndHybridManagement", everywhere},
    PresetTag{"DataFactoryManagement", everywhere}, PresetTag{"AzureArcInfrastructure", not_in_china},
    PresetTag{"ApiManagement", not_in_china},       PresetTag{"AppServiceManagement", not_in_china},
    PresetTag{"AzureDatabricks", not_in_china},     PresetTag{"BatchNodeManagement", not_in_china},
    PresetTag{"HDInsight", not_in_china},           PresetTag{"SqlManagement", not_in_china},
};

constexpr std::string_view kms_page =
    "Microsoft: Windows activation under forced tunnelling (custom routes for KMS)";
constexpr std::string_view kms_date = "2024-07-17";
constexpr std::string_view tags_page =
    "Microsoft: Virtual network service tags; ServiceTags_Public of 2025-11-17, ServiceTags_China";
constexpr std::string_view tags_date = "2026-07-20";

constexpr std::array all{
    Preset{"kms",
           "key management servers, TCP 1688",
           kms_page,
           kms_date,
           {kms_public, kms_usgov, kms_china},
           {}},
    Preset{"rhui",
           "Red Hat's update servers, TCP 443",
           "Microsoft: Troubleshoot Red Hat RHUI connectivity issues (RHUI 4)",
           "2026-07-28",
           {rhui, rhui, {}},
           {}},
    Preset{"avd",
           "Azure Virtual Desktop's session hosts",
           tags_page,
           tags_date,
           {kms_public, kms_usgov, kms_china},
           desktop},
    Preset{"monitoring", "Azure Monitor's agents", tags_page, tags_date, {}, monitoring},
    Preset{"backup", "Azure Backup's agents", tags_page, tags_date, {}, backup},
    Preset{"updates", "Windows updates", tags_page, tags_date, {}, updates},
    Preset{"identity", "Microsoft Entra ID", tags_page, tags_date, {}, identity},
    Preset{"management", "management planes of Azure's services", tags_page, tags_date, {}, management},
};

auto index_of(std::string_view cloud) -> std::optional<std::size_t> {
  const auto* const found = std::ranges::find(preset_clouds, cloud);
  return found == preset_clouds.end()
             ? std::nullopt
             : std::optional{static_cast<std::size_t>(found - preset_clouds.begin())};
}

}  // namespace

auto Preset::hosts_in(std::string_view cloud) const -> std::span<const PresetHost> {
  const auto index = index_of(cloud);
  return index ? hosts[*index] : std::span<const PresetHost>{};
}

bool Preset::is_routable(const PresetTag& tag, std::string_view cloud) const {
  const auto index = index_of(cloud);
  return index && tag.is_routable[*index];
}

bool Preset::has_tags_in(std::string_view cloud) const {
  return std::ranges::any_of(tags, [&](const PresetTag& tag) { return is_routable(tag, cloud); });
}

bool Preset::is_empty_in(std::string_view cloud) const {
  return hosts_in(cloud).empty() && !has_tags_in(cloud);
}

std::span<const Preset> route_presets() noexcept {
  return all;
}

const Preset* find_preset(std::string_view name) noexcept {
  const auto* const found = std::ranges::find(all, name, &Preset::name);
  return found == all.end() ? nullptr : found;
}

auto kms_servers(std::string_view cloud) -> std::span<const PresetHost> {
  return all.front().hosts_in(cloud);
}

}  // namespace sekisho::config
