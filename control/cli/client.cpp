// SPDX-License-Identifier: BSD-3-Clause
#include "control/cli/client.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cerrno>
#include <utility>

#include "common/ipc/frame.hpp"

namespace sekisho::cli {

namespace asio = boost::asio;

// A signal ends the wait: whoever watches a control that hangs can quit.
auto Client::wait(short events) -> boost::system::error_code {
  pollfd socket{.fd = socket_.native_handle(), .events = events, .revents = 0};
  const auto ready = ::poll(&socket, 1, static_cast<int>(std::chrono::milliseconds{patience_}.count()));
  if (ready < 0) {
    return {errno, boost::system::system_category()};
  }
  return ready == 0 ? make_error_code(asio::error::timed_out) : boost::system::error_code{};
}

auto Client::read(asio::mutable_buffer bytes) -> boost::system::error_code {
  boost::system::error_code error;
  while (!error && bytes.size() != 0) {
    error = wait(POLLIN);
    if (!error) {
      bytes += socket_.read_some(bytes, error);
    }
  }
  return error;
}

auto Client::write(asio::const_buffer bytes) -> boost::system::error_code {
  boost::system::error_code error;
  while (!error && bytes.size() != 0) {
    error = wait(POLLOUT);
    if (!error) {
      bytes += socket_.write_some(bytes, error);
    }
  }
  return error;
}

auto Client::connect(const std::string& path, std::chrono::seconds patience)
    -> tl::expected<std::unique_ptr<Client>, std::string> {
  constexpr std::size_t longest = 107;  // sun_path with its end
  if (path.empty() || path.size() > longest) {
    return tl::unexpected{fmt::format("the socket's path must have 1 to {} bytes", longest)};
  }
  std::unique_ptr<Client> client{new Client{path, patience}};
  boost::system::error_code error;
  auto& socket = client->socket_;
  // A connection waits for its place in the queue of a control that hangs for as long as a send may take.
  const timeval send_limit{.tv_sec = patience.count(), .tv_usec = 0};
  const asio::local::stream_protocol::endpoint endpoint{path};
  socket.open(endpoint.protocol(), error);
  if (!error &&
      (::setsockopt(socket.native_handle(), SOL_SOCKET, SO_SNDTIMEO, &send_limit, sizeof send_limit) != 0 ||
       ::connect(socket.native_handle(), endpoint.data(), static_cast<socklen_t>(endpoint.size())) != 0)) {
    error = {errno == EAGAIN ? ETIMEDOUT : errno, boost::system::system_category()};
  }
  if (error == asio::error::access_denied) {
    return tl::unexpected{
        fmt::format("cannot reach sekisho-control at {}: it answers root, and the groups of its "
                    "--socket-group and --admin-group",
                    path)};
  }
  if (error == boost::system::errc::no_such_file_or_directory || error == asio::error::connection_refused) {
    return tl::unexpected{fmt::format("cannot reach sekisho-control at {}: is it running?", path)};
  }
  if (error) {
    return tl::unexpected{fmt::format("cannot reach sekisho-control at {}: {}", path, error.message())};
  }
  return client;
}

auto Client::receive() -> tl::expected<Json, std::string> {
  const auto broken = [&](const std::string& why) {
    return tl::unexpected{fmt::format("sekisho-control at {} {}", path_, why)};
  };
  ipc::FrameHeader header{};
  auto error = read(asio::buffer(header));
  if (error == asio::error::timed_out) {
    return broken(fmt::format("has not answered for {} s: does it hang?", patience_.count()));
  }
  if (error) {
    return broken("ended the connection without an answer");
  }
  const auto length = ipc::frame_length(header);
  if (length > ipc::max_frame) {
    return broken("gave an answer that is too long");
  }
  std::string body(length, '\0');
  error = read(asio::buffer(body));
  if (error) {
    return broken("ended the connection in the middle of an answer");
  }
  auto reply = Json::parse(body, nullptr, false);
  if (!reply.is_object() || !reply.contains("ok")) {
    return broken("gave an answer that this version does not understand");
  }
  if (reply["ok"] != true) {
    return tl::unexpected{reply.value("error", std::string{"refused"})};
  }
  if (!reply.contains("result")) {
    return broken("gave an answer that this version does not understand");
  }
  return reply;
}

Outcome Client::ask_pages(const Json& request, const std::function<void(const Json&)>& page,
                          const std::function<bool()>& goes_on) {
  const auto bytes = ipc::frame(request.dump(-1, ' ', false, Json::error_handler_t::replace));
  const auto error = write(asio::buffer(bytes));
  if (error == asio::error::broken_pipe || error == asio::error::connection_reset) {
    // It may have said why, before it had heard all.
    if (const auto reply = receive(); !reply) {
      return tl::unexpected{reply.error()};
    }
  }
  if (error) {
    return tl::unexpected{
        fmt::format("sekisho-control at {} ended the connection: {}", path_, error.message())};
  }
  for (auto more = true; more;) {
    const auto reply = receive();
    if (!reply) {
      return tl::unexpected{reply.error()};
    }
    if (reply->contains("problem")) {
      problem_ = reply->at("problem").get<std::string>();
    }
    page(reply->at("result"));
    more = reply->value("more", false) && (!goes_on || goes_on());
  }
  return {};
}

auto Client::ask(const Json& request) -> tl::expected<Json, std::string> {
  Json result;
  if (const auto asked = ask_pages(request, [&](const Json& page) { result = page; }); !asked) {
    return tl::unexpected{asked.error()};
  }
  return result;
}

void tell_problem(Context& context, const Client& client) {
  if (!client.problem().empty() && std::exchange(context.status, 1) == 0) {
    fmt::print(stderr, "sekisho: {}\n", client.problem());
  }
}

auto ask(const Context& context, const Json& request) -> tl::expected<Json, std::string> {
  auto client = Client::connect(context.socket);
  if (!client) {
    return tl::unexpected{client.error()};
  }
  return (*client)->ask(request);
}

}  // namespace sekisho::cli
