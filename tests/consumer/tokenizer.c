#include "sesame/tokenizer.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Encodes, decodes and counts from C, on several threads at once, with the tokenizer.json that the first argument
   names. Exit status 0 where all is as it should be. */

#define CHECK(condition)                                                                \
  do {                                                                                  \
    if (!(condition)) {                                                                 \
      fprintf(stderr, "line %d: %s (%s)\n", __LINE__, #condition, sesame_last_error()); \
      exit(1);                                                                          \
    }                                                                                   \
  } while (0)

static const char kText[] = "the cat sat, the cat sat <|endoftext|>";

static void check_round_trip(const sesame_tokenizer* tokenizer) {
  int32_t* ids = NULL;
  size_t count = 0;
  CHECK(sesame_tokenizer_encode(tokenizer, kText, strlen(kText), 0, &ids, &count) == 0);
  size_t counted = 0;
  CHECK(sesame_tokenizer_count(tokenizer, kText, strlen(kText), 0, &counted) == 0);
  CHECK(counted == count);
  char* text = NULL;
  size_t bytes = 0;
  CHECK(sesame_tokenizer_decode(tokenizer, ids, count, 0, &text, &bytes) == 0);
  CHECK(bytes == strlen(kText) && strcmp(text, kText) == 0);
  sesame_free(text);

  int32_t few[2];
  CHECK(sesame_tokenizer_encode_into(tokenizer, kText, strlen(kText), 0, few, 2, &counted) == 0);
  CHECK(counted == count && few[0] == ids[0] && few[1] == ids[1]);
  sesame_free(ids);
}

static void check_special(const sesame_tokenizer* tokenizer) {
  int32_t* ids = NULL;
  size_t count = 0;
  CHECK(sesame_tokenizer_encode(tokenizer, kText, strlen(kText), SESAME_PARSE_SPECIAL, &ids, &count) == 0);
  CHECK(count > 0 && ids[count - 1] == sesame_tokenizer_id(tokenizer, "<|endoftext|>", 13));
  sesame_free(ids);
  CHECK(sesame_tokenizer_encode(tokenizer, kText, strlen(kText), SESAME_REFUSE_SPECIAL, &ids, &count) != 0);
  CHECK(strstr(sesame_last_error(), "<|endoftext|>") != NULL);
}

static void check_offsets(const sesame_tokenizer* tokenizer) {
  int32_t* ids = NULL;
  uint64_t* begins = NULL;
  uint64_t* ends = NULL;
  size_t count = 0;
  CHECK(sesame_tokenizer_encode_offsets(tokenizer, kText, strlen(kText), 0, &ids, &begins, &ends, &count) == 0);
  CHECK(count > 0 && begins[0] == 0 && ends[count - 1] == strlen(kText));
  sesame_free(ids);
}

static void check_batch(const sesame_tokenizer* tokenizer) {
  const char* texts[3] = {"the cat", "", "sat"};
  const size_t bytes[3] = {7, 0, 3};
  uint64_t ends[3];
  int32_t* ids = NULL;
  CHECK(sesame_tokenizer_encode_batch(tokenizer, texts, bytes, 3, 0, 2, &ids, ends) == 0);
  CHECK(ends[0] > 0 && ends[1] == ends[0] && ends[2] > ends[1]);
  sesame_free(ids);
}

static void* use(void* tokenizer) {
  for (int i = 0; i < 50; ++i) {
    check_round_trip(tokenizer);
    check_special(tokenizer);
    check_offsets(tokenizer);
    check_batch(tokenizer);
  }
  return NULL;
}

int main(int argc, char** argv) {
  CHECK(argc == 2);
  CHECK(sesame_tokenizer_load("/no/such/file") == NULL);
  CHECK(strstr(sesame_last_error(), "/no/such/file") != NULL);
  sesame_tokenizer* tokenizer = sesame_tokenizer_load(argv[1]);
  CHECK(tokenizer != NULL);
  CHECK(sesame_tokenizer_vocabulary_size(tokenizer) > 256);
  CHECK(sesame_tokenizer_id(tokenizer, "no such token", 13) == -1);
  const int32_t wrong = 1 << 30;
  char* text = NULL;
  size_t bytes = 0;
  CHECK(sesame_tokenizer_decode(tokenizer, &wrong, 1, 0, &text, &bytes) != 0);

  pthread_t threads[3];
  for (int i = 0; i < 3; ++i) CHECK(pthread_create(&threads[i], NULL, use, tokenizer) == 0);
  for (int i = 0; i < 3; ++i) CHECK(pthread_join(threads[i], NULL) == 0);
  sesame_tokenizer_free(tokenizer);
  sesame_tokenizer_free(NULL);
  sesame_free(NULL);
  return 0;
}
