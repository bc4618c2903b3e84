#include "control/load/file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

namespace sekisho::load {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0)
      ::close(fd_);
  }
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

auto system_error(const std::filesystem::path& file, std::string_view what, int code) {
  return tl::unexpected(Error{file, 0, fmt::format("{}: {}", what, std::strerror(code))});
}

auto too_large(const std::filesystem::path& file, std::size_t limit) {
  return tl::unexpected(Error{file, 0, fmt::format("holds more than {} bytes", limit)});
}

}  // namespace

auto read_file(const std::filesystem::path& file, std::size_t limit) -> tl::expected<std::string, Error> {
  const Descriptor descriptor{::open(file.c_str(), O_RDONLY | O_CLOEXEC)};
  if (descriptor.get() < 0)
    return system_error(file, "cannot be opened", errno);
  struct stat status {};
  if (::fstat(descriptor.get(), &status) != 0)
    return system_error(file, "cannot be read", errno);
  if (S_ISDIR(status.st_mode))
    return tl::unexpected(Error{file, 0, "is a directory"});

  // The size is only a hint: the file may grow meanwhile, and a pipe has none. One byte more lets the read
  // that fills the buffer be followed by the one that says "end".
  std::string bytes(std::min(static_cast<std::size_t>(status.st_size), limit) + 1, '\0');
  std::size_t size = 0;
  for (;;) {
    if (size == bytes.size()) {
      if (size > limit)
        return too_large(file, limit);
      bytes.resize(std::min(std::max<std::size_t>(2 * size, 1 << 16), limit + 1));
    }
    const ssize_t got = ::read(descriptor.get(), bytes.data() + size, bytes.size() - size);
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      return system_error(file, "cannot be read", errno);
    if (got == 0)
      break;
    size += static_cast<std::size_t>(got);
  }
  if (size > limit)
    return too_large(file, limit);
  bytes.resize(size);
  return bytes;
}

bool is_gzip(std::string_view bytes) noexcept {
  return bytes.starts_with("\x1f\x8b");
}

auto inflate(std::string_view bytes, const std::filesystem::path& file, std::size_t limit)
    -> tl::expected<std::string, Error> {
  const auto refuse = [&](std::string reason) { return tl::unexpected(Error{file, 0, std::move(reason)}); };
  z_stream stream{};
  constexpr int gzip_only = 16 + MAX_WBITS;
  if (inflateInit2(&stream, gzip_only) != Z_OK)
    return refuse("cannot be decompressed: out of memory");
  const std::unique_ptr<z_stream, decltype(&inflateEnd)> owner{&stream, &inflateEnd};

  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  std::size_t left = bytes.size();  // behind what the stream was given: its counters have 32 bits
  std::string text(std::min(4 * bytes.size() + 64, limit + 1), '\0');
  std::size_t size = 0;
  for (;;) {
    if (size == text.size()) {
      if (size > limit)
        return refuse(fmt::format("decompresses to more than {} bytes", limit));
      text.resize(std::min(2 * size, limit + 1));
    }
    constexpr std::size_t chunk = 1 << 30;
    if (stream.avail_in == 0) {
      stream.avail_in = static_cast<uInt>(std::min(left, chunk));
      left -= stream.avail_in;
    }
    const auto room = static_cast<uInt>(std::min(text.size() - size, chunk));
    stream.next_out = reinterpret_cast<Bytef*>(text.data() + size);
    stream.avail_out = room;
    const int result = ::inflate(&stream, Z_NO_FLUSH);
    size += room - stream.avail_out;
    if (result == Z_STREAM_END) {
      if (stream.avail_in == 0 && left == 0)
        break;
      if (inflateReset(&stream) != Z_OK)
        return refuse("cannot be decompressed");
    } else if (result == Z_BUF_ERROR ||
               (result == Z_OK && stream.avail_out != 0 && stream.avail_in == 0 && left == 0)) {
      return refuse("is compressed with gzip and ends too early");
    } else if (result != Z_OK) {
      return refuse(fmt::format("is compressed with gzip and damaged ({})",
                                stream.msg != nullptr ? stream.msg : "no reason"));
    }
  }
  if (size > limit)
    return refuse(fmt::format("decompresses to more than {} bytes", limit));
  text.resize(size);
  return text;
}

}  // namespace sekisho::load
