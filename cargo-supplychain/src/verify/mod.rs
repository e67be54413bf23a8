//! Layer 2: verification of signatures, statements and release folders against a policy from outside. Pure: over bytes.
