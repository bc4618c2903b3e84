// SPDX-License-Identifier: BSD-3-Clause
#include "control/cli/load_progress.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <utility>

namespace sekisho::cli {
namespace {

constexpr const char* back_and_clear = "\r\033[K";

}  // namespace

LoadProgress::LoadProgress(std::string file)
    : file_(std::move(file)), terminal_(::isatty(STDERR_FILENO) != 0) {}

LoadProgress::~LoadProgress() {
  if (shown_) {
    std::fputs(back_and_clear, stderr);
  }
}

base::Progress LoadProgress::callback() {
  if (!terminal_) {
    return {};
  }
  return [this](std::string_view doing, double share) { show(doing, share); };
}

void LoadProgress::show(std::string_view doing, double share) {
  const auto now = Clock::now();
  if (now < next_) {
    return;
  }
  next_ = now + std::chrono::milliseconds{100};
  shown_ = true;
  std::fputs(fmt::format("{}{}: {} {:.0f} %", back_and_clear, file_, doing, 100 * share).c_str(), stderr);
}

}  // namespace sekisho::cli
