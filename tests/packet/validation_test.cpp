// SPDX-License-Identifier: BSD-3-Clause
// What the bytes themselves decide: frame, header, addresses, options, TTL, MTU.
#include <cstdlib>
#include <ctime>
#include <optional>

#include "tests/packet/lab.hpp"

namespace sekisho::test {
namespace {

// The firewall's member is the flow hash's choice; tests about other things use a next hop with one member.
Packet to_vnet() {
  return packet().to("10.0.5.5");
}

Record passes(std::string why, const Packet& in) {
  return {std::move(why), lan, in.bytes(), Forwarded{spoke}, forwarded_to(vnet_router, in)};
}

Record dropped(std::string why, const Packet& in, DropReason reason) {
  return {std::move(why), lan, in.bytes(), reason, {}};
}

TEST(Frame, EtherTypes) {
  struct Case {
    const char* why;
    std::uint16_t type;
    DropReason reason;
  };
  constexpr Case cases[] = {{"ARP", 0x0806, DropReason::no_host_companion},
                            {"IPv6", 0x86dd, DropReason::ipv6},
                            {"VLAN tag, 0x4500 of which is VID 0x500", 0x8100, DropReason::vlan_tagged},
                            {"provider bridge tag", 0x88a8, DropReason::vlan_tagged},
                            {"a tag before the standard's", 0x9100, DropReason::not_ipv4},
                            {"MPLS", 0x8847, DropReason::not_ipv4},
                            {"PPPoE session", 0x8864, DropReason::not_ipv4},
                            {"LLDP", 0x88cc, DropReason::not_ipv4},
                            {"an 802.3 length", 0x002e, DropReason::not_ipv4},
                            {"IPv4 in the wrong byte order", 0x0008, DropReason::not_ipv4},
                            {"zero", 0x0000, DropReason::not_ipv4}};
  for (const Case& c : cases) {
    lab().check(dropped(c.why, to_vnet().ether_type(c.type), c.reason));
    lab().check(dropped(c.why, to_vnet().ether_type(c.type).truncate(14), c.reason));
  }
}

Bytes tagged(Bytes frame, unsigned type, unsigned control) {
  const Bytes tag = {static_cast<std::uint8_t>(type >> 8), static_cast<std::uint8_t>(type),
                     static_cast<std::uint8_t>(control >> 8), static_cast<std::uint8_t>(control)};
  frame.insert(frame.begin() + 12, tag.begin(), tag.end());
  return frame;
}

TEST(Frame, ATagOfNoVlanIsTakenOff) {
  const Bytes plain = to_vnet().bytes();
  for (const unsigned type : {0x8100, 0x88a8}) {
    for (const unsigned priority : {0x0000, 0x1000, 0xe000, 0xf000}) {
      lab().check({"a priority", lan, tagged(plain, type, priority), Forwarded{spoke},
                   forwarded_to(vnet_router, to_vnet())});
    }
    for (const unsigned vlan : {0x0001, 0x0fff, 0xe064}) {
      lab().check({"a VLAN", lan, tagged(plain, type, vlan), DropReason::vlan_tagged, {}});
    }
  }
  const Packet padded = to_vnet().size(20).trailer(22);
  Bytes of_minimum = forwarded_to(vnet_router, padded);
  of_minimum.resize(60);
  lab().check({"padded to Ethernet's minimum with its tag", lan, tagged(padded.bytes(), 0x8100, 0),
               Forwarded{spoke}, of_minimum});
  lab().check({"a trailer behind it", lan, tagged(to_vnet().size(100).trailer(4).bytes(), 0x8100, 0),
               Forwarded{spoke}, forwarded_to(vnet_router, to_vnet().size(100))});
}

// What it drops meanwhile is remembered as it was judged: without the tag that was taken off.
TEST(Frame, WhatStandsBehindATagOfNoVlan) {
  const auto drop = [](const char* why, const Bytes& behind, DropReason reason) {
    SCOPED_TRACE(why);
    const Bytes frame = tagged(behind, 0x8100, 0xe000);
    const auto before = lab().counts();
    const auto expected = lab().drops(lan, reason) + 1;
    lab().send(lan, frame);
    EXPECT_EQ(lab().poll(), 1U);
    EXPECT_EQ(lab().drops(lan, reason), expected);
    EXPECT_EQ(lab().counts().ports[lan].rx_bytes - before.ports[lan].rx_bytes, frame.size());
    expect_all_accounted(lab());
  };
  const Bytes plain = to_vnet().bytes();
  drop("a second one", tagged(plain, 0x8100, 0), DropReason::vlan_tagged);
  drop("a VLAN's", tagged(plain, 0x8100, 7), DropReason::vlan_tagged);
  drop("a provider's", tagged(plain, 0x88a8, 0), DropReason::vlan_tagged);
  drop("IPv6", to_vnet().ether_type(0x86dd).bytes(), DropReason::ipv6);
  drop("nothing", to_vnet().truncate(14).bytes(), DropReason::frame_too_short);
  drop("a wrong checksum", to_vnet().checksum(1).bytes(), DropReason::bad_checksum);
  drop("less than it says, in a frame of Ethernet's minimum", to_vnet().size(44).truncate(56).bytes(),
       DropReason::bad_total_length);
  drop("TTL 1", to_vnet().ttl(1).bytes(), DropReason::ttl_expired);
  for (std::size_t cut = 14; cut < 18; ++cut) {
    Bytes frame = tagged(plain, 0x8100, 0);
    frame.resize(cut);
    lab().check({"cut within the tag", lan, frame, DropReason::vlan_tagged, {}});
  }
}

// Among others of one burst, and in two pieces.
TEST(Frame, ATagOfNoVlanConcernsNoOtherFrame) {
  const Bytes plain = to_vnet().bytes();
  const auto expected = forwarded_to(vnet_router, to_vnet());
  for (unsigned at = 0; at < 40; ++at) {
    lab().send(lan, at % 7 == 0 ? tagged(plain, 0x8100, 0xa000) : plain);
  }
  lab().send(lan, tagged(plain, 0x88a8, 0), {60, plain.size() + 4 - 60});
  EXPECT_EQ(lab().poll(), 41U);
  EXPECT_EQ(lab().sent(spoke), std::vector<Bytes>(41, expected));
  expect_all_accounted(lab());
}

TEST(Frame, EveryTruncationUpToTheHeader) {
  for (std::size_t size = 0; size < 34; ++size) {
    lab().check(
        dropped(std::to_string(size) + " bytes", to_vnet().truncate(size), DropReason::frame_too_short));
  }
  lab().check(dropped("34 of 74 bytes", to_vnet().truncate(34), DropReason::bad_total_length));
  lab().check(dropped("73 of 74 bytes", to_vnet().truncate(73), DropReason::bad_total_length));
  lab().check(dropped("a header with options, cut", to_vnet().options(Bytes(40, 1)).truncate(73),
                      DropReason::frame_too_short));
  lab().check(passes("a header with options, and nothing else", to_vnet().options(Bytes(40, 1)).size(0)));
}

TEST(Frame, PaddingIsFine) {
  for (std::uint16_t size = 20; size <= 46; ++size) {
    const Packet padded = to_vnet().size(size).trailer(46U - size);
    lab().check(passes("a datagram of " + std::to_string(size) + " bytes padded to 46", padded));
    lab().check(passes("the same, not padded", to_vnet().size(size)));
  }
}

// What stands behind the datagram, beyond Ethernet's padding, is not passed on.
TEST(Frame, TrailersAreCutOff) {
  const Packet plain = to_vnet().size(100);
  Packet trailed = plain;
  lab().check({"a frame check sequence that was left on", lan, trailed.trailer(4).bytes(), Forwarded{spoke},
               forwarded_to(vnet_router, plain)});
  lab().check({"a small datagram in a frame beyond the MTU", lan, trailed.trailer(8000).bytes(),
               Forwarded{spoke}, forwarded_to(vnet_router, plain)});
  Packet small = to_vnet().size(40);
  Bytes expected = forwarded_to(vnet_router, Packet(small).trailer(6));
  lab().check(
      {"the padding stays, the rest goes", lan, small.trailer(30).bytes(), Forwarded{spoke}, expected});
}

TEST(Frame, LinkBroadcast) {
  const Mac source = {0x02, 0, 0, 0, 0xff, 2};
  const Mac broadcast = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
  const Mac group_address = {0x01, 0x00, 0x5e, 1, 2, 3};
  lab().check(
      dropped("unicast in a broadcast frame", to_vnet().macs(broadcast, source), DropReason::link_broadcast));
  lab().check(dropped("unicast in a multicast frame", to_vnet().macs(group_address, source),
                      DropReason::link_broadcast));
  lab().check(dropped("multicast where it belongs", to_vnet().to("224.0.0.5").macs(group_address, source),
                      DropReason::multicast));
}

TEST(Frame, OtherStations) {
  const Mac ours = {0x02, 0, 0, 0, 0, 1};
  const Mac theirs = {0x02, 0, 0, 0, 0, 2};
  const Mac source = {0x02, 0, 0, 0, 0xff, 2};
  const Packet to_them = to_vnet().macs(theirs, source);
  auto& station = lab().queues.at(lan).station;
  lab().check(passes("a port without a MAC takes every frame", to_them));
  station = ours;
  lab().check(dropped("flooded by a bridge", to_them, DropReason::other_station));
  lab().check(passes("ours", to_vnet().macs(ours, source)));
  lab().check(dropped("broadcast is everybody's",
                      to_vnet().macs({0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, source),
                      DropReason::link_broadcast));
  station = {};
}

TEST(Frame, SendersThatNobodyIs) {
  const Mac ours = {0x02, 0, 0, 0, 0, 1};
  const Mac neighbour = {0x02, 0, 0, 0, 0, 2};
  const Mac group = {0x01, 0x00, 0x5e, 1, 2, 3};
  auto& station = lab().queues.at(lan).station;
  for (const Mac& own : {Mac{}, ours}) {
    station = own;
    lab().check(dropped("a group's", to_vnet().macs(ours, group), DropReason::bad_sender));
    lab().check(dropped("a group's, and the header is wrong", to_vnet().macs(ours, group).checksum(1),
                        DropReason::bad_sender));
    lab().check(passes("a neighbour's", to_vnet().macs(ours, neighbour)));
  }
  lab().check(dropped("our own", to_vnet().macs(ours, ours), DropReason::bad_sender));
  lab().check(
      dropped("our own, to somebody else", to_vnet().macs(neighbour, ours), DropReason::other_station));
  lab().check(dropped("ARP is for the kernel to judge", to_vnet().macs(ours, ours).ether_type(0x0806),
                      DropReason::no_host_companion));
  station = {};
  lab().check(passes("a port without a MAC has no own one", to_vnet().macs(ours, {})));
}

TEST(Header, VersionAndLengths) {
  for (unsigned version = 0; version < 16; ++version) {
    if (version != 4) {
      lab().check(
          dropped("version " + std::to_string(version), to_vnet().version(version), DropReason::bad_version));
    }
  }
  for (unsigned words = 0; words < 5; ++words) {
    lab().check(dropped("IHL " + std::to_string(words), to_vnet().header_words(words),
                        DropReason::bad_header_length));
  }
  for (unsigned words = 5; words < 16; ++words) {
    Packet in = to_vnet().options(Bytes((words - 5) * 4, 1)).size(80);
    lab().check(passes("IHL " + std::to_string(words), in));
    in.checksum(0x5a5a);
    lab().check(dropped("IHL " + std::to_string(words) + " with a wrong sum", in, DropReason::bad_checksum));
    const Packet liar = to_vnet().size(60).header_words(words).total_length(20);
    if (words > 5) {
      lab().check(dropped("IHL " + std::to_string(words) + " beyond the total length", liar,
                          DropReason::bad_header_length));
    }
  }
}

TEST(Header, TotalLengthLies) {
  const auto lie = [](std::uint16_t length) { return to_vnet().total_length(length); };
  lab().check(dropped("one more than arrived", lie(61), DropReason::bad_total_length));
  lab().check(dropped("the most", lie(65535), DropReason::bad_total_length));
  lab().check(dropped("0", lie(0), DropReason::bad_header_length));
  lab().check(dropped("below the header's", lie(19), DropReason::bad_header_length));
  lab().check(dropped("inside the options", to_vnet().options(Bytes(8, 1)).total_length(27),
                      DropReason::bad_header_length));
  lab().check(passes("exact", lie(60)));
}

TEST(Header, Checksums) {
  const Bytes right = to_vnet().bytes();
  for (unsigned bit = 0; bit < 16; ++bit) {
    Packet in = to_vnet();
    in.checksum(static_cast<std::uint16_t>((right[24] * 256 + right[25]) ^ 1 << bit));
    lab().check(dropped("bit " + std::to_string(bit) + " flipped", in, DropReason::bad_checksum));
  }
}

// The identification steers the sum: to where it wraps when the TTL falls, and to both zeros.
TEST(Header, ChecksumWrapsWhenTheTtlFalls) {
  for (const int wanted : {0x0000, 0x0001, 0xfefe, 0xfeff, 0xff00, 0xff01, 0xfffe}) {
    Packet in = to_vnet();
    unsigned id = 0;
    Bytes bytes;
    do {
      ASSERT_LE(id, 0xffffU) << "no identification gives " << wanted;
      bytes = in.id(static_cast<std::uint16_t>(id++)).bytes();
    } while (bytes[24] * 256 + bytes[25] != wanted);
    lab().check(passes("sum " + std::to_string(wanted), in));
    if (wanted == 0) {
      lab().check({"the other zero", lan, Packet(in).checksum(0xffff).bytes(), Forwarded{spoke},
                   forwarded_to(vnet_router, in)});
    }
  }
}

TEST(Header, NothingElseIsTouched) {
  lab().check(passes("type of service", to_vnet().tos(0xff)));
  lab().check(passes("do not fragment", to_vnet().fragment(0x4000)));
  lab().check(passes("reserved bit", to_vnet().fragment(0x8000)));
  lab().check(passes("an unknown protocol", to_vnet().protocol(254)));
  lab().check(passes("first fragment", to_vnet().fragment(0x2000)));
  lab().check(passes("middle fragment", to_vnet().fragment(0x20b9)));
  lab().check(passes("last fragment", to_vnet().fragment(0x00b9)));
}

TEST(Addresses, Martians) {
  for (const char* source : {"0.0.0.0", "0.0.0.1", "0.255.255.255", "127.0.0.0", "127.0.0.1",
                             "127.255.255.255", "169.254.0.0", "169.254.255.255", "224.0.0.0", "224.0.0.1",
                             "239.255.255.255", "240.0.0.0", "255.255.255.254", "255.255.255.255"}) {
    lab().check(dropped(source, to_vnet().from(source), DropReason::martian_source));
  }
  for (const char* destination : {"0.0.0.0", "0.1.2.3", "0.255.255.255", "127.0.0.0", "127.0.0.1",
                                  "127.255.255.255", "169.254.169.254", "240.0.0.0", "255.255.255.254"}) {
    lab().check(dropped(destination, packet().to(destination), DropReason::martian_destination));
  }
  for (const char* destination : {"224.0.0.0", "224.0.0.251", "239.255.255.255", "255.255.255.255"}) {
    lab().check(dropped(destination, packet().to(destination), DropReason::multicast));
  }
  lab().check(
      dropped("DHCP discover", packet().from("0.0.0.0").to("255.255.255.255"), DropReason::martian_source));
}

TEST(Options, WhatIsDroppedAndWhatPasses) {
  struct Case {
    const char* why;
    Bytes options;
    std::optional<DropReason> reason = {};
  };
  const std::vector<Case> cases = {
      {"loose source route", {131, 7, 4, 8, 8, 8, 8, 0}, DropReason::source_route},
      {"strict source route", {137, 7, 4, 8, 8, 8, 8, 0}, DropReason::source_route},
      {"a used-up source route", {131, 7, 8, 8, 8, 8, 8, 0}, DropReason::source_route},
      {"source route behind others", {148, 4, 0, 0, 68, 4, 5, 0, 131, 3, 4, 0}, DropReason::source_route},
      {"source route of length 0", {131, 0, 0, 0}, DropReason::source_route},
      {"source route in the last byte", {1, 1, 1, 137}, DropReason::source_route},
      {"source route behind the end", {0, 131, 3, 4}},
      {"router alert", {148, 4, 0, 0}},
      {"unknown ones", {222, 4, 0, 0, 130, 3, 0, 134, 5, 9, 9, 9}},
      {"record route", {7, 7, 4, 0, 0, 0, 0, 0}},
      {"timestamp", {68, 8, 5, 0, 0, 0, 0, 0}},
      {"probe MTU", {11, 4, 5, 220}, DropReason::obsolete_option},
      {"reply MTU", {12, 4, 5, 220}, DropReason::obsolete_option},
      {"traceroute", {82, 12, 0, 1, 0, 0, 0, 0, 1, 2, 3, 4}, DropReason::obsolete_option},
      {"stream ID behind another", {148, 4, 0, 0, 136, 4, 0, 1}, DropReason::obsolete_option},
      {"malformed: length 0", {7, 0, 0, 0}, DropReason::bad_options},
      {"malformed: length 1", {7, 1, 0, 0}, DropReason::bad_options},
      {"malformed: length beyond the header", {7, 200, 4, 0}, DropReason::bad_options},
      {"malformed: no length", {1, 1, 1, 7}, DropReason::bad_options},
      {"malformed, of an unknown one", {222, 5, 4, 0}, DropReason::bad_options},
      {"40 no-operations", Bytes(40, 1)},
  };
  for (const Case& c : cases) {
    for (const auto size : {std::uint16_t{80}, std::uint16_t{0}}) {
      const Packet in = to_vnet().options(c.options).size(size);
      lab().check(c.reason ? dropped(c.why, in, *c.reason) : passes(c.why, in));
    }
  }
}

// With options of its own, and with addresses, while it lives.
class WithOptions {
 public:
  explicit WithOptions(packet::OptionPolicy policy) {
    lab().state.options = policy;
    lab().state.host[lan].address = 0x0a00'0104;
    lab().state.host[spoke].address = 0x0a00'0504;
  }
  ~WithOptions() {
    lab().state.options = {};
    lab().state.host[lan].address = lab().state.host[spoke].address = 0;
  }
};

Record filled(const char* why, Bytes asked, Bytes given) {
  const Packet in = to_vnet().options(std::move(asked)).size(80);
  return {why, lan, in.bytes(), Forwarded{spoke},
          forwarded_to(vnet_router, Packet(in).options(std::move(given)))};
}

TEST(Options, RecordRouteIsFilledWithTheAddressOfTheWayOut) {
  const WithOptions fills({});
  lab().check(
      filled("the first", {7, 11, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0}, {7, 11, 8, 10, 0, 5, 4, 0, 0, 0, 0, 0}));
  lab().check(
      filled("the last", {1, 7, 11, 8, 9, 9, 9, 9, 0, 0, 0, 0}, {1, 7, 11, 12, 9, 9, 9, 9, 10, 0, 5, 4}));
  lab().check(passes("a full one", to_vnet().options({7, 7, 8, 9, 9, 9, 9, 0}).size(80)));
  lab().check(dropped("with room for half an address", to_vnet().options({7, 5, 4, 0, 0, 0, 0, 0}).size(80),
                      DropReason::bad_options));
  lab().check(dropped("with a pointer into itself", to_vnet().options({7, 7, 3, 0, 0, 0, 0, 0}).size(80),
                      DropReason::bad_options));
  lab().state.host[spoke].address = 0;
  lab().check(filled("by a port without an address", {7, 7, 4, 0, 0, 0, 0, 0}, {7, 7, 8, 10, 0, 1, 4, 0}));
  lab().state.host[lan].address = 0;
  lab().check(passes("of an appliance without one", to_vnet().options({7, 7, 4, 0, 0, 0, 0, 0}).size(80)));
}

TEST(Options, ThePolicyDecides) {
  const Bytes record{7, 7, 4, 0, 0, 0, 0, 0};
  const Bytes stamps{68, 8, 5, 0, 0, 0, 0, 0};
  using enum packet::OptionHandling;
  {
    const WithOptions ignores({.source_routes_pass = true, .record_route = ignore, .timestamp = ignore});
    lab().check(passes("record route", to_vnet().options(record).size(80)));
    lab().check(passes("timestamp", to_vnet().options(stamps).size(80)));
    lab().check(passes("whatever is in it", to_vnet().options({7, 2, 0, 0}).size(80)));
    lab().check(passes("loose source route", to_vnet().options({131, 7, 4, 8, 8, 8, 8, 0}).size(80)));
    lab().check(dropped("one that lies", to_vnet().options({131, 9, 4, 8, 8, 8, 8, 0}).size(80),
                        DropReason::bad_options));
  }
  const WithOptions refuses({.record_route = refuse, .timestamp = refuse});
  lab().check(dropped("record route", to_vnet().options(record).size(80), DropReason::refused_option));
  lab().check(dropped("timestamp", to_vnet().options(stamps).size(80), DropReason::refused_option));
}

// Of the frame that the lab sent: its options, in which a time stands at `at`. It is the clock's, within a minute.
Bytes stamped(const Bytes& options, std::size_t at) {
  lab().send(lan, to_vnet().options(options).size(80).bytes());
  lab().poll();
  const auto sent = lab().sent(spoke);
  if (sent.size() != 1) {
    return {};
  }
  const auto header = sent[0].begin() + 14;
  EXPECT_EQ(header_checksum(&*header, 20 + options.size()), header[10] * 256U + header[11]);
  Bytes given(header + 20, header + 20 + static_cast<std::ptrdiff_t>(options.size()));
  std::uint32_t time = 0;
  for (std::size_t byte = at; byte < at + 4; ++byte) {
    time = time << 8 | given[byte];
    given[byte] = 0xee;
  }
  const auto day = static_cast<std::int64_t>(std::time(nullptr) % 86'400) * 1'000;
  const auto apart = std::abs(day - static_cast<std::int64_t>(time));
  EXPECT_TRUE(apart < 60'000 || apart > 86'340'000) << time;
  return given;
}

TEST(Options, ATimestampIsFilled) {
  const WithOptions fills({});
  EXPECT_EQ(stamped({68, 8, 5, 0, 0, 0, 0, 0}, 4), (Bytes{68, 8, 9, 0, 0xee, 0xee, 0xee, 0xee}));
  EXPECT_EQ(stamped({68, 12, 5, 1, 0, 0, 0, 0, 0, 0, 0, 0}, 8),
            (Bytes{68, 12, 13, 1, 10, 0, 5, 4, 0xee, 0xee, 0xee, 0xee}));
  lab().check(filled("a full one counts", {68, 8, 9, 0x21, 1, 2, 3, 4}, {68, 8, 9, 0x31, 1, 2, 3, 4}));
  lab().check(dropped("its count is full, too", to_vnet().options({68, 8, 9, 0xf1, 1, 2, 3, 4}).size(80),
                      DropReason::bad_options));
  lab().check(dropped("with room for half of one", to_vnet().options({68, 8, 5, 1, 0, 0, 0, 0}).size(80),
                      DropReason::bad_options));
  lab().check(dropped("of no known kind", to_vnet().options({68, 8, 5, 2, 0, 0, 0, 0}).size(80),
                      DropReason::bad_options));
  lab().check(passes("of somebody else", to_vnet().options({68, 12, 5, 3, 9, 9, 9, 9, 0, 0, 0, 0}).size(80)));
}

TEST(Ttl, OneAndZeroEndHere) {
  lab().check(dropped("TTL 0", to_vnet().ttl(0), DropReason::ttl_expired));
  lab().check(dropped("TTL 1", to_vnet().ttl(1), DropReason::ttl_expired));
  lab().check(passes("TTL 2", to_vnet().ttl(2)));
  lab().check(passes("TTL 255", to_vnet().ttl(255)));
  const Packet unroutable = to_vnet().from("10.0.5.5").to("1.1.1.1");
  lab().check(dropped("no route is said before the TTL", Packet(unroutable).ttl(1), DropReason::no_route));
  lab().check(dropped("what is for the host keeps its TTL", packet().to("192.0.2.1").ttl(1),
                      DropReason::no_host_companion));
  lab().check(dropped("even 0", packet().to("192.0.2.1").ttl(0), DropReason::no_host_companion));
  lab().check(dropped("TTL before MTU", to_vnet().size(1501).ttl(1), DropReason::ttl_expired));
}

TEST(Mtu, ToTheByte) {
  lab().check(passes("1500 of 1500", to_vnet().size(1500)));
  lab().check(dropped("1501 of 1500", to_vnet().size(1501).fragment(0x4000), DropReason::mtu_exceeded));
  lab().check(dropped("9000 of 1500", to_vnet().size(9000).fragment(0x4000), DropReason::mtu_exceeded));
  const Packet exact = packet().to("100.64.0.1").size(600);
  lab().check({"600 of 600", lan, exact.bytes(), Forwarded{narrow}, forwarded_to(narrow_router, exact)});
  lab().check(
      dropped("601 of 600", packet().to("100.64.0.1").size(601).fragment(0x4000), DropReason::mtu_exceeded));
  Packet padded = packet().to("100.64.0.1").size(600);
  lab().check({"the trailer does not count", lan, padded.trailer(50).bytes(), Forwarded{narrow},
               forwarded_to(narrow_router, exact)});
}

}  // namespace
}  // namespace sekisho::test
