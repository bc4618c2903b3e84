// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/options.hpp"

#include <fmt/format.h>
#include <sched.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <functional>
#include <stdexcept>
#include <string_view>

#include "common/base/version.hpp"
#include "dataplane/forward/forwarding_state.hpp"

namespace sekisho {
namespace {

constexpr unsigned wrong_usage = 2;
constexpr unsigned most_cpus = 128;  // Debian's DPDK numbers its lcores 0..127

constexpr const char* description =
    "Sekisho's dataplane: forwards packets between DPDK ports by longest prefix match.\n"
    "It starts with nothing and forwards nothing until sekisho-control tells it ports, zones and routes\n"
    "through its socket.\n";
constexpr const char* footer =
    "\nEvery worker takes one CPU; the main CPU changes tables and answers the socket. On a machine with one "
    "CPU\n"
    "both share it. SIGTERM and SIGINT stop it cleanly; without it nothing is forwarded.\n\n"
    "Exit codes: 0 stopped by a signal, 1 could not start (one sentence says why), 2 wrong usage.\n\n"
    "Examples:\n"
    "  sekisho-dataplane                              one worker on the last CPU\n"
    "  sekisho-dataplane --main 0 --workers 2,4-5     three workers\n"
    "  sekisho-dataplane --no-huge --socket /tmp/s    a trial without reserved hugepages\n"
    "  sekisho-dataplane --telemetry --file-prefix nva\n"
    "  dpdk-telemetry.py --file-prefix nva            then asks /ethdev/stats,0 and the like";

unsigned parse_cpu(std::string_view text) {
  unsigned cpu = most_cpus;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), cpu);
  if (error != std::errc{} || end != text.data() + text.size() || cpu >= most_cpus) {
    throw CLI::ValidationError(fmt::format("\"{}\" is not a CPU of 0..{}", text, most_cpus - 1));
  }
  return cpu;
}

// "2,4-5"
std::vector<unsigned> parse_cpus(std::string_view text) {
  std::vector<unsigned> cpus;
  while (true) {
    const auto comma = text.find(',');
    const auto item = text.substr(0, comma);
    const auto dash = item.find('-');
    const auto first = parse_cpu(item.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : parse_cpu(item.substr(dash + 1));
    for (auto cpu = first; cpu <= last; ++cpu) {
      if (std::ranges::find(cpus, cpu) == cpus.end()) {
        cpus.push_back(cpu);
      }
    }
    if (comma == std::string_view::npos) {
      break;
    }
    text.remove_prefix(comma + 1);
  }
  if (cpus.empty() || cpus.size() > forward::max_workers) {
    throw CLI::ValidationError(fmt::format("there are 1 to {} workers", forward::max_workers));
  }
  return cpus;
}

// Two instances must not clash, and one that returns is to be found under the same name.
std::string default_prefix(const std::filesystem::path& socket) {
  return fmt::format("sekisho-{:x}", std::hash<std::string>{}(std::filesystem::absolute(socket).native()));
}

}  // namespace

std::vector<unsigned> own_cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::vector<unsigned> cpus;
  if (sched_getaffinity(0, sizeof(set), &set) == 0) {
    for (unsigned cpu = 0; cpu < most_cpus; ++cpu) {
      if (CPU_ISSET(cpu, &set)) {
        cpus.push_back(cpu);
      }
    }
  }
  return cpus.empty() ? std::vector{0U} : cpus;
}

auto parse_options(int argc, char** argv) -> std::variant<Options, int> {
  const auto cpus = own_cpus();
  Options options{.main_cpu = cpus.front(), .worker_cpus = {cpus.back()}};
  std::string workers = std::to_string(cpus.back());
  bool no_huge = false;

  CLI::App app{description, "sekisho-dataplane"};
  app.footer(footer);
  app.set_version_flag("--version", std::string{base::version()});
  app.add_option("--socket", options.socket, "Where control connects (mode 0600)")
      ->type_name("PATH")
      ->capture_default_str();
  app.add_option("--socket-user", options.socket_user,
                 "Whose the socket is: control's, when it is not root's")
      ->type_name("USER");
  app.add_option("--main", options.main_cpu, "CPU of the writer: transactions and answers")
      ->capture_default_str()
      ->check(CLI::Range(0U, most_cpus - 1).description(""))
      ->type_name("CPU");
  app.add_option("--workers", workers, "CPUs that forward packets, as in 2,4-5")
      ->type_name("LIST")
      ->capture_default_str();
  app.add_option("--memory", options.memory_mb, "MB for packet buffers and queues, not counting tables")
      ->capture_default_str()
      ->check(CLI::Range(64U, 65536U).description(""))
      ->type_name("MB");
  app.add_option(
         "--mtu", options.mtu,
         "Longest packets for which a buffer has room. Longer ones mean fewer buffers in the same --memory: "
         "six in ten at 3498, a quarter at 9000; with more than 3498 no AF_XDP port opens")
      ->capture_default_str()
      ->check(CLI::Range(port::usual_mtu, port::most_mtu).description(""))
      ->type_name("BYTES");
  app.add_flag("--no-huge", no_huge, "Use no reserved hugepages (done by itself when there are too few)");
  app.add_option("--file-prefix", options.file_prefix,
                 "DPDK's name for this instance (default: from --socket)")
      ->type_name("NAME");
  app.add_flag("--telemetry", options.telemetry,
               "Serve DPDK's own telemetry on its socket below /run/dpdk, for dpdk-telemetry.py");
  app.add_flag("--spin", options.spin, "Workers never sleep: least latency, a full CPU each");
  app.add_option("--sleep-after", options.sleep_after_us,
                 "How long a worker polls in vain before it sleeps, in microseconds: less takes less CPU at "
                 "moderate rates, and packets then wait for the end of a sleep")
      ->capture_default_str()
      ->check(CLI::Range(0U, 1000000U).description(""))
      ->type_name("US");
  app.add_option("--max-sleep", options.max_sleep_us, "Longest sleep of an idle worker in microseconds")
      ->capture_default_str()
      ->check(CLI::Range(0U, 10000U).description(""))
      ->type_name("US");
  app.add_option("--extension-tables", options.extension_tables,
                 "Per zone: how many /24s may have longer prefixes within, 512 bytes each when used")
      ->capture_default_str()
      ->check(CLI::Range(1U, 32768U).description(""))
      ->type_name("N");
  app.add_option("--log-level", options.log_level, "What to print (default: info)")
      ->transform(CLI::CheckedTransformer(ipc::log_levels).description(""))
      ->option_text("LEVEL:{debug,info,warning,error}");
  app.add_option("--log-format", options.log_format,
                 "text, or an object a line on standard error (default: text)")
      ->transform(CLI::CheckedTransformer(ipc::log_formats).description(""))
      ->option_text("FORMAT:{text,json}");
  try {
    app.parse(argc, argv);
    options.worker_cpus = parse_cpus(workers);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : static_cast<int>(wrong_usage);
  }
  options.huge = !no_huge;
  if (options.file_prefix.empty()) {
    options.file_prefix = default_prefix(options.socket);
  }
  return options;
}

}  // namespace sekisho
