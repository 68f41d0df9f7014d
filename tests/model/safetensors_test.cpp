#include "model/safetensors.hpp"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "model/strict_json.hpp"
#include "model/tiny_model.hpp"

using namespace biject;
using namespace biject::test;
using namespace std::string_literals;

namespace {

struct Parsed {
  Metadata metadata;
  std::vector<TensorEntry> tensors;
};

Parsed parse(const std::string& file) {
  const BytesInMemory source(file);
  const HeaderText header = read_header_text(source, "name");
  const nlohmann::json json = parse_strict(header.text, "header", "name");
  return {read_metadata(json, "name"), read_tensor_entries(json, file.size() - header.data_begin, "name")};
}

std::string refusal(const std::string& file) {
  return model_refusal([&] { parse(file); });
}

std::string refusal(const std::string& header, std::size_t data_bytes) {
  return refusal(container(header, std::string(data_bytes, '\0')));
}

// Eight bytes of numbers, described by one entry.
std::string one_tensor(const std::string& dtype, const std::string& shape, const std::string& offsets) {
  return R"({"__metadata__":{},"t":{"dtype":)" + dtype + R"(,"shape":)" + shape + R"(,"data_offsets":)" +
         offsets + "}}";
}
std::string with_shape(const std::string& shape) {
  return one_tensor("\"F32\"", shape, "[0,8]");
}
std::string with_offsets(const std::string& offsets) {
  return one_tensor("\"F32\"", "[2]", offsets);
}

const std::string kGood = with_shape("[2]");

}  // namespace

TEST_CASE("what is written is read") {
  const std::vector<std::pair<std::string, std::string>> metadata{{"format", "x"},
                                                                  {"text", "{\"a\": \"\\u00fc\"}"}};
  const std::vector<TensorEntry> tensors{{"w", "F32", {2, 3}}, {"none", "F32", {0, 7}}, {"b", "F64", {5}}};
  const std::string header = write_header(metadata, tensors);
  CHECK(header.size() % 8 == 0);
  const Parsed parsed = parse(header + std::string(24 + 40, '\1'));
  CHECK(parsed.metadata == Metadata(metadata.begin(), metadata.end()));
  REQUIRE(parsed.tensors.size() == 3);
  CHECK(parsed.tensors[0].name == "w");
  CHECK(parsed.tensors[0].shape == std::vector<std::uint64_t>{2, 3});
  CHECK(parsed.tensors[0].end == 24);
  CHECK(parsed.tensors[2].dtype == "F64");
  CHECK(parsed.tensors[2].begin == 24);
  CHECK(parsed.tensors[2].end == 64);
}

TEST_CASE("a header may be padded with spaces and with nothing else") {
  CHECK(refusal(kGood, 8).empty());
  CHECK(refusal(kGood + std::string(9, ' '), 8).empty());
  for (const std::string& padding : {"\0"s, "\n"s, "x"s, " {}"s, "}"s, "\0}"s, "  \0  "s}) {
    CAPTURE(padding);
    CHECK(contains(refusal(kGood + padding, 8), "header:"));
  }
}

TEST_CASE("a length that the file does not have is refused before anything is allocated") {
  const std::string good = container(kGood, std::string(8, '\0'));
  const auto with_length = [&](std::uint64_t length) {
    std::string file = good;
    for (std::size_t i = 0; i < 8; ++i) file[i] = static_cast<char>(length >> (8 * i));
    return file;
  };
  const std::uint64_t length = kGood.size();
  CHECK(refusal(good).empty());
  for (const std::uint64_t wrong : {std::uint64_t{0}, std::uint64_t{1}, length - 1, length + 1, length + 8}) {
    CAPTURE(wrong);
    CHECK(contains(refusal(with_length(wrong)), "header:"));
  }
  CHECK(contains(refusal(with_length(length + 9)), "cut short"));
  for (const std::uint64_t wrong : {100'000'001ull, 1ull << 31, 1ull << 32, 1ull << 63, ~0ull, ~0ull - 7}) {
    CAPTURE(wrong);
    CHECK(contains(refusal(with_length(wrong)), "not a biject model"));
  }
}

