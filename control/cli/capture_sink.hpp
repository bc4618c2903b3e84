// SPDX-License-Identifier: BSD-3-Clause
// Where captured packets go: a line each, or a pcapng file.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <tl/expected.hpp>

#include "control/cli/context.hpp"
#include "dataplane.pb.h"

namespace sekisho::cli {

class CaptureSink {
 public:
  virtual ~CaptureSink() = default;
  virtual void add(const ipc::CapturedPacket& packet, const std::string& port) = 0;
  // What was added since the last time is written. A pipe that nobody reads any more ends the process by SIGPIPE, as it does any filter.
  [[nodiscard]] virtual Outcome flush() = 0;
  [[nodiscard]] virtual std::uint64_t bytes() const = 0;  // of a file, so far
  [[nodiscard]] virtual int descriptor() const = 0;
  virtual void end(std::uint64_t /*lost*/) {}  // before the last flush()
};

// Text or, with `json`, an object a line.
[[nodiscard]] auto line_sink(bool json) -> std::unique_ptr<CaptureSink>;
// "-": standard output, which must not be a terminal. What packets carry is nobody else's to read: mode 0600.
[[nodiscard]] auto file_sink(const std::string& file, std::uint32_t snap_length)
    -> tl::expected<std::unique_ptr<CaptureSink>, std::string>;

}  // namespace sekisho::cli
