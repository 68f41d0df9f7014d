#include <doctest/doctest.h>
#include <sys/stat.h>

#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "cli/run.hpp"
#include "model/model_file.hpp"
#include "model/tiny_model.hpp"

// Files that are no models, or were, or pretend to be: each is refused with a message that names what is
// wrong.

using namespace biject;
using namespace biject::test;
using namespace std::string_literals;
using cli::TemporaryFolder;
using Json = nlohmann::json;

namespace {

std::string refusal(const std::string& file) {
  return model_refusal([&] { parse_model(file, "name"); });
}

std::string load_refusal(const std::string& path, ErrorKind kind = ErrorKind::model) {
  try {
    load_model(path);
  } catch (const Error& error) {
    CHECK(error.kind() == kind);
    CHECK(error.where() == path);
    return error.what();
  }
  return "";
}

// The good file after an edit of its header, with a digest that fits.
template <class Edit>
std::string edited(Edit&& edit) {
  Json header = Json::parse(header_of(good()));
  edit(header);
  return with_digest(container(header.dump(), numbers_of(good())));
}

// After an edit of one part of the metadata, which is JSON inside a text.
template <class Edit>
std::string with_part(const std::string& key, Edit&& edit) {
  return edited([&](Json& header) {
    Json part = Json::parse(header["__metadata__"][key].get<std::string>());
    edit(part);
    header["__metadata__"][key] = part.dump();
  });
}

std::string with_text(const std::string& key, const std::string& text) {
  return edited([&](Json& header) { header["__metadata__"][key] = text; });
}

template <class S>
std::string with_number(const std::string& file, std::size_t place, S value) {
  std::string changed = file;
  const std::size_t begin = file.size() - numbers_of(file).size() + place * sizeof(S);
  return with_digest(changed.replace(begin, sizeof(S), reinterpret_cast<const char*>(&value), sizeof(S)));
}

// Which of the numbers in the good file is the first of this tensor.
std::size_t place_of(const Tensor& tensor) {
  return Json::parse(header_of(good()))[tensor.name]["data_offsets"][0].get<std::size_t>() / sizeof(float);
}

}  // namespace

TEST_CASE("a file that is cut anywhere is refused") {
  for (std::size_t size = 0; size < good().size(); ++size) {
    const std::string message = refusal(good().substr(0, size));
    if (message.empty()) FAIL("cut to " << size);
  }
  CHECK(contains(refusal(""), "the file is empty"));
  CHECK(contains(refusal(good().substr(0, 20)), "cut short"));
  CHECK(contains(refusal(good().substr(0, good().size() - 1)), "cut short"));
}

TEST_CASE("a file with more or other bytes around it is refused") {
  CHECK(contains(refusal(good() + "\n"), "1 bytes follow"));
  CHECK(contains(refusal(good() + good()), "bytes follow the last tensor"));
  CHECK(contains(refusal(good().substr(1)), "not a biject model"));
  CHECK(contains(refusal("\n" + good()), "not a biject model"));
}

TEST_CASE("other kinds of file are named") {
  CHECK(contains(refusal("x,y\n1,2\n3,4\n"), "not a biject model but text, perhaps CSV"));
  CHECK(contains(refusal("{\"format\": \"biject\"}"), "but JSON text"));
  CHECK(contains(refusal("PK\x03\x04\x14\0\0\0\x08\0\0\0"s), "but a zip archive"));
  CHECK(contains(refusal("\x80\x04\x95\x10\0\0\0\0\0\0\0}\x94."s), "but a Python pickle"));
  CHECK(contains(refusal("\x7F"
                         "ELF\x02\x01\x01\0\0\0\0\0"s),
                 "but an executable"));
  CHECK(contains(refusal("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"),
                 "git lfs pull"));
  CHECK(contains(refusal(std::string(100, '\0')), "not a biject model"));
  CHECK(contains(refusal(container(R"({"__metadata__":{"format":"pt"}})", "")), "of another program"));
}

TEST_CASE("other versions are named") {
  const std::string newer = refusal(with_text("format_version", "2"));
  CHECK(contains(newer, "made by format version \"2\""));
  CHECK(contains(newer, "reads 1"));
  CHECK(contains(refusal(with_text("format_version", "0")), "format version \"0\""));
  CHECK(contains(refusal(with_text("format_version", "")), "not a whole number"));
  CHECK(contains(refusal(with_text("format_version", "1.0")), "not a whole number"));
  CHECK(contains(refusal(edited([](Json& header) { header["__metadata__"].erase("format_version"); })),
                 "no format_version"));
}

