/* Sizing, opening and closing of hedges (docs/domain.md, sections 4 and 6). */
#ifndef CARRYGRID_ORDERS_H
#define CARRYGRID_ORDERS_H
#include "alike.h"
#include "curve.h"
#include "ledger.h"
#include "terms.h"

/* Value of a hedge over both prices, and its payments before they are rounded to money units: where quantities and prices
   have few places together, nothing of the value is rounded but what the perp was sold for. */
typedef struct { int fits; double base, by_spot, by_perp, by_flow, flow_unit; } Line;

typedef struct {
    i64 pair, opened;                 /* index of the pair, and of the event of opening */
    i64 quantity, perp_entry;
    i64 spot_cost, margin, fees, funding;
    double quantity_f, perp_entry_f, bound;
    i64 liquidated_from, forced_from; /* least mark prices that liquidate, and that force out */
    i128 exposure;
    Line line;
    i64 clear, leaves;                /* events before `clear` were searched for one at which to leave; the newest found */
} Position;

/* Openings that runs of one account have in common, by the place of pair and event in a table. */
#define OPENINGS 1024

/* Nearly: steps that a slot pays, and steps that one unit of free cash does. */
typedef struct { double slot, cash; } Steps;

/* Hedge as any run of its account opens it whose free cash pays for more than the slot. */
typedef struct {
    i64 account, place, share_values;
    Steps steps;
    Position hedge;
} Opening;

/* One account while it is replayed. */
typedef struct {
    const Window *w;
    const Run *run;
    const Parameters *own;
    const Decisions *by;
    Alike alike;                      /* what its thresholds were compared with so far */
    AccountTerms terms;
    Position held[MOST_PAIRS];        /* in order of opening */
    int count, fits;
    uint64_t taken;                   /* pairs that are held, as bits */
    i64 cash, locked;
    i128 exposure;
    double bound;                     /* of what all held hedges may add to and take from cash */
    Curve curve;
    Ledger ledger;
    AddBlock add_block;
    i64 account;
    Opening *openings;                /* OPENINGS, each the newest of its places */
    int shares;                       /* whether other runs of the account may open the same hedges */
    double *funding, *booked;         /* scratch of E: booked at each event, by all hedges and by one */
    double *day_ends;                 /* scratch of all days and one: equity at their ends */
    i64 days;                         /* of a hold baseline: those whose equity is known */
    double *day_spot, *day_perp;      /* P x days: prices at the ends of days */
    double *returns;                  /* room for all days */
    int sound;                        /* whether all of them are numbers */
    i64 *results;
    double *ratios;                   /* of a trial, or none */
    double *paid;                     /* P x (E+1): sums of the funding that a hold baseline has booked before each event */
    i64 summed[MOST_PAIRS];           /* the last of them that is known, of each pair */
    const double *hold_paid;          /* the same sums of the baseline that a trial is held against, or none */
    i64 first_open[MOST_PAIRS], last_seen[MOST_PAIRS];
} Account;

static inline i64 place(const Window *w, i64 pair, i64 e) { return pair * w->events + e; }

/* Carry the sums of what a pair paid on to event e; return them. */
static double *paid_until(Account *a, i64 pair, i64 e) {
    double *sums = a->paid + pair * (a->w->events + 1);
    for (i64 k = a->summed[pair]; k < e; k++) sums[k + 1] = sums[k];
    a->summed[pair] = e;
    return sums;
}

/* Return the line of a hedge of so many steps that sold its perp for `value`. It does not fit where that is a tie, or a
   payment may be too large for a float64 that is exact. */
static Line line_of(const Window *w, const Terms *x, const Position *p, double steps, Wide value) {
    Wide sold = book(value);
    i128 rest = value.m - sold.m * ten(value.p - MONEY_PLACES);
    Line line = {0, (double)(i64)sold.m, steps * x->spot_step, -steps * x->perp_step, steps * x->flow_step, x->flow_unit};
    line.fits = x->has_lines && 2 * (rest < 0 ? -rest : rest) != ten(value.p - MONEY_PLACES)
        && w->largest_flow_low[p->pair] == 0 && line.by_flow * w->largest_flow[p->pair] < EXACT_SUMS / 2;
    return line;
}
/* Return a payment on the line, `per_unit` being 1 / flow_unit, and its rest: one half of a unit where it was a tie.

   Below 2**51 the estimate of a quotient is off by less than what lies between a tie and any other quotient. */
