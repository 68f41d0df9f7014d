#include <cstdint>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>

#include "cli/matrix.hpp"

// Section D of the test matrix through the binary: files that are no models, or were. tests/model has the
// thorough part.

using namespace biject::cli;
using namespace std::string_literals;
using Json = nlohmann::json;

namespace {

struct BadModel {
  std::string row, what, bytes;
};

std::string with_length(std::uint64_t length, const std::string& rest) {
  std::string bytes(8, '\0');
  for (std::size_t i = 0; i < 8; ++i) bytes[i] = static_cast<char>(length >> (8 * i));
  return bytes + rest;
}

std::uint64_t header_length(const std::string& bytes) {
  std::uint64_t length = 0;
  for (std::size_t i = 8; i-- > 0;) length = length << 8 | static_cast<unsigned char>(bytes[i]);
  return length;
}

std::string header_text(const std::string& bytes) {
  return bytes.substr(8, header_length(bytes));
}
std::string numbers(const std::string& bytes) {
  return bytes.substr(8 + header_length(bytes));
}

/// The good model with another header text.
std::string with_header(const std::string& text) {
  return with_length(text.size(), text + numbers(tiny_model().bytes));
}

/// The good model with a header that was edited as JSON.
template <class Edit>
std::string edited(Edit edit) {
  Json header = Json::parse(header_text(tiny_model().bytes));
  edit(header);
  return with_header(header.dump());
}

/// The same for an edit of the first tensor.
template <class Edit>
std::string with_tensor(Edit edit) {
  return edited([&](Json& header) {
    for (auto& [name, tensor] : header.items())
      if (name != "__metadata__") return edit(tensor);
  });
}

std::string with_shape(const Json& shape) {
  return with_tensor([&](Json& tensor) { tensor["shape"] = shape; });
}
std::string with_offsets(const Json& offsets) {
  return with_tensor([&](Json& tensor) { tensor["data_offsets"] = offsets; });
}
std::string with_dtype(const Json& dtype) {
  return with_tensor([&](Json& tensor) { tensor["dtype"] = dtype; });
}

std::vector<BadModel> bad_models() {
  const std::string& good = tiny_model().bytes;
  const std::string header = header_text(good);
  const std::uint64_t length = header.size();
  std::vector<BadModel> cases = {
      {"D60", "a byte appended", good + "x"},
      {"D60", "the file twice", good + good},
      {"D60", "the first byte missing", good.substr(1)},
      {"D62", "a table", clean_csv()},
      {"D62", "JSON", R"({"format": "biject"})"},
      {"D62", "a zip archive", "PK\x03\x04\x14\0\0\0\x08\0"s + std::string(100, 'z')},
      {"D62", "a program",
       "\x7F"
       "ELF\x02\x01\x01\0\0\0\0\0\0\0\0\0"s +
           std::string(100, '\0')},
      {"D62", "a pickle", "\x80\x04\x95\x10\0\0\0\0\0\0\0}\x94."s},
      {"D62", "a pointer to a large file", "version https://example.org/spec/v1\noid sha256:0\nsize 12345\n"},
      {"D64", "a negative extent", with_shape({-1})},
      {"D64", "an extent of 2^31", with_shape({std::int64_t{1} << 31})},
      {"D64", "an extent of 2^64 - 1", with_shape({std::numeric_limits<std::uint64_t>::max()})},
      {"D64", "an extent that is no integer", with_shape({1.5})},
      {"D64", "an extent that is a string", with_shape({"3"})},
      {"D64", "an extent that is null", with_shape({nullptr})},
      {"D64", "an extent that is a boolean", with_shape({true})},
      {"D64", "a shape that is a number", with_shape(3)},
      {"D65", "a product that wraps to zero", with_shape({std::int64_t{1} << 32, std::int64_t{1} << 32})},
      {"D65", "ten thousand dimensions", with_shape(std::vector<int>(10000, 1))},
      {"D66", "offsets swapped", with_offsets({8, 0})},
      {"D66", "offsets outside", with_offsets({0, std::int64_t{1} << 40})},
      {"D66", "one offset", with_offsets({0})},
      {"D66", "three offsets", with_offsets({0, 4, 8})},
      {"D66", "a hole", with_offsets({4, 8})},
      {"D67", "an unknown type", with_dtype("F33")},
      {"D67", "a type of another width", with_dtype("I8")},
      {"D67", "a type that is no string", with_dtype(64)},
      {"D68", "a further tensor", edited([](Json& h) {
         h["extra"] = {{"dtype", "F32"}, {"shape", {0}}, {"data_offsets", {0, 0}}};
       })},
      {"D68", "a tensor with another name", edited([](Json& h) {
         for (auto& [name, tensor] : h.items())
           if (name != "__metadata__") return h["renamed"] = tensor, void(h.erase(name));
       })},
      {"D69", "no metadata", edited([](Json& h) { h.erase("__metadata__"); })},
      {"D69", "metadata that is no map", edited([](Json& h) {
         h["__metadata__"] = {1, 2};
       })},
      {"D69", "a value that is no string", edited([](Json& h) { h["__metadata__"]["format_version"] = 1; })},
      {"D69", "metadata twice", with_header("{\"__metadata__\":{}," + header.substr(1))},
      {"D70", "a header that is an array", with_header("[" + header + "]")},
      {"D70", "a header that is a string", with_header("\"header\"")},
      {"D70", "a space before the brace", with_header(" " + header)},
      {"D70", "a byte order mark before the brace", with_header("\xEF\xBB\xBF" + header)},
      {"D70", "padding with NUL", with_header(header + "\0\0\0\0\0\0\0\0"s)},
      {"D70", "text after the brace", with_header(header + "{}")},
      {"D72", "escape codes in a value", edited([](Json& h) { h["__metadata__"]["flow"] = "\x1B[31m\a"; })},
      {"D73", "a newer version", edited([](Json& h) { h["__metadata__"]["format_version"] = "999"; })},
      {"D77", "the last bytes zero", good.substr(0, good.size() - 16) + std::string(16, '\0')},
  };
  for (std::size_t size : {0, 1, 2, 7, 8, 9, 15, 16})
    cases.push_back({"D59", "cut at " + std::to_string(size), good.substr(0, size)});
  for (std::size_t k = 1; k < 16; ++k) {
    const std::size_t size = good.size() * k / 16;
    cases.push_back({"D59", "cut at " + std::to_string(size), good.substr(0, size)});
  }
  cases.push_back({"D59", "the last byte missing", good.substr(0, good.size() - 1)});
  const std::uint64_t rest = good.size() - 8;
  for (std::uint64_t n :
       std::initializer_list<std::uint64_t>{0, 1, length - 1, length + 1, rest, rest + 1, 100000001,
                                            1ull << 31, 1ull << 32, 1ull << 63, ~0ull})
    cases.push_back({"D61", "a header length of " + std::to_string(n), with_length(n, good.substr(8))});
  return cases;
}

void check_refused(const Result& result, int status) {
  CAPTURE(result);
  check_laws(result);
  CHECK(result.status == status);
  CHECK(result.out.empty());
}

}  // namespace

