// SPDX-License-Identifier: BSD-3-Clause
#include "control/cli/look.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/signalfd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>

#include "common/base/fd.hpp"
#include "control/capture/stream.hpp"

namespace sekisho::cli {
namespace {

using Clock = std::chrono::steady_clock;

class Looking {
 public:
  Looking(const LookLimits& limits, capture::Stream& stream, CaptureSink& sink)
      : limits_{limits}, stream_{stream}, sink_{sink} {}

  // Until a limit, a signal or the reader ends it. An error: the dataplane did, or what was captured cannot be written.
  Outcome run(int signals) {
    using Seconds = std::chrono::duration<double>;
    const auto end =
        limits_.seconds == 0
            ? Clock::time_point::max()
            : Clock::now() + std::chrono::duration_cast<Clock::duration>(Seconds{limits_.seconds});
    Outcome outcome;
    while (goes_on_ && outcome && Clock::now() < end) {
      std::array<pollfd, 3> events{pollfd{signals, POLLIN, 0}, pollfd{stream_.descriptor(), POLLIN, 0},
                                   pollfd{sink_.descriptor(), 0, 0}};
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now());
      const auto patience = std::min<std::int64_t>(limits_.seconds == 0 ? -1 : left.count(), 3'600'000);
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
      goes_on_ = (limits_.count == 0 || count_ < limits_.count) && sink_.bytes() < limits_.bytes;
    }
  }

  const LookLimits& limits_;
  capture::Stream& stream_;
  CaptureSink& sink_;
  std::uint64_t count_ = 0;
  std::uint64_t lost_ = 0;
  bool goes_on_ = true;
};

}  // namespace

Outcome look(const std::string& dataplane_socket, const ipc::Capture& wanted, const LookLimits& limits,
             const LookWords& words,
             const std::function<tl::expected<std::unique_ptr<CaptureSink>, std::string>()>& make_sink) {
  const auto stream = capture::Stream::open(dataplane_socket, wanted);
  if (!stream) {
    return tl::unexpected{stream.error()};
  }
  const auto sink = make_sink();
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
  fmt::print(stderr, "sekisho: {}; ^C ends it\n", words.now);
  Looking looking{limits, **stream, **sink};
  const auto outcome = looking.run(signals.get());
  fmt::print(stderr, "sekisho: {} packets {}, {} lost\n", looking.count(), words.then, looking.lost());
  return outcome;
}

}  // namespace sekisho::cli
