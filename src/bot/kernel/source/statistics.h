/* Statistics of the daily returns of LANES runs at a time: sums that have to go from the oldest day of a run to its newest
   go on in some of them at once, one in each lane. */
#ifndef CARRYGRID_STATISTICS_H
#define CARRYGRID_STATISTICS_H
#include "growth.h"
#include "metrics.h"
#include "record.h"

/* Runs that wait for their statistics. */
typedef struct {
    const Window *w;
    const Batch *batch;
    int count;
    i64 run[LANES];                   /* their numbers in the batch */
    const double *returns[LANES], *hold[LANES];
    i64 results[LANES][RESULTS];
    double ratios[LANES][RATIOS];
    i64 hold_results[LANES][RESULTS]; /* copies: accounts whose runs do not wait come in between */
    double capital[LANES], final[LANES];
    int sound[LANES];                 /* whether all returns are numbers */
    double *weekly;                   /* weeks x LANES: sums of whole returns, 0 for a run without a record */
    double *whole;                    /* scratch of all days */
} Lanes;

/* Daily returns of four runs: their sum, mean, and sums of squared distances from it and of squared losses. */
typedef struct { Four sum, mean, squares, losses; Mask moved, differ; } Returns;

static inline Four at_day(const double *const *rows, i64 d) { return (Four){rows[0][d], rows[1][d], rows[2][d], rows[3][d]}; }
static inline void add_return(Returns *r, Four x, Four first) {
    r->sum += x;
    r->moved -= x != 0;
    r->differ |= x != first;
}
static inline void add_distance(Returns *r, Four x) {
    Four distance = kept(x != 0, x - r->mean), loss = kept(x < 0, x);
    r->squares += distance * distance;
    r->losses += loss * loss;
}

/* Write volatility, Sharpe and Sortino ratio of run k, NAN where undefined. */
static void put_ratios(const Returns *r, int k, i64 count, double *volatility, double *sharpe, double *sortino) {
    double days = (double)count, year = sqrt(365.0), mean = r->mean[k];
    double squares = r->squares[k] + (double)(count - r->moved[k]) * (mean * mean);
    int constant = r->moved[k] == 0 || (r->moved[k] == count && !r->differ[k]);
    double deviation = constant ? 0 : sqrt(squares / (days - 1)), downside = sqrt(r->losses[k] / days);
    *volatility = deviation * year;
    *sharpe = deviation != 0 ? mean / deviation * year : NAN;
    *sortino = downside != 0 ? mean / downside * year : NAN;
}

/* Write the ratios of four runs and of their lead over the hold baselines, as statistics.returns sums them: strictly from
   the oldest to the newest return that is not zero, beside which zeros change no sum. */
static void year_ratios(Lanes *lanes, int at) {
    const double *const *returns = lanes->returns + at, *const *hold = lanes->hold + at;
    i64 days = lanes->w->days;
    Returns own = {0}, lead = {0};
    Four first = at_day(returns, 0), first_lead = first - at_day(hold, 0);
    for (i64 d = 0; d < days; d++) {
        Four x = at_day(returns, d);
        add_return(&own, x, first);
        add_return(&lead, x - at_day(hold, d), first_lead);
    }
    own.mean = own.sum / (double)days;
    lead.mean = lead.sum / (double)days;
    for (i64 d = 0; d < days; d++) {
        Four x = at_day(returns, d);
        add_distance(&own, x);
        add_distance(&lead, x - at_day(hold, d));
    }
    for (int k = 0; k < 4 && at + k < lanes->count; k++) {
        double *to = lanes->ratios[at + k], unasked, over_hold;
        if (lanes->sound[at + k]) put_ratios(&own, k, days, to + VOLATILITY, to + SHARPE, to + SORTINO);
        put_ratios(&lead, k, days, &unasked, &over_hold, &unasked);
        if (own.moved[k]) to[OVER_HOLD] = over_hold;
    }
}

/* Write the weekly sums of a run's newest whole weeks and what follows from its powers; return 0 out of range. */
static int add_record(Lanes *lanes, int k) {
    const Window *w = lanes->w;
    const double *u = lanes->whole + w->days % WEEK_DAYS;
    int known = whole_returns(lanes->returns[k], w->days, lanes->whole);
    for (i64 n = 0; n < w->weeks; n++) {
        double sum = 0;
        for (i64 d = 0; known && d < WEEK_DAYS; d++) sum += u[n * WEEK_DAYS + d];
        lanes->weekly[n * LANES + k] = sum;
    }
    i64 days = w->weeks * WEEK_DAYS;
    return !known || record_moments(power_sums(u, days), days, lanes->ratios[k]);
}

/* Take the run whose results have been written to the next lane, and its hold baseline; their statistics follow later. */
static void add_run(Lanes *lanes, i64 n, const i64 *hold_results, int sound) {
    const Window *w = lanes->w;
    const Batch *b = lanes->batch;
    int k = lanes->count++;
    i64 account = b->runs[n].account;
    lanes->run[k] = n;
    lanes->returns[k] = b->returns + n * w->days;
    lanes->hold[k] = b->hold_returns + account * w->days;
    memcpy(lanes->hold_results[k], hold_results, sizeof lanes->hold_results[k]);
    lanes->capital[k] = (double)b->accounts[account].capital;
    lanes->final[k] = (double)lanes->results[k][FINAL];
    lanes->sound[k] = sound;
    for (int i = FIRST_OF_RETURNS; i < RATIOS; i++) lanes->ratios[k][i] = NAN;
    if (w->weeks && !add_record(lanes, k)) lanes->results[k][FITS] = 0;
}

/* Write the metrics of the runs that wait. */
static void end_metrics(const Lanes *lanes) {
    const Batch *b = lanes->batch;
    const i64 *times = lanes->w->times;
    double growth[LANES], elapsed_ms = (double)(times[lanes->w->events - 1] - times[0]);
    int grows[LANES];
    for (int at = 0; at < LANES; at += FOUR) growths(lanes->capital + at, lanes->final + at, elapsed_ms, growth + at, grows + at);
    for (int k = 0; k < lanes->count; k++) {
        i64 n = lanes->run[k];
        put_metrics(lanes->w, lanes->results[k], lanes->hold_results[k], lanes->ratios[k], b->accounts[b->runs[n].account].capital,
                    growth[k], b->metrics + n, b->count);
        b->fits[n] = lanes->results[k][FITS] && lanes->hold_results[k][FITS];
        b->grows[n] = (uint8_t)grows[k];
    }
}

/* Write the statistics of the runs that wait, and wait for others. */
static void end_runs(Lanes *lanes) {
    const Window *w = lanes->w;
    for (int k = lanes->count; k < LANES; k++) {
        lanes->returns[k] = lanes->returns[0];
        lanes->hold[k] = lanes->hold[0];
        lanes->capital[k] = lanes->final[k] = 1;
    }
    for (int at = 0; w->days > 1 && at < lanes->count; at += 4) year_ratios(lanes, at);
    if (w->weeks) {
        double squares[LANES];
        int fits[LANES];
        shift_squares(w->week_products, lanes->weekly, w->weeks, squares, fits);
        for (int k = 0; k < lanes->count; k++) {
            lanes->ratios[k][SHIFTS] = squares[k];
            if (!fits[k]) lanes->results[k][FITS] = 0;
        }
    }
    end_metrics(lanes);
    lanes->count = 0;
}
#endif
