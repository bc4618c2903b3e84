// SPDX-License-Identifier: BSD-3-Clause
#include "control/guard/nft.hpp"

#include <linux/netlink.h>
#include <nftables/libnftables.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

namespace sekisho::guard::nft {

namespace {

// libnftables ends the process when it cannot open its socket.
bool can_open_a_socket() {
  const int socket = ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
  return socket >= 0 && ::close(socket) == 0;
}

}  // namespace

Output run(const std::string& command, Format format) {
  if (!can_open_a_socket()) {
    return {false, {}, std::string("nftables cannot be asked: ") + std::strerror(errno)};
  }
  const std::unique_ptr<nft_ctx, decltype(&nft_ctx_free)> context(nft_ctx_new(NFT_CTX_DEFAULT), nft_ctx_free);
  if (!context || nft_ctx_buffer_output(context.get()) != 0 || nft_ctx_buffer_error(context.get()) != 0) {
    return {false, {}, "libnftables cannot be initialised"};
  }
  if (format == Format::json) {
    nft_ctx_output_set_flags(context.get(), NFT_CTX_OUTPUT_JSON);
  }
  Output output;
  output.done = nft_run_cmd_from_buffer(context.get(), command.c_str()) == 0;
  output.text = nft_ctx_get_output_buffer(context.get());
  const std::string_view error = nft_ctx_get_error_buffer(context.get());
  output.error = error.substr(0, error.find('\n'));
  if (const auto at = output.error.find("Error: "); at != std::string::npos) {
    output.error.erase(0, at + 7);
  }
  return output;
}

}  // namespace sekisho::guard::nft
