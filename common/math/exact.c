/* SPDX-License-Identifier: MIT */
/* Elementary functions in double-double arithmetic: table look-up, a Taylor polynomial of a small argument, one final
   rounding. Every constant below is a double-double: `hi` is the double nearest to the true value and `lo` the double
   nearest to what is left, so each follows from its definition alone. The test compares the results with quadruple
   precision at random points and at the edges. */
#include "common/math/exact.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "common/math/dd.h"

/* Adding and subtracting it rounds |x| < 2^51 to the nearest whole number. */
#define ROUNDER 0x1.8p52

#define STEPS_FINE 16

/* 2^(i/16) and 2^(i/256): together 2^(n/256) for every n in 0..255. */
static const struct dd power_coarse[STEPS_FINE] = {
    {0x1p+0, 0.0},
    {0x1.0b5586cf9890fp+0, 0x1.8a62e4adc610bp-54},
    {0x1.172b83c7d517bp+0, -0x1.19041b9d78a76p-55},
    {0x1.2387a6e756238p+0, 0x1.9b07eb6c70573p-54},
    {0x1.306fe0a31b715p+0, 0x1.6f46ad23182e4p-55},
    {0x1.3dea64c123422p+0, 0x1.ada0911f09ebcp-55},
    {0x1.4bfdad5362a27p+0, 0x1.d4397afec42e2p-56},
    {0x1.5ab07dd485429p+0, 0x1.6324c054647adp-54},
    {0x1.6a09e667f3bcdp+0, -0x1.bdd3413b26456p-54},
    {0x1.7a11473eb0187p+0, -0x1.41577ee04992fp-55},
    {0x1.8ace5422aa0dbp+0, 0x1.6e9f156864b27p-54},
    {0x1.9c49182a3f09p+0, 0x1.c7c46b071f2bep-56},
    {0x1.ae89f995ad3adp+0, 0x1.7a1cd345dcc81p-54},
    {0x1.c199bdd85529cp+0, 0x1.11065895048ddp-55},
    {0x1.d5818dcfba487p+0, 0x1.2ed02d75b3707p-55},
    {0x1.ea4afa2a490dap+0, -0x1.e9c23179c2893p-54},
};
static const struct dd power_fine[STEPS_FINE] = {
    {0x1p+0, 0.0},
    {0x1.00b1afa5abcbfp+0, -0x1.4f6b2a7609f71p-55},
    {0x1.0163da9fb3335p+0, 0x1.b61299ab8cdb7p-54},
    {0x1.02168143b0281p+0, -0x1.2bf310fc54eb6p-55},
    {0x1.02c9a3e778061p+0, -0x1.19083535b085dp-56},
    {0x1.037d42e11bbccp+0, 0x1.56811eeade11ap-57},
    {0x1.04315e86e7f85p+0, -0x1.0a31c1977c96ep-54},
    {0x1.04e5f72f654b1p+0, 0x1.4c3793aa0d08dp-55},
    {0x1.059b0d3158574p+0, 0x1.d73e2a475b465p-55},
    {0x1.0650a0e3c1f89p+0, -0x1.5cb7b5799c397p-54},
    {0x1.0706b29ddf6dep+0, -0x1.c91dfe2b13c27p-55},
    {0x1.07bd42b72a836p+0, 0x1.32334544587p-55},
    {0x1.0874518759bc8p+0, 0x1.186be4bb284ffp-57},
    {0x1.092bdf66607ep+0, -0x1.68063800a3fd1p-54},
    {0x1.09e3ecac6f383p+0, 0x1.1487818316136p-54},
    {0x1.0a9c79b1f3919p+0, 0x1.5d16c873d1d38p-55},
};

