// SPDX-License-Identifier: BSD-3-Clause
// A private network namespace for a test program, and frames into and out of its interfaces.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include "common/base/fd.hpp"
#include "dataplane/steer/steering.hpp"

namespace sekisho::lab {

using Bytes = std::vector<std::uint8_t>;

inline void run(const std::string& command) {
  if (std::system(command.c_str()) != 0) {
    throw std::runtime_error("failed: " + command);
  }
}

// Before any thread is started. Without IPv6, whose multicasts would come uninvited.
inline void enter_private_namespace() {
  if (unshare(CLONE_NEWNET) != 0) {
    throw std::runtime_error("a network namespace needs root");
  }
  for (const char* scope : {"all", "default"}) {
    std::ofstream(std::string("/proc/sys/net/ipv6/conf/") + scope + "/disable_ipv6") << 1;
  }
  run("ip link set lo up");
}

inline void make_veth(const std::string& name, const std::string& peer) {
  run("ip link add " + name + " type veth peer name " + peer);
  run("ip link set " + name + " up && ip link set " + peer + " up");
  run("ethtool -K " + peer + " tx off >/dev/null");
}

inline void remove(const std::string& name) {
  run("ip link del " + name);
}

// Asks until it holds; false after ten seconds.
inline bool eventually(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) {
      return false;
    }
    usleep(200);
  }
  return true;
}

inline constexpr std::array<std::uint8_t, 6> broadcast_mac{0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

inline std::array<std::uint8_t, 6> mac_of(const std::string& netdev) {
  const base::Fd socket{::socket(AF_INET, SOCK_DGRAM, 0)};
  ifreq ifr{};
  netdev.copy(ifr.ifr_name, IFNAMSIZ - 1);
  if (ioctl(socket.get(), SIOCGIFHWADDR, &ifr) != 0) {
    throw std::runtime_error("no MAC address of " + netdev);
  }
  std::array<std::uint8_t, 6> mac{};
  std::memcpy(mac.data(), ifr.ifr_hwaddr.sa_data, mac.size());
  return mac;
}

inline Bytes ethernet(std::uint16_t type, const Bytes& payload,
                      const std::array<std::uint8_t, 6>& to = broadcast_mac) {
  Bytes frame(to.begin(), to.end());
  frame.insert(frame.end(),
               {0x02, 0, 0, 0, 0, 1, static_cast<std::uint8_t>(type >> 8), static_cast<std::uint8_t>(type)});
  frame.insert(frame.end(), payload.begin(), payload.end());
  return frame;
}

// A UDP datagram to port 4000 without UDP checksum, as IPv4 allows; its payload is `number`.
inline Bytes ipv4(std::uint32_t destination, std::uint32_t number = 0,
                  const std::array<std::uint8_t, 6>& to = broadcast_mac, std::uint32_t source = 0xc0000201) {
  Bytes packet{0x45, 0, 0, 32, 0, 0, 0, 0, 64, 17, 0, 0};
  const auto append = [&](std::uint32_t value) {
    for (int shift = 24; shift >= 0; shift -= 8) {
      packet.push_back(static_cast<std::uint8_t>(value >> shift));
    }
  };
  append(source);
  append(destination);
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < packet.size(); i += 2) {
    sum += static_cast<std::uint32_t>(packet[i] << 8 | packet[i + 1]);
  }
  sum = (sum & 0xffff) + (sum >> 16);
  sum = ~((sum & 0xffff) + (sum >> 16));
  packet[10] = static_cast<std::uint8_t>(sum >> 8);
  packet[11] = static_cast<std::uint8_t>(sum);
  append(5000U << 16 | 4000U);
  append(12U << 16);
  append(number);
  return ethernet(ETH_P_IP, packet, to);
}

// Sends and receives whole frames on a netdev.
class Wire {
 public:
  explicit Wire(const std::string& netdev) : fd_(socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL))) {
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_protocol = htons(ETH_P_ALL);
    address.sll_ifindex = static_cast<int>(if_nametoindex(netdev.c_str()));
    const int ignore = 1;
    setsockopt(fd_.get(), SOL_PACKET, PACKET_IGNORE_OUTGOING, &ignore, sizeof ignore);
    if (::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      throw std::runtime_error("no packet socket on " + netdev);
    }
  }
  void send(const Bytes& frame) const {
    if (::send(fd_.get(), frame.data(), frame.size(), 0) != static_cast<ssize_t>(frame.size())) {
      throw std::runtime_error("a frame was not sent");
    }
  }
  // The next frame within `timeout_ms`; empty if there is none.
  [[nodiscard]] Bytes receive(int timeout_ms = 10000) const { return read_from(fd_.get(), timeout_ms); }

  static Bytes read_from(int fd, int timeout_ms) {
    pollfd ready{fd, POLLIN, 0};
    Bytes frame(2048);
    const auto length = poll(&ready, 1, timeout_ms) == 1 ? ::read(fd, frame.data(), frame.size()) : 0;
    frame.resize(static_cast<std::size_t>(length > 0 ? length : 0));
    return frame;
  }

 private:
  base::Fd fd_;
};

// A netdev with several queues: what is written to the descriptor of a queue arrives on that receive queue.
class Tap {
 public:
  Tap(const std::string& name, unsigned queues) {
    for (unsigned i = 0; i < queues; ++i) {
      queues_.emplace_back(::open("/dev/net/tun", O_RDWR | O_CLOEXEC));
      ifreq ifr{};
      ifr.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_MULTI_QUEUE;
      name.copy(ifr.ifr_name, IFNAMSIZ - 1);
      if (ioctl(queues_.back().get(), TUNSETIFF, &ifr) != 0) {
        throw std::runtime_error("no TAP " + name);
      }
    }
    run("ip link set " + name + " up");
  }
  void send(unsigned queue, const Bytes& frame) const {
    if (::write(queues_[queue].get(), frame.data(), frame.size()) != static_cast<ssize_t>(frame.size())) {
      throw std::runtime_error("a frame was not sent");
    }
  }
  [[nodiscard]] Bytes receive(unsigned queue) const { return Wire::read_from(queues_[queue].get(), 10000); }

 private:
  std::vector<base::Fd> queues_;
};

}  // namespace sekisho::lab
