// SPDX-License-Identifier: BSD-3-Clause
// A refused transaction leaves no trace: random ones are refused at each place where they can be, and all that runs is
// compared with what ran before. So is it when indexes, or extension tables, run out.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "tests/unit/writer/writer_fixture.hpp"

namespace sekisho::writer::test {
namespace {

using forward::max_ports;
using forward::max_zones;

// What a transaction may ask for, as the test remembers it.
struct Model {
  struct Member {
    std::string port;
    std::uint32_t address = 0;
    auto operator<=>(const Member&) const = default;
  };
  struct Hop {
    ipc::NextHop::Action action = ipc::NextHop::FORWARD;
    std::set<Member> members;
    bool operator==(const Hop&) const = default;
  };
  struct Net {
    std::set<std::string> ports;
    std::set<std::uint32_t> sources;  // each a /16
    bool operator==(const Net&) const = default;
  };
  struct Plug {
    int device = 0;
    std::set<std::uint32_t> local;
    bool operator==(const Plug&) const = default;
  };
  std::map<std::string, Plug> ports;
  std::map<Member, bool> adjacencies;  // alive
  std::map<std::string, Hop> next_hops;
  std::map<std::string, Net> zones;
  std::map<std::string, std::map<std::uint64_t, std::string>> routes;  // by zone and address << 8 | length
};

// An adjacency's key, or a next hop's member.
template <typename Key>
void put(Key& key, const Model::Member& member) {
  key.set_port(member.port);
  key.set_address(member.address);
}

// From nothing it is all that there is.
ipc::Change difference(const Model& before, const Model& after) {
  ipc::Change change;
  const auto each_new = [](const auto& from, const auto& to, auto add) {
    for (const auto& [key, value] : to) {
      if (const auto old = from.find(key); old == from.end() || !(old->second == value)) {
        add(key, value);
      }
    }
  };
  const auto each_gone = [](const auto& from, const auto& to, auto remove) {
    for (const auto& [key, value] : from) {
      if (!to.contains(key)) {
        remove(key);
      }
    }
  };
  each_new(before.ports, after.ports, [&](const std::string& name, const Model::Plug& plug) {
    auto& port = *change.add_ports();
    port.set_name(name);
    port.set_device(fmt::format("net_null{},no-rx=1", plug.device));
    for (const auto address : plug.local) {
      port.add_local(address);
    }
  });
  each_new(before.adjacencies, after.adjacencies, [&](const Model::Member& member, bool alive) {
    auto& adjacency = *change.add_adjacencies();
    put(*adjacency.mutable_key(), member);
    adjacency.set_mac("\x02SEKI\x01");
    adjacency.set_alive(alive);
  });
  each_new(before.next_hops, after.next_hops, [&](const std::string& name, const Model::Hop& hop) {
    auto& next_hop = *change.add_next_hops();
    next_hop.set_name(name);
    next_hop.set_action(hop.action);
    for (const auto& member : hop.members) {
      put(*next_hop.add_members(), member);
    }
  });
  each_new(before.zones, after.zones, [&](const std::string& name, const Model::Net& net) {
    auto& zone = *change.add_zones();
    zone.set_name(name);
    zone.mutable_ports()->Add(net.ports.begin(), net.ports.end());
    for (const auto source : net.sources) {
      auto& prefix = *zone.add_sources();
      prefix.set_address(source);
      prefix.set_length(16);
    }
  });
  each_gone(before.ports, after.ports, [&](const std::string& name) { change.add_remove_ports(name); });
  each_gone(before.adjacencies, after.adjacencies,
            [&](const Model::Member& member) { put(*change.add_remove_adjacencies(), member); });
  each_gone(before.next_hops, after.next_hops,
            [&](const std::string& name) { change.add_remove_next_hops(name); });
  each_gone(before.zones, after.zones, [&](const std::string& name) { change.add_remove_zones(name); });
  for (const auto& [name, zone] : after.zones) {
    static const std::map<std::uint64_t, std::string> none;
    const auto old = before.routes.find(name);
    const auto& from = old == before.routes.end() ? none : old->second;
    const auto now = after.routes.find(name);
    const auto& to = now == after.routes.end() ? none : now->second;
    auto& added = *change.add_routes();
    added.set_zone(name);
    each_new(from, to, [&](std::uint64_t prefix, const std::string& next_hop) {
      add_route(added,
                base::to_string({static_cast<std::uint32_t>(prefix >> 8), static_cast<std::uint8_t>(prefix)}),
                next_hop);
    });
    auto& gone = *change.add_withdraw();
    gone.set_zone(name);
    each_gone(from, to, [&](std::uint64_t prefix) {
      add_route(gone,
                base::to_string({static_cast<std::uint32_t>(prefix >> 8), static_cast<std::uint8_t>(prefix)}),
                "");
    });
    if (gone.address().empty()) {
      change.mutable_withdraw()->RemoveLast();
    }
  }
  return change;
}

class Dice {
 public:
  explicit Dice(unsigned seed) : random_{seed} {}
  unsigned below(unsigned end) { return std::uniform_int_distribution<unsigned>{0, end - 1}(random_); }
  std::string name(const char* prefix, unsigned end) { return fmt::format("{}{}", prefix, below(end)); }

