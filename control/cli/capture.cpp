// SPDX-License-Identifier: BSD-3-Clause
#include <fmt/format.h>
#include <poll.h>
#include <sys/signalfd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <memory>
#include <string>
#include <vector>

#include "common/base/fd.hpp"
#include "control/capture/filter.hpp"
#include "control/capture/stream.hpp"
#include "control/cli/capture_sink.hpp"
#include "control/cli/command.hpp"

namespace sekisho::cli {
namespace {

using Clock = std::chrono::steady_clock;

struct CaptureOptions {
  std::string dataplane_socket = "/run/sekisho/dataplane.sock";
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

class Captured {
 public:
  Captured(const CaptureOptions& options, capture::Stream& stream, CaptureSink& sink)
      : options_{options}, stream_{stream}, sink_{sink} {}

  // Until a limit, a signal or the reader ends it. An error: the dataplane did, or what was captured cannot be written.
  Outcome run(int signals) {
    using Seconds = std::chrono::duration<double>;
    const auto end =
        options_.seconds == 0
            ? Clock::time_point::max()
            : Clock::now() + std::chrono::duration_cast<Clock::duration>(Seconds{options_.seconds});
    Outcome outcome;
    while (goes_on_ && outcome && Clock::now() < end) {
      std::array<pollfd, 3> events{pollfd{signals, POLLIN, 0}, pollfd{stream_.descriptor(), POLLIN, 0},
                                   pollfd{sink_.descriptor(), 0, 0}};
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now());
      const auto patience = std::min<std::int64_t>(options_.seconds == 0 ? -1 : left.count(), 3'600'000);
      ::poll(events.data(), events.size(), static_cast<int>(patience));
      if (events[0].revents != 0 || (events[2].revents & (POLLERR | POLLHUP)) != 0) {
        break;
      }
      if (events[1].revents != 0) {
        outcome = take();
      }
    }
    sink_.end(lost_);
    const auto written = sink_.flush();
    return outcome ? written : outcome;
  }
  [[nodiscard]] std::uint64_t count() const { return count_; }
  [[nodiscard]] std::uint64_t lost() const { return lost_; }

 private:
  Outcome take() {
    if (auto filled = stream_.fill(); !filled) {
      return filled;
    }
    while (goes_on_) {
      const auto answer = stream_.take();
      if (!answer) {
        return tl::unexpected{answer.error()};
      }
      if (!*answer) {
        break;
      }
      add(**answer);
    }
    return sink_.flush();
  }
  void add(const ipc::Captured& answer) {
    lost_ = answer.lost();
    for (const auto& packet : answer.packets()) {
      if (!goes_on_) {
        break;
      }
      sink_.add(packet, answer.port_names(static_cast<int>(packet.port())));
      ++count_;
      goes_on_ =
          (options_.count == 0 || count_ < options_.count) && sink_.bytes() < options_.megabytes * 1'000'000;
    }
  }

  const CaptureOptions& options_;
  capture::Stream& stream_;
  CaptureSink& sink_;
  std::uint64_t count_ = 0;
  std::uint64_t lost_ = 0;
  bool goes_on_ = true;
};

Outcome run_capture(const Context& context, const CaptureOptions& options) {
  const auto wanted = request_of(options);
  if (!wanted) {
    return tl::unexpected{wanted.error()};
  }
  const auto stream = capture::Stream::open(options.dataplane_socket, *wanted);
  if (!stream) {
    return tl::unexpected{stream.error()};
  }
  const auto sink =
      options.file.empty() ? line_sink(context.json) : file_sink(options.file, options.snap_length);
  if (!sink) {
    return tl::unexpected{sink.error()};
  }
  sigset_t ends{};
  sigemptyset(&ends);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    sigaddset(&ends, signal);
  }
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);
  const base::Fd signals{::signalfd(-1, &ends, SFD_CLOEXEC)};
  if (!signals.valid()) {
    return tl::unexpected{std::string{"signals cannot be waited for"}};
  }
  fmt::print(stderr, "sekisho: capturing; ^C ends it\n");
  Captured captured{options, **stream, **sink};
  const auto outcome = captured.run(signals.get());
  fmt::print(stderr, "sekisho: {} packets captured, {} lost\n", captured.count(), captured.lost());
  return outcome;
}

}  // namespace

void add_capture(CLI::App& app, Context& context) {
  auto options = std::make_shared<CaptureOptions>();
  auto* command = app.add_subcommand(
      "capture", "Packets as they pass, as lines or as a pcapng file for Wireshark and tcpdump");
  command->add_option("--port", options->ports, "Only of this port; may be given more than once")
      ->type_name("NAME");
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
  command->add_option("--dataplane-socket", options->dataplane_socket, "Where the dataplane listens")
      ->type_name("PATH")
      ->capture_default_str();
  command->footer(
      "Asks the dataplane itself, and needs no sekisho-control. One capture at a time. A packet that is "
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
