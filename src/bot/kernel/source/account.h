/* One account while it is replayed, its hedges, and what one of them is paid and worth at one event. */
#ifndef CARRYGRID_ACCOUNT_H
#define CARRYGRID_ACCOUNT_H
#include "alike.h"
#include "curve.h"
#include "days.h"
#include "ledger.h"
#include "terms.h"

/* Value of a hedge over both prices, and its payments before they are rounded to money units: where quantities and prices
   have few places together, nothing of the value is rounded but what the perp was sold for. Where that is a tie, `base` has the
   half of a unit, and each price says to which side it is rounded. */
typedef struct { int fits, tied; double base, by_spot, by_perp, by_flow, flow_unit, per_unit; } Line; /* per_unit: 1 / flow_unit */

typedef struct {
    i64 pair, opened;                 /* index of the pair, and of the event of opening */
    i64 quantity, perp_entry;
    i64 spot_cost, margin, fees, funding;
    double quantity_f, perp_entry_f;
    double bound, most_paid;          /* of what it may add to and take from cash, and of one payment */
    i64 near;                         /* marks below it neither liquidate nor force out */
    i64 liquidated_from, forced_from; /* least marks that do; INT64_MAX until one of `near` is met */
    i128 exposure;
    Line line;
    i64 leaves;                       /* event at which it may leave next, the last of the window where there is none */
    i64 accrued;                      /* of a trial: first event whose payment is not booked yet */
} Position;

/* Openings that runs of one account have in common, by the place of pair and event in a table: so many for each pair, at most. */
#define OPENINGS 1024
#define MOST_OPENINGS 8192

/* Nearly: steps that a slot pays, and steps that one unit of free cash does. */
typedef struct { double slot, cash; } Steps;

/* Hedge as any run of its account opens it whose free cash pays for more than the slot. */
typedef struct {
    i64 account, place, share_values;
    Steps steps;
    Position hedge;
} Opening;

/* What is known of the hedges of hold baselines that hold a quantity of a pair from an event on, whatever their accounts: the
   sums of their payments before event `until`, and at the ends of the days before `days` what they were paid and are worth,
   but for what the perp was sold for. */
typedef struct { i64 quantity, first, until, days; double earlier; } KnownHold;

/* One account while it is replayed. */
typedef struct {
    const Window *w;
    const Run *run;
    const Parameters *own;
    const Decisions *by;
    Alike alike;                      /* what its thresholds were compared with so far */
    SearchTable *table;               /* searches that runs of several accounts have in common, or none */
    Searches *searches;               /* those of this run's thresholds, or none; it has passed `searched` of them */
    i64 searched;
    int has_searched;                 /* whether it has added some */
    AccountTerms terms;
    Position held[MOST_PAIRS];        /* by pair */
    uint8_t opened[MOST_PAIRS];       /* pairs that are held, in order of opening */
    int count, fits;
    uint64_t taken;                   /* the same pairs as bits */
    uint64_t every, ending;           /* all pairs, and those whose contract ends */
    uint64_t found;                   /* pairs that may be entered at the event that was found last, at which no hedge leaves */
    i64 found_at;
    i64 cash, locked;                 /* cash of a trial is without payments that have not accrued */
    i128 exposure;
    double bound;                     /* of what all held hedges may add to and take from cash */
    Curve curve;
    Ledger ledgers[LEDGERS], *ledger; /* of a trial and those before it; the one that is written */
    Stream *ended[LEDGERS];           /* of ledgers: those that have ended and wait first */
    AddStreams add_streams;
    i64 account;
    Opening *openings;                /* each the newest of its places */
    i64 places;                       /* number of them */
    int shares;                       /* whether other runs of the account may open the same hedges */
    int single;                       /* whether the window has one pair: the equity of its hedges needs no tables of events */
    double *flows, *values;           /* scratch of E, all 0 but in the stretch: cash booked at each event, value of hedges after it */
    i64 stretch;                      /* of a trial: first event of those whose equity is not known yet, -1 without any */
    i64 stretch_cash;                 /* cash before it */
    double *booked;                   /* scratch of SPAN payments */
    Days days;
    double *day_spot, *day_perp;      /* P x days: prices at the ends of days */
    double *day_worth;                /* P x days: of hold baselines, what `known_hold` says */
    KnownHold known_hold[MOST_PAIRS]; /* of each pair, what the baseline before left in `paid` and `day_worth` */
    double largest_return;            /* of all days in size, NAN where they are none */
    i64 *results;
    double *ratios;                   /* of a trial, or none */
    double *paid;                     /* P x (E+1): sums of the funding that a hold baseline has booked before each event */
    i64 summed[MOST_PAIRS];           /* the last of them that is known, of each pair */
    const double *hold_paid;          /* the same sums of the baseline that a trial is held against, or none */
    i64 first_open[MOST_PAIRS], last_seen[MOST_PAIRS];
} Account;

