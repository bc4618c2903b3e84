// SPDX-License-Identifier: BSD-3-Clause
// The text that Prometheus and whoever speaks its formats scrape: families of samples, with the differences between the
// two formats in one place.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace sekisho::metrics {

enum class Format : std::uint8_t {
  openmetrics,  // OpenMetrics 1.0.0
  prometheus,   // Prometheus text exposition 0.0.4: for those that ask for it
};

[[nodiscard]] std::string_view content_type(Format format) noexcept;

enum class Type : std::uint8_t { counter, gauge, info };

// The value of what is so or not.
[[nodiscard]] constexpr std::uint64_t one_if(bool holds) noexcept {
  return holds ? 1 : 0;
}

class Text {
 public:
  using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

  explicit Text(Format format) : format_(format) {}

  // `name` is the family's: without the "_total" of a counter's and the "_info" of an info's samples. `unit` is its last
  // word or empty. What follows, up to the next family, are its samples.
  void family(std::string_view name, Type type, std::string_view unit, std::string_view help);
  void sample(Labels labels, std::uint64_t value);
  void sample(Labels labels, double value);
  [[nodiscard]] std::string finish() &&;

 private:
  void sample_name(Labels labels);

  Format format_;
  std::string text_;
  std::string name_;  // of the current family's samples
};

}  // namespace sekisho::metrics
