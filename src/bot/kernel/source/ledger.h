/* Ledger digest: SHA-256 over the rows of the trades, each row one block of 64 bytes. */
#ifndef CARRYGRID_LEDGER_H
#define CARRYGRID_LEDGER_H
#include <stdint.h>
#include <string.h>
#include "sha256.h"

#define ROW 8
#define ROOM 512 /* blocks that wait, so that those of two runs are added at once */

typedef struct {
    uint32_t h[8];
    int64_t rows, waiting;            /* rows so far; blocks that have not been added */
    uint8_t *digest;                  /* where the first half of the digest goes */
    uint8_t blocks[(ROOM + 1) * BLOCK];
} Ledger;

static inline void ledger_begin(Ledger *ledger, uint8_t *digest) {
    const uint32_t first[8] = FIRST_STATE;
    memcpy(ledger->h, first, sizeof first);
    ledger->rows = ledger->waiting = 0;
    ledger->digest = digest;
}
/* Add the blocks that wait from `from` on. */
static inline void ledger_add(Ledger *ledger, int64_t from, AddBlock add_block) {
    for (int64_t n = from; n < ledger->waiting; n++) add_block(ledger->h, ledger->blocks + n * BLOCK);
    ledger->waiting = 0;
}
static inline void ledger_row(Ledger *ledger, const int64_t *row, AddBlock add_block) {
    if (ledger->waiting == ROOM) ledger_add(ledger, 0, add_block);
    uint8_t *block = ledger->blocks + ledger->waiting++ * BLOCK;
    for (int k = 0; k < ROW; k++)
        for (int b = 0; b < 8; b++) block[8 * k + b] = (uint8_t)((uint64_t)row[k] >> (8 * b));
    ledger->rows++;
}
/* Add the last block, which has a place of its own. */
static inline void ledger_end(Ledger *ledger) {
    uint8_t *block = ledger->blocks + ledger->waiting++ * BLOCK;
    uint64_t bits = (uint64_t)ledger->rows * 512;
    memset(block, 0, BLOCK);
    block[0] = 0x80;
    for (int b = 0; b < 8; b++) block[BLOCK - 1 - b] = (uint8_t)(bits >> (8 * b));
}
/* Write the digests of ledgers that have ended, one or two of them. */
static inline void ledgers_write(Ledger *ledgers, int count, AddBlock add_block, AddTwo add_two) {
    int64_t both = 0;
    if (count == 2 && add_two) {
        uint32_t *const h[2] = {ledgers[0].h, ledgers[1].h};
        const uint8_t *const blocks[2] = {ledgers[0].blocks, ledgers[1].blocks};
        both = ledgers[0].waiting < ledgers[1].waiting ? ledgers[0].waiting : ledgers[1].waiting;
        add_two(h, blocks, both);
    }
    for (int n = 0; n < count; n++) {
        ledger_add(&ledgers[n], both, add_block);
        for (int i = 0; i < 16; i++) ledgers[n].digest[i] = (uint8_t)(ledgers[n].h[i / 4] >> (24 - 8 * (i % 4)));
    }
}
#endif
