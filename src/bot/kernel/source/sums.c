/* Sums of daily returns that trials are judged by, equal in every bit to bot/selection/return_sums.py, and equal rows of returns.

   Rows are taken four at a time, a lane each; their returns, and most sums of them, are whole and exact in any order. Compiled
   twice, as replay.c is. */
#include <stdlib.h>
#include "layout.h"
#include "sha256.h"

#define TEXTS 12 /* hashed together: lanes of three times four rows, and three texts at once */
#define PADDING 9 /* least bytes after a text: a bit, and its length */
#define DIGEST 16

/* Room for four rows: their returns, the same as whole numbers beside each other, what digests are of. */
typedef struct {
    double *row, *whole;
    uint8_t *texts;                   /* `room` bytes each, padded */
    i64 size, room, waiting;
    Stream streams[TEXTS];
    uint8_t *digests[TEXTS];
    AddStreams add_streams;
    int knows_unused;                 /* whether the digest of rows that are not used has been worked out */
    uint8_t unused[DIGEST];
} Work;

#define CHAINS 4 /* of four returns each, so that none waits for the one before */

/* Return the largest size of a row of returns, 0 where one is infinite or no number. */
static double largest_of(const double *row, i64 days) {
    Four most[CHAINS] = {0}, odd[CHAINS] = {0}; /* odd: no number once a return is infinite or none */
    double largest = 0, sum = 0;
    i64 d = 0;
    for (; d + CHAINS * FOUR <= days; d += CHAINS * FOUR)
        for (int k = 0; k < CHAINS; k++) {
            const Four x = four_of(row + d + k * FOUR);
            most[k] = most_of(size_of(x), most[k]);
            odd[k] = plus_product(odd[k], x, all_of(0));
        }
    for (; d < days; d++) {
        largest = fabs(row[d]) > largest ? fabs(row[d]) : largest;
        sum += row[d] * 0;
    }
    for (int k = 0; k < CHAINS * FOUR; k++) {
        const double size = most[k / FOUR][k % FOUR];
        largest = size > largest ? size : largest;
        sum += odd[k / FOUR][k % FOUR];
    }
    return sum == 0 ? largest : 0;
}

/* Return the returns of a row: where they are, or in `row`, less those of hold. */
static const double *returns_of(const Judged *r, i64 n, double *row) {
    const double *own = r->returns + r->places[n] * r->days;
    if (!r->holds) return own;
    const double *hold = r->holds + r->held[n] * r->days;
#pragma omp simd
    for (i64 d = 0; d < r->days; d++) row[d] = own[d] - hold[d];
    return row;
}

/* Write a row of returns as whole numbers, and these with their exponent as the text of a digest. */
static void put_whole(const Judged *r, i64 n, const double *returns, double largest, double *row, i32 *text) {
    int power;
    frexp(largest, &power);
    const i64 exponent = WHOLE_BITS - power, half = exponent >> 1;
    /* In two steps, since one power of two may be more than the largest float. */
    const double first = ldexp(1, (int)half), second = ldexp(1, (int)(exponent - half));
    r->exponents[n] = exponent;
    r->usable[n] = 1;
#pragma omp simd
    for (i64 d = 0; d < r->days; d++) {
        const double whole = returns[d] * first * second + ROUNDER - ROUNDER;
        row[d] = whole;
        text[d] = (i32)whole;
    }
    memcpy(text + r->days, &exponent, sizeof exponent);
}

static double deviation_of(i64 n, double total, double squares) {
    const i128 spread = (i128)n * (i64)squares - (i128)(i64)total * (i64)total;
    return spread ? sqrt(nearest_quotient(spread, n * (n - 1))) : NAN;
}

/* Write the sums of each week of four rows, their Sharpe ratios and deviations (selection/sharpe.py). */
static void put_sample(const Judged *r, const i64 *rows, const double *whole) {
    const i64 n = r->weeks * WEEK_DAYS;
    const double *sample = whole + (r->days - n) * FOUR;
    Four total = {0}, squares = {0};
    for (i64 w = 0; w < r->weeks; w++) {
        Four week = {0};
        for (i64 d = w * WEEK_DAYS; d < (w + 1) * WEEK_DAYS; d++) {
            const Four u = four_of(sample + d * FOUR);
            week += u;
            squares = plus_product(squares, u, u);
        }
        total += week;
        for (int k = 0; k < FOUR; k++) r->weekly[rows[k] * r->weeks + w] = week[k];
    }
    for (int k = 0; k < FOUR; k++) {
        const double deviation = deviation_of(n, total[k], squares[k]);
        r->deviations[rows[k]] = deviation;
        r->sharpe[rows[k]] = isnan(deviation) ? NAN : total[k] / (double)n / deviation;
    }
}

