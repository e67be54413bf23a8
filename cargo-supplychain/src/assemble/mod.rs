//! Layer 2: from evidence to the [`crate::model::Build`]. Pure: no IO.