static inline double paid_on_line(const Line *line, double per_unit, double flow, double *rest) {
    double product = line->by_flow * flow, paid = product * per_unit + ROUNDER - ROUNDER;
    *rest = fabs(product - paid * line->flow_unit);
    return paid;
}
static inline double on_line(const Line *line, double spot, double perp) {
    return line->base + line->by_spot * spot + line->by_perp * perp;
}

static inline double hedge_value_at(const Account *a, const Position *p, i64 e) {
    const Terms *x = &a->terms.of[p->pair];
    i64 k = place(a->w, p->pair, e);
    if (p->line.fits) return on_line(&p->line, a->w->spot_f[k], a->w->perp_f[k]);
    Span quantity = span_of(p->quantity_f, x->quantity_places), spot = span_of(a->w->spot_f[k], x->spot_places);
    Span entry = span_of(p->perp_entry_f, x->perp_places + x->fill_places);
    return hedge_value_span(LONG, SHORT, quantity, spot, entry, span_of(a->w->perp_f[k], x->perp_places)).h;
}

static inline double funding_at(const Account *a, const Position *p, i64 e) {
    const Terms *x = &a->terms.of[p->pair];
    i64 k = place(a->w, p->pair, e);
    UnitFlow flow = {a->w->flow[k], a->w->flow_low[k], x->flow_places};
    if (p->line.fits) {
        double rest, paid = paid_on_line(&p->line, 1 / p->line.flow_unit, flow.h, &rest);
        if (rest < 0.5 * p->line.flow_unit) return paid;
    }
    return funding_payment_span(SHORT, flow, span_of(p->quantity_f, x->quantity_places)).h;
}

static double equity_at(const Account *a, i64 e) {
    double equity = (double)a->cash;
    for (int i = 0; i < a->count; i++) equity += hedge_value_at(a, &a->held[i], e);
    return equity;
}

/* Return the number of steps that slot, free cash and the caps allow at the prices of event e. */
static i64 most_steps(Account *a, i64 pair, i64 e, Steps *nearly) {
    const Parameters *own = a->own;
    const Terms *x = &a->terms.of[pair];
    i64 spot = a->w->spot[place(a->w, pair, e)], perp = a->w->perp[place(a->w, pair, e)];
    i64 base = own->compounds ? (i64)equity_at(a, e) : own->capital, free_cash = a->cash - a->locked, steps = INT64_MAX;
    i64 share = a->by->share_values < 0 ? 1 : a->w->values[a->by->share_values][place(a->w, pair, e)];
    double unit_f = unit_cost_rough((double)spot, float_of(x->spot_unit), (double)perp, float_of(x->perp_unit));
    double slot_unit = unit_f * float_of(x->slot_divisor), free_unit = unit_f * float_of(x->free_divisor);
    if (slot_unit > 2e37 || free_unit > 2e37) { a->fits = 0; return 0; }
    /* All over the same places already. */
    i128 unit = unit_cost_wide(wide_of(spot, 0), (Wide){x->spot_unit, 0}, wide_of(perp, 0), (Wide){x->perp_unit, 0}).m;
    /* Only the lower of the two needs to be exact. */
    double by_slot = (double)base * float_of(x->slot_factor) * (double)share / slot_unit;
    double cash_steps = float_of(x->free_factor) / free_unit, by_cash = (double)free_cash * cash_steps;
    *nearly = (Steps){by_slot, cash_steps};
    if (by_slot < by_cash * 1.000001 + 1) {
        u128 budget = (u128)(i128)base * (u128)x->slot_factor * (u128)(i128)share;
        steps = floor_quotient(budget, (u128)unit * (u128)x->slot_divisor, by_slot, &a->fits);
    }
    if (by_cash < by_slot * 1.000001 + 1) {
        u128 budget = (u128)(i128)free_cash * (u128)x->free_factor;
        i64 own = floor_quotient(budget, (u128)unit * (u128)x->free_divisor, by_cash, &a->fits);
        steps = own < steps ? own : steps;
    }
    if (a->terms.has_size_cap) {
        i128 cap = x->size_cap, one = (i128)spot * x->step;
        i64 own = floor_quotient((u128)cap, (u128)one, float_of(cap) / float_of(one), &a->fits);
        steps = own < steps ? own : steps;
    }
    if (a->terms.has_exposure_cap) {
        double size = (double)spot * (double)x->step * (double)x->fill_scale * float_of(x->exposure_scale);
        if (size > 2e37) { a->fits = 0; return 0; }
        i128 left = a->terms.exposure_cap - a->exposure;
        i128 one = (i128)spot * x->step * x->fill_scale * x->exposure_scale;
        i64 own = floor_quotient((u128)left, (u128)one, float_of(left) / float_of(one), &a->fits);
        steps = own < steps ? own : steps;
    }
    return steps;
}

