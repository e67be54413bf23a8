//! Mutations of JSON that stay JSON: libFuzzer's own would break the text long before they reach what reads its content.

use libfuzzer_sys::fuzzer_mutate;
use serde_json::Value;

/// Strings that a reader may stumble over.
const WORDS: [&str; 12] = [
    "",
    ".",
    "..",
    "/",
    "a/../b",
    "cfg(not(any(unix, windows)))",
    "dep:a",
    "a?/b",
    "*",
    "18446744073709551616.0.0",
    "\u{0}",
    "Ä\u{202e}",
];

/// A custom mutator: one or a few nodes of the document are replaced, removed, copied or changed; one time in eight, and where
/// the input is no JSON, libFuzzer's own mutation.
pub fn mutate(data: &mut [u8], size: usize, max_size: usize, seed: u32) -> usize {
    let mut random = Random(u64::from(seed) << 1 | 1);
    let parsed = serde_json::from_slice::<Value>(&data[..size]).ok();
    let Some(mut document) = parsed.filter(|_| random.below(8) > 0) else { return fuzzer_mutate(data, size, max_size) };
    for _ in 0..=random.below(3) {
        change(&mut document, &mut random);
    }
    match serde_json::to_vec(&document) {
        Ok(text) if text.len() <= max_size => {
            data[..text.len()].copy_from_slice(&text);
            text.len()
        }
        _ => fuzzer_mutate(data, size, max_size),
    }
}

/// xorshift: what libFuzzer's seed decides is repeatable.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % bound.max(1)
    }
}

fn change(document: &mut Value, random: &mut Random) {
    let count = nodes(document);
    let donor = nth(document, &mut random.below(count)).cloned().unwrap_or_default();
    let Some(node) = nth_mut(document, &mut random.below(count)) else { return };
    match (random.below(8), node) {
        (0, node) => *node = donor,
        (1, node) => *node = Value::Null,
        (2, node) => *node = WORDS[random.below(WORDS.len())].into(),
        (3, Value::Array(items)) if !items.is_empty() => drop(items.remove(random.below(items.len()))),
        (4, Value::Array(items)) if !items.is_empty() => items.push(items[random.below(items.len())].clone()),
        (3..=4, Value::Object(map)) if !map.is_empty() => {
            let key = map.keys().nth(random.below(map.len())).cloned().unwrap_or_default();
            drop(map.remove(&key));
        }
        (5, Value::Object(map)) => drop(map.insert(WORDS[random.below(WORDS.len())].to_owned(), donor)),
        (_, Value::String(text)) => {
            let at = (0..=random.below(text.len() + 1)).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
            match random.below(3) {
                0 => text.truncate(at),
                1 => text.insert_str(at, WORDS[random.below(WORDS.len())]),
                _ => *text = donor.as_str().unwrap_or("x").to_owned(),
            }
        }
        (_, Value::Number(number)) => *number = [0, 1, 2, u64::MAX, 1 << 53][random.below(5)].into(),
        (_, Value::Bool(truth)) => *truth = !*truth,
        (_, node) => *node = donor,
    }
}

fn nodes(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(nodes).sum(),
        Value::Object(map) => map.values().map(nodes).sum(),
        _ => 0,
    }
}

fn nth<'v>(value: &'v Value, left: &mut usize) -> Option<&'v Value> {
    if *left == 0 {
        return Some(value);
    }
    *left -= 1;
    match value {
        Value::Array(items) => items.iter().find_map(|item| nth(item, left)),
        Value::Object(map) => map.values().find_map(|item| nth(item, left)),
        _ => None,
    }
}

fn nth_mut<'v>(value: &'v mut Value, left: &mut usize) -> Option<&'v mut Value> {
    if *left == 0 {
        return Some(value);
    }
    *left -= 1;
    match value {
        Value::Array(items) => items.iter_mut().find_map(|item| nth_mut(item, left)),
        Value::Object(map) => map.values_mut().find_map(|item| nth_mut(item, left)),
        _ => None,
    }
}
