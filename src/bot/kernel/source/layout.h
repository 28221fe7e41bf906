/* Layouts shared with layouts.py: E events, P pairs; a table of pairs and events is P rows of E columns, or E rows of P
   columns where all pairs are looked at together. Times in ms UTC; money in units of 1e-8; prices and rates are whole over
   the places that `Rules` names. */
#ifndef CARRYGRID_LAYOUT_H
#define CARRYGRID_LAYOUT_H
#include "numbers.h"

#define MOST_PAIRS 62
#define CONDITIONS 3
#define LANES 8 /* runs whose statistics are worked out together, four in a vector */

typedef struct { uint64_t low, high; } Stored; /* a 128-bit whole, of no alignment of its own */
static inline i128 whole(Stored x) { return (i128)((u128)x.high << 64 | x.low); }

/* Reasons of closing, in the order of CloseReason. */
enum { SIGNAL, MARGIN, LIQUIDATION, END, EMERGENCY, DELISTED };

/* A pair at one event: what is read together where a hedge of it is opened or closed, in one line of the cache. */
typedef struct {
    i64 spot, perp;                   /* newest closes */
    i64 mark, high;                   /* price of the margin exit; highest mark since the event before, or -1 */
    i64 worst_after;                  /* the largest of both from the next event on, -1 at the last one */
    double flow, flow_low;            /* unit funding in two parts, 0 where the pair does not settle */
    i32 settled, fresh;               /* settlements booked so far; whether prices are fresh */
} Moment;

typedef struct {
    i64 events, pairs, days, weeks, months; /* weeks: whole ones, 0 where days have no track record */
    i64 draws, has_end;               /* of weeks, for track records; whether a contract ends */
    double correction;                /* of what is drawn (selection.days.calendar) */
    const i64 *times, *day_ends, *month_ends;
    const Moment *moments;            /* E x P */
    /* What hedges are held through, as float64: prices and flows as in the moments, the larger of mark and high. */
    const double *spot_f, *perp_f, *flow, *flow_low;
    const i64 *worst;
    const i64 *candles_before;        /* P x (E+1): first mark candle that closed after the event before */
    const i64 *candle_closed, *candle_high;
    const i64 *spots_from;            /* P + 1: where each pair's spot candles begin */
    const i64 *spot_closed, *spot_close;
    const i64 *missing_from;          /* P + 1: where each pair's missing settlements begin */
    const i64 *missing;
    /* Ends of contracts, P each: INT64_MAX without one; first event from it on, last event up to it. */
    const i64 *end_ms, *end_event, *end_last_event;
    const i64 *end_spot, *end_perp, *end_settle; /* prices of that moment; what the perp is settled at, as marks */
    const uint8_t *end_recorded;      /* a fact about the contract, which every run meets */
    const i64 *symbol_order, *symbol_code;
    const double *largest_spot, *largest_perp, *largest_flow, *largest_flow_low, *sum_of_flows, *largest_mark; /* P */
    const double *week_products;      /* weeks x weeks (selection.days.calendar) */
    const struct Rules *rules;        /* P */
    const i32 *const *columns;        /* decision columns: E x P to enter, E for the best of all pairs, P x E to stay */
    const i64 *const *values;         /* columns of orders and of shares of a slot, E x P each */
} Window;

/* A pair at the events of a window, as the window's own columns have it (market.history.PairSeries). */
typedef struct {
    const i64 *spot, *perp, *mark, *high, *paid_mark, *rate;
    const uint8_t *fresh, *pays, *has_high;
} Series;

/* The columns of pairs that a window is made of (window.c). */
typedef struct {
    i64 events, pairs;
    const Series *series;             /* P */
    Moment *moments;
    double *spot, *perp, *flow, *flow_low; /* P x E each, with room to read four at once */
    i64 *worst;
    double *largest_spot, *largest_perp, *largest_flow, *largest_flow_low, *sum_of_flows, *largest_mark;
} PairColumns;

typedef struct { i64 m, p; } Number;  /* m / 10**p, p >= 0 */

/* Trading rules of one pair, and the places of its columns. Quantities are whole over `quantity_places`. */
typedef struct Rules {
    i64 step, min_steps;
    Stored min_notional;              /* over quantity and spot places together */
    Number mmr;
    i64 quantity_places, spot_places, perp_places, flow_places, mark_places;
} Rules;

