// SPDX-License-Identifier: BSD-3-Clause
#include "control/events/hook.hpp"

#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "common/base/text.hpp"

namespace sekisho::events {
namespace {

// Enough for the line that stands in the log when it fails.
constexpr std::size_t kept_of_its_output = 4096;

std::string message_of(int error) {
  return std::generic_category().message(error);
}

auto command(const std::filesystem::path& program, const Event& event, std::chrono::milliseconds limit)
    -> program::Command {
  return {.program = program.native(),
          .input = to_json(event).dump(-1, ' ', false, Json::error_handler_t::replace) + "\n",
          .limit = limit,
          .most_output = kept_of_its_output,
          .is_killed_for_more = false};
}

}  // namespace

Hook::Hook(boost::asio::io_context& io, std::chrono::milliseconds limit) : io_(io), limit_(limit) {}

Hook::~Hook() = default;

void Hook::use(std::filesystem::path program) {
  program_ = std::move(program);
  if (program_.empty()) {
    waiting_.clear();
  }
}

void Hook::tell(const Event& event) {
  if (program_.empty()) {
    return;
  }
  if (event.kind == verdict_kind) {
    std::erase_if(waiting_, [](const Event& older) { return older.kind == verdict_kind; });
  }
  if (waiting_.size() == most) {
    waiting_.pop_front();
    ++lost_;
  }
  waiting_.push_back(event);
  begin();
}

void Hook::begin() {
  if (!run_ && !waiting_.empty()) {
    if (const auto lost = std::exchange(lost_, 0); lost != 0) {
      spdlog::warn("hook {}: {} events were not told: it is too slow", program_.native(), lost);
    }
    const auto event = std::move(waiting_.front());
    waiting_.pop_front();
    run_ = std::make_unique<program::Run>(io_, command(program_, event, limit_),
                                          [this](const program::Ended& how) { ended(how); });
  }
}

void Hook::ended(const program::Ended& how) {
  run_.reset();
  if (!how.failure.empty()) {
    const auto line = program::first_line(how);
    spdlog::error("hook {} {}{}{}", program_.native(), how.failure, line.empty() ? "" : ": ",
                  line.empty() ? line : base::in_quotes(line));
  }
  begin();
}

auto could_run(const std::filesystem::path& program) -> tl::expected<void, std::string> {
  struct stat found {};
  if (::stat(program.c_str(), &found) != 0) {
    return tl::unexpected(message_of(errno));
  }
  if (!S_ISREG(found.st_mode)) {
    return tl::unexpected(std::string{"it is not a file"});
  }
  if (::access(program.c_str(), X_OK) != 0) {
    return tl::unexpected(message_of(errno));
  }
  return {};
}

}  // namespace sekisho::events
