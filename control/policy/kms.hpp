// Where Windows virtual machines activate, by cloud: Azure's key management servers, TCP 1688. They answer
// only requests that come from an Azure public address, hence the exceptions from a default route through
// on-premises.
//
// Source: Microsoft's documentation of Windows activation under forced tunnelling (custom routes for KMS),
// which gives the addresses and the names beside them.
#pragma once

#include <array>
#include <span>
#include <string_view>

#include "dataplane/fib/prefix.hpp"

namespace sekisho::policy {

constexpr auto host_route(unsigned a, unsigned b, unsigned c, unsigned d) -> fib::Prefix {
  return {a << 24 | b << 16 | c << 8 | d, 32};
}

inline constexpr std::array kms_public{
    host_route(20, 118, 99, 224), host_route(40, 83, 235, 53),  // azkms.core.windows.net
    host_route(23, 102, 135, 246),                              // kms.core.windows.net
};
inline constexpr std::array kms_usgov{
    host_route(23, 97, 0, 13),    // kms.core.usgovcloudapi.net
    host_route(52, 126, 105, 2),  // azkms.core.usgovcloudapi.net
};
inline constexpr std::array kms_china{
    host_route(159, 27, 28, 100), host_route(163, 228, 64, 161),  // azkms.core.chinacloudapi.cn
    host_route(42, 159, 7, 249),                                  // kms.core.chinacloudapi.cn
};

// Empty for a cloud that is not known; config/ lets none pass.
[[nodiscard]] constexpr auto kms_addresses(std::string_view cloud) -> std::span<const fib::Prefix> {
  if (cloud == "public")
    return kms_public;
  if (cloud == "usgov")
    return kms_usgov;
  if (cloud == "china")
    return kms_china;
  return {};
}

}  // namespace sekisho::policy