 private:
  std::mt19937 random_;
};

// What refers to something that is not there goes, too.
void repair(Model& model) {
  std::erase_if(model.adjacencies,
                [&](const auto& adjacency) { return !model.ports.contains(adjacency.first.port); });
  for (auto& [name, hop] : model.next_hops) {
    std::erase_if(hop.members, [&](const auto& member) { return !model.adjacencies.contains(member); });
  }
  std::erase_if(model.routes, [&](const auto& routes) { return !model.zones.contains(routes.first); });
  for (auto& [name, routes] : model.routes) {
    std::erase_if(routes, [&](const auto& route) { return !model.next_hops.contains(route.second); });
  }
  for (auto& [name, net] : model.zones) {
    std::erase_if(net.ports, [&](const auto& port) { return !model.ports.contains(port); });
  }
}

void change_once(Model& model, Dice& dice) {
  switch (dice.below(12)) {
    case 0:
      model.ports.erase(dice.name("p", 4));
      break;
    case 1:
    case 2: {
      auto& plug = model.ports[dice.name("p", 4)];
      plug.device = static_cast<int>(dice.below(12));
      plug.local = {0x0a00'0001 + dice.below(4) * 256};
      for (auto& [name, other] : model.ports) {  // a device is one port's
        if (&other != &plug && other.device == plug.device) {
          other.device += 12;
        }
      }
      break;
    }
    case 3:
      model.adjacencies.erase({dice.name("p", 4), dice.below(6)});
      break;
    case 4:
    case 5:
      model.adjacencies[{dice.name("p", 4), dice.below(6)}] = dice.below(4) != 0;
      break;
    case 6:
      model.next_hops.erase(dice.name("n", 8));
      break;
    case 7:
    case 8: {
      auto& hop = model.next_hops[dice.name("n", 8)];
      hop = {.action = dice.below(3) == 0 ? ipc::NextHop::DROP : ipc::NextHop::FORWARD, .members = {}};
      for (const auto& [member, alive] : model.adjacencies) {
        if (hop.action == ipc::NextHop::FORWARD && dice.below(3) == 0) {
          hop.members.insert(member);
        }
      }
      break;
    }
    case 9:
      model.zones.erase(dice.name("z", 4));
      break;
    case 10: {
      auto& net = model.zones[dice.name("z", 4)];
      net.ports = {dice.name("p", 4)};
      const std::uint32_t source = 0x0a00'0000 + (dice.below(8) << 16);
      for (auto& [name, other] : model.zones) {
        other.sources.erase(source);
      }
      net.sources.insert(source);
      break;
    }
    default: {
      auto& routes = model.routes[dice.name("z", 4)];
      for (unsigned i = 0; i < 4; ++i) {
        constexpr unsigned lengths[] = {10, 16, 24, 26, 32};
        const auto length = lengths[dice.below(5)];
        const std::uint32_t address = (0x0100'0000 + (dice.below(4) << 22) + dice.below(3) * 0x0001'0101);
        const auto prefix =
            std::uint64_t{address & base::Prefix{0, static_cast<std::uint8_t>(length)}.mask()} << 8 | length;
        dice.below(4) == 0 ? void(routes.erase(prefix)) : void(routes[prefix] = dice.name("n", 8));
      }
    }
  }
  repair(model);
}

std::string text_of(const nexthop::Adjacency& adjacency) {
  return fmt::format("{} mtu {} port {} action {} address {}", fmt::join(adjacency.stations, ":"),
                     adjacency.mtu, adjacency.port, static_cast<int>(adjacency.action), adjacency.address);
}

std::string text_of(const fib::Fib& table) {
  std::string text;
  table.for_each([&](const fib::Route& route) {
    text += fmt::format(" {}={}/{}", base::to_string(route.prefix), route.value,
                        table.lookup(route.prefix.last()));
  });
  return text;
}

class UndoTest : public WriterTest {
 protected:
  using WriterTest::WriterTest;

  // All that runs and all that was counted. What was published may stand elsewhere afterwards, but not say anything else.
  std::string everything() const {
    auto state = writer.state();
    for (auto& table : *state.mutable_tables()) {
      table.clear_memory_bytes();  // what was taken for the attempt may be kept
    }
    const auto& live = writer.live();
    auto text = state.DebugString() + writer.statistics().DebugString();
    for (const auto& [name, port] : live.ports) {
      text += fmt::format("port {} {} {} {} {} {}\n", name, port.index, fmt::ptr(port.device.get()),
                          port.error, fmt::join(port.workers, ","), fmt::join(port.config.local, ","));
    }
    for (const auto& [id, adjacency] : live.adjacencies) {
      text += fmt::format("adjacency {} {} {} {}\n", id.port, id.address, adjacency.index,
                          text_of(adjacency.published));
    }
    for (const auto& [name, next_hop] : live.next_hop_names) {
      text += fmt::format("next hop {} {} {}\n", name, value_of(next_hop.index), next_hop.earlier.packets);
    }
    for (const auto& [name, zone] : live.zones) {
      std::map<std::size_t, std::uint32_t> routes;
      for (std::size_t i = 0; i < zone.routes_by_next_hop.size(); ++i) {
        if (zone.routes_by_next_hop[i] != 0) {
          routes[i] = zone.routes_by_next_hop[i];
        }
      }
      text += fmt::format("zone {} {} {}{} {}\n", name, value_of(zone.index), fmt::ptr(zone.table.get()),
                          text_of(*zone.table), routes);
    }
    return text + "sources" + text_of(*live.sources) + published();
  }

  // What workers are shown, by index.
  std::string published() const {
    const auto& live = writer.live();
    std::string text = "\n";
    for (unsigned i = 0; i < nexthop::max_next_hops; ++i) {
      if (const auto& hop = live.next_hops.next_hop(nexthop::NextHopIndex(i));
          !std::ranges::equal(hop.buckets(), std::array{nexthop::no_route_adjacency})) {
        text += fmt::format("{}: {}\n", i, fmt::join(hop.buckets(), " "));
      }
    }
    for (unsigned i = 0; i < nexthop::max_adjacencies; ++i) {
      if (const auto& adjacency = live.next_hops.adjacency(static_cast<nexthop::AdjacencyIndex>(i));
          adjacency != nexthop::Adjacency{}) {
        text += fmt::format("{}: {}\n", i, text_of(adjacency));
      }
    }
    for (unsigned i = 0; i < live.state->zones.size(); ++i) {
      const auto& zone = live.state->zones[i];
      if (zone != forward::Zone{}) {
        text += fmt::format("zone {}: {:x} {}\n", i, zone.ports, fmt::ptr(zone.table));
      }
    }
    for (unsigned i = 0; i < max_ports; ++i) {
      const auto& port = live.state->ports[i];
      const auto& host = live.state->host[i];
      text += fmt::format("port {}: {}/{} {} {}\n", i, port.dpdk_port, port.tx_queues, fmt::ptr(host.ring),
                          fmt::join(host.local, ","));
    }
    for (const auto& queue : *live.queues.front()) {
      text += fmt::format("queue {} {} {}\n", queue.port, queue.dpdk_port, queue.queue);
    }
    return text;
  }

  // As if packets had met what a transaction has put there, before it was refused. Next hops' counts stay with the next hop.
  void count_for_new_indexes() {
    auto& counters = worker.mutable_counters();
    const auto& live = writer.live();
    const auto count = [](auto& counter) { counter.add(1, 60); };
    for (unsigned i = 1; i <= max_zones; ++i) {
      if (live.state->zones[i] != forward::Zone{} && !known_zones_.contains(i)) {
        count(counters.zones[i]);
      }
    }
    for (const auto& [id, adjacency] : live.adjacencies) {
      if (!known_adjacencies_.contains(adjacency.index)) {
        count(counters.adjacencies[adjacency.index]);
      }
    }
    for (const auto& [name, port] : live.ports) {
      if (!known_ports_.contains(port.index)) {
        count(counters.ports[port.index].tx);
      }
    }
  }

  void remember_indexes() {
    known_zones_.clear();
    known_adjacencies_.clear();
    known_ports_.clear();
    for (const auto& [name, zone] : writer.live().zones) {
      known_zones_.insert(value_of(zone.index));
    }
    for (const auto& [id, adjacency] : writer.live().adjacencies) {
      known_adjacencies_.insert(adjacency.index);
    }
    for (const auto& [name, port] : writer.live().ports) {
      known_ports_.insert(port.index);
    }
  }

  // Nothing is counted for an index that nobody has.
  void expect_free_indexes_to_be_new() {
    remember_indexes();
    const auto& counters = worker.counters();
    for (unsigned i = 1; i <= max_zones; ++i) {
      EXPECT_TRUE(known_zones_.contains(i) || counters.zones[i].packets.get() == 0) << "zone " << i;
    }
    for (unsigned i = nexthop::first_adjacency; i < nexthop::max_adjacencies; ++i) {
      EXPECT_TRUE(known_adjacencies_.contains(i) || counters.adjacencies[i].packets.get() == 0)
          << "adjacency " << i;
    }
    for (unsigned i = 0; i < max_ports; ++i) {
      EXPECT_TRUE(known_ports_.contains(i) || counters.ports[i].tx.packets.get() == 0) << "port " << i;
    }
  }

  struct Pools {
    IndexPool ports, adjacencies, next_hops, zones;
    bool operator==(const Pools&) const = default;
  };
  Pools pools() const {
    const auto& live = writer.live();
    return {live.port_indexes, live.adjacency_indexes, live.next_hop_indexes, live.zone_indexes};
  }

  // Refused at every place in turn, and then done. How often it was refused.
  unsigned refuse_everywhere(bool full, const ipc::Change& change) {
    const auto before = everything();
    const auto free = pools();
    for (unsigned place = 0;; ++place) {
      unsigned asked = 0;
      refuse = [&] {
        count_for_new_indexes();
        return asked++ == place;
      };
      remember_indexes();
      const auto done = commit(full, {change});
      refuse = nullptr;
      if (asked <= place) {
        EXPECT_TRUE(done) << done.error() << change.DebugString();
        return place;
      }
      EXPECT_FALSE(done) << "refused at " << place;
      EXPECT_EQ(everything(), before) << "refused at " << place;
      EXPECT_EQ(pools(), free) << "refused at " << place;
      expect_free_indexes_to_be_new();
      if (HasFailure()) {
        return place;
      }
    }
  }

  void expect_refused(bool full, const std::vector<ipc::Change>& wanted, const std::string& why) {
    const auto before = everything();
    const auto free = pools();
    const auto done = commit(full, wanted);
    ASSERT_FALSE(done);
    EXPECT_NE(done.error().find(why), std::string::npos) << done.error();
    EXPECT_EQ(everything(), before);
    EXPECT_EQ(pools(), free);
    expect_free_indexes_to_be_new();
  }

 private:
  std::set<unsigned> known_zones_, known_adjacencies_, known_ports_;
};

class RandomUndo : public UndoTest, public testing::WithParamInterface<unsigned> {};

TEST_P(RandomUndo, WhereverItIsRefusedATransactionLeavesNoTrace) {
  Dice dice{GetParam()};
  Model model;
  unsigned refused = 0;
  for (unsigned i = 0; i < 60 && !HasFailure(); ++i) {
    SCOPED_TRACE(fmt::format("transaction {}", i));
    auto next = model;
    for (unsigned changes = i == 0 ? 40 : 1 + dice.below(6); changes > 0; --changes) {
      change_once(next, dice);
    }
    const bool full = dice.below(2) == 0;
    refused += refuse_everywhere(full, full ? difference({}, next) : difference(model, next));
    model = next;
    const auto before = everything();
    const auto again = commit(true, {difference({}, model)});
    ASSERT_TRUE(again) << again.error();
    EXPECT_EQ(again->routes_added() + again->routes_changed() + again->routes_removed() +
                  again->zones_changed() + again->next_hops_changed() + again->adjacencies_changed() +
                  again->ports_changed(),
              0U);
    EXPECT_EQ(published(), before.substr(before.size() - published().size()));
  }
  EXPECT_GT(refused, 100U);
  ASSERT_TRUE(commit(true, {}));
  EXPECT_EQ(pools(),
            (Pools{IndexPool{0, max_ports}, IndexPool{nexthop::first_adjacency, nexthop::max_adjacencies},
                   IndexPool{1, nexthop::max_next_hops}, IndexPool{1, max_zones + 1}}));
}
INSTANTIATE_TEST_SUITE_P(Seeds, RandomUndo, testing::Values(1U, 2U, 3U));

TEST_F(UndoTest, OnePortTooMany) {
  ASSERT_TRUE(commit(true, base()));
  ipc::Change others;
  for (unsigned i = 0; i < max_ports; ++i) {
    auto& port = *others.add_ports();
    port.set_name(fmt::format("other{}", i));
    port.set_device(fmt::format("net_null{},no-rx=1", 100 + i));
  }
  expect_refused(true, {others}, "more than 32 ports would exist at once");
}

TEST_F(UndoTest, OneAdjacencyTooMany) {
  ASSERT_TRUE(commit(true, base()));
  ipc::Change others = base().front();
  others.clear_adjacencies();
  others.clear_next_hops();
  for (unsigned i = 0; i < nexthop::max_adjacencies - nexthop::first_adjacency; ++i) {
    auto& key = *others.add_adjacencies()->mutable_key();
    key.set_port("egress");
    key.set_address(i);
  }
  expect_refused(true, {others}, "more than 4090 adjacencies would exist at once");
  ASSERT_TRUE(commit(true, {})) << "what is removed is free again";
  const auto done = commit(true, {others});
  ASSERT_TRUE(done) << done.error();
  EXPECT_EQ(writer.state().adjacencies_size(), 4090);
}

TEST_F(UndoTest, OneNextHopTooMany) {
  ASSERT_TRUE(commit(true, base()));
  ipc::Change others = base().front();
  others.clear_next_hops();
  for (unsigned i = 0; i < nexthop::max_next_hops - 1; ++i) {
    auto& hop = *others.add_next_hops();
    hop.set_name(fmt::format("other{}", i));
    hop.set_action(ipc::NextHop::DROP);
  }
  expect_refused(true, {others}, "more than 4095 next hops would exist at once");
  ASSERT_TRUE(commit(true, {}));
  ASSERT_TRUE(commit(true, {others, routes("onprem", {{"8.8.8.0/24", "other0"}})}));
  // With other routes, another definition takes another index.
  expect_refused(false,
                 {parse(R"(next_hops { name: "other0" members { port: "egress" address: @10.0.2.10 } })"),
                  routes("onprem", {{"9.9.9.0/24", "other0"}})},
                 "more than 4095 next hops would exist at once");
  EXPECT_EQ(answer("172.16.0.1", "8.8.8.8"), "null_route");
}

TEST_F(UndoTest, OneZoneTooMany) {
  ASSERT_TRUE(commit(true, base()));
  ipc::Change others = base().front();
  others.clear_zones();
  for (unsigned i = 0; i < max_zones; ++i) {
    others.add_zones()->set_name(fmt::format("other{}", i));
  }
  expect_refused(true, {others}, "more than 255 zones would exist at once");
}

TEST_F(UndoTest, OneExtensionTableTooMany) {
  ASSERT_TRUE(commit(true, base()));
  ipc::Change many;
  auto& list = *many.add_routes();
  list.set_zone("onprem");
  for (unsigned i = 0; i <= 1000; ++i) {
    add_route(list, fmt::format("11.{}.{}.1/32", i / 256, i % 256), "fw");
  }
  expect_refused(false, {many}, "zone onprem: ");
}

}  // namespace
}  // namespace sekisho::writer::test
