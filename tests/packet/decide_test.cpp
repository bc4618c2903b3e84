// SPDX-License-Identifier: BSD-3-Clause
// What decide() says of a packet is what the burst pipeline does with it: random states, random bursts, and everything that a
// worker counts against the sum of the single verdicts, and what it tells of each packet whose way it traces.
#include <fmt/format.h>
#include <rte_mbuf.h>
#include <rte_ring.h>

#include <random>
#include <utility>

#include "dataplane/forward/capture.hpp"
#include "dataplane/forward/world.hpp"
#include "tests/packet/lab.hpp"
#include "tests/unit/nexthop/members.hpp"

namespace sekisho::test {
namespace {

using decide::Verdict;

// What a burst adds to a worker's counters.
struct DecideSum {
  std::map<std::string, std::uint64_t> by;
  void add(const std::string& what, std::uint64_t count) {
    if (count != 0) {
      by[what] += count;
    }
  }
  friend bool operator==(const DecideSum&, const DecideSum&) = default;
  friend std::ostream& operator<<(std::ostream& out, const DecideSum& sum) {
    for (const auto& [what, count] : sum.by) {
      out << "\n  " << what << ": " << count;
    }
    return out;
  }
};

class DecideTest : public testing::TestWithParam<unsigned> {
 protected:
  DecideTest() : random_{GetParam()} {
    sources_ = fib::Fib::create(qsbr_).value();
    for (auto& table : tables_) {
      table = fib::Fib::create(qsbr_).value();
    }
    capture_->set_ports(~forward::PortMask{0});
    worker_.set_state(&state_);
    worker_.set_queues(&queues_);
  }
  ~DecideTest() override {
    drain();
    EXPECT_EQ(lab().mbufs_free(), lab().mbufs_total());
  }

  unsigned below(unsigned end) { return std::uniform_int_distribution<unsigned>{0, end - 1}(random_); }
  bool one_in(unsigned count) { return below(count) == 0; }
  template <typename T>
  T any_of(std::initializer_list<T> all) {
    return *(all.begin() + below(static_cast<unsigned>(all.size())));
  }
  static std::uint32_t ip(const char* text) { return base::parse_address(text).value(); }

  void fill(fib::Fib& table, std::initializer_list<const char*> prefixes, unsigned values) {
    std::vector<fib::Route> routes;
    for (const auto* prefix : prefixes) {
      routes.push_back({base::parse_prefix(prefix).value(), static_cast<std::uint16_t>(below(values))});
    }
    ASSERT_TRUE(table.apply(routes));
  }

