#include "model/model_file.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>

#include "cli/run.hpp"
#include "model/tiny_model.hpp"

using namespace biject;
using namespace biject::test;
using namespace std::string_literals;
using cli::TemporaryFolder;
using Json = nlohmann::json;

TEST_CASE("a model comes back as it was, and is written again byte by byte") {
  for (const char* flow : {"maf", "nsf"}) {
    for (const bool is_double : {false, true}) {
      CAPTURE(flow);
      CAPTURE(is_double);
      const Model model = tiny_model(flow, is_double);
      const std::string file = serialize(model, true);
      const Model back = parse_model(file, "name");
      CHECK(serialize(back, true) == file);
      CHECK(back.spec == model.spec);
      CHECK(back.is_double == is_double);
      CHECK(std::ranges::equal(back.theta.flat(), model.theta.flat()));
      REQUIRE(back.columns.size() == 4);
      CHECK(back.columns[1].name == "given, \"so\"");
      CHECK(back.columns[1].is_given);
      CHECK(back.columns[1].mean == 0.1);
      CHECK(back.columns[2].scale == 1e300);
      CHECK(back.columns[2].minimum == -5e-324);
      CHECK(back.training.seed == model.training.seed);
      CHECK(back.training.stop == "patience");
      CHECK(back.training.seconds == 12.25);
      CHECK(back.training.validation.standard_error == 0.3);
      CHECK(back.training.gaussian.rows == 100);
      CHECK(back.quantiles == model.quantiles);
    }
  }
}

TEST_CASE("wall-clock time is the only thing that is written on request") {
  Model slow = tiny_model(), fast = tiny_model();
  slow.training.seconds = 1e6;
  CHECK(serialize(slow) == serialize(fast));
  CHECK(serialize(slow, true) != serialize(fast, true));
  CHECK_FALSE(contains(serialize(slow), "seconds"));
}

TEST_CASE("a statistic that is not defined is kept as such") {
  Model model = tiny_model();
  model.training.validation = {std::nan(""), std::numeric_limits<double>::infinity(), 0};
  const std::string file = serialize(model);
  const Model back = parse_model(file, "name");
  CHECK(std::isnan(back.training.validation.mean));
  CHECK(std::isnan(back.training.validation.standard_error));
  CHECK(serialize(back) == file);
}

TEST_CASE("a model that could not be read again is not written") {
  const auto refused = [](auto&& edit) {
    Model model = tiny_model();
    edit(model);
    try {
      serialize(model);
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return ""s;
  };
  const std::size_t free = static_cast<std::size_t>(dense_tensor().panels[0].slot.offset);
  CHECK(refused([](Model&) {}).empty());
  CHECK(contains(refused([](Model& model) { model.columns[2].scale = 0; }), "scale"));
  CHECK(contains(refused([](Model& model) { model.columns[2].mean = NAN; }), "mean"));
  CHECK(contains(refused([](Model& model) {
                   model.columns[2].name =
                       "Gr\xF6\xDF"
                       "e";
                 }),
                 "not UTF-8"));
  CHECK(contains(refused([](Model& model) { model.columns[2].name = "x"; }),
                 "two columns have the name \"x\""));
  CHECK(contains(refused([](Model& model) { model.columns.pop_back(); }), "3 features and 1 context"));
  CHECK(contains(refused([](Model& model) { model.quantiles[1].second = NAN; }), "log_prob_quantiles"));
  for (const double value : {double{NAN}, double{INFINITY}, 1e308}) {  // the last in float32
    CHECK(contains(refused([&](Model& model) { model.theta.flat()[free] = value; }), "not finite"));
  }
}

TEST_CASE("the header alone tells what the model is") {
  const TemporaryFolder folder;
  const Model model = tiny_model();
  const ModelHeader header = load_model_header(folder.file("a.flow", good()));
  CHECK(header.model.spec == model.spec);
  CHECK(header.model.columns.size() == 4);
  CHECK(header.model.theta.flat().empty());
  CHECK(header.file_bytes == good().size());
  CHECK(header.digest.size() == 71);
  CHECK(contains(good(), header.digest));
  CHECK_FALSE(header.biject_version.empty());
  REQUIRE(header.tensors.size() == tensors().size());
  for (std::size_t i = 0; i < header.tensors.size(); ++i) {
    CHECK(header.tensors[i].name == tensors()[i].name);
    CHECK(header.tensors[i].dtype == "F32");
  }
  CHECK(load_model_header(folder.file("b.flow", serialize(tiny_model("nsf", true)))).model.is_double);
}

TEST_CASE("tensors lie in the file row by row, whole, with 0 where they are masked") {
  const Model model = tiny_model();
  const Json entry = Json::parse(header_of(good()))[masked_tensor().name];
  const std::string numbers = numbers_of(good());
  const Tensor& tensor = masked_tensor();
  REQUIRE(entry["shape"] == Json{tensor.rows, tensor.cols});
  for (Index row = 0; row < tensor.rows; ++row) {
    for (const auto& [first, slot] : tensor.panels) {
      for (Index col = 0; col < slot.cols; ++col) {
        const Index place = row * tensor.cols + first + col;
        float value = 0;
        std::memcpy(&value, numbers.data() + entry["data_offsets"][0].get<std::size_t>() + place * 4, 4);
        const bool is_free = row < tensor.prefix[static_cast<std::size_t>(first + col)];
        CHECK(value == (is_free ? model.theta[slot](row, col) : 0));
      }
    }
  }
}

TEST_CASE("the order of the tensors in a file is free") {
  // The first tensor goes to the end of the numbers.
  Json header = Json::parse(header_of(good()));
  const std::string numbers = numbers_of(good()), first = tensors()[0].name;
  const std::size_t size = header[first]["data_offsets"][1].get<std::size_t>();
  for (auto& [name, entry] : header.items()) {
    if (name == "__metadata__") continue;
    const std::size_t shift = name == first ? numbers.size() - size : 0 - size;
    for (Json& offset : entry["data_offsets"]) offset = offset.get<std::size_t>() + shift;
  }
  const std::string file =
      with_digest(container(header.dump(), numbers.substr(size) + numbers.substr(0, size)));
  CHECK(serialize(parse_model(file, "name")) == good());
}
