//! A procedural macro: it helps to build, and is linked into nothing.

use proc_macro::TokenStream;
use quote::quote;

/// Expands to the salutation.
#[proc_macro]
pub fn salutation(_: TokenStream) -> TokenStream {
    quote!("Hello,").into()
}
