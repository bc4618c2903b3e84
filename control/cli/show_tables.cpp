// SPDX-License-Identifier: BSD-3-Clause
#include "control/cli/show_tables.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <ctime>
#include <utility>

#include "control/cli/plan.hpp"

namespace sekisho::cli {

std::string duration(std::uint64_t seconds) {
  const auto days = seconds / 86400;
  const auto clock = fmt::format("{:02}:{:02}:{:02}", seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
  return days == 0 ? clock : fmt::format("{} d {}", days, clock);
}

std::string date(const Json& unix_ms) {
  if (!unix_ms.is_number()) {
    return {};
  }
  const auto seconds = static_cast<std::time_t>(unix_ms.get<std::int64_t>() / 1000);
  std::tm local{};
  return ::localtime_r(&seconds, &local) == nullptr ? std::string{} : fmt::format("{:%F %T}", local);
}

namespace {

std::string milliseconds(const Json& microseconds) {
  return microseconds.is_number() ? fmt::format("{:.2f} ms", microseconds.get<double>() / 1000)
                                  : std::string{};
}

std::string mebibytes(const Json& bytes) {
  return fmt::format("{:.1f} MiB", bytes.get<double>() / (1 << 20));
}

std::string packets(const Json& object, const char* key) {
  return object.contains(key) ? value_text(object.at(key), "packets") : std::string{};
}

// What stands in an object's object, if both are there.
std::string inner(const Json& object, const char* outer, const char* key) {
  return object.contains(outer) ? value_text(object[outer], key) : std::string{};
}

}  // namespace

std::string value_text(const Json& value) {
  if (value.is_string()) {
    return value.get<std::string>();
  }
  if (value.is_boolean()) {
    return value.get<bool>() ? "yes" : "no";
  }
  return value.is_null() ? std::string{} : value.dump();
}

std::string value_text(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found == object.end() ? std::string{} : value_text(*found);
}

std::string list_text(const Json& list) {
  std::string result;
  for (const auto& entry : list) {
    result += (result.empty() ? "" : ",") + value_text(entry);
  }
  return result.empty() ? "-" : result;
}

std::string place_text(const Json& route) {
  const auto source = value_text(route, "source");
  if (route.at("line").is_null()) {  // what is not a text file is named with the route's name in it
    return source;
  }
  const auto place = fmt::format("{}:{}", value_text(route, "file"), value_text(route, "line"));
  return route.at("file") == route.at("source") ? place : fmt::format("{} ({})", place, source);
}

std::string next_hop_text(const Json& route) {
  const auto name = value_text(route, "next_hop");
  const auto type = value_text(route, "next_hop_type");
  return type.empty() || type == name ? name : fmt::format("{} ({})", name, type);
}

Cell running_cell(const Json& port) {
  const auto& running = port.at("running");
  return running == true ? Cell{"running", Tone::good}
                         : Cell{running.is_null() ? "no answer" : "down", Tone::bad};
}

Cell exit_cell(const Json& next_hop) {
  const auto& exit = next_hop.at("exit");
  if (exit.at("ready") != true) {
    return {value_text(exit, "why"), Tone::bad};
  }
  return next_hop.at("alive").is_null() ? Cell{"not known", Tone::plain}
                                        : Cell{value_text(exit, "why"), Tone::good};
}

std::string ports_text(const Json& ports) {
  Table table{{{"PORT"},
               {"STATE"},
               {"LINK"},
               {"DEVICE", false, 2},
               {"INTERFACE", false, 5},
               {"DRIVER", false, 6},
               {"MAC", false, 4},
               {"MTU", true, 5},
               {"MSS", true, 8},
               {"RXQ", true, 7},
               {"TXQ", true, 7},
               {"LCORES", false, 7},
               {"RX", true},
               {"TX", true},
               {"ADDRESSES", false, 1},
               {"GATEWAY", false, 3}}};
  std::string errors;
  for (const auto& port : ports) {
    table.add({value_text(port, "name"), running_cell(port), value_text(port, "link"),
               value_text(port, "device"), value_text(port, "interface"), value_text(port, "driver"),
               value_text(port, "mac"), value_text(port, "mtu"), value_text(port, "mss_clamp"),
               value_text(port, "rx_queues"), value_text(port, "tx_queues"),
               port.contains("lcores") ? list_text(port.at("lcores")) : std::string{}, packets(port, "rx"),
               packets(port, "tx"), list_text(port.at("addresses")), value_text(port, "gateway")});
    if (const auto error = value_text(port, "error"); !error.empty()) {
      errors += toned(fmt::format("port {}: {}", value_text(port, "name"), error), Tone::bad) + "\n";
    }
    for (const auto& finding : port.at("findings")) {
      errors += toned(value_text(finding), Tone::bad) + "\n";
    }
  }
  return table.render() + errors;
}

std::string zones_text(const Json& zones) {
  Table table{{{"ZONE"},
               {"PORTS"},
               {"INTERNET", false, 2},
               {"ROUTES", true},
               {"IN-DATAPLANE", true, 3},
               {"EXT-TABLES", true, 4},
               {"PACKETS", true},
               {"SOURCES", false, 1}}};
  for (const auto& zone : zones) {
    table.add({value_text(zone, "name"), list_text(zone.at("ports")), value_text(zone, "internet"),
               value_text(zone, "routes"), inner(zone, "table", "routes"),
               inner(zone, "table", "extension_tables"), packets(zone, "traffic"),
               list_text(zone.at("sources"))});
  }
  return table.render();
}

std::string next_hops_text(const Json& next_hops) {
  Table table{{{"NEXT-HOP"},
               {"ACTION", false, 3},
               {"ALIVE"},
               {"MEMBER"},
               {"PORT", false, 2},
               {"MAC", false, 5},
               {"STATE"},
               {"SINCE", false, 1},
               {"RTT", true, 4},
               {"FLAPS", true, 4},
               {"PACKETS", true},
               {"TO-MEMBER", true}}};
  for (const auto& next_hop : next_hops) {
    const auto& members = next_hop.at("members");
    const auto forwards = next_hop.at("action") == "forward";
    const auto unknown = next_hop.at("alive").is_null();
    const auto alive =
        forwards ? fmt::format("{}/{}", unknown ? "-" : value_text(next_hop, "alive"), members.size()) : "";
    const auto none_alive = forwards && (unknown || next_hop.at("alive") == 0);
    const auto leaves = next_hop.at("action") == "exit";
    std::vector<Cell> first{value_text(next_hop, "name"),
                            value_text(next_hop, "action"),
                            {alive, none_alive ? Tone::bad : Tone::plain}};
    for (std::size_t i = 0; i == 0 || i < members.size(); ++i) {
      auto row = i == 0 ? first : std::vector<Cell>{" ", " ", " "};
      if (i < members.size()) {
        const auto& member = members[i];
        row.emplace_back(value_text(member, "address"));
        row.emplace_back(value_text(member, "port"));
        row.emplace_back(value_text(member, "mac"));
        const auto state =
            (member.value("drained", Json{}) == true ? "drained; " : "") + value_text(member, "why");
        // What the kernel knows of it forwards nothing without a dataplane.
        row.emplace_back(state, member.at("alive") != true ? Tone::bad : unknown ? Tone::plain : Tone::good);
        row.emplace_back(date(member.value("since_unix_ms", Json{})));
        row.emplace_back(milliseconds(member.value("round_trip_us", Json{})));
        row.emplace_back(value_text(member, "flaps"));
      } else if (leaves) {
        const auto& exit = next_hop.at("exit");
        row.emplace_back(value_text(exit, "gateway"));
        row.emplace_back(value_text(exit, "port"));
        row.emplace_back("");
        row.push_back(exit_cell(next_hop));
        row.insert(row.end(), {"", "", ""});
      } else {
        row.insert(row.end(), {"", "", "", "", "", "", ""});
      }
      row.emplace_back(i == 0 ? packets(next_hop, "traffic") : " ");
      row.emplace_back(i < members.size() ? packets(members[i], "traffic") : "");
      table.add(std::move(row));
    }
  }
  return table.render();
}

std::string neighbours_text(const Json& neighbours) {
  Table table{{{"PORT"}, {"ADDRESS"}, {"MAC"}, {"STATE"}, {"NEXT-HOPS"}}};
  for (const auto& neighbour : neighbours) {
    table.add({value_text(neighbour, "port"),
               value_text(neighbour, "address"),
               value_text(neighbour, "mac"),
               {value_text(neighbour, "state"), neighbour.at("usable") == true ? Tone::good : Tone::bad},
               list_text(neighbour.at("next_hops"))});
  }
  return table.render();
}

std::string drops_text(const Json& drops) {
  if (drops.empty()) {
    return "nothing was dropped\n";
  }
  Table table{{{"PORT"}, {"BY"}, {"REASON"}, {"PACKETS", true}, {"MEANING"}}};
  for (const auto& drop : drops) {
    table.add({value_text(drop, drop.contains("interface") ? "interface" : "port"), value_text(drop, "by"),
               value_text(drop, "reason"), value_text(drop, "packets"), value_text(drop, "sentence")});
  }
  return table.render();
}

std::string last_drops_text(const Json& packets) {
  if (packets.empty()) {
    return "no packet was dropped by a worker\n";
  }
  Table table{{{"AGE", true}, {"PORT"}, {"REASON"}, {"PACKET"}}};
  for (const auto& packet : packets) {
    const auto age = packet.at("age_seconds").get<double>();
    table.add({age < 60 ? fmt::format("{:.1f} s", age) : duration(static_cast<std::uint64_t>(age)),
               value_text(packet, "port"), value_text(packet, "reason"), value_text(packet, "packet")});
  }
  return table.render();
}

std::string stats_text(const Json& stats) {
  Table table{{{"PORT"},
               {"ARRIVED", true},
               {"RX", true},
               {"GENERATED", true, 3},
               {"STEER-PASSED", true, 5},
               {"STEER-DROPPED", true, 5},
               {"STEER-BEFORE", true, 5},
               {"TX", true},
               {"HOST", true, 2},
               {"HELD", true, 4},
               {"WAITING", true, 4},
               {"DROPS", true},
               {"MISSED", true, 1}}};
  const auto add = [&](const std::string& name, const Json& account) {
    std::vector<Cell> row{name};
    for (const auto* key : {"arrived", "rx", "generated", "steer_passed", "steer_dropped", "steer_before",
                            "tx", "host", "held", "waiting", "drops", "missed"}) {
      row.emplace_back(value_text(account, key));
    }
    table.add(std::move(row));
  };
  for (const auto& port : stats.at("ports")) {
    add(value_text(port, "name"), port);
  }
  add("total", stats.at("total"));
  const auto& balance = stats.at("balance");
  const auto& total = stats.at("total");
  auto text = table.render();
  text += fmt::format(
      "\narrived {} + generated {} = tx {} + host {} + held {} + waiting {} + drops {} + missed {} + "
      "steering {}: ",
      value_text(total, "arrived"), value_text(total, "generated"), value_text(total, "tx"),
      value_text(total, "host"), value_text(total, "held"), value_text(total, "waiting"),
      value_text(total, "drops"), value_text(total, "missed"),
      total.at("steer_passed").get<std::uint64_t>() + total.at("steer_dropped").get<std::uint64_t>() +
          total.at("steer_before").get<std::uint64_t>());
  if (balance.at("adds_up") == true) {
    return text + toned("every packet is accounted for", Tone::good) + "\n";
  }
  return text +
         toned(fmt::format("DOES NOT ADD UP, {} packets are unaccounted for",
                           value_text(balance, "unaccounted")),
               Tone::bad) +
         "\n(counters are read while workers count; under traffic a burst may be counted half)\n";
}

std::string config_text(const Json& config) {
  const auto ago = [&] {
    const auto now =
        std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch());
    const auto read = config.at("read_unix_ms").get<std::int64_t>() / 1000;
    return static_cast<std::uint64_t>(std::max<std::int64_t>(now.count() - read, 0));
  };
  auto text = fmt::format("{}, read {} ago\n\n", value_text(config, "file"), duration(ago()));
  Table files{{{"FILE"}, {"SINCE-READ"}}};
  for (const auto& file : config.at("files")) {
    files.add(
        {value_text(file, "file"),
         {value_text(file, "since_read"), file.at("since_read") == "unchanged" ? Tone::good : Tone::bad}});
  }
  text += files.render();
  if (!config.at("overrides").empty()) {
    Table overrides{{{"OVERRIDE-IN"}, {"PREFIX"}, {"NEXT-HOP"}}};
    for (const auto& each : config.at("overrides")) {
      overrides.add({value_text(each, "zone"), value_text(each, "prefix"),
                     each.at("next_hop").is_null() ? "(deleted)" : value_text(each, "next_hop")});
    }
    text += "\n" + overrides.render();
  }
  const auto& reload = config.at("reload");
  if (reload.contains("refused")) {
    return text + "\n" + toned("a reload would be refused: " + value_text(reload, "refused"), Tone::bad) +
           "\n";
  }
  return text + "\na reload would change (`sekisho reload --dry-run` for the routes)\n" +
         plan_text(reload, "the files say what runs");
}

std::string packet_memory_text(const Json& memory) {
  const auto bytes = memory.at("bytes").get<std::uint64_t>();
  const auto reserved = memory.at("reserved_hugepage_bytes").get<std::uint64_t>();
  const auto transparent = memory.at("transparent_hugepage_bytes").get<std::uint64_t>();
  std::string text;
  for (const auto& [part, where] : {std::pair{reserved, "in reserved hugepages"},
                                    {transparent, "in transparent hugepages"},
                                    {bytes - reserved - transparent, "in 4 KB pages"}}) {
    if (part != 0) {
      text += fmt::format("{}{} {}", text.empty() ? "" : ", ", mebibytes(part), where);
    }
  }
  return text.empty() ? "unknown" : text;
}

// "degraded: firewall 1 of 2 alive", as the first line of whoever watches wants it.
std::string verdict_text(const Json& state) {
  const auto word = value_text(state, "verdict");
  std::string text = word;
  for (const auto& reason : state.at("reasons")) {
    text += (text == word ? ": " : "; ") + value_text(reason);
  }
  return toned(text, word == "forwarding" ? Tone::good
                     : word == "degraded" ? Tone::heading
                                          : Tone::bad) +
         "\n";
}

std::string state_text(const Json& state) {
  auto text = verdict_text(state);
  if (const auto& draining = state.at("draining"); !draining.is_null()) {
    text += toned(fmt::format("draining for {}: health probes get 503 until `sekisho undrain`",
                              duration(draining.at("seconds").get<std::uint64_t>())),
                  Tone::heading) +
            "\n";
  }
  text += "\n";
  for (const auto& problem : state.at("problems")) {
    const auto severity = value_text(problem, "severity");
    text += fmt::format("{}  {}\n{:9}-> {}\n",
                        toned(fmt::format("{:<7}", severity), severity == "bad" ? Tone::bad : Tone::heading),
                        value_text(problem, "sentence"), "", value_text(problem, "remedy"));
  }
  text += state.at("problems").empty() ? "" : "\n";
  Table table{{{"WHAT"}, {"STATE"}}};
  const auto& dataplane = state.at("dataplane");
  const auto& control = state.at("control");
  if (dataplane.at("connected") == true) {
    table.add({"dataplane", {"connected, version " + value_text(dataplane, "version"), Tone::good}});
    table.add({"dataplane uptime", duration(dataplane.at("uptime_seconds").get<std::uint64_t>())});
    table.add({"transaction", dataplane.at("transaction") == 0 ? Cell{"none yet", Tone::bad}
                                                               : Cell{value_text(dataplane, "transaction")}});
    table.add({"lcores", list_text(dataplane.at("lcores"))});
    table.add({"packet memory", packet_memory_text(dataplane.at("packet_memory"))});
    table.add({"table memory", mebibytes(dataplane.at("table_memory_bytes"))});
  } else {
    table.add({"dataplane", {"not connected", Tone::bad}});
  }
  table.add({"control", "version " + value_text(control, "version")});
  table.add({"control uptime", duration(control.at("uptime_seconds").get<std::uint64_t>())});
  table.add({"configuration", value_text(control, "configuration")});
  table.add({"ports, zones, routes",
             fmt::format("{}, {}, {}", value_text(control, "ports"), value_text(control, "zones"),
                         value_text(control, "candidate_routes"))});
  text += table.render();
  for (const auto& warning : state.at("warnings")) {
    text += "warning: " + value_text(warning) + "\n";
  }
  return text;
}

}  // namespace sekisho::cli
