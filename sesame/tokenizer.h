/*
 * Sesame's tokenizers for C, and for every language that calls C. The library is libsesame_tokenizer.
 *
 *   sesame_tokenizer* tokenizer = sesame_tokenizer_load("tokenizer.json");
 *   int32_t* ids;
 *   size_t count;
 *   if (tokenizer == NULL || sesame_tokenizer_encode(tokenizer, text, strlen(text), 0, &ids, &count) != 0) {
 *     fprintf(stderr, "%s\n", sesame_last_error());
 *   }
 *   ...
 *   sesame_free(ids);
 *   sesame_tokenizer_free(tokenizer);
 *
 * A tokenizer does not change after it is loaded: any number of threads may use one at once. No function throws, exits
 * or prints. Those that can fail return 0 where they did not, and sesame_last_error() says what was wrong.
 */
#ifndef SESAME_TOKENIZER_H
#define SESAME_TOKENIZER_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sesame_tokenizer sesame_tokenizer;

enum {
  /* Special tokens written out in the text ("<|endoftext|>") become their ids; without it they are ordinary text, which
     is what text from strangers needs. */
  SESAME_PARSE_SPECIAL = 1,
  /* Special tokens in the text are an error. */
  SESAME_REFUSE_SPECIAL = 2,
  /* The tokenizer's post-processor adds its tokens ("<s>", "[CLS]"). */
  SESAME_ADD_SPECIAL = 4,
  /* decode: special tokens are written out instead of left out. */
  SESAME_KEEP_SPECIAL = 8
};

/* The last error of this thread, in words; "" where there was none. Valid until this thread's next call. */
const char* sesame_last_error(void);

/* Loads a tokenizer from a file, or from the directory of a model, in any format that Sesame reads: tokenizer.json,
   SentencePiece's .model, vocab.txt, vocab.json with merges.txt, .tiktoken, Sesame's own image. NULL on error. */
sesame_tokenizer* sesame_tokenizer_load(const char* path);

/* Frees a tokenizer; NULL is allowed. No other thread may be using it. */
void sesame_tokenizer_free(sesame_tokenizer* tokenizer);

/* The ids of `bytes` bytes of text, which need not be UTF-8 nor end in 0. *ids is to be freed with sesame_free. */
int sesame_tokenizer_encode(const sesame_tokenizer* tokenizer, const char* text, size_t bytes, unsigned flags,
                            int32_t** ids, size_t* count);

/* The same into memory of the caller: writes at most `capacity` ids, sets *count to how many there are in all. */
int sesame_tokenizer_encode_into(const sesame_tokenizer* tokenizer, const char* text, size_t bytes, unsigned flags,
                                 int32_t* ids, size_t capacity, size_t* count);

/* The same with the bytes [begins[i], ends[i]) of the text that token i stands for. *ids, *begins and *ends are one
   allocation: free *ids with sesame_free, the others go with it. */
int sesame_tokenizer_encode_offsets(const sesame_tokenizer* tokenizer, const char* text, size_t bytes, unsigned flags,
                                    int32_t** ids, uint64_t** begins, uint64_t** ends, size_t* count);

/* How many ids encode gives. */
int sesame_tokenizer_count(const sesame_tokenizer* tokenizer, const char* text, size_t bytes, unsigned flags,
                           size_t* count);

/* Many texts on `threads` threads (0: one per processor): the ids of text i are [ends[i - 1], ends[i]) of *ids, where
   ends[-1] is 0. `ends` has room for `texts_count` numbers. Free *ids with sesame_free. */
int sesame_tokenizer_encode_batch(const sesame_tokenizer* tokenizer, const char* const* texts, const size_t* bytes,
                                  size_t texts_count, unsigned flags, int threads, int32_t** ids, uint64_t* ends);

/* The text of ids: *text has *bytes bytes, not always UTF-8, and a 0 behind them. Free it with sesame_free. */
int sesame_tokenizer_decode(const sesame_tokenizer* tokenizer, const int32_t* ids, size_t count, unsigned flags,
                            char** text, size_t* bytes);

/* The largest id, plus one. */
int32_t sesame_tokenizer_vocabulary_size(const sesame_tokenizer* tokenizer);

/* The id of a token as the tokenizer's file spells it, added tokens included; -1 where there is none. */
int32_t sesame_tokenizer_id(const sesame_tokenizer* tokenizer, const char* token, size_t bytes);

/* Frees what encode and decode returned; NULL is allowed. */
void sesame_free(void* memory);

#ifdef __cplusplus
}
#endif

#endif