  void make_state() {
    fill(*sources_,
         {"0.0.0.0/1", "128.0.0.0/1", "172.16.0.0/12", "10.0.0.0/16", "10.0.1.0/24", "8.8.8.0/24",
          "192.168.0.0/16"},
         6);
    ASSERT_TRUE(
        sources_->apply(std::vector<fib::Route>{{{ip("10.0.1.4"), 32}, value_of(forward::own_sources)},
                                                {{ip("198.51.100.0"), 24}, 77},
                                                {{ip("203.0.113.0"), 24}, 4000}}));
    for (auto& table : tables_) {
      fill(*table,
           {"0.0.0.0/1", "128.0.0.0/1", "172.16.0.0/12", "10.0.0.0/16", "10.0.1.4/32", "10.0.2.0/24",
            "8.8.8.0/24", "20.118.99.224/32"},
           next_hop_count + 1);
    }
    for (unsigned i = 0; i < adjacency_count; ++i) {
      const auto index = static_cast<AdjacencyIndex>(nexthop::first_adjacency + i);
      nexthop::Adjacency adjacency;
      adjacency.stations[0] = 2;
      adjacency.mtu = any_of<std::uint16_t>({576, 1500});
      adjacency.port = ports[below(ports.size())];
      adjacency.action = one_in(4) ? decide::Action::unresolved : decide::Action::forward;
      adjacency.address = 0x0a000200 + below(250);
      next_hops_.set_adjacency(index, adjacency);
    }
    for (unsigned i = 1; i <= next_hop_count; ++i) {
      using decide::Action;
      const auto index = NextHopIndex(i);
      if (one_in(2)) {
        next_hops_.set_action(index, any_of({Action::drop, Action::host, Action::exit, Action::connected}));
        continue;
      }
      std::vector<AdjacencyIndex> members;
      for (unsigned member = 0; member < adjacency_count; ++member) {
        if (one_in(3)) {
          members.push_back(static_cast<AdjacencyIndex>(nexthop::first_adjacency + member));
        }
      }
      next_hops_.set_members(index, nexthop::test::members_of(next_hops_, members),
                             one_in(2) ? packet::HashBy::addresses : packet::HashBy::five_tuple);
    }
    state_ = {.sources = sources_.get(), .next_hops = &next_hops_};
    state_.capture = capture_.get();
    const auto handling = [&] {
      return any_of(
          {packet::OptionHandling::fill, packet::OptionHandling::ignore, packet::OptionHandling::refuse});
    };
    state_.options = {.source_routes_pass = one_in(3), .record_route = handling(), .timestamp = handling()};
    state_.icmp.limits = {.rate = 1'000'000'000, .rate_per_source = 1'000'000'000};
    for (std::size_t reason = 0; reason < decide::drop_reason_count; ++reason) {
      if (decide::can_be_answered(DropReason(reason)) && !one_in(4)) {
        state_.icmp.set(DropReason(reason), packet::IcmpError(below(packet::icmp_error_count)));
      }
    }
    state_.exit_mtu = any_of<std::uint16_t>({0, 1400, 1400});
    for (unsigned zone = 1; zone < 6; ++zone) {
      state_.zones[zone] = {.ports = below(16), .table = one_in(5) ? nullptr : tables_[below(2)].get()};
    }
    queues_ = lab().queues;
    for (auto& queue : queues_) {
      queue.station = one_in(2) ? Mac{} : station;
    }
    for (const auto port : ports) {
      state_.ports[port] = lab().state.ports[port];
      if (one_in(6)) {
        state_.ports[port].tx_queues = 0;
      }
      auto& host = state_.host[port];
      host = {.ring = port == stopped ? nullptr : to_host_.ring, .companion = one_in(2), .local = {}};
      host.address = one_in(4) ? 0 : ip("10.0.1.4");
      if (one_in(2)) {
        host.local = {ip("10.0.1.4"), ip("10.0.1.255"), ip("169.254.21.4")};
        decide::HostSources::Rules rules;
        rules.add_zone({{ip("172.16.0.0"), 12}}, one_in(2));
        rules.allow({{ip("10.0.1.0"), 24}, {ip("169.254.0.0"), 16}});
        rules.add_own(host.local);
        host.sources = std::make_shared<const decide::HostSources>(std::move(rules));
      }
      host.companion = host.companion && host.ring != nullptr;
      host.steered = !host.companion && one_in(2);
    }
  }

