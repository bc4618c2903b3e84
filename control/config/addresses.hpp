// SPDX-License-Identifier: BSD-3-Clause
// Addresses as a configuration may name them: what they look like, and which can belong to a host.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

#include "common/base/prefix.hpp"
#include "control/config/config.hpp"

namespace sekisho::config {

// Errors are half a sentence.
[[nodiscard]] auto parse_host(std::string_view text) -> tl::expected<std::uint32_t, std::string>;
[[nodiscard]] auto parse_interface_address(std::string_view text)
    -> tl::expected<InterfaceAddress, std::string>;
// "127.0.0.1:9273", where to listen: an address of this host (0.0.0.0 means all of them) and a TCP port.
[[nodiscard]] auto parse_endpoint(std::string_view text)
    -> tl::expected<std::pair<std::uint32_t, std::uint16_t>, std::string>;
[[nodiscard]] auto parse_source(std::string_view text) -> tl::expected<base::Prefix, std::string>;
// A prefix of a VNet's address space.
[[nodiscard]] auto parse_vnet(std::string_view text) -> tl::expected<base::Prefix, std::string>;

[[nodiscard]] auto subnet_of(const InterfaceAddress& address) -> base::Prefix;
[[nodiscard]] auto to_string(const InterfaceAddress& address) -> std::string;

}  // namespace sekisho::config
