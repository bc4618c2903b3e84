// SPDX-License-Identifier: BSD-3-Clause
#include "control/serve/plan.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/prefix.hpp"
#include "control/serve/settings.hpp"
#include "control/sync/objects.hpp"

namespace sekisho::serve {
namespace {

// Adjacencies are the kernel's to say, and not named here.
template <class Messages, class Removed>
Json kinds_of_change(const Messages& before, const Messages& differing, const Removed& removed) {
  std::set<std::string_view> known;
  for (const auto& message : before) {
    known.insert(message.name());
  }
  Json result{{"added", Json::array()}, {"removed", Json::array()}, {"changed", Json::array()}};
  for (const auto& message : differing) {
    result[known.contains(message.name()) ? "changed" : "added"].push_back(policy_name(message.name()));
  }
  for (const auto& name : removed) {
    result["removed"].push_back(policy_name(name));
  }
  return result;
}

Json exit_port(const config::Config& config) {
  const auto exit = config.internet ? config.internet->exit : std::nullopt;
  return exit ? Json(*exit) : Json(nullptr);
}

std::string listen_text(const config::Listen& listen) {
  return fmt::format("{}:{}", base::address_to_string(listen.address), listen.port);
}

Json metrics_address(const config::Config& config) {
  return config.metrics ? Json(listen_text(*config.metrics)) : Json(nullptr);
}

// "10.0.1.4:8080, 10.0.2.4:8080; requires internet, zone:onprem"
Json health_text(const config::Config& config) {
  if (!config.health) {
    return nullptr;
  }
  std::vector<std::string> listen;
  std::ranges::transform(config.health->listen, std::back_inserter(listen), listen_text);
  auto text = fmt::format("{}", fmt::join(listen, ", "));
  if (const auto& require = config.health->require) {
    std::vector<std::string> names;
    std::ranges::transform(*require, std::back_inserter(names),
                           [](const config::Requirement& each) { return config::to_string(each); });
    text += names.empty() ? "; requires nothing" : fmt::format("; requires {}", fmt::join(names, ", "));
  }
  return text;
}

// "127.0.0.1:8088; called nva1.example.net"
Json web_text(const config::Config& config) {
  if (!config.web) {
    return nullptr;
  }
  const auto& hosts = config.web->hosts;
  return listen_text(config.web->listen) +
         (hosts.empty() ? std::string() : fmt::format("; called {}", fmt::join(hosts, ", ")));
}

Json hook_path(const config::Config& config) {
  return config.hook ? Json(config.hook->on_change.native()) : Json(nullptr);
}

Json moved(const Plan& plan, Json (*what)(const config::Config&)) {
  return {{"before", what(plan.before->config)}, {"after", what(plan.after->config)}};
}

Json next_hop_json(std::string_view name) {
  return name.empty() ? Json(nullptr) : Json(policy_name(std::string(name)));
}

Json change_json(const sync::RouteChange& change) {
  return {{"zone", change.zone},
          {"change", change.before.empty()  ? "+"
                     : change.after.empty() ? "-"
                                            : "~"},
          {"prefix", base::to_string(change.prefix)},
          {"before", next_hop_json(change.before)},
          {"after", next_hop_json(change.after)}};
}

}  // namespace

Json plan_json(const Plan& plan) {
  auto refusals = Json::array();
  for (const auto& harm : plan.harms) {
    refusals.push_back(harm.sentence);
  }
  const auto before = sync::objects(*plan.before, plan.before_view);
  const auto change = sync::object_difference(before, sync::objects(*plan.after, plan.after_view));
  std::uint64_t added = 0;
  std::uint64_t changed = 0;
  std::uint64_t removed = 0;
  sync::RouteDifference difference({*plan.before, plan.before_view}, {*plan.after, plan.after_view});
  while (const auto route = difference.next()) {
    ++(route->before.empty() ? added : route->after.empty() ? removed : changed);
  }
  return {{"ports", kinds_of_change(before.ports(), change.ports(), change.remove_ports())},
          {"next_hops", kinds_of_change(before.next_hops(), change.next_hops(), change.remove_next_hops())},
          {"zones", kinds_of_change(before.zones(), change.zones(), change.remove_zones())},
          {"routes", {{"added", added}, {"changed", changed}, {"removed", removed}}},
          {"exit", moved(plan, exit_port)},
          {"metrics", moved(plan, metrics_address)},
          {"health", moved(plan, health_text)},
          {"web", moved(plan, web_text)},
          {"hook", moved(plan, hook_path)},
          {"settings", settings_moved(*plan.before, *plan.after)},
          {"overrides_dropped", plan.before->overrides.size()},
          {"warnings", plan.after->warnings},
          {"refusals", std::move(refusals)}};
}

Plan plan_of(std::shared_ptr<const policy::Policy> before, std::shared_ptr<const policy::Policy> after,
             const netlink::Mirror& mirror) {
  auto before_view = sync::view(before->config, mirror);
  auto after_view = sync::view(after->config, mirror);
  return {std::move(before), std::move(before_view), std::move(after), std::move(after_view), {}};
}

PlanPages::PlanPages(Plan plan)
    : plan_(std::move(plan)),
      difference_({*plan_.before, plan_.before_view}, {*plan_.after, plan_.after_view}),
      change_(difference_.next()) {}

Json PlanPages::next() {
  auto page = Json::array();
  for (; change_ && page.size() < page_size; change_ = difference_.next()) {
    page.push_back(change_json(*change_));
  }
  return page;
}

}  // namespace sekisho::serve
