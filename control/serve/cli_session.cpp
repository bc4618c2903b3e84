// SPDX-License-Identifier: BSD-3-Clause
#include "control/serve/cli_session.hpp"

#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <new>
#include <utility>

#include "common/base/memory_reserve.hpp"

namespace sekisho::serve {

namespace asio = boost::asio;
using ErrorCode = boost::system::error_code;

namespace {

constexpr std::uint32_t max_question = 1u << 20;      // nothing that the CLI asks comes near
constexpr std::uint32_t max_change = ipc::max_frame;  // most_changes, with names as long as they get
constexpr const char* too_little_memory = "sekisho-control has no memory for it: nothing was changed";

Answer refusal(const std::string& why) {
  return {.reply = {{"ok", false}, {"error", why}}, .next = {}};
}

}  // namespace

CliSession::CliSession(Socket socket, Role role, Backend& backend, std::uint64_t started_unix_ms,
                       std::chrono::milliseconds patience)
    : socket_(std::move(socket)),
      deadline_(socket_.get_executor()),
      role_(std::move(role)),
      backend_(backend),
      started_unix_ms_(started_unix_ms),
      patience_(patience) {}

CliSession::~CliSession() {
  close();
}

void CliSession::close() {
  ErrorCode ignored;
  socket_.close(ignored);
  deadline_.cancel();
  later_ = nullptr;
  if (auto once = std::exchange(closed, nullptr)) {
    once();
  }
}

ipc::Seat CliSession::seat() const {
  return {.is_owners = role_.is_owner(),
          .standing = later_     ? ipc::Standing::subscribed
                      : is_busy_ ? ipc::Standing::busy
                                 : ipc::Standing::idle,
          .since = since_};
}

void CliSession::turn_away(const std::string& why) {
  // What a new connection takes at once; who has not asked yet loses nothing.
  ErrorCode ignored;
  socket_.non_blocking(true, ignored);
  socket_.write_some(asio::buffer(ipc::frame(refusal(why).reply.dump())), ignored);
  close();
}

void CliSession::be_patient() {
  deadline_.expires_after(patience_);
  deadline_.async_wait([weak = weak_from_this()](ErrorCode stopped) {
    if (const auto self = weak.lock(); self && !stopped) {
      self->close();
    }
  });
}

void CliSession::read_header() {
  is_busy_ = false;
  be_patient();
  asio::async_read(socket_, asio::buffer(header_), [self = shared_from_this()](ErrorCode error, std::size_t) {
    const auto length = ipc::frame_length(self->header_);
    if (error || length == 0 || length > max_change) {
      self->close();
    } else if (const auto allowed = self->role_.may(Json{{"command", "route"}});
               length > max_question && !allowed) {
      self->turn_away(allowed.error());  // only a change is that long
    } else {
      self->read_body(length);
    }
  });
}

void CliSession::read_body(std::uint32_t length) {
  body_.clear();
  // Grows with what arrives: a length alone costs nothing.
  asio::async_read(socket_, asio::dynamic_buffer(body_), asio::transfer_exactly(length),
                   [self = shared_from_this()](ErrorCode error, std::size_t) {
                     if (error) {
                       self->close();
                     } else {
                       self->answer();
                     }
                   });
}

void CliSession::answer() {
  deadline_.cancel();
  is_busy_ = true;
  since_ = std::chrono::steady_clock::now();
  try {
    const auto request = Json::parse(body_, nullptr, false);
    if (!request.is_object()) {  // no client of ours: what it sends next cannot be trusted either
      close();
      return;
    }
    if (const auto allowed = role_.may(request); !allowed) {
      send(refusal(allowed.error()));
      return;
    }
    if (!only_reads(request) && !base::restore_memory_reserve()) {
      send(refusal(too_little_memory));
      return;
    }
    handle(request, backend_, started_unix_ms_, [self = shared_from_this()](Answer answer) {
      if (self->socket_.is_open()) {
        self->send(std::move(answer));
      }
    });
  } catch (const std::bad_alloc&) {
    send(refusal(too_little_memory));
  }
}

// A client that waits says nothing: what comes from it is its end.
void CliSession::wait_for_more(std::function<void(std::function<void(Answer)>)> later) {
  deadline_.cancel();
  later_ = std::move(later);
  if (!std::exchange(is_watched_, true)) {
    socket_.async_wait(Socket::wait_read,
                       [self = shared_from_this()](ErrorCode /*error*/) { self->close(); });
  }
  const auto ask = later_;  // it may end meanwhile
  ask([self = shared_from_this()](Answer answer) {
    if (self->socket_.is_open()) {
      self->send(std::move(answer));
    }
  });
}

void CliSession::send(Answer answer) {
  // A file's name may hold any byte; JSON may not.
  auto text = answer.reply.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (text.size() > ipc::max_frame) {
    text = R"({"ok":false,"error":"the answer does not fit a reply"})";
    answer.next = nullptr;
    answer.later = nullptr;
  }
  reply_ = ipc::frame(text);
  be_patient();
  asio::async_write(socket_, asio::buffer(reply_),
                    [self = shared_from_this(), next = std::move(answer.next),
                     later = std::move(answer.later)](ErrorCode error, std::size_t) {
                      if (error) {
                        self->close();
                      } else if (later) {
                        self->wait_for_more(later);
                      } else if (next) {
                        try {
                          self->send(next());
                        } catch (const std::bad_alloc&) {
                          self->close();  // the client says that the answer has no end
                        }
                      } else {
                        self->read_header();
                      }
                    });
}

}  // namespace sekisho::serve
