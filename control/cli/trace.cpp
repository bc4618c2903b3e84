// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "control/capture/filter.hpp"
#include "control/cli/command.hpp"
#include "control/cli/dataplane_socket.hpp"
#include "control/cli/look.hpp"
#include "control/cli/trace_sink.hpp"

namespace sekisho::cli {
namespace {

struct TraceOptions {
  std::string dataplane_socket;  // empty: the usual one
  std::vector<std::string> ports;
  std::string drop;
  std::string source;
  std::string destination;
  std::uint64_t count = 10;
  double seconds = 0;  // 0: no limit
  bool follow = false;
};

// As tcpdump would have it, of frames with a priority tag too, which are traffic without a VLAN; empty: all packets.
std::string filter_of(const TraceOptions& options) {
  std::string filter;
  const auto add = [&](std::string_view direction, const std::string& prefix) {
    if (!prefix.empty()) {
      filter += fmt::format("{}ip and {} net {}", filter.empty() ? "" : " and ", direction, prefix);
    }
  };
  add("src", options.source);
  add("dst", options.destination);
  return filter.empty() ? filter : fmt::format("({0}) or (vlan and {0})", filter);
}

Outcome run_trace(const Context& context, const TraceOptions& options) {
  ipc::Capture wanted;
  wanted.mutable_ports()->Add(options.ports.begin(), options.ports.end());
  wanted.set_judged(true);
  wanted.set_judged_reason(options.drop);
  constexpr std::uint32_t kept = 128;  // both headers with all their options
  wanted.set_snap_length(kept);
  if (const auto expression = filter_of(options); !expression.empty()) {
    const auto filter = capture::compile_filter(expression);
    if (!filter) {
      return tl::unexpected{filter.error()};
    }
    wanted.mutable_filter()->Add(filter->begin(), filter->end());
  }
  return look(dataplane_socket(options.dataplane_socket), wanted,
              {.count = options.follow ? 0 : options.count, .seconds = options.seconds},
              {.now = "tracing", .then = "traced"}, [&] { return trace_sink(context.json); });
}

}  // namespace

void add_trace(CLI::App& app, Context& context) {
  auto options = std::make_shared<TraceOptions>();
  auto* command = app.add_subcommand(
      "trace", "Packets with what the dataplane decided about each: zone, route, member, verdict and why");
  command
      ->add_option("--drop", options->drop,
                   "Only packets that are dropped for this; `sekisho show drops --all` lists the reasons")
      ->type_name("REASON")
      ->check(is_drop_reason());
  command->add_option("--source", options->source, "Only packets of this address or prefix")
      ->type_name("PREFIX")
      ->check(is_address_or_prefix());
  command->add_option("--destination", options->destination, "Only packets to this address or prefix")
      ->type_name("PREFIX")
      ->check(is_address_or_prefix());
  command
      ->add_option("--port", options->ports, "Only what comes in by this port; may be given more than once")
      ->type_name("PORT");
  auto* follow = command->add_flag("--follow", options->follow, "Go on until ^C instead");
  command->add_option("-n,--count", options->count, "End after so many packets")
      ->type_name("N")
      ->check(CLI::PositiveNumber)
      ->capture_default_str()
      ->excludes(follow);
  command->add_option("--seconds", options->seconds, "End after so long")
      ->type_name("SECONDS")
      ->check(CLI::Range(0.001, 1e9));
  add_dataplane_socket(*command, options->dataplane_socket);
  command->footer(
      "Asks the dataplane itself, and needs no sekisho-control. One trace or capture at a time. Shown is "
      "what the worker\n"
      "decided when it had the packet, which is not decided anew: first the packet as it came, then the "
      "stage that had it\n"
      "last, its zone with the prefix that makes the source the zone's, its next hop with the route that "
      "covers the\n"
      "destination, the port and the member that its flow takes, and what became of it. A prefix is left "
      "out when it leads\n"
      "elsewhere by the time it is shown. A packet that waits for its neighbour's address is shown again, "
      "by stage waiting,\n"
      "when it goes on. Workers wait for nobody: what is read too slowly is lost, and counted. Of an AF_XDP "
      "port, what its\n"
      "steering program leaves to the kernel (packets for its own addresses, ARP) comes to no worker. "
      "--json prints an\n"
      "object a line.\n\n"
      "Examples:\n"
      "  sekisho trace\n"
      "  sekisho trace --drop spoofed_source --follow\n"
      "  sekisho trace --source 172.16.0.10 --destination 1.1.1.0/24 -n 1 --json | jq .member\n");
  command->callback(
      [&context, options] { context.run = [&context, options] { return run_trace(context, *options); }; });
}

}  // namespace sekisho::cli