TEST_CASE("sizes are whole numbers, and their product does not wrap") {
  for (const char* shape : {"[-2]", "[-0]", "[2.0]", "[2e0]", "[\"2\"]", "[null]", "[true]", "[[2]]", "2",
                            "null", "{}", "[18446744073709551616]", "[1,1,2]"}) {
    CAPTURE(shape);
    CHECK(contains(refusal(with_shape(shape), 8), "tensor \"t\": shape"));
  }
  // 2^62 · 4 bytes wraps to 0, (2^61 + 1) · 2 · 4 bytes to 8.
  for (const char* shape : {"[4611686018427387904]", "[18446744073709551615]", "[2147483648,4294967298]",
                            "[2305843009213693953,2]"}) {
    CAPTURE(shape);
    CHECK(contains(refusal(with_shape(shape), 8), "tensor \"t\": its shape is larger than any file"));
  }
  CHECK(contains(refusal(with_shape("[2147483648]"), 8), "its shape needs 8589934592 bytes"));
  std::string dimensions = "1";
  for (int i = 0; i < 10'000; ++i) dimensions += ",1";
  CHECK(contains(refusal(with_shape("[" + dimensions + "]"), 8), "tensor \"t\": shape"));
}

TEST_CASE("offsets are a begin and an end inside the file") {
  for (const char* offsets : {"[8,0]", "[8]", "[]", "[0,4,8]", "[0,-8]", "[0,8.0]", "null", "[0,\"8\"]"}) {
    CAPTURE(offsets);
    CHECK(contains(refusal(with_offsets(offsets), 8), "tensor \"t\": data_offsets"));
  }
  CHECK(contains(refusal(with_offsets("[0,4]"), 8), "its shape needs 8 bytes, its data_offsets hold 4"));
  CHECK(contains(refusal(with_offsets("[18446744073709551608,18446744073709551615]"), 8),
                 "its data_offsets hold 7"));
  CHECK(contains(refusal(with_offsets("[8,16]"), 8), "after the end of the file"));
  CHECK(contains(refusal(kGood, 7), "after the end of the file"));
  CHECK(contains(refusal(kGood, 9), "1 bytes follow the last tensor"));
  CHECK(contains(refusal(with_offsets("[4,12]"), 12), "it begins at byte 4"));
}

TEST_CASE("tensors neither overlap nor leave a hole") {
  const auto two = [](const std::string& first, const std::string& second) {
    return R"({"__metadata__":{},"a":{"dtype":"F32","shape":[1],"data_offsets":)" + first +
           R"(},"b":{"dtype":"F32","shape":[1],"data_offsets":)" + second + "}}";
  };
  CHECK(refusal(two("[0,4]", "[4,8]"), 8).empty());
  CHECK(refusal(two("[4,8]", "[0,4]"), 8).empty());
  CHECK(contains(refusal(two("[0,4]", "[0,4]"), 4), "it begins at byte 0, the one before it ends at 4"));
  CHECK(contains(refusal(two("[0,4]", "[2,6]"), 6), "it begins at byte 2"));
  CHECK(contains(refusal(two("[0,4]", "[8,12]"), 12), "it begins at byte 8"));
}

TEST_CASE("a tensor has a known dtype of the right width and nothing but its three fields") {
  for (const char* dtype : {"\"F31\"", "\"f32\"", "\"\"", "32", "null", "[\"F32\"]"}) {
    CAPTURE(dtype);
    CHECK(contains(refusal(one_tensor(dtype, "[2]", "[0,8]"), 8), "tensor \"t\": its dtype is unknown"));
  }
  CHECK(contains(refusal(one_tensor("\"F64\"", "[2]", "[0,8]"), 8), "its shape needs 16 bytes"));
  for (const char* entry : {"1", "null", "[]", "{}", R"({"dtype":"F32","shape":[2]})",
                            R"({"dtype":"F32","shape":[2],"data_offsets":[0,8],"more":1})"}) {
    CAPTURE(entry);
    CHECK(contains(refusal(R"({"__metadata__":{},"t":)"s + entry + "}", 8), "tensor \"t\": its entry"));
  }
}

TEST_CASE("a key occurs once") {
  const std::string entry = R"("t":{"dtype":"F32","shape":[2],"data_offsets":[0,8]})";
  CHECK(contains(refusal(R"({"__metadata__":{},)" + entry + "," + entry + "}", 8),
                 "the key \"t\" occurs twice"));
  CHECK(contains(refusal(R"({"__metadata__":{},"__metadata__":{},)" + entry + "}", 8), "occurs twice"));
  CHECK(contains(refusal(R"({"__metadata__":{"a":"1","\u0061":"2"}})", 0), "the key \"a\" occurs twice"));
}

TEST_CASE("metadata are texts") {
  CHECK(contains(refusal("{}", 0), "no __metadata__"));
  for (const char* metadata : {"[]", "null", "\"\"", "1"}) {
    CHECK(contains(refusal(R"({"__metadata__":)"s + metadata + "}", 0), "__metadata__ is not an object"));
  }
  for (const char* value : {"1", "null", "{}", "[]", "true"}) {
    CHECK(
        contains(refusal(R"({"__metadata__":{"k":)"s + value + "}}", 0), "the metadata \"k\" is not a text"));
  }
}

TEST_CASE("a header is an object that begins at once and is valid UTF-8") {
  for (const std::string& header : {"[]"s, "\"text\""s, " {}"s, "\xEF\xBB\xBF{}"s, "\0{}"s, "1"s}) {
    CAPTURE(header);
    CHECK(contains(refusal(header, 8), "not a biject model"));
  }
  for (const std::string& name :
       {"\xFF"s, "\xC0\xAF"s, "\xED\xA0\x80"s, "\\ud800"s, "\n"s, "\0"s, "\\x"s, "\x1B[2J"s}) {
    CAPTURE(name);
    CHECK(
        contains(refusal(R"({"__metadata__":{},")" + name + R"(":1})", 8), "header: not valid JSON at byte"));
  }
  for (const char* header : {"{", "{\"a\":1}}", "{\"a\":}", "{\"a\":1,}", "{'a':1}", "{\"a\":01}",
                             "{\"a\":NaN}", "{\"a\":1e999}", "{/**/}"}) {
    CAPTURE(header);
    CHECK(contains(refusal(header, 8), "header:"));
  }
}

TEST_CASE("names from a file are escaped and cut in messages") {
  const std::string message = refusal(R"({"__metadata__":{},"../\u001b[2J\u0000ü":1})", 0);
  CHECK(contains(message, R"("../\u001b[2J\u0000\u00fc")"));
  CHECK(refusal(R"({"__metadata__":{},")" + std::string(1 << 20, 'n') + R"(":1})", 0).size() < 200);
}

TEST_CASE("a deep, long or endless header is refused in bounded time") {
  for (const std::size_t depth : {1'000, 100'000, 5'000'000}) {
    CHECK(contains(refusal("{\"a\":" + std::string(depth, '[') + std::string(depth, ']') + "}", 0),
                   "nested more than"));
  }
  CHECK(contains(refusal("{\"a\":" + std::string(1'000'000, '[') + "}", 0), "nested more than"));
  CHECK(contains(refusal("{\"a\":" + std::string(1'000'000, '9') + "}", 0), "header: not valid JSON"));
  CHECK(contains(refusal("{\"__metadata__\":" + std::string(20'000'000, ' ') + "{}}", 0), "at most"));

  std::string many = R"({"__metadata__":{})";
  for (int i = 0; i < 300'000; ++i) many += ",\"" + std::to_string(i) + "\":1";
  CHECK(contains(refusal(many + "}", 0), "more than 65536 tensors"));
  std::string values = R"({"__metadata__":[0)";
  for (int i = 0; i < 1'000'000; ++i) values += ",0";
  CHECK(contains(refusal(values + "]}", 0), "more than 600000 values"));
}
