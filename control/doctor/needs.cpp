// SPDX-License-Identifier: BSD-3-Clause
#include "control/doctor/needs.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cstddef>
#include <optional>
#include <sstream>
#include <string>

#include "control/doctor/system.hpp"

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

DataplaneOptions parse_options(std::string_view environment) {
  constexpr std::string_view variable = "SEKISHO_DATAPLANE_OPTIONS=";
  std::string words;
  std::istringstream lines{std::string{environment}};
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(variable)) {
      words = line.substr(variable.size());  // the last one counts
    }
  }
  for (auto& character : words) {
    if (character == '=' || character == '"' || character == '\'') {
      character = ' ';
    }
  }
  DataplaneOptions options;
  std::istringstream stream{words};
  for (std::string word; stream >> word;) {
    if (word == "--workers" && stream >> word) {
      options.workers = parse_cpus(word);
    } else if (word == "--memory") {
      stream >> options.memory_mb;
    } else if (word == "--mtu") {
      stream >> options.mtu;
    }
  }
  return options;
}

namespace {

constexpr std::uint64_t narrow = 18 * mb;  // dataplane/fib/fib.hpp, rounded up to pages of 2 MB
constexpr std::uint64_t wide = 34 * mb;
constexpr std::uint64_t extension = 512;  // of a wide table
constexpr std::size_t most_narrow_next_hops = 254;
constexpr std::size_t most_narrow_extensions = 1024;

// /24s with longer prefixes within. Candidates are sorted by prefix.
std::size_t extensions_of(const route::RouteTable& table) {
  std::size_t extensions = 0;
  std::uint32_t last = 0;
  for (const auto& route : table.candidates()) {
    const auto block = route.prefix.address >> 8;
    if (route.prefix.length > 24 && (extensions == 0 || block != last)) {
      ++extensions;
      last = block;
    }
  }
  return extensions;
}

}  // namespace

std::uint64_t table_bytes(const policy::Policy& policy) {
  std::uint64_t bytes = narrow;  // of the sources
  for (const auto& zone : policy.zones) {
    const auto extensions = extensions_of(zone.table);
    bytes += extensions > most_narrow_extensions || policy.config.next_hops.size() > most_narrow_next_hops
                 ? wide + extensions * extension
                 : narrow;
  }
  return bytes;
}

}  // namespace sekisho::doctor
