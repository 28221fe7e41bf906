/* Runs of one account that decide alike: whatever thresholds compare as those of a replayed run did at each comparison that
   it made, its replay is theirs. Which comparisons are noted beyond those changes no result, only how many runs are alike. */
#ifndef CARRYGRID_ALIKE_H
#define CARRYGRID_ALIKE_H
#include "layout.h"

typedef struct { i64 above, most; } Limits; /* of a threshold: all above the one, up to the other, compare as the run's own */

/* Limits of a run's thresholds: while it is replayed, and afterwards with its number in the batch. */
typedef struct { Limits enter[CONDITIONS], stay; i64 run; } Alike;

#define REMEMBERED 64 /* runs, the newest of one account and its decisions: the neighbours of a run in most grids */
typedef struct { i64 account, decisions, count; Alike runs[REMEMBERED]; } Remembered;

static inline Alike alike_begin(void) {
    const Limits any = {INT64_MIN, INT64_MAX};
    return (Alike){{any, any, any}, any, -1};
}

/* Note that a threshold was compared with a value, which reached it or did not. */
static inline void met(Limits *limits, i64 value, i64 threshold) {
    if (value < threshold) limits->above = value > limits->above ? value : limits->above;
    else limits->most = value < limits->most ? value : limits->most;
}

static inline int within(Limits limits, i64 threshold) { return limits.above < threshold && threshold <= limits.most; }

/* Return whether the thresholds of a run compare as those of another did. */
static inline int decides_alike(const Alike *other, const Run *run) {
    int same = within(other->stay, run->stay_from);
    for (int k = 0; k < CONDITIONS; k++) same &= within(other->enter[k], run->enter_from[k]);
    return same;
}

/* Return the number of a remembered run that decides as `run` does, -1 for none. */
static i64 alike_run(Remembered *known, const Run *run) {
    if (known->account != run->account || known->decisions != run->decisions) {
        known->account = run->account;
        known->decisions = run->decisions;
        known->count = 0;
    }
    i64 newest = known->count, oldest = newest < REMEMBERED ? 0 : newest - REMEMBERED;
    for (i64 i = newest - 1; i >= oldest; i--) {
        const Alike *x = &known->runs[i % REMEMBERED];
        if (decides_alike(x, run)) return x->run;
    }
    return -1;
}

static void remember(Remembered *known, const Alike *alike, i64 run) {
    Alike *own = &known->runs[known->count++ % REMEMBERED];
    *own = *alike;
    own->run = run;
}

#define SEARCHES 192 /* of alike runs that are kept: enough for 96 trades */
#define KEPT 128     /* alike runs whose searches are kept */
#define PLACES 1024  /* by a hash of thresholds, and how many of them are looked at */
#define TRIES 4

/* Searches of runs that decide alike, of whatever accounts: where each began, with its kind, ascending, and what it found.
   They are the same wherever all that was compared for them, in `alike`, compares the same. */
typedef struct {
    Decisions by;
    Alike alike;
    i64 count;
    i32 begun[SEARCHES], found[SEARCHES];
} Searches;

/* Searches of the newest such runs, and by a hash which of them may be those of a run. */
typedef struct {
    i64 count;
    int16_t at[PLACES + TRIES];
    Searches kept[KEPT];
} SearchTable;

static inline int same_columns(const Decisions *x, const Decisions *y) {
    int same = x->stay_column == y->stay_column;
    for (int k = 0; k < CONDITIONS; k++) same &= x->enter_columns[k] == y->enter_columns[k];
    return same;
}

/* Return the searches that are a run's as well; those that it will make where there are none yet, in the place of older ones. */
static Searches *searches_of(SearchTable *table, const Run *run, const Decisions *by) {
    const uint64_t factor = 0x9E3779B97F4A7C15u;
    uint64_t hash = (((uint64_t)run->enter_from[0] * factor + (uint64_t)run->stay_from) * factor + (uint64_t)by->enter_columns[0]) * factor;
    int16_t *first = &table->at[(hash >> 32) % PLACES], *free = first;
    for (int k = 0; k < TRIES; k++) {
        int16_t *at = &first[k];
        if (*at < 0) { free = at; break; }
        Searches *known = &table->kept[*at];
        if (same_columns(&known->by, by) && decides_alike(&known->alike, run)) return known;
    }
    *free = (int16_t)(table->count++ % KEPT);
    Searches *made = &table->kept[*free];
    made->by = *by;
    made->alike = alike_begin();
    made->count = 0;
    return made;
}
#endif
