//! Work on pieces of a list, on as many threads as there are cores.

use std::panic::resume_unwind;
use std::sync::LazyLock;
use std::thread;

/// More threads than that wait for each other.
const MAX_THREADS: usize = 8;
/// Asked once: on Linux the answer is put together from some files.
static THREADS: LazyLock<usize> = LazyLock::new(|| thread::available_parallelism().map_or(1, usize::from).min(MAX_THREADS));

/// What `work` makes of each piece of the list, in order. A piece has at least `least` items, so that few of them start no thread; the last one
/// may have fewer.
pub fn in_pieces<T: Sync, R: Send>(items: &[T], least: usize, work: impl Fn(&[T]) -> R + Sync) -> Vec<R> {
    let length = items.len().div_ceil(*THREADS).max(least.max(1));
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

/// Lists one after the other as one; that of the first one grows.
#[must_use]
pub fn joined<T>(lists: Vec<Vec<T>>) -> Vec<T> {
    let mut lists = lists.into_iter();
    let mut all = lists.next().unwrap_or_default();
    all.reserve_exact(lists.as_slice().iter().map(Vec::len).sum());
    lists.for_each(|list| all.extend(list));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_come_back_in_order() {
        for count in [0, 1, 7, 100, 1001] {
            let items: Vec<usize> = (0..count).collect();
            let pieces = in_pieces(&items, 10, <[usize]>::to_vec);
            assert!(pieces.iter().rev().skip(1).all(|piece| piece.len() >= 10), "{count}");
            assert_eq!(joined(pieces), items);
        }
    }
}
