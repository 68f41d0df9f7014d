#include "model/model_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "flows/flow.hpp"
#include "model/model_json.hpp"
#include "model/model_tensors.hpp"
#include "model/sha256.hpp"
#include "model/strict_json.hpp"

namespace biject {

namespace {

constexpr std::string_view kDigestPrefix = "sha256:";
constexpr std::size_t kDigestDigits = 64;
// Room for the largest flow that check() lets pass, and little enough that a digest takes seconds.
constexpr std::uint64_t kLargestFile = std::uint64_t{3} << 30;  // bytes

[[noreturn]] void refuse(const std::string& where, const std::string& what, const std::string& hint = {}) {
  throw Error(ErrorKind::model, where, what, hint);
}

// The header of a file of the right format and version, of which nothing else is known yet.
struct Envelope {
  HeaderText header;
  Metadata metadata;
  std::vector<TensorEntry> tensors;
};

void check_version(const Metadata& metadata, const std::string& where) {
  const std::string& text = metadata_text(metadata, "format_version", where);
  if (text == std::to_string(kFormatVersion)) return;
  const bool is_number =
      !text.empty() && std::ranges::all_of(text, [](char c) { return '0' <= c && c <= '9'; });
  if (!is_number) refuse(where, fmt::format("format_version is {}, not a whole number", quote(text)));
  const auto writer = metadata.find("biject_version");
  refuse(where,
         fmt::format("made by format version {}{}, this biject ({}) reads {}", quote(text),
                     writer == metadata.end() ? "" : " of biject " + quote(writer->second), BIJECT_VERSION,
                     kFormatVersion),
         "fit the model again, or use the biject that made it");
}

Envelope open_envelope(const StoredBytes& source, const std::string& where) {
  if (source.size() > kLargestFile) {
    refuse(where, fmt::format("not a biject model: it has {} bytes, models have at most {}", source.size(),
                              kLargestFile));
  }
  Envelope envelope{read_header_text(source, where), {}, {}};
  const nlohmann::json header = parse_strict(envelope.header.text, "header", where);
  envelope.metadata = read_metadata(header, where);
  const auto format = envelope.metadata.find("format");
  if (format == envelope.metadata.end() || format->second != "biject") {
    refuse(where, "not a biject model but a safetensors file of another program");
  }
  check_version(envelope.metadata, where);
  envelope.tensors = read_tensor_entries(header, source.size() - envelope.header.data_begin, where);
  return envelope;
}

// The digest of all bytes but its own digits, which count as zeros.
std::string compute_digest(const StoredBytes& source, std::uint64_t digits_begin) {
  Sha256 sha;
  std::string chunk;
  const auto absorb = [&](std::uint64_t begin, std::uint64_t end) {
    constexpr std::uint64_t kChunk = 1 << 16;
    for (; begin < end; begin += chunk.size()) {
      chunk.resize(std::min(kChunk, end - begin));
      source.read(begin, chunk);
      sha.update(chunk);
    }
  };
  absorb(0, digits_begin);
  sha.update(std::string(kDigestDigits, '0'));
  absorb(digits_begin + kDigestDigits, source.size());
  return sha.finish();
}

void check_digest(const StoredBytes& source, const Envelope& envelope, const std::string& where) {
  const std::string& digest = metadata_text(envelope.metadata, "digest", where);
  const std::size_t place = envelope.header.text.find(digest);
  const bool is_digest =
      digest.starts_with(kDigestPrefix) && digest.size() == kDigestPrefix.size() + kDigestDigits;
  if (!is_digest || place == std::string::npos) {
    refuse(where,
           fmt::format("damaged: its digest is {}, not sha256 and {} digits", quote(digest), kDigestDigits));
  }
  const std::string actual = compute_digest(source, kHeaderBegin + place + kDigestPrefix.size());
  if (digest.substr(kDigestPrefix.size()) != actual) {
    refuse(where, "damaged: its digest does not match its contents", "copy the file again, or fit again");
  }
}

// Each unit, and each feature of each layer, has numbers of its own in every flow. A spec that promises more
// than the file can hold is therefore refused before the flow, with its tables, is built. Generous: only the
// order counts.
void check_plausible(const FlowSpec& spec, std::span<const TensorEntry> tensors, const std::string& where) {
  const std::uint64_t bytes = tensors.empty() ? 0 : tensors.back().end;
  const auto exceeds = [&](auto size) {
    return static_cast<double>(size) > 1024 + static_cast<double>(bytes);
  };
  const double layers = static_cast<double>(spec.layers), features = static_cast<double>(spec.features);
  if (exceeds(layers * features) || exceeds(layers) || exceeds(features) || exceeds(spec.context) ||
      std::ranges::any_of(spec.hidden, exceeds)) {
    refuse(where, fmt::format("the flow that it describes needs more than its {} bytes of numbers", bytes));
  }
}

// What only a flow can say about its spec; in a file it is the file that is wrong.
template <class Action>
auto blame_file(const std::string& where, Action&& action) {
  try {
    return action();
  } catch (const Error& error) {
    refuse(where, fmt::format("flow: {}", error.what()));
  }
}

Model read_checked_description(const Envelope& envelope, const std::string& where) {
  Model model = read_description(envelope.metadata, where);
  blame_file(where, [&] { check(model.spec); });
  check_description(model, where);
  model.is_double = !envelope.tensors.empty() && envelope.tensors.front().dtype == "F64";
  return model;
}

Model read_model(const StoredBytes& source, const std::string& where) {
  const Envelope envelope = open_envelope(source, where);
  check_digest(source, envelope, where);
  Model model = read_checked_description(envelope, where);
  check_plausible(model.spec, envelope.tensors, where);
  const auto flow = blame_file(where, [&] { return Flow<double>(model.spec); });
  const auto entries = match_tensors(envelope.tensors, flow.params(), model.is_double, where);
  model.theta = read_tensors(entries, flow.params(), source, envelope.header.data_begin, where);
  return model;
}

}  // namespace

std::string serialize(const Model& model, bool with_seconds) {
  check_description(model, {});
  const Flow<double> flow(model.spec);
  const std::string zeros = std::string(kDigestPrefix) + std::string(kDigestDigits, '0');
  std::vector<std::pair<std::string, std::string>> metadata{
      {"format", "biject"},
      {"format_version", std::to_string(kFormatVersion)},
      {"biject_version", BIJECT_VERSION},
      {"digest", zeros}};
  std::ranges::move(describe_model(model, with_seconds), std::back_inserter(metadata));
  std::string bytes = write_header(metadata, describe_tensors(flow.params(), model.is_double));
  append_tensors(bytes, flow.params(), model.theta, model.is_double);
  // The first place is the digest's own: it stands before all text that a user wrote.
  const std::size_t digits_begin = bytes.find(zeros) + kDigestPrefix.size();
  return bytes.replace(digits_begin, kDigestDigits, compute_digest(BytesInMemory(bytes), digits_begin));
}

Model parse_model(std::string_view bytes, const std::string& name) {
  return read_model(BytesInMemory(bytes), name);
}

Model load_model(const std::string& path) {
  return read_model(BytesInFile(path), path);
}

ModelHeader load_model_header(const std::string& path) {
  const BytesInFile source(path);
  const Envelope envelope = open_envelope(source, path);
  ModelHeader header{.model = read_checked_description(envelope, path),
                     .biject_version = metadata_text(envelope.metadata, "biject_version", path),
                     .digest = metadata_text(envelope.metadata, "digest", path),
                     .tensors = {},
                     .file_bytes = source.size()};
  for (const TensorEntry& tensor : envelope.tensors) {
    header.tensors.push_back({tensor.name, tensor.dtype, {tensor.shape.begin(), tensor.shape.end()}});
  }
  return header;
}

}  // namespace biject
