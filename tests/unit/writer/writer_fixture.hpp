// SPDX-License-Identifier: BSD-3-Clause
// A writer with one worker that the test polls itself.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/writer/writer.hpp"
#include "tests/unit/writer/change.hpp"
#include "tests/unit/writer/eal.hpp"

namespace sekisho::writer::test {

class WriterTest : public testing::Test {
 protected:
  explicit WriterTest(unsigned extension_tables = 1000)
      : writer{qsbr,
               {&worker},
               {.pool = pool(),
                .tables = {.max_extension_tables = extension_tables},
                .lcores = {0},
                .refuse = [this] { return refuse && refuse(); }}} {}

  auto commit(bool full, const std::vector<ipc::Change>& changes)
      -> tl::expected<ipc::Committed, std::string> {
    auto transaction = writer.begin(full);
    for (const auto& change : changes) {
      if (auto done = transaction.add(change); !done) {
        return tl::unexpected(done.error());
      }
    }
    return writer.commit(std::move(transaction));
  }

  // The next hop, or why the packet would be dropped.
  std::string answer(std::string_view source, std::string_view destination) {
    ipc::Lookup question;
    question.set_source(ip(source));
    question.set_destination(ip(destination));
    const auto decision = writer.lookup(question);
    if (!decision) {
      return decision.error();
    }
    return decision->drop_reason().empty() ? decision->next_hop() : decision->drop_reason();
  }

  std::function<bool()> refuse;  // asked wherever a transaction can be refused
  fib::Qsbr qsbr{1};
  forward::Worker worker{qsbr, {.index = 0}};
  Writer writer;
};

// Two ports, two gateways, zone onprem (172.16/12) with a default.
inline std::vector<ipc::Change> base() {
  return {parse(R"(
            ports { name: "lan" device: "net_null0,no-rx=1" }
            ports { name: "egress" device: "net_null1,no-rx=1" }
            adjacencies { key { port: "egress" address: @10.0.2.10 } mac: "\x02\0\0\0\0\1" alive: true }
            adjacencies { key { port: "egress" address: @10.0.2.11 } mac: "\x02\0\0\0\0\2" alive: true }
            next_hops { name: "fw" members { port: "egress" address: @10.0.2.10 } }
            next_hops { name: "gw" members { port: "egress" address: @10.0.2.11 } }
            zones { name: "onprem" ports: "lan" sources { address: @172.16.0.0 length: 12 } })"),
          routes("onprem", {{"0.0.0.0/0", "fw"}, {"8.8.8.0/24", "gw"}})};
}

}  // namespace sekisho::writer::test
