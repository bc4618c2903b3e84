#include "control/cli/client.hpp"

#include <fmt/format.h>

#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <utility>

#include "control/api/frame.hpp"

namespace sekisho::cli {

namespace asio = boost::asio;

auto Client::connect(const std::string& path) -> tl::expected<std::unique_ptr<Client>, std::string> {
  constexpr std::size_t longest = 107;  // sun_path with its end
  if (path.empty() || path.size() > longest) {
    return tl::unexpected{fmt::format("the socket's path must have 1 to {} bytes", longest)};
  }
  std::unique_ptr<Client> client{new Client{path}};
  boost::system::error_code error;
  client->socket_.connect(asio::local::stream_protocol::endpoint{path}, error);
  if (error == asio::error::access_denied) {
    return tl::unexpected{fmt::format(
        "cannot reach sekisho-control at {}: it answers root, and the groups of its --socket-group and --admin-group", path)};
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
  boost::system::error_code error;
  api::FrameHeader header{};
  asio::read(socket_, asio::buffer(header), error);
  if (error) {
    return broken("ended the connection without an answer");
  }
  const auto length = api::frame_length(header);
  if (length > api::max_reply) {
    return broken("gave an answer that is too long");
  }
  std::string body(length, '\0');
  asio::read(socket_, asio::buffer(body), error);
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
  boost::system::error_code error;
  asio::write(socket_, asio::buffer(api::frame(request.dump(-1, ' ', false, Json::error_handler_t::replace))),
              error);
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
