// SPDX-License-Identifier: BSD-3-Clause
#include "control/cli/capture_sink.hpp"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <span>
#include <string_view>

#include "common/base/fd.hpp"
#include "common/base/version.hpp"
#include "common/base/write_whole.hpp"
#include "control/capture/frame.hpp"
#include "control/capture/pcapng.hpp"
#include "control/cli/output.hpp"
#include "control/serve/reasons.hpp"

namespace sekisho::cli {
namespace {

using Direction = ipc::CapturedPacket;

std::span<const std::uint8_t> bytes_of(const ipc::CapturedPacket& packet) {
  return {reinterpret_cast<const std::uint8_t*>(packet.frame().data()), packet.frame().size()};
}

std::string_view direction_name(const ipc::CapturedPacket& packet) {
  return packet.direction() == Direction::RECEIVED ? "rx"
         : packet.direction() == Direction::SENT   ? "tx"
                                                   : "drop";
}

class Lines : public CaptureSink {
 public:
  explicit Lines(bool json) : json_{json} {}

  void add(const ipc::CapturedPacket& packet, const std::string& port) override {
    const auto frame = capture::read_frame(bytes_of(packet), packet.size());
    if (json_) {
      const Json line{{"unix_ns", packet.unix_ns()},
                      {"port", port},
                      {"direction", direction_name(packet)},
                      {"reason", packet.reason().empty() ? Json(nullptr) : Json(packet.reason())},
                      {"size", packet.size()},
                      {"packet", to_text(frame)}};
      fmt::print("{}\n", line.dump());
      return;
    }
    const auto seconds = static_cast<std::time_t>(packet.unix_ns() / 1'000'000'000);
    const auto microseconds = packet.unix_ns() / 1'000 % 1'000'000;
    fmt::print("{:%H:%M:%S}.{:06} {:<8} {:<4} {}{}\n", fmt::localtime(seconds), microseconds, port,
               direction_name(packet), to_text(frame),
               packet.reason().empty() ? "" : fmt::format("  {}", packet.reason()));
  }
  Outcome flush() override { return finish_output(); }
  std::uint64_t bytes() const override { return 0; }
  int descriptor() const override { return STDOUT_FILENO; }

 private:
  bool json_;
};

class File : public CaptureSink {
 public:
  File(std::string path, base::Fd file, std::uint32_t snap_length)
      : path_{std::move(path)},
        file_{std::move(file)},
        blocks_{fmt::format("sekisho {}", base::version()), snap_length} {}

  void add(const ipc::CapturedPacket& packet, const std::string& port) override {
    const auto comment = packet.reason().empty() ? std::string{}
                                                 : fmt::format("dropped: {}: {}", packet.reason(),
                                                               serve::sentence_of(packet.reason()));
    blocks_.add({.port = port,
                 .unix_ns = packet.unix_ns(),
                 .size = packet.size(),
                 .kept = bytes_of(packet),
                 .outbound = packet.direction() == Direction::SENT,
                 .comment = comment});
    last_ = packet.unix_ns();
  }
  Outcome flush() override {
    if (!base::write_all(file_.get(), blocks_.take())) {
      return tl::unexpected{fmt::format("{} cannot be written: {}", path_, std::strerror(errno))};
    }
    return {};
  }
  std::uint64_t bytes() const override { return blocks_.size(); }
  int descriptor() const override { return file_.get(); }
  void end(std::uint64_t lost) override { blocks_.add_lost(last_, lost); }

 private:
  std::string path_;
  base::Fd file_;
  capture::Pcapng blocks_;
  std::uint64_t last_ = 0;
};

}  // namespace

auto line_sink(bool json) -> std::unique_ptr<CaptureSink> {
  return std::make_unique<Lines>(json);
}

auto file_sink(const std::string& path, std::uint32_t snap_length)
    -> tl::expected<std::unique_ptr<CaptureSink>, std::string> {
  const bool to_output = path == "-";
  if (to_output && ::isatty(STDOUT_FILENO) == 1) {
    return tl::unexpected{
        std::string{"a terminal cannot show pcapng: pipe it into `tcpdump -r -` or `wireshark -k -i -`"}};
  }
  base::Fd file{to_output
                    ? ::dup(STDOUT_FILENO)
                    : ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, S_IRUSR | S_IWUSR)};
  if (!file.valid()) {
    return tl::unexpected{fmt::format("{} cannot be written: {}", path, std::strerror(errno))};
  }
  return std::make_unique<File>(path, std::move(file), snap_length);
}

}  // namespace sekisho::cli
