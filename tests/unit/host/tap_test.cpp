// SPDX-License-Identifier: BSD-3-Clause
// TUN and TAP devices in a network namespace of the test's own: made, left, attached again, and never somebody else's.
#include "dataplane/host/tap.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <grp.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "common/base/mac_address.hpp"
#include "dataplane/host/link.hpp"
#include "tests/unit/steer/lab.hpp"

namespace sekisho::host {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

constexpr base::MacAddress mac{0x02, 0, 0, 0, 0x01, 0x04};

Tap::Spec companion(const std::string& name) {
  return {.kind = Tap::Kind::frames, .name = name, .alias = "sekisho port " + name, .mtu = 1400, .mac = mac};
}

Tap must_open(const Tap::Spec& spec) {
  auto tap = Tap::open(spec);
  if (!tap) {
    throw std::runtime_error(tap.error());
  }
  return std::move(*tap);
}

std::string refusal(const Tap::Spec& spec) {
  const auto tap = Tap::open(spec);
  return tap ? "opened" : tap.error();
}

std::string output_of(const std::string& command) {
  std::string output;
  FILE* const pipe = popen(command.c_str(), "r");
  for (int c = fgetc(pipe); c != EOF; c = fgetc(pipe)) {
    output.push_back(static_cast<char>(c));
  }
  pclose(pipe);
  return output;
}

class TapTest : public testing::Test {
 protected:
  void TearDown() override { remove_stale("", {}); }
};

// In a process of its own, which has no capability.
bool nobody_attaches(const std::string& name) {
  const auto child = fork();
  if (child == 0) {
    constexpr unsigned nobody = 65534;
    const bool is_nobody = setgroups(0, nullptr) == 0 && setgid(nobody) == 0 && setuid(nobody) == 0;
    const int fd = open("/dev/net/tun", O_RDWR);
    ifreq request{};
    name.copy(request.ifr_name, IFNAMSIZ - 1);
    request.ifr_flags = IFF_TAP | IFF_NO_PI;
    _exit(is_nobody && fd >= 0 && ioctl(fd, TUNSETIFF, &request) == 0 ? 1 : 0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return !(WIFEXITED(status) && WEXITSTATUS(status) == 1);
}

TEST_F(TapTest, NobodyElseAttachesWhileNoDataplaneRuns) {
  chmod("/dev/net/tun", 0666);  // as udev leaves it
  { const auto left = must_open(companion("lan")); }
  EXPECT_TRUE(nobody_attaches("lan"));
}

TEST_F(TapTest, OneThatAnOlderVersionMadeGetsItsOwner) {
  chmod("/dev/net/tun", 0666);
  ASSERT_EQ(std::system("ip tuntap add lan mode tap && ip link set lan alias 'sekisho port lan'"), 0);
  ASSERT_FALSE(nobody_attaches("lan"));
  { const auto left = must_open(companion("lan")); }
  EXPECT_TRUE(nobody_attaches("lan"));
}

TEST_F(TapTest, HasThePortsMacAndMtuAndSaysWhoseItIs) {
  const auto tap = must_open(companion("lan"));
  EXPECT_EQ(lab::mac_of("lan"), mac);
  const auto link = find_link("lan").value().value();
  EXPECT_EQ(link.alias, "sekisho port lan");
  EXPECT_EQ(link.kind, "tun");
  EXPECT_EQ(link.tun_type, IFF_TAP);
  EXPECT_THAT(output_of("ip link show lan"), HasSubstr("mtu 1400"));
}

TEST_F(TapTest, OutlivesItsProcessWithItsAddresses) {
  { const auto tap = must_open(companion("lan")); }
  lab::run(
      "ip addr add 10.0.1.4/24 dev lan && ip link set lan up && ip route add 192.0.2.0/24 via 10.0.1.1 dev "
      "lan");
  EXPECT_THAT(output_of("ip link show lan"), HasSubstr("NO-CARRIER")) << "nobody is there";
  const int index = find_link("lan").value()->index;
  auto changed = companion("lan");
  changed.mtu = 1500;
  const auto tap = must_open(changed);
  EXPECT_EQ(find_link("lan").value()->index, index);
  EXPECT_THAT(output_of("ip addr show lan"), AllOf(HasSubstr("10.0.1.4/24"), HasSubstr("mtu 1500")));
  EXPECT_THAT(output_of("ip route"), HasSubstr("192.0.2.0/24 via 10.0.1.1 dev lan"));
}

TEST_F(TapTest, ShowsTheCarrierOfItsPort) {
  const auto tap = must_open(companion("lan"));
  lab::run("ip link set lan up");
  EXPECT_THAT(output_of("ip link show lan"), HasSubstr("LOWER_UP"));
  tap.set_carrier(false);
  EXPECT_THAT(output_of("ip link show lan"), HasSubstr("NO-CARRIER"));
  tap.set_carrier(true);
  EXPECT_THAT(output_of("ip link show lan"), HasSubstr("LOWER_UP"));
}

TEST_F(TapTest, TakesNothingThatSomebodyElseMade) {
  lab::run("ip link add lan type bridge");
  EXPECT_THAT(refusal(companion("lan")), AllOf(StartsWith("lan: "), HasSubstr("not \"sekisho port lan\"")));
  lab::remove("lan");
  lab::run("ip tuntap add mode tap name lan");
  EXPECT_THAT(refusal(companion("lan")), HasSubstr("not \"sekisho port lan\"")) << "a TAP without our alias";
  EXPECT_THAT(output_of("ip link show lan"), HasSubstr("mtu 1500")) << "and it was not touched";
  lab::remove("lan");
  lab::run("ip tuntap add mode tun name lan && ip link set lan alias 'sekisho port lan'");
  EXPECT_THAT(refusal(companion("lan")), HasSubstr("not \"sekisho port lan\"")) << "a TUN is no TAP";
}

TEST_F(TapTest, TakesOverWhatARenamedPortHasLeft) {
  auto renamed = companion("lan");
  renamed.alias = "sekisho port inside";
  { const auto tap = must_open(companion("lan")); }
  const int index = find_link("lan").value()->index;
  const auto tap = must_open(renamed);
  const auto link = find_link("lan").value().value();
  EXPECT_EQ(link.index, index) << "its addresses and routes stay";
  EXPECT_EQ(link.alias, "sekisho port inside");
  EXPECT_THAT(refusal(companion("lan")), HasSubstr("another process holds it"));
  EXPECT_EQ(find_link("lan").value()->alias, "sekisho port inside") << "and it was not touched";
}

TEST_F(TapTest, RefusesOneThatAnotherProcessHolds) {
  const auto tap = must_open(companion("lan"));
  EXPECT_THAT(refusal(companion("lan")), AllOf(StartsWith("lan: "), HasSubstr("another process holds it")));
}

TEST_F(TapTest, LeavesNothingBehindWhenItCannotBeMade) {
  auto spec = companion("lan");
  spec.mtu = 60;  // below Ethernet's least
  EXPECT_THAT(refusal(spec), AllOf(StartsWith("lan: "), HasSubstr("MTU")));
  EXPECT_FALSE(find_link("lan").value().has_value());
}

TEST_F(TapTest, OnlyWhatNobodyWantsGoes) {
  for (const char* name : {"gone", "wanted", "held"}) {
    must_open(companion(name));
  }
  const auto held = must_open(companion("held"));
  lab::run("ip tuntap add mode tap name foreign");
  remove_stale("sekisho port ", {"wanted"});
  EXPECT_FALSE(find_link("gone").value().has_value());
  for (const char* name : {"wanted", "held", "foreign"}) {
    EXPECT_TRUE(find_link(name).value().has_value()) << name;
  }
}

}  // namespace
}  // namespace sekisho::host
