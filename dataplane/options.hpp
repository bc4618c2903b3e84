// SPDX-License-Identifier: BSD-3-Clause
// The command line of sekisho-dataplane.
#pragma once

#include <spdlog/common.h>
#include <cstdint>
#include <filesystem>
#include <string>
#include <variant>
#include <vector>

#include "common/ipc/log.hpp"
#include "dataplane/port/packet_pool.hpp"

namespace sekisho {

struct Options {
  std::filesystem::path socket = "/run/sekisho/dataplane.sock";
  std::string socket_user;
  unsigned main_cpu = 0;
  std::vector<unsigned> worker_cpus;
  unsigned memory_mb = 256;
  std::uint16_t mtu = port::usual_mtu;  // for which packet buffers have room
  bool huge = true;
  std::string file_prefix;
  bool spin = false;
  unsigned sleep_after_us = 100;
  unsigned max_sleep_us = 50;
  unsigned extension_tables = 32767;
  bool telemetry = false;
  spdlog::level::level_enum log_level = spdlog::level::info;
  ipc::LogFormat log_format = ipc::LogFormat::text;
};

// The CPUs that this process may run on.
[[nodiscard]] std::vector<unsigned> own_cpus();

// Or the exit code: help or the version was asked for, or the usage was wrong and has been said.
[[nodiscard]] auto parse_options(int argc, char** argv) -> std::variant<Options, int>;

}  // namespace sekisho
