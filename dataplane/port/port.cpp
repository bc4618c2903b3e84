// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/port/port.hpp"

#include <fmt/format.h>
#include <net/if.h>
#include <rte_dev.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <set>
#include <string_view>

#include "dataplane/port/netdev.hpp"
#include "dataplane/port/packet_pool.hpp"
#include "dataplane/steer/steering.hpp"

namespace sekisho::port {
namespace {

constexpr std::string_view af_xdp_prefix = "af_xdp:";

// net_af_xdp 22.11 posts 2048 buffers for each queue and replaces those it takes, so that a longer receive
// ring never holds more. At 100,000 packets a second that is 20 ms of a worker's absence.
constexpr std::uint16_t af_xdp_descriptors = 2048;
// Other devices: what they advise, else this.
constexpr std::uint16_t default_descriptors = 1024;

// The kernel gives a queue back to others from a work queue, a moment after its AF_XDP socket is gone (ours
// at close, or a crashed process's), and does not say when; binding it before fails with EBUSY, which the PMD
// reports as EINVAL. So it is tried again.
constexpr unsigned queue_release_us = 100'000;
constexpr int max_retries = 3;
constexpr std::string_view receive_queue_step = "setting up receive queue";

constexpr unsigned ethernet_overhead = RTE_ETHER_HDR_LEN + RTE_VLAN_HLEN;

std::string error_text(int error) {
  return rte_strerror(error < 0 ? -error : error);
}

// The symmetric key of Woo and Park: both directions of a flow reach the same queue.
std::vector<std::uint8_t> symmetric_key(std::size_t length) {
  std::vector<std::uint8_t> key(length);
  for (std::size_t i = 0; i < length; ++i) {
    key[i] = i % 2 == 0 ? 0x6d : 0x5a;
  }
  return key;
}

// Longest frame for which the kernel finds room in a buffer of the pool: the PMD makes each element of the
// pool, headers and all, a frame of the UMEM, and the kernel keeps XDP's headroom of 256 bytes free.
unsigned af_xdp_frame_room(rte_mempool* pool) {
  const unsigned room = rte_pktmbuf_data_room_size(pool);
  const unsigned headroom = RTE_PKTMBUF_HEADROOM + 256;
  return room > headroom ? room - headroom : 0;
}

// Longest frame that one buffer takes.
unsigned frame_room(rte_mempool* pool) {
  return rte_pktmbuf_data_room_size(pool) - RTE_PKTMBUF_HEADROOM;
}

// A frame may take several buffers, on either way.
bool chains_buffers(const rte_eth_dev_info& info) {
  return (info.rx_offload_capa & RTE_ETH_RX_OFFLOAD_SCATTER) != 0 &&
         (info.tx_offload_capa & RTE_ETH_TX_OFFLOAD_MULTI_SEGS) != 0;
}

// Of a device that DPDK owns; 0: it does not say. A driver that sets no limit says the largest number there is.
std::uint16_t longest_packet(const rte_eth_dev_info& info, rte_mempool* pool) {
  constexpr std::uint32_t no_limit = UINT16_MAX;
  std::uint32_t most = info.max_mtu != 0 ? info.max_mtu : no_limit;
  // As ethdev does: what the driver's two limits differ by, else a header and a checksum.
  const std::uint32_t around = info.max_mtu != UINT16_MAX && info.max_rx_pktlen > info.max_mtu
                                   ? info.max_rx_pktlen - info.max_mtu
                                   : RTE_ETHER_HDR_LEN + RTE_ETHER_CRC_LEN;
  if (info.max_rx_pktlen > around) {
    most = std::min(most, info.max_rx_pktlen - around);
  }
  if (!chains_buffers(info)) {
    most = std::min(most, frame_room(pool) - ethernet_overhead);
  }
  return static_cast<std::uint16_t>(most < no_limit ? most : 0);
}

// A driver that refuses the program for this says so to the kernel's log alone. The least limit of a driver's is igc's.
std::string mtu_hint(const PortConfig& config) {
  constexpr std::uint16_t every_driver_takes = 1'500;
  const auto netdev = inspect_netdev(config.device.substr(af_xdp_prefix.size()), 1);
  return !netdev || netdev->mtu <= every_driver_takes
             ? std::string{}
             : fmt::format(
                   "; its MTU is {}, and its driver may not take that with XDP: `sekisho doctor` says "
                   "how much the driver takes",
                   netdev->mtu);
}

// As much memory as its elements fill is what the PMD gives to the kernel, from where the pool's first piece
// begins.
bool is_dense(rte_mempool& pool, std::size_t element) {
  std::uintptr_t last = 0;
  rte_mempool_obj_iter(
      &pool,
      [](rte_mempool*, void* opaque, void* object, unsigned) {
        auto& most = *static_cast<std::uintptr_t*>(opaque);
        most = std::max(most, reinterpret_cast<std::uintptr_t>(object));
      },
      &last);
  const auto begin = reinterpret_cast<std::uintptr_t>(STAILQ_FIRST(&pool.mem_list)->addr);
  return pool.nb_mem_chunks == 1 && last - pool.header_size + element <= begin + pool.size * element;
}

auto check_pool(const std::string& device, rte_mempool* pool, unsigned queues, unsigned mtu)
    -> tl::expected<void, std::string> {
  const auto element = rte_mempool_calc_obj_size(pool->elt_size, pool->flags, nullptr);
  if (!is_dense(*pool, element)) {
    return tl::unexpected(
        fmt::format("{}: AF_XDP needs the packet buffers in one piece of memory without gaps; reserve "
                    "larger or contiguous hugepages, or start without",
                    device));
  }
  if (element > static_cast<unsigned>(getpagesize())) {
    return tl::unexpected(
        fmt::format("{}: packet buffers of {} bytes are larger than the page that AF_XDP allows; start "
                    "sekisho-dataplane with --mtu {} or less",
                    device, element, most_af_xdp_mtu));
  }
  if (mtu + ethernet_overhead > af_xdp_frame_room(pool)) {
    return tl::unexpected(fmt::format(
        "{}: MTU {} does not fit into the packet buffers; set it to {} or less{}", device, mtu,
        af_xdp_frame_room(pool) - ethernet_overhead,
        mtu <= most_af_xdp_mtu ? fmt::format(", or start sekisho-dataplane with --mtu {}", mtu) : ""));
  }
  if (const unsigned free_buffers = rte_mempool_avail_count(pool);
      free_buffers < queues * af_xdp_queue_buffers) {
    return tl::unexpected(
        fmt::format("{}: {} packet buffers are free and {} queue(s) need {}; give the dataplane more", device,
                    free_buffers, queues, queues * af_xdp_queue_buffers));
  }
  return {};
}

}  // namespace

bool PortConfig::is_af_xdp() const {
  return device.starts_with(af_xdp_prefix);
}

bool PortConfig::has_interface_of(const PortConfig& other) const {
  return is_af_xdp() && other.is_af_xdp() && !instance.empty() && instance == other.instance;
}

auto Port::open(const PortConfig& config, const decide::HostSources& sources, unsigned workers,
                rte_mempool* pool) -> tl::expected<std::unique_ptr<Port>, std::string> {
  auto port = try_open(config, sources, workers, pool);
  for (int retry = 0;
       retry < max_retries && !port && port.error().find(receive_queue_step) != std::string::npos; ++retry) {
    usleep(queue_release_us);
    port = try_open(config, sources, workers, pool);
  }
  return port;
}

auto Port::try_open(const PortConfig& config, const decide::HostSources& sources, unsigned workers,
                    rte_mempool* pool) -> tl::expected<std::unique_ptr<Port>, std::string> {
  // The destructor undoes as much as was done.
  std::unique_ptr<Port> port(new Port());
  const bool af_xdp = config.is_af_xdp();
  auto done = af_xdp ? port->plug_af_xdp(config, sources, workers, pool) : port->plug_own(config, workers);
  if (done) {
    done = port->start(config, pool);
  }
  if (done && af_xdp) {
    done = port->bind_af_xdp(config);
  }
  if (!done) {
    return tl::unexpected(af_xdp && !done.error().starts_with(af_xdp_prefix)
                              ? fmt::format("{}{}", af_xdp_prefix, done.error())
                              : done.error());
  }
  return port;
}

auto Port::plug_af_xdp(const PortConfig& config, const decide::HostSources& sources, unsigned workers,
                       rte_mempool* pool) -> tl::expected<void, std::string> {
  const auto name = config.device.substr(af_xdp_prefix.size());
  const auto netdev = inspect_netdev(name, workers);
  if (!netdev) {
    return tl::unexpected(netdev.error());
  }
  // By its index: while this port runs, its name may become another interface's.
  const auto index = if_nametoindex(name.c_str());
  if (!config.instance.empty() && !config.instance.starts_with(fmt::format("{} ", index))) {
    return tl::unexpected(
        fmt::format("{}: another interface has taken the name; it is tried again", config.device));
  }
  const auto device = fmt::format("net_af_xdp_{}", index);
  std::uint16_t other = 0;
  if (rte_eth_dev_get_port_by_name(device.c_str(), &other) == 0) {
    return tl::unexpected(fmt::format("{}: another port of this dataplane has it already", config.device));
  }
  if (auto fits = check_pool(config.device, pool, netdev->queues, config.mtu); !fits) {
    return fits;
  }
  pool_ = pool;
  files_before_ = kernel_files();
  posted_.emplace(*pool);
  auto steering = steer::Steering::prepare(name);
  if (!steering) {
    return tl::unexpected(steering.error());
  }
  steering_ = std::move(*steering);
  auto known = steering_->set_local(config.local).and_then([&] { return set_sources(sources); });
  if (!known) {
    return known;
  }
  disable_merging(name);
  rx_queues_ = tx_queues_ = netdev->queues;
  take_mtu(netdev->mtu, 0);
  return hotplug({.bus = Bus::vdev,
                  .name = device,
                  .arguments = fmt::format("iface={},start_queue=0,queue_count={},xdp_prog={}", name,
                                           netdev->queues, steering_->program_path())});
}

auto Port::plug_own(const PortConfig& config, unsigned workers) -> tl::expected<void, std::string> {
  const auto device = locate(config.device, {.hugepages = rte_eal_has_hugepages() != 0,
                                             .physical_addresses = rte_eal_iova_mode() == RTE_IOVA_PA});
  if (!device) {
    return tl::unexpected(device.error());
  }
  if (std::uint16_t other = 0;
      device->bus != Bus::vmbus && rte_eth_dev_get_port_by_name(device->name.c_str(), &other) == 0) {
    return tl::unexpected(
        fmt::format("{}: another port of this dataplane has it already{}", config.device,
                    device->bus == Bus::vdev ? "; number them, as in net_null0 and net_null1" : ""));
  }
  if (auto plugged = hotplug(*device); !plugged) {
    return plugged;
  }
  rte_eth_dev_info info{};
  if (const int error = rte_eth_dev_info_get(dpdk_port_, &info); error != 0) {
    return tl::unexpected(
        fmt::format("{}: DPDK cannot tell what it offers ({})", config.device, error_text(error)));
  }
  if (info.max_tx_queues < workers || info.max_rx_queues == 0) {
    return tl::unexpected(
        fmt::format("{}: it offers {} receive and {} transmit queue(s), and each of the {} worker(s) needs "
                    "its own to transmit; run fewer workers or give it more queues",
                    config.device, info.max_rx_queues, info.max_tx_queues, workers));
  }
  // A net_pcap has a receive queue for each file it was given; others would open as many as they have numbers
  // for.
  const bool fixed_queues = std::string_view(info.driver_name) == "net_pcap";
  rx_queues_ = fixed_queues ? info.max_rx_queues
                            : std::min(info.max_rx_queues, static_cast<std::uint16_t>(std::max(workers, 1U)));
  tx_queues_ = static_cast<std::uint16_t>(std::max(workers, 1U));
  return {};
}

auto Port::hotplug(const BusDevice& device) -> tl::expected<void, std::string> {
  const auto& [bus, name, arguments] = device;
  // VMBus has no hotplug: DPDK has taken the devices that were bound to uio_hv_generic when it started.
  if (bus != Bus::vmbus) {
    const int error = rte_eal_hotplug_add(bus == Bus::pci ? "pci" : "vdev", name.c_str(), arguments.c_str());
    // The bus says EFAULT when no driver's name begins the device's.
    if (bus == Bus::vdev && (error == -EFAULT || error == -ENOTSUP)) {
      return tl::unexpected(
          fmt::format("{}: DPDK has no driver of that name; examples are net_pcap0, net_null0, "
                      "net_memif0 and af_xdp:eth1",
                      name));
    }
    if (bus == Bus::pci && error == -ENOTSUP) {
      return tl::unexpected(fmt::format(
          "{}: DPDK has no driver for this NIC; leave it to the kernel and use af_xdp:NETDEV", name));
    }
    if (error != 0) {
      return tl::unexpected(fmt::format("{}: DPDK refuses it{}{} ({}); the log above says why", name,
                                        arguments.empty() ? "" : " with ", arguments, error_text(error)));
    }
    plugged_ = device;
  }
  if (rte_eth_dev_get_port_by_name(name.c_str(), &dpdk_port_) != 0) {
    return tl::unexpected(fmt::format("{}: {}", name,
                                      bus == Bus::vmbus
                                          ? "DPDK did not take it when it started; restart the dataplane"
                                          : "not a network device"));
  }
  return {};
}

auto Port::start(const PortConfig& config, rte_mempool* pool) -> tl::expected<void, std::string> {
  const auto refuse = [&](std::string_view step, int error) {
    return tl::unexpected(
        fmt::format("{}: {} failed ({}); the log above says why", config.device, step, error_text(error)));
  };
  rte_eth_dev_info info{};
  if (const int error = rte_eth_dev_info_get(dpdk_port_, &info); error != 0) {
    return refuse("asking what it offers", error);
  }
  driver_ = info.driver_name;
  most_mtu_ = steering_ ? std::uint16_t{0} : longest_packet(info, pool);

  rte_eth_conf conf{};
  // Every buffer is of one pool and has one owner.
  conf.txmode.offloads = info.tx_offload_capa & RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE;
  if (const unsigned room = frame_room(pool); !steering_ && config.mtu + ethernet_overhead > room) {
    if (!chains_buffers(info)) {
      return tl::unexpected(
          fmt::format("{}: MTU {} takes several packet buffers a frame, which {} does not do; set it to {} "
                      "or less, or start "
                      "sekisho-dataplane with --mtu {}, where no port is AF_XDP's",
                      config.device, config.mtu, driver_, room - ethernet_overhead, config.mtu));
    }
    conf.rxmode.offloads |= RTE_ETH_RX_OFFLOAD_SCATTER;
    conf.txmode.offloads = RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
  }
  std::vector<std::uint8_t> key;
  const auto hash = info.flow_type_rss_offloads & (RTE_ETH_RSS_IP | RTE_ETH_RSS_TCP | RTE_ETH_RSS_UDP);
  if (rx_queues_ > 1 && hash != 0) {
    conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
    conf.rx_adv_conf.rss_conf.rss_hf = hash;
    key = symmetric_key(info.hash_key_size != 0 ? info.hash_key_size : 40);
    conf.rx_adv_conf.rss_conf.rss_key = key.data();
    conf.rx_adv_conf.rss_conf.rss_key_len = static_cast<std::uint8_t>(key.size());
  }
  if (const int error = rte_eth_dev_configure(dpdk_port_, rx_queues_, tx_queues_, &conf); error != 0) {
    return refuse(fmt::format("giving it {} receive and {} transmit queue(s)", rx_queues_, tx_queues_),
                  error);
  }

  if (config.mtu != 0) {
    // A software device that has no notion of an MTU (net_ring) takes any; what is sent is held against ours. A NIC whose driver cannot
    // set it keeps the one that it has.
    std::uint16_t present = 0;
    const bool takes_it = (plugged_.bus == Bus::vdev && !plugged_.name.empty()) ||
                          (rte_eth_dev_get_mtu(dpdk_port_, &present) == 0 && config.mtu <= present);
    if (const int error = rte_eth_dev_set_mtu(dpdk_port_, config.mtu);
        error != 0 && (error != -ENOTSUP || !takes_it)) {
      const auto most = error == -ENOTSUP ? present : most_mtu_;
      return tl::unexpected(fmt::format("{}: it refuses MTU {} ({}){}", config.device, config.mtu,
                                        error_text(error),
                                        most != 0 ? fmt::format("; the most it takes is {}", most) : ""));
    }
    mtu_ = config.mtu;
  } else if (!steering_) {
    rte_eth_dev_get_mtu(dpdk_port_, &mtu_);
  }

  std::uint16_t rx_descriptors = std::max(default_descriptors, info.default_rxportconf.ring_size);
  std::uint16_t tx_descriptors = std::max(default_descriptors, info.default_txportconf.ring_size);
  if (steering_) {
    rx_descriptors = tx_descriptors = af_xdp_descriptors;
  } else {
    rte_eth_dev_adjust_nb_rx_tx_desc(dpdk_port_, &rx_descriptors, &tx_descriptors);
  }
  // What a driver says when it finds no buffers for its rings differs, and is seldom more than a number.
  const auto short_of_buffers = [&] {
    const unsigned wanted = rx_queues_ * rx_descriptors;
    const unsigned free_buffers = rte_mempool_avail_count(pool);
    return free_buffers < wanted ? fmt::format(
                                       "; {} packet buffers are free and {} receive queue(s) need {}: start "
                                       "sekisho-dataplane with more --memory",
                                       free_buffers, rx_queues_, wanted)
                                 : std::string{};
  };
  const auto refuse_rings = [&](const std::string& step, int error) {
    return tl::unexpected(refuse(step, error).value() + short_of_buffers());
  };
  const auto socket = static_cast<unsigned>(rte_eth_dev_socket_id(dpdk_port_));
  for (std::uint16_t queue = 0; queue < rx_queues_; ++queue) {
    if (const int error = rte_eth_rx_queue_setup(dpdk_port_, queue, rx_descriptors, socket, nullptr, pool);
        error != 0) {
      if (steering_ && !steering_->refusal().empty()) {
        return tl::unexpected(steering_->refusal() + mtu_hint(config));
      }
      return refuse_rings(fmt::format("{} {}", receive_queue_step, queue), error);
    }
  }
  for (std::uint16_t queue = 0; queue < tx_queues_; ++queue) {
    if (const int error = rte_eth_tx_queue_setup(dpdk_port_, queue, tx_descriptors, socket, nullptr);
        error != 0) {
      return refuse(fmt::format("setting up transmit queue {}", queue), error);
    }
  }
  if (const int error = rte_eth_dev_start(dpdk_port_); error != 0) {
    return refuse_rings("starting it", error);
  }
  started_ = true;
  // Frames for other stations are for nobody here; a driver that cannot filter has them dropped by the pipeline.
  rte_eth_promiscuous_disable(dpdk_port_);

  rte_ether_addr mac{};
  rte_eth_macaddr_get(dpdk_port_, &mac);
  std::copy_n(mac.addr_bytes, mac_.size(), mac_.begin());
  return {};
}

auto Port::bind_af_xdp(const PortConfig& config) -> tl::expected<void, std::string> {
  files_ = files_since(files_before_);
  std::vector<XskRings> found;
  for (const int socket : sockets_of(files_)) {
    if (auto rings = XskRings::find(socket, mapped_ranges(files_.at(socket)))) {
      found.push_back(*rings);
    }
  }
  if (found.size() != rx_queues_) {
    return tl::unexpected(fmt::format(
        "{}: the rings of {} of its {} sockets are found; DPDK's af_xdp driver is not the expected one",
        config.device, found.size(), rx_queues_));
  }
  rings_ = std::move(found);
  posted_.reset();
  return steering_->bind();
}

Port::~Port() {
  revoke();
  std::set<rte_mbuf*> lent;
  for (const auto& rings : rings_) {
    lent.merge(rings.lent(*pool_));
  }
  if (posted_) {  // open() did not get to its end
    files_ = files_since(files_before_);
    lent = posted_->find();
    posted_.reset();
  }
  rings_.clear();
  if (started_) {
    rte_eth_dev_stop(dpdk_port_);
  }
  if (!plugged_.name.empty()) {
    rte_eth_dev_close(dpdk_port_);
    rte_eal_hotplug_remove(plugged_.bus == Bus::pci ? "pci" : "vdev", plugged_.name.c_str());
  }
  if (steering_) {
    steering_.reset();
    close_leftovers(files_);
    if (!files_.empty()) {
      usleep(queue_release_us);
    }
  }
  // Only now does the kernel write to none of them any more.
  for (rte_mbuf* buffer : lent) {
    rte_pktmbuf_free(buffer);
  }
}

bool Port::has_lost_netdev() noexcept {
  lost_netdev_ = lost_netdev_ || std::ranges::any_of(rings_, &XskRings::has_lost_netdev);
  return lost_netdev_;
}

bool Port::can_send() const noexcept {
  return !steering_ || !is_disabled(steering_->ifindex());
}

auto Port::keep_steered() -> tl::expected<bool, std::string> {
  return steering_ ? steering_->keep() : tl::expected<bool, std::string>{false};
}

void Port::revoke() noexcept {
  if (steering_) {
    steering_->revoke();
  }
}

void Port::follow_mtu(const PortConfig& config) noexcept {
  if (steering_ && config.device_mtu != 0) {
    take_mtu(config.device_mtu, config.mtu);
  }
}

void Port::take_mtu(std::uint16_t of_interface, std::uint16_t configured) noexcept {
  const auto room = static_cast<std::uint16_t>(af_xdp_frame_room(pool_) - ethernet_overhead);
  mtu_ = std::min({of_interface, room, configured != 0 ? configured : of_interface});
}

auto Port::set_local(const std::vector<std::uint32_t>& local) -> tl::expected<void, std::string> {
  return steering_ ? steering_->set_local(local) : tl::expected<void, std::string>{};
}

auto Port::set_sources(const decide::HostSources& sources) -> tl::expected<void, std::string> {
  return steering_ ? steering_->set_sources(sources.rules()) : tl::expected<void, std::string>{};
}

auto Port::admit() -> tl::expected<void, std::string> {
  return steering_ ? steering_->admit() : tl::expected<void, std::string>{};
}

std::map<std::string, std::uint64_t> Port::steer_counters() const {
  return steering_ ? steering_->counters() : std::map<std::string, std::uint64_t>{};
}

std::uint64_t Port::redirected_before() const noexcept {
  return steering_ ? steering_->redirected_before() : 0;
}

int Port::ifindex() const noexcept {
  return steering_ ? steering_->ifindex() : 0;
}

std::map<std::string, std::uint64_t> steer_counters_of(const std::string& device) {
  return device.starts_with(af_xdp_prefix) ? steer::counters_of(device.substr(af_xdp_prefix.size()))
                                           : std::map<std::string, std::uint64_t>{};
}

std::uint64_t Port::missed() const {
  if (steering_) {
    std::uint64_t sum = 0;
    for (const auto& rings : rings_) {
      sum += rings.missed();
    }
    return sum;
  }
  // Not rx_nombuf: most drivers leave a frame in the ring when they have no buffer, try again, and count each attempt.
  rte_eth_stats stats{};
  return rte_eth_stats_get(dpdk_port_, &stats) == 0 ? stats.imissed : 0;
}

std::uint64_t Port::held() const {
  std::uint64_t sum = 0;
  for (const auto& rings : rings_) {
    sum += rings.held();
  }
  return sum;
}

}  // namespace sekisho::port
