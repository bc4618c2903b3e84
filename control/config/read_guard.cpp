// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "common/base/text.hpp"
#include "control/config/reader.hpp"

namespace sekisho::config {
namespace {

constexpr std::array<Word<bool>, 2> scopes{{
    {"host", true},
    {"ports", false},
}};

// The kernel's own rule (dev_valid_name), and what nftables would read as a pattern or as the end of a string.
bool is_interface_name(std::string_view name) {
  constexpr std::size_t longest = 15;  // IFNAMSIZ with its NUL is 16
  return !name.empty() && name.size() <= longest && name != "." && name != ".." &&
         name.find_first_of("/: \t\n\v\f\r\"\\*") == std::string_view::npos;
}

}  // namespace

void Reader::read_guard(const SingleTable& found) {
  const Section section{*found.table, found.line, "[guard]", problems_, keys::guard};
  auto& guard = config_.guard;
  guard.whole_host = section.choice("scope", scopes).value_or(true);
  if (guard.whole_host) {
    if (section.has("allow"))
      refuse(section.line_of_key("allow"),
             "\"allow\" needs scope = \"ports\": with scope = \"host\" the kernel forwards for nobody");
    return;
  }
  for (const auto& name : section.required_texts("allow")) {
    const auto port = netdevs_.find(name.value);
    if (!is_interface_name(name.value))
      refuse(name.line, fmt::format("{} is not an interface name", base::in_quotes(name.value)));
    else if (name.value == exit_netdev)
      refuse(name.line,
             fmt::format("{} is the interface of next hop \"Internet\"", base::in_quotes(name.value)));
    else if (port != netdevs_.end())
      refuse(name.line, fmt::format("{} is the interface of port {} ({}): the kernel never forwards there",
                                    base::in_quotes(name.value), port->second.name,
                                    place(name.line, port->second.line)));
    else
      guard.allow.push_back(name.value);
  }
  std::ranges::sort(guard.allow);
  const auto same = std::ranges::unique(guard.allow);
  guard.allow.erase(same.begin(), same.end());
}

}  // namespace sekisho::config
