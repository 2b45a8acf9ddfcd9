#pragma once

#include <functional>

#include "sesame/base/thread_pool.h"
#include "sesame/text/unigram/train/piece_tree.h"
#include "sesame/text/unigram/train/unigram_trainer.h"

namespace sesame::unigram {

/// The pieces that stay when those go without which the words lose least: a piece that no word's best segmentation has,
/// or that itself is better segmented into others, goes; one that nothing can replace stays; of the rest those with the
/// greatest loss stay until there are `target`. The loss of a piece is its share of the words times the difference of
/// its log-probability and that of its second best segmentation, which takes over its occurrences (Kudo 2018, section
/// 3.2). Sums and sizes of floating-point numbers are those of SentencePiece. Sets the weights of the tree.
std::vector<PieceTree::Piece> prune(const TrainingText& text, PieceTree& tree, size_t target, UnigramLoss loss,
                                    ThreadPool& threads, const std::function<void()>& check_stop);

}  // namespace sesame::unigram
