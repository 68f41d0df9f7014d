#include "model/strict_json.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <vector>

#include "core/error.hpp"

namespace biject {

namespace {

using nlohmann::json;

constexpr std::size_t kDeepest = 4;           // header → tensor → shape, and one to spare
constexpr std::size_t kMostValues = 600'000;  // 65536 tensors of eight values each, and the metadata

// Builds a document from parser events, which come one by one without recursion; any `false` ends the parse.
// The ready-made parser would keep the last of two equal keys without a word.
class StrictBuilder final : public nlohmann::json_sax<json> {
 public:
  json document;
  std::string problem;

  bool null() override { return put(nullptr) != nullptr; }
  bool boolean(bool value) override { return put(value) != nullptr; }
  bool number_integer(number_integer_t value) override { return put(value) != nullptr; }
  bool number_unsigned(number_unsigned_t value) override { return put(value) != nullptr; }
  bool number_float(number_float_t value, const string_t&) override { return put(value) != nullptr; }
  bool string(string_t& value) override { return put(std::move(value)) != nullptr; }
  bool binary(binary_t&) override { return false; }  // not in JSON text
  bool start_object(std::size_t) override { return open(json::object()); }
  bool start_array(std::size_t) override { return open(json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(string_t& name) override {
    const auto [place, is_new] = open_.back()->get_ref<json::object_t&>().try_emplace(name);
    member_ = &place->second;
    if (!is_new) problem = fmt::format("the key {} occurs twice", quote(name));
    return is_new;
  }
  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) override {
    problem = fmt::format("not valid JSON at byte {}", position);
    return false;
  }

 private:
  json* put(json value) {
    if (++values_ > kMostValues) {
      problem = fmt::format("more than {} values", kMostValues);
      return nullptr;
    }
    if (open_.empty()) return &(document = std::move(value));
    json& parent = *open_.back();
    if (!parent.is_array()) return &(*member_ = std::move(value));
    parent.push_back(std::move(value));
    return &parent.back();
  }
  bool open(json empty) {
    if (open_.size() == kDeepest) {
      problem = fmt::format("nested more than {} levels deep", kDeepest);
      return false;
    }
    json* place = put(std::move(empty));
    if (place != nullptr) open_.push_back(place);
    return place != nullptr;
  }
  bool close() {
    open_.pop_back();
    return true;
  }

  std::vector<json*>
      open_;  // the containers that enclose the next value; they do not move while they are open
  json* member_ = nullptr;  // where the value of the key just read belongs
  std::size_t values_ = 0;
};

}  // namespace

json parse_strict(std::string_view text, std::string_view part, const std::string& where) {
  StrictBuilder builder;
  // Two things that the parser forgives: it takes a NUL for the end of the text, and skips a byte order mark.
  if (const std::size_t nul = text.find('\0'); nul != text.npos) {
    builder.problem = fmt::format("not valid JSON at byte {}", nul + 1);
  } else if (text.starts_with("\xEF")) {
    builder.problem = "not valid JSON at byte 1";
  } else {
    json::sax_parse(text.begin(), text.end(), &builder);
  }
  if (builder.problem.empty()) return std::move(builder.document);
  throw Error(ErrorKind::model, where, fmt::format("{}: {}", part, builder.problem));
}

std::string quote(std::string_view text) {
  constexpr std::size_t kLongest = 60;
  const json whole =
      text.size() <= kLongest ? std::string(text) : std::string(text.substr(0, kLongest - 3)) + "...";
  return whole.dump(-1, ' ', true, json::error_handler_t::replace);
}

}  // namespace biject
