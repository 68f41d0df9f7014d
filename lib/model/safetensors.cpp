#include "model/safetensors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <tuple>

#include "core/error.hpp"
#include "model/foreign_file.hpp"
#include "model/strict_json.hpp"

namespace biject {

namespace {

using nlohmann::json;
using std::uint64_t;

constexpr uint64_t kLongestHeader = uint64_t{16} << 20;  // bytes
constexpr std::size_t kMostTensors = 65536;
constexpr std::size_t kMostDimensions = 2;
constexpr char kMetadataKey[] = "__metadata__";

struct Dtype {
  std::string_view name;
  uint64_t bytes;
};
constexpr std::array kDtypes{Dtype{"BOOL", 1}, Dtype{"U8", 1},  Dtype{"I8", 1},   Dtype{"U16", 2},
                             Dtype{"I16", 2},  Dtype{"F16", 2}, Dtype{"BF16", 2}, Dtype{"U32", 4},
                             Dtype{"I32", 4},  Dtype{"F32", 4}, Dtype{"U64", 8},  Dtype{"I64", 8},
                             Dtype{"F64", 8}};

[[noreturn]] void refuse(const std::string& where, const std::string& what) {
  throw Error(ErrorKind::model, where, what);
}

[[noreturn]] void refuse_tensor(const std::string& where, const std::string& name, const std::string& what) {
  refuse(where, fmt::format("tensor {}: {}", quote(name), what));
}

std::optional<uint64_t> bytes_of(std::string_view dtype) {
  const auto row = std::ranges::find(kDtypes, dtype, &Dtype::name);
  return row == kDtypes.end() ? std::nullopt : std::optional(row->bytes);
}

std::optional<uint64_t> checked_product(uint64_t a, uint64_t b) {
  uint64_t product = 0;
  return __builtin_mul_overflow(a, b, &product) ? std::nullopt : std::optional(product);
}

uint64_t little_endian(std::string_view bytes) {
  uint64_t value = 0;
  for (std::size_t i = kHeaderBegin; i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

// [2, 3] → {2, 3}. JSON knows one kind of number; only tokens of digits that fit into 64 bits are sizes.
std::vector<uint64_t> read_sizes(const json& entry, const char* key, std::size_t most,
                                 const std::string& name, const std::string& where) {
  const json& list = entry.at(key);
  if (!list.is_array() || list.size() > most) {
    refuse_tensor(where, name, fmt::format("{} is not a list of at most {} whole numbers", key, most));
  }
  std::vector<uint64_t> sizes;
  for (const json& size : list) {
    if (!size.is_number_unsigned()) {
      refuse_tensor(where, name, fmt::format("{} holds something else than a whole number", key));
    }
    sizes.push_back(size.get<uint64_t>());
  }
  return sizes;
}

TensorEntry read_entry(const std::string& name, const json& entry, uint64_t data_bytes,
                       const std::string& where) {
  const bool is_complete = entry.is_object() && entry.size() == 3 && entry.contains("dtype") &&
                           entry.contains("shape") && entry.contains("data_offsets");
  if (!is_complete) refuse_tensor(where, name, "its entry is not exactly dtype, shape and data_offsets");
  const json& dtype = entry.at("dtype");
  const std::optional<uint64_t> width =
      dtype.is_string() ? bytes_of(dtype.get_ref<const std::string&>()) : std::nullopt;
  if (!width) refuse_tensor(where, name, "its dtype is unknown");

  TensorEntry tensor{name, dtype.get<std::string>(),
                     read_sizes(entry, "shape", kMostDimensions, name, where)};
  std::optional<uint64_t> bytes = width;
  for (const uint64_t size : tensor.shape) bytes = bytes ? checked_product(*bytes, size) : std::nullopt;
  if (!bytes) refuse_tensor(where, name, "its shape is larger than any file");

  const std::vector<uint64_t> offsets = read_sizes(entry, "data_offsets", 2, name, where);
  if (offsets.size() != 2 || offsets[0] > offsets[1]) {
    refuse_tensor(where, name, "data_offsets are not a begin and an end");
  }
  std::tie(tensor.begin, tensor.end) = std::tie(offsets[0], offsets[1]);
  if (tensor.end - tensor.begin != *bytes) {
    refuse_tensor(
        where, name,
        fmt::format("its shape needs {} bytes, its data_offsets hold {}", *bytes, tensor.end - tensor.begin));
  }
  if (tensor.end > data_bytes) {
    refuse_tensor(where, name,
                  fmt::format("it ends {} bytes after the end of the file: the file is cut short or damaged",
                              tensor.end - data_bytes));
  }
  return tensor;
}

}  // namespace

HeaderText read_header_text(const StoredBytes& source, const std::string& where) {
  std::string head(std::min<uint64_t>(source.size(), 512), '\0');
  source.read(0, head);
  // A safetensors file shows itself by the brace after the length; what lacks it is another kind of file.
  if (head.size() <= kHeaderBegin || head[kHeaderBegin] != '{') {
    throw Error(ErrorKind::model, where, "not a biject model" + describe_foreign(head));
  }
  const uint64_t length = little_endian(head);
  if (length > kLongestHeader) {
    refuse(where, fmt::format("not a biject model{}: the header would have {} bytes, at most {} are read",
                              describe_foreign(head), length, kLongestHeader));
  }
  if (length > source.size() - kHeaderBegin) {
    refuse(where, fmt::format("cut short: the header has {} bytes, the file {}", length, source.size()));
  }
  HeaderText header{std::string(length, '\0'), kHeaderBegin + length};
  source.read(kHeaderBegin, header.text);
  header.text.erase(header.text.find_last_not_of(' ') + 1);
  if (!header.text.ends_with('}')) {
    refuse(where, "header: not a JSON object with nothing but spaces after it");
  }
  return header;
}

Metadata read_metadata(const json& header, const std::string& where) {
  const auto found = header.find(kMetadataKey);
  if (found == header.end()) refuse(where, "not a biject model: its header has no __metadata__");
  if (!found->is_object()) refuse(where, "header: __metadata__ is not an object");
  Metadata metadata;
  for (const auto& [key, value] : found->items()) {
    if (!value.is_string()) refuse(where, fmt::format("header: the metadata {} is not a text", quote(key)));
    metadata.emplace(key, value.get<std::string>());
  }
  return metadata;
}

std::vector<TensorEntry> read_tensor_entries(const json& header, uint64_t data_bytes,
                                             const std::string& where) {
  if (header.size() > kMostTensors + 1) {
    refuse(where, fmt::format("header: more than {} tensors", kMostTensors));
  }
  std::vector<TensorEntry> tensors;
  for (const auto& [name, entry] : header.items()) {
    if (name != kMetadataKey) tensors.push_back(read_entry(name, entry, data_bytes, where));
  }
  std::ranges::sort(tensors, {},
                    [](const TensorEntry& tensor) { return std::tie(tensor.begin, tensor.end); });
  uint64_t end = 0;
  for (const TensorEntry& tensor : tensors) {
    if (tensor.begin != end) {
      refuse_tensor(where, tensor.name,
                    fmt::format("it begins at byte {}, the one before it ends at {}", tensor.begin, end));
    }
    end = tensor.end;
  }
  if (end != data_bytes) refuse(where, fmt::format("{} bytes follow the last tensor", data_bytes - end));
  return tensors;
}

std::string write_header(std::span<const std::pair<std::string, std::string>> metadata,
                         std::span<const TensorEntry> tensors) {
  auto header = nlohmann::ordered_json::object();
  for (const auto& [key, value] : metadata) header[kMetadataKey][key] = value;
  uint64_t end = 0;
  for (const TensorEntry& tensor : tensors) {
    const uint64_t begin = end;
    uint64_t bytes = bytes_of(tensor.dtype).value();
    for (const uint64_t size : tensor.shape) bytes *= size;
    end += bytes;
    header[tensor.name] = {{"dtype", tensor.dtype}, {"shape", tensor.shape}, {"data_offsets", {begin, end}}};
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');  // so that the numbers are aligned in a mapped file
  std::string bytes;
  for (int shift = 0; shift < 64; shift += 8) bytes.push_back(static_cast<char>(text.size() >> shift));
  return bytes + text;
}

}  // namespace biject
