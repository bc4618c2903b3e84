// SPDX-License-Identifier: BSD-3-Clause
#include "common/ipc/log.hpp"

#include <fmt/format.h>
#include <spdlog/formatter.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "common/ipc/log_sink.hpp"

namespace sekisho::ipc {
namespace {

// systemd.exec(5): JOURNAL_STREAM "contain[s] the device and inode numbers of the connection file descriptor". Who
// inherited the variable and writes elsewhere does not write to the journal.
bool writes_to_journal() {
  const char* const stream = std::getenv("JOURNAL_STREAM");
  struct stat status {};
  return stream != nullptr && ::fstat(STDERR_FILENO, &status) == 0 &&
         fmt::format("{}:{}", status.st_dev, status.st_ino) == stream;
}

// As syslog(3) numbers them.
int priority(spdlog::level::level_enum level) {
  switch (level) {
    case spdlog::level::critical:
      return 2;
    case spdlog::level::err:
      return 3;
    case spdlog::level::warn:
      return 4;
    case spdlog::level::info:
      return 6;
    default:
      return 7;
  }
}

void append(spdlog::memory_buf_t& line, std::string_view text) {
  line.append(text.data(), text.data() + text.size());
}

class JournalFormatter : public spdlog::formatter {
 public:
  explicit JournalFormatter(std::unique_ptr<spdlog::formatter> inner) : inner_(std::move(inner)) {}
  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& line) override {
    append(line, fmt::format("<{}>", priority(message.level)));
    inner_->format(message, line);
  }
  [[nodiscard]] std::unique_ptr<spdlog::formatter> clone() const override {
    return std::make_unique<JournalFormatter>(inner_->clone());
  }

 private:
  std::unique_ptr<spdlog::formatter> inner_;
};

class JsonFormatter : public spdlog::formatter {
 public:
  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& line) override {
    spdlog::memory_buf_t time;
    time_.format(message, time);
    const auto level = spdlog::level::to_string_view(message.level);
    const nlohmann::ordered_json record{
        {"time", std::string_view{time.data(), time.size()}},
        {"level", std::string_view{level.data(), level.size()}},
        {"program", std::string_view{message.logger_name.data(), message.logger_name.size()}},
        {"message", std::string_view{message.payload.data(), message.payload.size()}}};
    // A file's name may hold any byte; JSON may not.
    append(line, record.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
    append(line, "\n");
  }
  [[nodiscard]] std::unique_ptr<spdlog::formatter> clone() const override {
    return std::make_unique<JsonFormatter>();
  }

 private:
  // RFC 3339.
  spdlog::pattern_formatter time_{"%Y-%m-%dT%H:%M:%S.%eZ", spdlog::pattern_time_type::utc, ""};
};

std::unique_ptr<spdlog::formatter> make_formatter(LogFormat format, bool journal) {
  if (format == LogFormat::json) {
    return std::make_unique<JsonFormatter>();
  }
  return std::make_unique<spdlog::pattern_formatter>(journal ? "%v" : "%Y-%m-%d %H:%M:%S.%e %^%l%$: %v");
}

}  // namespace

void set_up_log(const std::string& program, spdlog::level::level_enum level, LogFormat format) {
  // A reader of the log, or a client, that has gone is seen as an error of the write.
  std::signal(SIGPIPE, SIG_IGN);
  auto logger = std::make_shared<spdlog::logger>(
      program, std::make_shared<LogSink>(STDERR_FILENO, program, ::isatty(STDERR_FILENO) == 1));
  logger->set_level(level);
  // spdlog's own would write to standard error, and wait for it.
  logger->set_error_handler([](const std::string&) {});
  const auto journal = writes_to_journal();
  auto formatter = make_formatter(format, journal);
  logger->set_formatter(journal ? std::make_unique<JournalFormatter>(std::move(formatter))
                                : std::move(formatter));
  spdlog::set_default_logger(std::move(logger));
}

}  // namespace sekisho::ipc
