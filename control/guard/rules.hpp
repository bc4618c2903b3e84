// SPDX-License-Identifier: BSD-3-Clause
// The rules of the table `inet sekisho`: as text, to be written, and as nft's JSON, to be recognised. Pure, but for the
// names of links, which nft shows in place of their indexes.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "control/guard/guard.hpp"

namespace sekisho::guard::rules {

struct Rule {
  std::string text;
  nlohmann::json matches;  // without the counter, which follows them
  std::string verdict;
};

// The chain `forward`, whose policy is drop.
[[nodiscard]] std::vector<Rule> forward(const Guard& guard);
// The chain `exit`, which masquerades.
[[nodiscard]] std::vector<Rule> translation(const std::optional<Exit>& exit);

[[nodiscard]] bool is(const nlohmann::json& listed, const Rule& rule);

// As nft shows a link's index, and back; 0: neither an interface nor a number.
[[nodiscard]] std::string shown(int link);
[[nodiscard]] int link_of(const std::string& shown);

}  // namespace sekisho::guard::rules