TEST_CASE("a file whose bytes changed is damaged") {
  std::string torn = good();
  torn.replace(torn.size() - 64, 64, std::string(64, '\0'));
  CHECK(contains(refusal(torn), "damaged: its digest does not match"));
  CHECK(contains(refusal(with_text("digest", "md5:0")), "damaged"));
  CHECK(contains(refusal(with_text("digest", "sha256:0")), "damaged"));
  std::string upper = good();
  const std::size_t digits = upper.find("sha256:") + 7;
  for (std::size_t i = digits; i < digits + 64; ++i) {
    if (upper[i] >= 'a') upper[i] = static_cast<char>(upper[i] - 'a' + 'A');
  }
  CHECK(contains(refusal(upper), "damaged"));
  CHECK(contains(refusal(edited([](Json& header) { header["__metadata__"].erase("digest"); })), "no digest"));
}

TEST_CASE("each part of the metadata is read strictly") {
  for (const char* key : {"flow", "columns", "preprocessing", "training", "metrics", "log_prob_quantiles"}) {
    CAPTURE(key);
    CHECK(contains(refusal(edited([&](Json& header) { header["__metadata__"].erase(key); })),
                   "has no "s + key));
    for (const char* text :
         {"", "null", "1", "{", "{\"a\":1,\"a\":1}", "[[[[[[]]]]]]", "\xEF\xBB\xBF{}", "{}\n{}"}) {
      CAPTURE(text);
      CHECK(contains(refusal(with_text(key, text)), key));
    }
  }
  CHECK(contains(refusal(with_part("flow", [](Json& flow) { flow["more"] = 1; })), "flow holds a field"));
  CHECK(contains(refusal(with_part("columns", [](Json& columns) { columns[0]["more"] = 1; })),
                 "column 1 holds"));
  CHECK(contains(refusal(with_part("preprocessing", [](Json& part) { part["more"] = 1; })),
                 "preprocessing holds"));
  CHECK(refusal(with_part("training", [](Json& training) { training["more"] = 1; })).empty());
  CHECK(refusal(with_text("note", "unknown keys of the metadata are passed over")).empty());
}

