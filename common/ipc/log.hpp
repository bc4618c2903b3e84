// SPDX-License-Identifier: BSD-3-Clause
// Where both processes write their logs, and how: lines on standard error.
//
// The journal reads a priority in front of a line, as "<4>" (sd-daemon(3)), and has its own clock; a person gets the time
// and colours; with JSON every line is an object: {"time", "level", "program", "message"}.
#pragma once

#include <spdlog/common.h>

#include <cstdint>
#include <map>
#include <string>

namespace sekisho::ipc {

enum class LogFormat : std::uint8_t { text, json };

// The words of --log-level and --log-format.
inline const std::map<std::string, spdlog::level::level_enum> log_levels{{"debug", spdlog::level::debug},
                                                                         {"info", spdlog::level::info},
                                                                         {"warning", spdlog::level::warn},
                                                                         {"error", spdlog::level::err}};
inline const std::map<std::string, LogFormat> log_formats{{"text", LogFormat::text},
                                                          {"json", LogFormat::json}};

// Makes it the log of the process. Whoever logs never waits for who reads it; SIGPIPE is ignored from then on.
void set_up_log(const std::string& program, spdlog::level::level_enum level, LogFormat format);

}  // namespace sekisho::ipc
