/* SHA-256 block by block; which code does it is chosen at run time. */
#ifndef CARRYGRID_SHA256_H
#define CARRYGRID_SHA256_H
#include <stdint.h>

#define BLOCK 64
#define FIRST_STATE {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19}

/* Adds one block. */
typedef void (*AddBlock)(uint32_t *h, const uint8_t *block);
AddBlock carrygrid_block(void);

/* Adds as many blocks to each of two digests; null on a processor without instructions for it. */
typedef void (*AddTwo)(uint32_t *const h[2], const uint8_t *const text[2], int64_t blocks);
AddTwo carrygrid_two(void);
#endif
