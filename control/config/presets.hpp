// SPDX-License-Identifier: BSD-3-Clause
// Where Windows virtual machines activate, by cloud: Azure's key management servers, TCP 1688. They answer
// only requests that come from an Azure public address, hence the exceptions from a default route through
// on-premises.
#pragma once

#include <array>
#include <ranges>
#include <span>
#include <string_view>

#include "common/base/prefix.hpp"

namespace sekisho::policy {

inline constexpr std::string_view kms_source =
    "Microsoft: Windows activation under forced tunnelling (custom routes for KMS)";

struct KmsServer {
  base::Prefix prefix;
  std::string_view name;
};

constexpr auto host_route(unsigned a, unsigned b, unsigned c, unsigned d) -> base::Prefix {
  return {a << 24 | b << 16 | c << 8 | d, 32};
}

inline constexpr std::array<std::string_view, 3> kms_clouds{"public", "usgov", "china"};

inline constexpr std::array kms_public{
    KmsServer{host_route(20, 118, 99, 224), "azkms.core.windows.net"},
    KmsServer{host_route(40, 83, 235, 53), "azkms.core.windows.net"},
    KmsServer{host_route(23, 102, 135, 246), "kms.core.windows.net"},
};
inline constexpr std::array kms_usgov{
    KmsServer{host_route(23, 97, 0, 13), "kms.core.usgovcloudapi.net"},
    KmsServer{host_route(52, 126, 105, 2), "azkms.core.usgovcloudapi.net"},
};
inline constexpr std::array kms_china{
    KmsServer{host_route(159, 27, 28, 100), "azkms.core.chinacloudapi.cn"},
    KmsServer{host_route(163, 228, 64, 161), "azkms.core.chinacloudapi.cn"},
    KmsServer{host_route(42, 159, 7, 249), "kms.core.chinacloudapi.cn"},
};

// Empty for a cloud that is not known; config/ lets none pass.
[[nodiscard]] constexpr auto kms_servers(std::string_view cloud) -> std::span<const KmsServer> {
  if (cloud == "public")
    return kms_public;
  if (cloud == "usgov")
    return kms_usgov;
  if (cloud == "china")
    return kms_china;
  return {};
}
[[nodiscard]] constexpr auto kms_addresses(std::string_view cloud) {
  return kms_servers(cloud) | std::views::transform(&KmsServer::prefix);
}

}  // namespace sekisho::policy
