//! Prints a number, with the help of one dependency.

fn main() {
    let number = std::env::args().count();
    println!("{}", itoa::Buffer::new().format(number));
}
