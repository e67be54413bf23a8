//! Layer 3 (IO): keys and signing.