  Bytes make_frame() {
    auto packet =
        Packet()
            .from(any_of({ip("172.16.0.1") + below(999), ip("10.0.0.7"), ip("10.0.1.9"), ip("10.0.1.4"),
                          ip("8.8.8.8"), ip("9.9.9.9"), ip("200.1.1.1"), ip("127.0.0.1"), ip("0.0.0.0"),
                          ip("169.254.1.1"), ip("198.51.100.1"), ip("203.0.113.1"), ip("224.0.0.1")}))
            .to(any_of({ip("1.1.1.1") + below(999), ip("172.16.3.4"), ip("10.0.0.9"), ip("10.0.1.4"),
                        ip("10.0.1.255"), ip("10.0.2.7"), ip("8.8.8.8"), ip("20.118.99.224"),
                        ip("255.255.255.255"), ip("224.0.0.18"), ip("169.254.21.4"), ip("0.1.2.3")}))
            .ttl(any_of<std::uint8_t>({0, 1, 2, 64, 64, 64, 64, 64}))
            .size(any_of<std::uint16_t>({20, 60, 60, 60, 577, 1401, 1501}));
    one_in(2) ? packet.tcp(static_cast<std::uint16_t>(below(9)), 443)
              : packet.protocol(static_cast<std::uint8_t>(below(256)));
    if (one_in(5)) {
      packet.icmp_error(any_of({3U, 4U, 5U, 8U, 11U, 12U}),
                        Packet(packet).icmp_error(3, Packet(packet)).size(60));
    } else if (one_in(5)) {
      packet.icmp_error(any_of({3U, 11U}),
                        Packet().from("1.1.1.1").to(ip("172.16.0.1") + below(999)).tcp(443, 7));
    }
    const Mac group{0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    packet.macs(one_in(10) ? group : station, one_in(20) ? station : Mac{2, 0, 0, 0, 0, 9});
    if (one_in(10)) {
      packet.ether_type(any_of<std::uint16_t>({0x0806, 0x86dd, 0x88cc}));
    }
    if (one_in(10)) {
      packet.options(any_of<Bytes>({{0x83, 3, 4, 0},
                                    {148, 4, 0, 0},
                                    {136, 4, 0, 0},
                                    {7, 11, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0},
                                    {68, 12, 5, 1, 0, 0, 0, 0, 0, 0, 0, 0},
                                    {7, 2, 0, 0},
                                    {1, 1, 1, 7}}));
    }
    if (one_in(10)) {
      packet.fragment(static_cast<std::uint16_t>(below(0x4000)));
    } else if (one_in(3)) {
      packet.fragment(0x4000);
    }
    if (one_in(10)) {
      packet.trailer(below(40));
    }
    auto bytes = packet.bytes();
    if (one_in(10)) {
      bytes[below(static_cast<unsigned>(bytes.size()))] ^= static_cast<std::uint8_t>(1U << below(8));
    }
    if (one_in(15)) {
      bytes.resize(1 + below(static_cast<unsigned>(bytes.size())));
    }
    return bytes;
  }

  // Of one frame, and what the pipeline is to count for it. Empty: steering would never have let it come here.
  std::optional<Verdict> expect(const forward::RxQueue& queue, const Bytes& frame, DecideSum& sum) {
    const auto& host = state_.host[queue.port];
    Told told;
    const auto tell = [&](std::optional<packet::IcmpError> answer) {
      told.answer = answer;
      if (answer) {
        const auto error = std::string{packet::text_of(*answer).name};
        sum.add(fmt::format("icmp {} {}", queue.port, error), 1);
        sum.add(fmt::format("generated {}", queue.port), 1);
        // Where the port does not run, there is no room for it.
        if (state_.ports[queue.port].tx_queues == 0) {
          sum.add(fmt::format("drop {} transmit_full", queue.port), 1);
        } else {
          sum.add(fmt::format("tx {}", queue.port), 1);
        }
        ++answers_[error];
      }
    };
    const auto verdict = [&]() -> std::optional<Verdict> {
      const auto judged =
          decide::judge_frame(frame.data(), frame.size(), frame.size(), queue.station, host, state_.options);
      if (judged && !(judged->drop() && decide::can_be_answered(*judged->drop()))) {
        return judged;
      }
      const packet::Ipv4View ip(frame.data() + 14);
      const decide::Packet packet{
          .flow = packet::flow_of(ip, frame.size() - 14),
          .quoted = packet::related_flow(ip, frame.size() - 14),
          .datagram = decide::datagram_of(ip),
          .answerable = (frame[0] & 1) == 0 && packet::may_be_answered(ip, frame.size() - 14)};
      if (judged) {
        tell(decide::answer_to(forward::World(state_, queue.port), packet, *judged));
        return judged;
      }
      if (decide::judge_steered(&host, packet.flow.source, packet.flow.destination)) {
        return std::nullopt;
      }
      const auto decision = decide::decide(forward::World(state_, queue.port), packet);
      told.zone = decision.zone;
      told.next_hop = decision.next_hop;
      told.member = decision.member;
      if (decision.allowed) {
        sum.add(fmt::format("zone {}", value_of(*decision.zone)), 1);
        sum.add(fmt::format("next hop {}", value_of(*decision.next_hop)), 1);
      }
      if (decision.verdict == Verdict::forward()) {
        sum.add(fmt::format("adjacency {}", *decision.member), 1);
        sum.add(fmt::format("tx {}", next_hops_.adjacency(*decision.member).port), 1);
      } else if (decision.verdict == Verdict::forward_in_fragments()) {
        const auto& adjacency = next_hops_.adjacency(*decision.member);
        const auto count = fragments_of(packet.datagram, adjacency.mtu);
        sum.add(fmt::format("adjacency {}", *decision.member), count);
        sum.add(fmt::format("tx {}", adjacency.port), count);
        sum.add(fmt::format("generated {}", adjacency.port), count - 1);
      } else if (decision.verdict == Verdict::to_exit_in_fragments()) {
        const auto count = fragments_of(packet.datagram, state_.exit_mtu);
        sum.add(fmt::format("host {}", queue.port), count);
        sum.add(fmt::format("generated {}", queue.port), count - 1);
      }
      tell(decision.answer);
      return decision.verdict;
    }();
    if (verdict) {
      told.verdict = *verdict;
      told_.push_back(told);
      sum.add(fmt::format("rx {}", queue.port), 1);
      if (verdict->kind() == Verdict::Kind::to_kernel || verdict->kind() == Verdict::Kind::to_exit) {
        sum.add(fmt::format("host {}", queue.port), 1);
      } else if (const auto reason = verdict->drop()) {
        sum.add(fmt::format("drop {} {}", queue.port, name_of(*reason)), 1);
      }
    }
    return verdict;
  }

  // What the pipeline tells of the packets since the last time, in words.
  std::string traced() {
    std::string all;
    capture_->read(1'000, [&](const forward::Capture::Packet& packet) {
      const auto& judgement = packet.judgement;
      const auto reason = judgement.fate == forward::Judgement::Fate::dropped
                              ? std::optional{judgement.reason}
                              : std::nullopt;
      all += words(fate_names.at(static_cast<std::size_t>(judgement.fate)), reason, judgement.told,
                   judgement.zone, judgement.next_hop, judgement.member);
    });
    return all;
  }
  // What is expected of them. What has no zone that is one is refused by what stands in its place.
  std::string told() {
    static constexpr std::array names{"forwarded", "in fragments",         "to kernel",
                                      "to exit",   "to exit in fragments", "dropped"};
    std::string all;
    for (const auto& told : std::exchange(told_, {})) {
      all += words(names.at(static_cast<std::size_t>(told.verdict.kind())), told.verdict.drop(), told.answer,
                   told.zone, told.next_hop, told.member);
    }
    return all;
  }
  static std::string words(std::string_view fate, std::optional<DropReason> reason,
                           std::optional<packet::IcmpError> answer, std::optional<ZoneIndex> zone,
                           std::optional<NextHopIndex> next_hop, std::optional<AdjacencyIndex> member) {
    const auto number = [](auto index) { return index ? static_cast<int>(*index) : -1; };
    if (zone && !forward::is_zone(*zone)) {
      zone.reset();
    }
    return fmt::format("{} {} {} zone {} next hop {} member {}\n", fate, reason ? name_of(*reason) : "",
                       answer ? packet::text_of(*answer).name : "", number(zone), number(next_hop),
                       number(member));
  }

