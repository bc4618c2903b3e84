// SPDX-License-Identifier: BSD-3-Clause
#include "common/base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

namespace sekisho::base {
namespace {

// Inserted, left out, replaced and swapped characters, without case (optimal string alignment).
auto edit_distance(std::string_view a, std::string_view b) -> std::size_t {
  std::vector<std::size_t> before_last(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  const auto same = [&](std::size_t i, std::size_t j) { return lower(a[i - 1]) == lower(b[j - 1]); };
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::swap(before_last, last);
    std::swap(last, row);
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j - 1] + (same(i, j) ? 0 : 1), last[j] + 1, row[j - 1] + 1});
      if (i > 1 && j > 1 && same(i, j - 1) && same(i - 1, j))
        row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
  }
  return row.back();
}

}  // namespace

auto in_quotes(std::string_view text) -> std::string {
  constexpr std::size_t most = 48;
  std::string result{"\""};
  for (const char c : text.substr(0, most))
    result += c >= ' ' && c < '\x7f' ? c : '?';
  return result + (text.size() > most ? "...\"" : "\"");
}

bool equal_without_case(std::string_view a, std::string_view b) noexcept {
  return std::ranges::equal(a, b, {}, lower, lower);
}

auto suggestion(std::string_view word, std::span<const std::string_view> candidates) -> std::string {
  constexpr std::size_t longest = 64;
  if (word.size() > longest)
    return {};
  std::string_view best;
  std::size_t least = std::max<std::size_t>(1, word.size() / 3) + 1;
  for (const auto candidate : candidates) {
    const auto distance = edit_distance(word, candidate);
    if (distance < least) {
      least = distance;
      best = candidate;
    }
  }
  return best.empty() ? std::string{} : fmt::format("; did you mean {}?", in_quotes(best));
}

}  // namespace sekisho::base
