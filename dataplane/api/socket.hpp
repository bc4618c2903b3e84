// Listening on a Unix socket: the one that the dataplane is told what to do on, and the one that control answers on.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <filesystem>

namespace sekisho::api {

// Mode 0600 from its first moment. What a dead process left is replaced, what a living one serves is not.
// Throws std::runtime_error with one sentence.
[[nodiscard]] auto listen(boost::asio::io_context& io, const std::filesystem::path& path)
    -> boost::asio::local::stream_protocol::acceptor;

}  // namespace sekisho::api
