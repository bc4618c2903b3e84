// SPDX-License-Identifier: BSD-3-Clause
// Arbitrary frames through the real stages, over real tables and ports: alone, as a burst, and waiting for a neighbour. Each frame lies in
// memory of exactly its size, behind which AddressSanitizer looks. What may come of one:
//
//   it is sent whole, and differs from what came only in stations, TTL, checksum, options to fill, and a SYN's longest segment
//   it is sent in fragments, which together are it; it is given to the host; it waits; or it is dropped, by one reason
//   an ICMP error is about it, quotes it as it came, and is right by itself
//
// The books are checked by the pipeline itself, burst by burst (forward/books_check.hpp); that no buffer is lost, here. A burst has
// the same outcome as its frames one by one.
//
// An input: a byte of policy, then frames, each of a byte of port and form, two bytes of length, and bytes that are repeated up to it.
#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_mbuf.h>
#include <rte_ring.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "common/base/prefix.hpp"
#include "dataplane/forward/diverted.hpp"
#include "dataplane/forward/pipeline.hpp"
#include "dataplane/packet/vlan.hpp"
#include "tests/packet/lab.hpp"

namespace sekisho::test {

// What the lab's tests call; there are none here.
Lab& lab() {
  std::abort();
}

namespace {

constexpr unsigned buffers = 511;
constexpr std::size_t ethernet = packet::ethernet_header_size;
constexpr Mac station{0x02, 0, 0, 0, 0xff, 1};

#define REQUIRE(good)                                                       \
  do {                                                                      \
    if (!(good)) {                                                          \
      std::fprintf(stderr, "line %d: %s does not hold\n", __LINE__, #good); \
      std::abort();                                                         \
    }                                                                       \
  } while (false)

// What came of frames.
struct Outcome {
  std::array<std::vector<Bytes>, running_ports> sent;
  std::vector<Bytes> whole_to_host;
  std::vector<Bytes> bare_to_host;
  std::map<std::string, std::uint64_t> counted;  // without those that are 0

  void sort() {
    for (auto& frames : sent) {
      std::ranges::sort(frames);
    }
    std::ranges::sort(whole_to_host);
    std::ranges::sort(bare_to_host);
  }
  [[nodiscard]] std::uint64_t count(const std::string& what) const {
    const auto found = counted.find(what);
    return found == counted.end() ? 0 : found->second;
  }
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

struct Frame {
  PortIndex port = lan;
  bool generated = false;  // by the kernel, for the exit
  bool in_two = false;     // segments
  Bytes bytes;
};

bool is_right(std::span<const std::uint8_t> ip) {
  return packet::validate_ipv4(ip.data(), ip.size(), ip.size()) == packet::HeaderFault::none;
}

std::span<const std::uint8_t> datagram_of(const Bytes& frame) {
  return std::span(frame).subspan(ethernet);
}

// As the pipeline sees it from validation on.
Bytes untagged(Bytes frame) {
  if (packet::has_priority_tag(frame.data(), frame.size())) {
    frame.erase(frame.begin() + 12, frame.begin() + 16);
  }
  return frame;
}

// `in` and `out` begin with an IPv4 header: all but what a router may change. Clamping changes a SYN's option and checksum.
void require_forwarded(std::span<const std::uint8_t> in, std::span<const std::uint8_t> out, unsigned hops,
                       std::size_t size) {
  REQUIRE(out.size() >= size && in.size() >= size && is_right(out));
  const packet::Ipv4View before(in.data());
  const packet::Ipv4View after(out.data());
  REQUIRE(after.ttl() == before.ttl() - hops);
  const std::size_t header = before.header_size();
  REQUIRE(after.header_size() == header);
  const bool may_be_clamped = packet::is_syn(before, size);
  for (std::size_t at = 0; at < size; ++at) {
    const bool is_changed = at == 8 || at == 10 || at == 11 ||                     // TTL, checksum
                            (at >= packet::ipv4_header_minimum && at < header) ||  // options
                            (may_be_clamped && at >= header + 16);
    REQUIRE(is_changed || in[at] == out[at]);
  }
}

class Rig {
 public:
  Rig() {
    pool_ = rte_pktmbuf_pool_create("fuzz", buffers, 0, 0, RTE_PKTMBUF_HEADROOM + 2048, SOCKET_ID_ANY);
    to_host_ = rte_ring_create("fuzz_to_host", 1024, SOCKET_ID_ANY, 0);
    REQUIRE(pool_ != nullptr && to_host_ != nullptr);
    state_.icmp.limits = {.rate = 1'000'000'000, .rate_per_source = 1'000'000'000};
    for (std::size_t at = 0; at < decide::drop_reason_count; ++at) {
      const auto reason = static_cast<DropReason>(at);
      if (decide::can_be_answered(reason)) {
        state_.icmp.set(reason, packet::IcmpError::prohibited);
      }
    }
    state_.icmp.set(DropReason::bad_options, packet::IcmpError::parameter_problem);
    state_.icmp.set(DropReason::mtu_exceeded, packet::IcmpError::fragmentation_needed);
    decide::HostSources::Rules rules;
    rules.allow({base::parse_prefix("172.16.0.0/12").value()});
    const auto sources = std::make_shared<const decide::HostSources>(std::move(rules));
    for (PortIndex port = 0; port < running_ports; ++port) {
      state_.host[port] = {.ring = to_host_,
                           .companion = port == lan,
                           .address = 0x0a000104U + port * 0x100U,
                           .local = {0x0a000104},
                           .sources = sources};
    }
    state_.exit_port = egress;
    const std::vector<fib::Route> routes{{base::parse_prefix("10.2.0.0/16").value(), value_of(narrow_hop)},
                                         {base::parse_prefix("10.2.1.0/24").value(), value_of(leave)}};
    resolved_ = fib::Fib::create(lab_.qsbr).value();
    REQUIRE(resolved_->apply(routes));
  }

  void run(std::span<const std::uint8_t> input) {
    choose_policy(input.empty() ? 0 : input[0]);
    const auto frames = frames_of(input.subspan(std::min<std::size_t>(1, input.size())));
    Outcome all;
    for (const auto& frame : frames) {
      auto alone = outcome_of({&frame, 1}, 0);
      require_right(frame, alone);
      add(all, std::move(alone));
    }
    if (state_.options.timestamp == packet::OptionHandling::fill) {
      return;  // the clock goes on
    }
    Outcome together;
    for (PortIndex port = 0; port < running_ports; ++port) {
      for (const bool generated : {false, true}) {
        std::vector<Frame> burst;
        std::ranges::copy_if(frames, std::back_inserter(burst), [&](const Frame& frame) {
          return frame.port == port && frame.generated == generated;
        });
        if (!burst.empty()) {
          add(together, outcome_of(burst, 0));
        }
      }
    }
    if (together.count("transmit_full") == 0) {
      all.sort();
      together.sort();
      REQUIRE(all == together);
    }
    for (const auto& frame : frames) {
      static_cast<void>(outcome_of({&frame, 1}, 1));
    }
  }

 private:
  void choose_policy(unsigned choice) {
    const auto handling = [](unsigned bits) { return static_cast<packet::OptionHandling>(bits % 3); };
    state_.options = {.source_routes_pass = (choice & 1) != 0,
                      .record_route = handling(choice >> 1),
                      .timestamp = handling(choice >> 3)};
    state_.exit_mtu = (choice & 0x20) != 0 ? 600 : 1500;
    state_.clamping = {};
    if ((choice & 0x40) != 0) {
      state_.clamping.ports = state_.clamping.by_mtu = 1U << narrow | 1U << egress;
      state_.clamping.mtus = {1500, 1500, 1500, 600};
    }
  }

  // Most are made such that they get beyond validation.
  static std::vector<Frame> frames_of(std::span<const std::uint8_t> input) {
    constexpr std::size_t most_frames = 16;
    constexpr std::size_t longest = 1'600;
    std::vector<Frame> frames;
    while (input.size() > 3 && frames.size() < most_frames) {
      const unsigned form = input[0];
      const std::size_t size = (input[1] * 256U + input[2]) % longest + 1;
      input = input.subspan(3);
      const std::size_t given = std::min({input.size(), size, std::size_t{80}});
      Frame frame{.port = static_cast<PortIndex>(form % running_ports),
                  .generated = (form & 0x30) == 0x30,
                  .in_two = (form & 0x40) != 0,
                  .bytes = Bytes(size)};
      for (std::size_t at = 0; at < size; ++at) {
        frame.bytes[at] = input[at % given];
      }
      if ((form & 0x80) == 0) {
        make_believable(frame.bytes);
      }
      frames.push_back(std::move(frame));
      input = input.subspan(given);
    }
    return frames;
  }

  static void make_believable(Bytes& frame) {
    if (frame.size() < ethernet + packet::ipv4_header_minimum) {
      return;
    }
    static constexpr std::array<const char*, 8> senders{"172.16.0.1",   "172.16.9.9", "10.0.5.5",
                                                        "8.8.8.8",      "172.20.1.1", "192.168.1.1",
                                                        "198.51.100.7", "10.0.1.4"};
    static constexpr std::array<const char*, 12> receivers{
        "8.8.4.4",    "1.1.1.1",     "10.0.5.5",      "10.1.1.1", "10.2.0.5",   "192.0.2.1",
        "100.64.0.1", "203.0.113.1", "20.118.99.224", "10.2.1.5", "172.16.0.1", "10.0.1.4"};
    std::uint8_t* const ip = frame.data() + ethernet;
    std::copy(station.begin(), station.end(), frame.begin());
    frame[6] &= 0xfeU;
    packet::store_be16(frame.data() + 12, 0x0800);
    const std::size_t header =
        std::clamp<std::size_t>((ip[0] & 0x0fU) * 4U, 20, (frame.size() - ethernet) / 4 * 4);
    ip[0] = static_cast<std::uint8_t>(0x40U | header / 4);
    const auto put = [&](std::size_t at, const char* address) {
      const auto value = base::parse_address(address).value();
      packet::store_be16(ip + at, static_cast<std::uint16_t>(value >> 16));
      packet::store_be16(ip + at + 2, static_cast<std::uint16_t>(value));
    };
    put(12, senders.at(ip[12] % senders.size()));
    put(16, receivers.at(ip[16] % receivers.size()));
    const std::size_t cut =
        ip[2] % 4 == 0 ? std::min<std::size_t>(ip[3], frame.size() - ethernet - header) : 0;
    packet::store_be16(ip + 2, static_cast<std::uint16_t>(frame.size() - ethernet - cut));
    packet::set_header_checksum(ip);
  }

  static void free_bytes(void* memory, void* /*nothing*/) { delete[] static_cast<std::uint8_t*>(memory); }

  // In memory of its own, which ends where the bytes do.
  rte_mbuf* piece(std::span<const std::uint8_t> bytes) {
    rte_mbuf* const mbuf = rte_pktmbuf_alloc(pool_);
    REQUIRE(mbuf != nullptr);
    auto* const memory = new std::uint8_t[bytes.size()];
    std::ranges::copy(bytes, memory);
    // The pool's own room, which is not used meanwhile, says when to free it.
    auto* const shared = static_cast<rte_mbuf_ext_shared_info*>(mbuf->buf_addr);
    shared->free_cb = free_bytes;
    shared->fcb_opaque = nullptr;
    rte_mbuf_ext_refcnt_set(shared, 1);
    rte_pktmbuf_attach_extbuf(mbuf, memory, reinterpret_cast<std::uintptr_t>(memory),
                              static_cast<std::uint16_t>(bytes.size()), shared);
    mbuf->data_off = 0;
    mbuf->data_len = static_cast<std::uint16_t>(bytes.size());
    mbuf->pkt_len = mbuf->data_len;
    return mbuf;
  }
  rte_mbuf* buffer_of(const Frame& frame) {
    const std::size_t split = frame.in_two ? (frame.bytes.size() + 1) / 2 : frame.bytes.size();
    rte_mbuf* const first = piece(std::span(frame.bytes).first(split));
    if (split < frame.bytes.size()) {
      REQUIRE(rte_pktmbuf_chain(first, piece(std::span(frame.bytes).subspan(split))) == 0);
    }
    return first;
  }

  // Of frames that come by one port. With patience some wait, and go on by another table.
  Outcome outcome_of(std::span<const Frame> frames, unsigned patience_ms) {
    auto& own = patience_ms == 0 ? hasty_ : patient_;
    const auto before = totals_of(*own);
    std::vector<rte_mbuf*> mbufs;
    std::ranges::transform(frames, std::back_inserter(mbufs), [&](const Frame& f) { return buffer_of(f); });
    const forward::RxQueue ingress{
        .port = frames[0].port, .station = station, .generated = frames[0].generated};
    forward::forward_burst(state_, *own, ingress, mbufs);
    if (own->waiting.any()) {
      auto later = state_;
      later.zone(onprem_zone).table = resolved_.get();
      while (own->waiting.any()) {
        own->waiting.look(later, *own);
      }
    }
    Outcome outcome;
    take(outcome);
    count(outcome, before, totals_of(*own));
    REQUIRE(rte_mempool_avail_count(pool_) == buffers);
    return outcome;
  }

  void take(Outcome& outcome) {
    for (PortIndex port = 0; port < running_ports; ++port) {
      outcome.sent[port] = lab_.sent(port);
    }
    void* object = nullptr;
    while (rte_ring_dequeue(to_host_, &object) == 0) {
      auto* const mbuf = static_cast<rte_mbuf*>(object);
      Bytes bytes(mbuf->pkt_len);
      const void* const found = rte_pktmbuf_read(mbuf, 0, mbuf->pkt_len, bytes.data());
      if (found != bytes.data()) {
        std::memcpy(bytes.data(), found, bytes.size());
      }
      (forward::is_bare_packet(*mbuf) ? outcome.bare_to_host : outcome.whole_to_host)
          .push_back(std::move(bytes));
      rte_pktmbuf_free(mbuf);
    }
  }

  struct Totals {
    std::array<std::uint64_t, decide::drop_reason_count> drops{};
    std::uint64_t icmp = 0, fragmented = 0, fragments = 0;
  };
  static Totals totals_of(const forward::WorkerData& own) {
    Totals totals;
    for (PortIndex port = 0; port < running_ports; ++port) {
      const auto& counters = own.counters.ports[port];
      for (std::size_t reason = 0; reason < totals.drops.size(); ++reason) {
        totals.drops[reason] += counters.drops[reason].get();
      }
      for (const auto& error : counters.icmp) {
        totals.icmp += error.get();
      }
      totals.fragmented += counters.fragmented.get();
      totals.fragments += counters.fragments.get();
    }
    return totals;
  }
  static void count(Outcome& outcome, const Totals& before, const Totals& after) {
    const auto add = [&](std::string_view what, std::uint64_t amount) {
      if (amount != 0) {
        outcome.counted[std::string{what}] += amount;
      }
    };
    for (std::size_t reason = 0; reason < after.drops.size(); ++reason) {
      const auto dropped = after.drops[reason] - before.drops[reason];
      add("drops", dropped);
      add(decide::drop_reason_texts[reason].name, dropped);
    }
    add("icmp", after.icmp - before.icmp);
    add("fragmented", after.fragmented - before.fragmented);
    add("fragments", after.fragments - before.fragments);
  }

  static void add(Outcome& sum, Outcome more) {
    const auto append = [](auto& to, auto& from) { to.insert(to.end(), from.begin(), from.end()); };
    for (PortIndex port = 0; port < running_ports; ++port) {
      append(sum.sent[port], more.sent[port]);
    }
    append(sum.whole_to_host, more.whole_to_host);
    append(sum.bare_to_host, more.bare_to_host);
    for (const auto& [what, amount] : more.counted) {
      sum.counted[what] += amount;
    }
  }

  static void require_error(const Bytes& in, std::span<const std::uint8_t> error) {
    REQUIRE(is_right(error));
    const packet::Ipv4View ip(error.data());
    const auto about = datagram_of(in);
    const std::size_t length = ip.total_length();
    REQUIRE(ip.protocol() == packet::Protocol::icmp && length <= packet::icmp_error_maximum);
    REQUIRE(ip.destination() == packet::Ipv4View(about.data()).source());
    REQUIRE(packet::checksum(error.data() + 20, length - 20) == 0);
    REQUIRE(
        std::equal(error.begin() + 28, error.begin() + static_cast<std::ptrdiff_t>(length), about.begin()));
  }

  // Together they are the datagram: RFC 791, 3.2.
  static void require_fragments(std::span<const std::uint8_t> whole, std::span<const Bytes> fragments,
                                std::size_t before_ip, unsigned mtu) {
    const packet::Ipv4View ip(whole.data());
    Bytes together;
    for (const auto& fragment : fragments) {
      const auto piece = std::span(fragment).subspan(before_ip);
      REQUIRE(is_right(piece));
      const packet::Ipv4View header(piece.data());
      REQUIRE(header.total_length() <= mtu && header.ttl() == ip.ttl() - 1);
      REQUIRE(header.source() == ip.source() && header.destination() == ip.destination());
      REQUIRE((header.fragment_offset() - ip.fragment_offset()) * 8U == together.size());
      together.insert(together.end(), piece.begin() + header.header_size(),
                      piece.begin() + header.total_length());
    }
    const bool may_be_clamped = packet::is_syn(ip, whole.size());
    const auto payload = whole.subspan(ip.header_size(), ip.total_length() - ip.header_size());
    REQUIRE(may_be_clamped ? together.size() == payload.size() : std::ranges::equal(together, payload));
  }

  void require_right(const Frame& frame, Outcome outcome) {
    const Bytes in = untagged(frame.bytes);
    const auto errors = outcome.count("icmp");
    REQUIRE(errors <= 1 && errors <= outcome.count("drops"));
    if (errors != 0) {
      auto& where = frame.generated ? outcome.bare_to_host : outcome.sent[frame.port];
      REQUIRE(!where.empty());
      require_error(
          in, frame.generated ? std::span<const std::uint8_t>(where.back()) : datagram_of(where.back()));
      where.pop_back();
    }
    std::vector<Bytes> sent;
    PortIndex by = 0;
    for (PortIndex port = 0; port < running_ports; ++port) {
      by = outcome.sent[port].empty() ? by : port;
      std::ranges::copy(outcome.sent[port], std::back_inserter(sent));
    }
    const auto& bare = outcome.bare_to_host;
    const std::size_t ends =
        sent.size() + bare.size() + outcome.whole_to_host.size() + outcome.count("drops");
    if (outcome.count("fragmented") != 0) {
      REQUIRE(ends == outcome.count("fragments") && outcome.count("drops") == 0);
      const bool to_exit = sent.empty();
      require_fragments(datagram_of(in), to_exit ? bare : sent, to_exit ? 0 : ethernet,
                        to_exit        ? state_.exit_mtu
                        : by == narrow ? 600U
                                       : 1500U);
      return;
    }
    REQUIRE(ends == 1);
    if (!sent.empty()) {
      const std::size_t length = packet::Ipv4View(in.data() + ethernet).total_length();
      require_forwarded(datagram_of(in), datagram_of(sent[0]), 1, length);
      REQUIRE(sent[0][12] == 8 && sent[0][13] == 0);
      REQUIRE(sent[0].size() <= std::max(in.size(), packet::ethernet_minimum));
      const auto from = mac_of_port(by);
      REQUIRE(std::equal(from.begin(), from.end(), sent[0].begin() + 6));
    } else if (!bare.empty()) {
      const std::size_t length = packet::Ipv4View(bare[0].data()).total_length();
      const unsigned hops = in[ethernet + 8] - bare[0].at(8);
      REQUIRE(hops <= 1);
      require_forwarded(datagram_of(in), bare[0], hops, length);
    } else if (!outcome.whole_to_host.empty()) {
      const auto& given = outcome.whole_to_host[0];
      REQUIRE(given.size() >= in.size() && std::equal(in.begin(), in.end(), given.begin()));
    }
  }

  Lab lab_;
  rte_mempool* pool_ = nullptr;
  rte_ring* to_host_ = nullptr;
  forward::ForwardingState state_ = lab_.state;
  std::unique_ptr<fib::Fib> resolved_;
  std::unique_ptr<forward::WorkerData> hasty_ = std::make_unique<forward::WorkerData>();
  std::unique_ptr<forward::WorkerData> patient_ = std::make_unique<forward::WorkerData>(1);
};

Rig* rig = nullptr;

}  // namespace
}  // namespace sekisho::test

extern "C" int LLVMFuzzerInitialize(int* /*count*/, char*** /*words*/) {
  std::vector<std::string> words = {"pipeline_fuzz",
                                    "--no-huge",
                                    "-m",
                                    "128",
                                    "--no-shconf",
                                    "--no-pci",
                                    "--no-telemetry",
                                    "--file-prefix",
                                    "sekisho-fuzz-" + std::to_string(getpid()),
                                    "-l",
                                    "0",
                                    "--log-level",
                                    "*:error"};
  std::vector<char*> arguments;
  for (auto& word : words) {
    arguments.push_back(word.data());
  }
  if (rte_eal_init(static_cast<int>(arguments.size()), arguments.data()) < 0) {
    std::fputs("EAL does not start\n", stderr);
    return 1;
  }
  sekisho::test::rig = new sekisho::test::Rig;
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  sekisho::test::rig->run({data, size});
  return 0;
}
