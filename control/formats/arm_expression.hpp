// SPDX-License-Identifier: BSD-3-Clause
// Expressions of ARM templates, "[concat(parameters('name'), '/default')]": those of Microsoft's functions that need nothing
// but the template. What asks the deployment, its subscription or Azure is an unknown value (arm_value.hpp).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "control/formats/json.hpp"

namespace sekisho::formats {

// What a template may cost, whoever wrote it. Ten variables that each hold the one before ten times make ten thousand
// million values.
class Allowance {
 public:
  // Deeper nesting of values, variables and functions than any template needs; each level is a few frames of the stack.
  static constexpr unsigned max_depth = 250;

  // Of evaluating something, beside a value that is merely copied.
  static constexpr std::size_t step = 256;

  // False: there is no more.
  [[nodiscard]] bool take(std::size_t amount) noexcept;
  [[nodiscard]] bool take(const Json& value) noexcept;
  [[nodiscard]] bool is_spent() const noexcept { return left_ == 0; }

  class Level {
   public:
    explicit Level(Allowance& allowance) : allowance_(allowance) { ++allowance_.depth_; }
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;
    ~Level() { --allowance_.depth_; }
    [[nodiscard]] bool is_allowed() const noexcept { return allowance_.depth_ <= max_depth; }

   private:
    Allowance& allowance_;
  };

 private:
  std::size_t left_ = std::size_t{1} << 24;  // values; a long string counts as several
  unsigned depth_ = 0;
};

// What an expression may ask. The answer of each may be an unknown value.
class TemplateNames {
 public:
  TemplateNames() = default;
  TemplateNames(const TemplateNames&) = delete;
  TemplateNames& operator=(const TemplateNames&) = delete;
  virtual ~TemplateNames() = default;
  virtual auto parameter(std::string_view name) -> Json = 0;
  virtual auto variable(std::string_view name) -> Json = 0;
  // "AzureCloud": environment().name
  virtual auto cloud() -> std::string = 0;
  // Of the loop of that name; without one, of the innermost.
  virtual auto loop_index(std::string_view name) -> std::optional<std::uint64_t> = 0;
  virtual auto allowance() -> Allowance& = 0;
};

// "[...]", and not "[[...", which is a text that begins with a bracket.
[[nodiscard]] bool is_expression(std::string_view text) noexcept;
[[nodiscard]] auto evaluate(std::string_view expression, TemplateNames& names) -> Json;

}  // namespace sekisho::formats
