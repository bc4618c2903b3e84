// SPDX-License-Identifier: BSD-3-Clause
// What a reload would change, or what separates two configurations: for people as text.
#pragma once

#include <string>

#include "control/cli/context.hpp"
#include "control/cli/output.hpp"

namespace sekisho::cli {

// A line of what changes, and behind "nothing: " why where nothing does.
[[nodiscard]] std::string plan_text(const Json& plan, const std::string& why_nothing);
// Whether anything but the overrides' end would be another.
[[nodiscard]] bool changes_something(const Json& plan);

// A plan as it comes: what it is about first, then pages of routes.
class PlanPrinter {
 public:
  PlanPrinter(bool json, std::string title, std::string why_nothing);

  void print(const Json& page);
  void close();
  [[nodiscard]] const Json& head() const noexcept { return head_; }
  [[nodiscard]] bool is_refused() const { return !head_.at("refusals").empty(); }

 private:
  void open() const;
  static void print_change(const Json& change);

  bool json_;
  std::string title_;
  std::string why_nothing_;
  Json head_;
  JsonArray changes_;
};

}  // namespace sekisho::cli
