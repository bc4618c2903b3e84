#include "control/kernel/guard.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "control/cli/command.hpp"
#include "control/cli/output.hpp"
#include "control/config/config.hpp"

namespace sekisho::cli {
namespace {

void print_state(const Context& context, bool on, const std::vector<std::string>& interfaces,
                 std::string_view sentence) {
  if (context.json) {
    print_json({{"guard", on ? "on" : "off"}, {"interfaces", interfaces}});
  } else {
    fmt::print("guard {}: {}\n", on ? "on" : "off", sentence);
  }
}

std::string on_sentence(const std::vector<std::string>& interfaces) {
  return fmt::format(
      "the kernel forwards nothing from or to {}",
      interfaces.empty() ? "any interface (none is named)" : fmt::format("{}", fmt::join(interfaces, ", ")));
}

Outcome status(const Context& context) {
  const auto interfaces = kernel::guard_status();
  if (!interfaces) {
    return tl::unexpected{interfaces.error()};
  }
  print_state(context, true, *interfaces, on_sentence(*interfaces));
  return {};
}

Outcome on(const Context& context, const std::string& file) {
  const auto config = config::read(file);
  if (!config) {
    return tl::unexpected{config.error().to_string()};
  }
  std::vector<std::string> interfaces;
  for (const auto& port : config->ports) {
    if (const auto netdev = port.netdev()) {
      interfaces.push_back(*netdev);
    }
  }
  // A port that runs may have left the file already.
  if (const auto guarded = kernel::guard_status()) {
    interfaces.insert(interfaces.end(), guarded->begin(), guarded->end());
  }
  std::ranges::sort(interfaces);
  interfaces.erase(std::ranges::unique(interfaces).begin(), interfaces.end());
  if (const auto done = kernel::guard_on(interfaces); !done) {
    return done;
  }
  print_state(context, true, interfaces, on_sentence(interfaces));
  return {};
}

Outcome off(const Context& context) {
  if (const auto done = kernel::guard_off(); !done) {
    return done;
  }
  print_state(context, false, {},
              "nothing keeps this kernel from forwarding in Sekisho's stead. With ip_forward=1 and a default "
              "route, transit\n"
              "traffic passes the firewall by as soon as the dataplane is down. sekisho-control puts the "
              "guard back when it\n"
              "runs; `sekisho guard on` does at once");
  return {};
}

}  // namespace

void add_guard(CLI::App& app, Context& context) {
  auto* group = app.add_subcommand(
      "guard", "The nftables table that keeps the kernel from forwarding in Sekisho's stead");
  group->require_subcommand(1);
  group->footer(
      "The guard drops, in the kernel's forward hook, all IPv4 and IPv6 from or to a Sekisho port. "
      "sekisho-control puts it\n"
      "there before any port starts; it outlives crashes and stops, and only `sekisho guard off` removes it. "
      "Needs root.\n\n"
      "Examples:\n"
      "  sekisho guard status\n"
      "  sekisho guard on --config /etc/sekisho/sekisho.toml\n");
  group->add_subcommand("status", "Say which interfaces are guarded; exit status 1 when there is no guard")
      ->callback([&context] { context.run = [&context] { return status(context); }; });
  auto file = std::make_shared<std::string>(default_configuration);
  auto* turn_on = group->add_subcommand("on", "Guard the interfaces of the configuration's ports");
  turn_on->add_option("-c,--config", *file, "The configuration")->type_name("FILE")->capture_default_str();
  turn_on->callback([&context, file] { context.run = [&context, file] { return on(context, *file); }; });
  group->add_subcommand("off", "Remove the guard: from then on the kernel may forward past the firewall")
      ->callback([&context] { context.run = [&context] { return off(context); }; });
}

}  // namespace sekisho::cli
