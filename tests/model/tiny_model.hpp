#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/error.hpp"
#include "core/rng.hpp"
#include "flows/flow.hpp"
#include "model/model.hpp"
#include "model/model_file.hpp"
#include "model/sha256.hpp"

/// What the tests of the model file share: a model that has one of everything, and files that differ from its
/// file.
namespace biject::test {

/// Random parameters where they are free, float values unless is_double.
inline Arena<double> random_theta(const Layout& layout, bool is_double) {
  const Rng rng(1, Stream::init);
  Arena<double> theta(layout);
  for (const Tensor& tensor : layout.tensors()) {
    for (const auto& [first, slot] : tensor.panels) {
      for (Index col = 0; col < slot.cols; ++col) {
        const bool is_masked = !tensor.prefix.empty();
        const Index rows = is_masked ? tensor.prefix[static_cast<std::size_t>(first + col)] : slot.rows;
        for (Index row = 0; row < rows; ++row) {
          const Index place = slot.offset + col * slot.rows + row;
          const double value = rng.normal(static_cast<std::uint64_t>(place), 0);
          theta.flat()[static_cast<std::size_t>(place)] = is_double ? value : static_cast<float>(value);
        }
      }
    }
  }
  return theta;
}

/// Three features and a context column; dense and masked tensors.
inline Model tiny_model(const std::string& flow = "maf", bool is_double = false) {
  Model model;
  model.spec = {.flow = flow, .features = 3, .context = 1, .layers = 2, .hidden = {16, 16}};
  model.columns = {{"x", 1.5, 2, -3, 4, false},
                   {"given, \"so\"", 0.1, 1e-3, 0, 1, true},
                   {"größe", -1e300, 1e300, -5e-324, 1e308, false},
                   {"", 0, 1, 0, 0, false}};
  model.is_double = is_double;
  model.theta = random_theta(Flow<double>(model.spec).params(), is_double);
  model.training = {.seed = 18446744073709551615u,
                    .rows = 900,
                    .validation_rows = 100,
                    .rows_skipped = 3,
                    .batch_size = 512,
                    .learning_rate = 1e-3,
                    .weight_decay = 0.1,
                    .clip = 5,
                    .schedule = "constant",
                    .averaged = true,
                    .epochs = 40,
                    .best_epoch = 17,
                    .rejected_steps = 1,
                    .stop = "patience",
                    .seconds = 12.25,
                    .train = {-1.25, 0.1, 900},
                    .validation = {-1.5, 0.3, 100},
                    .gaussian = {-3, 0.2, 100}};
  model.quantiles = {{0.1, -20.5}, {50, -1}, {99, 0.1}};
  return model;
}

inline std::uint64_t header_length(std::string_view file) {
  std::uint64_t length = 0;
  for (std::size_t i = 8; i-- > 0;) length = length << 8 | static_cast<unsigned char>(file[i]);
  return length;
}
inline std::string header_of(std::string_view file) {
  return std::string(file.substr(8, header_length(file)));
}
inline std::string numbers_of(std::string_view file) {
  return std::string(file.substr(8 + header_length(file)));
}

/// A container of these parts, with the right length in front.
inline std::string container(const std::string& header, const std::string& numbers) {
  std::string file;
  for (int shift = 0; shift < 64; shift += 8) file.push_back(static_cast<char>(header.size() >> shift));
  return file + header + numbers;
}

/// The file with a digest that fits its other bytes, so that a reader has to look at those; unchanged if it
/// has none.
inline std::string with_digest(std::string file) {
  constexpr std::string_view kKey = "\"digest\":\"sha256:";
  const std::size_t key = file.find(kKey);
  if (key == std::string::npos || file.size() < key + kKey.size() + 64) return file;
  file.replace(key + kKey.size(), 64, std::string(64, '0'));
  Sha256 sha;
  sha.update(file);
  return file.replace(key + kKey.size(), 64, sha.finish());
}

/// The message of the Error that `read` throws, or "" if it throws none.
template <class Read>
std::string model_refusal(Read&& read) {
  try {
    read();
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::model);
    CHECK(error.where() == "name");
    return error.what();
  }
  return "";
}

inline bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != text.npos;
}

/// The file of the tiny model.
inline const std::string& good() {
  static const std::string kFile = serialize(tiny_model());
  return kFile;
}

/// Its parameters.
inline std::span<const Tensor> tensors() {
  static const Flow<double> kFlow(tiny_model().spec);
  return kFlow.params().tensors();
}

/// The first tensor whose column 0 does not use the last row, and the first that has no mask.
inline const Tensor& masked_tensor() {
  return *std::ranges::find_if(tensors(), [](const Tensor& tensor) {
    return !tensor.prefix.empty() && tensor.prefix.front() < tensor.rows;
  });
}
inline const Tensor& dense_tensor() {
  return *std::ranges::find_if(tensors(), [](const Tensor& tensor) { return tensor.prefix.empty(); });
}

}  // namespace biject::test