/* Parameters of an account. An absent cap has negative places. */
typedef struct {
    i64 capital, slots, compounds, ends_dead; /* ends_dead: contracts end where they stopped trading */
    Number slippage, spot_taker, perp_taker, leverage, margin_exit_ratio, allocation;
    Number max_position_size, max_portfolio_exposure;
} Parameters;

/* Columns that runs decide by. */
typedef struct {
    i64 enter_columns[CONDITIONS];
    i64 best_column;                  /* of the first of them, the highest of all pairs */
    i64 stay_column;                  /* -1: no signal to exit */
    i64 order_values;                 /* candidates by value, the highest first, then by symbol; -1: by symbol */
    i64 share_values, share_places;   /* shares of a slot; values of -1 stand for whole slots */
} Decisions;

/* A run: the numbers of its account and of its decisions, and the values that columns are compared with. */
typedef struct {
    i64 account, decisions;
    i64 enter_from[CONDITIONS];       /* enter where all columns reach these */
    i64 stay_from;                    /* exit by signal where the column is below */
} Run;

#define WEEK_DAYS 7
#define WHOLE_BITS 20 /* of a return as a whole number (selection.days.whole_returns) */

/* Whole results of a run. `FITS` is 0 where a number left the range in which the kernel is exact. */
enum {
    FITS, FINAL, DRAWDOWN, TRADES, WINNERS, LIQUIDATIONS, MARGIN_EXITS, DELISTINGS, PAYMENTS, FUNDING, PRICE_PNL, FEES, GAINS,
    LOSSES, BEST_TRADE, HELD_MS, LONGEST_MS, BEST_MONTH, IN_MARKET, SKIPPED, MISSED, AFTER_END, BEFORE, AFTER, CAUGHT, AVAILABLE,
    RESULTS
};
/* Ratios of a trial, all but the first of its daily returns; from DAILY_SHARPE on for its track record. */
enum { DRAWDOWN_SHARE, VOLATILITY, SHARPE, SORTINO, OVER_HOLD, DAILY_SHARPE, DEVIATION, SKEWNESS, KURTOSIS, SHIFTS, RATIOS };
#define FIRST_OF_RETURNS VOLATILITY
/* Metrics of a trial, in the order of trial_metrics.USUAL_METRICS (metrics.h). */
enum {
    METRIC_NET_PNL, METRIC_TOTAL_FUNDING, METRIC_PRICE_PNL, METRIC_TOTAL_FEES, METRIC_MAX_DRAWDOWN, METRIC_FINAL_EQUITY,
    METRIC_TOTAL_TRADES, METRIC_WINNING_TRADES, METRIC_LIQUIDATIONS, METRIC_MARGIN_EXITS, METRIC_SKIPPED_ENTRIES,
    METRIC_FUNDING_PAYMENTS, METRIC_WIN_RATE, METRIC_MAX_DRAWDOWN_PCT, METRIC_TOTAL_RETURN, METRIC_ANNUALIZED_RETURN,
    METRIC_VOLATILITY, METRIC_SHARPE, METRIC_SORTINO, METRIC_CALMAR, METRIC_PROFIT_FACTOR, METRIC_TIME_IN_MARKET,
    METRIC_AVG_HOLDING_HOURS, METRIC_LONGEST_DRAWDOWN_DAYS, METRIC_BEST_MONTH_SHARE, METRIC_BEST_TRADE_SHARE,
    METRIC_BREAKEVEN_SETTLEMENTS, METRIC_DELISTINGS, METRIC_MISSED_SETTLEMENTS, METRIC_PNL_AFTER_MARKET_END, METRIC_PSR,
    METRIC_T_EFF, METRIC_SKEWNESS, METRIC_KURTOSIS, METRIC_HOLD_NET_PNL, METRIC_AVAILABLE_FUNDING, METRIC_CAPTURED_SHARE,
    METRIC_MISSED_BEFORE_ENTRY, METRIC_MISSED_BETWEEN, METRIC_MISSED_AFTER_EXIT, METRIC_EXTRA_ROUND_TRIPS, METRIC_EXTRA_FEES,
    METRIC_NET_PNL_OVER_HOLD, METRIC_SHARPE_OVER_HOLD,
    METRICS
};
#define LEDGER_BYTES 16

