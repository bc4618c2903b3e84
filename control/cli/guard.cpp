// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <net/if.h>

#include <algorithm>
#include <array>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <filesystem>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "common/base/detached_read.hpp"
#include "control/cli/command.hpp"
#include "control/cli/output.hpp"
#include "control/cli/table.hpp"
#include "control/config/config.hpp"
#include "control/guard/forwarding.hpp"
#include "control/guard/ingress.hpp"
#include "control/guard/leftover.hpp"
#include "control/guard/table.hpp"
#include "control/guard/truth.hpp"
#include "control/history/store.hpp"
#include "control/netlink/netlink.hpp"

namespace sekisho::cli {
namespace {

std::string name_of(int link) {
  std::array<char, IF_NAMESIZE> name{};
  return if_indextoname(static_cast<unsigned>(link), name.data()) != nullptr ? std::string(name.data())
                                                                             : fmt::format("link {}", link);
}

std::string on_sentence(const guard::Guard& guard) {
  auto kept = guard.is_closed()
                  ? std::string("the kernel forwards nothing at all")
                  : fmt::format("the kernel forwards nothing but among {}, and nothing from or to {}",
                                fmt::join(*guard.allow, ", "), fmt::join(guard.names, ", "));
  if (guard.exit) {
    kept += fmt::format("{} {} exception{} that leave{} masqueraded by {}",
                        guard.is_closed() ? ", but for" : "; besides,", guard.exceptions.size(),
                        guard.exceptions.size() == 1 ? "" : "s", guard.exceptions.size() == 1 ? "s" : "",
                        name_of(guard.exit->out));
  }
  return kept;
}

// Each returns what the kernel refused.
std::vector<std::string> close_forwarding(const guard::Guard& wanted, netlink::Netlink& netlink) {
  for (const netlink::Link* link : guard::forwarding_links(wanted, netlink.mirror())) {
    netlink.set_forwarding(link->index, false);
  }
  std::vector<std::string> failures;
  const auto note = [&](const tl::expected<void, std::string>& done) {
    if (!done) {
      failures.push_back(done.error());
    }
  };
  if (guard::new_links_forward(wanted, netlink.mirror())) {
    note(guard::close_new_links());
  }
  if (guard::ipv6_forwards(wanted)) {
    note(guard::close_ipv6());
  }
  return failures;
}

// A program that is there belongs to sekisho-control, which keeps its addresses.
std::vector<std::string> close_ingress(const guard::Guard& wanted, const netlink::Mirror& mirror) {
  std::vector<std::string> failures;
  std::unique_ptr<guard::Ingress> ingress;
  for (const netlink::Link* link : guard::ingress_links(wanted, mirror)) {
    if (guard::has_ingress(link->index)) {
      continue;
    }
    if (!ingress) {
      auto loaded = guard::Ingress::load(guard::Ingress::Addresses::as_they_are);
      if (!loaded) {
        return {loaded.error()};
      }
      ingress = std::move(*loaded);
      if (const auto told = ingress->set_addresses(guard::host_addresses(mirror)); !told) {
        failures.push_back(told.error());
      }
    }
    if (const auto done = ingress->attach(link->index); !done) {
      failures.push_back(fmt::format("{}: {}", link->name, done.error()));
    }
  }
  return failures;
}

std::string_view steering_word(const guard::PortLocks& locks) {
  return !locks.is_steered ? "-" : *locks.is_steered ? "on" : "off";
}

std::vector<std::string> problems_of(const guard::Truth& truth) {
  auto problems = guard::problems(truth);
  problems.insert(problems.end(), truth.absent.begin(), truth.absent.end());
  return problems;
}

Json ports_json(const std::vector<guard::PortLocks>& ports) {
  auto result = Json::array();
  for (const auto& locks : ports) {
    result.push_back({{"port", locks.port},
                      {"interface", locks.interface.empty() ? Json(nullptr) : Json(locks.interface)},
                      {"exit", locks.is_exit},
                      {"steering", locks.is_steered ? Json(*locks.is_steered) : Json(nullptr)},
                      {"tc", locks.has_ingress},
                      {"forwarding", locks.forwards}});
  }
  return result;
}

Json state_json(const guard::Truth& truth) {
  const auto guard = truth.table.value_or(guard::Guard{});
  auto exceptions = Json::array();
  for (const auto prefix : guard.exceptions) {
    exceptions.push_back(base::to_string(prefix));
  }
  auto stations = Json::array();
  for (const auto& mac : guard.stations) {
    stations.push_back(base::mac_to_string(mac));
  }
  return {{"guard", truth.table ? "on" : "off"},
          {"scope", guard.is_whole_host() ? "host" : "ports"},
          {"everything", truth.table && guard.is_closed()},
          {"interfaces", guard.names},
          {"links", guard.links},
          {"macs", std::move(stations)},
          {"allow", guard.allow.value_or(std::set<std::string>{})},
          {"exit", guard.exit ? Json(name_of(guard.exit->out)) : Json(nullptr)},
          {"exceptions", std::move(exceptions)},
          {"ports", ports_json(truth.ports)},
          {"forwarding", truth.forwarding},
          {"new_interfaces_forward", truth.new_links_forward},
          {"ipv6_forwards", truth.ipv6_forwards},
          {"problems", problems_of(truth)}};
}

void print_state(const Context& context, const guard::Truth& truth) {
  if (context.json) {
    print_json(state_json(truth));
    return;
  }
  if (truth.table) {
    fmt::print("guard on: {}\n", on_sentence(*truth.table));
  }
  if (truth.ports.empty()) {
    return;
  }
  Table table({{"PORT"}, {"INTERFACE"}, {"NFTABLES"}, {"STEERING"}, {"TC"}, {"FORWARDING"}});
  for (const auto& locks : truth.ports) {
    if (locks.interface.empty()) {
      table.add({locks.port, "not there", truth.table ? "closed" : "open", "", "", ""});
      continue;
    }
    table.add({locks.port, locks.interface, truth.table ? "closed" : "open",
               std::string{steering_word(locks)}, locks.has_ingress ? "on" : "off",
               locks.forwards ? locks.is_exit ? "on (exit)" : "on" : "off"});
  }
  fmt::print("{}", table.render());
}

tl::expected<std::unique_ptr<netlink::Netlink>, std::string> look_at_links() {
  static boost::asio::io_context io;  // nothing runs on it: the first look is all that is wanted
  return netlink::Netlink::open(io, [] {});
}

std::string sentence(const std::vector<std::string>& problems) {
  return fmt::format("{}", fmt::join(problems, "; "));
}

Outcome status(const Context& context, const history::Starting& from) {
  const auto config = config::read_within(std::chrono::seconds{5}, from.config, from.root);
  const auto netlink = look_at_links();
  if (!netlink) {
    return tl::unexpected{netlink.error()};
  }
  auto truth = guard::ask(config.value_or(config::Config{}), (*netlink)->mirror());
  if (!config) {
    // Whatever the scope, what is there is said; which ports there should be is not known.
    truth.problems.clear();
    truth.unsteered.clear();
    truth.absent.clear();
    if (!truth.table) {
      truth.problems.push_back(truth.table.error());
    }
    truth.problems.push_back(config.error().to_string());
  }
  print_state(context, truth);
  const auto problems = problems_of(truth);
  return problems.empty() ? Outcome{} : tl::unexpected{sentence(problems)};
}

// The package's configuration has the package's history. What cannot be looked at names no other.
history::Starting started(const std::string& file, std::string state_directory) {
  if (state_directory.empty() && file == default_configuration) {
    state_directory = default_state_directory;
  }
  if (state_directory.empty()) {
    return {.config = file};
  }
  const auto look = [=]() -> tl::expected<history::Starting, base::Error> {
    return history::configuration_that_starts(state_directory, file);
  };
  return base::within(std::chrono::seconds{5}, state_directory, look)
      .value_or(history::Starting{.config = file});
}

// A typing error must not open the way past the firewall at the next boot.
Outcome guard_everything(const std::string& why) {
  if (guard::installed()) {
    return tl::unexpected{why + "; the guard stays as it is"};
  }
  const auto done = guard::install(guard::remembered());
  if (!done) {
    return tl::unexpected{
        fmt::format("{}; and nothing keeps this kernel from forwarding: {}", why, done.error())};
  }
  if (const auto netlink = look_at_links()) {
    close_forwarding({}, **netlink);
  }
  return tl::unexpected{
      why + "; until `sekisho guard on` or sekisho-control can read it, the kernel forwards nothing at all"};
}

Outcome on(const Context& context, const history::Starting& from) {
  // A mount that hangs must not keep everything open.
  const auto config = config::read_within(std::chrono::seconds{5}, from.config, from.root);
  if (!config) {
    return guard_everything(config.error().to_string());
  }
  const auto netlink = look_at_links();
  if (!netlink) {
    return guard_everything(netlink.error());
  }
  const auto& mirror = (*netlink)->mirror();
  // What may leave by next hop `Internet` is known to sekisho-control, which has read the route files.
  auto wanted = guard::ports_of(*config, mirror);
  if (auto before = guard::installed()) {
    before->allow = wanted.allow;
    wanted = guard::merge(*before, wanted);
  } else {
    wanted = guard::remember(guard::remembered(), wanted);
  }
  wanted = guard::follow(std::move(wanted), mirror);
  if (const auto done = guard::install(wanted); !done) {
    return done;
  }
  // Each lock by itself: what one of them lacks keeps none of the others away.
  std::vector<std::string> failures = close_forwarding(wanted, **netlink);
  std::ranges::copy(close_ingress(wanted, mirror), std::back_inserter(failures));
  const auto now = look_at_links();
  print_state(context, guard::ask(*config, (now ? **now : **netlink).mirror()));
  return failures.empty() ? Outcome{} : tl::unexpected{sentence(failures)};
}

Outcome off(const Context& context) {
  const auto netlink = look_at_links();
  if (!netlink) {
    return tl::unexpected{netlink.error()};
  }
  if (const auto done = guard::remove(); !done) {
    return done;
  }
  const auto removed = guard::remove_programs((*netlink)->mirror());
  if (!removed) {
    return tl::unexpected{removed.error()};
  }
  if (context.json) {
    print_json({{"guard", "off"},
                {"tc_removed", removed->ingress},
                {"steering_removed", removed->steering},
                {"steering_kept", removed->steered}});
    return {};
  }
  fmt::print(
      "guard off: nothing keeps this kernel from forwarding in Sekisho's stead. With ip_forward=1 and a "
      "default "
      "route, transit\n"
      "traffic passes the firewall by as soon as the dataplane is down. sekisho-control puts the "
      "guard back when it\n"
      "runs; `sekisho guard on` does at once. Forwarding stays off: `sysctl -w "
      "net.ipv4.ip_forward=1`\n"
      "switches it on at every interface, net.ipv6.conf.all.forwarding=1 for IPv6.\n");
  if (!removed->steered.empty()) {
    fmt::print("A living dataplane keeps its steering program on {}.\n", fmt::join(removed->steered, ", "));
  }
  return {};
}

}  // namespace

void add_guard(CLI::App& app, Context& context) {
  auto* group =
      app.add_subcommand("guard", "The locks that keep the kernel from forwarding in Sekisho's stead");
  group->require_subcommand(1);
  group->footer(
      "Four locks, each of which is enough alone:\n"
      "  nftables    the table `inet sekisho` closes the forward hook, for IPv4 and IPv6, on the whole host\n"
      "  steering    the dataplane's XDP program on an AF_XDP port, which stays when the dataplane is gone\n"
      "  tc          a program on each port's interface passes ARP and IPv4 to this host's addresses alone\n"
      "  forwarding  net.ipv4.conf.*.forwarding is 0 but for the exit port and sekisho0, and\n"
      "              net.ipv6.conf.all.forwarding\n"
      "`guard on` closes all but steering for what is there, sekisho-control does so before any port starts "
      "and "
      "puts back\n"
      "what somebody removes. They outlive crashes and stops; only `sekisho guard off` removes them (but "
      "leaves "
      "forwarding\n"
      "as it is). Needs root.\n"
      "What next hop \"Internet\" sends out by the exit port, masqueraded, and the replies to it are the "
      "exception. "
      "`guard on`\n"
      "keeps those that are there; only sekisho-control, which reads the route files, adds any.\n"
      "A host that forwards for others too (containers, say) has [guard] scope = \"ports\" and allow = [...] "
      "in "
      "its\n"
      "configuration: the kernel forwards among the interfaces of `allow`, and nothing from or to what is or "
      "ever "
      "was a port,\n"
      "known by index, MAC and name. While the interface of a configured port is missing, it forwards "
      "nothing at "
      "all.\n"
      "When `guard on` cannot read the configuration it fails; a guard that is there stays as it is, and "
      "where "
      "there is none\n"
      "the kernel forwards nothing at all until `guard on` or sekisho-control has read one.\n\n"
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
  auto file = std::make_shared<std::string>(default_configuration);
  auto state = std::make_shared<std::string>();
  const auto add = [&](const char* name, const char* what,
                       Outcome (*run)(const Context&, const history::Starting&)) {
    auto* command = group->add_subcommand(name, what);
    command->add_option("-c,--config", *file, "The configuration")->type_name("FILE")->capture_default_str();
    command
        ->add_option(
            "--state-directory", *state,
            "sekisho-control's: of a policy that it would start instead of the configuration, that one's")
        ->type_name("DIRECTORY");
    command->callback([&context, file, state, run] {
      context.run = [&context, file, state, run] { return run(context, started(*file, *state)); };
    });
  };
  add("status", "Say which locks hold, asked of the kernel; exit status 1 when one is missing", status);
  add("on", "Close the locks, as [guard] and the ports of the configuration say", on);
  group->add_subcommand("off", "Remove the locks: from then on the kernel may forward past the firewall")
      ->callback([&context] { context.run = [&context] { return off(context); }; });
}

}  // namespace sekisho::cli
