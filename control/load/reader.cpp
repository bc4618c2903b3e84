#include "control/load/reader.hpp"

#include "control/load/azure.hpp"
#include "control/load/file.hpp"
#include "control/load/json.hpp"
#include "control/load/text.hpp"

namespace sekisho::load {

auto read_routes(const std::filesystem::path& file, const Options& /*options*/)
    -> tl::expected<RouteFile, Error> {
  auto bytes = read_file(file);
  if (bytes && is_gzip(*bytes))
    bytes = inflate(*bytes, file);
  if (!bytes)
    return tl::unexpected(bytes.error());
  if (is_json(*bytes))
    return parse_azure(*bytes, file);
  return parse_text(*bytes, file);
}

}  // namespace sekisho::load
