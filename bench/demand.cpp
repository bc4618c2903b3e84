#include "bench/demand.hpp"

#include <fmt/format.h>

#include <exception>
#include <map>
#include <optional>
#include <utility>

#include "bench/environment.hpp"
#include "bench/statistics.hpp"

namespace sekisho::bench {
namespace {

// Prints as ever and remembers what each repetition gave.
class Reporter : public benchmark::ConsoleReporter {
 public:
  Reporter() : ConsoleReporter{OO_Tabular} {}

  void ReportRuns(const std::vector<Run>& runs) override {
    ConsoleReporter::ReportRuns(runs);
    for (const auto& run : runs) {
      failed_ |= run.error_occurred;
      if (run.run_type == Run::RT_Iteration && !run.error_occurred) {
        const double seconds = run.real_accumulated_time / static_cast<double>(run.iterations);
        const auto rate = run.counters.find("items_per_second");
        auto& of = measured_[run.run_name.function_name];
        of.seconds.push_back(seconds);
        of.rates.push_back(rate != run.counters.end() ? rate->second.value : 1 / seconds);
      }
    }
  }

  [[nodiscard]] std::optional<double> seconds(const std::string& name) const {
    const auto found = measured_.find(name);
    return found == measured_.end() ? std::nullopt : std::optional{quartiles(found->second.seconds).median};
  }
  [[nodiscard]] std::optional<double> rate(const std::string& name) const {
    const auto found = measured_.find(name);
    return found == measured_.end() ? std::nullopt : std::optional{quartiles(found->second.rates).median};
  }
  [[nodiscard]] bool failed() const noexcept { return failed_; }

 private:
  struct Measured {
    std::vector<double> seconds;
    std::vector<double> rates;
  };
  std::map<std::string, Measured> measured_;
  bool failed_ = false;
};

void judge(const Reporter& reporter, const AtMost& limit) {
  if (const auto seconds = reporter.seconds(limit.benchmark)) {
    fmt::print("{:<34} {:.3f} ms, demanded at most {:.3f} ms: {}\n", limit.benchmark, *seconds * 1e3,
               limit.seconds * 1e3, *seconds <= limit.seconds ? "met" : "MISSED");
  }
}

void judge(const Reporter& reporter, const NoSlower& comparison) {
  const auto own = reporter.rate(comparison.benchmark);
  const auto other = reporter.rate(comparison.than);
  if (own && other) {
    const double ratio = *own / *other;
    fmt::print("{:<34} {:.2f} x {}, demanded at least {:.1f}: {}\n", comparison.benchmark, ratio,
               comparison.than, comparison.factor, ratio >= comparison.factor ? "met" : "MISSED");
  }
}

}  // namespace

benchmark::internal::Benchmark* add(const std::string& name, std::function<void(benchmark::State&)> body) {
  return benchmark::RegisterBenchmark(name.c_str(), std::move(body))
      ->UseManualTime()
      ->Unit(benchmark::kMillisecond)
      ->ComputeStatistics("lower_quartile", [](const auto& values) { return quartiles(values).lower; })
      ->ComputeStatistics("upper_quartile", [](const auto& values) { return quartiles(values).upper; });
}

int run(int argc, char** argv, const std::vector<AtMost>& limits, const std::vector<NoSlower>& comparisons) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) {
    return 2;
  }
  Reporter reporter;
  const Noise noise;
  benchmark::RunSpecifiedBenchmarks(&reporter);
  fmt::print("\n");
  for (const auto& limit : limits) {
    judge(reporter, limit);
  }
  for (const auto& comparison : comparisons) {
    judge(reporter, comparison);
  }
  fmt::print("noise: {} preemptions, {:.1f} % stolen by the hypervisor\n", noise.preemptions(),
             noise.steal_percent());
  return reporter.failed() ? 1 : 0;
}

}  // namespace sekisho::bench
