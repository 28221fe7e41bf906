/* Ledger digest: SHA-256 over the rows of the trades, each row one block of 64 bytes. */
#ifndef CARRYGRID_LEDGER_H
#define CARRYGRID_LEDGER_H
#include <stdint.h>
#include <string.h>
#include "sha256.h"

#define ROW 8

typedef struct { uint32_t h[8]; uint64_t rows; } Ledger;

static inline Ledger ledger_begin(void) {
    return (Ledger){FIRST_STATE, 0};
}
static inline void ledger_row(Ledger *ledger, const int64_t *row, AddBlock add_block) {
    uint8_t block[64];
    for (int k = 0; k < ROW; k++)
        for (int b = 0; b < 8; b++) block[8 * k + b] = (uint8_t)((uint64_t)row[k] >> (8 * b));
    add_block(ledger->h, block);
    ledger->rows++;
}
/* Write the first half of the digest. */
static inline void ledger_end(Ledger *ledger, uint8_t *digest, AddBlock add_block) {
    uint8_t block[64] = {0x80};
    uint64_t bits = ledger->rows * 512;
    for (int b = 0; b < 8; b++) block[63 - b] = (uint8_t)(bits >> (8 * b));
    add_block(ledger->h, block);
    for (int i = 0; i < 16; i++) digest[i] = (uint8_t)(ledger->h[i / 4] >> (24 - 8 * (i % 4)));
}
#endif
