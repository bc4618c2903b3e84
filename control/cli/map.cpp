// SPDX-License-Identifier: BSD-3-Clause
#include "control/cli/map.hpp"

#include <fmt/format.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "control/cli/client.hpp"
#include "control/cli/command.hpp"
#include "control/cli/output.hpp"
#include "control/cli/show_tables.hpp"

namespace sekisho::cli {
namespace {

using Kind = Box::Kind;
using State = Box::State;

State good_if(bool is_good) {
  return is_good ? State::good : State::bad;
}

std::string since(const Json& object) {
  const auto when = date(object.value("since_unix_ms", Json{}));
  return when.empty() ? std::string{} : " since " + when;
}

class Drawing {
 public:
  Map map;

  void add_state(const Json& state) {
    const auto word = value_text(state, "verdict");
    map.verdict = good_if(word == "forwarding");
    map.title = word;
    for (const auto& reason : state.at("reasons")) {
      map.title += (map.title == word ? ": " : "; ") + value_text(reason);
    }
  }

  void add_ports(const Json& ports) {
    for (const auto& port : ports) {
      auto state = running_cell(port).text;
      const bool runs = port.at("running") == true;
      const auto link = value_text(port, "link");
      Box box{
          Kind::port, good_if(runs && link != "down" && link != "missing"), value_text(port, "name"), {}, {}};
      if (!link.empty()) {
        state += ", link " + link;
      }
      box.lines.push_back(std::move(state));
      if (const auto error = value_text(port, "error"); !error.empty()) {
        box.lines.push_back(error);
      }
      if (!port.at("addresses").empty()) {
        box.lines.push_back(list_text(port.at("addresses")));
      }
      const auto name = box.name;
      ports_[name] = add(std::move(box));
    }
  }

  void add_next_hops(const Json& next_hops) {
    for (const auto& next_hop : next_hops) {
      const auto action = value_text(next_hop, "action");
      if (action == "forward") {
        add_group(next_hop);
      } else if (action == "exit") {
        add_exit(next_hop);
      }
    }
  }

  void add_zones(const Json& zones) {
    for (const auto& zone : zones) {
      Box box{Kind::zone, State::plain, value_text(zone, "name"), {}, {}};
      box.lines.push_back("from " + list_text(zone.at("sources")));
      box.lines.push_back(value_text(zone, "routes") + " routes");
      if (const auto via = value_text(zone, "via"); !via.empty()) {
        box.lines.back() += ", default by " + via;
        if (const auto found = next_hops_.find(via); found != next_hops_.end()) {
          box.leads_to.push_back(found->second);
        }
      }
      for (const auto& port : zone.at("ports")) {
        if (const auto found = ports_.find(value_text(port)); found != ports_.end()) {
          box.leads_to.push_back(found->second);
        }
      }
      add(std::move(box));
    }
  }

  void add_bgp(const Json& bgp) {
    if (bgp.at("configured") != true) {
      return;
    }
    for (const auto& session : bgp.at("sessions")) {
      Box box{Kind::peer, good_if(session.at("established") == true), value_text(session, "peer"), {}, {}};
      box.lines.push_back("AS " + value_text(session, "asn") + ", " + value_text(session, "state") +
                          since(session));
      box.lines.push_back("told " + list_text(session.at("advertised")) + ", received " +
                          value_text(session, "prefixes_received"));
      add(std::move(box));
    }
  }

 private:
  std::size_t add(Box box) {
    map.boxes.push_back(std::move(box));
    return map.boxes.size() - 1;
  }

  void lead_to_port(Box& box, const Json& port) {
    if (const auto found = ports_.find(value_text(port)); found != ports_.end()) {
      box.leads_to.push_back(found->second);
    }
  }

  void add_group(const Json& next_hop) {
    const auto& members = next_hop.at("members");
    const auto& alive = next_hop.at("alive");
    Box group{Kind::next_hop, good_if(!alive.is_null() && alive != 0), value_text(next_hop, "name"), {}, {}};
    group.lines.push_back(
        fmt::format("{} of {} alive", alive.is_null() ? "?" : value_text(alive), members.size()));
    for (const auto& member : members) {
      // What the kernel knows of it forwards nothing without a dataplane.
      const auto state = alive.is_null() ? State::plain : good_if(member.at("alive") == true);
      Box box{Kind::member, state, value_text(member, "address"), {}, {}};
      const bool is_drained = member.value("drained", false);
      box.lines.push_back((is_drained ? "drained; " : "") + value_text(member, "why") + since(member));
      if (const auto port = value_text(member, "port"); !port.empty()) {
        box.lines.push_back("by port " + port);
        lead_to_port(box, member.at("port"));
      }
      group.leads_to.push_back(add(std::move(box)));
    }
    const auto name = group.name;
    next_hops_[name] = add(std::move(group));
  }

  void add_exit(const Json& next_hop) {
    const auto& exit = next_hop.at("exit");
    const bool is_ready = exit.at("ready") == true && !next_hop.at("alive").is_null();
    Box box{Kind::next_hop, good_if(is_ready), value_text(next_hop, "name"), {}, {}};
    box.lines.push_back("exit by port " + value_text(exit, "port") + ": " + exit_cell(next_hop).text);
    lead_to_port(box, exit.at("port"));
    const auto name = box.name;
    next_hops_[name] = add(std::move(box));
  }

  std::map<std::string, std::size_t> ports_;
  std::map<std::string, std::size_t> next_hops_;
};

auto ask_map(Context& context) -> tl::expected<Map, std::string> {
  const auto client = Client::connect(context.socket);
  if (!client) {
    return tl::unexpected{client.error()};
  }
  Drawing drawing;
  for (const auto& [what, add] : {std::pair{"state", &Drawing::add_state},
                                  {"ports", &Drawing::add_ports},
                                  {"next-hops", &Drawing::add_next_hops},
                                  {"zones", &Drawing::add_zones},
                                  {"bgp", &Drawing::add_bgp}}) {
    const auto told = (*client)->ask({{"command", "show"}, {"what", what}});
    if (!told) {
      return tl::unexpected{told.error()};
    }
    (drawing.*add)(*told);
  }
  tell_problem(context, **client);
  return std::move(drawing.map);
}

}  // namespace

void add_map(CLI::App& app, Context& context) {
  auto format = std::make_shared<std::string>("text");
  auto* command = app.add_subcommand(
      "map", "Draw the appliance: zones, ports, next hops and members with their state, BGP peers");
  command->add_option("--format", *format, "As what: text of 80 columns, an SVG picture, a graph for dot(1)")
      ->check(CLI::IsMember({"text", "svg", "dot"}))
      ->capture_default_str();
  command->footer(
      "For a ticket, or a look: everything is asked of sekisho-control at this moment. State is written as a "
      "word, too,\n"
      "not by colour alone. --json gives the boxes, and by their numbers what each leads to.\n\n"
      "Examples:\n"
      "  sekisho map\n"
      "  sekisho map --format svg >appliance.svg\n"
      "  sekisho map --format dot | dot -Tpng >appliance.png\n");
  command->callback([&context, format] {
    context.run = [&context, format]() -> Outcome {
      const auto map = ask_map(context);
      if (!map) {
        return tl::unexpected{map.error()};
      }
      if (context.json) {
        print_json(map_json(*map));
      } else {
        fmt::print("{}", *format == "svg"   ? map_svg(*map)
                         : *format == "dot" ? map_dot(*map)
                                            : map_text(*map));
      }
      return {};
    };
  });
}

}  // namespace sekisho::cli