/* Write the sums of four rows over the pieces of the days, those of squares, and the days that are not zero. */
static void put_pieces(const Judged *r, const i64 *rows, const double *whole) {
    for (i64 p = 0; p < r->pieces; p++) {
        Four total = {0}, squares = {0};
        Mask active = {0};
        for (i64 d = r->edges[p]; d < r->edges[p + 1]; d++) {
            const Four u = four_of(whole + d * FOUR);
            total += u;
            squares = plus_product(squares, u, u);
            active -= u != (Four){0};
        }
        for (int k = 0; k < FOUR; k++) {
            const i64 at = rows[k] * r->pieces + p;
            r->totals[at] = (i64)total[k];
            r->squares[at] = (i64)squares[k];
            r->active[at] = active[k];
        }
    }
}

/* Hash the texts that wait. */
static void put_digests(Work *work) {
    Stream *streams[TEXTS];
    for (i64 n = 0; n < work->waiting; n++) {
        work->streams[n] = (Stream){.h = FIRST_STATE, .text = work->texts + n * work->room, .blocks = work->room / BLOCK};
        streams[n] = &work->streams[n];
    }
    work->add_streams(streams, work->waiting, 1);
    for (i64 n = 0; n < work->waiting; n++) put_digest(&work->streams[n], work->digests[n], DIGEST);
    work->waiting = 0;
}

/* Return where the text of a row goes. */
static i32 *text_of(const Judged *r, Work *work, i64 n) {
    if (r->texts) return r->texts + n * (work->size / 4);
    work->digests[work->waiting] = r->digests + n * DIGEST;
    return (i32 *)(work->texts + work->waiting++ * work->room);
}

/* Pad the places of texts: all of them are as long. */
static void pad_texts(Work *work) {
    memset(work->texts, 0, (size_t)(TEXTS * work->room));
    for (i64 n = 0; n < TEXTS; n++) {
        uint8_t *text = work->texts + n * work->room;
        text[work->size] = 0x80;
        for (int b = 0; b < 8; b++) text[work->room - 1 - b] = (uint8_t)((uint64_t)(work->size * 8) >> (8 * b));
    }
}

#define UNUSED (WHOLE_BITS - 1) /* exponent of returns that are all 0, which stand in for those of a row that is not used */

/* Write the text of a row that is not used. */
static void put_unused_text(const Judged *r, i32 *text) {
    const i64 exponent = UNUSED;
    memset(text, 0, (size_t)r->days * sizeof *text);
    memcpy(text + r->days, &exponent, sizeof exponent);
}

/* Write the digest of such a row, worked out once, in the place of the next text. */
static void put_unused_digest(const Judged *r, Work *work, uint8_t *digest) {
    uint8_t *text = work->texts + work->waiting * work->room;
    Stream stream = {.h = FIRST_STATE};
    if (!work->knows_unused) {
        put_unused_text(r, (i32 *)text);
        add_blocks(&stream, text, work->room / BLOCK, work->add_streams);
        put_digest(&stream, work->unused, DIGEST);
        work->knows_unused = 1;
    }
    memcpy(digest, work->unused, DIGEST);
}

/* Write the sums of a row that is not used: it has no returns but 0, as trials that never trade, or one that is no number. */
static void put_unused(const Judged *r, i64 n, Work *work) {
    r->exponents[n] = UNUSED;
    r->usable[n] = 0;
    if (r->texts) put_unused_text(r, r->texts + n * (work->size / 4));
    else put_unused_digest(r, work, r->digests + n * DIGEST);
    if (r->weeks) {
        memset(r->weekly + n * r->weeks, 0, (size_t)r->weeks * sizeof *r->weekly);
        r->sharpe[n] = r->deviations[n] = NAN;
    }
    for (i64 at = n * r->pieces; at < (n + 1) * r->pieces; at++) r->totals[at] = r->squares[at] = r->active[at] = 0;
}

