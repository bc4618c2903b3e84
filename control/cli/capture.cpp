// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "control/capture/filter.hpp"
#include "control/cli/capture_sink.hpp"
#include "control/cli/command.hpp"
#include "control/cli/dataplane_socket.hpp"
#include "control/cli/look.hpp"

namespace sekisho::cli {
namespace {

struct CaptureOptions {
  std::string dataplane_socket;  // empty: the usual one
  std::vector<std::string> ports;
  std::vector<std::string> directions;
  std::string filter;
  std::string file;         // empty: as text; "-": standard output
  std::uint64_t count = 0;  // 0: no limit
  double seconds = 0;       // 0: no limit
  std::uint64_t megabytes = 100;
  std::uint32_t snap_length = 2'048;
};

auto request_of(const CaptureOptions& options) -> tl::expected<ipc::Capture, std::string> {
  ipc::Capture wanted;
  wanted.mutable_ports()->Add(options.ports.begin(), options.ports.end());
  const auto has = [&](std::string_view direction) {
    return options.directions.empty() ||
           std::ranges::find(options.directions, direction) != options.directions.end();
  };
  wanted.set_received(has("rx"));
  wanted.set_sent(has("tx"));
  wanted.set_dropped(has("drop"));
  wanted.set_snap_length(options.snap_length);
  if (!options.filter.empty()) {
    const auto filter = capture::compile_filter(options.filter);
    if (!filter) {
      return tl::unexpected{filter.error()};
    }
    wanted.mutable_filter()->Add(filter->begin(), filter->end());
  }
  return wanted;
}

Outcome run_capture(const Context& context, const CaptureOptions& options) {
  const auto wanted = request_of(options);
  if (!wanted) {
    return tl::unexpected{wanted.error()};
  }
  return look(dataplane_socket(options.dataplane_socket), *wanted,
              {.count = options.count, .seconds = options.seconds, .bytes = options.megabytes * 1'000'000},
              {.now = "capturing", .then = "captured"},
              [&]() -> tl::expected<std::unique_ptr<CaptureSink>, std::string> {
                return options.file.empty() ? line_sink(context.json)
                                            : file_sink(options.file, options.snap_length);
              });
}

}  // namespace

void add_capture(CLI::App& app, Context& context) {
  auto options = std::make_shared<CaptureOptions>();
  auto* command = app.add_subcommand(
      "capture", "Packets as they pass, as lines or as a pcapng file for Wireshark and tcpdump");
  command->add_option("--port", options->ports, "Only of this port; may be given more than once")
      ->type_name("PORT");
  command
      ->add_option(
          "--direction", options->directions,
          "rx: as workers receive them, tx: as devices have taken them, drop: as they were dropped; may be "
          "given more than once; all without it")
      ->type_name("rx|tx|drop")
      ->check(CLI::IsMember({"rx", "tx", "drop"}));
  command
      ->add_option("--filter", options->filter,
                   "Only frames that match, as tcpdump(8) takes it: \"host 10.0.0.1 and tcp port 443\"")
      ->type_name("EXPRESSION");
  command
      ->add_option("-w,--write", options->file,
                   "Write pcapng to this file, which is replaced; -: to standard output")
      ->type_name("FILE");
  command->add_option("-n,--count", options->count, "End after so many packets")
      ->type_name("N")
      ->check(CLI::PositiveNumber);
  command->add_option("--seconds", options->seconds, "End after so long")
      ->type_name("SECONDS")
      ->check(CLI::Range(0.001, 1e9));
  command->add_option("--megabytes", options->megabytes, "End when the file has so many")
      ->type_name("N")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  command->add_option("--snap-length", options->snap_length, "Bytes that are kept of a frame")
      ->type_name("BYTES")
      ->check(CLI::Range(1, 9'216))
      ->capture_default_str();
  add_dataplane_socket(*command, options->dataplane_socket);
  command->footer(
      "Asks the dataplane itself, and needs no sekisho-control. One capture or trace at a time. A packet "
      "that is "
      "forwarded is "
      "shown\n"
      "twice, as it came and as it went. Workers copy packets and wait for nobody: what is read too slowly "
      "is "
      "lost, and\n"
      "counted. Of an AF_XDP port, what its steering program leaves to the kernel (ARP, say) comes to no "
      "worker: "
      "tcpdump\n"
      "shows it on the interface. A dropped packet's comment is the reason. --json prints an object a "
      "line.\n\n"
      "Examples:\n"
      "  sekisho capture --direction drop\n"
      "  sekisho capture --port lan --filter 'host 172.16.0.10 and tcp' -n 20\n"
      "  sekisho capture -w - | wireshark -k -i -\n"
      "  sekisho capture -w - --filter icmp | tcpdump -n -r -\n");
  command->callback(
      [&context, options] { context.run = [&context, options] { return run_capture(context, *options); }; });
}

}  // namespace sekisho::cli
