// SPDX-License-Identifier: BSD-3-Clause
// Route files of any format in the dataplane's own lookup table, without a daemon.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "control/formats/reader.hpp"
#include "dataplane/fib/fib.hpp"
#include "dataplane/fib/qsbr.hpp"

namespace sekisho::cli {

class RouteFiles {
 public:
  // `next_hop`: what a route means that names none; empty: "-". Each file is read as `options` say, with a progress of its
  // own. Of several routes to a prefix route::RouteTable selects.
  [[nodiscard]] static auto read(const std::vector<std::string>& files, const std::string& next_hop,
                                 const formats::Options& options)
      -> tl::expected<std::unique_ptr<RouteFiles>, std::string>;

  struct Match {
    std::string prefix;  // empty: nothing covers the address
    std::string next_hop;
    std::string_view before_tables{};  // why the dataplane drops it without asking; empty: it asks
  };
  // As workers do: many addresses at once.
  [[nodiscard]] auto lookup(const std::vector<std::uint32_t>& addresses) const -> std::vector<Match>;

 private:
  RouteFiles() = default;

  fib::Qsbr qsbr_{1};
  std::unique_ptr<fib::Fib> fib_;
  std::vector<std::string> next_hops_{""};  // by index; 0 is no route
};

}  // namespace sekisho::cli
