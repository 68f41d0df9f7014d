#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "core/types.hpp"

namespace biject {

/// A part of the description of a model decides about the density, or it is a record of how the model came
/// about. In a record a number may be undefined (JSON null, NaN here) and fields of later versions are passed
/// over.
enum class Part { density, record };

/// The fields of a JSON object, read one by one with their types checked; nothing is converted. Throws Error
/// (ErrorKind::model) that names the part and the field. Refers to its arguments `object` and `where`.
class ObjectReader {
 public:
  ObjectReader(const nlohmann::json& object, std::string name, Part part, const std::string& where);

  bool has(const char* key) const;
  const nlohmann::json& field(const char* key);

  void operator()(const char* key, bool& value);
  void operator()(const char* key, std::string& value);
  void operator()(const char* key, double& value);
  void operator()(const char* key, std::uint64_t& value);
  void operator()(const char* key, std::int64_t& value);
  void operator()(const char* key, std::vector<Index>& values);
  void operator()(const char* key, std::vector<double>& values);

  /// Refuses fields that nobody asked for, as they might change the density.
  void finish() const;

 private:
  [[noreturn]] void wrong(const char* key, const char* what) const;
  const nlohmann::json& list(const char* key);
  double real(const char* key, const nlohmann::json& found) const;
  std::uint64_t count(const char* key, const nlohmann::json& found) const;
  std::int64_t index(const char* key, const nlohmann::json& found) const;

  const nlohmann::json& object_;
  std::string name_;
  Part part_;
  const std::string& where_;
  std::size_t read_ = 0;
};

}  // namespace biject
