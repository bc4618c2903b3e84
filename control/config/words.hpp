// SPDX-License-Identifier: BSD-3-Clause
// What a name, a device and an interface may be called in a configuration.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sekisho::config {

// Why a text cannot be what it should be, as half a sentence.
[[nodiscard]] auto refuse_name(std::string_view name) -> std::optional<std::string>;
[[nodiscard]] auto refuse_device(std::string_view device) -> std::optional<std::string>;
[[nodiscard]] auto refuse_netdev(std::string_view name) -> std::optional<std::string>;

// One device, one text: the hexadecimal digits of a MAC or bus address in small letters.
[[nodiscard]] auto normal_device(std::string device) -> std::string;

}  // namespace sekisho::config
