// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <string>

#include "control/cli/show_tables.hpp"

namespace sekisho::cli {

std::string ports_brief(const Json& ports) {
  Table table{{{"PORT"}, {"STATE"}, {"LINK"}, {"ADDRESSES"}}};
  table.omit_titles();
  for (const auto& port : ports) {
    table.add({value_text(port, "name"), running_cell(port), value_text(port, "link"),
               list_text(port.at("addresses"))});
  }
  return table.render();
}

std::string zones_brief(const Json& zones) {
  Table table{{{"ZONE"}, {"PORTS"}, {"ROUTES", true}, {"SOURCES"}}};
  table.omit_titles();
  for (const auto& zone : zones) {
    table.add({value_text(zone, "name"), list_text(zone.at("ports")), value_text(zone, "routes"),
               list_text(zone.at("sources"))});
  }
  return table.render();
}

std::string next_hops_brief(const Json& next_hops) {
  Table table{{{"NEXT-HOP"}, {"STATE"}, {"MEMBERS"}}};
  table.omit_titles();
  for (const auto& next_hop : next_hops) {
    const auto action = value_text(next_hop, "action");
    const auto& alive = next_hop.at("alive");
    if (action != "forward") {
      table.add({value_text(next_hop, "name"), action, action == "exit" ? exit_cell(next_hop) : Cell{""}});
      continue;
    }
    std::string members;
    for (const auto& member : next_hop.at("members")) {
      members += fmt::format("{}{}:{}", members.empty() ? "" : " ", value_text(member, "address"),
                             member.value("drained", false) ? "drained"
                             : alive.is_null()              ? "not known"
                             : member.at("alive") == true   ? "up"
                                                            : "DOWN");
    }
    const auto count =
        fmt::format("{}/{}", alive.is_null() ? "-" : value_text(alive), next_hop.at("members").size());
    table.add({value_text(next_hop, "name"),
               Cell{count, alive.is_null() || alive == 0 ? Tone::bad : Tone::good}, members});
  }
  return table.render();
}

}  // namespace sekisho::cli
