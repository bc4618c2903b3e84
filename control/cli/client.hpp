// SPDX-License-Identifier: BSD-3-Clause
// Asks sekisho-control over its socket. One request at a time; a command has nothing else to do meanwhile.
#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <tl/expected.hpp>

#include "control/cli/context.hpp"

namespace sekisho::cli {

class Client {
 public:
  // How long it may take control to give a sign.
  static constexpr std::chrono::seconds longest_wait{60};
  static constexpr std::chrono::seconds short_wait{8};  // who checks gives up after ten

  [[nodiscard]] static auto connect(const std::string& path, std::chrono::seconds patience = longest_wait)
      -> tl::expected<std::unique_ptr<Client>, std::string>;

  // The `result` of the reply, or its error.
  [[nodiscard]] auto ask(const Json& request) -> tl::expected<Json, std::string>;
  // What kept sekisho-control from knowing all that the reply tells of; empty: nothing. Known with its first page.
  [[nodiscard]] const std::string& problem() const noexcept { return problem_; }
  // A reply in pages: each is shown to `page` and forgotten. Where `goes_on` is given, it ends once that says so.
  [[nodiscard]] Outcome ask_pages(const Json& request, const std::function<void(const Json&)>& page,
                                  const std::function<bool()>& goes_on = {});

 private:
  Client(std::string path, std::chrono::seconds patience) : path_(std::move(path)), patience_(patience) {}
  [[nodiscard]] auto receive() -> tl::expected<Json, std::string>;
  // Each gives up after `patience_` without a sign of control.
  [[nodiscard]] auto wait(short events) -> boost::system::error_code;
  [[nodiscard]] auto read(boost::asio::mutable_buffer bytes) -> boost::system::error_code;
  [[nodiscard]] auto write(boost::asio::const_buffer bytes) -> boost::system::error_code;

  std::string path_;
  std::chrono::seconds patience_;
  std::string problem_;
  boost::asio::io_context io_;
  boost::asio::local::stream_protocol::socket socket_{io_};
};

// What kept sekisho-control from knowing all that it told, if anything: once, before what is known all the same. The exit status is 1
// then.
void tell_problem(Context& context, const Client& client);

// Connects and asks.
[[nodiscard]] auto ask(const Context& context, const Json& request) -> tl::expected<Json, std::string>;

}  // namespace sekisho::cli
