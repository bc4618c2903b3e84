// SPDX-License-Identifier: BSD-3-Clause
// The run: each table is loaded into each engine, all must answer alike, then its cells are measured.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "bench/lpm/cell.hpp"
#include "bench/lpm/counters.hpp"
#include "bench/lpm/filter.hpp"
#include "bench/lpm/report.hpp"

namespace sekisho::bench {

struct Options {
  std::vector<std::string> filters;
  bool quick = false;
  bool slow_loads = false;  // also rte_lpm with the full table
};

[[nodiscard]] auto names(const Options& options) -> std::vector<std::string>;

class Benchmark {
 public:
  explicit Benchmark(const Options& options) : options_{options}, filter_{options.filters} {}

  void run();  // throws std::runtime_error
  [[nodiscard]] const std::vector<Cell>& cells() const noexcept { return cells_; }
  [[nodiscard]] const Context& context() const noexcept { return context_; }

 private:
  struct Contender {
    std::string name;
    std::unique_ptr<Engine> engine;
  };

  void run_table(const std::string& name, const std::vector<Cell>& planned);
  [[nodiscard]] auto make_contenders(const Table& table, const std::vector<Cell>& planned)
      -> std::vector<Contender>;
  void verify(std::vector<Contender>& contenders, const std::string& table,
              std::span<const std::uint32_t> addresses);
  void measure(std::vector<Contender>& contenders, Cell cell, std::span<const std::uint32_t> addresses);
  void count(Cell& cell, std::span<Engine* const> engines, std::span<const std::uint32_t> addresses) const;
  void not_timed(const std::string& table, std::string_view engine, std::string reason);

  Options options_;
  Filter filter_;
  Counters counters_;
  std::vector<Cell> cells_;
  Context context_;
};

}  // namespace sekisho::bench