  // RFC 791, 3.2.
  static unsigned fragments_of(const decide::Datagram& datagram, unsigned mtu) {
    const unsigned most = (mtu - datagram.header_size) / 8 * 8;
    return (datagram.length - datagram.header_size + most - 1) / most;
  }

  static std::string name_of(DropReason reason) {
    return std::string{decide::drop_reason_texts[static_cast<std::size_t>(reason)].name};
  }

  DecideSum counted() const {
    DecideSum sum;
    const auto& counters = worker_.counters();
    for (const auto port : ports) {
      const auto& of = counters.ports[port];
      sum.add(fmt::format("rx {}", port), of.rx.packets.get());
      sum.add(fmt::format("tx {}", port), of.tx.packets.get());
      sum.add(fmt::format("host {}", port), of.host.get());
      sum.add(fmt::format("generated {}", port), of.generated.packets.get());
      for (std::size_t error = 0; error < of.icmp.size(); ++error) {
        sum.add(fmt::format("icmp {} {}", port, packet::icmp_error_texts[error].name), of.icmp[error].get());
      }
      for (std::size_t reason = 0; reason < of.drops.size(); ++reason) {
        sum.add(fmt::format("drop {} {}", port, decide::drop_reason_texts[reason].name),
                of.drops[reason].get());
      }
    }
    const auto each = [&](const char* what, const auto& traffic) {
      for (std::size_t i = 0; i < traffic.size(); ++i) {
        if (const auto count = traffic[i].packets.get(); count != 0) {
          sum.add(fmt::format("{} {}", what, i), count);
        }
      }
    };
    each("zone", counters.zones);
    each("next hop", counters.next_hops);
    each("adjacency", counters.adjacencies);
    return sum;
  }

