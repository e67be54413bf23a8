//! GitHub workflow files as far as they decide about a release: what they use, run, check out and cache. Pure types and parser.
