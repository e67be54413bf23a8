#![no_main]

use cargo_supplychain::archived::index::table::Table;
use cargo_supplychain::archived::inventory::inventory_of;
use cargo_supplychain::archived::query::Query;
use cargo_supplychain::archived::{Entry, Inventory, Record, Rescan, from_bytes, to_bytes};
use libfuzzer_sys::{fuzz_mutator, fuzz_target};

fuzz_target!(|data: &[u8]| {
    if let Ok(inventory) = inventory_of(data, None) {
        assert_eq!(Inventory::read(&to_bytes(&inventory)).as_ref(), Ok(&inventory), "what was made can be read");
    }
    let _ = Inventory::read(data);
    let _ = (Entry::from_bytes(data), from_bytes::<Record>(data), from_bytes::<Rescan>(data));
    let _ = Table::open(data.to_vec()).map(|table| table.each(|_, _| {}));
    let _ = std::str::from_utf8(data).map(str::parse::<Query>);
});

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    cargo_supplychain_fuzz::json::mutate(data, size, max_size, seed)
});
