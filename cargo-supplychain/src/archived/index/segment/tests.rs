use proptest::prelude::*;

use super::*;
use crate::archived::{FORMAT_VERSION, to_bytes};
use crate::base::Timestamp;
use crate::model::Role;

fn release(sequence: u64) -> IndexedRelease {
    IndexedRelease {
        sequence,
        name: "app".into(),
        version: format!("1.0.{sequence}").into(),
        target: "t".into(),
        archived: Timestamp::from_unix(1_700_000_000 + sequence as i64).unwrap(),
        record: Sha256::of(sequence.to_be_bytes()),
        rustc: "".into(),
        artifacts: Vec::new(),
    }
}

fn inventory(components: &[(u8, u8, Option<u8>)]) -> Inventory {
    let component = |(name, version, feature): &(u8, u8, Option<u8>)| {
        let part = |feature: u8| InventoryUse { artifact: 0, role: Role::Runtime, features: vec![format!("f{feature}")] };
        InventoryComponent {
            purl: format!("pkg:cargo/c{name}@1.0.{version}"),
            name: format!("c{name}"),
            version: format!("1.0.{version}"),
            source: (name % 2 == 0).then(|| "registry+x".to_owned()),
            checksum: None,
            license: None,
            uses: feature.map(part).into_iter().collect(),
            native: Vec::new(),
        }
    };
    let artifact = InventoryArtifact { name: "a".to_owned(), path: "artifacts/a".to_owned(), sha256: Sha256::of("a") };
    let components = components.iter().map(component).collect();
    Inventory { format_version: FORMAT_VERSION, artifacts: vec![artifact], components, rustc: "1.95.0".to_owned() }
}

type Naive = BTreeMap<(String, String, Option<String>), BTreeMap<u64, Vec<InventoryUse>>>;

fn naive(releases: &[Vec<(u8, u8, Option<u8>)>]) -> Naive {
    let mut naive = Naive::new();
    for (sequence, components) in (1_u64..).zip(releases) {
        for one in inventory(components).components {
            naive.entry((one.name, one.version, one.source)).or_default().insert(sequence, one.uses);
        }
    }
    naive
}

fn as_naive(components: Vec<IndexedComponent>) -> Naive {
    let mut found = Naive::new();
    for component in components {
        let ComponentKey { name, version, source } = component.key;
        let releases = component.postings.into_iter().flat_map(|posting| {
            let uses = posting.detail.uses;
            posting.releases.into_iter().map(move |release| (release, uses.clone()))
        });
        found.insert((name, version, source), releases.collect());
    }
    found
}

fn build(releases: &[Vec<(u8, u8, Option<u8>)>], first: u64) -> Table<Vec<u8>> {
    let (mut builder, interner) = (Builder::default(), Interner::default());
    for (sequence, components) in (first..).zip(releases) {
        builder.add(interner.prepare(release(sequence), &to_bytes(&inventory(components))).unwrap());
    }
    Table::open(builder.write(&interner, Vec::new()).unwrap()).unwrap()
}

#[test]
fn what_is_no_inventory_is_refused() {
    let good = inventory(&[(1, 1, Some(0)), (2, 1, None)]);
    let interner = Interner::default();
    let prepare = |change: fn(&mut Inventory)| {
        let mut other = good.clone();
        change(&mut other);
        interner.prepare(release(1), &to_bytes(&other))
    };
    assert!(prepare(|_| ()).is_ok());
    let changes: [fn(&mut Inventory); 6] = [
        |one| one.format_version = 2,
        |one| one.components.reverse(),
        |one| one.components.push(one.components[1].clone()),
        |one| one.artifacts.clear(),
        |one| one.components[0].uses[0].artifact = 1,
        |one| one.components[0].version = "x".to_owned(),
    ];
    for (index, change) in changes.into_iter().enumerate() {
        assert!(prepare(change).is_err(), "{index}");
    }
    let text = String::from_utf8(to_bytes(&good)).unwrap();
    for other in [text.replace("\"purl\":", "\"purl\": "), text.replace("\"rustc\"", "\"cargo\""), "[]".to_owned()] {
        assert!(interner.prepare(release(1), other.as_bytes()).is_err(), "{other}");
    }
}

#[test]
fn a_release_comes_back_with_the_files_of_its_inventory() {
    let table = build(&[vec![(1, 1, None)], vec![(1, 1, Some(1))]], 7);
    let found = releases(&table, &BTreeSet::from([8, 99])).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].sequence, &*found[0].artifacts[0].path, &*found[0].rustc), (8, "artifacts/a", "1.95.0"));
    assert_eq!(all_releases(&table).unwrap().len(), 2);
}

proptest! {
    /// Whatever the releases and wherever they are split into tables: the index says what going through all of them says.
    #[test]
    fn the_index_says_what_the_releases_say(
        releases in proptest::collection::vec(proptest::collection::btree_map((0_u8..6, 0_u8..4), proptest::option::of(0_u8..2), 0..12), 1..20),
        split in any::<proptest::sample::Index>(),
        wanted in proptest::collection::btree_set(0_u8..7, 0..5),
    ) {
        let releases: Vec<Vec<_>> = releases.into_iter()
            .map(|one| one.into_iter().map(|((name, version), feature)| (name, version, feature)).collect()).collect();
        let at = split.index(releases.len() + 1);
        let (earlier, later) = (build(&releases[..at], 1), build(&releases[at..], 1 + at as u64));
        let merged = Table::open(merge(&earlier, &later, Vec::new()).unwrap().unwrap()).unwrap();
        let mut all = Vec::new();
        all_components(&merged, |component| all.push(component)).unwrap();
        let expected = naive(&releases);
        prop_assert_eq!(as_naive(all), expected.clone());
        let names: BTreeSet<_> = wanted.iter().map(|name| format!("c{name}")).collect();
        let expected: Naive = expected.into_iter().filter(|((name, _, _), _)| names.contains(name)).collect();
        prop_assert_eq!(as_naive(components(&merged, &names).unwrap()), expected);
        prop_assert_eq!(all_releases(&merged).unwrap().len(), releases.len());
        let whole = build(&releases, 1);
        prop_assert_eq!(whole.with_prefix(b"").unwrap(), merged.with_prefix(b"").unwrap());
    }

    #[test]
    fn never_panics(value in proptest::collection::vec(any::<u8>(), 0..60), key in proptest::collection::vec(any::<u8>(), 1..20)) {
        let _ = component(&key, &value);
    }
}
