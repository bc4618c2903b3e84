// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "common/base/text.hpp"
#include "control/config/reader.hpp"

namespace sekisho::config {
namespace {

constexpr std::array<Word<Install>, 2> installs{{
    {"default", Install::default_route},
    {"halves", Install::halves},
}};
constexpr std::array<Word<Advertise>, 3> advertisements{{
    {"none", Advertise::none},
    {"default", Advertise::default_route},
    {"halves", Advertise::halves},
}};

}  // namespace

void Reader::read_internet(const SingleTable& found) {
  const Section section{*found.table, found.line, "[internet]", problems_, keys::internet};
  Internet internet;
  internet.line = found.line;
  if (const auto via = section.required_text("via")) {
    if (base::equal_without_case(via->value, leave))
      refuse(via->line, "[internet] via \"Internet\" would take everything past the firewall");
    else
      internet.via = resolve_next_hop(*via);
    if (internet.via == none)
      refuse(via->line,
             "[internet] via \"None\" would drop everything: leave \"internet\" out of the zones instead");
  }
  internet.install = section.choice("install", installs).value_or(internet.install);
  internet.advertise = section.choice("advertise", advertisements).value_or(internet.advertise);
  if (const auto asserted = section.boolean("assert"))
    internet.asserted = asserted->value;
  read_exit(section, internet);
  config_.internet = std::move(internet);
}

void Reader::read_exit(const Section& section, Internet& internet) {
  const auto* node = section.node("exit");
  if (node == nullptr)
    return;
  const auto* table = node->as_table();
  if (table == nullptr)
    return section.wrong_type(*node, "exit", "a table, { port = \"NAME\" }");
  const Section exit{*table, line_of(*node), "\"exit\"", problems_, keys::exit};
  const auto name = exit.required_text("port");
  if (!name)
    return;
  const auto port = std::ranges::find(config_.ports, name->value, &Port::name);
  if (std::ranges::find(port_names_, name->value) == port_names_.end())
    refuse(name->line, fmt::format("there is no port {}{}", base::in_quotes(name->value),
                                   base::suggestion(name->value, port_names_)));
  else if (port != config_.ports.end() && !port->has_netdev())
    refuse(name->line,
           fmt::format("port {} cannot be the exit: the kernel has no interface of it", port->name));
  internet.exit = name->value;
}

}  // namespace sekisho::config
