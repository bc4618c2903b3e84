// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/eal_log.hpp"

#include <rte_log.h>
#include <spdlog/spdlog.h>

#include <string_view>

namespace sekisho {
namespace {

spdlog::level::level_enum level_of(int eal_level) {
  if (eal_level <= static_cast<int>(RTE_LOG_ERR)) {
    return spdlog::level::err;
  }
  return eal_level == static_cast<int>(RTE_LOG_WARNING) ? spdlog::level::warn : spdlog::level::info;
}

// One call a message: rte_vlog flushes after each.
ssize_t write(void* /*cookie*/, const char* text, std::size_t size) {
  std::string_view message{text, size};
  while (message.ends_with('\n')) {
    message.remove_suffix(1);
  }
  if (!message.empty()) {
    spdlog::log(level_of(rte_log_cur_msg_loglevel()), "{}", message);
  }
  return static_cast<ssize_t>(size);
}

}  // namespace

std::FILE* open_eal_log() {
  return ::fopencookie(nullptr, "w", {.read = nullptr, .write = write, .seek = nullptr, .close = nullptr});
}

}  // namespace sekisho
