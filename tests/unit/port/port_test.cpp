// SPDX-License-Identifier: BSD-3-Clause
// Ports on real netdevs in a namespace of the test's own: frames in at a veth's peer or a TAP, through DPDK,
// out again.
#include "dataplane/port/port.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <linux/if_xdp.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <cinttypes>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <numeric>
#include <thread>

#include "common/base/fd.hpp"
#include "common/xdp/program.hpp"
#include "dataplane/port/packet_pool.hpp"
#include "tests/unit/port/port_fixture.hpp"
#include "tests/unit/steer/lab.hpp"

namespace sekisho::port {
namespace {

using lab::Bytes;
using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::Key;
using testing::Not;

TEST_F(PortTest, CarriesFramesFromOnePortToAnother) {
  lab::make_veth("port2", "port3");
  const lab::Wire in("port1");
  const lab::Wire out("port3");
  auto from = must_open(config_of("af_xdp:port0"));
  auto to = must_open(config_of("af_xdp:port2"));
  EXPECT_EQ(from->driver(), "net_af_xdp");
  EXPECT_EQ(from->mac(), lab::mac_of("port0"));
  EXPECT_EQ(from->mtu(), 1500);
  EXPECT_EQ(from->rx_queues(), 1);
  EXPECT_EQ(from->tx_queues(), 1);

  in.send(lab::ipv4(remote));
  ASSERT_TRUE(lab::eventually([&] { return from->steer_counters().at("dropped_not_ready") == 1; }));
  ASSERT_TRUE(from->admit());
  ASSERT_TRUE(to->admit());
  for (std::uint32_t i = 0; i < 1000; ++i) {
    const Bytes frame = lab::ipv4(remote, i);
    in.send(frame);
    auto frames = receive(*from, 1);
    ASSERT_EQ(frames.size(), 1U);
    EXPECT_EQ(bytes_of(frames[0]), frame);
    ASSERT_EQ(rte_eth_tx_burst(to->dpdk_port(), 0, frames.data(), 1), 1);
    EXPECT_EQ(out.receive(), frame);
  }
  EXPECT_EQ(from->steer_counters().at("redirected"), 1000U);
  EXPECT_EQ(from->missed(), 0U);
  EXPECT_EQ(from->held() + to->held(), 0U);
  from.reset();
  to.reset();
  lab::remove("port2");
}

TEST_F(PortTest, KernelGetsWhatIsLocal) {
  const base::Fd udp{socket(AF_INET, SOCK_DGRAM, 0)};
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(4000);
  ASSERT_EQ(bind(udp.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  const lab::Wire wire("port1");
  const auto mac = lab::mac_of("port0");
  auto port = must_open(config_of("af_xdp:port0"));
  ASSERT_TRUE(port->admit());

  wire.send(lab::ipv4(local, 7, mac));
  EXPECT_EQ(lab::Wire::read_from(udp.get(), 10000), (Bytes{0, 0, 0, 7}));
  wire.send(lab::ethernet(ETH_P_IPV6, Bytes(40), mac));
  ASSERT_TRUE(port->set_local({}));
  wire.send(lab::ipv4(local, 8, mac));
  const auto frames = receive(*port, 1);
  EXPECT_EQ(frames.size(), 1U);
  free_all(frames);
  const auto counters = port->steer_counters();
  EXPECT_EQ(counters.at("passed_local"), 1U);
  EXPECT_EQ(counters.at("dropped_ipv6"), 1U);
  EXPECT_EQ(counters.at("redirected"), 1U);

  ASSERT_TRUE(port->set_local({local}));
  port.reset();
  wire.send(lab::ipv4(local, 9, mac));
  EXPECT_EQ(lab::Wire::read_from(udp.get(), 10000), (Bytes{0, 0, 0, 9})) << "after a clean close, too";
}

// Frames for somebody else, sent as fast as they can be, in front of a kernel that would gladly forward them.
class Flood {
 public:
  Flood() {
    lab::make_veth("port2", "port3");
    lab::run("ip addr add 10.0.2.4/24 dev port2");
    lab::run("ip neigh add 10.0.2.1 lladdr 02:00:00:00:00:09 dev port2");
    lab::run("ip route add default via 10.0.2.1");
    lab::run(
        "sysctl -q -w net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.port0.rp_filter=0");
    sender_ = std::jthread([frame = lab::ipv4(remote, 0, lab::mac_of("port0"))](const std::stop_token& stop) {
      const lab::Wire wire("port1");
      while (!stop.stop_requested()) {
        wire.send(frame);
      }
    });
  }
  ~Flood() {
    sender_ = {};
    lab::run("sysctl -q -w net.ipv4.ip_forward=0");
    lab::remove("port2");
  }
  static std::uint64_t forwarded() {
    std::ifstream interfaces("/proc/self/net/dev");
    for (std::string line; std::getline(interfaces, line);) {
      std::uint64_t bytes = 0;
      std::uint64_t packets = 0;
      if (std::sscanf(line.c_str(), " port3: %" SCNu64 " %" SCNu64, &bytes, &packets) == 2) {
        return packets;
      }
    }
    return 0;
  }

 private:
  std::jthread sender_;
};

pid_t start_holder() {
  std::array<int, 2> ready{};
  EXPECT_EQ(pipe(ready.data()), 0);
  const pid_t pid = fork();
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    const auto descriptor = std::to_string(ready[1]);
    execl("/proc/self/exe", "port_test", "--hold", "af_xdp:port0", descriptor.c_str(), nullptr);
    _exit(1);
  }
  close(ready[1]);
  char answer = 0;
  EXPECT_EQ(read(ready[0], &answer, 1), 1);
  close(ready[0]);
  return pid;
}

// It binds a queue of the netdev, so that nobody else can.
class QueueHolder {
 public:
  explicit QueueHolder(const std::string& netdev) : socket_(socket(AF_XDP, SOCK_RAW, 0)) {
    constexpr std::size_t size = 64UL * 4096;
    memory_ = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    const xdp_umem_reg umem{
        .addr = reinterpret_cast<std::uintptr_t>(memory_), .len = size, .chunk_size = 4096};
    const int entries = 64;
    sockaddr_xdp address{};
    address.sxdp_family = AF_XDP;
    address.sxdp_ifindex = if_nametoindex(netdev.c_str());
    const int fd = socket_.get();
    if (setsockopt(fd, SOL_XDP, XDP_UMEM_REG, &umem, sizeof umem) != 0 ||
        setsockopt(fd, SOL_XDP, XDP_UMEM_FILL_RING, &entries, sizeof entries) != 0 ||
        setsockopt(fd, SOL_XDP, XDP_UMEM_COMPLETION_RING, &entries, sizeof entries) != 0 ||
        setsockopt(fd, SOL_XDP, XDP_RX_RING, &entries, sizeof entries) != 0 ||
        bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      throw std::runtime_error("the queue cannot be held");
    }
  }
  ~QueueHolder() { munmap(memory_, 64UL * 4096); }

 private:
  base::Fd socket_;
  void* memory_;
};

// Whatever happens to the ports, what the flood brings is dropped from the first time on that a port was open.
TEST_F(PortTest, NothingGetsPastThatIsNotSteered) {
  const Flood flood;
  ASSERT_TRUE(lab::eventually([] { return Flood::forwarded() > 1000; })) << "the kernel forwards";
  auto port = must_open(config_of("af_xdp:port0"));
  xdp::wait_for_runs();
  usleep(50'000);  // what the kernel had taken before goes out
  const auto forwarded = Flood::forwarded();
  for (int round = 0; round < 3; ++round) {
    SCOPED_TRACE(round);
    ASSERT_TRUE(port->admit());
    usleep(10'000);
    port.reset();
    usleep(10'000);
    EXPECT_EQ(Flood::forwarded(), forwarded) << "closed";
    {
      const QueueHolder holder("port0");
      EXPECT_NE(refusal(config_of("af_xdp:port0")), "opened");
    }
    EXPECT_EQ(Flood::forwarded(), forwarded) << "failed to open";
    const pid_t pid = start_holder();
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
    usleep(10'000);
    EXPECT_EQ(Flood::forwarded(), forwarded) << "crashed";
    port = must_open(config_of("af_xdp:port0"));
    EXPECT_EQ(Flood::forwarded(), forwarded) << "open again";
  }
  const auto counters = port->steer_counters();
  EXPECT_GT(counters.at("dropped_not_ready"), 100U);
  EXPECT_GT(counters.at("dropped_no_socket"), 100U);
}

TEST_F(PortTest, FailedAttemptsLoseNothing) {
  const auto mapped = mapped_sockets();
  const QueueHolder holder("port0");
  for (int attempt = 0; attempt < 6; ++attempt) {  // of four tries each
    ASSERT_THAT(refusal(config_of("af_xdp:port0")), HasSubstr("setting up receive queue 0 failed"));
    ASSERT_EQ(rte_mempool_avail_count(pool), free_before_);
  }
  EXPECT_EQ(mapped_sockets(), mapped);
  EXPECT_TRUE(kernel_files().size() == 1) << "the holder's";
}

TEST_F(PortTest, CountsOnWhenItIsOpenedAgain) {
  const lab::Wire wire("port1");
  auto port = must_open(config_of("af_xdp:port0"));
  ASSERT_TRUE(port->admit());
  wire.send(lab::ipv4(remote));
  ASSERT_TRUE(lab::eventually([&] { return port->held() == 1; }));
  port->revoke();
  wire.send(lab::ipv4(remote));
  ASSERT_TRUE(lab::eventually([&] { return port->steer_counters().at("dropped_not_ready") == 1; }));
  EXPECT_EQ(port->held(), 1U) << "revoked";
  port.reset();
  wire.send(lab::ipv4(remote));
  ASSERT_TRUE(lab::eventually([&] { return steer_counters_of("af_xdp:port0").at("dropped_not_ready") == 2; }))
      << "while nobody has it";
  port = must_open(config_of("af_xdp:port0"));
  EXPECT_EQ(port->steer_counters().at("redirected"), 1U);
  EXPECT_EQ(port->redirected_before(), 1U);
  EXPECT_EQ(port->steer_counters().at("dropped_not_ready"), 2U);
  EXPECT_TRUE(steer_counters_of("net_null0").empty());
}

TEST_F(PortTest, AccountsForFramesThatFindNoRoom) {
  const lab::Wire wire("port1");
  auto port = must_open(config_of("af_xdp:port0"));
  ASSERT_TRUE(port->admit());
  constexpr std::uint64_t sent = 3000;
  std::uint64_t seen = 0;
  for (std::uint32_t i = 0; i < sent; ++i) {
    wire.send(lab::ipv4(remote, i));
    // Not faster than the veth takes them: what its own ring drops never reaches the port.
    ASSERT_TRUE(lab::eventually([&] {
      return i % 64 != 63 || (seen = port->steer_counters().at("redirected")) == i + 1;
    })) << seen;
  }
  ASSERT_TRUE(lab::eventually([&] { return port->steer_counters().at("redirected") == sent; }));
  ASSERT_TRUE(lab::eventually([&] { return port->held() + port->missed() == sent; }));
  EXPECT_EQ(port->held(), ring);
  EXPECT_EQ(port->missed(), sent - ring);
  const auto frames = receive(*port, ring);
  EXPECT_EQ(frames.size(), ring);
  EXPECT_EQ(port->held(), 0U);
  free_all(frames);
}

TEST_F(PortTest, ClosesWithFramesInItsRings) {
  const lab::Wire wire("port1");
  for (int round = 0; round < 5; ++round) {
    SCOPED_TRACE(round);
    auto port = must_open(config_of("af_xdp:port0"));
    ASSERT_TRUE(port->admit());
    for (std::uint32_t i = 0; i < 20; ++i) {
      wire.send(lab::ipv4(remote, i));
    }
    auto frames = receive(*port, 10);
    ASSERT_EQ(frames.size(), 10U);
    ASSERT_EQ(rte_eth_tx_burst(port->dpdk_port(), 0, frames.data(), 10), 10);
    port.reset();
    EXPECT_EQ(rte_mempool_avail_count(pool), free_before_);
  }
}

TEST_F(PortTest, EveryQueueOfATap) {
  {
    const lab::Tap tap("port4", 2);
    for (int round = 0; round < 3; ++round) {
      SCOPED_TRACE(round);
      auto port = must_open(config_of("af_xdp:port4"), 2);
      ASSERT_EQ(port->rx_queues(), 2);
      ASSERT_EQ(port->tx_queues(), 2);
      ASSERT_TRUE(port->admit());
      for (const std::uint16_t queue : {std::uint16_t{0}, std::uint16_t{1}}) {
        const Bytes frame = lab::ipv4(remote, 100U + queue);
        tap.send(queue, frame);
        auto frames = receive(*port, 1, queue);
        ASSERT_EQ(frames.size(), 1U) << "queue " << queue;
        EXPECT_EQ(bytes_of(frames[0]), frame);
        ASSERT_EQ(rte_eth_tx_burst(port->dpdk_port(), queue, frames.data(), 1), 1);
        EXPECT_EQ(tap.receive(queue), frame);
      }
    }
    EXPECT_THAT(refusal(config_of("af_xdp:port4"), 3),
                AllOf(HasSubstr("af_xdp:port4: "), HasSubstr("ethtool -L port4 combined 3")));
  }
}

TEST_F(PortTest, ReplacesACrashedProcess) {
  const pid_t pid = start_holder();
  EXPECT_THAT(refusal(config_of("af_xdp:port0")), HasSubstr(fmt::format("process {}", pid)));
  kill(pid, SIGKILL);
  waitpid(pid, nullptr, 0);

  const lab::Wire wire("port1");
  auto port = must_open(config_of("af_xdp:port0"));
  ASSERT_TRUE(port->admit());
  wire.send(lab::ipv4(remote));
  const auto frames = receive(*port, 1);
  EXPECT_EQ(frames.size(), 1U);
  free_all(frames);
}

TEST_F(PortTest, SurvivesItsNetdevDownAndUp) {
  const lab::Wire wire("port1");
  auto port = must_open(config_of("af_xdp:port0"));
  ASSERT_TRUE(port->admit());
  lab::run("ip link set port0 down && ip link set port0 up");
  // The peer's carrier went and came back: it loses what it is given until the kernel's link watch, which takes its time, has opened
  // its queue again.
  std::array<rte_mbuf*, 32> frames{};
  std::uint16_t received = 0;
  EXPECT_TRUE(lab::eventually([&] {
    wire.send(lab::ipv4(remote));
    received = rte_eth_rx_burst(port->dpdk_port(), 0, frames.data(), frames.size());
    return received != 0;
  }));
  rte_pktmbuf_free_bulk(frames.data(), received);
}

TEST_F(PortTest, SetsTheMtu) {
  auto config = config_of("af_xdp:port0");
  config.mtu = 1400;
  EXPECT_EQ(must_open(config)->mtu(), 1400);
  config.mtu = 3000;
  EXPECT_THAT(refusal(config), AllOf(HasSubstr("af_xdp:port0: MTU 3000"), HasSubstr("set it to 1774 or less"),
                                     HasSubstr("--mtu 3000")));
  config.mtu = 9000;
  EXPECT_THAT(refusal(config),
              AllOf(HasSubstr("af_xdp:port0: MTU 9000"), HasSubstr("or less"), Not(HasSubstr("--mtu"))));
}

// veth's driver refuses the program, and tells the kernel's log why.
TEST_F(PortTest, SaysThatADriverMayNotTakeTheMtu) {
  lab::run("ip link set port0 mtu 9000");
  lab::run("ip link set port1 mtu 9000");
  EXPECT_THAT(
      refusal(config_of("af_xdp:port0")),
      AllOf(HasSubstr("af_xdp:port0: the steering program cannot be attached"),
            HasSubstr("its MTU is 9000, and its driver may not take that with XDP: `sekisho doctor` says how "
                      "much the driver takes")));
}

TEST_F(PortTest, LongPacketsInOneBuffer) {
  auto config = config_of("net_null0");  // whose driver puts a frame into one alone
  config.mtu = 9000;
  EXPECT_THAT(refusal(config), AllOf(HasSubstr("net_null0: MTU 9000 takes several packet buffers a frame"),
                                     HasSubstr("set it to 2030 or less"), HasSubstr("--mtu 9000")));
  config.mtu = 2030;
  EXPECT_EQ(must_open(config)->mtu(), 2030);
  auto ring = config_of("net_ring0");
  ring.mtu = 9000;
  EXPECT_EQ(must_open(ring)->mtu(), 9000) << "in several";

  rte_mempool* const large = make_packet_pool("large", 1023, 0, SOCKET_ID_ANY, PoolMemory::own, 9000);
  ASSERT_NE(large, nullptr);
  {
    config.mtu = 9000;
    const auto one = Port::open(config, anybody(), 1, large);
    ASSERT_TRUE(one) << one.error();
    const auto port = Port::open(ring, anybody(), 1, large);
    ASSERT_TRUE(port) << port.error();
    EXPECT_EQ((*port)->mtu(), 9000);
    rte_mbuf* frame = rte_pktmbuf_alloc(large);
    ASSERT_NE(rte_pktmbuf_append(frame, 9018), nullptr);
    ASSERT_EQ(rte_eth_tx_burst((*port)->dpdk_port(), 0, &frame, 1), 1);
    const auto frames = receive(**port, 1);
    ASSERT_EQ(frames.size(), 1U);
    EXPECT_EQ(rte_pktmbuf_data_len(frames[0]), 9018U);
    free_all(frames);
    const auto af_xdp = Port::open(config_of("af_xdp:port0"), anybody(), 1, large);
    ASSERT_FALSE(af_xdp);
    EXPECT_THAT(
        af_xdp.error(),
        HasSubstr("larger than the page that AF_XDP allows; start sekisho-dataplane with --mtu 3498"));
  }
  rte_mempool_free(large);
}

// Its driver fills the ring when it is set up.
TEST_F(PortTest, SaysThatBuffersAreShort) {
  rte_mempool* const small = make_packet_pool("small", 63, 0, SOCKET_ID_ANY, PoolMemory::own, 1500);
  ASSERT_NE(small, nullptr);
  const auto port = Port::open(config_of("net_tap0,iface=short0"), anybody(), 1, small);
  ASSERT_FALSE(port);
  EXPECT_THAT(port.error(), AllOf(HasSubstr("setting up receive queue 0 failed"),
                                  HasSubstr("63 packet buffers are free and 1 receive queue(s) need 1024"),
                                  HasSubstr("--memory")));
  rte_mempool_free(small);
}

TEST_F(PortTest, FollowsTheMtuOfItsInterface) {
  auto config = config_of("af_xdp:port0");
  const auto port = must_open(config);
  EXPECT_EQ(port->mtu(), 1500);
  config.device_mtu = 1300;
  port->follow_mtu(config);
  EXPECT_EQ(port->mtu(), 1300);
  config.device_mtu = 9000;
  port->follow_mtu(config);
  EXPECT_GT(port->mtu(), 1500) << "as far as the packet buffers go";
  EXPECT_LT(port->mtu(), 2048);
  config.mtu = 1400;
  port->follow_mtu(config);
  EXPECT_EQ(port->mtu(), 1400);
  config.device_mtu = 1200;
  port->follow_mtu(config);
  EXPECT_EQ(port->mtu(), 1200) << "until the interface has been given the configured one";
}

TEST_F(PortTest, TakesNoOtherInterfaceOfItsName) {
  auto config = config_of("af_xdp:port0");
  config.instance = "99999 02:00:00:00:00:01";
  EXPECT_THAT(refusal(config), HasSubstr("another interface has taken the name"));
}

TEST_F(PortTest, RefusesInOneSentence) {
  EXPECT_EQ(refusal(config_of("af_xdp:eth9")),
            "af_xdp:eth9: there is no such network interface; `ip link` lists them");
  EXPECT_EQ(refusal(config_of("af_xdp:")),
            "af_xdp:: there is no such network interface; `ip link` lists them");
  EXPECT_THAT(refusal(config_of("af_xdp:port0"), 2),
              AllOf(HasSubstr("af_xdp:port0: "), HasSubstr("run fewer workers")));
  EXPECT_THAT(refusal(config_of("net_nothing0")), HasSubstr("net_nothing0: DPDK has no driver"));
  EXPECT_THAT(refusal(config_of("")), HasSubstr("not a device"));
  EXPECT_THAT(refusal(config_of("net_pcap0,rx_pcap=/nonexistent")), HasSubstr("net_pcap0: DPDK refuses it"));
  EXPECT_THAT(refusal(config_of("net_pcap0,rx_iface=lo,tx_iface=lo"), 2),
              AllOf(HasSubstr("net_pcap0"), HasSubstr("1 transmit")));
  const auto port = must_open(config_of("af_xdp:port0"));
  EXPECT_THAT(refusal(config_of("af_xdp:port0")), HasSubstr("has it already"));
  lab::run("ip link add port5 numrxqueues 2 numtxqueues 2 type veth peer name port6");
  EXPECT_THAT(refusal(config_of("af_xdp:port5")), HasSubstr("ethtool -L port5 rx 1"));
  lab::remove("port5");
}

TEST_F(PortTest, RefusesAPoolWithGaps) {
  rte_mempool* gaps = rte_pktmbuf_pool_create("gaps", 16384, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, 0);
  ASSERT_NE(gaps, nullptr);
  const auto port = Port::open(config_of("af_xdp:port0"), anybody(), 1, gaps);
  ASSERT_FALSE(port);
  EXPECT_THAT(port.error(), HasSubstr("without gaps"));
  rte_mempool_free(gaps);
}

TEST_F(PortTest, VirtualDevices) {
  for (int round = 0; round < 2; ++round) {
    const auto null = must_open(config_of("net_null0,no-rx=1"), 2);
    EXPECT_EQ(null->driver(), "net_null");
    EXPECT_EQ(null->rx_queues(), 2);
    EXPECT_EQ(null->tx_queues(), 2);
    EXPECT_TRUE(null->steer_counters().empty());
    EXPECT_TRUE(null->set_local({}));
    EXPECT_TRUE(null->admit());
    EXPECT_THAT(refusal(config_of("net_null0")), HasSubstr("has it already; number them"));

    auto config = config_of("net_ring0");
    config.mtu = 1400;
    const auto looped = must_open(config);
    EXPECT_EQ(looped->mtu(), 1400);
    rte_mbuf* frame = rte_pktmbuf_alloc(pool);
    ASSERT_NE(frame, nullptr);
    ASSERT_EQ(rte_eth_tx_burst(looped->dpdk_port(), 0, &frame, 1), 1);
    free_all(receive(*looped, 1));

    EXPECT_EQ(
        must_open(config_of("net_memif0,role=server,socket=/tmp/sekisho-port-test.sock,socket-abstract=no"))
            ->driver(),
        "net_memif");
  }
}

TEST_F(PortTest, ADeviceThatIsNoPortTakesNoOtherAlong) {
  const auto first = must_open(config_of("net_null0"));
  EXPECT_THAT(refusal(config_of("crypto_null0")), HasSubstr("crypto_null0: not a network device"));
  EXPECT_TRUE(rte_eth_dev_is_valid_port(first->dpdk_port()));
}

TEST_F(PortTest, PcapOnANetdev) {
  const lab::Wire wire("port1");
  const auto port = must_open(config_of("net_pcap0,iface=port0"));
  wire.send(lab::ipv4(remote));
  const auto frames = receive(*port, 1);
  ASSERT_EQ(frames.size(), 1U);
  EXPECT_EQ(bytes_of(frames[0]), lab::ipv4(remote));
  free_all(frames);
}

// What a process does that is then killed.
int hold(const char* device, int ready) {
  start_eal("hold");
  const auto port = must_open(config_of(device));
  if (port->admit() && write(ready, "y", 1) == 1) {
    pause();
  }
  return 1;
}

}  // namespace
}  // namespace sekisho::port

// net_af_xdp forgets the BPF object that it loaded, and libxdp's part of every socket after the first. It is unloaded when
// the leaks are looked for, so that the libraries that it called are the last ones with a name; what we have of libbpf
// ourselves is file descriptors, and every test counts those.
extern "C" const char* __lsan_default_suppressions() {
  return "leak:librte_net_af_xdp\nleak:libbpf.so\nleak:libxdp.so\n";
}

int main(int argc, char** argv) {
  if (argc == 4 && std::string(argv[1]) == "--hold") {
    return sekisho::port::hold(argv[2], std::atoi(argv[3]));
  }
  testing::InitGoogleTest(&argc, argv);
  sekisho::lab::enter_private_namespace();
  sekisho::port::start_eal(argv[0]);
  const int failed = RUN_ALL_TESTS();
  // Only DPDK's memory knows of the pool's mapping, and there nobody looks for what is leaked.
  rte_mempool_free(sekisho::port::pool);
  return failed;
}
