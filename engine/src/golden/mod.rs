//! Recorded observations: resolving them, computing updates as values, and (in `store`) reading and writing them.
