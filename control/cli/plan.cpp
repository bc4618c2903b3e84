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

std::string plan_text(const Json& plan, const std::string& why_nothing) {
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
                                    {"web", "page on"},
                                    {"hook", "hook"}}) {
    const auto& moved = plan.at(what);
    if (moved.at("before") != moved.at("after")) {
      text += fmt::format("  ~ {} {} -> {}\n", words, value_or_none(moved.at("before")),
                          value_or_none(moved.at("after")));
    }
  }
  // An older sekisho-control tells of none.
  const auto settings = plan.value("settings", Json::object());
  for (const auto& [what, moved] : settings.items()) {
    text += fmt::format("  ~ {}: {}\n      -> {}\n", what, value_or_none(moved.at("before")),
                        value_or_none(moved.at("after")));
  }
  const auto& routes = plan.at("routes");
  if (std::ranges::any_of(signs, [&](const auto& sign) { return routes.at(sign.first) != 0; })) {
    text += fmt::format("  routes: {} added, {} changed, {} removed\n", value_text(routes, "added"),
                        value_text(routes, "changed"), value_text(routes, "removed"));
  }
  if (text.empty()) {
    text = "  nothing: " + why_nothing + "\n";
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

bool changes_something(const Json& plan) {
  for (const auto* kind : {"ports", "next_hops", "zones"}) {
    if (std::ranges::any_of(signs, [&](const auto& sign) { return !plan.at(kind).at(sign.first).empty(); })) {
      return true;
    }
  }
  for (const auto* what : {"exit", "metrics", "health", "web", "hook"}) {
    if (plan.at(what).at("before") != plan.at(what).at("after")) {
      return true;
    }
  }
  return !plan.value("settings", Json::object()).empty() ||
         std::ranges::any_of(signs, [&](const auto& sign) { return plan.at("routes").at(sign.first) != 0; });
}

PlanPrinter::PlanPrinter(bool json, std::string title, std::string why_nothing)
    : json_(json), title_(std::move(title)), why_nothing_(std::move(why_nothing)) {}

void PlanPrinter::print(const Json& page) {
  if (page.is_object()) {
    head_ = page;
    if (json_) {
      open();
    }
    return;
  }
  for (const auto& change : page) {
    if (json_) {
      changes_.add(change);
    } else {
      print_change(change);
    }
  }
}

void PlanPrinter::close() {
  if (json_) {
    changes_.close();
    fmt::print("}}\n");
  } else {
    fmt::print("{}\n{}", title_, plan_text(head_, why_nothing_));
  }
}

// The object stays open for the routes, of which there may be too many to hold.
void PlanPrinter::open() const {
  fmt::print("{{");
  for (const auto& [key, value] : head_.items()) {
    fmt::print("{}: {},\n", Json(key).dump(), value.dump(-1, ' ', false, Json::error_handler_t::replace));
  }
  fmt::print("\"changes\": ");
}

void PlanPrinter::print_change(const Json& change) {
  const auto before = value_text(change, "before");
  const auto after = value_text(change, "after");
  fmt::print("{} {} {} {}\n", value_text(change, "change"), value_text(change, "zone"),
             value_text(change, "prefix"),
             before.empty() || after.empty() ? before + after : fmt::format("{} -> {}", before, after));
}

}  // namespace sekisho::cli