static inline i64 place(const Window *w, i64 pair, i64 e) { return pair * w->events + e; }

static inline const Moment *moment_of(const Window *w, i64 pair, i64 e) { return &w->moments[e * w->pairs + pair]; }

/* Return the hedge that was opened as number i of those held. */
static inline Position *held_at(Account *a, int i) { return &a->held[a->opened[i]]; }

/* Forget what is known of a baseline before whose sums after the events from `first` to before `stop` are written over. */
static inline void forget_sums(Account *a, i64 pair, i64 first, i64 stop) {
    KnownHold *known = &a->known_hold[pair];
    if (first < known->until && stop > known->first) known->quantity = -1;
}

/* Carry the sums of what a pair paid on to event e; return them. */
static double *paid_until(Account *a, i64 pair, i64 e) {
    double *sums = a->paid + pair * (a->w->events + 1);
    forget_sums(a, pair, a->summed[pair], e);
    for (i64 k = a->summed[pair]; k < e; k++) sums[k + 1] = sums[k];
    a->summed[pair] = e;
    return sums;
}

/* Return the line of a hedge of so many steps that sold its perp for this price. It does not fit where a payment may be too large
   for a float64 that is exact. */
static Line line_of(const Window *w, const Terms *x, const Position *p, double steps, Exact q, Exact sold) {
    Booked near = notional_near(q.near, sold.near);
    int tied = 0;
    if (!is_certain(near)) {
        Wide value = mul(q.wide, sold.wide), booked = book(value);
        i128 rest = value.m - booked.m * ten(value.p - MONEY_PLACES);
        tied = 2 * (rest < 0 ? -rest : rest) == ten(value.p - MONEY_PLACES);
        near.h = (double)(i64)booked.m + (tied ? rest < 0 ? -0.5 : 0.5 : 0);
    }
    Line line = {0, tied, near.h, steps * x->spot_step, -steps * x->perp_step, steps * x->flow_step, x->flow_unit, x->per_unit};
    line.fits = x->has_lines && w->largest_flow_low[p->pair] == 0 && line.by_flow * w->largest_flow[p->pair] < EXACT_SUMS / 2;
    return line;
}
/* Return a payment on the line.

   Below 2**51 the estimate of a quotient is off by less than what lies between a tie and any other quotient, so that it rounds
   wrongly at a tie alone, whose rest is one half: where the estimate is odd, the even neighbour is meant. */
static inline double paid_on_line(const Line *line, double flow) {
    double product = line->by_flow * flow, sum = product * line->per_unit + ROUNDER, paid = sum - ROUNDER;
    double rest = product - paid * line->flow_unit, half = 0.5 * line->flow_unit;
    return paid + (fabs(rest) > of_bits(bits_of(half) - (bits_of(sum) & 1)) ? copysign(1.0, rest) : 0.0);
}
/* Return a value on the line; what the perp gained is below 2**51, and whole but where it is tied. */
static inline double on_line(const Line *line, double spot, double perp) {
    return line->base + line->by_perp * perp + ROUNDER - ROUNDER + line->by_spot * spot;
}

static inline double hedge_value_at(const Account *a, const Position *p, i64 e) {
    const Terms *x = &a->terms.of[p->pair];
    const Moment *now = moment_of(a->w, p->pair, e);
    if (p->line.fits) return on_line(&p->line, (double)now->spot, (double)now->perp);
    Span quantity = span_of(p->quantity_f, x->quantity_places), spot = span_of((double)now->spot, x->spot_places);
    Span entry = span_of(p->perp_entry_f, x->perp_places + x->fill_places);
    return hedge_value_span(LONG, SHORT, quantity, spot, entry, span_of((double)now->perp, x->perp_places)).h;
}

static inline double funding_at(const Account *a, const Position *p, i64 e) {
    const Terms *x = &a->terms.of[p->pair];
    const Moment *now = moment_of(a->w, p->pair, e);
    UnitFlow flow = {now->flow, now->flow_low, x->flow_places};
    if (p->line.fits) return paid_on_line(&p->line, now->flow);
    return funding_payment_span(SHORT, flow, span_of(p->quantity_f, x->quantity_places)).h;
}

static double equity_at(Account *a, i64 e) {
    double equity = (double)a->cash;
    for (int i = 0; i < a->count; i++) equity += hedge_value_at(a, held_at(a, i), e);
    return equity;
}

#endif
