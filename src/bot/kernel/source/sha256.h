/* SHA-256 of whole blocks, of several texts at once where the processor has instructions for it. */
#ifndef CARRYGRID_SHA256_H
#define CARRYGRID_SHA256_H
#include <stdint.h>

#define BLOCK 64
#define FIRST_STATE {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19}

/* Digest so far, and the blocks that are still to be added. */
typedef struct { uint32_t h[8]; const uint8_t *text; int64_t blocks; } Stream;

/* Adds the blocks of streams. With `all` 0 some may be left over, which are better added beside those of others.

   Returns how many streams have blocks left: they are the first, the others follow. */
typedef int64_t (*AddStreams)(Stream **streams, int64_t count, int all);

/* The fastest of them; with `fast` 0 that of a processor that has no instructions for it. */
AddStreams carrygrid_streams(int fast);

static inline void add_blocks(Stream *stream, const uint8_t *text, int64_t blocks, AddStreams add_streams) {
    stream->text = text;
    stream->blocks = blocks;
    add_streams(&stream, 1, 1);
}

/* Write the first `bytes` of a digest. */
static inline void put_digest(const Stream *stream, uint8_t *digest, int bytes) {
    for (int i = 0; i < bytes; i++) digest[i] = (uint8_t)(stream->h[i / 4] >> (24 - 8 * (i % 4)));
}
#endif
