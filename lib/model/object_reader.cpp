#include "model/object_reader.hpp"

#include <fmt/format.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "core/error.hpp"

namespace biject {

using nlohmann::json;

ObjectReader::ObjectReader(const json& object, std::string name, Part part, const std::string& where)
    : object_(object), name_(std::move(name)), part_(part), where_(where) {
  if (!object_.is_object()) throw Error(ErrorKind::model, where_, name_ + " is not a JSON object");
}

bool ObjectReader::has(const char* key) const {
  return object_.contains(key);
}

const json& ObjectReader::field(const char* key) {
  const auto found = object_.find(key);
  if (found == object_.end()) wrong(key, "missing");
  ++read_;
  return *found;
}

void ObjectReader::operator()(const char* key, bool& value) {
  const json& found = field(key);
  if (!found.is_boolean()) wrong(key, "neither true nor false");
  value = found.get<bool>();
}

void ObjectReader::operator()(const char* key, std::string& value) {
  const json& found = field(key);
  if (!found.is_string()) wrong(key, "not a text");
  value = found.get<std::string>();
}

void ObjectReader::operator()(const char* key, double& value) {
  value = real(key, field(key));
}
void ObjectReader::operator()(const char* key, std::uint64_t& value) {
  value = count(key, field(key));
}
void ObjectReader::operator()(const char* key, std::int64_t& value) {
  value = index(key, field(key));
}

void ObjectReader::operator()(const char* key, std::vector<Index>& values) {
  values.clear();
  for (const json& found : list(key)) values.push_back(index(key, found));
}

void ObjectReader::operator()(const char* key, std::vector<double>& values) {
  values.clear();
  for (const json& found : list(key)) values.push_back(real(key, found));
}

void ObjectReader::finish() const {
  if (part_ == Part::record || read_ == object_.size()) return;
  throw Error(ErrorKind::model, where_, name_ + " holds a field that this version of biject does not know");
}

void ObjectReader::wrong(const char* key, const char* what) const {
  throw Error(ErrorKind::model, where_, fmt::format("{}: {} is {}", name_, key, what));
}

const json& ObjectReader::list(const char* key) {
  const json& found = field(key);
  if (!found.is_array()) wrong(key, "not a list");
  return found;
}

double ObjectReader::real(const char* key, const json& found) const {
  if (part_ == Part::record && found.is_null()) return std::numeric_limits<double>::quiet_NaN();
  if (!found.is_number()) wrong(key, "not a number");
  return found.get<double>();  // finite: the parser refuses what a double cannot hold
}

std::uint64_t ObjectReader::count(const char* key, const json& found) const {
  if (!found.is_number_unsigned()) wrong(key, "not a whole number from 0 to 2^64 - 1");
  return found.get<std::uint64_t>();
}

std::int64_t ObjectReader::index(const char* key, const json& found) const {
  const std::uint64_t value = count(key, found);
  if (value > std::numeric_limits<std::int64_t>::max()) wrong(key, "beyond 2^63 - 1");
  return static_cast<std::int64_t>(value);
}

}  // namespace biject
