// SPDX-License-Identifier: BSD-3-Clause
// Answers as JSON: the shapes that several of them share. Members keep the order in which they were written,
// so that a reader finds the name first.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "dataplane.pb.h"

namespace sekisho::serve {

using Json = nlohmann::ordered_json;

// "02:00:00:00:00:01"; null when it is not six bytes.
[[nodiscard]] Json mac_json(std::span<const std::uint8_t> mac);
[[nodiscard]] Json mac_json(const std::string& bytes);
// {"packets": 1, "bytes": 60}
[[nodiscard]] Json counter_json(const ipc::Counter& counter);
// "10.0.0.0/8"
// The dataplane knows "None" by another name: its own follow the rules for names.
[[nodiscard]] std::string policy_name(const std::string& next_hop_of_dataplane);
[[nodiscard]] std::string prefix_text(const ipc::Prefix& prefix);

// A member of a request: absent or null is nothing, another type is an error that names it.
[[nodiscard]] auto string_member(const Json& request, std::string_view name)
    -> tl::expected<std::optional<std::string>, std::string>;
[[nodiscard]] auto flag_member(const Json& request, std::string_view name) -> tl::expected<bool, std::string>;
// For what changes something: a misspelt "dry_run" must not become a reload. Besides "command" it may have `known` only.
[[nodiscard]] auto refuse_other_members(const Json& request, std::initializer_list<std::string_view> known)
    -> tl::expected<void, std::string>;

}  // namespace sekisho::serve
