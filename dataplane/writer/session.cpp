// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/writer/session.hpp"

#include <poll.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <new>
#include <utility>
#include <vector>

#include "common/ipc/peer.hpp"

namespace sekisho::writer {
namespace {

// A reply that would be longer than a frame becomes an error with the same id.
std::string to_frame(const ipc::Message& message) {
  const auto length = message.ByteSizeLong();
  if (length > ipc::max_frame) {
    ipc::Message instead;
    instead.mutable_reply()->set_id(message.reply().id());
    instead.mutable_reply()->mutable_error()->set_reason(
        fmt::format("the answer of {} bytes does not fit a frame", length));
    return to_frame(instead);
  }
  auto frame = ipc::begin_frame(length);
  message.AppendToString(&frame);
  return frame;
}

}  // namespace

namespace asio = boost::asio;

Session::Session(asio::local::stream_protocol::socket socket, Service& service)
    : socket_{std::move(socket)}, service_{&service} {
  if (const auto peer = ipc::peer_of(socket_.native_handle())) {
    process_ = peer->process;
    is_owners_ = peer->is_owner();
  }
}

bool Session::has_gone() {
  pollfd end{.fd = socket_.native_handle(), .events = POLLRDHUP, .revents = 0};
  return ::poll(&end, 1, 0) > 0;
}

ipc::Seat Session::seat() const {
  const bool is_served = has_changed_ || watching_ || stream_ || !output_.empty();
  return {.is_owners = is_owners_,
          .standing = is_served     ? ipc::Standing::busy
                      : subscribed_ ? ipc::Standing::subscribed
                                    : ipc::Standing::idle,
          .since = since_};
}

// What a new connection takes at once.
void Session::turn_away(const std::string& reason) {
  service_ = nullptr;
  ipc::Message message;
  message.mutable_reply()->mutable_error()->set_reason(reason);
  boost::system::error_code ignored;
  socket_.non_blocking(true, ignored);
  socket_.write_some(asio::buffer(to_frame(message)), ignored);
  socket_.close(ignored);
}

void Session::close() {
  if (service_ == nullptr) {
    return;
  }
  const auto self = shared_from_this();
  auto* const service = std::exchange(service_, nullptr);
  boost::system::error_code ignored;
  socket_.close(ignored);
  stream_.reset();
  service->disconnected(*this);
}

void Session::tick() {
  if (!output_.empty() && ++stalled_ > stall_limit) {
    spdlog::warn("a client takes no answers: its connection is closed");
    close();
  } else if (!subscribed_ && !watching_ && ++idle_ > idle_limit) {
    spdlog::debug("a client asks nothing: its connection is closed");
    close();
  }
}

// A client that costs more memory than there is goes, and nothing else does.
template <class Work>
void Session::with_memory(Work work) {
  try {
    work();
  } catch (const std::bad_alloc&) {
    spdlog::error("there is no memory to serve a client: its connection is closed");
    close();
  }
}

void Session::pump() {
  while (service_ != nullptr && !finishing_ && !stream_ && queued_ < busy_queue) {
    const auto frame = frames_.next();
    if (!frame) {
      return finish(frame.error());
    }
    if (!*frame) {
      return read();
    }
    idle_ = 0;
    since_ = std::chrono::steady_clock::now();
    ipc::Request request;
    if (!request.ParseFromArray((*frame)->data(), static_cast<int>((*frame)->size()))) {
      return finish("what came is not a Request of dataplane.proto");
    }
    service_->handle(*this, request);
  }
}

void Session::read() {
  if (std::exchange(reading_, true)) {
    return;
  }
  const auto room = frames_.prepare();
  socket_.async_read_some(asio::buffer(room.data(), room.size()),
                          [self = shared_from_this()](boost::system::error_code error, std::size_t count) {
                            self->reading_ = false;
                            if (error) {
                              return self->close();
                            }
                            self->frames_.commit(count);
                            self->with_memory([&] { self->pump(); });
                          });
}

void Session::finish(const std::string& reason) {
  spdlog::warn("a client's connection is closed: {}", reason);
  refuse(0, reason);
  finishing_ = true;
}

void Session::reply(ipc::Reply reply) {
  ipc::Message message;
  *message.mutable_reply() = std::move(reply);
  send(to_frame(message));
}

void Session::refuse(std::uint64_t id, const std::string& reason) {
  ipc::Reply answer;
  answer.set_id(id);
  answer.mutable_error()->set_reason(reason);
  reply(std::move(answer));
}

void Session::notify(const ipc::Event& event) {
  if (!subscribed_ || finishing_ || service_ == nullptr) {
    return;
  }
  ipc::Message message;
  *message.mutable_event() = event;
  send(to_frame(message));
  if (queued_ > max_queued) {
    spdlog::warn("a subscriber takes no events: its connection is closed");
    close();
  }
}

void Session::stream(std::uint64_t id, RouteList list) {
  stream_.emplace(Stream{.id = id, .list = std::move(list)});
  if (output_.empty()) {
    next_chunk();
  }
}

void Session::next_chunk() {
  auto& [id, list, sent] = *stream_;
  const auto end = std::min(list.routes.size(), sent + routes_a_chunk);
  ipc::Reply answer;
  answer.set_id(id);
  auto& routes = *answer.mutable_routes();
  routes.set_zone(list.zone);
  routes.set_more(end != list.routes.size());
  routes.mutable_address()->Reserve(static_cast<int>(end - sent));
  routes.mutable_next_hop()->Reserve(static_cast<int>(end - sent));
  constexpr int unnamed = -1;
  std::vector<int> position(nexthop::max_next_hops, unnamed);
  for (; sent < end; ++sent) {
    const auto& route = list.routes[sent];
    auto& next_hop = position[route.value];
    if (next_hop == unnamed) {
      next_hop = routes.next_hop_names_size();
      routes.add_next_hop_names(list.next_hops.at(nexthop::NextHopIndex{route.value}));
    }
    routes.add_address(route.prefix.address);
    routes.mutable_length()->push_back(static_cast<char>(route.prefix.length));
    routes.add_next_hop(static_cast<std::uint32_t>(next_hop));
  }
  if (!routes.more()) {
    stream_.reset();
  }
  reply(std::move(answer));
}

void Session::send(std::string frame) {
  if (service_ == nullptr) {
    return;
  }
  queued_ += frame.size();
  output_.push_back(std::move(frame));
  write();
}

void Session::write() {
  if (std::exchange(writing_, true)) {
    return;
  }
  const auto& frame = output_.front();
  socket_.async_write_some(asio::buffer(frame.data() + written_, frame.size() - written_),
                           [self = shared_from_this()](boost::system::error_code error, std::size_t count) {
                             self->writing_ = false;
                             if (error) {
                               return self->close();
                             }
                             self->with_memory([&] { self->wrote(count); });
                           });
}

void Session::wrote(std::size_t count) {
  if (service_ == nullptr) {
    return;
  }
  stalled_ = 0;
  written_ += count;
  if (written_ == output_.front().size()) {
    queued_ -= std::exchange(written_, 0);
    output_.pop_front();
  }
  if (!output_.empty()) {
    return write();
  }
  if (finishing_) {
    return close();
  }
  if (stream_) {
    next_chunk();
  }
  pump();
}

}  // namespace sekisho::writer