/* Return whether every number that a hedge of this quantity can meet stays in the range of exact results. */
static int fits_range(const Account *a, i64 pair, double quantity, double *bound) {
    const Window *w = a->w;
    const Terms *x = &a->terms.of[pair];
    double fill = (double)x->fill_scale, spot = quantity * w->largest_spot[pair], perp = quantity * w->largest_perp[pair];
    double spot_units = spot * tenth_of(x->quantity_places + x->spot_places);
    double perp_units = perp * tenth_of(x->quantity_places + x->perp_places);
    double per_flow = tenth_of(x->quantity_places + x->flow_places);
    double flow_units = quantity * w->largest_flow[pair] * per_flow;
    *bound = 2 * spot_units + 4 * perp_units + quantity * w->sum_of_flows[pair] * per_flow;
    return quantity < EXACT_SUMS && quantity * w->largest_flow_low[pair] < EXACT_SUMS && flow_units < 1e15
        && spot_units < 5e14 && perp_units < 5e14 && w->largest_perp[pair] * fill * 2 < EXACT_SUMS
        && spot * fill * 2 * (double)(x->spot_fee.m + 1) < 1e37 && perp * fill * 2 * (double)(x->perp_fee.m + 1) < 1e37
        && spot * fill * 2 * float_of(x->exposure_scale) < 1e36
        && *bound + a->bound + fabs((double)a->cash) < EXACT_SUMS;
}

/* Return whether no mark price of a pair from event e on takes up `ratio` of the margin balance, by a wide margin. */
static int is_out_of_reach(const Account *a, const Position *p, i64 e, Number ratio) {
    const Terms *x = &a->terms.of[p->pair];
    double quantity = p->quantity_f * TENTH[x->quantity_places], entry = p->perp_entry_f * TENTH[x->perp_places + x->fill_places];
    double margin = (double)p->margin * TENTH[MONEY_PLACES], share = (double)ratio.m * TENTH[ratio.p];
    double highest = (double)a->w->worst_ahead[place(a->w, p->pair, e)] * TENTH[x->mark_places];
    double need = margin_need_rough(SHORT, quantity, (double)x->mmr.m * TENTH[x->mmr.p], share);
    return margin_backing_rough(SHORT, margin, quantity, entry, share) > need * highest * 1.000001;
}

/* Return the least whole mark price at which maintenance takes up `ratio` of the margin balance, if one comes. */
static i64 price_from(Account *a, const Position *p, Wide entry_value, Number ratio, i64 e) {
    const Terms *x = &a->terms.of[p->pair];
    if (is_out_of_reach(a, p, e, ratio)) return INT64_MAX;
    double value = (float_of(entry_value.m) + (double)p->margin * float_of(ten(entry_value.p - MONEY_PLACES))) * (double)ratio.m;
    double rates = (double)ratio.m * SCALE[x->mmr.p] + (double)x->mmr.m * SCALE[ratio.p];
    if (value >= 1e37 || p->quantity_f * rates * a->w->largest_mark[p->pair] >= 1e37) { a->fits = 0; return INT64_MAX; }
    Wide q = wide_of(p->quantity, x->quantity_places), entry = wide_of(p->perp_entry, x->perp_places + x->fill_places);
    Wide share = wide_of(ratio.m, ratio.p);
    Wide backing = margin_backing_wide(SHORT, wide_of(p->margin, MONEY_PLACES), q, entry, share);
    Wide need = margin_need_wide(SHORT, q, wide_of(x->mmr.m, x->mmr.p), share);
    i64 lift = need.p + x->mark_places - backing.p;
    i128 n = lift > 0 ? lifted(backing.m, lift, &a->fits) : backing.m;
    i128 d = lift < 0 ? lifted(need.m, -lift, &a->fits) : need.m;
    if (!a->fits || d <= 0 || float_of(n) / float_of(d) > 4e15) return INT64_MAX;
    i64 floor = floor_quotient((u128)n, (u128)d, float_of(n) / float_of(d), &a->fits);
    return floor + ((i128)floor * d != n);
}

/* Return whether the slot alone decides the size of a hedge, by a wide margin, and its numbers stay in range. */
static int is_whole_slot(const Account *a, Steps steps, const Position *p) {
    return (double)(a->cash - a->locked) * steps.cash > steps.slot * 1.00001 + 2
        && p->bound + a->bound + fabs((double)a->cash) < EXACT_SUMS;
}

