// SPDX-License-Identifier: BSD-3-Clause
// Sets of prefixes, sorted, as they are told to FRR and said of it.
#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <vector>

#include "common/base/prefix.hpp"

namespace sekisho::advertise {

using Prefixes = std::vector<base::Prefix>;

[[nodiscard]] inline auto without(const Prefixes& all, const Prefixes& others) -> Prefixes {
  Prefixes result;
  std::ranges::set_difference(all, others, std::back_inserter(result));
  return result;
}

[[nodiscard]] inline auto both(const Prefixes& a, const Prefixes& b) -> Prefixes {
  Prefixes result;
  std::ranges::set_intersection(a, b, std::back_inserter(result));
  return result;
}

[[nodiscard]] inline auto all_of(const Prefixes& a, const Prefixes& b) -> Prefixes {
  Prefixes result;
  std::ranges::set_union(a, b, std::back_inserter(result));
  return result;
}

// For a log: the first of them.
[[nodiscard]] inline auto list_of(const Prefixes& prefixes) -> std::string {
  constexpr std::size_t most = 4;
  const auto shown = std::min(most, prefixes.size());
  std::vector<std::string> texts;
  std::ranges::transform(prefixes.begin(), prefixes.begin() + static_cast<std::ptrdiff_t>(shown),
                         std::back_inserter(texts),
                         [](base::Prefix prefix) { return base::to_string(prefix); });
  const auto text = fmt::format("{}", fmt::join(texts, ", "));
  return prefixes.size() == shown ? text : fmt::format("{} and {} more", text, prefixes.size() - shown);
}

}  // namespace sekisho::advertise
