/* Ledger digest: SHA-256 over the rows of the trades, each row one block of 64 bytes. */
#ifndef CARRYGRID_LEDGER_H
#define CARRYGRID_LEDGER_H
#include <stdint.h>
#include <string.h>
#include "sha256.h"

#define ROW 8
#define ROOM 512 /* blocks that wait, so that those of several runs are added at once */
#define LEDGERS 4 /* that wait for it at most */

typedef struct {
    Stream stream;                    /* first, so that the one is found by the other */
    int64_t rows, waiting;            /* rows so far; blocks that have not been added */
    uint8_t *digest;                  /* where the first half of the digest goes */
    uint8_t blocks[(ROOM + 1) * BLOCK];
} Ledger;

static inline void ledger_begin(Ledger *ledger, uint8_t *digest) {
    ledger->stream = (Stream){.h = FIRST_STATE};
    ledger->rows = ledger->waiting = 0;
    ledger->digest = digest;
}
static inline void ledger_row(Ledger *ledger, const int64_t *row, AddStreams add_streams) {
    if (ledger->waiting == ROOM) {
        add_blocks(&ledger->stream, ledger->blocks, ROOM, add_streams);
        ledger->waiting = 0;
    }
    uint8_t *block = ledger->blocks + ledger->waiting++ * BLOCK;
    for (int k = 0; k < ROW; k++)
        for (int b = 0; b < 8; b++) block[8 * k + b] = (uint8_t)((uint64_t)row[k] >> (8 * b));
    ledger->rows++;
}
/* Lay out the last block, which has a place of its own. */
static inline void ledger_end(Ledger *ledger) {
    uint8_t *block = ledger->blocks + ledger->waiting++ * BLOCK;
    uint64_t bits = (uint64_t)ledger->rows * 512;
    memset(block, 0, BLOCK);
    block[0] = 0x80;
    for (int b = 0; b < 8; b++) block[BLOCK - 1 - b] = (uint8_t)(bits >> (8 * b));
    ledger->stream.text = ledger->blocks;
    ledger->stream.blocks = ledger->waiting;
}
/* Write the digests of ledgers that have ended; with `all` 0 some may be left, the first ones. Return their number. */
static inline int64_t ledgers_write(Stream **ledgers, int64_t count, int all, AddStreams add_streams) {
    int64_t left = add_streams(ledgers, count, all);
    for (int64_t n = left; n < count; n++) put_digest(ledgers[n], ((Ledger *)ledgers[n])->digest, 16);
    return left;
}
#endif
