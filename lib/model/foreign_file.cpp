#include "model/foreign_file.hpp"

#include <algorithm>
#include <array>

namespace biject {

namespace {

using namespace std::string_view_literals;

struct Kind {
  std::string_view start, name;
};

// The files that lie beside models, or that a wrong argument or an unfinished download leads to.
constexpr std::array kKinds{
    Kind{"version https://git-lfs"sv, "a git-LFS pointer (git lfs pull fetches the file itself)"sv},
    Kind{"PK\x03\x04"sv, "a zip archive (NumPy, PyTorch or a spreadsheet)"sv},
    Kind{"\x80\x02"sv, "a Python pickle"sv},
    Kind{"\x80\x03"sv, "a Python pickle"sv},
    Kind{"\x80\x04"sv, "a Python pickle"sv},
    Kind{"\x80\x05"sv, "a Python pickle"sv},
    Kind{"\x93NUMPY"sv, "a NumPy array"sv},
    Kind{"\x89HDF"sv, "an HDF5 file"sv},
    Kind{"PAR1"sv, "a Parquet file"sv},
    Kind{"GGUF"sv, "a GGUF file"sv},
    Kind{"\x7f"
         "ELF"sv,
         "an executable"sv},
    Kind{"\x1f\x8b"sv, "a gzip file"sv},
    Kind{"\x28\xb5\x2f\xfd"sv, "a zstd file"sv},
    Kind{"\x89PNG"sv, "an image"sv},
    Kind{"%PDF"sv, "a PDF"sv},
    Kind{"<"sv, "an HTML or XML page"sv},
    Kind{"{"sv, "JSON text"sv},
    Kind{"["sv, "JSON text"sv},
};

bool is_text(char byte) {
  return static_cast<unsigned char>(byte) >= ' ' || "\t\r\n"sv.find(byte) != std::string_view::npos;
}

}  // namespace

std::string describe_foreign(std::string_view head) {
  if (head.empty()) return ": the file is empty";
  for (const auto& [start, name] : kKinds) {
    if (head.starts_with(start)) return " but " + std::string(name);
  }
  if (std::ranges::all_of(head, is_text)) {
    return head.find_first_of(",;\t") == head.npos ? " but text" : " but text, perhaps CSV";
  }
  return {};
}

}  // namespace biject
