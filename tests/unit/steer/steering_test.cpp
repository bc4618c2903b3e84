// SPDX-License-Identifier: BSD-3-Clause
// The steering program frame by frame (BPF_PROG_TEST_RUN), and how it comes onto a netdev and stays there. The
// test loads the program, attaches and detaches it as the PMD does.
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

#include "common/base/fd.hpp"
#include "common/xdp/layout.h"
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

base::Fd foreign_program() {
  const std::array<bpf_insn, 2> pass{
      {{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = XDP_PASS}, {.code = BPF_JMP | BPF_EXIT}}};
  return base::Fd{bpf_prog_load(BPF_PROG_TYPE_XDP, "foreign", "GPL", pass.data(), pass.size(), nullptr)};
}

Bytes tagged(Bytes frame, unsigned type, unsigned control) {
  const Bytes tag = {static_cast<std::uint8_t>(type >> 8), static_cast<std::uint8_t>(type),
                     static_cast<std::uint8_t>(control >> 8), static_cast<std::uint8_t>(control)};
  frame.insert(frame.begin() + 12, tag.begin(), tag.end());
  return frame;
}

decide::HostSources::Rules anybody() {
  decide::HostSources::Rules rules;
  rules.allow({{0, 0}});
  return rules;
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
    ASSERT_TRUE(steering_->set_sources(anybody()));
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
  pid_t start_holder(const std::vector<std::uint32_t>& addresses = {}) {
    std::array<int, 2> ready{};
    EXPECT_EQ(pipe(ready.data()), 0);
    const pid_t pid = fork();
    if (pid == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      auto steering = Steering::prepare(netdev);
      const bool known = (*steering)->set_local(addresses).has_value();
      const Object object = load((*steering)->program_path());
      const bool holds = known && attach(program_fd(object)) == 0 && (*steering)->bind();
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
    expect_verdict("cut within a tag", first(tagged(transit, ETH_P_8021Q, 0), 17), "dropped_vlan_tagged",
                   XDP_DROP);
    for (const unsigned type : {ETH_P_8021Q, ETH_P_8021AD}) {
      expect_verdict("of a VLAN", tagged(lab::ipv4(local), type, 7), "dropped_vlan_tagged", XDP_DROP);
      expect_verdict("of the last VLAN", tagged(transit, type, 0xefff), "dropped_vlan_tagged", XDP_DROP);
      expect_verdict("of no VLAN: transit", tagged(transit, type, 0xe000), for_dataplane, XDP_DROP);
      expect_verdict("of no VLAN: own address", tagged(lab::ipv4(local), type, 0), "passed_local", XDP_PASS);
      expect_verdict("of no VLAN: ARP", tagged(lab::ethernet(ETH_P_ARP, Bytes(28)), type, 0), "passed_arp",
                     XDP_PASS);
      expect_verdict("of no VLAN, and a second tag", tagged(tagged(transit, ETH_P_8021Q, 0), type, 0),
                     "dropped_vlan_tagged", XDP_DROP);
    }
    expect_verdict("802.3 length", lab::ethernet(46, Bytes(46)), "dropped_other", XDP_DROP);
  }
}

TEST_F(SteeringTest, ATagOfNoVlanIsTakenOff) {
  load_and_bind();
  ASSERT_TRUE(steering_->set_local({local}));
  const Bytes untagged = lab::ipv4(local, 7);
  const Bytes frame = tagged(untagged, ETH_P_8021Q, 0xe000);
  Bytes out(frame.size());
  bpf_test_run_opts run{};
  run.sz = sizeof run;
  run.data_in = frame.data();
  run.data_size_in = static_cast<std::uint32_t>(frame.size());
  run.data_out = out.data();
  run.data_size_out = static_cast<std::uint32_t>(out.size());
  run.repeat = 1;
  ASSERT_EQ(bpf_prog_test_run_opts(program_fd(object_), &run), 0) << std::strerror(errno);
  EXPECT_EQ(static_cast<int>(run.retval), XDP_PASS);
  out.resize(run.data_size_out);
  EXPECT_EQ(out, untagged);
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
}

// 10.0.1.0/24 is the port's, 172.16.0.0/12 of a zone that it carries, 192.168.0.0/16 of another one.
TEST_F(SteeringTest, TheKernelGetsPacketsOfItsPortsSources) {
  load_and_bind();
  ASSERT_TRUE(steering_->set_local({local, broadcast}));
  decide::HostSources::Rules rules;
  rules.add_zone({{0xac10'0000, 12}}, true);
  rules.add_zone({{0xc0a8'0000, 16}}, false);
  rules.allow({{0x0a00'0100, 24}, {0xc0a8'0500, 24}, {0xa9fe'0000, 16}});
  rules.add_own({local, broadcast, 0x0a000204});
  const auto to_us = [](std::uint32_t source) { return lab::ipv4(local, 0, lab::broadcast_mac, source); };

  expect_verdict("all are allowed in this test", to_us(0x08080808), "passed_local", XDP_PASS);
  ASSERT_TRUE(steering_->set_sources(rules));
  expect_verdict("its zone's", to_us(0xac1f'ffff), "passed_local", XDP_PASS);
  expect_verdict("its subnet's", to_us(0x0a000101), "passed_local", XDP_PASS);
  expect_verdict("the cloud's metadata", to_us(0xa9fe'a9fe), "passed_local", XDP_PASS);
  expect_verdict("allowed inside of another zone's", to_us(0xc0a8'0507), "passed_local", XDP_PASS);
  expect_verdict("another zone's", to_us(0xc0a8'0407), "dropped_spoofed_source", XDP_DROP);
  expect_verdict("nobody's", to_us(0x08080808), "dropped_unknown_source", XDP_DROP);
  expect_verdict("our own", to_us(local), "dropped_martian_source", XDP_DROP);
  expect_verdict("our own on another port", to_us(0x0a000204), "dropped_martian_source", XDP_DROP);
  expect_verdict("the subnet's broadcast", to_us(broadcast), "dropped_martian_source", XDP_DROP);
  expect_verdict("loopback", to_us(0x7f00'0001), "dropped_martian_source", XDP_DROP);
  expect_verdict("class E", to_us(0xf000'0001), "dropped_martian_source", XDP_DROP);
  expect_verdict("nobody's, to the subnet's broadcast",
                 lab::ipv4(broadcast, 0, lab::broadcast_mac, 0x08080808), "dropped_unknown_source", XDP_DROP);
  expect_verdict("who has no address yet, by DHCP", lab::ipv4(0xffffffff, 0, lab::broadcast_mac, 0),
                 "passed_broadcast", XDP_PASS);
  expect_verdict("transit is the dataplane's to judge", lab::ipv4(0x08080808, 0, lab::broadcast_mac, local),
                 "dropped_not_ready", XDP_DROP);

  rules.erase({0xac10'0000, 12});
  rules.insert_or_assign({0xc0a8'0000, 16}, decide::SourceVerdict::allowed);
  ASSERT_TRUE(steering_->set_sources(rules));
  expect_verdict("its zone's no more", to_us(0xac1f'ffff), "dropped_unknown_source", XDP_DROP);
  expect_verdict("now its zone's", to_us(0xc0a8'0407), "passed_local", XDP_PASS);
}

TEST_F(SteeringTest, NobodySendsAsAGroupOrAsWeDo) {
  load_and_bind();
  ASSERT_TRUE(steering_->set_local({local}));
  const auto from = [](Bytes frame, const std::array<std::uint8_t, 6>& sender) {
    std::ranges::copy(sender, frame.begin() + 6);
    return frame;
  };
  const auto own = lab::mac_of(netdev);
  const auto arp = lab::ethernet(ETH_P_ARP, Bytes(28));
  for (const auto& frame : {lab::ipv4(local), lab::ipv4(0x08080808), lab::ipv4(0xffffffff)}) {
    expect_verdict("our own", from(frame, own), "dropped_bad_sender", XDP_DROP);
    expect_verdict("a group", from(frame, {0x01, 0, 0x5e, 0, 0, 1}), "dropped_bad_sender", XDP_DROP);
    expect_verdict("all", from(frame, lab::broadcast_mac), "dropped_bad_sender", XDP_DROP);
  }
  expect_verdict("ARP is the kernel's to judge", from(arp, own), "passed_arp", XDP_PASS);
}

TEST_F(SteeringTest, RefusesMoreSourcesThanItHolds) {
  load_and_bind();
  decide::HostSources::Rules rules;
  for (std::uint32_t i = 0; i <= SEKISHO_STEER_MAX_SOURCES; ++i) {
    rules.allow({{0x0a00'0000 + i, 32}});
  }
  const auto refused = steering_->set_sources(rules);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error(), AllOf(HasSubstr(netdev), HasSubstr("131072")));
}

TEST_F(SteeringTest, RevokeDropsAgain) {
  load_and_bind();
  ASSERT_TRUE(steering_->admit());
  expect_verdict("admitted", lab::ipv4(0x08080808), "dropped_no_socket", XDP_DROP);
  steering_->revoke();
  expect_verdict("revoked", lab::ipv4(0x08080808), "dropped_not_ready", XDP_DROP);
}

TEST_F(SteeringTest, TakesThePlaceOfWhatACrashedProcessLeft) {
  const lab::Wire wire("steer1");
  const pid_t pid = start_holder();
  kill(pid, SIGKILL);
  waitpid(pid, nullptr, 0);
  const auto left = attached_id();
  ASSERT_NE(left, 0U);
  wire.send(lab::ipv4(0x08080808));
  wire.send(lab::ipv4(0x08080808));
  ASSERT_TRUE(lab::eventually([] { return counters_of(netdev).at("dropped_not_ready") == 2; }));

  auto prepared = Steering::prepare(netdev);
  ASSERT_TRUE(prepared) << prepared.error();
  EXPECT_EQ(attached_id(), left) << "until the new one is ready to take its place";
  steering_ = std::move(*prepared);
  object_ = load(steering_->program_path());
  ASSERT_EQ(attach(program_fd(object_)), 0);
  ASSERT_TRUE(steering_->bind());
  EXPECT_NE(attached_id(), left);
  wire.send(lab::ipv4(0x08080808));
  EXPECT_TRUE(lab::eventually([&] { return steering_->counters().at("dropped_not_ready") == 3; }))
      << "what was dropped while nobody was there is among what is counted";
  EXPECT_EQ(counters_of(netdev), steering_->counters());
}

TEST_F(SteeringTest, TakesThePlaceOfWhatAZombieLeft) {
  const pid_t pid = start_holder();
  kill(pid, SIGKILL);
  siginfo_t info{};
  waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT);
  const auto left = attached_id();
  load_and_bind();
  EXPECT_NE(attached_id(), left);
  waitpid(pid, nullptr, 0);
}

TEST_F(SteeringTest, KnowsItsAddressesBeforeItsFirstFrame) {
  auto prepared = Steering::prepare(netdev);
  ASSERT_TRUE(prepared);
  steering_ = std::move(*prepared);
  ASSERT_TRUE(steering_->set_local({local}));
  ASSERT_TRUE(steering_->set_sources(anybody()));
  object_ = load(steering_->program_path());
  ASSERT_EQ(attach(program_fd(object_)), 0);
  expect_verdict("not even bound", lab::ipv4(local), "passed_local", XDP_PASS);
}

TEST_F(SteeringTest, IsNeverDetached) {
  load_and_bind();
  const auto id = attached_id();
  detach();
  EXPECT_EQ(attached_id(), id) << "what the PMD does when it closes";
  steering_->revoke();
  steering_.reset();
  EXPECT_EQ(attached_id(), id) << "with nobody behind it";
  EXPECT_TRUE(Steering::prepare(netdev)) << "for who comes next";
  EXPECT_EQ(attached_id(), id);
}

TEST_F(SteeringTest, CarriesItsCountersOn) {
  const lab::Wire wire("steer1");
  for (std::uint64_t round = 1; round <= 3; ++round) {
    load_and_bind();
    wire.send(lab::ipv4(0x08080808));
    wire.send(lab::ethernet(ETH_P_IPV6, Bytes(40)));
    ASSERT_TRUE(lab::eventually([&] { return steering_->counters().at("dropped_ipv6") == round; }));
    EXPECT_EQ(steering_->counters().at("dropped_not_ready"), round);
    EXPECT_EQ(steering_->redirected_before(), 0U);
    steering_->revoke();
    steering_.reset();
  }
}

TEST_F(SteeringTest, OthersProgramsAndInterfacesAreNotItsBusiness) {
  load_and_bind();
  lab::make_veth("steer2", "steer3");
  const auto other = static_cast<int>(if_nametoindex("steer2"));
  const base::Fd program = foreign_program();
  EXPECT_EQ(bpf_xdp_attach(other, program.get(), XDP_FLAGS_UPDATE_IF_NOEXIST, nullptr), 0);
  EXPECT_EQ(bpf_xdp_attach(other, program.get(), XDP_FLAGS_UPDATE_IF_NOEXIST, nullptr), -EBUSY);
  std::uint32_t id = 0;
  EXPECT_EQ(bpf_xdp_query_id(other, 0, &id), 0);
  EXPECT_NE(id, 0U);
  EXPECT_EQ(bpf_xdp_detach(other, 0, nullptr), 0);
  EXPECT_EQ(bpf_xdp_query_id(other, 0, &id), 0);
  EXPECT_EQ(id, 0U);
  lab::remove("steer2");
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
  const base::Fd foreign = foreign_program();
  ASSERT_EQ(attach(foreign.get()), 0);
  const auto id = attached_id();
  const auto refused = Steering::prepare(netdev);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error(), AllOf(HasSubstr(netdev), HasSubstr("'foreign'"), HasSubstr("xdp off")));
  EXPECT_EQ(attached_id(), id);
}

TEST_F(SteeringTest, RefusesAForeignProgramThatCameMeanwhile) {
  const base::Fd foreign = foreign_program();
  auto prepared = Steering::prepare(netdev);
  ASSERT_TRUE(prepared);
  object_ = load((*prepared)->program_path());
  ASSERT_EQ(attach_in_place_of(static_cast<int>(if_nametoindex(netdev)), foreign.get(), -1), 0);
  EXPECT_EQ(attach(program_fd(object_)), -EBUSY);
  EXPECT_THAT((*prepared)->refusal(), AllOf(HasSubstr(netdev), HasSubstr("'foreign'")));
  const auto unbound = (*prepared)->bind();
  ASSERT_FALSE(unbound);
  EXPECT_EQ(unbound.error(), (*prepared)->refusal());
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
