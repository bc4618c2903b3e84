#include <fmt/format.h>
#include <fmt/ranges.h>
#include <net/if.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "control/cli/command.hpp"
#include "control/cli/output.hpp"
#include "control/config/config.hpp"
#include "control/guard/table.hpp"
#include "control/kernel/netlink.hpp"

namespace sekisho::cli {
namespace {

std::string name_of(int link) {
  std::array<char, IF_NAMESIZE> name{};
  return if_indextoname(static_cast<unsigned>(link), name.data()) != nullptr ? std::string(name.data())
                                                                             : fmt::format("link {}", link);
}

std::string on_sentence(const guard::Guard& guard) {
  auto kept = guard.allow.empty()
                  ? std::string("the kernel forwards nothing at all")
                  : fmt::format("the kernel forwards nothing but among {}, and nothing from or to {}",
                                fmt::join(guard.allow, ", "), fmt::join(guard.names, ", "));
  if (guard.exit) {
    kept += fmt::format("{} {} exception{} that leave{} masqueraded by {}",
                        guard.allow.empty() ? ", but for" : "; besides,", guard.exceptions.size(),
                        guard.exceptions.size() == 1 ? "" : "s", guard.exceptions.size() == 1 ? "s" : "",
                        name_of(guard.exit->out));
  }
  return kept;
}

Json state_json(std::string_view state, const guard::Guard& guard) {
  auto exceptions = Json::array();
  for (const auto prefix : guard.exceptions) {
    exceptions.push_back(fib::to_string(prefix));
  }
  auto stations = Json::array();
  for (const auto& mac : guard.stations) {
    stations.push_back(fmt::format("{:02x}", fmt::join(mac, ":")));
  }
  return {{"guard", state},
          {"everything", state == "on" && guard.allow.empty()},
          {"interfaces", guard.names},
          {"links", guard.links},
          {"macs", std::move(stations)},
          {"allow", guard.allow},
          {"exit", guard.exit ? Json(name_of(guard.exit->out)) : Json(nullptr)},
          {"exceptions", std::move(exceptions)}};
}

void print_state(const Context& context, const guard::Guard& guard) {
  if (context.json) {
    print_json(state_json("on", guard));
  } else {
    fmt::print("guard on: {}\n", on_sentence(guard));
  }
}

Outcome status(const Context& context) {
  const auto guard = guard::installed();
  if (!guard) {
    return tl::unexpected{guard.error()};
  }
  print_state(context, *guard);
  return {};
}

// A typing error must not open the way past the firewall at the next boot.
Outcome guard_everything(const std::string& why) {
  if (guard::installed()) {
    return tl::unexpected{why + "; the guard stays as it is"};
  }
  if (const auto done = guard::install({}); !done) {
    return tl::unexpected{
        fmt::format("{}; and nothing keeps this kernel from forwarding: {}", why, done.error())};
  }
  return tl::unexpected{
      why + "; until `sekisho guard on` or sekisho-control can read it, the kernel forwards nothing at all"};
}

Outcome on(const Context& context, const std::string& file) {
  // A mount that hangs must not keep everything open.
  const auto config = config::read_within(std::chrono::seconds{5}, file);
  if (!config) {
    return guard_everything(config.error().to_string());
  }
  boost::asio::io_context io;
  const auto netlink = kernel::Netlink::open(io, [] {});
  if (!netlink) {
    return guard_everything(netlink.error());
  }
  // What may leave by next hop `Internet` is known to sekisho-control, which has read the route files.
  auto wanted = guard::ports_of(*config, (*netlink)->mirror());
  if (auto before = guard::installed()) {
    before->allow = wanted.allow;
    wanted = guard::merge(*before, wanted);
  } else {
    wanted = guard::remember(guard::remembered(), wanted);
  }
  if (const auto done = guard::install(wanted); !done) {
    return done;
  }
  print_state(context, wanted);
  return {};
}

Outcome off(const Context& context) {
  if (const auto done = guard::remove(); !done) {
    return done;
  }
  if (context.json) {
    print_json(state_json("off", {}));
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
      "The guard closes the kernel's forward hook, for IPv4 and IPv6, on the whole host: whatever interfaces "
      "are called, the\n"
      "kernel forwards nothing. sekisho-control puts it there before any port starts; it outlives crashes "
      "and "
      "stops, and only\n"
      "`sekisho guard off` removes it. Needs root.\n"
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
  group->add_subcommand("status", "Say what the kernel may forward; exit status 1 when there is no guard")
      ->callback([&context] { context.run = [&context] { return status(context); }; });
  auto file = std::make_shared<std::string>(default_configuration);
  auto* turn_on = group->add_subcommand("on", "Close the forward hook, as [guard] of the configuration says");
  turn_on->add_option("-c,--config", *file, "The configuration")->type_name("FILE")->capture_default_str();
  turn_on->callback([&context, file] { context.run = [&context, file] { return on(context, *file); }; });
  group->add_subcommand("off", "Remove the guard: from then on the kernel may forward past the firewall")
      ->callback([&context] { context.run = [&context] { return off(context); }; });
}

}  // namespace sekisho::cli
