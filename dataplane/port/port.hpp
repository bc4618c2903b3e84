// SPDX-License-Identifier: BSD-3-Clause
// Bringing an ethdev port up and down. Two kinds of device:
//   "af_xdp:NETDEV"   a kernel interface through net_af_xdp with the steering program (steer/): the netdev
//                     itself is the host companion. One queue pair for each of the netdev's channels
//   anything else     one that DPDK owns (bus.hpp): a NIC, or a virtual device. Its companion is the host room's
//
// Writer thread only. A port is usable by workers when open() returned and until close() begins; the caller
// takes it from the workers and lets a grace period pass before closing.
//
// For an AF_XDP port, whenever no frame is on its way between two of these places:
//   steer_counters()["redirected"] = redirected_before() + frames that workers received + missed() + held()
// until it has lost its netdev: what is redirected from then on is in no counter of the kernel.
#pragma once

#include <rte_config.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "common/base/mac_address.hpp"
#include "common/base/prefix.hpp"
#include "dataplane/decide/host_sources.hpp"
#include "dataplane/port/bus.hpp"
#include "dataplane/port/open_files.hpp"
#include "dataplane/port/posted_buffers.hpp"
#include "dataplane/port/xsk_rings.hpp"

struct rte_mempool;

namespace sekisho::steer {
class Steering;
}

namespace sekisho::port {

// What a queue of an AF_XDP port may keep from the pool: what the kernel may fill, and what it has not sent
// yet (transmit and completion ring).
inline constexpr unsigned af_xdp_queue_buffers = 3 * 2048;

struct PortConfig {
  std::string name;  // the operator's, as in sekisho.toml
  std::string device;
  std::vector<std::uint32_t> local;  // addresses of the kernel on this port (AF_XDP: passed up by steering)
  std::vector<base::Prefix>
      host_sources;              // who may send to those, besides the sources of the port's zones; sorted
  std::uint16_t mtu = 0;         // 0: the device's own
  std::string instance;          // of the device: differs when another one has taken its name
  std::string companion;         // the TAP by which the kernel has the port; empty: none
  std::uint16_t device_mtu = 0;  // of an AF_XDP port: its interface's as control knows it; 0: unknown
  std::string configured;        // the device in the operator's words; not used here
  std::uint32_t address = 0;     // the primary one; not used here either
  std::optional<std::uint16_t>
      mss_clamp;  // what TCP may say of its longest segment; 0: by the MTUs; not used here

  [[nodiscard]] bool is_af_xdp() const;
  // Whether both are the interface of one AF_XDP port, by whatever name.
  [[nodiscard]] bool has_interface_of(const PortConfig& other) const;
  friend bool operator==(const PortConfig&, const PortConfig&) = default;
};

class Port {
 public:
  // `workers`: how many transmit queues are needed, one each. The error is one sentence that names the device
  // and says what to do.
  [[nodiscard]] static auto open(const PortConfig& config, const decide::HostSources& sources,
                                 unsigned workers, rte_mempool* pool)
      -> tl::expected<std::unique_ptr<Port>, std::string>;
  ~Port();  // stops, closes and unplugs
  Port(const Port&) = delete;
  Port& operator=(const Port&) = delete;

  [[nodiscard]] std::uint16_t dpdk_port() const noexcept { return dpdk_port_; }
  [[nodiscard]] std::uint16_t rx_queues() const noexcept { return rx_queues_; }
  [[nodiscard]] std::uint16_t tx_queues() const noexcept { return tx_queues_; }
  [[nodiscard]] std::uint16_t mtu() const noexcept { return mtu_; }
  // Of those that a device which DPDK owns takes as it has been opened; 0: it does not say, or the kernel owns it.
  [[nodiscard]] std::uint16_t most_mtu() const noexcept { return most_mtu_; }
  [[nodiscard]] base::MacAddress mac() const noexcept { return mac_; }
  [[nodiscard]] const std::string& driver() const noexcept { return driver_; }

