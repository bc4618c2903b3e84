// SPDX-License-Identifier: BSD-3-Clause
// What a route to a preset stands for: hosts and service tags of Azure's that a default route through a firewall or
// on-premises breaks, each from a source with its date. Activation and Red Hat's updates are refused when they do not come
// from a public address of Azure's.
#pragma once

#include <array>
#include <ranges>
#include <span>
#include <string_view>

#include "common/base/prefix.hpp"

namespace sekisho::config {

inline constexpr std::array<std::string_view, 3> preset_clouds{"public", "usgov", "china"};

struct PresetHost {
  base::Prefix prefix;
  std::string_view name;
};

// A service tag, and in which clouds it may be a route's destination; in others it is left out.
struct PresetTag {
  std::string_view name;
  std::array<bool, 3> is_routable{};  // as preset_clouds
};

struct Preset {
  std::string_view name;
  std::string_view what;                               // of what it is, as half a sentence
  std::string_view source;                             // whose page
  std::string_view date;                               // of the source, "2024-07-17"
  std::array<std::span<const PresetHost>, 3> hosts{};  // as preset_clouds
  std::span<const PresetTag> tags{};

  // Empty for a cloud that is not known; the configuration lets none pass.
  [[nodiscard]] auto hosts_in(std::string_view cloud) const -> std::span<const PresetHost>;
  [[nodiscard]] bool is_routable(const PresetTag& tag, std::string_view cloud) const;
  // Neither host nor tag: it means nothing there.
  [[nodiscard]] bool is_empty_in(std::string_view cloud) const;
  [[nodiscard]] bool has_tags_in(std::string_view cloud) const;
};

[[nodiscard]] std::span<const Preset> route_presets() noexcept;
// Null: there is none of that name.
[[nodiscard]] const Preset* find_preset(std::string_view name) noexcept;

// Where Windows activates (TCP 1688).
[[nodiscard]] auto kms_servers(std::string_view cloud) -> std::span<const PresetHost>;
[[nodiscard]] inline auto kms_addresses(std::string_view cloud) {
  return kms_servers(cloud) | std::views::transform(&PresetHost::prefix);
}

}  // namespace sekisho::config
