#include "control/cli/client.hpp"

#include <fmt/format.h>

#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <utility>

#include "control/api/frame.hpp"

namespace sekisho::cli {

namespace asio = boost::asio;

// Within the time in which control answers whatever happens to the dataplane, and somewhat more.
template <class Start>
auto Client::finish(Start start) -> boost::system::error_code {
  boost::system::error_code result = asio::error::timed_out;
  start([&result](boost::system::error_code error, auto&&...) { result = error; });
  io_.restart();
  io_.run_for(longest_wait);
  if (result == asio::error::timed_out) {
    boost::system::error_code ignored;
    socket_.close(ignored);
    io_.run();  // what refers to `result` ends here
    result = asio::error::timed_out;
  }
  return result;
}

auto Client::connect(const std::string& path) -> tl::expected<std::unique_ptr<Client>, std::string> {
  constexpr std::size_t longest = 107;  // sun_path with its end
  if (path.empty() || path.size() > longest) {
    return tl::unexpected{fmt::format("the socket's path must have 1 to {} bytes", longest)};
  }
  std::unique_ptr<Client> client{new Client{path}};
  const auto error = client->finish([&](auto done) {
    client->socket_.async_connect(asio::local::stream_protocol::endpoint{path}, std::move(done));
  });
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
  api::FrameHeader header{};
  auto error = finish([&](auto done) { asio::async_read(socket_, asio::buffer(header), std::move(done)); });
  if (error == asio::error::timed_out) {
    return broken(fmt::format("has not answered for {} s: does it hang?", longest_wait.count()));
  }
  if (error) {
    return broken("ended the connection without an answer");
  }
  const auto length = api::frame_length(header);
  if (length > api::max_reply) {
    return broken("gave an answer that is too long");
  }
  std::string body(length, '\0');
  error = finish([&](auto done) { asio::async_read(socket_, asio::buffer(body), std::move(done)); });
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

Outcome Client::ask_pages(const Json& request, const std::function<void(const Json&)>& page) {
  const auto bytes = api::frame(request.dump(-1, ' ', false, Json::error_handler_t::replace));
  const auto error =
      finish([&](auto done) { asio::async_write(socket_, asio::buffer(bytes), std::move(done)); });
  if (error) {
    return tl::unexpected{
        fmt::format("sekisho-control at {} ended the connection: {}", path_, error.message())};
  }
  for (auto more = true; more;) {
    const auto reply = receive();
    if (!reply) {
      return tl::unexpected{reply.error()};
    }
    page((*reply)["result"]);
    more = reply->value("more", false);
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

auto ask(const Context& context, const Json& request) -> tl::expected<Json, std::string> {
  auto client = Client::connect(context.socket);
  if (!client) {
    return tl::unexpected{client.error()};
  }
  return (*client)->ask(request);
}

}  // namespace sekisho::cli