  void drain() {
    void* object = nullptr;
    while (rte_ring_dequeue(to_host_.ring, &object) == 0) {
      rte_pktmbuf_free(static_cast<rte_mbuf*>(object));
    }
    for (const auto port : {lan, egress, spoke}) {
      static_cast<void>(lab().sent(port));
    }
  }

  struct Ring {
    Ring() : ring(rte_ring_create("decide_to_host", 256, SOCKET_ID_ANY, 0)) {}
    ~Ring() { rte_ring_free(ring); }
    rte_ring* ring;
  };
  static constexpr std::array ports{lan, egress, spoke,
                                    stopped};  // `narrow` loses packets to its short queue
  static constexpr Mac station{2, 0, 0, 0, 0xff, 1};
  static constexpr unsigned next_hop_count = 12;
  static constexpr unsigned adjacency_count = 6;

  static constexpr std::array fate_names{"undecided", "forwarded", "in fragments",
                                         "to kernel", "to exit",   "to exit in fragments",
                                         "waits",     "dropped"};

  struct Told {
    Verdict verdict = Verdict::forward();
    std::optional<packet::IcmpError> answer;
    std::optional<ZoneIndex> zone;
    std::optional<NextHopIndex> next_hop;
    std::optional<AdjacencyIndex> member;
  };

  std::mt19937 random_;
  std::vector<Told> told_;
  std::map<std::string, unsigned> answers_;
  fib::Qsbr qsbr_{1};
  nexthop::NextHopTable next_hops_{qsbr_};
  std::unique_ptr<fib::Fib> sources_;
  std::array<std::unique_ptr<fib::Fib>, 2> tables_;
  std::unique_ptr<forward::Capture> capture_ =
      forward::Capture::create({.snap_length = 64, .wanted = {false, false, false, true}}).value();
  forward::ForwardingState state_;
  std::vector<forward::RxQueue> queues_;
  Ring to_host_;
  forward::Worker worker_{qsbr_, {.index = 0}};
};

TEST_P(DecideTest, SaysWhatTheBurstPipelineDoes) {
  std::map<std::string, unsigned> seen;
  for (unsigned round = 0; round < 40 && !HasFailure(); ++round) {
    make_state();
    auto expected = counted();
    for (unsigned burst = 0; burst < 40; ++burst) {
      const auto& queue = queues_[any_of<unsigned>({0, 1, 2})];
      const auto before = expected;
      std::string frames;
      for (unsigned left = 1 + below(64); left > 0; --left) {
        const auto frame = make_frame();
        if (const auto verdict = expect(queue, frame, expected)) {
          lab().send(queue.port, frame);
          ++seen[verdict->drop() ? name_of(*verdict->drop())
                                 : std::to_string(static_cast<int>(verdict->kind()))];
        }
      }
      while (worker_.poll_once() != 0) {
      }
      drain();
      ASSERT_EQ(traced(), told()) << "round " << round << ", burst " << burst;
      ASSERT_EQ(counted(), expected) << "round " << round << ", burst " << burst << ", before " << before;
    }
  }
  for (const auto& error : packet::icmp_error_texts) {
    EXPECT_GT(answers_[std::string{error.name}], 0U) << error.name;
  }
  for (const auto* verdict : {"0",
                              "1",
                              "2",
                              "3",
                              "4",
                              "no_route",
                              "null_route",
                              "next_hop_down",
                              "neighbour_unresolved",
                              "ttl_expired",
                              "mtu_exceeded",
                              "no_host_companion",
                              "no_exit",
                              "martian_source",
                              "martian_destination",
                              "link_broadcast",
                              "multicast",
                              "source_route",
                              "obsolete_option",
                              "refused_option",
                              "bad_options",
                              "unknown_source",
                              "spoofed_source",
                              "bad_checksum",
                              "frame_too_short",
                              "other_station",
                              "bad_sender"}) {
    EXPECT_GT(seen[verdict], 0U) << verdict;
  }
}
INSTANTIATE_TEST_SUITE_P(Seeds, DecideTest, testing::Values(1U, 2U, 3U));

}  // namespace
}  // namespace sekisho::test