TEST_CASE("a file that is not a whole, undamaged model is refused") {
  TemporaryFolder folder;
  for (const auto& [row, what, bytes] : bad_models()) {
    CAPTURE(row);
    CAPTURE(what);
    const std::string path = folder.file("bad.flow", bytes);
    for (const auto& run :
         {biject_run("score", "-q", path, tiny_model().csv), biject_run("sample", "-q", path)}) {
      const Result result = Run(run).run();
      check_refused(result, 4);
      check_words(result, {"bad.flow"});
    }
  }
  CHECK(folder.names() == std::vector<std::string>{"bad.flow"});
}

TEST_CASE("info refuses a file whose header is not one of a model") {
  TemporaryFolder folder;
  for (const auto& [row, what, bytes] : bad_models()) {
    // What the header alone does not tell: that its tensors are not those of the flow, that a number is not
    // what it was.
    if (row == "D77" || what == "a further tensor" || what == "a tensor with another name") continue;
    CAPTURE(row);
    CAPTURE(what);
    check_refused(biject_run("info", folder.file("bad.flow", bytes)).run(), 4);
  }
}

TEST_CASE("a path that is no regular file is refused in bounded time") {
  for (const std::string path : {"/dev/zero", "/dev/null", "/dev/urandom", "/"}) {
    CAPTURE(path);
    const Result result = biject_run("sample", "-q", path).timeout(10).run();
    CAPTURE(result);
    check_laws(result);
    CHECK(contains({4, 5}, result.status));
    CHECK(result.out.empty());
  }
}

TEST_CASE("the undamaged header, written again, is still the model") {
  // Guards the cases above: what they refuse is their edit, not how this file writes a header.
  CHECK((with_header(header_text(tiny_model().bytes)) == tiny_model().bytes));
}
