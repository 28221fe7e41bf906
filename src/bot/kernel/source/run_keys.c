/* Run keys: SHA-256 of texts put together of pieces, the same text as bot/config/run_key.py hashes.

   Trials come in an order in which those that begin alike follow each other, so that what they share is hashed once; the ends,
   which no next trial shares, are hashed several at a time. */
#include <stdlib.h>
#include "layout.h"
#include "sha256.h"

#define PADDING 9 /* least bytes after a text: a bit, and its length */
#define KEY_BYTES 32
#define ENDS 8 /* that wait for it at most */

/* Digest of a text so far; the bytes that do not fill a block wait in `rest`. */
typedef struct { Stream stream; uint8_t rest[BLOCK]; i64 bytes; } Text;

/* End of a text that waits for others, with its padding. */
typedef struct { Stream stream; uint8_t *bytes, *key; } End;

static void add_text(Text *t, const uint8_t *text, i64 size, AddStreams add_streams) {
    i64 held = t->bytes % BLOCK;
    t->bytes += size;
    if (held) {
        i64 own = size < BLOCK - held ? size : BLOCK - held;
        memcpy(t->rest + held, text, (size_t)own);
        if (held + own < BLOCK) return;
        add_blocks(&t->stream, t->rest, 1, add_streams);
        text += own;
        size -= own;
    }
    i64 blocks = size / BLOCK;
    add_blocks(&t->stream, text, blocks, add_streams);
    memcpy(t->rest, text + blocks * BLOCK, (size_t)(size - blocks * BLOCK));
}

/* Lay out the end of a text: what waits, the `count` pieces that follow, the padding. */
static void lay_out(End *end, const Text *t, const RunKeys *k, const i64 *pieces, i64 count) {
    i64 size = t->bytes % BLOCK;
    memcpy(end->bytes, t->rest, (size_t)size);
    i64 bits = (t->bytes - size) * 8;
    for (i64 n = 0; n < count; n++) {
        i64 from = k->starts[pieces[n]], own = k->starts[pieces[n] + 1] - from;
        memcpy(end->bytes + size, k->texts + from, (size_t)own);
        size += own;
    }
    bits += size * 8;
    i64 filled = (size + PADDING + BLOCK - 1) / BLOCK * BLOCK;
    memset(end->bytes + size, 0, (size_t)(filled - size));
    end->bytes[size] = 0x80;
    for (int b = 0; b < 8; b++) end->bytes[filled - 1 - b] = (uint8_t)(bits >> (8 * b));
    end->stream = t->stream;
    end->stream.text = end->bytes;
    end->stream.blocks = filled / BLOCK;
}

/* How many pieces two texts begin with in common, the last one left out. */
static i64 shared(const i64 *one, const i64 *other, i64 last) {
    i64 d = 0;
    while (d < last && one[d] == other[d]) d++;
    return d;
}

/* Write the keys of ends; with `all` 0 some may be left, the first ones. Return their number. */
static i64 put_keys(Stream **ends, i64 count, int all, AddStreams add_streams) {
    i64 left = add_streams(ends, count, all);
    for (i64 n = left; n < count; n++) put_digest(ends[n], ((End *)ends[n])->key, KEY_BYTES);
    return left;
}

/* Write the key of each trial; 0 without memory. With `fast` 0 as a processor does that has no instructions for it. */
int carrygrid_run_keys(const RunKeys *k, int fast);
int carrygrid_run_keys(const RunKeys *k, int fast) {
    AddStreams add_streams = carrygrid_streams(fast);
    i64 longest = 0, depth = k->depth, last = depth - 1;
    for (i64 n = 0; n < k->pieces; n++)
        if (k->starts[n + 1] - k->starts[n] > longest) longest = k->starts[n + 1] - k->starts[n];
    const i64 room = depth * longest + 2 * BLOCK + PADDING;
    Text *begun = malloc((size_t)depth * sizeof *begun);
    uint8_t *bytes = malloc(ENDS * (size_t)room);
    if (!begun || !bytes) {
        free(begun);
        free(bytes);
        return 0;
    }
    begun[0] = (Text){.stream = {.h = FIRST_STATE}}; /* begun[d]: the pieces before d */
    End ends[ENDS];
    Stream *ended[ENDS]; /* those that wait first */
    for (int i = 0; i < ENDS; i++) ends[i].bytes = bytes + i * room, ended[i] = &ends[i].stream;
    i64 waiting = 0;
    for (i64 n = 0, begins = 0; n < k->trials; n++) { /* begins: pieces that the text shares with the one before */
        const i64 *own = k->numbers + k->order[n] * depth;
        i64 d = begins;
        begins = n + 1 < k->trials ? shared(own, k->numbers + k->order[n + 1] * depth, last) : 0;
        for (; d < begins; d++) {
            begun[d + 1] = begun[d];
            add_text(&begun[d + 1], k->texts + k->starts[own[d]], k->starts[own[d] + 1] - k->starts[own[d]], add_streams);
        }
        End *end = (End *)ended[waiting];
        lay_out(end, &begun[d], k, own + d, depth - d);
        end->key = k->keys + k->order[n] * KEY_BYTES;
        if (++waiting == ENDS) waiting = put_keys(ended, waiting, 0, add_streams);
    }
    put_keys(ended, waiting, 1, add_streams);
    free(begun);
    free(bytes);
    return 1;
}

/* Return whether this processor has instructions for SHA-256 that the library uses. */
int carrygrid_hashes(void);
int carrygrid_hashes(void) { return carrygrid_streams(1) != carrygrid_streams(0); }