#define SINE_STEPS 32
/* sin(i pi / 64), 0 to 90 degrees; read backwards the cosine. */
static const struct dd sine_table[SINE_STEPS + 1] = {
    {0.0, 0.0},
    {0x1.91f65f10dd814p-5, -0x1.912bd0d569a9p-61},
    {0x1.917a6bc29b42cp-4, -0x1.e2718d26ed688p-60},
    {0x1.2c8106e8e613ap-3, 0x1.13000a89a11ep-58},
    {0x1.8f8b83c69a60bp-3, -0x1.26d19b9ff8d82p-57},
    {0x1.f19f97b215f1bp-3, -0x1.42deef11da2c4p-57},
    {0x1.294062ed59f06p-2, -0x1.5d28da2c4612dp-56},
    {0x1.58f9a75ab1fddp-2, -0x1.efdc0d58cf62p-62},
    {0x1.87de2a6aea963p-2, -0x1.72cedd3d5a61p-57},
    {0x1.b5d1009e15ccp-2, 0x1.5b362cb974183p-57},
    {0x1.e2b5d3806f63bp-2, 0x1.e0d891d3c6841p-58},
    {0x1.073879922ffeep-1, -0x1.a5a014347406cp-55},
    {0x1.1c73b39ae68c8p-1, 0x1.b25dd267f66p-55},
    {0x1.30ff7fce17035p-1, -0x1.efcc626f74a6fp-57},
    {0x1.44cf325091dd6p-1, 0x1.8076a2cfdc6b3p-57},
    {0x1.57d69348cecap-1, -0x1.75720992bfbb2p-55},
    {0x1.6a09e667f3bcdp-1, -0x1.bdd3413b26456p-55},
    {0x1.7b5df226aafafp-1, -0x1.0f537acdf0ad7p-56},
    {0x1.8bc806b151741p-1, -0x1.2c5e12ed1336dp-55},
    {0x1.9b3e047f38741p-1, -0x1.30ee286712474p-55},
    {0x1.a9b66290ea1a3p-1, 0x1.9f630e8b6dac8p-60},
    {0x1.b728345196e3ep-1, -0x1.bc69f324e6d61p-55},
    {0x1.c38b2f180bdb1p-1, -0x1.6e0b1757c8d07p-56},
    {0x1.ced7af43cc773p-1, -0x1.e7b6bb5ab58aep-58},
    {0x1.d906bcf328d46p-1, 0x1.457e610231ac2p-56},
    {0x1.e212104f686e5p-1, -0x1.014c76c126527p-55},
    {0x1.e9f4156c62ddap-1, 0x1.760b1e2e3f81ep-55},
    {0x1.f0a7efb9230d7p-1, 0x1.52c7adc6b4989p-56},
    {0x1.f6297cff75cbp-1, 0x1.562172a361fd3p-56},
    {0x1.fa7557f08a517p-1, -0x1.7a0a8ca13571fp-55},
    {0x1.fd88da3d12526p-1, -0x1.87df6378811c7p-55},
    {0x1.ff621e3796d7ep-1, -0x1.c57bc2e24aa15p-57},
    {0x1p+0, 0.0},
};

static const struct dd half_pi = {0x1.921fb54442d18p+0, 0x1.1a62633145c07p-54};
static const struct dd ln_2 = {0x1.62e42fefa39efp-1, 0x1.abc9e3b39803fp-56};

/* 1/n! for n = 2..7; only `hi` is needed from 8 on. */
static const struct dd factorial_2 = {0x1p-1, 0.0};
static const struct dd factorial_3 = {0x1.5555555555555p-3, 0x1.5555555555555p-57};
static const struct dd factorial_4 = {0x1.5555555555555p-5, 0x1.5555555555555p-59};
static const struct dd factorial_5 = {0x1.1111111111111p-7, 0x1.1111111111111p-63};
static const struct dd factorial_6 = {0x1.6c16c16c16c17p-10, -0x1.f49f49f49f49fp-65};
static const struct dd factorial_7 = {0x1.a01a01a01a01ap-13, 0x1.a01a01a01a01ap-73};
#define FACTORIAL_8 0x1.a01a01a01a01ap-16
#define FACTORIAL_9 0x1.71de3a556c734p-19
#define FACTORIAL_10 0x1.27e4fb7789f5cp-22
#define FACTORIAL_11 0x1.ae64567f544e4p-26
#define FACTORIAL_12 0x1.1eed8eff8d898p-29
#define FACTORIAL_13 0x1.6124613a86d09p-33

/* One exponential function: base^x with `unit` the argument that multiplies the result by 2^(1/256). The first two
   parts of the unit have 32 bits, so that a multiple of up to 2^21 of them is exact. */
struct exponential {
    double unit[3];
    double units_per_one;
    struct dd ln_base;
    double overflow, underflow; /* beyond these the result is infinite or rounds to 0 */
};

static const struct exponential natural = {
    {0x1.62e42feep-9, 0x1.a39ef356p-41, 0x1.93c7673007e5fp-73}, 0x1.71547652b82fep+8, {1.0, 0.0}, 710.0, -746.0};
static const struct exponential decimal = {{0x1.34413508p-10, 0x1.f79fef3p-42, 0x1.1f12b35816f92p-74},
                                           0x1.a934f0979a371p+9,
                                           {0x1.26bb1bbb55516p+1, -0x1.f48ad494ea3e9p-53},
                                           309.0,
                                           -324.0};
static const struct exponential decibel = {{0x1.8151824cp-6, 0x1.d61fabf4p-40, 0x1.9b5d80b872ddbp-72},
                                           0x1.542a5a12e1c5bp+5,
                                           {0x1.d791c5f888822p-4, 0x1.abeeabde89357p-58},
                                           6180.0,
                                           -6480.0};

