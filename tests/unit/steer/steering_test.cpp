// The steering program frame by frame (BPF_PROG_TEST_RUN), and how it comes onto a netdev and off it. The
// test loads the program as the PMD does.
#include "dataplane/steer/steering.hpp"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <gmock/gmock.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <csignal>
#include <numeric>

#include "dataplane/steer/layout.h"
#include "tests/unit/steer/lab.hpp"

namespace sekisho::steer {
namespace {

using lab::Bytes;
using testing::AllOf;
using testing::HasSubstr;

constexpr const char* netdev = "steer0";
constexpr std::uint32_t local = 0x0a000104;      // 10.0.1.4
constexpr std::uint32_t broadcast = 0x0a0001ff;  // 10.0.1.255

struct CloseObject {
  void operator()(bpf_object* object) const { bpf_object__close(object); }
};
using Object = std::unique_ptr<bpf_object, CloseObject>;

Object load(const std::string& path) {
  Object object(bpf_object__open_file(path.c_str(), nullptr));
  EXPECT_TRUE(object);
  EXPECT_EQ(bpf_object__load(object.get()), 0);
  return object;
}

int program_fd(const Object& object) {
  return bpf_program__fd(bpf_object__next_program(object.get(), nullptr));
}

int attach(int program) {
  return bpf_xdp_attach(static_cast<int>(if_nametoindex(netdev)), program, XDP_FLAGS_UPDATE_IF_NOEXIST,
                        nullptr);
}

std::uint32_t attached_id() {
  std::uint32_t id = 0;
  bpf_xdp_query_id(static_cast<int>(if_nametoindex(netdev)), 0, &id);
  return id;
}

void detach() {
  bpf_xdp_detach(static_cast<int>(if_nametoindex(netdev)), 0, nullptr);
}

class SteeringTest : public testing::Test {
 protected:
  void SetUp() override { lab::make_veth(netdev, "steer1"); }
  void TearDown() override { lab::remove(netdev); }

  void load_and_bind() {
    auto prepared = Steering::prepare(netdev);
    ASSERT_TRUE(prepared) << prepared.error();
    steering_ = std::move(*prepared);
    object_ = load(steering_->program_path());
    ASSERT_EQ(attach(program_fd(object_)), 0);
    const auto bound = steering_->bind();
    ASSERT_TRUE(bound) << bound.error();
  }

  // What the program answers; adds one to the counter that is named, and to no other.
  void expect_verdict(const char* why, const Bytes& frame, const std::string& name, int action) {
    SCOPED_TRACE(why);
    auto expected = steering_->counters();
    ++expected.at(name);
    bpf_test_run_opts run{};
    run.sz = sizeof run;
    run.data_in = frame.data();
    run.data_size_in = static_cast<std::uint32_t>(frame.size());
    run.repeat = 1;
    ASSERT_EQ(bpf_prog_test_run_opts(program_fd(object_), &run), 0) << std::strerror(errno);
    EXPECT_EQ(static_cast<int>(run.retval), action);
    EXPECT_EQ(steering_->counters(), expected);
  }

  // A process that holds the netdev, as a dataplane does, until it is told to go.
  pid_t start_holder() {
    std::array<int, 2> ready{};
    EXPECT_EQ(pipe(ready.data()), 0);
    const pid_t pid = fork();
    if (pid == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      auto steering = Steering::prepare(netdev);
      const Object object = load((*steering)->program_path());
      const bool holds = attach(program_fd(object)) == 0 && (*steering)->bind();
      if (write(ready[1], holds ? "y" : "n", 1) == 1) {
        pause();
      }
      _exit(0);
    }
    char answer = 0;
    EXPECT_EQ(read(ready[0], &answer, 1), 1);
    EXPECT_EQ(answer, 'y');
    close(ready[0]);
    close(ready[1]);
    return pid;
  }

