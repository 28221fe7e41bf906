/* Entry points of the library: the fastest code that this processor can run, and what the library was built from. */
#include "growth.h"
#include "ledger.h"
#include "metrics.h"
#include "processor.h"

#ifndef SOURCES
#error "SOURCES is the digest that build.py names"
#endif

int replay_any(const Window *w, const Batch *b);
int shifts_any(const Luck *l);
int sums_any(const Judged *r, AddStreams add_streams);
int equals_any(const RowPairs *r);
int compared_any(const Comparison *c);
#ifdef WITH_V3
int replay_v3(const Window *w, const Batch *b);
int shifts_v3(const Luck *l);
int sums_v3(const Judged *r, AddStreams add_streams);
int equals_v3(const RowPairs *r);
int compared_v3(const Comparison *c);
static int has_v3(void) { return carrygrid_processor.v3; }
#else
#define replay_v3 replay_any
#define shifts_v3 shifts_any
#define sums_v3 sums_any
#define equals_v3 equals_any
#define compared_v3 compared_any
static int has_v3(void) { return 0; }
#endif

const char *carrygrid_sources(void);
const char *carrygrid_sources(void) { return SOURCES; }

/* Return the code that runs: 1 for x86-64-v3, 0 for any processor. */
int carrygrid_path(void);
int carrygrid_path(void) { return has_v3(); }

/* Write the sizes of Window, Moment, Rules, Parameters, Decisions, Run, Batch, Luck, Judged, RowPairs, RunKeys, Columns,
   Series, PairColumns and Comparison, and the number of metrics. */
void carrygrid_layout(i64 *sizes);
void carrygrid_layout(i64 *sizes) {
    const i64 own[] = {sizeof(Window), sizeof(Moment), sizeof(Rules), sizeof(Parameters), sizeof(Decisions), sizeof(Run), sizeof(Batch),
                       sizeof(Luck), sizeof(Judged), sizeof(RowPairs), sizeof(RunKeys), sizeof(Columns), sizeof(Series), sizeof(PairColumns),
                       sizeof(Comparison), METRICS};
    memcpy(sizes, own, sizeof own);
}

int carrygrid_replay(const Window *w, const Batch *b, int fast);
int carrygrid_replay(const Window *w, const Batch *b, int fast) {
    return (fast && has_v3() ? replay_v3 : replay_any)(w, b);
}

int carrygrid_shifts(const Luck *l, int fast);
int carrygrid_shifts(const Luck *l, int fast) { return (fast && has_v3() ? shifts_v3 : shifts_any)(l); }

int carrygrid_sums(const Judged *r, int fast);
int carrygrid_sums(const Judged *r, int fast) { return (fast && has_v3() ? sums_v3 : sums_any)(r, carrygrid_streams(fast)); }

int carrygrid_equal_rows(const RowPairs *r, int fast);
int carrygrid_equal_rows(const RowPairs *r, int fast) { return (fast && has_v3() ? equals_v3 : equals_any)(r); }

int carrygrid_compare(const Comparison *c, int fast);
int carrygrid_compare(const Comparison *c, int fast) { return (fast && has_v3() ? compared_v3 : compared_any)(c); }

/* Write the ledger digest of `count` rows, for the test that the library makes of itself when it is loaded. */
void carrygrid_digest(const i64 *rows, i64 count, uint8_t *digest);
void carrygrid_digest(const i64 *rows, i64 count, uint8_t *digest) {
    AddStreams add_streams = carrygrid_streams(1);
    Ledger ledger;
    Stream *ended = &ledger.stream;
    ledger_begin(&ledger, digest);
    for (i64 n = 0; n < count; n++) ledger_row(&ledger, rows + n * ROW, add_streams);
    ledger_end(&ledger);
    ledgers_write(&ended, 1, 1, add_streams);
}

/* Write growths (growth.h) and whether each is certain, and the chances of scores (metrics.h), for the tests of both. */
void carrygrid_growths(const double *initial, const double *finals, double elapsed_ms, double *growth, int *certain);
void carrygrid_growths(const double *initial, const double *finals, double elapsed_ms, double *growth, int *certain) {
    growths(initial, finals, elapsed_ms, growth, certain);
}
double carrygrid_chance(double score);
double carrygrid_chance(double score) { return chance_above(score); }
