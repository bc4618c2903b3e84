// SPDX-License-Identifier: BSD-3-Clause
#include "control/cli/top_rates.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "control/cli/client.hpp"
#include "control/cli/show_tables.hpp"

namespace sekisho::cli {
namespace {

using Seconds = std::chrono::duration<double>;

bool connected(const Sample& sample) {
  return sample.state.is_object() && sample.state.at("dataplane").at("connected") == true;
}

// Counters may be compared: both are of one life of the dataplane.
bool comparable(const Sample& before, const Sample& now) {
  return connected(before) && connected(now) &&
         before.state.at("dataplane").at("uptime_seconds") <= now.state.at("dataplane").at("uptime_seconds");
}

Json per_second(std::uint64_t before, std::uint64_t now, double seconds) {
  return now >= before && seconds > 0 ? Json(static_cast<double>(now - before) / seconds) : Json(nullptr);
}

// Of a {"packets", "bytes"} that both samples should have.
Json traffic_rates(const Json* before, const Json& now, const char* counter, double seconds) {
  Json result{{"packets_per_second", nullptr}, {"bits_per_second", nullptr}};
  if (before != nullptr && before->contains(counter) && now.contains(counter)) {
    const auto& was = before->at(counter);
    const auto& is = now.at(counter);
    result["packets_per_second"] = per_second(was.at("packets"), is.at("packets"), seconds);
    result["bits_per_second"] = per_second(8 * was.at("bytes").get<std::uint64_t>(),
                                           8 * is.at("bytes").get<std::uint64_t>(), seconds);
  }
  return result;
}

template <std::size_t N>
const Json* find(const Json& list, const Json& entry, const std::array<const char*, N>& keys) {
  const auto found = std::ranges::find_if(list, [&](const Json& each) {
    return std::ranges::all_of(keys, [&](const char* key) { return each.at(key) == entry.at(key); });
  });
  return found == list.end() ? nullptr : &*found;
}

constexpr std::array by_name{"name"};

Json port_rates(const Json& before, const Json& now, double seconds) {
  auto result = Json::array();
  for (const auto& port : now) {
    const auto* was = find(before, port, by_name);
    result.push_back({{"name", port.at("name")},
                      {"running", port.at("running")},
                      {"link", port.at("link")},
                      {"rx", traffic_rates(was, port, "rx", seconds)},
                      {"tx", traffic_rates(was, port, "tx", seconds)}});
  }
  return result;
}

Json zone_rates(const Json& before, const Json& now, double seconds) {
  auto result = Json::array();
  for (const auto& zone : now) {
    Json entry{{"name", zone.at("name")}};
    entry.update(traffic_rates(find(before, zone, by_name), zone, "traffic", seconds));
    result.push_back(std::move(entry));
  }
  return result;
}

Json next_hop_rates(const Json& before, const Json& now, double seconds) {
  auto result = Json::array();
  for (const auto& next_hop : now) {
    const auto forwards = next_hop.at("action") == "forward";
    Json entry{{"name", next_hop.at("name")},
               {"alive", forwards ? next_hop.at("alive") : Json(nullptr)},
               {"members", forwards ? Json(next_hop.at("members").size()) : Json(nullptr)}};
    entry.update(traffic_rates(find(before, next_hop, by_name), next_hop, "traffic", seconds));
    result.push_back(std::move(entry));
  }
  return result;
}

Json drop_rates(const Json& before, const Json& now, bool compare, double seconds) {
  constexpr std::array key{"port", "by", "reason"};
  std::vector<Json> drops;
  for (const auto& drop : now) {
    const auto* was = find(before, drop, key);
    const auto earlier = was == nullptr ? 0 : was->at("packets").get<std::uint64_t>();
    drops.push_back(
        {{"port", drop.at("port")},
         {"by", drop.at("by")},
         {"reason", drop.at("reason")},
         {"packets", drop.at("packets")},
         {"packets_per_second", compare ? per_second(earlier, drop.at("packets"), seconds) : Json(nullptr)}});
  }
  std::ranges::stable_sort(drops, [](const Json& a, const Json& b) {
    return std::pair(a.at("packets_per_second"), a.at("packets")) >
           std::pair(b.at("packets_per_second"), b.at("packets"));
  });
  return drops;
}

std::string scaled(const Json& rate) {
  if (rate.is_null()) {
    return "-";
  }
  auto value = rate.get<double>();
  constexpr std::array units{"", "k", "M", "G", "T"};
  std::size_t unit = 0;
  // What rounds to 1000.0 belongs to the next unit.
  for (; value >= (unit == 0 ? 999.5 : 999.95) && unit + 1 < units.size(); ++unit) {
    value /= 1000;
  }
  return unit == 0 ? fmt::format("{:.0f}", value) : fmt::format("{:.1f}{}", value, units[unit]);
}

std::string packets(const Json& rates) {
  return scaled(rates.at("packets_per_second"));
}

std::string bits(const Json& rates) {
  return scaled(rates.at("bits_per_second"));
}

Cell port_state(const Json& port) {
  if (port.at("running") != true) {
    return {port.at("running").is_null() ? "no answer" : "not running", Tone::bad};
  }
  const auto up = port.at("link").is_null() || port.at("link") == "up";
  return up ? Cell{"up", Tone::good} : Cell{"link " + value_text(port.at("link")), Tone::bad};
}

std::string heading(const Json& rates) {
  if (const auto problem = value_text(rates.at("problem")); !problem.empty()) {
    return toned(problem, Tone::bad);
  }
  return rates.at("dataplane_connected") == true
             ? toned("dataplane connected", Tone::good)
             : toned("the dataplane does not answer: nothing is known to be forwarded", Tone::bad);
}

}  // namespace

Sample take_sample(const Context& context) {
  Sample sample{.taken = std::chrono::steady_clock::now(), .time = std::chrono::system_clock::now()};
  auto client = Client::connect(context.socket);
  if (!client) {
    sample.problem = client.error();
    return sample;
  }
  const auto show = [&](const char* what, Json& into) {
    if (!sample.problem.empty()) {
      return;
    }
    auto result = (*client)->ask({{"command", "show"}, {"what", what}});
    if (result) {
      into = std::move(*result);
    } else if (result.error().find("is sekisho-dataplane running?") == std::string::npos) {
      sample.problem = result.error();
    }
  };
  show("state", sample.state);
  show("ports", sample.ports);
  show("zones", sample.zones);
  show("next-hops", sample.next_hops);
  if (connected(sample)) {
    show("drops", sample.drops);
  }
  return sample;
}

Json rates(const Sample& before, const Sample& now) {
  const auto seconds = std::chrono::duration_cast<Seconds>(now.taken - before.taken).count();
  const auto compare = comparable(before, now);
  const Json nothing = Json::array();
  const auto earlier = [&](const Json& list) -> const Json& { return compare ? list : nothing; };
  return {{"time", std::chrono::duration_cast<Seconds>(now.time.time_since_epoch()).count()},
          {"seconds", seconds},
          {"problem", now.problem.empty() ? Json(nullptr) : Json(now.problem)},
          {"dataplane_connected", connected(now)},
          {"ports", port_rates(earlier(before.ports), now.ports, seconds)},
          {"zones", zone_rates(earlier(before.zones), now.zones, seconds)},
          {"next_hops", next_hop_rates(earlier(before.next_hops), now.next_hops, seconds)},
          {"drops", drop_rates(earlier(before.drops), now.drops, compare, seconds)}};
}

std::string rates_text(const Json& rates) {
  Table ports{{{"PORT"}, {"STATE"}, {"RX-PPS", true}, {"RX-BPS", true}, {"TX-PPS", true}, {"TX-BPS", true}}};
  for (const auto& port : rates.at("ports")) {
    ports.add({value_text(port, "name"), port_state(port), packets(port.at("rx")), bits(port.at("rx")),
               packets(port.at("tx")), bits(port.at("tx"))});
  }
  Table zones{{{"ZONE"}, {"PPS", true}, {"BPS", true}}};
  for (const auto& zone : rates.at("zones")) {
    zones.add({value_text(zone, "name"), packets(zone), bits(zone)});
  }
  Table next_hops{{{"NEXT-HOP"}, {"ALIVE"}, {"PPS", true}, {"BPS", true}}};
  for (const auto& next_hop : rates.at("next_hops")) {
    const auto forwards = !next_hop.at("members").is_null();
    next_hops.add(
        {value_text(next_hop, "name"),
         forwards
             ? Cell{fmt::format("{}/{}", next_hop.at("alive").is_null() ? "-" : value_text(next_hop, "alive"),
                                value_text(next_hop, "members")),
                    next_hop.at("alive").is_null() || next_hop.at("alive") == 0 ? Tone::bad : Tone::plain}
             : Cell{"-"},
         packets(next_hop), bits(next_hop)});
  }
  Table drops{{{"DROPS"}, {"BY"}, {"REASON"}, {"PPS", true}, {"PACKETS", true}}};
  for (const auto& drop : rates.at("drops")) {
    drops.add({value_text(drop, "port"), value_text(drop, "by"), value_text(drop, "reason"), packets(drop),
               value_text(drop, "packets")});
  }
  return fmt::format("{}\n\n{}\n{}\n{}\n{}", heading(rates), ports.render(), zones.render(),
                     next_hops.render(), drops.render());
}

}  // namespace sekisho::cli