/* Write the sums of `count` rows, at most four, whose returns are in `row`; the last one stands in for those that are none. */
static void put_sums(const Judged *r, i64 *rows, int count, const Work *work) {
    const double *row[FOUR];
    for (int k = 0; k < FOUR; k++) {
        const int own = k < count ? k : count - 1;
        rows[k] = rows[own];
        row[k] = work->row + own * r->days;
    }
    const double *a = row[0], *b = row[1], *c = row[2], *d = row[3];
    for (i64 i = 0; i < r->days; i++) put_four(work->whole + i * FOUR, (Four){a[i], b[i], c[i], d[i]});
    if (r->weeks) put_sample(r, rows, work->whole);
    put_pieces(r, rows, work->whole);
}

/* Write the sums of every row; return 0 where there is no memory for it. */
int RETURN_SUMS(const Judged *r, AddStreams add_streams);
int RETURN_SUMS(const Judged *r, AddStreams add_streams) {
    Work work = {.size = r->days * 4 + 8, .add_streams = add_streams};
    work.room = (work.size + PADDING + BLOCK - 1) / BLOCK * BLOCK;
    double *numbers = malloc((size_t)(2 * r->days) * FOUR * sizeof *numbers + (size_t)(TEXTS * work.room));
    if (!numbers) return 0;
    work.row = numbers;
    work.whole = numbers + r->days * FOUR;
    work.texts = (uint8_t *)(work.whole + r->days * FOUR);
    pad_texts(&work);
    i64 rows[FOUR];
    int count = 0;
    for (i64 n = 0; n < r->rows; n++) {
        double *row = work.row + count * r->days;
        const double *returns = returns_of(r, n, row), largest = largest_of(returns, r->days);
        if (!(largest > 0)) { put_unused(r, n, &work); continue; }
        rows[count++] = n;
        put_whole(r, n, returns, largest, row, text_of(r, &work, n));
        if (work.waiting == TEXTS) put_digests(&work);
        if (count == FOUR) put_sums(r, rows, count, &work), count = 0;
    }
    if (count) put_sums(r, rows, count, &work);
    put_digests(&work);
    free(numbers);
    return 1;
}

typedef uint64_t Bits __attribute__((vector_size(32)));

static uint64_t mixed(uint64_t key, uint64_t bits) {
    key = (key ^ bits) * 0x9e3779b97f4a7c15;
    return key ^ key >> 32;
}

/* Return a number that equal rows share, and hardly any others. */
static uint64_t key_of(const double *row, i64 days) {
    Bits parts[CHAINS] = {0}, bits;
    uint64_t key = 0, rest;
    i64 d = 0;
    for (; d + CHAINS * FOUR <= days; d += CHAINS * FOUR)
        for (int k = 0; k < CHAINS; k++) {
            memcpy(&bits, row + d + k * FOUR, sizeof bits);
            parts[k] += (parts[k] << 5) + bits; /* times 33: vectors have no fast product of 64 bits */
        }
    for (; d < days; d++) {
        memcpy(&rest, row + d, sizeof rest);
        key = mixed(key, rest);
    }
    for (int k = 0; k < CHAINS * FOUR; k++) key = mixed(key, parts[k / FOUR][k % FOUR]);
    return key;
}

static int are_equal(const double *matrix, i64 one, i64 other, i64 days) {
    return one == other || !memcmp(matrix + one * days, matrix + other * days, (size_t)days * sizeof *matrix);
}

/* Write of each pair of rows the first that is equal to it in every bit; return 0 where there is no memory for it. */
int EQUAL_ROWS(const RowPairs *r);
int EQUAL_ROWS(const RowPairs *r) {
    int bits = 4;
    while (((i64)1 << bits) < 2 * r->pairs) bits++;
    const size_t places = (size_t)1 << bits;
    uint64_t *keys = malloc(((size_t)r->pairs + places) * sizeof *keys);
    if (!keys) return 0;
    i64 *table = (i64 *)(keys + r->pairs); /* firsts by their keys, -1 in free places */
    memset(table, 0xff, places * sizeof *table);
    for (i64 n = 0; n < r->pairs; n++) {
        keys[n] = mixed(key_of(r->returns + r->own[n] * r->days, r->days), key_of(r->holds + r->held[n] * r->days, r->days));
        size_t at = (size_t)(mixed(keys[n], 0) >> (64 - bits));
        r->first[n] = n;
        for (; table[at] >= 0; at = (at + 1) & (places - 1)) {
            const i64 other = table[at];
            if (keys[other] == keys[n] && are_equal(r->returns, r->own[other], r->own[n], r->days) &&
                are_equal(r->holds, r->held[other], r->held[n], r->days)) {
                r->first[n] = other;
                break;
            }
        }
        if (r->first[n] == n) table[at] = n;
    }
    free(keys);
    return 1;
}
