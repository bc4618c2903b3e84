// Bringing an ethdev port up and down. Two kinds of device:
//   "af_xdp:NETDEV"   a kernel interface through net_af_xdp with the steering program (steer/): the netdev itself is the
//                     host companion. One queue pair for each of the netdev's channels
//   anything else     a DPDK vdev string, as for --vdev: "net_null0,no-rx=1", "net_pcap0,rx_pcap=..,tx_pcap=.."
//
// Writer thread only. A port is usable by workers when open() returned and until close() begins; the caller takes
// it from the workers and lets a grace period pass before closing.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "dataplane/fib/next_hop_table.hpp"

struct rte_mempool;

namespace sekisho::steer {
class Steering;
}

namespace sekisho::port {

struct PortConfig {
  std::string name;                    // the operator's, as in sekisho.toml
  std::string device;
  std::vector<std::uint32_t> local;    // addresses of the kernel on this port (AF_XDP: passed up by steering)
  std::uint16_t mtu = 0;               // 0: the device's own
  friend bool operator==(const PortConfig&, const PortConfig&) = default;
};

class Port {
 public:
  // `workers`: how many transmit queues are needed, one each. The error is one sentence that names the device and
  // says what to do.
  [[nodiscard]] static auto open(const PortConfig& config, unsigned workers, rte_mempool* pool)
      -> tl::expected<std::unique_ptr<Port>, std::string>;
  ~Port();  // stops, closes and unplugs
  Port(const Port&) = delete;
  Port& operator=(const Port&) = delete;

  [[nodiscard]] std::uint16_t dpdk_port() const noexcept { return dpdk_port_; }
  [[nodiscard]] std::uint16_t rx_queues() const noexcept { return rx_queues_; }
  [[nodiscard]] std::uint16_t tx_queues() const noexcept { return tx_queues_; }
  [[nodiscard]] std::uint16_t mtu() const noexcept { return mtu_; }
  [[nodiscard]] fib::MacAddress mac() const noexcept { return mac_; }
  [[nodiscard]] const std::string& driver() const noexcept { return driver_; }

  // Addresses can change while the port runs.
  [[nodiscard]] auto set_local(const std::vector<std::uint32_t>& local) -> tl::expected<void, std::string>;
  // Packets flow from here on (an AF_XDP port drops IPv4 before). After the workers have been given the queues.
  [[nodiscard]] auto admit() -> tl::expected<void, std::string>;

  // What happened before a worker saw the frame: the steering program's counters by name, empty for other devices.
  [[nodiscard]] std::map<std::string, std::uint64_t> steer_counters() const;
  // Frames the device or the socket had no room for.
  [[nodiscard]] std::uint64_t missed() const;

 private:
  Port();
  std::string vdev_;  // its name for unplugging
  std::string driver_;
  std::uint16_t dpdk_port_ = 0;
  std::uint16_t rx_queues_ = 0;
  std::uint16_t tx_queues_ = 0;
  std::uint16_t mtu_ = 0;
  fib::MacAddress mac_{};
  std::unique_ptr<steer::Steering> steering_;
  bool started_ = false;
};

}  // namespace sekisho::port
