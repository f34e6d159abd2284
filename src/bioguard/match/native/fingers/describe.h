/* Cylinders of many minutiae: the compiled form of bioguard/match/fingerprint/cylinders.py, which explains them. */
#ifndef BIOGUARD_FINGERS_DESCRIBE_H
#define BIOGUARD_FINGERS_DESCRIBE_H

#include <stddef.h>
#include <stdint.h>

#define SIDE 8        /* parameters.CYLINDER.cells_per_side */
#define TURNS 6       /* parameters.CYLINDER.angle_cells */
#define TURN_LANES 8  /* padded */
#define RIM 16        /* parameters.CYLINDER.hull_directions */
#define CELLS 52      /* cylinders.N_CELLS */
#define VALUES (CELLS * TURNS)
#define MAX_POINTS 255
#define NEGLIGIBLE 1e-5f /* share of a neighbor that a row of cells may miss */

/* parameters.py in the order of cylinders.py `shape` */
typedef struct {
    float narrow, kappa, saturation, margin, reach, min_neighbors;
    float axis[SIDE];
    float turn_x[TURN_LANES], turn_y[TURN_LANES];
    float rim_x[RIM], rim_y[RIM];
    float extent[CELLS][RIM]; /* cell center along each rim direction */
    float disc[SIDE * SIDE];  /* 1 where the cell belongs to the descriptor */
    float mean[VALUES];
} fd_shape;

/* points float [n][4]: x, y upward, cosine, sine; out float [n][VALUES]: (value - mean) * validity, zero where alone. */
void fd_describe(const fd_shape *shape, const float *points, int n, float *out);

#endif
