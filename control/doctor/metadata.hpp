// SPDX-License-Identifier: BSD-3-Clause
// A cloud's metadata server: what it says by HTTP at 169.254.169.254. No other address is ever asked, and nothing outside this
// machine's host is: the address is link-local.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

namespace sekisho::doctor {

class Metadata {
 public:
  using Header = std::pair<std::string, std::string>;

  // `patience`: for all questions together. It answers within milliseconds where there is one.
  explicit Metadata(std::chrono::milliseconds patience)
      : deadline_(std::chrono::steady_clock::now() + patience) {}

  // The body of a response 200; the error is half a sentence.
  [[nodiscard]] auto get(const std::string& target, const std::vector<Header>& headers) const
      -> tl::expected<std::string, std::string>;
  // None: a response 404, by which a server says that there is no such value. No other failure says so.
  [[nodiscard]] auto find(const std::string& target, const std::vector<Header>& headers) const
      -> tl::expected<std::optional<std::string>, std::string>;
  // With an empty body.
  [[nodiscard]] auto put(const std::string& target, const std::vector<Header>& headers) const
      -> tl::expected<std::string, std::string>;

 private:
  struct Answer {
    unsigned status = 0;
    std::string body;
  };
  [[nodiscard]] auto ask(bool puts, const std::string& target, const std::vector<Header>& headers) const
      -> tl::expected<Answer, std::string>;
  [[nodiscard]] static auto body_of(Answer answer) -> tl::expected<std::string, std::string>;

  std::chrono::steady_clock::time_point deadline_;
};

}  // namespace sekisho::doctor
