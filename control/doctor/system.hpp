// SPDX-License-Identifier: BSD-3-Clause
// What `sekisho doctor` sees of this machine: facts as they were read (probe.hpp), for the checks to judge.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

#include "common/base/mac_address.hpp"
#include "control/doctor/cloud.hpp"

namespace sekisho::doctor {

inline constexpr std::uint64_t mb = std::uint64_t{1} << 20;

// What sekisho-control says of itself and of the dataplane.
struct Control {
  struct Problem {
    bool bad = true;
    std::string sentence;
    std::string remedy;
  };
  std::string version;
  std::vector<Problem> problems;  // what it says is wrong with what runs
  bool has_dataplane = false;
  // Of a dataplane that is there:
  std::string dataplane_version;
  bool hugepages = false;
  std::uint64_t packet_bytes = 0;              // of the packet buffers' memory
  std::uint64_t transparent_packet_bytes = 0;  // of those, in transparent hugepages
  std::vector<unsigned> workers;
};

// A device on the PCI bus or on VMBus.
struct Nic {
  bool present = false;
  std::string driver;       // empty: bound to none
  std::string interface;    // the kernel's, while it has the device
  bool iommu = false;       // the device is behind one
  bool translated = false;  // and it translates addresses: not in passthrough
};

struct Interface {
  std::string name;
  bool present = false;
  std::string driver;
  std::string alias;
  std::optional<std::uint64_t>
      xdp_features;   // NETDEV_XDP_ACT_*; none: the kernel does not say (before Linux 6.3)
  int rp_filter = 0;  // its own
  std::uint32_t mtu = 0;
};

struct Port {
  std::string name;
  std::string device;  // without DPDK's arguments
  bool af_xdp = false;
  std::optional<Nic> nic;                    // of a device on a bus
  std::optional<Interface> interface;        // by which the kernel has the port
  std::string missing = {};                  // why it has none: "there is no interface lan0"
  std::string companion_alias;               // by which the dataplane knows that it made this interface
  std::optional<base::MacAddress> mac = {};  // none: the kernel has no interface of it
  std::vector<std::pair<std::uint32_t, std::uint8_t>> addresses = {};  // with the lengths of their subnets
  std::vector<std::uint32_t> frontends =
      {};               // [azure] own_addresses: a load balancer's, delivered to any port
  std::string vf = {};  // the interface that its interface has enslaved: Azure's VF; empty: none
  // How long the kernel may take to notice that a neighbour there is gone; none: no member there goes without a probe.
  std::optional<std::chrono::milliseconds> neighbour_patience = {};
  std::uint16_t mtu = 0;  // configured; 0: its interface's own
};

struct HugePages {
  std::uint64_t page = 0;  // bytes
  std::uint64_t total = 0;
  std::uint64_t free = 0;
  bool transparent = false;  // the kernel makes them for programs that ask
};

// FRR's files, where it is to speak to peers.
struct Bgp {
  std::string file;                 // its frr.conf
  std::optional<std::string> text;  // none: it is not there, or cannot be read
  std::string unread;               // why; empty: it is not there
  std::string rendered;             // what the configuration means
  bool starts_bgpd = true;          // by its file of daemons
  // Where a zone follows a learned default: peers to which the host has no route but its own default.
  struct Peer {
    std::string address;
    std::string gateway;  // of that default; empty: it has none
  };
  std::vector<Peer> by_default_alone = {};
};

struct System {
  bool root = false;
  std::pair<unsigned, unsigned> kernel;  // 6.1

  std::string file;                                // the configuration
  std::optional<std::string> configuration_error;  // why it is refused; its ports are unknown then
  std::vector<Port> ports;
  std::vector<std::string>
      guard_problems;                  // locks that are missing; none without root, who alone sees them all
  std::vector<std::string> unsteered;  // ports whose steering program is
  std::uint64_t table_bytes = 0;       // what the zones' tables and that of the sources will take

  tl::expected<Control, std::string> control;
  // Of /etc/sekisho/dataplane.env, or the dataplane's own defaults.
  std::vector<unsigned> workers;
  std::uint64_t packet_bytes = 0;
  std::uint16_t packet_mtu =
      0;  // for which a packet buffer has room; AF_XDP takes none that is larger than a page

  tl::expected<void, std::string> guard;  // whether nftables closes the forward hook, or why it does not
  bool forwards = false;                  // net.ipv4.ip_forward
  int rp_filter_all = 0;                  // the kernel takes the greater of it and the interface's
  std::optional<Interface> exit;          // sekisho0

  bool no_iommu_mode = false;  // of VFIO
  bool locked_down = false;    // the kernel lets no program reach the memory of a device (Secure Boot)
  bool xdp_sockets = false;

  HugePages hugepages;
  std::uint64_t available_memory = 0;
  std::vector<unsigned> cpus;  // online
  std::vector<unsigned> isolated;
  std::vector<unsigned> tickless;

  std::optional<Cloud> cloud;  // none: this is none that is known, or it was not to be asked
  std::optional<CloudKind> firmware_cloud = {};  // which it is, also where it was not to be asked

  bool clock_synchronised = false;
  std::string frr;         // version; empty: not installed
  std::optional<Bgp> bgp;  // none: no peers are configured
};

}  // namespace sekisho::doctor
