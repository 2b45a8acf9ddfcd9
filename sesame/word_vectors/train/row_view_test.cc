#include "sesame/word_vectors/train/row_view.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <vector>

namespace sesame {
namespace {

/// Row i holds i + 1 in each channel.
RowTable numbered_table(int64_t rows, int64_t dim) {
  RowTable table(rows, dim);
  for (int64_t i = 0; i < rows; ++i) std::fill_n(table.row(i), dim, static_cast<float>(i + 1));
  return table;
}

void merge(std::vector<RowCopies*> copies, RowTable& table, float rate, int64_t parts) {
  for (RowCopies* each : copies) each->subtract_table();
  for (int64_t part = 0; part < parts; ++part) merge_copies(copies, table, rate, part, parts);
  for (RowCopies* each : copies) each->clear();
}

TEST(RowCopies, LeaveTheTableAloneUntilTheyAreMerged) {
  for (const int64_t parts : {1, 3}) {
    RowTable table = numbered_table(5000, 20);
    RowCopies first(table), second(table);
    std::vector<float*> rows;
    for (int32_t id = 0; id < 5000; id += 2) rows.push_back(first.row(id));
    for (size_t i = 0; i < rows.size(); ++i) {
      ASSERT_EQ(first.row(static_cast<int32_t>(2 * i)), rows[i]);  // it stays where it is
      ASSERT_EQ(rows[i][19], static_cast<float>(2 * i + 1));
      rows[i][19] += 0.5F;
    }
    second.row(4)[0] -= 2;
    second.row(7)[0] -= 2;
    EXPECT_EQ(table.row(4)[0], 5);
    EXPECT_EQ(table.row(4)[19], 5);

    merge({&first, &second}, table, 0, parts);  // a rate of 0: sums
    for (int64_t id = 0; id < 5000; ++id) {
      const auto value = static_cast<float>(id + 1);
      EXPECT_EQ(table.row(id)[19], id % 2 == 0 ? value + 0.5F : value);
      EXPECT_EQ(table.row(id)[0], id == 4 || id == 7 ? value - 2 : value);
      EXPECT_EQ(table.row(id)[20], 0);
    }
    // What was cleared is taken from the table again.
    EXPECT_EQ(first.row(7)[0], 6);
  }
}

TEST(RowCopies, RowsUsedOftenMoveByTheMean) {
  for (const int uses : {1, 10, 1000}) {
    RowTable table = numbered_table(1, 16);
    RowCopies first(table), second(table);
    for (int i = 0; i < uses; ++i) {
      first.row(0);
      second.row(0);
    }
    first.row(0)[3] += 1;
    second.row(0)[3] += 3;
    merge({&first, &second}, table, 0.01F, 2);
    const float uses_each = static_cast<float>(uses + 1);
    EXPECT_FLOAT_EQ(table.row(0)[3], 1 + 4 / (1 + std::min(1.0F, 0.02F * uses_each))) << uses;
  }
}

TEST(HotRows, ExchangeWhatEachHasMoved) {
  RowTable table = numbered_table(10, 16);
  RowView one(table, 2, 3), other(table, 2, 3);
  EXPECT_EQ(one.row(1), table.row(1));
  EXPECT_EQ(one.row(5), table.row(5));
  for (const int32_t id : {2, 3, 4}) {
    EXPECT_NE(one.row(id), table.row(id));
    EXPECT_EQ(one.row(id)[15], static_cast<float>(id + 1));
    one.row(id)[0] += 1;
    other.row(id)[0] += 10;
  }
  EXPECT_EQ(table.row(3)[0], 4);
  one.hot().exchange();
  EXPECT_EQ(table.row(3)[0], 5);
  other.hot().exchange();
  EXPECT_EQ(table.row(3)[0], 15);
  EXPECT_EQ(other.row(3)[0], 15);
  EXPECT_EQ(one.row(3)[0], 5);
  one.hot().exchange();
  other.hot().exchange();
  EXPECT_EQ(one.row(3)[0], 15);
  EXPECT_EQ(table.row(3)[0], 15);
}

TEST(RowView, OfATableWithoutRows) {
  RowTable table(0, 4);
  RowView view(table);
  view.hot().exchange();
  view.copies().subtract_table();
  EXPECT_FALSE(view.hot().has(0));
}

}  // namespace
}  // namespace sesame
