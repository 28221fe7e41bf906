/* Run keys: SHA-256 of texts put together of pieces, the same text as bot/config/run_key.py hashes.

   Trials come in an order in which those that begin alike follow each other, so that what they share is hashed once; the ends,
   which no next trial shares, are hashed two at a time. */
#include <stdlib.h>
#include "layout.h"
#include "sha256.h"

#define PADDING 9 /* least bytes after a text: a bit, and its length */
#define KEY_BYTES 32

/* Digest of a text so far; the bytes that do not fill a block wait in `rest`. */
typedef struct { uint32_t h[8]; uint8_t rest[BLOCK]; i64 bytes; } Text;

/* End of a text that waits for another one, with its padding. */
typedef struct { uint32_t h[8]; uint8_t *bytes, *key; i64 blocks; } End;

static void add_text(Text *t, const uint8_t *text, i64 size, AddBlock add_block) {
    i64 held = t->bytes % BLOCK;
    t->bytes += size;
    if (held) {
        i64 own = size < BLOCK - held ? size : BLOCK - held;
        memcpy(t->rest + held, text, (size_t)own);
        if (held + own < BLOCK) return;
        add_block(t->h, t->rest);
        text += own;
        size -= own;
    }
    for (; size >= BLOCK; text += BLOCK, size -= BLOCK) add_block(t->h, text);
    memcpy(t->rest, text, (size_t)size);
}

/* Lay out the end of a text: what waits, the `count` pieces that follow, the padding. */
static void lay_out(End *end, const Text *t, const RunKeys *k, const i64 *pieces, i64 count) {
    i64 size = t->bytes % BLOCK;
    memcpy(end->h, t->h, sizeof end->h);
    memcpy(end->bytes, t->rest, (size_t)size);
    i64 bits = (t->bytes - size) * 8;
    for (i64 n = 0; n < count; n++) {
        i64 from = k->starts[pieces[n]], own = k->starts[pieces[n] + 1] - from;
        memcpy(end->bytes + size, k->texts + from, (size_t)own);
        size += own;
    }
    bits += size * 8;
    end->blocks = (size + PADDING + BLOCK - 1) / BLOCK;
    i64 filled = end->blocks * BLOCK;
    memset(end->bytes + size, 0, (size_t)(filled - size));
    end->bytes[size] = 0x80;
    for (int b = 0; b < 8; b++) end->bytes[filled - 1 - b] = (uint8_t)(bits >> (8 * b));
}

/* How many pieces two texts begin with in common, the last one left out. */
static i64 shared(const i64 *one, const i64 *other, i64 last) {
    i64 d = 0;
    while (d < last && one[d] == other[d]) d++;
    return d;
}

static void put_key(const End *end) {
    for (int i = 0; i < KEY_BYTES; i++) end->key[i] = (uint8_t)(end->h[i / 4] >> (24 - 8 * (i % 4)));
}

/* Hash what is left of a text after `from` blocks. */
static void finish(End *end, i64 from, AddBlock add_block) {
    for (i64 n = from; n < end->blocks; n++) add_block(end->h, end->bytes + n * BLOCK);
    put_key(end);
}

static void finish_two(End ends[2], AddTwo add_two, AddBlock add_block) {
    i64 both = ends[0].blocks < ends[1].blocks ? ends[0].blocks : ends[1].blocks;
    add_two((uint32_t *const[2]){ends[0].h, ends[1].h}, (const uint8_t *const[2]){ends[0].bytes, ends[1].bytes}, both);
    for (int i = 0; i < 2; i++) finish(&ends[i], both, add_block);
}

/* Write the key of each trial; 0 without memory. With `fast` 0 as a processor does that has no instructions for it. */
int carrygrid_run_keys(const RunKeys *k, int fast);
int carrygrid_run_keys(const RunKeys *k, int fast) {
    AddBlock add_block = carrygrid_block();
    AddTwo add_two = fast ? carrygrid_two() : 0;
    i64 longest = 0, depth = k->depth, last = depth - 1;
    for (i64 n = 0; n < k->pieces; n++)
        if (k->starts[n + 1] - k->starts[n] > longest) longest = k->starts[n + 1] - k->starts[n];
    const i64 room = depth * longest + 2 * BLOCK + PADDING;
    Text *begun = malloc((size_t)depth * sizeof *begun);
    uint8_t *bytes = malloc(2 * (size_t)room);
    if (!begun || !bytes) {
        free(begun);
        free(bytes);
        return 0;
    }
    begun[0] = (Text){FIRST_STATE, {0}, 0}; /* begun[d]: the pieces before d */
    End ends[2] = {{.bytes = bytes}, {.bytes = bytes + room}};
    int waiting = 0;
    for (i64 n = 0, begins = 0; n < k->trials; n++) { /* begins: pieces that the text shares with the one before */
        const i64 *own = k->numbers + k->order[n] * depth;
        i64 d = begins;
        begins = n + 1 < k->trials ? shared(own, k->numbers + k->order[n + 1] * depth, last) : 0;
        for (; d < begins; d++) {
            begun[d + 1] = begun[d];
            add_text(&begun[d + 1], k->texts + k->starts[own[d]], k->starts[own[d] + 1] - k->starts[own[d]], add_block);
        }
        End *end = &ends[waiting];
        lay_out(end, &begun[d], k, own + d, depth - d);
        end->key = k->keys + k->order[n] * KEY_BYTES;
        if (!add_two) finish(end, 0, add_block);
        else if (waiting) finish_two(ends, add_two, add_block);
        waiting = add_two && !waiting;
    }
    if (waiting) finish(&ends[0], 0, add_block);
    free(begun);
    free(bytes);
    return 1;
}

/* Return whether this processor has instructions for SHA-256 that the library uses. */
int carrygrid_hashes(void);
int carrygrid_hashes(void) { return carrygrid_two() != 0; }
