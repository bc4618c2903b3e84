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

std::string on_sentence(const kernel::Guard& guard) {
  if (guard.everything) {
    return "the kernel forwards nothing at all, as the configuration could not be read; `sekisho guard on` "
           "narrows it";
  }
  const auto kept = fmt::format("the kernel forwards nothing from or to {}",
                                guard.netdevs.empty() ? "any interface (none is named)"
                                                      : fmt::format("{}", fmt::join(guard.netdevs, ", ")));
  if (guard.exit.empty()) {
    return kept;
  }
  return fmt::format("{}, but for {} exception{} that leave{} masqueraded by {}", kept,
                     guard.exceptions.size(), guard.exceptions.size() == 1 ? "" : "s",
                     guard.exceptions.size() == 1 ? "s" : "", guard.exit);
}

void print_state(const Context& context, const kernel::Guard& guard) {
  if (!context.json) {
    fmt::print("guard on: {}\n", on_sentence(guard));
    return;
  }
  auto exceptions = Json::array();
  for (const auto prefix : guard.exceptions) {
    exceptions.push_back(fib::to_string(prefix));
  }
  print_json({{"guard", "on"},
              {"everything", guard.everything},
              {"interfaces", guard.netdevs},
              {"exit", guard.exit.empty() ? Json(nullptr) : Json(guard.exit)},
              {"exceptions", std::move(exceptions)}});
}

Outcome status(const Context& context) {
  const auto guard = kernel::guard_status();
  if (!guard) {
    return tl::unexpected{guard.error()};
  }
  print_state(context, *guard);
  return {};
}

// A typing error must not open the way past the firewall at the next boot.
Outcome guard_everything(const std::string& why) {
  if (kernel::guard_status()) {
    return tl::unexpected{why + "; the guard stays as it is"};
  }
  if (const auto done = kernel::guard_on({.everything = true}); !done) {
    return tl::unexpected{
        fmt::format("{}; and nothing keeps this kernel from forwarding: {}", why, done.error())};
  }
  return tl::unexpected{
      why + "; until `sekisho guard on` or sekisho-control can read it, the kernel forwards nothing at all"};
}

Outcome on(const Context& context, const std::string& file) {
  const auto config = config::read(file);
  if (!config) {
    return guard_everything(config.error().to_string());
  }
  // A port that runs may have left the file already; and what may leave by next hop `Internet` is known to
  // sekisho-control, which has read the route files.
  kernel::Guard wanted{.netdevs = config->guarded_netdevs(), .exit = {}, .exceptions = {}};
  if (const auto before = kernel::guard_status()) {
    wanted = kernel::merge(*before, wanted);
  }
  if (const auto done = kernel::guard_on(wanted); !done) {
    return done;
  }
  print_state(context, wanted);
  return {};
}

Outcome off(const Context& context) {
  if (const auto done = kernel::guard_off(); !done) {
    return done;
  }
  if (context.json) {
    print_json({{"guard", "off"},
                {"everything", false},
                {"interfaces", Json::array()},
                {"exit", nullptr},
                {"exceptions", Json::array()}});
    return {};
  }
  fmt::print(
      "guard off: nothing keeps this kernel from forwarding in Sekisho's stead. With ip_forward=1 and a "
      "default "
      "route, transit\n"
      "traffic passes the firewall by as soon as the dataplane is down. sekisho-control puts the "
      "guard back when it\n"
      "runs; `sekisho guard on` does at once\n");
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
      "Needs root.\n"
      "What next hop \"Internet\" sends out by the exit port, masqueraded, and the replies to it are the "
      "exception. "
      "`guard on`\n"
      "keeps those that are there; only sekisho-control, which reads the route files, adds any.\n"
      "When it cannot read the configuration and there is no guard yet, it fails, and the kernel forwards "
      "nothing\n"
      "at all, on no interface, until `guard on` or sekisho-control has read one.\n\n"
      "The kernel's rules and routes that sekisho-control made carry protocol 83 and stay as well: they "
      "concern "
      "only what\n"
      "comes out of sekisho0 and replies from the ports' own addresses. To remove them after sekisho-control "
      "has "
      "stopped:\n"
      "  ip rule flush protocol 83; ip route flush table all proto 83\n\n"
      "Examples:\n"
      "  sekisho guard status\n"
      "  sekisho guard on --config /etc/sekisho/sekisho.toml\n");
  group->add_subcommand("status", "Say which interfaces are guarded; exit status 1 when there is no guard")
      ->callback([&context] { context.run = [&context] { return status(context); }; });
  auto file = std::make_shared<std::string>(default_configuration);
  auto* turn_on =
      group->add_subcommand("on", "Guard the interfaces of the configuration's ports, and sekisho0");
  turn_on->add_option("-c,--config", *file, "The configuration")->type_name("FILE")->capture_default_str();
  turn_on->callback([&context, file] { context.run = [&context, file] { return on(context, *file); }; });
  group->add_subcommand("off", "Remove the guard: from then on the kernel may forward past the firewall")
      ->callback([&context] { context.run = [&context] { return off(context); }; });
}

}  // namespace sekisho::cli
