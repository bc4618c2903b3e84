// SPDX-License-Identifier: BSD-3-Clause
#include "control/formats/mrt.hpp"
#include "common/base/error.hpp"
#include "common/base/prefix.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "common/base/file.hpp"
#include "control/formats/bgp_path.hpp"
#include "control/formats/reader.hpp"
#include "tests/unit/formats/files.hpp"
#include "tests/unit/temporary_folder.hpp"

namespace sekisho::formats {
namespace {

using namespace std::string_literals;

auto number(std::uint64_t value, unsigned size) -> std::string {
  std::string bytes;
  for (unsigned i = size; i-- > 0;)
    bytes += static_cast<char>(value >> (8 * i));
  return bytes;
}
auto address(std::string_view text) -> std::string {
  return number(base::parse_address(text).value(), 4);
}

// A record as RFC 6396, 2 has it.
auto record(unsigned type, unsigned subtype, const std::string& message) -> std::string {
  return number(1486801684, 4) + number(type, 2) + number(subtype, 2) + number(message.size(), 4) + message;
}

auto attribute(unsigned type, const std::string& value, unsigned flags = 0x40) -> std::string {
  return number(flags, 1) + number(type, 1) + number(value.size(), (flags & 0x10) != 0 ? 2 : 1) + value;
}
auto next_hop(std::string_view text) -> std::string {
  return attribute(3, address(text));
}
auto as_path(unsigned length, unsigned as_size = 4) -> std::string {
  return attribute(2, number(2, 1) + number(length, 1) + std::string(std::size_t{length} * as_size, '\x01'));
}
auto origin(unsigned value) -> std::string {
  return attribute(1, number(value, 1));
}
auto exit_discriminator(std::uint32_t value) -> std::string {
  return attribute(4, number(value, 4), 0x80);
}
auto local_preference(std::uint32_t value) -> std::string {
  return attribute(5, number(value, 4));
}

constexpr unsigned table_dump = 12, table_dump_v2 = 13;
constexpr unsigned ipv4_unicast = 2, ipv6_unicast = 4, ipv4_unicast_addpath = 8, ipv6_unicast_addpath = 10;

// Peers 0 to 3: two with 16-bit and one with a 32-bit AS number, and one that speaks over IPv6.
const std::string peers =
    record(table_dump_v2, 1,
           address("10.0.0.1") + number(4, 2) + "view" + number(4, 2) +                           //
               number(0, 1) + address("1.1.1.1") + address("10.0.0.1") + number(65001, 2) +       //
               number(2, 1) + address("2.2.2.2") + address("10.0.0.2") + number(4200000000, 4) +  //
               number(0, 1) + address("3.3.3.3") + address("10.0.0.3") + number(65003, 2) +       //
               number(3, 1) + address("4.4.4.4") + "\x20\x01\x0d\xb8"s + std::string(11, '\0') + "\x01"s +
               number(65004, 4));

struct Entry {
  unsigned peer = 0;
  std::string attributes;
};

auto prefix_bytes(std::string_view text) -> std::string {
  const auto prefix = base::parse_prefix(text).value();
  return number(prefix.length, 1) + number(prefix.address, 4).substr(0, (prefix.length + 7U) / 8);
}

auto rib(std::string_view prefix, const std::vector<Entry>& entries, bool additional_paths = false)
    -> std::string {
  std::string message = number(0, 4) + prefix_bytes(prefix) + number(entries.size(), 2);
  unsigned path = 0;
  for (const auto& entry : entries)
    message += number(entry.peer, 2) + number(0, 4) + (additional_paths ? number(++path, 4) : "") +
               number(entry.attributes.size(), 2) + entry.attributes;
  return record(table_dump_v2, additional_paths ? ipv4_unicast_addpath : ipv4_unicast, message);
}

auto old_rib(std::string_view prefix, std::string_view peer, unsigned as, const std::string& attributes)
    -> std::string {
  const auto parsed = base::parse_prefix(prefix).value();
  return record(table_dump, 1,
                number(0, 4) + number(parsed.address, 4) + number(parsed.length, 1) + number(1, 1) +
                    number(0, 4) + address(peer) + number(as, 2) + number(attributes.size(), 2) + attributes);
}

auto parse(const std::string& bytes, std::optional<std::string> peer = {})
    -> tl::expected<RouteFile, base::Error> {
  return parse_mrt(bytes, "rib.mrt", peer ? std::optional{base::parse_address(*peer).value()} : std::nullopt);
}

auto as_lines(const RouteFile& file) -> std::vector<std::string> {
  std::vector<std::string> result;
  for (const auto& each : file.routes)
    result.push_back(base::to_string(each.prefix) + " " + to_string(file.next_hops.at(each.next_hop)));
  return result;
}
using Lines = std::vector<std::string>;

auto routes(const std::string& bytes, std::optional<std::string> peer = {}) -> Lines {
  const auto result = parse(bytes, std::move(peer));
  EXPECT_TRUE(result) << result.error().to_string();
  return result ? as_lines(*result) : Lines{};
}

auto reason(const std::string& bytes, std::optional<std::string> peer = {}) -> std::string {
  const auto result = parse(bytes, std::move(peer));
  EXPECT_FALSE(result);
  return result ? "" : result.error().to_string();
}

TEST(ParseMrt, ReadsTheRoutesOfOnePeer) {
  const auto bytes = peers + rib("0.0.0.0/0", {{0, next_hop("10.0.0.1")}}) +
                     rib("10.1.0.0/16", {{0, origin(0) + as_path(3) + next_hop("10.0.0.9")}}) +
                     rib("10.1.2.128/25", {{0, next_hop("10.0.0.1")}}) +
                     rib("255.255.255.255/32", {{0, next_hop("10.0.0.1")}});
  const auto result = parse(bytes);
  ASSERT_TRUE(result) << result.error().to_string();
  EXPECT_EQ(as_lines(*result), (Lines{"0.0.0.0/0 10.0.0.1", "10.1.0.0/16 10.0.0.9", "10.1.2.128/25 10.0.0.1",
                                      "255.255.255.255/32 10.0.0.1"}));
  EXPECT_EQ(result->format, Format::mrt);
  EXPECT_EQ(result->next_hops.size(), 2U);
  EXPECT_EQ(result->next_hops[0].type, route::NextHopType::virtual_appliance);
  for (const auto& each : result->routes)
    EXPECT_EQ(each.origin, route::Origin::bgp);
  EXPECT_TRUE(result->findings.empty());
  EXPECT_EQ(result->ipv6, 0U);
}

TEST(ParseMrt, TellsPeersApart) {
  const auto bytes = peers + rib("10.0.0.0/8", {{0, next_hop("10.0.0.1")}, {1, next_hop("10.0.0.2")}}) +
                     rib("11.0.0.0/8", {{1, next_hop("10.0.0.22")}});
  EXPECT_EQ(routes(bytes, "10.0.0.1"), (Lines{"10.0.0.0/8 10.0.0.1"}));
  EXPECT_EQ(routes(bytes, "10.0.0.2"), (Lines{"10.0.0.0/8 10.0.0.2", "11.0.0.0/8 10.0.0.22"}));
  const std::string list = "10.0.0.2 (AS 4200000000, 2 routes), 10.0.0.1 (AS 65001, 1 route)";
  EXPECT_EQ(reason(bytes), "rib.mrt: holds routes of 2 peers, of which one has to be chosen: " + list);
  EXPECT_EQ(reason(bytes, "10.0.0.3"), "rib.mrt: holds no route of peer 10.0.0.3, but of " + list);
}

// Two sessions of one address: their paths never become one route.
TEST(ParseMrt, TellsPeersOfOneAddressApart) {
  const auto twins =
      record(table_dump_v2, 1,
             address("10.0.0.1") + number(0, 2) + number(2, 2) +                               //
                 number(0, 1) + address("1.1.1.1") + address("10.0.0.1") + number(65001, 2) +  //
                 number(0, 1) + address("2.2.2.2") + address("10.0.0.1") + number(65001, 2));
  const auto path = [](const char* hop) { return origin(0) + as_path(1) + next_hop(hop); };
  const auto one = parse(twins + rib("10.0.0.0/8", {{1, path("10.0.0.9")}}), "10.0.0.1");
  ASSERT_TRUE(one) << one.error().to_string();
  EXPECT_EQ(as_lines(*one), std::vector<std::string>{"10.0.0.0/8 10.0.0.9"});
  const auto both =
      parse(twins + rib("10.0.0.0/8", {{0, path("10.0.0.8")}, {1, path("10.0.0.9")}}), "10.0.0.1");
  ASSERT_FALSE(both);
  EXPECT_EQ(
      both.error().reason,
      "holds routes of 2 peers of one address, which does not say whose: 10.0.0.1 (AS 65001, identifier "
      "1.1.1.1, 1 route), 10.0.0.1 (AS 65001, identifier 2.2.2.2, 1 route)");
}

// RFC 7606: a malformed path takes its own route away, and nobody else's.
TEST(ParseMrt, AMalformedPathOfAnotherPeerIsDroppedAndCounted) {
  const auto good = origin(0) + as_path(1) + next_hop("10.0.0.9");
  const auto bytes = peers + rib("10.0.0.0/8", {{0, good}, {1, attribute(3, "abc")}}) +
                     rib("11.0.0.0/8", {{0, good}, {1, good}});
  const auto file = parse(bytes, "10.0.0.1");
  ASSERT_TRUE(file) << file.error().to_string();
  EXPECT_EQ(as_lines(*file), (std::vector<std::string>{"10.0.0.0/8 10.0.0.9", "11.0.0.0/8 10.0.0.9"}));
  ASSERT_EQ(file->findings.size(), 1U);
  EXPECT_TRUE(file->findings[0].where.reason.starts_with(
      "1 malformed path of peer 10.0.0.2 (AS 4200000000) is dropped, the first at byte "))
      << file->findings[0].where.reason;
  EXPECT_FALSE(parse(bytes, "10.0.0.2")) << "the one that is asked for is whole";
}

TEST(ParseMrt, APeerThatSpeaksOverIpv6IsNamedAndReadWhereItIsTheOnlyOne) {
  const auto alone = peers + rib("10.0.0.0/8", {{3, next_hop("10.0.0.4")}});
  EXPECT_EQ(routes(alone), (Lines{"10.0.0.0/8 10.0.0.4"}));
  EXPECT_EQ(reason(alone + rib("11.0.0.0/8", {{0, next_hop("10.0.0.1")}})),
            "rib.mrt: holds routes of 2 peers, of which one has to be chosen: 10.0.0.1 (AS 65001, 1 route), "
            "2001:db8::1 (AS 65004, 1 route)");
}

TEST(ParseMrt, ANewPeerIndexTableReplacesTheOneBefore) {
  const auto other = record(table_dump_v2, 1,
                            address("10.0.0.1") + number(0, 2) + number(1, 2) + number(0, 1) +
                                address("9.9.9.9") + address("10.0.0.9") + number(65009, 2));
  const auto bytes = peers + rib("10.0.0.0/8", {{0, next_hop("10.0.0.1")}}) + other +
                     rib("11.0.0.0/8", {{0, next_hop("10.0.0.9")}});
  EXPECT_EQ(routes(bytes, "10.0.0.9"), (Lines{"11.0.0.0/8 10.0.0.9"}));
  EXPECT_NE(reason(bytes + rib("12.0.0.0/8", {{1, next_hop("10.0.0.9")}}))
                .find("peer 1, where the PEER_INDEX_TABLE has 1"),
            std::string::npos);
}

TEST(ParseMrt, ReadsTheOldTableDump) {
  const auto bytes = old_rib("3.0.0.0/8", "193.203.0.1", 1853, as_path(3, 2) + next_hop("193.203.0.1")) +
                     old_rib("4.0.0.0/8", "193.203.0.65", 1273, next_hop("193.203.0.66"));
  EXPECT_EQ(routes(bytes, "193.203.0.1"), (Lines{"3.0.0.0/8 193.203.0.1"}));
  EXPECT_EQ(routes(bytes, "193.203.0.65"), (Lines{"4.0.0.0/8 193.203.0.66"}));
  EXPECT_NE(reason(bytes).find("193.203.0.1 (AS 1853, 1 route), 193.203.0.65 (AS 1273, 1 route)"),
            std::string::npos);
}

TEST(ParseMrt, ARouteOfTheRouterItselfHasNoNextHop) {
  const auto result =
      parse(peers + rib("10.0.0.0/8", {{0, ""}}) + rib("11.0.0.0/8", {{0, next_hop("0.0.0.0")}}));
  ASSERT_TRUE(result) << result.error().to_string();
  EXPECT_EQ(as_lines(*result), (Lines{"10.0.0.0/8 -", "11.0.0.0/8 -"}));
  ASSERT_EQ(result->next_hops.size(), 1U);
  EXPECT_TRUE(result->next_hops[0].is_missing());
}

TEST(ParseMrt, TheBestOfAPeersPathsCounts) {
  const auto worse = as_path(4) + next_hop("10.0.9.9");
  const std::vector<std::pair<std::string, std::string>> cases{
      {"the higher local preference", local_preference(101) + as_path(9) + next_hop("10.0.9.1")},
      {"the shorter AS path", as_path(3) + next_hop("10.0.9.1")},
      {"the lower origin", as_path(4) + origin(0) + next_hop("10.0.9.1")},
  };
  for (const auto& [why, better] : cases)
    for (const auto& paths : {std::vector<Entry>{{0, worse}, {0, better}}, {{0, better}, {0, worse}}})
      EXPECT_EQ(routes(peers + rib("10.0.0.0/8", paths, true)), (Lines{"10.0.0.0/8 10.0.9.1"})) << why;
  // A missing MULTI_EXIT_DISC is the lowest.
  for (const auto& paths : {std::vector<Entry>{{0, worse}, {0, worse + exit_discriminator(1)}},
                            {{0, worse + exit_discriminator(1)}, {0, worse}}})
    EXPECT_EQ(routes(peers + rib("10.0.0.0/8", paths, true)), (Lines{"10.0.0.0/8 10.0.9.9"}));
}

TEST(ParseMrt, AnAsSetIsOneAsAndAConfederationNone) {
  const auto segment = [](unsigned type, unsigned count) {
    return number(type, 1) + number(count, 1) + std::string(count * 4, '\1');
  };
  const auto path =
      parse_path(Cursor{attribute(2, segment(1, 5) + segment(2, 3) + segment(3, 7) + segment(4, 2))}, 4);
  ASSERT_TRUE(path);
  EXPECT_EQ(path->rank.as_path_length, 4U);
}

TEST(ParseMrt, EqualPathsAreOneRouteWhateverTheirOrder) {
  std::vector<Entry> paths;
  for (const auto* hop : {"10.0.9.3", "10.0.9.1", "10.0.9.2", "10.0.9.1", "0.0.0.0"})
    paths.push_back({0, as_path(2) + next_hop(hop)});
  paths.push_back({0, as_path(3) + next_hop("10.0.9.4")});
  std::mt19937 random{3};
  for (int i = 0; i < 50; ++i) {
    std::ranges::shuffle(paths, random);
    const auto result = parse(peers + rib("10.0.0.0/8", paths, true) + rib("11.0.0.0/8", paths, true));
    ASSERT_TRUE(result) << result.error().to_string();
    ASSERT_EQ(as_lines(*result),
              (Lines{"10.0.0.0/8 10.0.9.1,10.0.9.2,10.0.9.3", "11.0.0.0/8 10.0.9.1,10.0.9.2,10.0.9.3"}));
    ASSERT_EQ(result->next_hops.size(), 1U);
    ASSERT_EQ(result->next_hops[0].type, route::NextHopType::virtual_appliance_ecmp);
  }
}

TEST(ParseMrt, MoreEqualNextHopsThanAzureTakesAreShortened) {
  std::vector<Entry> paths;
  for (unsigned i = 70; i > 0; --i)
    paths.push_back({0, next_hop("10.0.9." + std::to_string(i))});
  const auto result = parse(peers + rib("10.0.0.0/8", paths, true));
  ASSERT_TRUE(result) << result.error().to_string();
  const auto& kept = result->next_hops.at(0).addresses;
  EXPECT_EQ(kept.size(), 64U);
  EXPECT_EQ(kept.front(), base::parse_address("10.0.9.1").value());
  EXPECT_EQ(kept.back(), base::parse_address("10.0.9.64").value());
  ASSERT_EQ(result->findings.size(), 1U);
  EXPECT_EQ(result->findings[0].where.to_string(),
            "rib.mrt: 1 routes have more than 64 equal next hops, of which the lowest are kept");
}

TEST(ParseMrt, AnIpv4NextHopMayStandInMpReachNlri) {
  const auto of = [](const std::string& value) { return attribute(14, value); };
  const auto four = number(4, 1);
  const auto whole = number(1, 2) + number(1, 1) + four + address("10.0.0.8") + number(0, 1);
  const auto result =
      parse(peers + rib("10.0.0.0/8", {{0, of(four + address("10.0.0.9"))}}) +
            rib("11.0.0.0/8", {{0, of(whole)}}) + rib("12.0.0.0/8", {{0, of(whole) + next_hop("10.0.0.7")}}) +
            rib("13.0.0.0/8", {{0, of(four + "abc")}}));
  ASSERT_TRUE(result) << result.error().to_string();
  EXPECT_EQ(as_lines(*result), (Lines{"10.0.0.0/8 10.0.0.9", "11.0.0.0/8 10.0.0.8", "12.0.0.0/8 10.0.0.7"}));
}

TEST(ParseMrt, CountsWhatItLeavesOut) {
  const auto bytes = peers + rib("10.0.0.0/8", {{0, next_hop("10.0.0.1")}}) +
                     record(table_dump_v2, ipv6_unicast, "anything") +
                     record(table_dump_v2, ipv6_unicast_addpath, "") + record(table_dump, 2, "anything") +
                     record(table_dump_v2, 3, "") + record(table_dump_v2, 5, "") +
                     record(table_dump_v2, 6, "") + record(table_dump_v2, 9, "") +
                     record(table_dump_v2, 7, "where peers are on Earth") +
                     rib("12.0.0.0/8", {{0, attribute(14, "\x10" + std::string(16, 'x'))}});
  const auto result = parse(bytes);
  ASSERT_TRUE(result) << result.error().to_string();
  EXPECT_EQ(as_lines(*result), (Lines{"10.0.0.0/8 10.0.0.1"}));
  EXPECT_EQ(result->ipv6, 3U);
  Lines findings;
  for (const auto& finding : result->findings)
    findings.push_back(finding.where.reason);
  EXPECT_EQ(findings,
            (Lines{"1 records of RIB_GENERIC are left out", "2 records of RIB_IPV4_MULTICAST are left out",
                   "1 records of RIB_IPV6_MULTICAST are left out",
                   "1 paths have an IPv6 next hop and are left out"}));
}

TEST(ParseMrt, AFileWithoutIpv4RoutesIsAnEmptyTable) {
  for (const auto& bytes : {peers, peers + record(table_dump_v2, ipv6_unicast, ""), ""s}) {
    EXPECT_EQ(routes(bytes), Lines{});
    EXPECT_EQ(reason(bytes, "10.0.0.1"), "rib.mrt: holds no IPv4 route, and so none of peer 10.0.0.1");
  }
}

// RFC 4271, 4.3: "the value of trailing bits is irrelevant".
TEST(ParseMrt, DropsBitsBehindThePrefix) {
  const auto message = number(0, 4) + "\x09\x0a\xff"s + number(1, 2) + number(0, 2) + number(0, 4) +
                       number(7, 2) + next_hop("10.0.0.1");
  EXPECT_EQ(routes(peers + record(table_dump_v2, ipv4_unicast, message)), (Lines{"10.128.0.0/9 10.0.0.1"}));
}

TEST(ParseMrt, ReadsAttributesOfExtendedLength) {
  const auto attributes = attribute(2, "\x02\x01\0\0\0\x07"s, 0x50) + attribute(3, address("10.0.0.1"), 0x50);
  EXPECT_EQ(routes(peers + rib("10.0.0.0/8", {{0, attributes}})), (Lines{"10.0.0.0/8 10.0.0.1"}));
}

TEST(ParseMrt, RefusesWithTheByteAndTheReason) {
  const auto with = [](const std::string& attributes) {
    return peers + rib("10.0.0.0/8", {{0, attributes}});
  };
  const auto entry = [](const std::string& message) {
    return peers + record(table_dump_v2, ipv4_unicast, message);
  };
  const auto begin = peers.size();                     // of the second record
  const auto attributes = begin + 12 + 4 + 2 + 2 + 8;  // of its only entry
  const auto at = [](std::size_t offset) { return "rib.mrt: byte " + std::to_string(offset) + ": "; };
  const std::vector<std::pair<std::string, std::string>> cases{
      {record(16, 4, "x"), at(0) + "a record of BGP4MP: only dumps of a table can be read"},
      {record(17, 4, "x"), at(0) + "a record of BGP4MP_ET: "},
      {record(11, 0, "x"), at(0) + "a record of OSPFv2: "},
      {record(0, 0, ""), at(0) + "a record of type 0: "},
      {peers + record(16, 1, ""), at(begin) + "a record of BGP4MP: "},
      {record(table_dump_v2, 0, ""), at(0) + "a TABLE_DUMP_V2 record of the unknown subtype 0"},
      {record(table_dump_v2, 13, ""), at(0) + "a TABLE_DUMP_V2 record of the unknown subtype 13"},
      {record(table_dump, 3, ""), at(0) + "a TABLE_DUMP record of the address family 3"},
      {peers + "\1\2\3", at(begin) + "the file ends within a record's header"},
      {peers + record(13, 2, "xxxx").substr(0, 14),
       at(begin) + "a record of 4 bytes, of which the file has 2"},
      {peers.substr(0, 8) + number(peers.size() - 13, 4) + peers.substr(12, peers.size() - 13),
       at(0) + "a PEER_INDEX_TABLE that ends after 3 of 4 peers"},
      {peers.substr(0, 8) + number(peers.size() - 11, 4) + peers.substr(12) + "x",
       at(begin) + "the record has 1 bytes too many"},
      {rib("10.0.0.0/8", {{0, ""}}), at(20) + "peer 0, where the PEER_INDEX_TABLE has 0"},
      {peers + rib("10.0.0.0/8", {{4, ""}}), at(begin + 20) + "peer 4, where the PEER_INDEX_TABLE has 4"},
      {entry(number(0, 4) + "\x21" + std::string(20, 'x')), at(begin + 16) + "an IPv4 prefix of length 33"},
      {entry(number(0, 4) + prefix_bytes("10.0.0.0/8") + number(2, 2) + number(0, 8)),
       at(begin) + "the RIB entries of 10.0.0.0/8 end after 1 of 2"},
      {entry(number(0, 4) + prefix_bytes("10.0.0.0/8") + number(0, 2) + "x"),
       at(begin + 20) + "the record has 1 bytes too many"},
      {entry("xx"), at(begin + 12) + "the record ends too early"},
      {with("\x40"), at(attributes) + "path attribute 0 ends too early"},
      {with("\x40\x03\x04\x01"), at(attributes) + "path attribute 3 ends too early"},
      {with("\x50\x03\x04"), at(attributes) + "path attribute 3 ends too early"},
      {with(origin(0) + attribute(3, "\1\2\3")), at(attributes + 7) + "NEXT_HOP has 3 bytes instead of 4"},
      {with(attribute(1, "")), at(attributes + 3) + "ORIGIN has 0 bytes instead of 1"},
      {with(attribute(4, "\1")), at(attributes + 3) + "MULTI_EXIT_DISC has 1 bytes instead of 4"},
      {with(attribute(5, "12345")), at(attributes + 3) + "LOCAL_PREF has 5 bytes instead of 4"},
      {with(attribute(2, "\2\2\1\1\1\1")), at(attributes + 3) + "the AS_PATH ends within a segment"},
      {with(attribute(2, "\2")), at(attributes + 3) + "the AS_PATH ends within a segment"},
      {old_rib("3.0.0.0/8", "1.1.1.1", 1, attribute(2, "\2\2\1\1\1")),
       "rib.mrt: byte 37: the AS_PATH ends within"},
      {record(table_dump, 1, std::string(8, 'x') + "\x21" + std::string(11, 'x') + number(0, 2)),
       at(20) + "an IPv4 prefix of length 33"},
      {record(table_dump, 1, std::string(20, 'x') + number(5, 2)), at(34) + "the record ends too early"},
  };
  for (const auto& [bytes, expected] : cases)
    EXPECT_EQ(reason(bytes).substr(0, expected.size()), expected);
}

// Cut between records, a dump is a shorter dump; cut anywhere else, it is refused.
TEST(ParseMrt, TruncatedAtEveryByte) {
  const std::vector<std::string> records{
      peers,
      rib("10.0.0.0/8", {{0, origin(0) + as_path(2) + next_hop("10.0.0.1")}}),
      rib("11.0.0.0/8", {{0, as_path(2) + next_hop("10.0.0.1")}, {0, next_hop("10.0.0.2")}}, true),
      old_rib("12.0.0.0/8", "10.0.0.1", 65001, as_path(1, 2) + next_hop("10.0.0.3")),
      record(table_dump_v2, ipv6_unicast, "xyz"),
  };
  std::string whole;
  std::vector<std::size_t> ends{0};
  for (const auto& each : records) {
    whole += each;
    ends.push_back(whole.size());
  }
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    const auto result = parse(whole.substr(0, size));
    const auto end = std::ranges::find(ends, size);
    ASSERT_EQ(result.has_value(), end != ends.end()) << size;
    if (result) {
      EXPECT_EQ(result->routes.size(), std::clamp<std::ptrdiff_t>(end - ends.begin() - 1, 0, 3)) << size;
    }
  }
  EXPECT_EQ(routes(whole), (Lines{"10.0.0.0/8 10.0.0.1", "11.0.0.0/8 10.0.0.2", "12.0.0.0/8 10.0.0.3"}));
}

// Whatever one byte says instead, nothing but a table or a refusal comes of it.
TEST(ParseMrt, DamagedAtEveryByte) {
  const auto whole = peers + rib("10.0.0.0/8", {{0, origin(0) + as_path(2) + next_hop("10.0.0.1")}}) +
                     rib("11.0.0.0/8", {{0, next_hop("10.0.0.2")}}, true);
  std::size_t refused = 0;
  for (std::size_t i = 0; i < whole.size(); ++i)
    for (const unsigned flip : {0x01U, 0x80U, 0xffU}) {
      auto bytes = whole;
      bytes[i] = static_cast<char>(static_cast<unsigned char>(bytes[i]) ^ flip);
      const auto result = parse(bytes);
      refused += result ? 0 : 1;
      if (result)
        for (const auto& each : result->routes) {
          EXPECT_LT(each.next_hop, result->next_hops.size());
          EXPECT_EQ(each.prefix.address & ~each.prefix.mask(), 0U);
        }
    }
  EXPECT_GT(refused, 100U);
}

TEST(ReadRoutes, KnowsMrtByItsContent) {
  const test::TemporaryFolder folder;
  const auto bytes = peers + rib("10.0.0.0/8", {{0, next_hop("10.0.0.1")}});
  for (const auto& content : {bytes, bzip2(bytes)}) {
    const auto result = read_routes(folder.write("routes.txt", content));
    ASSERT_TRUE(result) << result.error().to_string();
    EXPECT_EQ(as_lines(*result), (Lines{"10.0.0.0/8 10.0.0.1"}));
    EXPECT_TRUE(read_routes(folder.path() / "routes.txt", {.peer = base::parse_address("10.0.0.1").value()}));
  }
}

TEST(ReadRoutes, RefusesAPeerOfWhatIsNoMrt) {
  const test::TemporaryFolder folder;
  for (const auto* content : {"10.0.0.0/8 a\n", "[]", ""}) {
    const auto file = folder.write("routes.txt", content);
    const auto result = read_routes(file, {.peer = base::parse_address("10.0.0.1").value()});
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().to_string(),
              file.string() + ": is not an MRT file: it has no routes of a peer, 10.0.0.1 or another");
  }
}

}  // namespace
}  // namespace sekisho::formats
