// SPDX-License-Identifier: BSD-3-Clause
#include "bench/demand.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string_view>
#include <utility>

#include "bench/environment.hpp"
#include "bench/statistics.hpp"

namespace sekisho::bench {
namespace {

struct Measured {
  std::vector<double> seconds;
  std::vector<double> rates;  // of items a second where they are counted
  bool items = false;
  std::map<std::string, double> counters;
  std::string label;
};

// Keeps what each repetition gave. Google Benchmark's own table has six lines for each benchmark.
class Collector : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(const Context& /*context*/) override { return true; }

  void ReportRuns(const std::vector<Run>& runs) override {
    for (const auto& run : runs) {
      const auto& name = run.run_name.function_name;
      if (run.error_occurred) {
        fmt::print("{}: {}\n", name, run.error_message);
        failed_ = true;
      } else if (run.run_type == Run::RT_Iteration) {
        keep(name, run);
      }
    }
  }

  [[nodiscard]] const std::map<std::string, Measured>& all() const noexcept { return measured_; }
  [[nodiscard]] const Measured* find(const std::string& name) const {
    const auto found = measured_.find(name);
    return found == measured_.end() ? nullptr : &found->second;
  }
  [[nodiscard]] bool failed() const noexcept { return failed_; }

 private:
  void keep(const std::string& name, const Run& run) {
    auto& measured = measured_[name];
    const double seconds = run.real_accumulated_time / static_cast<double>(run.iterations);
    measured.seconds.push_back(seconds);
    measured.rates.push_back(1 / seconds);
    measured.items = run.counters.contains("items_per_second");
    for (const auto& [key, counter] : run.counters) {
      if (key == "items_per_second") {
        measured.rates.back() = counter;
      } else {
        measured.counters[key] = counter;
      }
    }
    measured.label = run.report_label;
  }

  std::map<std::string, Measured> measured_;
  bool failed_ = false;
};

// Names as they were registered, without how often and by which clock they were measured.
class Json : public benchmark::JSONReporter {
 public:
  void ReportRuns(const std::vector<Run>& runs) override {
    auto plain = runs;
    for (auto& run : plain) {
      auto name = std::exchange(run.run_name, {}).function_name;
      run.run_name.function_name = std::move(name);
    }
    JSONReporter::ReportRuns(plain);
  }
};

std::string time(double seconds) {
  return seconds < 1e-4 ? fmt::format("{:.1f} us", seconds * 1e6) : fmt::format("{:.2f} ms", seconds * 1e3);
}

std::string verdict(bool met) {
  return met ? "met" : "MISSED";
}

// What is demanded of a benchmark, and whether it keeps to that; empty where nothing is.
std::string judge(const Collector& all, const std::string& name, const Demands& demands) {
  const double seconds = quartiles(all.find(name)->seconds).median;
  const double rate = quartiles(all.find(name)->rates).median;
  for (const auto& limit : demands.limits) {
    if (limit.benchmark == name) {
      return fmt::format("at most {}: {}", time(limit.seconds), verdict(seconds <= limit.seconds));
    }
  }
  for (const auto& comparison : demands.comparisons) {
    const auto* const other = all.find(comparison.than);
    if (comparison.benchmark == name && other != nullptr) {
      const double ratio = rate / quartiles(other->rates).median;
      return fmt::format("{:.2f} x {}, at least {:.1f}: {}", ratio, comparison.than, comparison.factor,
                         verdict(ratio >= comparison.factor));
    }
  }
  return "";
}

void print(const Collector& all, const Demands& demands) {
  fmt::print("{:<32} {:>10}  {:<24} {:>10}   {}\n", "benchmark", "median", "[quartiles]", "M items/s",
             "demanded");
  for (const auto& [name, measured] : all.all()) {
    const auto [lower, median, upper] = quartiles(measured.seconds);
    const auto rate =
        measured.items ? fmt::format("{:.3f}", quartiles(measured.rates).median / 1e6) : std::string{"-"};
    fmt::print("{:<32} {:>10}  {:<24} {:>10}   {}", name, time(median),
               fmt::format("[{} {}]", time(lower), time(upper)), rate, judge(all, name, demands));
    for (const auto& [key, value] : measured.counters) {
      fmt::print("{} {:.1f}  ", key, value);
    }
    fmt::print("{}\n", measured.label);
  }
}

bool writes_json(int argc, char** argv) {
  return std::any_of(argv, argv + argc,
                     [](std::string_view option) { return option.starts_with("--benchmark_out="); });
}

}  // namespace

benchmark::internal::Benchmark* add(const std::string& name, std::function<void(benchmark::State&)> body) {
  return benchmark::RegisterBenchmark(name.c_str(), std::move(body))
      ->UseManualTime()
      ->Unit(benchmark::kMillisecond)
      ->ComputeStatistics("lower_quartile", [](const auto& values) { return quartiles(values).lower; })
      ->ComputeStatistics("upper_quartile", [](const auto& values) { return quartiles(values).upper; });
}

int run(int argc, char** argv, const Demands& demands) {
  const bool json = writes_json(argc, argv);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) {
    return 2;
  }
  Collector collector;
  Json file;
  const Noise noise;
  benchmark::RunSpecifiedBenchmarks(&collector, json ? &file : nullptr);
  if (!collector.all().empty()) {
    print(collector, demands);
    fmt::print("noise: {} preemptions, {:.1f} % stolen by the hypervisor\n", noise.preemptions(),
               noise.steal_percent());
  }
  return collector.failed() ? 1 : 0;
}

}  // namespace sekisho::bench
