// SPDX-License-Identifier: BSD-3-Clause
// What workers copy for a capture: each frame as it came, as it went and as it was dropped, and nothing that did not happen.
#include "dataplane/forward/capture.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "tests/packet/lab.hpp"

namespace sekisho::test {
namespace {

using forward::Capture;
using Direction = Capture::Direction;

struct Copy {
  Direction direction;
  PortIndex port;
  Bytes bytes;
  friend bool operator==(const Copy&, const Copy&) = default;
};

// While it lives, the lab's worker copies for it.
class Looking {
 public:
  explicit Looking(Capture::Options options) {
    auto created = Capture::create(std::move(options));
    EXPECT_TRUE(created) << created.error();
    capture_ = std::move(*created);
    capture_->set_ports(~forward::PortMask{0});
    lab().state.capture = capture_.get();
  }
  ~Looking() { lab().state.capture = nullptr; }

  std::vector<Copy> read() {
    std::vector<Copy> copies;
    capture_->read(100'000, [&](const Capture::Packet& packet) {
      copies.push_back({packet.direction, packet.port, Bytes(packet.bytes().begin(), packet.bytes().end())});
      sizes.push_back(packet.size);
      if (packet.direction == Direction::dropped) {
        reasons.push_back(packet.reason);
      }
    });
    return copies;
  }
  Capture& operator*() { return *capture_; }
  Capture* operator->() { return capture_.get(); }

  std::vector<std::uint32_t> sizes;
  std::vector<DropReason> reasons;

 private:
  std::unique_ptr<Capture> capture_;
};

constexpr std::array<bool, Capture::directions> all{true, true, true, false};

TEST(Capture, HasAForwardedPacketAsItCameAndAsItWent) {
  Looking looking({.snap_length = 2'048, .wanted = all});
  const Packet in = packet().to("10.0.5.5");
  lab().send(lan, in.bytes());
  lab().poll();
  const auto out = forwarded_to(vnet_router, in);
  EXPECT_EQ(lab().sent(spoke), std::vector<Bytes>{out});
  EXPECT_EQ(looking.read(),
            (std::vector<Copy>{{Direction::received, lan, in.bytes()}, {Direction::sent, spoke, out}}));
}

TEST(Capture, HasADroppedPacketWithItsReason) {
  Looking looking({.snap_length = 2'048, .wanted = all});
  const auto in = packet().from("203.0.113.7").bytes();
  lab().send(lan, in);
  lab().poll();
  EXPECT_EQ(looking.read(),
            (std::vector<Copy>{{Direction::received, lan, in}, {Direction::dropped, lan, in}}));
  EXPECT_EQ(looking.reasons, std::vector{DropReason::unknown_source});
}

TEST(Capture, HasOnlyDirectionsAndPortsThatAreWanted) {
  for (const auto wanted : {Direction::received, Direction::sent, Direction::dropped}) {
    std::array<bool, Capture::directions> directions{};
    directions[static_cast<std::size_t>(wanted)] = true;
    Looking looking({.snap_length = 2'048, .wanted = directions});
    lab().send(lan, packet().to("10.0.5.5").bytes());
    lab().send(lan, packet().from("203.0.113.7").bytes());
    lab().poll();
    (void)lab().sent(spoke);
    const auto copies = looking.read();
    EXPECT_EQ(copies.size(), wanted == Direction::received ? 2U : 1U);
    EXPECT_TRUE(std::ranges::all_of(copies, [&](const Copy& copy) { return copy.direction == wanted; }));
  }
  Looking looking({.snap_length = 2'048, .wanted = all});
  looking->set_ports(forward::PortMask{1} << spoke);
  const Packet in = packet().to("10.0.5.5");
  lab().send(lan, in.bytes());
  lab().poll();
  (void)lab().sent(spoke);
  EXPECT_EQ(looking.read(), (std::vector<Copy>{{Direction::sent, spoke, forwarded_to(vnet_router, in)}}));
}

TEST(Capture, HasNothingSentThatTheDeviceDidNotTake) {
  Looking looking({.snap_length = 2'048, .wanted = {false, true, true}});
  constexpr unsigned count = narrow_capacity + 5;
  for (unsigned i = 0; i < count; ++i) {
    lab().send(lan, packet().to("100.64.0.1").id(static_cast<std::uint16_t>(i)).bytes());
  }
  lab().poll();
  const auto sent = lab().sent(narrow);
  std::vector<Bytes> copied;
  unsigned dropped = 0;
  for (const auto& copy : looking.read()) {
    if (copy.direction == Direction::sent) {
      copied.push_back(copy.bytes);
    } else {
      ++dropped;
    }
  }
  EXPECT_FALSE(sent.empty());
  EXPECT_EQ(copied, sent);
  EXPECT_EQ(dropped, count - sent.size());
}

TEST(Capture, KeepsTheBeginningOfALongFrame) {
  Looking looking({.snap_length = 50, .wanted = {true, false, false}});
  const auto in = packet().to("10.0.5.5").size(1'000).bytes();
  lab().send(lan, in, {40, in.size() - 40});  // in two segments
  lab().poll();
  (void)lab().sent(spoke);
  EXPECT_EQ(looking.read(),
            (std::vector<Copy>{{Direction::received, lan, Bytes(in.begin(), in.begin() + 50)}}));
  EXPECT_EQ(looking.sizes, std::vector<std::uint32_t>{static_cast<std::uint32_t>(in.size())});
}

TEST(Capture, LosesAndCountsWhatIsNotRead) {
  Looking looking({.snap_length = Capture::longest_snap, .wanted = {true, false, false}});
  std::uint64_t count = 0;
  for (; looking->lost() == 0; ++count) {
    ASSERT_LT(count, 100'000U);
    lab().send(lan, packet().to("10.0.5.5").bytes());
    lab().poll();
    EXPECT_EQ(lab().sent(spoke).size(), 1U) << "it goes its way in any case";
  }
  EXPECT_EQ(looking.read().size() + looking->lost(), count);
  lab().send(lan, packet().to("10.0.5.5").bytes());
  lab().poll();
  (void)lab().sent(spoke);
  EXPECT_EQ(looking.read().size(), 1U) << "slots that were read are free again";
}

TEST(Capture, RefusesALengthThatIsNone) {
  EXPECT_FALSE(Capture::create({.snap_length = 0}));
  EXPECT_FALSE(Capture::create({.snap_length = Capture::longest_snap + 1}));
}

}  // namespace
}  // namespace sekisho::test
