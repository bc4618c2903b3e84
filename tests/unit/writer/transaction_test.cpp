// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/writer/transaction.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "common/base/prefix.hpp"
#include "tests/unit/writer/change.hpp"

namespace sekisho::writer::test {
namespace {

class NoRoutes : public RunningRoutes {
  std::optional<std::string_view> find(const std::string&, base::Prefix) const override {
    return std::nullopt;
  }
  std::size_t count(const std::string&, const std::string&) const override { return 0; }
};

// One route, 10.0.0.0/8 to fw, in zone onprem.
class OneRoute : public RunningRoutes {
  std::optional<std::string_view> find(const std::string&, base::Prefix prefix) const override {
    return prefix == base::Prefix{ip("10.0.0.0"), 8} ? std::optional<std::string_view>{"fw"} : std::nullopt;
  }
  std::size_t count(const std::string&, const std::string& next_hop) const override {
    return next_hop == "fw";
  }
};

constexpr const char* basis = R"(
  ports { name: "lan" device: "net_null0" }
  ports { name: "egress" device: "net_null1" }
  adjacencies { key { port: "egress" address: @10.0.2.10 } mac: "\x02\0\0\0\0\1" alive: true }
  next_hops { name: "fw" members { port: "egress" address: @10.0.2.10 } }
  next_hops { name: "none" action: DROP }
  zones { name: "onprem" ports: "lan" sources { address: @172.16.0.0 length: 12 } })";

std::string refusal(bool full, const Configuration& running, const std::vector<ipc::Change>& changes,
                    const RunningRoutes& routes = NoRoutes{}) {
  Transaction transaction{full, running};
  for (const auto& change : changes) {
    if (const auto done = transaction.add(change); !done) {
      return done.error();
    }
  }
  const auto target = std::move(transaction).finish(routes);
  return target ? "" : target.error();
}

Configuration running() {
  Transaction transaction{true, {}};
  EXPECT_TRUE(transaction.add(parse(basis)));
  return std::move(transaction).finish(NoRoutes{}).value().configuration;
}

struct Case {
  const char* change;
  const char* reason;
};

TEST(Transaction, RefusesWithTheObjectsName) {
  const Case cases[] = {
      {R"(ports { name: "Lan" device: "x" })", "port \"Lan\": a name is 1 to 31 of a-z, 0-9 and -"},
      {R"(ports { name: "" device: "x" })", "port \"\": a name is 1 to 31 of a-z, 0-9 and -"},
      {R"(ports { name: "abcdefghijklmnopqrstuvwxyz012345" device: "x" })",
       "port \"abcdefghijklmnopqrstuvwxyz012345\": a name is 1 to 31 of a-z, 0-9 and -"},
      {R"(ports { name: "p" })", "port p: its device is not named"},
      {R"(ports { name: "p" device: "x" mtu: 67 })", "port p: an MTU of 67 is not among 68..65535"},
      {R"(ports { name: "p" device: "x" mtu: 65536 })", "port p: an MTU of 65536 is not among 68..65535"},
      {R"(ports { name: "p" device: "x" mss_clamp { most: 65496 } })",
       "port p: segments of 65496 bytes fit into no packet: at most 65495"},
      {R"(ports { name: "p" device: "x" host_sources { address: 0x0a000001 length: 8 } })",
       "port p: source 10.0.0.1/8 has host bits"},
      {R"(ports { name: "p" device: "x" host_sources { length: 33 } })",
       "port p: source 0.0.0.0/33 is longer than 32 bits"},
      {R"(ports { name: "lan" device: "x" })", "port lan is named twice"},
      {R"(ports { name: "p" device: "net_null0,no-rx=1" })", "port p: device net_null0 is port lan's"},
      {R"(adjacencies { key { port: "egress" address: @10.0.2.10 } })",
       "adjacency 10.0.2.10 on port egress is named twice"},
      {R"(adjacencies { key { port: "wan" address: @10.0.2.11 } })",
       "adjacency 10.0.2.11 on port wan: port wan is not among the ports"},
      {R"(adjacencies { key { port: "lan" address: @10.0.2.11 } mac: "abc" })",
       "adjacency 10.0.2.11 on port lan: a MAC address is 6 bytes, not 3"},
      {R"(adjacencies { key { port: "lan" address: @10.0.2.11 } alive: true })",
       "adjacency 10.0.2.11 on port lan: it cannot be alive without a MAC address"},
      {R"(next_hops { name: "fw" action: DROP })", "next hop fw is named twice"},
      {R"(next_hops { name: "a" action: 7 })", "next hop a: action 7 is unknown"},
      {R"(next_hops { name: "a" action: HOST members { port: "egress" address: @10.0.2.10 } })",
       "next hop a: only one that forwards has members"},
      {R"(next_hops { name: "a" action: CONNECTED members { port: "egress" address: @10.0.2.10 } })",
       "next hop a: only one that forwards has members"},
      {R"(next_hops { name: "a" members { port: "lan" address: @10.0.2.10 } })",
       "next hop a: member 10.0.2.10 on port lan is not among the adjacencies"},
      {R"(next_hops { name: "a" members { port: "egress" address: @10.0.2.10 }
          members { port: "egress" address: @10.0.2.10 } })",
       "next hop a: member 10.0.2.10 on port egress is named twice"},
      {R"(next_hops { name: "a" members { port: "egress" address: @10.0.2.10 weight: 101 } })",
       "next hop a: weight 101 is more than 100"},
      {R"(zones { name: "onprem" })", "zone onprem is named twice"},
      {R"(zones { name: "z" ports: "lan1" })", "zone z: port lan1 is not among the ports"},
      {R"(zones { name: "z" ports: "lan" ports: "lan" })", "zone z: port lan is named twice"},
      {R"(zones { name: "z" sources { address: @10.0.0.1 length: 8 } })",
       "zone z: source 10.0.0.1/8 has host bits"},
      {R"(zones { name: "z" sources { address: @10.0.0.1 length: 33 } })",
       "zone z: source 10.0.0.1/33 is longer than 32 bits"},
      {R"(zones { name: "z" sources { address: @172.16.0.0 length: 12 } })",
       "zone z: source 172.16.0.0/12 belongs to zone onprem"},
      {R"(routes { zone: "onprem" address: 1 })",
       "zone onprem: 1 addresses, 0 lengths and 0 next hops are not as many"},
      {R"(routes { zone: "onprem" address: @10.0.0.0 length: "\x08" next_hop: 1 next_hop_names: "fw" })",
       "zone onprem: route 10.0.0.0/8 has next hop 1 of 1 that are named"},
      {R"(routes { zone: "onprem" address: @10.0.0.1 length: "\x08" next_hop: 0 next_hop_names: "fw" })",
       "zone onprem: route 10.0.0.1/8 has host bits"},
      {R"(routes { zone: "onprem" address: @10.0.0.1 length: "\xff" next_hop: 0 next_hop_names: "fw" })",
       "zone onprem: route 10.0.0.1/255 is longer than 32 bits"},
      {R"(routes { zone: "onprem" address: @10.0.0.0 length: "\x08" next_hop: 0 next_hop_names: "gw" })",
       "zone onprem: route 10.0.0.0/8 leads to next hop gw, which is not among the next hops"},
      {R"(routes { zone: "vnet" address: @10.0.0.0 length: "\x08" next_hop: 0 next_hop_names: "fw" })",
       "routes of zone vnet: it is not among the zones"},
      {"remove_exit: true",
       "a full transaction names all that exists: removing belongs to an incremental one"},
      {R"(remove_ports: "lan")",
       "a full transaction names all that exists: removing belongs to an incremental one"},
  };
  for (const auto& [change, reason] : cases) {
    EXPECT_EQ(refusal(true, {}, {parse(basis), parse(change)}), reason) << change;
  }
}

