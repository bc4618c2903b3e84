// SPDX-License-Identifier: BSD-3-Clause
#include "control/guard/rules.hpp"

#include <fmt/format.h>
#include <net/if.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>
#include <utility>

namespace sekisho::guard::rules {
namespace {

using nlohmann::json;

// Conditions, each as nft reads it and as nft lists it.
struct Condition {
  std::string text;
  json match;
};

Condition meta(std::string_view key, const std::string& text, const std::string& listed) {
  return {fmt::format("{} {}", key, text),
          {{"match", {{"op", "=="}, {"left", {{"meta", {{"key", key}}}}}, {"right", listed}}}}};
}
Condition meta(std::string_view key, int link) {
  return meta(key, std::to_string(link), shown(link));
}
Condition meta(std::string_view key, const std::string& set) {
  return meta(key, set, set);
}

Condition payload(std::string_view protocol, std::string_view field, std::string_view set) {
  return {fmt::format("{} {} {}", protocol, field, set),
          {{"match",
            {{"op", "=="},
             {"left", {{"payload", {{"protocol", protocol}, {"field", field}}}}},
             {"right", set}}}}};
}

Condition tracked(std::string_view key, std::string_view text, json listed) {
  return {fmt::format("ct {} {}", key, text),
          {{"match", {{"op", "in"}, {"left", {{"ct", {{"key", key}}}}}, {"right", std::move(listed)}}}}};
}

Condition is_answer() {
  return tracked("state", "established,related", {"established", "related"});
}

Rule rule(const std::vector<Condition>& conditions, std::string verdict) {
  Rule result{.text = {}, .matches = json::array(), .verdict = std::move(verdict)};
  for (const auto& condition : conditions) {
    result.text += condition.text + " ";
    result.matches.push_back(condition.match);
  }
  result.text += "counter " + result.verdict;
  return result;
}

std::vector<Condition> of_an_exception(const Exit& exit) {
  return {meta("iif", exit.in), meta("oif", exit.out), payload("ip", "daddr", "@exceptions")};
}

Rule with(std::vector<Condition> conditions, const std::vector<Condition>& more, std::string verdict) {
  conditions.insert(conditions.end(), more.begin(), more.end());
  return rule(conditions, std::move(verdict));
}

}  // namespace

std::vector<Rule> forward(const Guard& guard) {
  const auto& exit = guard.exit;
  std::vector<Rule> rules;
  if (exit) {
    // Only what is translated: a nat chain does not see what connection tracking calls invalid or does not track, which
    // would leave with its private source.
    rules.push_back(with(of_an_exception(*exit), {tracked("state", "new", "new")}, "accept"));
    rules.push_back(with(of_an_exception(*exit), {is_answer(), tracked("status", "snat", "snat")}, "accept"));
    // Only what answers a connection that these let out: nobody outside can begin one.
    rules.push_back(rule({meta("iif", exit->out), meta("oif", exit->in), is_answer()}, "accept"));
  }
  for (const std::string_view key : {"iif", "oif"}) {
    rules.push_back(rule({meta(key, "@links")}, "drop"));
  }
  rules.push_back(rule({payload("ether", "daddr", "@stations")}, "drop"));
  for (const std::string_view key : {"iifname", "oifname"}) {
    rules.push_back(rule({meta(key, "@ports")}, "drop"));
  }
  if (guard.allow) {
    rules.push_back(rule({meta("iifname", "@allow"), meta("oifname", "@allow")}, "accept"));
  }
  rules.push_back(rule({}, "drop"));  // as the policy does, which does not count
  return rules;
}

std::vector<Rule> translation(const std::optional<Exit>& exit) {
  return exit ? std::vector{rule(of_an_exception(*exit), "masquerade")} : std::vector<Rule>{};
}

bool is(const json& listed, const Rule& rule) {
  const auto expressions = listed.find("expr");
  if (expressions == listed.end() || expressions->size() != rule.matches.size() + 2) {
    return false;
  }
  return std::equal(rule.matches.begin(), rule.matches.end(), expressions->begin()) &&
         expressions->at(rule.matches.size()).contains("counter") &&
         expressions->back().contains(rule.verdict);
}

std::string shown(int link) {
  std::array<char, IF_NAMESIZE> name{};
  return if_indextoname(static_cast<unsigned>(link), name.data()) != nullptr ? std::string(name.data())
                                                                             : std::to_string(link);
}

int link_of(const std::string& shown) {
  if (const auto index = static_cast<int>(if_nametoindex(shown.c_str())); index != 0) {
    return index;
  }
  int index = 0;
  const auto [end, error] = std::from_chars(shown.data(), shown.data() + shown.size(), index);
  return error == std::errc() && end == shown.data() + shown.size() ? index : 0;
}

}  // namespace sekisho::guard::rules