/* base^x = 2^exponent * power * (1 + excess), power = 2^(step/256) in [1, 2), |excess| < 0.0014. */
struct expansion {
    int exponent;
    bool on_step; /* power is exactly 1 */
    struct dd power, excess;
};

/* e^r - 1 for |r| <= ln 2 / 512: the first term left out is r^11/11! < 2^-130, the terms evaluated in double alone are
   below 2^-57 of r. */
static struct dd expm1_small(struct dd r)
{
    double h = r.hi;
    double high = factorial_6.hi + h * (factorial_7.hi + h * (FACTORIAL_8 + h * (FACTORIAL_9 + h * FACTORIAL_10)));
    struct dd sum = dd_fast_two_sum(factorial_5.hi, h * high + factorial_5.lo);
    sum = dd_add(factorial_4, dd_multiply(r, sum));
    sum = dd_add(factorial_3, dd_multiply(r, sum));
    sum = dd_add(factorial_2, dd_multiply(r, sum));
    return dd_add(r, dd_multiply(dd_multiply(r, r), sum));
}

static struct expansion expand(const struct exponential *f, double x)
{
    double count = (x * f->units_per_one + ROUNDER) - ROUNDER;
    struct dd rest = dd_two_sum(x - count * f->unit[0], -(count * f->unit[1]));
    rest = dd_fast_two_sum(rest.hi, rest.lo - count * f->unit[2]);
    if (f != &natural) {
        rest = dd_multiply(rest, f->ln_base);
    }
    int64_t n = (int64_t)count;
    unsigned step = (unsigned)(n & 255);
    struct expansion e = {.exponent = (int)((n - (int64_t)step) / 256), .on_step = step == 0};
    e.power = dd_multiply(power_coarse[step / STEPS_FINE], power_fine[step % STEPS_FINE]);
    e.excess = expm1_small(rest);
    return e;
}

