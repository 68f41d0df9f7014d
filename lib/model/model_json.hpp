#pragma once

#include <string>
#include <utility>
#include <vector>

#include "model/model.hpp"
#include "model/safetensors.hpp"

namespace biject {

/// Everything of a model but its numbers, as the metadata of its file: flow, columns, preprocessing,
/// training, metrics, log_prob_quantiles. Reading is strict, and throws Error (ErrorKind::model) that names
/// the part and the field.

std::vector<std::pair<std::string, std::string>> describe_model(const Model& model, bool with_seconds);
/// Model::theta and is_double stay as they are by default.
Model read_description(const Metadata& metadata, const std::string& where);

/// The text of a key that must be there.
const std::string& metadata_text(const Metadata& metadata, const std::string& key, const std::string& where);

/// What must hold in every model, on its way out as well as in: columns fit the flow, maps are invertible,
/// names are unique, quantiles rise.
void check_description(const Model& model, const std::string& where);

}  // namespace biject
