// SPDX-License-Identifier: BSD-3-Clause
#include "bench/lpm/engine.hpp"

#include <fmt/format.h>

namespace sekisho::bench {

Made make_engine(std::string_view name, const Table& table) {
  if (name == "sekisho") {
    return make_sekisho(table);
  }
  if (name == "rte_fib_1B") {
    return make_rte_fib(table, 1);
  }
  if (name == "rte_fib_2B") {
    return make_rte_fib(table, 2);
  }
  if (name == "rte_fib_4B") {
    return make_rte_fib(table, 4);
  }
  if (name == "rte_lpm") {
    return make_rte_lpm(table);
  }
  return tl::unexpected(fmt::format("there is no engine \"{}\"", name));
}

}  // namespace sekisho::bench
