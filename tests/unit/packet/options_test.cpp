// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/packet/options.hpp"

#include <gtest/gtest.h>

#include "tests/unit/packet/headers.hpp"

namespace sekisho::packet::test {
namespace {

using enum OptionHandling;
using Fault = OptionFault;

Bytes header_with(const Bytes& options) {
  Bytes header = make_header(5 + static_cast<unsigned>(options.size() / 4));
  std::copy(options.begin(), options.end(), header.begin() + 20);
  return header;
}

OptionFinding examine(const Bytes& options, const OptionPolicy& policy = {}) {
  const Exact exact(header_with(options));
  return examine_options(Ipv4View(exact.memory.get()), policy);
}

Bytes filled_in(const Bytes& options, const OptionEntry& entry, const OptionPolicy& policy = {}) {
  const Exact exact(header_with(options));
  fill_options(exact.memory.get(), policy, entry);
  const std::size_t size = 20 + options.size();
  EXPECT_TRUE(checksum_holds(exact.memory.get(), size));
  return {exact.memory.get() + 20, exact.memory.get() + size};
}

// What RFC 791, 3.1, RFC 6814 and RFC 7126 say of each.
TEST(Options, Findings) {
  struct Case {
    const char* why;
    Bytes options;
    Fault fault = Fault::none;
    unsigned at = 0;
    bool to_fill = false;
  };
  const std::vector<Case> cases = {
      {"no options", {}},
      {"loose source route", {131, 7, 4, 10, 0, 0, 1, 0}, Fault::source_route, 20},
      {"strict source route", {137, 7, 4, 10, 0, 0, 1, 0}, Fault::source_route, 20},
      {"behind no-operations", {1, 1, 1, 131, 7, 4, 10, 0, 0, 1, 0, 0}, Fault::source_route, 23},
      {"behind a record route", {7, 7, 4, 0, 0, 0, 0, 137, 3, 4, 0, 0}, Fault::source_route, 27},
      {"behind the end of the list", {0, 131, 7, 4}},
      {"a route in the last byte", {1, 1, 1, 131}, Fault::source_route, 23},
      {"a source route of length 0", {131, 0, 0, 0}, Fault::source_route, 20},
      {"record route", {7, 7, 4, 0, 0, 0, 0, 0}, Fault::none, 0, true},
      {"a full one", {7, 7, 8, 1, 2, 3, 4, 0}, Fault::none, 0, true},
      {"a route's type as another option's data", {7, 7, 131, 137, 131, 137, 131, 0}, Fault::none, 0, true},
      {"without a pointer", {7, 2, 0, 0}, Fault::malformed, 21},
      {"a pointer into itself", {7, 7, 3, 0, 0, 0, 0, 0}, Fault::malformed, 22},
      {"room for half an address", {7, 5, 4, 0, 0, 0, 0, 0}, Fault::malformed, 22},
      {"timestamp", {68, 8, 5, 0, 0, 0, 0, 0}, Fault::none, 0, true},
      {"without a flag", {68, 3, 5, 0}, Fault::malformed, 21},
      {"of no known flag", {68, 8, 5, 2, 0, 0, 0, 0}, Fault::malformed, 23},
      {"room for the address alone", {68, 8, 5, 1, 0, 0, 0, 0}, Fault::malformed, 22},
      {"an overflow that would overflow", {68, 4, 5, 0xf0}, Fault::malformed, 23},
      {"of named addresses, which has none", {68, 4, 5, 0xf3}, Fault::none, 0, true},
      {"router alert", {148, 4, 0, 0}},
      {"probe MTU", {11, 4, 5, 220}, Fault::obsolete, 20},
      {"reply MTU", {12, 4, 5, 220}, Fault::obsolete, 20},
      {"traceroute behind another", {148, 4, 0, 0, 82, 4, 0, 0}, Fault::obsolete, 24},
      {"stream ID", {136, 4, 0, 1}, Fault::obsolete, 20},
      {"an obsolete one whose length lies", {136, 9, 0, 1}, Fault::malformed, 21},
      {"an unknown one", {222, 4, 0, 0}},
      {"an option in the last byte", {1, 1, 1, 68}, Fault::malformed, 23},
      {"length 0", {68, 0, 131, 4}, Fault::malformed, 21},
      {"length 1", {68, 1, 131, 4}, Fault::malformed, 21},
      {"length up to the end", {222, 4, 5, 0}},
      {"length beyond the end", {222, 5, 5, 0}, Fault::malformed, 21},
      {"length far beyond the end", {222, 255, 5, 0}, Fault::malformed, 21},
      {"only no-operations", Bytes(40, 1)},
  };
  for (const Case& c : cases) {
    const auto found = examine(c.options);
    EXPECT_EQ(found.fault, c.fault) << c.why;
    EXPECT_EQ(found.at, c.at) << c.why;
    EXPECT_EQ(found.to_fill, c.to_fill) << c.why;
  }
}

TEST(Options, ThePolicyDecides) {
  const Bytes route{131, 7, 4, 10, 0, 0, 1, 0};
  EXPECT_EQ(examine(route, {.source_routes_pass = true}), OptionFinding{});
  EXPECT_EQ(examine({131, 9, 4, 10, 0, 0, 1, 0}, {.source_routes_pass = true}).fault, Fault::malformed);
  const OptionPolicy ignores{.record_route = ignore, .timestamp = ignore};
  EXPECT_EQ(examine({7, 7, 3, 0, 0, 0, 0, 0}, ignores), OptionFinding{});
  EXPECT_EQ(examine({68, 8, 5, 2, 0, 0, 0, 0}, ignores), OptionFinding{});
  const OptionPolicy refuses{.record_route = refuse, .timestamp = refuse};
  EXPECT_EQ(examine({1, 7, 7, 4, 0, 0, 0, 0}, refuses), (OptionFinding{.fault = Fault::refused, .at = 21}));
  EXPECT_EQ(examine({68, 8, 5, 0, 0, 0, 0, 0}, refuses), (OptionFinding{.fault = Fault::refused, .at = 20}));
}

TEST(Options, AreFilled) {
  const OptionEntry us{.address = 0x0a00'0102, .milliseconds = 0x0102'0304};
  EXPECT_EQ(filled_in({7, 7, 4, 0, 0, 0, 0, 0}, us), (Bytes{7, 7, 8, 10, 0, 1, 2, 0}));
  EXPECT_EQ(filled_in({7, 7, 8, 9, 9, 9, 9, 0}, us), (Bytes{7, 7, 8, 9, 9, 9, 9, 0})) << "it is full";
  EXPECT_EQ(filled_in({7, 11, 8, 9, 9, 9, 9, 0, 0, 0, 0, 0}, us),
            (Bytes{7, 11, 12, 9, 9, 9, 9, 10, 0, 1, 2, 0}));
  EXPECT_EQ(filled_in({68, 8, 5, 0, 0, 0, 0, 0}, us), (Bytes{68, 8, 9, 0, 1, 2, 3, 4}));
  EXPECT_EQ(filled_in({68, 8, 9, 0, 9, 9, 9, 9}, us), (Bytes{68, 8, 9, 0x10, 9, 9, 9, 9}))
      << "one had no room";
  EXPECT_EQ(filled_in({68, 12, 5, 1, 0, 0, 0, 0, 0, 0, 0, 0}, us),
            (Bytes{68, 12, 13, 1, 10, 0, 1, 2, 1, 2, 3, 4}));
  const Bytes both{7, 7, 4, 0, 0, 0, 0, 1, 68, 8, 5, 0, 0, 0, 0, 0};
  EXPECT_EQ(filled_in(both, us), (Bytes{7, 7, 8, 10, 0, 1, 2, 1, 68, 8, 9, 0, 1, 2, 3, 4}));
  EXPECT_EQ(filled_in(both, us, {.record_route = ignore}),
            (Bytes{7, 7, 4, 0, 0, 0, 0, 1, 68, 8, 9, 0, 1, 2, 3, 4}));
}

TEST(Options, ATimestampOfNamedAddressesIsFilledByWhoIsNamed) {
  const Bytes names{68, 20, 5, 3, 9, 9, 9, 9, 0, 0, 0, 0, 8, 8, 8, 8, 0, 0, 0, 0};
  EXPECT_EQ(named_for_timestamp(Ipv4View(header_with(names).data()), {}), 0x0909'0909U);
  EXPECT_EQ(filled_in(names, {.milliseconds = 1}), names);
  EXPECT_EQ(filled_in(names, {.milliseconds = 1, .is_named = true}),
            (Bytes{68, 20, 13, 3, 9, 9, 9, 9, 0, 0, 0, 1, 8, 8, 8, 8, 0, 0, 0, 0}));
  EXPECT_EQ(named_for_timestamp(Ipv4View(header_with({68, 8, 5, 0, 9, 9, 9, 9}).data()), {}), 0U);
  EXPECT_EQ(named_for_timestamp(Ipv4View(header_with({68, 4, 5, 3}).data()), {}), 0U);
  // Of one that is ignored nobody has looked where it points to.
  EXPECT_EQ(named_for_timestamp(Ipv4View(header_with({68, 3, 200, 0}).data()), {.timestamp = ignore}), 0U);
}

TEST(Options, WhatMayAppearOnceAppearsOnce) {
  const auto fault = [](Bytes options, const OptionPolicy& policy) {
    return examine_options(Ipv4View(header_with(std::move(options)).data()), policy);
  };
  const Bytes records{7, 3, 4, 1, 7, 3, 4, 0};
  EXPECT_EQ(fault(records, {}), (OptionFinding{.fault = OptionFault::malformed, .at = 24}));
  EXPECT_EQ(fault(records, {.record_route = ignore}), OptionFinding{});
  const Bytes stamps{68, 8, 5, 0, 0, 0, 0, 0, 68, 8, 5, 0, 0, 0, 0, 0};
  EXPECT_EQ(fault(stamps, {}), (OptionFinding{.fault = OptionFault::malformed, .at = 28}));
}

}  // namespace
}  // namespace sekisho::packet::test
