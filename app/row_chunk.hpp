#pragma once

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

#include "core/types.hpp"
#include "data/csv_writer.hpp"
#include "train/pipeline.hpp"

namespace biject {

/// Rows that go through a Pipeline together, with a log-density each and the lines that become of them. A part is what a
/// thread works on at a time: one shard of rows.
struct RowChunk {
  struct Part {
    Index first, rows;
  };
  struct alignas(kAlignment) Lines {  // no two in a cache line: each is written to by another thread
    CsvText text;
  };

  Matrix<double> values;  // capacity × columns; `rows` of them count
  Index rows = 0;
  std::vector<double> log_probs;  // capacity
  std::vector<Lines> lines;       // one for each part

  RowChunk(Index capacity, Index columns, char delimiter = ',')
      : values(capacity, columns),
        log_probs(static_cast<std::size_t>(capacity)),
        lines(static_cast<std::size_t>((capacity + kShardRows - 1) / kShardRows), Lines{CsvText(delimiter)}) {}

  /// Many parts for many threads, few enough rows that the first lines of a slow stream appear soon, and that wide ones
  /// fit into memory.
  static Index capacity_for(Index columns) {
    constexpr Index kMostParts = 24, kMostNumbers = Index{1} << 20;
    return std::clamp<Index>(kMostNumbers / (columns * kShardRows), 1, kMostParts) * kShardRows;
  }

  bool is_full() const { return rows == values.rows(); }
  int parts() const { return static_cast<int>((rows + kShardRows - 1) / kShardRows); }
  Part part(int number) const {
    const Index first = number * kShardRows;
    return {first, std::min(kShardRows, rows - first)};
  }
  auto values_of(Part part) { return values.middleRows(part.first, part.rows); }
  std::span<double> log_probs_of(Part part) {
    return std::span(log_probs).subspan(static_cast<std::size_t>(part.first), static_cast<std::size_t>(part.rows));
  }
  /// Emptied for the lines of a part.
  CsvText& begin_lines(int number) {
    CsvText& text = lines[static_cast<std::size_t>(number)].text;
    text.clear();
    return text;
  }
  void write_lines(CsvWriter& writer) const {
    for (int number = 0; number < parts(); ++number) writer.lines(lines[static_cast<std::size_t>(number)].text);
  }
};

/// As many equal chunks as a pipeline needs.
template <class Chunk> std::vector<Chunk> chunks(int count, const Chunk& chunk) {
  return std::vector<Chunk>(static_cast<std::size_t>(count), chunk);
}

}  // namespace biject
