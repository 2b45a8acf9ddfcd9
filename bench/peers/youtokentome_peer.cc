// Training by YouTokenToMe: youtokentome_peer FILE MODEL VOCABULARY THREADS. Built by tokenizers.

#include <cstdlib>

#include "bpe.h"

int main(int argc, char** argv) {
  if (argc < 5) return 2;
  const vkcom::BpeConfig config(1.0, std::atoi(argv[4]), vkcom::SpecialTokens(0, 1, 2, 3));
  return vkcom::train_bpe(argv[1], argv[2], std::atoi(argv[3]), config).ok() ? 0 : 1;
}
