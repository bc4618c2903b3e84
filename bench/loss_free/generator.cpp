// SPDX-License-Identifier: BSD-3-Clause
// Sends to engines and counts what comes back: the other end of their memif ports, on a CPU of its own.
//
// A line of JSON on standard input is a trial, {"engine": "sekisho", "rate": 1e6, "seconds": 0.2}; the answer is a line on
// standard output. Engines have to be there before it: a client of memif connects once. Both ends copy: of a client
// without copies, DPDK 22.11 connects only the first port.
#include <fmt/format.h>
#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "bench/loss_free/trial.hpp"

namespace sekisho::bench {
namespace {

constexpr unsigned buffers = 32'767;  // more than the rings of eight engines hold
constexpr std::uint16_t ring_size = 1024;
constexpr auto patience = std::chrono::seconds{20};

struct Options {
  std::string capture;
  std::vector<std::string> engines;  // NAME=SOCKET
  std::string prefix;
  unsigned cpu = 0;
};

std::pair<std::string, std::string> name_and_socket(const std::string& engine) {
  const auto equals = engine.find('=');
  if (equals == std::string::npos)
    throw std::runtime_error{"--engine " + engine + ": NAME=SOCKET is wanted"};
  return {engine.substr(0, equals), engine.substr(equals + 1)};
}

void start_eal(const Options& options) {
  std::vector<std::string> words{"generator",
                                 "--no-pci",
                                 "--in-memory",
                                 "--iova-mode=va",
                                 "--no-telemetry",
                                 "-m",
                                 "192",
                                 "--file-prefix",
                                 options.prefix,
                                 "-l",
                                 std::to_string(options.cpu)};
  unsigned number = 0;
  for (const auto& engine : options.engines) {
    for (const unsigned id : {0, 1})
      words.push_back(fmt::format("--vdev=net_memif{},role=client,id={},socket={},socket-abstract=no",
                                  number++, id, name_and_socket(engine).second));
  }
  std::vector<char*> arguments;
  for (auto& word : words)
    arguments.push_back(word.data());
  if (rte_eal_init(static_cast<int>(arguments.size()), arguments.data()) < 0)
    throw std::runtime_error{"DPDK does not start"};
}

std::uint16_t start_port(unsigned number, rte_mempool& pool) {
  std::uint16_t port = 0;
  const auto name = fmt::format("net_memif{}", number);
  const rte_eth_conf plain{};
  const auto socket = rte_socket_id();
  if (rte_eth_dev_get_port_by_name(name.c_str(), &port) != 0 ||
      rte_eth_dev_configure(port, 1, 1, &plain) != 0 ||
      rte_eth_rx_queue_setup(port, 0, ring_size, socket, nullptr, &pool) != 0 ||
      rte_eth_tx_queue_setup(port, 0, ring_size, socket, nullptr) != 0 || rte_eth_dev_start(port) != 0)
    throw std::runtime_error{name + " does not start"};
  const auto until = std::chrono::steady_clock::now() + patience;
  for (rte_eth_link link{}; link.link_status != RTE_ETH_LINK_UP;) {
    if (std::chrono::steady_clock::now() > until)
      throw std::runtime_error{name + ": no engine answers"};
    std::this_thread::sleep_for(std::chrono::milliseconds{10});
    if (rte_eth_link_get_nowait(port, &link) != 0)
      throw std::runtime_error{name + " does not tell its link"};
  }
  return port;
}

nlohmann::json answer(const Outcome& outcome, const Latencies& latencies) {
  const auto microseconds = [](std::uint64_t ticks) {
    return static_cast<double>(ticks) / static_cast<double>(rte_get_tsc_hz()) * 1e6;
  };
  return {{"offered", outcome.offered},
          {"received", outcome.received},
          {"late", outcome.late},
          {"seconds", outcome.seconds},
          {"latency_us",
           {{"p50", microseconds(latencies.percentile(0.5))},
            {"p99", microseconds(latencies.percentile(0.99))},
            {"p99.9", microseconds(latencies.percentile(0.999))},
            {"max", microseconds(latencies.largest())}}}};
}

void serve(const Options& options) {
  start_eal(options);
  Frames frames{options.capture};
  auto* pool = rte_pktmbuf_pool_create("frames", buffers, 256, 0, RTE_MBUF_DEFAULT_BUF_SIZE,
                                       static_cast<int>(rte_socket_id()));
  if (pool == nullptr)
    throw std::runtime_error{"no memory for packets: 192 MB of reserved 2 MB pages are needed"};
  std::map<std::string, Pair, std::less<>> pairs;
  unsigned number = 0;
  for (const auto& engine : options.engines) {
    const auto lan = start_port(number++, *pool);
    pairs[name_and_socket(engine).first] = {lan, start_port(number++, *pool)};
  }
  Trial trial{frames, *pool};
  std::cout << nlohmann::json{{"ready", true}} << std::endl;
  for (std::string line; std::getline(std::cin, line);) {
    const auto wanted = nlohmann::json::parse(line);
    const auto outcome = trial.run(pairs.at(wanted.at("engine")), wanted.at("rate").get<double>(),
                                   wanted.at("seconds").get<double>());
    std::cout << answer(outcome, trial.latencies()) << std::endl;
  }
}

}  // namespace
}  // namespace sekisho::bench

int main(int argc, char** argv) {
  CLI::App app{
      "Sends packets to engines by memif and counts what comes back; scripts/bench loss-free runs it."};
  sekisho::bench::Options options;
  app.add_option("--capture", options.capture, "Frames to send, again and again")->required();
  app.add_option("--engine", options.engines, "NAME=SOCKET: its ports are memif's servers 0 and 1 there")
      ->required();
  app.add_option("--file-prefix", options.prefix, "DPDK's name for this process")->required();
  app.add_option("--cpu", options.cpu, "The CPU that sends");
  CLI11_PARSE(app, argc, argv);
  try {
    sekisho::bench::serve(options);
  } catch (const std::exception& error) {
    fmt::print(stderr, "loss_free_generator: {}\n", error.what());
    return 1;
  }
  return 0;
}