TEST(Transaction, RefusesRemovalsThatLeaveSomethingHanging) {
  const auto now = running();
  const Case cases[] = {
      {R"(remove_ports: "wan")", "port wan cannot be removed: it is not among the ports"},
      {R"(remove_next_hops: "gw")", "next hop gw cannot be removed: it is not among the next hops"},
      {R"(remove_zones: "vnet")", "zone vnet cannot be removed: it is not among the zones"},
      {R"(remove_adjacencies { port: "lan" address: @10.0.2.10 })",
       "adjacency 10.0.2.10 on port lan cannot be removed: it is not among the adjacencies"},
      {"remove_exit: true", "the exit cannot be removed: there is none"},
      {R"(remove_ports: "lan")", "zone onprem: port lan is not among the ports"},
      {R"(remove_ports: "egress")", "adjacency 10.0.2.10 on port egress: port egress is not among the ports"},
      {R"(remove_adjacencies { port: "egress" address: @10.0.2.10 })",
       "next hop fw: member 10.0.2.10 on port egress is not among the adjacencies"},
      {R"(remove_next_hops: "fw")", "next hop fw cannot be removed: 1 of zone onprem's routes lead to it"},
      {R"(withdraw { zone: "onprem" address: @11.0.0.0 length: "\x08" })",
       "zone onprem: route 11.0.0.0/8 cannot be withdrawn: it is not in the table"},
      {R"(withdraw { zone: "onprem" address: @10.0.0.0 length: "\x08" next_hop: 0 })",
       "zone onprem: withdrawn routes have no next hops"},
      {R"(remove_next_hops: "fw" withdraw { zone: "onprem" address: @10.0.0.0 length: "\x08" })", ""},
      {R"(remove_next_hops: "fw" remove_zones: "onprem")", ""},
      {R"(remove_next_hops: "none")", ""},
  };
  for (const auto& [change, reason] : cases) {
    EXPECT_EQ(refusal(false, now, {parse(change)}, OneRoute{}), reason) << change;
  }
}