/* Work out the hedge to open at event e; return 0 where there is none: what is too small is skipped and counted. */
static int work_out(Account *a, i64 pair, i64 e, Position *p, Steps *nearly) {
    const Terms *x = &a->terms.of[pair];
    i64 k = place(a->w, pair, e), spot = a->w->spot[k], perp = a->w->perp[k], steps = most_steps(a, pair, e, nearly);
    if (!a->fits) return 0;
    if (steps > 0 && (double)steps * (double)x->step >= EXACT_SUMS) { a->fits = 0; return 0; }
    i64 quantity = steps > 0 ? steps * x->step : 0;
    if (steps <= 0 || steps < x->min_steps || (i128)quantity * spot < x->min_notional) {
        a->results[SKIPPED]++;
        return 0;
    }
    double bound;
    if (!fits_range(a, pair, (double)quantity, &bound)) { a->fits = 0; return 0; }
    *p = (Position){.pair = pair, .opened = e, .quantity = quantity, .quantity_f = (double)quantity, .bound = bound,
                    .perp_entry = perp * x->sell, .perp_entry_f = (double)(perp * x->sell)};
    Wide q = wide_of(quantity, x->quantity_places), sold = wide_of(p->perp_entry, x->perp_places + x->fill_places);
    Wide bought = mul(wide_of(spot, x->spot_places), wide_of(x->buy, x->fill_places));
    p->spot_cost = (i64)notional_wide(q, bought).m;
    p->margin = (i64)locked_margin_wide(q, sold, wide_of(x->leverage.m, x->leverage.p)).m;
    p->fees = (i64)add(fee_wide(q, bought, wide_of(x->spot_fee.m, x->spot_fee.p)),
                       fee_wide(q, sold, wide_of(x->perp_fee.m, x->perp_fee.p))).m;
    p->exposure = mul(q, bought).m * x->exposure_scale;
    Wide value = mul(q, sold);
    p->line = line_of(a->w, x, p, (double)steps, value);
    p->liquidated_from = price_from(a, p, value, (Number){1, 0}, e);
    p->forced_from = price_from(a, p, value, a->own->margin_exit_ratio, e);
    return 1;
}

/* Open a hedge at event e, if there is one to open. */
static void open_hedge(Account *a, i64 pair, i64 e) {
    i64 k = place(a->w, pair, e), shares = a->by->share_values;
    Opening *o = &a->openings[k % OPENINGS];
    Position *p = &a->held[a->count];
    if (a->shares && o->place == k && o->account == a->account && o->share_values == shares && is_whole_slot(a, o->steps, &o->hedge))
        *p = o->hedge;
    else {
        Steps nearly;
        if (!work_out(a, pair, e, p, &nearly)) return;
        if (a->shares && a->fits && is_whole_slot(a, nearly, p)) *o = (Opening){a->account, k, shares, nearly, *p};
    }
    p->clear = e + 1;
    p->leaves = -1;
    a->count++;
    a->cash -= p->spot_cost + p->fees;
    a->locked += p->margin;
    a->exposure += p->exposure;
    a->bound += p->bound;
    a->taken |= 1ull << pair;
}

static i64 missed_within(const Window *w, i64 pair, i64 after_ms, i64 until_ms) {
    i64 found = 0;
    for (i64 i = w->missing_from[pair]; i < w->missing_from[pair + 1]; i++)
        found += w->missing[i] > after_ms && w->missing[i] <= until_ms;
    return found;
}

/* Add what the hold baseline was paid while a trade held its short, and remember how far its pair was seen. */
static void compare_with_hold(Account *a, const Position *p, i64 collected, i64 seen) {
    const double *paid = a->hold_paid + p->pair * (a->w->events + 1);
    a->results[CAUGHT] += (i64)(paid[collected + 1] - paid[p->opened + 1]);
    if (a->first_open[p->pair] < 0 || p->opened < a->first_open[p->pair]) a->first_open[p->pair] = p->opened;
    if (seen > a->last_seen[p->pair]) a->last_seen[p->pair] = seen;
}

/* Return the end of a pair's contract if this run meets it, else a moment that never comes. */
static i64 contract_end_ms(const Account *a, i64 pair) {
    return a->own->ends_dead || a->w->end_recorded[pair] ? a->w->end_ms[pair] : INT64_MAX;
}

