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
        int same = within(x->stay, run->stay_from);
        for (int k = 0; k < CONDITIONS; k++) same &= within(x->enter[k], run->enter_from[k]);
        if (same) return x->run;
    }
    return -1;
}

static void remember(Remembered *known, const Alike *alike, i64 run) {
    Alike *own = &known->runs[known->count++ % REMEMBERED];
    *own = *alike;
    own->run = run;
}
#endif