typedef struct {
    const Run *runs, *baseline;       /* trials; the hold baseline, of whatever account */
    const Parameters *accounts;
    const Decisions *decisions;
    i64 count;
    i64 *source;                      /* of each trial, the one whose results are its own: itself where it was replayed */
    i64 *metrics;                     /* METRICS x count; those of statistics are float64 */
    uint8_t *fits;                    /* whether every number of a trial, and of its baseline, is known exactly */
    uint8_t *grows;                   /* whether its annualized return is */
    uint8_t *ledgers;                 /* LEDGER_BYTES each */
    double *returns, *hold_returns;   /* daily returns, as many as days each */
} Batch;

/* Weekly sums of trials, and how a bootstrap draws their weeks (bot/kernel/luck.py). */
typedef struct {
    i64 trials, weeks, draws, days;
    const double *weekly, *deviations; /* trials x weeks, whole; trials */
    const i64 *steps_from;            /* draws + 1: where the steps of each draw begin */
    const i64 *step_week;             /* of each step, the number of weeks of the running sum that it takes */
    const double *step_count;         /* times that it takes it, negative ones as well */
    double correction;
    double *tau, *highest, *highest_in_taus; /* trials; draws; draws */
} Luck;

/* Rows of daily returns, and the sums that trials are judged by (bot/kernel/sums.py). */
typedef struct {
    i64 rows, days, weeks, pieces;    /* weeks: whole ones, the newest, 0 where these are too few */
    const double *returns, *holds;    /* any x days; `holds` may be NULL */
    const i64 *places, *held;         /* of each row in `returns`, and of what is taken off it in `holds` */
    const i64 *edges;                 /* pieces + 1: where pieces of the days begin, and the last one ends */
    i64 *exponents;
    uint8_t *usable, *digests;        /* digests: 16 bytes each, unless there are `texts` */
    i32 *texts;                       /* rows x (days + 2): input of digests that the caller computes, or NULL */
    double *weekly, *sharpe, *deviations; /* rows x weeks; rows; rows */
    i64 *totals, *squares, *active;   /* rows x pieces */
} Judged;

/* Pairs of rows of daily returns and of those of hold, of which equal ones are found (bot/kernel/sums.py). */
typedef struct {
    i64 pairs, days;
    const double *returns, *holds;    /* any x days */
    const i64 *own, *held;            /* of each pair, the places in both */
    i64 *first;                       /* of each pair, the first that is equal to it */
} RowPairs;

/* Trials that are compared with one of each window, a window being two parts of the segments (bot/kernel/comparing.py). */
typedef struct {
    i64 rows, segments, parts, windows;
    i64 places, by_money, fewest_active; /* places: count trials beside the one to place, else seek the best */
    double doubt;                     /* share by which a key may be off */
    const i64 *part_from, *part_segment; /* parts + 1: where the segments of each part begin, and these */
    const i64 *one_part, *other_part; /* windows */
    const i64 *numbers, *exponents;   /* rows */
    const double *scales;             /* rows: 2**-exponent */
    const i64 *totals, *squares, *active; /* rows x segments; the last one is looked at with `fewest_active` alone */
    double *low, *high;               /* windows: what the key of the trial is at least and at most; its sums */
    i64 *total, *square, *exponent;
    i64 *number, *row;                /* of the best, -1 without one and for one that was the best before */
    i64 *worse, *equal;               /* windows: trials beside the one to place */
} Comparison;

/* Texts of run keys, put together of pieces (bot/kernel/run_keys.py). */
typedef struct {
    i64 trials, depth, pieces;
    const uint8_t *texts;
    const i64 *starts;                /* pieces + 1: where each piece begins in `texts` */
    const i64 *numbers;               /* trials x depth: the pieces of each trial */
    const i64 *order;                 /* of the trials: those that begin alike follow each other */
    uint8_t *keys;                    /* 32 bytes each */
} RunKeys;

/* Columns of 8-byte values that are split into planes (bot/numbers/planes.py). */
typedef struct {
    i64 columns, count, bits, half, step;
    const i64 *values;                /* columns x count */
    uint8_t *masks, *planes;          /* 2 and 8 x count of each column */
} Columns;
#endif
