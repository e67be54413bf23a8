//! Greets.

fn main() {
    println!("{}", greeting::greet("hello"));
}
