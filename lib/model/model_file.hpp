#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "model/model.hpp"

namespace biject {

inline constexpr int kFormatVersion = 1;

/// What stands in the header of a model file, without the numbers: for `info`.
struct ModelHeader {
  Model model;  // theta is empty
  std::string biject_version, digest;
  struct TensorLine {
    std::string name, dtype;
    std::vector<std::int64_t> shape;
  };
  std::vector<TensorLine> tensors;
  std::uint64_t file_bytes = 0;
};

/// The bytes of a model file (man/biject-model.5): safetensors, deterministic. `with_seconds` adds the
/// wall-clock time of the fit, the one thing in the file that differs between two fits of the same data and
/// seed.
std::string serialize(const Model& model, bool with_seconds = false);
/// The inverse. `name` is for messages. Throws Error (ErrorKind::model) on anything but a complete, undamaged
/// model.
Model parse_model(std::string_view bytes, const std::string& name);

/// Reads a model; Error of kind io if it cannot be read, of kind model if it is not a model. Bounded in time
/// and memory whatever the file is.
Model load_model(const std::string& path);
ModelHeader load_model_header(const std::string& path);

}  // namespace biject
