// SPDX-License-Identifier: BSD-3-Clause
// One sekisho-control in a network namespace: its guard, its rules and its settings are the namespace's. Held by a Unix socket of
// the kernel's abstract namespace, which belongs to the network namespace and is gone with its process.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <tl/expected.hpp>

namespace sekisho::reconcile {

class OnlyOne {
 public:
  // Waits at most `patience` for one that is about to end. The error is one sentence that names the process. Who is neither root,
  // nor of this process's user, nor of the one whom the dataplane obeys holds nobody up: any user can take a name.
  [[nodiscard]] static auto take(boost::asio::io_context& io, const std::filesystem::path& dataplane_socket,
                                 std::chrono::milliseconds patience)
      -> tl::expected<std::unique_ptr<OnlyOne>, std::string>;

  OnlyOne(const OnlyOne&) = delete;
  OnlyOne& operator=(const OnlyOne&) = delete;
  ~OnlyOne() = default;

 private:
  using Protocol = boost::asio::local::stream_protocol;

  explicit OnlyOne(boost::asio::io_context& io) : acceptor_(io) {}
  [[nodiscard]] auto bind() -> boost::system::error_code;
  void answer();

  Protocol::acceptor acceptor_;
};

}  // namespace sekisho::reconcile
