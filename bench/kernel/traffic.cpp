// SPDX-License-Identifier: BSD-3-Clause
// Sends frames from within the kernel and counts what comes back (traffic.bpf.c), in the namespace where the other ends of the
// engines' interfaces are. One JSON object a line:
//   asked     {"target": "INTERFACE", "rate": 200000, "seconds": 0.5}     rate 0: as fast as it goes
//   answered  {"offered": N, "seconds": S, "stations": {"10": N, "11": N}, "untouched": N}
// Frames come in bursts, all that is due every quarter of a millisecond, as a NIC's interrupt moderation has it.
#include <linux/if_link.h>
#include <net/if.h>
#include <sys/prctl.h>
#include <time.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include "bench/kernel/traffic.h"

namespace {

constexpr std::uint64_t second = 1'000'000'000;
constexpr long pause_ns = 250'000;
constexpr std::uint32_t batch = 64;
constexpr std::uint32_t most_at_once = 1024;
// By when a burst that was sent has been forwarded or lost.
constexpr long settling_ns = 5'000'000;
constexpr std::size_t pcap_header = 24;
constexpr std::size_t record_header = 16;

std::uint64_t now() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<std::uint64_t>(time.tv_sec) * second + static_cast<std::uint64_t>(time.tv_nsec);
}

void pause_for(long nanoseconds) {
  const timespec time{.tv_sec = 0, .tv_nsec = nanoseconds};
  nanosleep(&time, nullptr);
}

int checked(int result, const std::string& what) {
  if (result < 0) {
    throw std::system_error(-result, std::generic_category(), what);
  }
  return result;
}

class Traffic {
 public:
  Traffic(const std::string& object, const std::vector<std::string>& sinks, const std::string& capture) {
    object_ = bpf_object__open_file(object.c_str(), nullptr);
    if (object_ == nullptr) {
      throw std::system_error(errno, std::generic_category(), object);
    }
    checked(bpf_object__load(object_), "loading " + object);
    send_ = program("traffic_send");
    // A program that is attached somewhere stands in the kernel's dispatcher. For any other each run patches the kernel's text, which
    // takes a third of a millisecond and stops all CPUs.
    checked(bpf_xdp_attach(index_of("lo"), send_, XDP_FLAGS_SKB_MODE, nullptr), "attaching to lo");
    flows_ = map("flows");
    arrived_ = map("arrived");
    state_ = map("state");
    for (const auto& sink : sinks) {
      checked(bpf_xdp_attach(index_of(sink), program("traffic_sink"), XDP_FLAGS_DRV_MODE, nullptr),
              "attaching to " + sink);
    }
    read(capture);
  }

  nlohmann::json run(const std::string& target, std::uint64_t rate, double seconds) {
    set_state(0, static_cast<std::uint32_t>(index_of(target)));
    const auto before = counts();
    const auto length = static_cast<std::uint64_t>(seconds * static_cast<double>(second));
    const std::uint64_t start = now();
    std::uint64_t sent = 0;
    for (std::uint64_t at = now() - start; at < length; at = now() - start) {
      std::uint64_t due = batch;
      if (rate != 0) {
        const std::uint64_t total = at * rate / second + 1;
        due = total > sent ? std::min<std::uint64_t>(total - sent, most_at_once) : 0;
      }
      if (due != 0) {
        send(static_cast<std::uint32_t>(due));
        sent += due;
      }
      if (rate != 0 && due < most_at_once) {  // what was too much at once is due already
        const std::uint64_t past = (now() - start) % pause_ns;
        pause_for(pause_ns - static_cast<long>(past));
      }
    }
    const std::uint64_t took = now() - start;
    pause_for(settling_ns);
    const auto after = counts();
    nlohmann::json stations = nlohmann::json::object();
    for (std::size_t station = 0; station < traffic_stations; ++station) {
      if (after[station] != before[station]) {
        stations[std::to_string(station)] = after[station] - before[station];
      }
    }
    return {{"offered", sent},
            {"seconds", static_cast<double>(took) / static_cast<double>(second)},
            {"stations", stations},
            {"untouched", after[traffic_untouched] - before[traffic_untouched]}};
  }