TEST_CASE("a flow that cannot be is refused as the file's mistake") {
  const auto with_field = [](const char* key, const Json& value) {
    return refusal(with_part("flow", [&](Json& flow) { flow[key] = value; }));
  };
  CHECK(contains(with_field("flow", "nsg"), "nsg"));
  CHECK(contains(with_field("layers", -1), "flow: layers is not a whole number"));
  CHECK(contains(with_field("layers", 2.0), "flow: layers is not a whole number"));
  CHECK(contains(with_field("layers", "2"), "flow: layers is not a whole number"));
  CHECK(contains(with_field("layers", 18446744073709551615u), "flow: layers is beyond"));
  for (const char* key : {"features", "context", "layers", "blocks", "bins"}) {
    CAPTURE(key);
    for (const std::int64_t value : {std::int64_t{50'000}, std::int64_t{1} << 31, std::int64_t{1} << 62}) {
      CHECK_FALSE(with_field(key, value).empty());
    }
  }
  CHECK_FALSE(with_field("hidden", Json::array()).empty());
  CHECK_FALSE(with_field("hidden", {16, 0}).empty());
  CHECK_FALSE(with_field("hidden", {65536, 65536}).empty());
  CHECK_FALSE(with_field("hidden", Json(std::vector<int>(10'000, 16))).empty());
  CHECK(contains(with_field("hidden", {16, "16"}), "flow: hidden is not a whole number"));
  CHECK_FALSE(with_field("tail", -1e300).empty());
  CHECK_FALSE(with_field("mix", "\x1B").empty());
  CHECK(contains(with_field("features", 2), "the flow has 2 features"));
}

TEST_CASE("columns fit the flow and their maps are invertible") {
  const auto with_column = [](const char* key, const Json& value) {
    return refusal(with_part("columns", [&](Json& columns) { columns[2][key] = value; }));
  };
  const auto with_map = [](const char* key, const Json& value) {
    return refusal(with_part("preprocessing", [&](Json& part) { part[key][2] = value; }));
  };
  CHECK(contains(with_column("given", true), "4 columns of which 2 given"));
  CHECK(contains(with_column("name", "x"), "two columns have the name \"x\""));
  CHECK(contains(with_column("name", 3), "column 3: name is not a text"));
  CHECK(contains(with_column("kind", "integer"), "unknown kind \"integer\""));
  CHECK(contains(with_column("min", nullptr), "column 3: min is not a number"));
  for (const Json& scale : {Json(0), Json(0.0), Json(-1)})
    CHECK(contains(with_map("scale", scale), "positive"));
  CHECK(contains(with_map("scale", nullptr), "preprocessing: scale is not a number"));
  CHECK(contains(with_map("mean", "0"), "preprocessing: mean is not a number"));
  CHECK(contains(refusal(with_part("preprocessing", [](Json& part) { part["mean"].push_back(0); })),
                 "5 means and 4"));
  CHECK(contains(refusal(with_part("preprocessing", [](Json& part) { part["kind"] = "none"; })),
                 "unknown kind"));
  CHECK(contains(refusal(with_part("columns", [](Json& columns) { columns = Json::array(); })), "0 columns"));
  for (const char* quantiles :
       {"[[1,2,3]]", "[1]", "[[50,1],[50,2]]", "[[1,2],[2,1]]", "[[101,0]]", "[[-1,0]]"}) {
    CAPTURE(quantiles);
    CHECK(contains(refusal(with_text("log_prob_quantiles", quantiles)), "log_prob_quantiles"));
  }
}

TEST_CASE("tensors are exactly those of the flow, and a message names the one that is not") {
  const std::string name = masked_tensor().name;
  const auto renamed = [&](const std::string& to) {
    return refusal(edited([&](Json& header) {
      header[to] = header[name];
      header.erase(name);
    }));
  };
  CHECK(contains(renamed("other"), "tensor \"" + name + "\": is missing"));
  CHECK(contains(refusal(edited([&](Json& header) {
                   Json& entry = header[name];
                   entry["shape"] = Json{entry["shape"][1], entry["shape"][0]};
                 })),
                 "tensor \"" + name + "\": has shape"));
  CHECK(contains(refusal(edited([&](Json& header) {
                   Json& entry = header[name];
                   entry["shape"] = {entry["shape"][0].get<int>() * entry["shape"][1].get<int>()};
                 })),
                 "tensor \"" + name + "\": has shape"));
  CHECK(contains(refusal(edited([&](Json& header) { header[name]["dtype"] = "I32"; })),
                 "tensor \"" + name + "\": has dtype I32, expected F32"));
  CHECK(contains(refusal(edited([](Json& header) {
                   header["extra"] = {{"dtype", "F32"}, {"shape", {0}}, {"data_offsets", {0, 0}}};
                 })),
                 "tensor \"extra\": is not one of this flow"));
}

TEST_CASE("a number that is not finite, or not 0 where it is masked, names its tensor") {
  const std::size_t free = place_of(dense_tensor());
  for (const float value : {NAN, INFINITY, -INFINITY}) {
    CHECK(contains(refusal(with_number(good(), free, value)),
                   "tensor \"" + dense_tensor().name + "\": holds a number"));
  }
  CHECK(refusal(with_number(good(), free, 1e-45f)).empty());
  const std::string in_double = serialize(tiny_model("maf", true));
  CHECK(contains(refusal(with_number(in_double, free, double{NAN})), "holds a number that is not finite"));

  const std::size_t masked =
      place_of(masked_tensor()) + static_cast<std::size_t>((masked_tensor().rows - 1) * masked_tensor().cols);
  CHECK(contains(refusal(with_number(good(), masked, 1.f)),
                 "tensor \"" + masked_tensor().name + "\": is not 0"));
  CHECK(refusal(with_number(good(), masked, -0.f)).empty());
}

TEST_CASE("what is no regular file is refused without waiting for it") {
  const TemporaryFolder folder;
  CHECK(contains(load_refusal(folder / "missing", ErrorKind::io), "No such file"));
  CHECK(contains(load_refusal(folder.path()), "a folder"));
  for (const char* device : {"/dev/null", "/dev/zero", "/dev/urandom"})
    CHECK(contains(load_refusal(device), "a device"));
  REQUIRE(::mkfifo((folder / "fifo").c_str(), 0600) == 0);
  CHECK(contains(load_refusal(folder / "fifo"), "a pipe"));
  CHECK(contains(load_refusal(folder.file("empty", "")), "the file is empty"));
}

TEST_CASE("a huge file costs neither time nor memory") {
  const TemporaryFolder folder;
  const std::string path = folder.file("sparse", good());
  std::error_code unsupported;
  std::filesystem::resize_file(path, std::uintmax_t{1} << 40, unsupported);
  if (!unsupported) CHECK(contains(load_refusal(path), "models have at most"));
  std::filesystem::resize_file(path, std::uintmax_t{1} << 30, unsupported);
  if (!unsupported) CHECK(contains(load_refusal(path), "bytes follow the last tensor"));
}
