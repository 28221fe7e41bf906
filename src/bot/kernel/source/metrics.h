/* Metrics of a trial from its whole results and ratios, and those of its hold baseline, as bot.statistics.run_metrics,
   statistics.carry and selection.track define them. */
#ifndef CARRYGRID_METRICS_H
#define CARRYGRID_METRICS_H
#include "layout.h"

#define HOUR_MS 3600000.0
#define DAY_MS 86400000.0
#define UNDEFINED INT64_MIN

/* Return an amount for each of a count, NAN where there is none and where it is no finite number. */
static inline double per(double amount, double count) {
    double found = count != 0 ? amount / count : NAN;
    return isfinite(found) ? found : NAN;
}
static inline double finite(double x) { return isfinite(x) ? x : NAN; }
static inline double chance_above(double score) { return 0.5 * (1 + erf(score / sqrt(2.0))); }

/* Return the number of independent days that the sample of a track record is worth. */
static inline double days_worth(const Window *w, const double *ratios) {
    double days = (double)(w->weeks * WEEK_DAYS), squares = ratios[SHIFTS];
    double tau = squares > 0 ? sqrt(squares / (double)w->draws) * w->correction / days / ratios[DEVIATION] : NAN;
    return isnan(ratios[DAILY_SHARPE]) ? NAN : fmin(days - 1, 1 / (tau * tau));
}

/* Return the probability that the true Sharpe ratio of a trial is positive. */
static inline double sharpe_chance(const Window *w, const double *ratios, double worth) {
    double days = (double)(w->weeks * WEEK_DAYS), sharpe = ratios[DAILY_SHARPE];
    double shape = (ratios[KURTOSIS] - 1) / 4 * (sharpe * sharpe) - ratios[SKEWNESS] * sharpe;
    double chance = chance_above(sharpe / sqrt(1 / worth + shape / (days - 1)));
    return isnan(chance) ? NAN : chance;
}

/* Write the metrics of a trial, those of statistics as the bits of their float64, `count` numbers apart. */
static inline void put_metrics(const Window *w, const i64 *r, const i64 *hold, const double *ratios, i64 capital, double growth,
                               i64 *metrics, i64 count) {
    i64 net = r[FINAL] - capital;
    double events = (double)w->events, trades = (double)r[TRADES], funding = (double)r[FUNDING], payments = (double)r[PAYMENTS];
    double profit = net > 0 ? (double)net : 0, share = ratios[DRAWDOWN_SHARE], worth = days_worth(w, ratios);
    const i64 found[METRICS] = {
        [METRIC_NET_PNL] = net,
        [METRIC_TOTAL_FUNDING] = r[FUNDING],
        [METRIC_PRICE_PNL] = r[PRICE_PNL],
        [METRIC_TOTAL_FEES] = r[FEES],
        [METRIC_MAX_DRAWDOWN] = r[DRAWDOWN],
        [METRIC_FINAL_EQUITY] = r[FINAL],
        [METRIC_TOTAL_TRADES] = r[TRADES],
        [METRIC_WINNING_TRADES] = r[WINNERS],
        [METRIC_LIQUIDATIONS] = r[LIQUIDATIONS],
        [METRIC_MARGIN_EXITS] = r[MARGIN_EXITS],
        [METRIC_SKIPPED_ENTRIES] = r[SKIPPED],
        [METRIC_FUNDING_PAYMENTS] = r[PAYMENTS],
        [METRIC_WIN_RATE] = bits_of(per((double)r[WINNERS], trades)),
        [METRIC_MAX_DRAWDOWN_PCT] = bits_of(share),
        [METRIC_TOTAL_RETURN] = bits_of((double)net / (double)capital),
        [METRIC_ANNUALIZED_RETURN] = bits_of(growth),
        [METRIC_VOLATILITY] = bits_of(finite(ratios[VOLATILITY])),
        [METRIC_SHARPE] = bits_of(finite(ratios[SHARPE])),
        [METRIC_SORTINO] = bits_of(finite(ratios[SORTINO])),
        [METRIC_CALMAR] = bits_of(per(growth, share)),
        [METRIC_PROFIT_FACTOR] = bits_of(per((double)r[GAINS], (double)r[LOSSES])),
        [METRIC_TIME_IN_MARKET] = bits_of((double)r[IN_MARKET] / events),
        [METRIC_AVG_HOLDING_HOURS] = bits_of(per((double)r[HELD_MS], trades * HOUR_MS)),
        [METRIC_LONGEST_DRAWDOWN_DAYS] = bits_of((double)r[LONGEST_MS] / DAY_MS),
        [METRIC_BEST_MONTH_SHARE] = bits_of(per((double)r[BEST_MONTH], profit)),
        [METRIC_BEST_TRADE_SHARE] = bits_of(per((double)r[BEST_TRADE], profit)),
        [METRIC_BREAKEVEN_SETTLEMENTS] = bits_of(per(per((double)r[FEES], trades), funding > 0 ? per(funding, payments) : NAN)),
        [METRIC_DELISTINGS] = r[DELISTINGS],
        [METRIC_MISSED_SETTLEMENTS] = r[MISSED],
        [METRIC_PNL_AFTER_MARKET_END] = w->has_end ? r[AFTER_END] : UNDEFINED,
        [METRIC_PSR] = bits_of(sharpe_chance(w, ratios, worth)),
        [METRIC_T_EFF] = bits_of(worth),
        [METRIC_SKEWNESS] = bits_of(ratios[SKEWNESS]),
        [METRIC_KURTOSIS] = bits_of(ratios[KURTOSIS]),
        [METRIC_HOLD_NET_PNL] = hold[FINAL] - capital,
        [METRIC_AVAILABLE_FUNDING] = r[AVAILABLE],
        [METRIC_CAPTURED_SHARE] = bits_of(r[AVAILABLE] > 0 ? per(funding, (double)r[AVAILABLE]) : NAN),
        [METRIC_MISSED_BEFORE_ENTRY] = r[BEFORE],
        [METRIC_MISSED_BETWEEN] = r[AVAILABLE] - r[BEFORE] - r[AFTER] - r[CAUGHT],
        [METRIC_MISSED_AFTER_EXIT] = r[AFTER],
        [METRIC_EXTRA_ROUND_TRIPS] = r[TRADES] - hold[TRADES],
        [METRIC_EXTRA_FEES] = r[FEES] - hold[FEES],
        [METRIC_NET_PNL_OVER_HOLD] = r[FINAL] - hold[FINAL],
        [METRIC_SHARPE_OVER_HOLD] = bits_of(finite(ratios[OVER_HOLD])),
    };
    for (int m = 0; m < METRICS; m++) metrics[m * count] = found[m];
}
#endif
