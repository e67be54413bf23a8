//! Work on pieces of a list, on as many threads as there are cores.

use std::panic::resume_unwind;
use std::thread;

/// More threads than that wait for each other.
const MAX_THREADS: usize = 8;

/// What `work` makes of each piece of the list, in order. A piece has at least `least` items, so that few of them start no thread; the last one
/// may have fewer.
pub fn in_pieces<T: Sync, R: Send>(items: &[T], least: usize, work: impl Fn(&[T]) -> R + Sync) -> Vec<R> {
    let threads = thread::available_parallelism().map_or(1, usize::from).min(MAX_THREADS);
    let length = items.len().div_ceil(threads).max(least.max(1));
    if items.len() <= length {
        return vec![work(items)];
    }
    let (first, others) = items.split_at(length);
    thread::scope(|scope| {
        let work = &work;
        let running: Vec<_> = others.chunks(length).map(|piece| scope.spawn(move || work(piece))).collect();
        let mut made = vec![work(first)];
        made.extend(running.into_iter().map(|one| one.join().unwrap_or_else(|panic| resume_unwind(panic))));
        made
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_come_back_in_order() {
        for count in [0, 1, 7, 100, 1001] {
            let items: Vec<usize> = (0..count).collect();
            let pieces = in_pieces(&items, 10, <[usize]>::to_vec);
            assert_eq!(pieces.concat(), items);
            assert!(pieces.iter().rev().skip(1).all(|piece| piece.len() >= 10), "{count}");
        }
    }
}