  std::unique_ptr<Steering> steering_;
  Object object_;
};

TEST_F(SteeringTest, Verdicts) {
  load_and_bind();
  ASSERT_TRUE(steering_->set_local({local, broadcast}));
  const Bytes transit = lab::ipv4(0x08080808);
  const auto first = [](Bytes frame, std::size_t length) {
    frame.resize(length);
    return frame;
  };

  for (const bool ready : {false, true}) {
    SCOPED_TRACE(ready ? "ready" : "not ready");
    if (ready) {
      ASSERT_TRUE(steering_->admit());
    }
    // There are no sockets in this test: what is redirected otherwise falls back.
    const std::string for_dataplane = ready ? "dropped_no_socket" : "dropped_not_ready";
    expect_verdict("ARP", lab::ethernet(ETH_P_ARP, Bytes(28)), "passed_arp", XDP_PASS);
    expect_verdict("own address", lab::ipv4(local), "passed_local", XDP_PASS);
    expect_verdict("own subnet's broadcast", lab::ipv4(broadcast), "passed_local", XDP_PASS);
    expect_verdict("DHCP", lab::ipv4(0xffffffff), "passed_broadcast", XDP_PASS);
    expect_verdict("first multicast", lab::ipv4(0xe0000000), "passed_broadcast", XDP_PASS);
    expect_verdict("last multicast", lab::ipv4(0xefffffff), "passed_broadcast", XDP_PASS);
    expect_verdict("below multicast", lab::ipv4(0xdfffffff), for_dataplane, XDP_DROP);
    expect_verdict("class E", lab::ipv4(0xf0000000), for_dataplane, XDP_DROP);
    expect_verdict("almost broadcast", lab::ipv4(0xfffffffe), for_dataplane, XDP_DROP);
    expect_verdict("transit", transit, for_dataplane, XDP_DROP);
    expect_verdict("neighbour of our address", lab::ipv4(local + 1), for_dataplane, XDP_DROP);
    expect_verdict("our address byte-swapped", lab::ipv4(0x0401000a), for_dataplane, XDP_DROP);
    expect_verdict("too short for a header, to us if it went on", first(lab::ipv4(local), 14 + 19),
                   for_dataplane, XDP_DROP);
    expect_verdict("Ethernet header only", first(transit, 14), for_dataplane, XDP_DROP);
    Bytes version = lab::ipv4(0x08080808);
    version[14] = 0x65;
    expect_verdict("IP version 6 under IPv4's EtherType", version, for_dataplane, XDP_DROP);
    expect_verdict("IPv6", lab::ethernet(ETH_P_IPV6, Bytes(40)), "dropped_ipv6", XDP_DROP);
    expect_verdict("VLAN tag", lab::ethernet(ETH_P_8021Q, Bytes(46)), "dropped_other", XDP_DROP);
    expect_verdict("802.3 length", lab::ethernet(46, Bytes(46)), "dropped_other", XDP_DROP);
  }
  detach();
}

TEST_F(SteeringTest, LocalAddressesFollow) {
  load_and_bind();
  ASSERT_TRUE(steering_->set_local({local}));
  expect_verdict("there", lab::ipv4(local), "passed_local", XDP_PASS);
  ASSERT_TRUE(steering_->set_local({local, broadcast}));
  expect_verdict("still there", lab::ipv4(local), "passed_local", XDP_PASS);
  expect_verdict("added", lab::ipv4(broadcast), "passed_local", XDP_PASS);
  ASSERT_TRUE(steering_->set_local({broadcast}));
  expect_verdict("removed", lab::ipv4(local), "dropped_not_ready", XDP_DROP);
  expect_verdict("kept", lab::ipv4(broadcast), "passed_local", XDP_PASS);

  std::vector<std::uint32_t> full(SEKISHO_STEER_MAX_LOCAL);
  std::iota(full.begin(), full.end(), 0x0a000000U);
  ASSERT_TRUE(steering_->set_local(full)) << "as many as there is room for, in place of another";
  std::iota(full.begin(), full.end(), 0x0b000000U);
  ASSERT_TRUE(steering_->set_local(full));
  full.push_back(local);
  const auto refused = steering_->set_local(full);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error(), AllOf(HasSubstr(netdev), HasSubstr("1025"), HasSubstr("1024")));
  expect_verdict("refused whole", lab::ipv4(local), "dropped_not_ready", XDP_DROP);
  detach();
}

TEST_F(SteeringTest, RevokeDropsAgain) {
  load_and_bind();
  ASSERT_TRUE(steering_->admit());
  expect_verdict("admitted", lab::ipv4(0x08080808), "dropped_no_socket", XDP_DROP);
  steering_->revoke();
  expect_verdict("revoked", lab::ipv4(0x08080808), "dropped_not_ready", XDP_DROP);
  detach();
}

TEST_F(SteeringTest, DetachesWhatACrashedProcessLeft) {
  const pid_t pid = start_holder();
  kill(pid, SIGKILL);
  waitpid(pid, nullptr, 0);
  ASSERT_NE(attached_id(), 0U);
  EXPECT_TRUE(Steering::prepare(netdev));
  EXPECT_EQ(attached_id(), 0U);
}

TEST_F(SteeringTest, DetachesWhatAZombieLeft) {
  const pid_t pid = start_holder();
  kill(pid, SIGKILL);
  siginfo_t info{};
  waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT);
  EXPECT_TRUE(Steering::prepare(netdev));
  EXPECT_EQ(attached_id(), 0U);
  waitpid(pid, nullptr, 0);
}

TEST_F(SteeringTest, LeavesALivingProcessItsProgram) {
  const pid_t pid = start_holder();
  const auto id = attached_id();
  const auto refused = Steering::prepare(netdev);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error(), AllOf(HasSubstr(netdev), HasSubstr(std::to_string(pid))));
  EXPECT_EQ(attached_id(), id);
  kill(pid, SIGKILL);
  waitpid(pid, nullptr, 0);
}

TEST_F(SteeringTest, RefusesAForeignProgram) {
  const std::array<bpf_insn, 2> pass{
      {{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = XDP_PASS}, {.code = BPF_JMP | BPF_EXIT}}};
  const Fd foreign{bpf_prog_load(BPF_PROG_TYPE_XDP, "foreign", "GPL", pass.data(), pass.size(), nullptr)};
  ASSERT_EQ(attach(foreign.get()), 0);
  const auto id = attached_id();
  const auto refused = Steering::prepare(netdev);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error(), AllOf(HasSubstr(netdev), HasSubstr("'foreign'"), HasSubstr("xdp off")));
  EXPECT_EQ(attached_id(), id);
}

TEST_F(SteeringTest, NamesWhatIsMissing) {
  const auto refused = Steering::prepare("eth9");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(), "eth9: there is no such network interface; `ip link` lists them");

  auto steering = Steering::prepare(netdev);
  ASSERT_TRUE(steering);
  const auto unbound = (*steering)->bind();
  ASSERT_FALSE(unbound);
  EXPECT_THAT(unbound.error(), HasSubstr("not attached"));
}

}  // namespace
}  // namespace sekisho::steer

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  sekisho::lab::enter_private_namespace();
  return RUN_ALL_TESTS();
}
