// SPDX-License-Identifier: BSD-3-Clause
// A stream of numbered UDP packets, and the receiver that says which of them arrived: lost, twice, out of
// order, and the longest silence. Made for rates at which an interpreter's own pauses would look like the
// network's.
//
//   stream send ADDRESS PORT --rate N --seconds S [--source-port P]     prints one JSON object when all is sent, or at SIGTERM
//   stream receive PORT      answers "status", "missing" (which numbers) and "quit" on standard input with one JSON object
#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include <fmt/core.h>
#include <fmt/ranges.h>

namespace {

constexpr unsigned batch = 32;
constexpr unsigned most_at_once = 16 * batch;
constexpr std::uint64_t second = 1'000'000'000;

struct Payload {
  std::uint64_t sequence;
  std::uint64_t sent_ns;
};

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

std::uint64_t now(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return static_cast<std::uint64_t>(time.tv_sec) * second + static_cast<std::uint64_t>(time.tv_nsec);
}

sockaddr_in socket_address(const std::string& address, std::uint16_t port) {
  sockaddr_in result{};
  result.sin_family = AF_INET;
  result.sin_port = htons(port);
  if (inet_pton(AF_INET, address.c_str(), &result.sin_addr) != 1) {
    throw std::invalid_argument(address + " is no IPv4 address");
  }
  return result;
}

// A UDP socket with buffers large enough that a receiver that waits for its CPU loses nothing.
int open_socket() {
  const int socket = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (socket < 0) {
    fail("socket");
  }
  const int bytes = 256 << 20;
  if (setsockopt(socket, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes) != 0 ||
      setsockopt(socket, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof bytes) != 0) {
    fail("SO_RCVBUFFORCE (needs root)");
  }
  return socket;
}

// Set by SIGTERM: the sender ends early and says what it sent.
volatile std::sig_atomic_t is_enough = 0;

struct SendOptions {
  std::string address;
  std::uint16_t port = 0;
  std::uint64_t rate = 25'000;
  double seconds = 10;
  unsigned size = 64;
  std::uint16_t source_port = 0;  // 0: the kernel's choice
};

void send_stream(const SendOptions& options) {
  const int socket = open_socket();
  const sockaddr_in to = socket_address(options.address, options.port);
  sockaddr_in from{};
  from.sin_family = AF_INET;
  from.sin_port = htons(options.source_port);
  if (options.source_port != 0 && bind(socket, reinterpret_cast<const sockaddr*>(&from), sizeof from) != 0) {
    fail("bind");
  }
  if (connect(socket, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) {
    fail("connect");
  }
  std::array<std::vector<char>, batch> buffers;
  std::array<iovec, batch> vectors{};
  std::array<mmsghdr, batch> messages{};
  for (unsigned i = 0; i < batch; ++i) {
    buffers[i].resize(std::max<std::size_t>(options.size, sizeof(Payload)));
    vectors[i] = {buffers[i].data(), buffers[i].size()};
    messages[i].msg_hdr.msg_iov = &vectors[i];
    messages[i].msg_hdr.msg_iovlen = 1;
  }
  const auto total = static_cast<std::uint64_t>(static_cast<double>(options.rate) * options.seconds);
  std::signal(SIGTERM, [](int) { is_enough = 1; });
  const std::uint64_t start = now(CLOCK_MONOTONIC);
  std::uint64_t refused = 0;
  std::uint64_t sent = 0;
  while (sent < total && is_enough == 0) {
    const std::uint64_t due = std::min(total, (now(CLOCK_MONOTONIC) - start) * options.rate / second + 1);
    if (due <= sent) {
      const timespec pause{0, 200'000};
      nanosleep(&pause, nullptr);
      continue;
    }
    const auto count = static_cast<unsigned>(std::min<std::uint64_t>(due - sent, batch));
    for (unsigned i = 0; i < count; ++i) {
      const Payload payload{sent + i, now(CLOCK_REALTIME)};
      std::memcpy(buffers[i].data(), &payload, sizeof payload);
    }
    const int done = sendmmsg(socket, messages.data(), count, 0);
    if (done < 0) {
      // An ICMP error for an earlier packet, or no buffer: this batch is tried again, so nothing is skipped
      // silently.
      const bool unreachable = errno == EHOSTUNREACH || errno == ENETUNREACH;  // no route to there now
      if (!unreachable && errno != ECONNREFUSED && errno != ENOBUFS && errno != EINTR) {
        fail("sendmmsg");
      }
      ++refused;
      if (unreachable) {
        const timespec pause{0, 1'000'000};
        nanosleep(&pause, nullptr);
      }
      continue;
    }
    sent += static_cast<std::uint64_t>(done);
    // A sender that had to wait long for its CPU does not make up for it at once: thousands of packets in a row overflow the veth's
    // own queue, which is not what is tested.
    if (due - sent > most_at_once) {
      const timespec pause{0, static_cast<long>(std::min(second - 1, batch * second / (4 * options.rate)))};
      nanosleep(&pause, nullptr);
    }
  }
  const std::uint64_t elapsed = now(CLOCK_MONOTONIC) - start;
  fmt::print("{{\"sent\": {}, \"seconds\": {:.3f}, \"rate\": {:.0f}, \"refused\": {}}}\n", sent,
             static_cast<double>(elapsed) / 1e9,
             static_cast<double>(sent) * 1e9 / static_cast<double>(elapsed), refused);
}

// What arrived so far. A gap is a silence between two arrivals, by the kernel's time stamps: the receiver's
// own waiting for a CPU does not count.
class Tally {
 public:
  void add(const Payload& payload, std::uint64_t arrived_ns) {
    if (payload.sequence >= seen_.size()) {
      seen_.resize(std::bit_ceil(payload.sequence + 1));
    }
    if (seen_[payload.sequence]) {
      ++duplicated_;
      return;
    }
    seen_[payload.sequence] = true;
    if (received_ != 0) {
      if (payload.sequence < highest_) {
        ++reordered_;
      }
      if (arrived_ns > last_arrival_) {
        gap_ = std::max(gap_, arrived_ns - last_arrival_);
      }
      if (payload.sent_ns > last_sent_) {
        sender_gap_ = std::max(sender_gap_, payload.sent_ns - last_sent_);
      }
    }
    ++received_;
    highest_ = std::max(highest_, payload.sequence);
    last_arrival_ = arrived_ns;
    last_sent_ = payload.sent_ns;
  }

  void print() const {
    const std::uint64_t missing = received_ == 0 ? 0 : highest_ + 1 - received_;
    fmt::print(
        "{{\"received\": {}, \"missing\": {}, \"duplicated\": {}, \"reordered\": {}, \"gap_us\": {}, "
        "\"sender_gap_us\": {}}}\n",
        received_, missing, duplicated_, reordered_, gap_ / 1000, sender_gap_ / 1000);
    std::fflush(stdout);
  }

  // The first runs of numbers, up to the highest that came, that did not come themselves.
  void print_missing() const {
    constexpr std::size_t most = 16;
    std::vector<std::array<std::uint64_t, 2>> runs;
    for (std::uint64_t number = 0; number <= highest_ && runs.size() <= most && received_ != 0; ++number) {
      if (seen_[number]) {
        continue;
      }
      if (!runs.empty() && runs.back()[1] + 1 == number) {
        runs.back()[1] = number;
      } else {
        runs.push_back({number, number});
      }
    }
    runs.resize(std::min(runs.size(), most));
    fmt::print("{{\"highest\": {}, \"missing\": {}}}\n", highest_, runs);
    std::fflush(stdout);
  }

 private:
  std::vector<bool> seen_;
  std::uint64_t received_ = 0;
  std::uint64_t duplicated_ = 0;
  std::uint64_t reordered_ = 0;
  std::uint64_t highest_ = 0;
  std::uint64_t last_arrival_ = 0;
  std::uint64_t last_sent_ = 0;
  std::uint64_t gap_ = 0;
  std::uint64_t sender_gap_ = 0;
};

std::uint64_t arrival(msghdr& header) {
  for (cmsghdr* control = CMSG_FIRSTHDR(&header); control != nullptr;
       control = CMSG_NXTHDR(&header, control)) {
    if (control->cmsg_level == SOL_SOCKET && control->cmsg_type == SO_TIMESTAMPNS) {
      timespec time{};
      std::memcpy(&time, CMSG_DATA(control), sizeof time);
      return static_cast<std::uint64_t>(time.tv_sec) * second + static_cast<std::uint64_t>(time.tv_nsec);
    }
  }
  return now(CLOCK_REALTIME);
}

// Everything that waits at the socket.
void drain(int socket, Tally& tally) {
  std::array<Payload, batch> payloads{};
  std::array<iovec, batch> vectors{};
  std::array<std::array<char, 64>, batch> controls{};
  std::array<mmsghdr, batch> messages{};
  for (int count = static_cast<int>(batch); count == static_cast<int>(batch);) {
    for (unsigned i = 0; i < batch; ++i) {
      vectors[i] = {&payloads[i], sizeof(Payload)};
      messages[i].msg_hdr = {};
      messages[i].msg_hdr.msg_iov = &vectors[i];
      messages[i].msg_hdr.msg_iovlen = 1;
      messages[i].msg_hdr.msg_control = controls[i].data();
      messages[i].msg_hdr.msg_controllen = controls[i].size();
    }
    count = recvmmsg(socket, messages.data(), batch, MSG_DONTWAIT, nullptr);
    for (int i = 0; i < count; ++i) {
      if (messages[static_cast<unsigned>(i)].msg_len >= sizeof(Payload)) {
        tally.add(payloads[static_cast<unsigned>(i)], arrival(messages[static_cast<unsigned>(i)].msg_hdr));
      }
    }
  }
}

void receive_stream(std::uint16_t port) {
  const int socket = open_socket();
  const int on = 1;
  const sockaddr_in any = socket_address("0.0.0.0", port);
  if (setsockopt(socket, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on) != 0 ||
      bind(socket, reinterpret_cast<const sockaddr*>(&any), sizeof any) != 0) {
    fail("bind");
  }
  Tally tally;
  fmt::print("{{\"ready\": true}}\n");
  std::fflush(stdout);
  std::string commands;
  std::array<pollfd, 2> watched{{{socket, POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}}};
  while (true) {
    if (poll(watched.data(), watched.size(), -1) < 0 && errno != EINTR) {
      fail("poll");
    }
    drain(socket, tally);
    if (watched[1].revents == 0) {
      continue;
    }
    std::array<char, 256> text{};
    const ssize_t length = read(STDIN_FILENO, text.data(), text.size());
    if (length <= 0) {
      return;
    }
    commands.append(text.data(), static_cast<std::size_t>(length));
    for (std::size_t end = commands.find('\n'); end != std::string::npos; end = commands.find('\n')) {
      const std::string command = commands.substr(0, end);
      commands.erase(0, end + 1);
      if (command == "missing") {
        tally.print_missing();
        continue;
      }
      tally.print();
      if (command == "quit") {
        return;
      }
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Sends or receives a stream of numbered UDP packets."};
  app.require_subcommand(1);
  SendOptions options;
  auto* send = app.add_subcommand("send", "send and print what was sent");
  send->add_option("address", options.address, "IPv4 address of the receiver")->required();
  send->add_option("port", options.port, "UDP port of the receiver")->required();
  send->add_option("--rate", options.rate, "packets a second")->check(CLI::Range(1, 10'000'000));
  send->add_option("--seconds", options.seconds, "how long")->check(CLI::Range(0.0, 3600.0));
  send->add_option("--source-port", options.source_port, "UDP port to send from");
  send->add_option("--size", options.size, "bytes of UDP payload")->check(CLI::Range(16, 8972));
  std::uint16_t port = 0;
  auto* receive =
      app.add_subcommand("receive", "receive; `status` or `quit` on standard input prints what arrived");
  receive->add_option("port", port, "UDP port")->required();
  CLI11_PARSE(app, argc, argv);
  try {
    if (send->parsed()) {
      send_stream(options);
    } else {
      receive_stream(port);
    }
  } catch (const std::exception& error) {
    fmt::print(stderr, "stream: {}\n", error.what());
    return 1;
  }
  return 0;
}
