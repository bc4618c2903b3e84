// From a file of a whole Internet's routes to the last live entry; and insertion alone, in four orders, against
// rte_fib. Ours is one transaction, as control sends it; rte_fib knows single routes only. Creating an empty table
// is not counted, which spares rte_fib the building of its node pool.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "bench/demand.hpp"
#include "bench/environment.hpp"
#include "bench/reference_fib.hpp"
#include "bench/stopwatch.hpp"
#include "bench/tables.hpp"
#include "control/load/reader.hpp"

using namespace sekisho;

namespace {

constexpr double most_seconds_from_text = 0.5;

const bench::Table& full() {
  static const auto table = bench::make_table("full").value();
  return table;
}

// The full table as a route file, while the program runs.
class TextFile {
 public:
  TextFile() : path_{std::filesystem::temp_directory_path() / fmt::format("sekisho-bench-{}.txt", getpid())} {
    std::ofstream out{path_};
    for (const auto& [prefix, next_hop] : full().routes) {
      out << fmt::format("{} gateway-{}\n", to_string(prefix), next_hop);
    }
    if (!out.flush()) {
      throw std::runtime_error{fmt::format("{} cannot be written", path_.string())};
    }
  }
  ~TextFile() { std::filesystem::remove(path_); }
  TextFile(const TextFile&) = delete;
  TextFile& operator=(const TextFile&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

 private:
  std::filesystem::path path_;
};

void load_text(benchmark::State& state) {
  static const TextFile file;
  for (auto _ : state) {
    fib::Qsbr qsbr{1};
    const auto table = fib::Fib::create(qsbr).value();
    const bench::Stopwatch watch;
    const auto text = load::read_routes(file.path());
    if (!text) {
      return state.SkipWithError(text.error().to_string().c_str());
    }
    std::vector<fib::Route> routes(text->routes.size());
    std::transform(text->routes.begin(), text->routes.end(), routes.begin(), [](const auto& route) {
      return fib::Route{.prefix = route.prefix,
                        .next_hop = static_cast<fib::NextHopIndex>(route.next_hop + 1)};
    });
    if (const auto applied = table->apply(routes); !applied) {
      return state.SkipWithError(applied.error().c_str());
    }
    state.SetIterationTime(watch.seconds());
    if (table->size() != full().routes.size()) {
      return state.SkipWithError("routes are missing");
    }
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(full().routes.size()));
}

void insert_sekisho(benchmark::State& state, const std::vector<fib::Route>& routes) {
  for (auto _ : state) {
    fib::Qsbr qsbr{1};
    const auto table = fib::Fib::create(qsbr).value();
    const bench::Stopwatch watch;
    if (const auto applied = table->apply(routes); !applied) {
      return state.SkipWithError(applied.error().c_str());
    }
    state.SetIterationTime(watch.seconds());
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(routes.size()));
}

void insert_rte_fib(benchmark::State& state, const std::vector<fib::Route>& routes) {
  for (auto _ : state) {
    const auto table = bench::create_rte_fib(full(), 2);
    if (!table) {
      return state.SkipWithError(table.error().c_str());
    }
    const bench::Stopwatch watch;
    if (const auto inserted = bench::insert(**table, routes); !inserted) {
      return state.SkipWithError(inserted.error().c_str());
    }
    state.SetIterationTime(watch.seconds());
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(routes.size()));
}

// As a file may have them. The halves cover everything: last, they meet a table that is full.
auto make_order(const std::string& name) -> std::vector<fib::Route> {
  auto routes = full().routes;
  if (name == "shuffled") {
    std::shuffle(routes.begin(), routes.end(), std::mt19937_64{5});
  } else if (name == "long-first") {
    std::stable_sort(routes.begin(), routes.end(),
                     [](const auto& a, const auto& b) { return a.prefix.length > b.prefix.length; });
  } else if (name == "halves-last") {
    routes.push_back({.prefix = {.address = 0, .length = 1}, .next_hop = 1});
    routes.push_back({.prefix = {.address = 0x80000000, .length = 1}, .next_hop = 2});
  }
  return routes;
}

}  // namespace

int main(int argc, char** argv) try {
  const bench::Environment environment;
  bench::add("load/sekisho/text", load_text)->Iterations(1);
  std::vector<bench::NoSlower> comparisons;
  for (const std::string order : {"sorted", "shuffled", "long-first", "halves-last"}) {
    // Made when first run: a filter may want none of them.
    const auto with = [order](auto insert) {
      return [order, insert](benchmark::State& state) { insert(state, make_order(order)); };
    };
    bench::add("load/sekisho/" + order, with(insert_sekisho))->Iterations(1);
    bench::add("load/rte_fib_2B/" + order, with(insert_rte_fib))->Iterations(1);
    comparisons.push_back({.benchmark = "load/sekisho/" + order, .than = "load/rte_fib_2B/" + order});
  }
  return bench::run(argc, argv,
                    {.limits = {{.benchmark = "load/sekisho/text", .seconds = most_seconds_from_text}},
                     .comparisons = comparisons});
} catch (const std::exception& error) {
  fmt::print(stderr, "load: {}\n", error.what());
  return 1;
}
