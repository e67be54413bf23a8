//! Layer 1: in-toto statements, DSSE envelopes and Sigstore bundles. Pure types and encodings; signing is `sign`, judging is `verify`.
