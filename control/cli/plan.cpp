// SPDX-License-Identifier: BSD-3-Clause
#include "control/cli/plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "control/cli/output.hpp"
#include "control/cli/show_tables.hpp"

namespace sekisho::cli {
namespace {

constexpr std::array signs{std::pair{"added", '+'}, std::pair{"changed", '~'}, std::pair{"removed", '-'}};

std::string value_or_none(const Json& value) {
  return value.is_null() ? "none" : value_text(value);
}

}  // namespace

std::string plan_text(const Json& plan) {
  std::string text;
  for (const auto& [kind, word] :
       {std::pair{"ports", "port"}, std::pair{"next_hops", "next hop"}, std::pair{"zones", "zone"}}) {
    for (const auto& [what, sign] : signs) {
      for (const auto& name : plan.at(kind).at(what)) {
        text += fmt::format("  {} {} {}\n", sign, word, value_text(name));
      }
    }
  }
  for (const auto& [what, words] : {std::pair{"exit", "exit port"},
                                    {"metrics", "metrics on"},
                                    {"health", "health probes on"},
                                    {"hook", "hook"}}) {
    const auto& moved = plan.at(what);
    if (moved.at("before") != moved.at("after")) {
      text += fmt::format("  ~ {} {} -> {}\n", words, value_or_none(moved.at("before")),
                          value_or_none(moved.at("after")));
    }
  }
  const auto& routes = plan.at("routes");
  if (std::ranges::any_of(signs, [&](const auto& sign) { return routes.at(sign.first) != 0; })) {
    text += fmt::format("  routes: {} added, {} changed, {} removed\n", value_text(routes, "added"),
                        value_text(routes, "changed"), value_text(routes, "removed"));
  }
  if (text.empty()) {
    text = "  nothing: the files say what runs\n";
  }
  if (const auto dropped = plan.at("overrides_dropped").get<std::uint64_t>(); dropped != 0) {
    text += fmt::format("  {} override{} of `sekisho route` would end\n", dropped, dropped == 1 ? "" : "s");
  }
  for (const auto& warning : plan.at("warnings")) {
    text += "warning: " + value_text(warning) + "\n";
  }
  for (const auto& refusal : plan.at("refusals")) {
    text += toned("refused without --force: " + value_text(refusal), Tone::bad) + "\n";
  }
  return text;
}

}  // namespace sekisho::cli