/* 2^exponent for a normal result. */
static double power_of_two(int exponent)
{
    uint64_t bits = (uint64_t)(exponent + 1023) << 52;
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

#define EXPONENT_MIN (-1022)

/* value * 2^exponent, rounded once, for value in [1/2, 2]. */
static double scale(struct dd value, int exponent)
{
    if (value.hi < 1.0) {
        value = (struct dd){2.0 * value.hi, 2.0 * value.lo};
        exponent--;
    }
    if (exponent >= EXPONENT_MIN && exponent < 1023) {
        return (value.hi + value.lo) * power_of_two(exponent);
    }
    if (exponent >= 1023) {
        return (value.hi + value.lo) * power_of_two(1022) * power_of_two(exponent - 1022);
    }
    /* The result may be subnormal: next to `anchor` a double has exactly the subnormal numbers' spacing. */
    double anchor = power_of_two(EXPONENT_MIN - exponent);
    struct dd sum = dd_fast_two_sum(anchor, value.hi);
    double rounded = (sum.hi + (sum.lo + value.lo)) - anchor;
    int half = exponent / 2;
    return rounded * power_of_two(half) * power_of_two(exponent - half);
}

static double exponentiate(const struct exponential *f, double x)
{
    if (isnan(x)) {
        return x;
    }
    if (x > f->overflow) {
        return HUGE_VAL;
    }
    if (x < f->underflow) {
        return 0.0;
    }
    struct expansion e = expand(f, x);
    return scale(dd_add(e.power, dd_multiply(e.power, e.excess)), e.exponent);
}

double lh_exp(double x)
{
    return exponentiate(&natural, x);
}

double lh_exp10(double x)
{
    return exponentiate(&decimal, x);
}

double lh_gain_from_db(double db)
{
    return exponentiate(&decibel, db);
}

/* log(m) to about 2^-50 of itself for m = 1 + d, m in [sqrt(1/2), sqrt(2)]: 2 artanh(d / (2 + d)). */
static double log_estimate(double d)
{
    double s = d / (2.0 + d);
    double square = s * s;
    double sum = 0.0;
    for (int n = 19; n >= 3; n -= 2) {
        sum = (sum + 1.0 / n) * square;
    }
    return 2.0 * (s + s * sum);
}

/* log(x) for x > 0, finite, in double-double: an estimate y, then y + log(x e^-y) by one step. x e^-y - 1 = z is below
   2^-40, so z - z^2/2 + z^3/3 suffices. */
static struct dd log_dd(struct dd x)
{
    int exponent;
    double mantissa = frexp(x.hi, &exponent); /* exact on every machine */
    if (mantissa < 0x1.6a09e667f3bcdp-1) {    /* sqrt(1/2) */
        mantissa *= 2.0;
        exponent--;
    }
    double low = ldexp(x.lo, -exponent);
    struct dd d = dd_two_sum(mantissa - 1.0, low); /* the difference is exact */
    double y = log_estimate(d.hi);
    struct expansion e = expand(&natural, -y);
    struct dd z;
    if (e.on_step && e.exponent == 0) {
        z = dd_add(dd_add(d, e.excess), dd_multiply(d, e.excess)); /* (1 + d)(1 + excess) - 1 without losing d */
    } else {
        struct dd inverse = dd_add(e.power, dd_multiply(e.power, e.excess));
        struct dd product = dd_multiply(dd_fast_two_sum(mantissa, low), inverse);
        double two = power_of_two(e.exponent);
        z = dd_add_double((struct dd){product.hi * two, product.lo * two}, -1.0);
    }
    struct dd correction = dd_add_double(z, z.hi * z.hi * (z.hi * (1.0 / 3.0) - 0.5));
    struct dd result = dd_add_double(correction, y);
    return exponent == 0 ? result : dd_add(dd_multiply_double(ln_2, exponent), result);
}

/* The cases that all logarithms share; true when *result is the answer. */
static bool log_special(double x, double *result)
{
    if (x > 0.0 && x < HUGE_VAL) {
        return false;
    }
    *result = x == 0.0 ? -HUGE_VAL : x < 0.0 ? (double)NAN : x;
    return true;
}

double lh_log(double x)
{
    double special;
    if (log_special(x, &special)) {
        return special;
    }
    struct dd result = log_dd((struct dd){x, 0.0});
    return result.hi + result.lo;
}

#define LOG1P_LINEAR 0x1p-500 /* below it x - x^2/2 rounds to x */

double lh_log1p(double x)
{
    double special;
    if (x < LOG1P_LINEAR && x > -LOG1P_LINEAR) {
        return x;
    }
    if (log_special(x + 1.0, &special)) {
        return special;
    }
    struct dd result = log_dd(dd_two_sum(1.0, x));
    return result.hi + result.lo;
}

/* sin r for |r| <= pi/128; the terms evaluated in double alone are below 2^-61 of r. */
static struct dd sine_small(struct dd r)
{
    struct dd square = dd_multiply(r, r);
    double s = square.hi;
    double high = s * (FACTORIAL_9 + s * (-FACTORIAL_11 + s * FACTORIAL_13)) - factorial_7.lo;
    struct dd sum = dd_fast_two_sum(-factorial_7.hi, high);
    sum = dd_add(factorial_5, dd_multiply(square, sum));
    sum = dd_add(dd_negate(factorial_3), dd_multiply(square, sum));
    return dd_add(r, dd_multiply(r, dd_multiply(square, sum)));
}

/* cos r for |r| <= pi/128. */
static struct dd cosine_small(struct dd r)
{
    struct dd square = dd_multiply(r, r);
    double s = square.hi;
    double high = s * (FACTORIAL_8 + s * (-FACTORIAL_10 + s * FACTORIAL_12)) - factorial_6.lo;
    struct dd sum = dd_fast_two_sum(-factorial_6.hi, high);
    sum = dd_add(factorial_4, dd_multiply(square, sum));
    sum = dd_add(dd_negate(factorial_2), dd_multiply(square, sum));
    return dd_add_double(dd_multiply(square, sum), 1.0);
}

/* sin(t pi/2) or cos(t pi/2) for t in 0..1/2, by the sum of angles around the nearest multiple of 1/32. */
static double quarter_turn(double t, bool cosine)
{
    double nearest = (t * SINE_STEPS + ROUNDER) - ROUNDER;
    struct dd rest = dd_multiply_double(half_pi, t - nearest / SINE_STEPS);
    struct dd sine = sine_small(rest);
    struct dd result;
    unsigned step = (unsigned)nearest;
    if (step == 0) {
        result = cosine ? cosine_small(rest) : sine;
    } else if (cosine) {
        result = dd_add(dd_multiply(sine_table[SINE_STEPS - step], cosine_small(rest)),
                        dd_multiply(dd_negate(sine_table[step]), sine));
    } else {
        result =
            dd_add(dd_multiply(sine_table[step], cosine_small(rest)), dd_multiply(sine_table[SINE_STEPS - step], sine));
    }
    return result.hi + result.lo;
}

double lh_sin_half_pi(double x)
{
    if (!(x > 0.0)) {
        return 0.0;
    }
    if (x >= 1.0) {
        return 1.0;
    }
    return x <= 0.5 ? quarter_turn(x, false) : quarter_turn(1.0 - x, true); /* 1 - x is exact here */
}

double lh_cos_half_pi(double x)
{
    if (!(x > 0.0)) {
        return 1.0;
    }
    if (x >= 1.0) {
        return 0.0;
    }
    return x <= 0.5 ? quarter_turn(x, true) : quarter_turn(1.0 - x, false);
}
