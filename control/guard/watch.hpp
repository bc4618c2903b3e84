// SPDX-License-Identifier: BSD-3-Clause
// Says that somebody changed something, and not what: the caller asks the kernel how it is now.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace sekisho::guard {

class Watch {
 public:
  // `changed` is called on the io_context after every change of nftables, our own among them (once for those that came
  // together).
  [[nodiscard]] static auto nftables(boost::asio::io_context& io, std::function<void()> changed)
      -> tl::expected<std::unique_ptr<Watch>, std::string>;
  // The same of qdiscs and filters.
  [[nodiscard]] static auto traffic_control(boost::asio::io_context& io, std::function<void()> changed)
      -> tl::expected<std::unique_ptr<Watch>, std::string>;
  ~Watch();
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

 private:
  struct Impl;
  explicit Watch(std::shared_ptr<Impl> impl) noexcept;
  [[nodiscard]] static auto open(boost::asio::io_context& io, int bus, int group, std::string_view what,
                                 std::function<void()> changed)
      -> tl::expected<std::unique_ptr<Watch>, std::string>;
  std::shared_ptr<Impl> impl_;
};

}  // namespace sekisho::guard
