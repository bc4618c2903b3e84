#include "control/load/reader.hpp"

#include <fmt/format.h>

#include "control/load/azure.hpp"
#include "control/load/json.hpp"
#include "control/load/mrt.hpp"
#include "control/load/text.hpp"

namespace sekisho::load {

auto read_routes(const std::filesystem::path& file, const Options& options)
    -> tl::expected<RouteFile, Error> {
  const auto bytes = read_content(file, max_bytes, options.progress);
  if (!bytes)
    return tl::unexpected(bytes.error());
  if (is_mrt(*bytes))
    return parse_mrt(*bytes, file, options.peer);
  if (options.peer)
    return tl::unexpected(Error{file, 0,
                                fmt::format("is no MRT file: it has no routes of a peer, {} or another",
                                            fib::address_to_string(*options.peer))});
  if (is_json(*bytes))
    return parse_azure(*bytes, file);
  return parse_text(*bytes, file);
}

}  // namespace sekisho::load