  // An AF_XDP port takes the MTU of its interface as it is now, as far as packet buffers have room for it.
  void follow_mtu(const PortConfig& config) noexcept;
  // Addresses can change while the port runs.
  [[nodiscard]] auto set_local(const std::vector<std::uint32_t>& local) -> tl::expected<void, std::string>;
  // Whose packets to those an AF_XDP port passes up.
  [[nodiscard]] auto set_sources(const decide::HostSources& sources) -> tl::expected<void, std::string>;
  // Packets flow from here on (an AF_XDP port drops IPv4 before). After the workers have been given the
  // queues.
  [[nodiscard]] auto admit() -> tl::expected<void, std::string>;

  // Whether an AF_XDP port's netdev was moved to another network namespace, or deleted: its sockets get no frame any more, also
  // when it comes back, and what steering gives them is lost.
  [[nodiscard]] bool has_lost_netdev() noexcept;
  // Whether an AF_XDP port's steering program had been removed from its netdev and is there again. The error says what is there
  // instead, or why it cannot be put back.
  [[nodiscard]] auto keep_steered() -> tl::expected<bool, std::string>;
  // Whether frames can leave: not by an AF_XDP port whose interface is down, whose sockets keep them until it is up again.
  [[nodiscard]] bool can_send() const noexcept;
  // No frame reaches an AF_XDP port's sockets any more. After workers have been taken off it what is counted here is final.
  void revoke() noexcept;

  // What happened before a worker saw the frame: the steering program's counters by name, since the netdev was first steered;
  // empty for other devices.
  [[nodiscard]] std::map<std::string, std::uint64_t> steer_counters() const;
  // Of those, what was redirected to others' sockets before this port was opened.
  [[nodiscard]] std::uint64_t redirected_before() const noexcept;
  // Of an AF_XDP port's netdev; otherwise 0.
  [[nodiscard]] int ifindex() const noexcept;
  // Frames the device or the socket had no room or no buffer for.
  [[nodiscard]] std::uint64_t missed() const;
  // Frames in the receive rings of an AF_XDP port: not yet taken by a worker.
  [[nodiscard]] std::uint64_t held() const;

 private:
  Port() = default;
  [[nodiscard]] static auto try_open(const PortConfig& config, const decide::HostSources& sources,
                                     unsigned workers, rte_mempool* pool)
      -> tl::expected<std::unique_ptr<Port>, std::string>;
  [[nodiscard]] auto plug_af_xdp(const PortConfig& config, const decide::HostSources& sources,
                                 unsigned workers, rte_mempool* pool) -> tl::expected<void, std::string>;
  [[nodiscard]] auto plug_own(const PortConfig& config, unsigned workers) -> tl::expected<void, std::string>;
  [[nodiscard]] auto hotplug(const BusDevice& device) -> tl::expected<void, std::string>;
  [[nodiscard]] auto start(const PortConfig& config, rte_mempool* pool) -> tl::expected<void, std::string>;
  void take_mtu(std::uint16_t of_interface, std::uint16_t configured) noexcept;
  [[nodiscard]] auto bind_af_xdp(const PortConfig& config) -> tl::expected<void, std::string>;

  BusDevice plugged_;  // without a name until it is
  std::string driver_;
  std::uint16_t dpdk_port_ = RTE_MAX_ETHPORTS;  // none: 0 would be another's
  std::uint16_t rx_queues_ = 0;
  std::uint16_t tx_queues_ = 0;
  std::uint16_t mtu_ = 0;
  std::uint16_t most_mtu_ = 0;
  base::MacAddress mac_{};
  bool started_ = false;
  bool lost_netdev_ = false;

  // Of an AF_XDP port.
  std::unique_ptr<steer::Steering> steering_;
  rte_mempool* pool_ = nullptr;
  OpenFiles files_before_;
  OpenFiles files_;
  std::optional<PostedBuffers> posted_;  // until all rings are found
  std::vector<XskRings> rings_;
};

// What steering counts for a device that no port has open; empty unless it is a netdev that was steered.
[[nodiscard]] std::map<std::string, std::uint64_t> steer_counters_of(const std::string& device);

}  // namespace sekisho::port