TEST(Transaction, TheExitStaysUntilItIsRemoved) {
  auto now = running();
  const auto after = [&](const char* change) {
    Transaction transaction{false, now};
    EXPECT_TRUE(transaction.add(parse(change)));
    now = std::move(transaction).finish(NoRoutes{}).value().configuration;
    return now.exit;
  };
  EXPECT_EQ(after(R"(exit { port: "egress" })"), "egress");
  EXPECT_EQ(after(""), "egress");
  EXPECT_EQ(after(R"(remove_exit: true exit { port: "lan" })"), "lan");
  EXPECT_EQ(after("remove_exit: true"), std::nullopt);
}

TEST(Transaction, LimitsHold) {
  std::string ports, members;
  for (int i = 0; i < 33; ++i) {
    ports += fmt::format("ports {{ name: \"p{0}\" device: \"d{0}\" }}", i);
  }
  EXPECT_EQ(refusal(true, {}, {parse(ports)}), "port p32: there can be 32 ports at most");
  for (int i = 0; i < 65; ++i) {
    members += fmt::format("members {{ port: \"p\" address: {} }}", i);
  }
  EXPECT_EQ(refusal(true, {}, {parse("next_hops { name: \"n\" " + members + "}")}),
            "next hop n: 65 members are more than 64");
}

TEST(Transaction, TheLastOfARoutesDuplicatesWins) {
  Transaction transaction{true, {}};
  ASSERT_TRUE(transaction.add(parse(basis)));
  ASSERT_TRUE(
      transaction.add(routes("onprem", {{"10.0.0.0/8", "fw"}, {"0.0.0.0/0", "fw"}, {"10.0.0.0/8", "none"}})));
  const auto target = std::move(transaction).finish(NoRoutes{});
  ASSERT_TRUE(target) << target.error();
  const auto& table = target->tables.at("onprem");
  EXPECT_TRUE(table.replace);
  ASSERT_EQ(table.routes.size(), 2U);
  EXPECT_EQ(table.routes[0].prefix.length, 0);
  EXPECT_EQ(target->next_hop_names[value_of(table.routes[1].next_hop)], "none");
}

TEST(Transaction, ARemovedZoneNamedAgainStartsEmpty) {
  const auto now = running();
  Transaction transaction{false, now};
  ASSERT_TRUE(transaction.add(parse(R"(remove_zones: "onprem" zones { name: "onprem" ports: "lan" })")));
  const auto target = std::move(transaction).finish(OneRoute{});
  ASSERT_TRUE(target) << target.error();
  EXPECT_TRUE(target->tables.at("onprem").replace);
  EXPECT_TRUE(target->tables.at("onprem").routes.empty());
}

}  // namespace
}  // namespace sekisho::writer::test