 private:
  static int index_of(const std::string& interface) {
    const unsigned index = if_nametoindex(interface.c_str());
    if (index == 0) {
      throw std::system_error(errno, std::generic_category(), interface);
    }
    return static_cast<int>(index);
  }

  int program(const char* name) {
    auto* found = bpf_object__find_program_by_name(object_, name);
    return found == nullptr ? throw std::runtime_error(name) : bpf_program__fd(found);
  }

  int map(const char* name) { return checked(bpf_object__find_map_fd_by_name(object_, name), name); }

  void set_state(std::uint32_t key, std::uint32_t value) const {
    checked(bpf_map_update_elem(state_, &key, &value, BPF_ANY), "state");
  }

  // The capture's frames, again from the first if there are fewer than flows.
  void read(const std::string& capture) {
    std::ifstream file(capture, std::ios::binary);
    const std::string content{std::istreambuf_iterator<char>(file), {}};
    constexpr std::size_t record = record_header + TRAFFIC_FRAME;
    const std::size_t count = content.size() > pcap_header ? (content.size() - pcap_header) / record : 0;
    if (count == 0 || content.size() != pcap_header + count * record) {
      throw std::runtime_error(capture + ": not a capture of frames of " + std::to_string(TRAFFIC_FRAME) +
                               " bytes");
    }
    for (std::uint32_t flow = 0; flow < TRAFFIC_FLOWS; ++flow) {
      traffic_frame frame{};
      content.copy(reinterpret_cast<char*>(frame.bytes), TRAFFIC_FRAME,
                   pcap_header + flow % count * record + record_header);
      checked(bpf_map_update_elem(flows_, &flow, &frame, BPF_ANY), "flows");
    }
  }

  void send(std::uint32_t count) {
    bpf_test_run_opts options{.sz = sizeof(bpf_test_run_opts)};
    options.data_in = blank_.data();
    options.data_size_in = TRAFFIC_FRAME;
    options.repeat = static_cast<int>(count);
    options.flags = BPF_F_TEST_XDP_LIVE_FRAMES;
    options.batch_size = std::min(count, batch);
    checked(bpf_prog_test_run_opts(send_, &options), "sending from within the kernel (Linux 5.18)");
  }

  [[nodiscard]] std::array<std::uint64_t, traffic_counts> counts() const {
    std::array<std::uint64_t, traffic_counts> sums{};
    std::vector<std::uint64_t> values(static_cast<std::size_t>(libbpf_num_possible_cpus()));
    for (std::uint32_t key = 0; key < traffic_counts; ++key) {
      checked(bpf_map_lookup_elem(arrived_, &key, values.data()), "arrived");
      for (const auto value : values) {
        sums[key] += value;
      }
    }
    return sums;
  }

  bpf_object* object_ = nullptr;  // the process's end is its end
  int send_ = -1;
  int flows_ = -1;
  int arrived_ = -1;
  int state_ = -1;
  std::array<char, 64> blank_{};
};

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Sends frames by interfaces of this network namespace and counts what arrives at others."};
  std::string object;
  std::string capture;
  std::vector<std::string> sinks;
  app.add_option("--object", object, "traffic.bpf.o")->required();
  app.add_option("--capture", capture, "frames to send, in turn")->required();
  app.add_option("--sink", sinks, "interface where frames arrive")->required();
  CLI11_PARSE(app, argc, argv);
  try {
    prctl(PR_SET_TIMERSLACK, 1UL);
    Traffic traffic(object, sinks, capture);
    std::cout << "{}" << std::endl;
    for (std::string line; std::getline(std::cin, line);) {
      const auto asked = nlohmann::json::parse(line);
      std::cout << traffic.run(asked.at("target"), asked.at("rate"), asked.at("seconds")).dump() << std::endl;
    }
  } catch (const std::exception& error) {
    std::cerr << "kernel_traffic: " << error.what() << std::endl;
    return 1;
  }
  return 0;
}