/* Return the part of a trade's net P&L that was booked after its contract had ended, as market/after_end.py has it. */
static i64 booked_after_end(const Account *a, const Position *p, i64 t_ms, i64 collected, i64 net) {
    const Window *w = a->w;
    const Terms *x = &a->terms.of[p->pair];
    if (t_ms <= w->end_ms[p->pair]) return 0;
    if (w->times[p->opened] > w->end_ms[p->pair]) return net;
    i64 last = w->end_last_event[p->pair] < collected ? w->end_last_event[p->pair] : collected, funding = 0;
    for (i64 e = p->opened + 1; e <= last; e++) funding += (i64)funding_at(a, p, e);
    Wide q = wide_of(p->quantity, x->quantity_places), entry = wide_of(p->perp_entry, x->perp_places + x->fill_places);
    Wide spot = wide_of(w->end_spot[p->pair], x->spot_places), perp = wide_of(w->end_perp[p->pair], x->perp_places);
    i64 gained = (i64)hedge_value_wide(LONG, SHORT, q, spot, entry, perp).m - p->spot_cost;
    return net - (gained + funding - p->fees);
}

/* Close the hedge at index `at`, at these prices and this moment; `e` is the event at or right after it. */
static void close_hedge(Account *a, int at, i64 t_ms, int reason, i64 spot, i64 perp, i64 e) {
    const Window *w = a->w;
    const Position *p = &a->held[at];
    const Terms *x = &a->terms.of[p->pair];
    Wide q = wide_of(p->quantity, x->quantity_places), perp_pnl;
    Wide sold = mul(wide_of(spot, x->spot_places), wide_of(x->sell, x->fill_places));
    Wide fee = fee_wide(q, sold, wide_of(x->spot_fee.m, x->spot_fee.p));
    if (reason == LIQUIDATION) perp_pnl = wide_of(-p->margin, MONEY_PLACES);
    else {
        Wide bought = wide_of(perp, x->mark_places); /* settled by the exchange, without slippage */
        if (reason != DELISTED) bought = mul(wide_of(perp, x->perp_places), wide_of(x->buy, x->fill_places));
        fee = add(fee, fee_wide(q, bought, wide_of(x->perp_fee.m, x->perp_fee.p)));
        perp_pnl = leg_pnl_wide(SHORT, q, wide_of(p->perp_entry, x->perp_places + x->fill_places), bought);
    }
    i64 price_pnl = (i64)price_pnl_wide(LONG, q, wide_of(p->spot_cost, MONEY_PLACES), sold, perp_pnl).m, fees = p->fees + (i64)fee.m;
    Wide net_pnl = net_pnl_wide(wide_of(price_pnl, MONEY_PLACES), wide_of(p->funding, MONEY_PLACES), wide_of(fees, MONEY_PLACES));
    i64 net = (i64)net_pnl.m, *r = a->results;
    a->cash += p->spot_cost + price_pnl - (i64)fee.m;
    a->locked -= p->margin;
    a->exposure -= p->exposure;
    a->bound -= p->bound;
    /* Settlements come before closing, liquidations and ends of contracts before settlements. */
    int before = reason == LIQUIDATION || reason == DELISTED;
    i64 collected = e - before, due_ms = t_ms - before;
    const i32 *settled = w->settled + p->pair * (w->events + 1);
    i64 payments = settled[collected + 1] - settled[p->opened + 1], opened_ms = w->times[p->opened];
    r[TRADES]++;
    r[WINNERS] += net > 0;
    r[LIQUIDATIONS] += reason == LIQUIDATION;
    r[MARGIN_EXITS] += reason == MARGIN;
    r[DELISTINGS] += reason == DELISTED;
    r[PAYMENTS] += payments;
    r[FUNDING] += p->funding;
    r[PRICE_PNL] += price_pnl;
    r[FEES] += fees;
    r[net > 0 ? GAINS : LOSSES] += net > 0 ? net : -net;
    if (net > r[BEST_TRADE]) r[BEST_TRADE] = net;
    if (r[GAINS] > INT64_MAX / 2 || r[LOSSES] > INT64_MAX / 2) a->fits = 0;
    r[HELD_MS] += t_ms - opened_ms;
    r[AFTER_END] += booked_after_end(a, p, t_ms, collected, net);
    r[MISSED] += missed_within(w, p->pair, opened_ms, due_ms);
    i64 row[ROW] = {w->symbol_code[p->pair], opened_ms, t_ms, reason, payments, p->funding, fees, price_pnl};
    ledger_row(&a->ledger, row, a->add_block);
    if (a->hold_paid) compare_with_hold(a, p, collected, t_ms == w->times[e] ? e : e - 1);
    a->taken &= ~(1ull << p->pair);
    for (int i = at; i + 1 < a->count; i++) a->held[i] = a->held[i + 1];
    a->count--;
}
#endif
