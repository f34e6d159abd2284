/* Comparison of one fingerprint with many: shared types of the variants.
 *
 * The same steps as bioguard/match/fingerprint/{pairing,alignment,comparator}.py, which explain them. Selection works on
 * integers and is the same in every variant to the last pair. Floating point is IEEE single without contraction
 * (-ffp-contract=off), and no sum is reordered, so every variant gives the same bits; NumPy agrees to rounding.
 */
#ifndef BIOGUARD_FINGERS_COMPARE_H
#define BIOGUARD_FINGERS_COMPARE_H

#include <stddef.h>
#include <stdint.h>

#define MAX_MINUTIAE 255
#define MAX_LANES 256
#define MAX_DIMENSIONS 128
#define PAIRS 24 /* parameters.PAIRING.max_pairs; checked when the module is called */
#define LANE_STEP 8 /* a stored template is padded to a multiple of this many minutiae */
#define CODE_SHIFT 64 /* stored codes are shifted to 1..127 so that u8 x s8 products can be used */
#define POSITION_UNIT 0.125f /* prepared.POSITION_STEPS_PER_PX */
#define DIRECTION_UNIT (1.0f / 32767.0f)
#define HULL 16    /* parameters.ALIGNMENT.hull_directions */
#define N_EVIDENCE 6
#define MAX_THREADS 64

/* parameters.py in the order of native_backend.py `_constants` */
typedef struct {
    float similarity_scale, floor, offset, offset_scale;
    float tolerance, growth, near_gain, turn_none, turn_scale;
    float iterations;
    float gate;
    float reach[2]; /* squared */
    float direction_cos, ridge, fit_floor, min_matched;
    float hull_x[HULL], hull_y[HULL];
} fg_constants;

typedef struct {
    int n, dimensions;
    int8_t codes[MAX_LANES * MAX_DIMENSIONS]; /* [n padded to 8][dimensions] */
    int32_t shift[MAX_LANES];                 /* -CODE_SHIFT * sum of the row */
    float x[MAX_LANES], y[MAX_LANES], c[MAX_LANES], s[MAX_LANES];
} fg_probe;

/* Minutiae of a stored record, laid out for vectors, and a probe moved onto it. */
typedef struct {
    float x[MAX_LANES], y[MAX_LANES], c[MAX_LANES], s[MAX_LANES];
} fg_places;

typedef union {
    float f;
    int32_t i;
} fg_bits;

typedef struct {
    float c, s, tx, ty, matrix[2][3];
} fg_motion;

typedef struct {
    const fg_probe *probe;
    const fg_constants *constants;
    const int32_t *kept;      /* [256], by the smaller minutia count */
    const uint8_t *records;   /* codes [dimensions / 4][lanes][4] u8, then places [lanes][4] i16, one after another */
    const int64_t *starts;    /* byte offset of each record */
    const uint8_t *counts;    /* minutiae of each record */
    size_t first, last;       /* rows to compare */
    int32_t *table;           /* workspace [MAX_LANES][MAX_LANES], aligned to 64 bytes */
    float *evidence;          /* [rows][N_EVIDENCE]: comparator.EVIDENCE */
} fg_job;

typedef void (*fg_compare)(const fg_job *job);

typedef struct {
    const char *name;
    fg_compare compare;
} fg_variant;

/* Rows of a gallery that lie in one piece of memory. */
typedef struct {
    const uint8_t *records;
    const int64_t *starts;
    const uint8_t *counts;
    size_t rows;
} fg_part;

/* Evidence [rows of all parts][N_EVIDENCE], the same whatever the number of threads. Of `common` the probe, constants
 * and kept are used. -1 if there is no memory. */
int fg_compare_parts(fg_compare compare, const fg_job *common, const fg_part *parts, size_t n_parts, size_t threads,
                     float *evidence);

/* Variants that this processor can run, fastest first; the last is always "portable". */
size_t fg_variants(const fg_variant **list);

void fg_load_probe(fg_probe *probe, const int8_t *codes, const int16_t *places, int n, int dimensions);

#endif
