//! Layer 4: the library's verbs: straight-line compositions of the layers below.
