// SPDX-License-Identifier: BSD-3-Clause
// A capture that runs: workers copy frames for it from when it is started until it goes. The writer's thread's.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <memory>
#include <set>
#include <string>
#include <tl/expected.hpp>

#include "dataplane.pb.h"
#include "dataplane/forward/capture.hpp"
#include "dataplane/writer/live.hpp"

namespace sekisho::writer {

class LiveCapture {
 public:
  // `live` outlives it. Refuses a port that is not there, a filter that is no program, and a length that is none.
  [[nodiscard]] static auto start(Live& live, const ipc::Capture& wanted)
      -> tl::expected<std::unique_ptr<LiveCapture>, std::string>;
  ~LiveCapture();  // waits for a grace period
  LiveCapture(const LiveCapture&) = delete;
  LiveCapture& operator=(const LiveCapture&) = delete;

  // What workers have copied since the last time, in the order of time; not much more than `most` bytes of frames.
  [[nodiscard]] ipc::Captured read(std::size_t most);
  // Before the indexes that packets were judged by are given to something else: names them as they are called now. In bounded time
  // and space: the rest is lost, and counted.
  void settle();

 private:
  LiveCapture(Live& live, std::set<std::string> ports, std::unique_ptr<forward::Capture> capture)
      : live_{live}, ports_{std::move(ports)}, capture_{std::move(capture)} {}
  // A port that comes back may have another index.
  void follow_ports();
  // Not much more than `most` bytes of frames.
  void take(std::size_t most, std::size_t most_packets, ipc::Captured& into);

  Live& live_;
  const std::set<std::string> ports_;  // none: all
  std::unique_ptr<forward::Capture> capture_;
  std::deque<ipc::Captured> settled_;  // not read yet
  std::size_t settled_packets_ = 0;    // in all of these
  std::uint64_t lost_ = 0;             // for which there was no room among these
};

}  // namespace sekisho::writer
