// SPDX-License-Identifier: BSD-3-Clause
#include "control/doctor/cpus.hpp"

#include <fmt/format.h>

#include <charconv>
#include <optional>

namespace sekisho::doctor {
namespace {

constexpr unsigned most_cpus = 8192;  // of a kernel for x86-64

std::optional<unsigned> parse_cpu(std::string_view text) {
  unsigned cpu = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), cpu);
  return error == std::errc{} && end == text.data() + text.size() && cpu < most_cpus ? std::optional(cpu)
                                                                                     : std::nullopt;
}

}  // namespace

std::vector<unsigned> parse_cpus(std::string_view text) {
  std::vector<unsigned> cpus;
  while (!text.empty()) {
    const auto comma = text.find(',');
    const auto item = text.substr(0, comma);
    text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
    const auto dash = item.find('-');
    const auto first = parse_cpu(item.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : parse_cpu(item.substr(dash + 1));
    for (auto cpu = first; cpu && last && *cpu <= *last; ++*cpu) {
      cpus.push_back(*cpu);
    }
  }
  return cpus;
}

std::string cpus_text(const std::vector<unsigned>& cpus) {
  std::string text;
  for (std::size_t i = 0; i < cpus.size();) {
    auto last = i;
    while (last + 1 < cpus.size() && cpus[last + 1] == cpus[last] + 1) {
      ++last;
    }
    text += fmt::format("{}{}", text.empty() ? "" : ",", cpus[i]);
    if (last > i) {
      text += fmt::format("-{}", cpus[last]);
    }
    i = last + 1;
  }
  return text;
}

}  // namespace sekisho::doctor
