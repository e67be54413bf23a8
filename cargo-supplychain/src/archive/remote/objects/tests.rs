//! The store of objects over a service in memory.

use std::sync::Barrier;

use super::*;
use crate::archive::generations::Generations;
use crate::archive::{Chain, objects};
use crate::archived::Event;

fn text(found: Result<Vec<u8>, Error>) -> Result<String, String> {
    found.map(|bytes| String::from_utf8(bytes).unwrap()).map_err(|error| error.to_string())
}

fn digest(bytes: &[u8]) -> String {
    crate::base::Sha256::of(bytes).to_string()
}

#[test]
fn nothing_is_replaced_and_what_is_missing_is_said() {
    let store = Objects::in_memory();
    assert_eq!(store.create("log/1", &mut &b"first"[..]).unwrap(), Creation::Created);
    assert_eq!(store.create("log/1", &mut &b"second"[..]).unwrap(), Creation::Exists);
    assert_eq!(text(store.read("log/1", 5)), Ok("first".to_owned()));
    assert_eq!(text(store.read("log/1", 4)), Err("s3://memory/archive/log/1 is larger than 4 bytes".to_owned()));
    assert_eq!(text(store.read("log/2", 4)), Err("s3://memory/archive/log/2 does not exist".to_owned()));
    assert!(matches!(store.open("log/2"), Err(Error::NotFound { .. })));
    let mut streamed = String::new();
    store.open("log/1").unwrap().read_to_string(&mut streamed).unwrap();
    assert_eq!(streamed, "first");
    store.remove("log/1").unwrap();
    store.remove("log/1").unwrap();
    assert_eq!(store.create("log/1", &mut &b""[..]).unwrap(), Creation::Created);
    assert_eq!(text(store.read("log/1", 0)), Ok(String::new()));
}

#[test]
fn lists_are_of_one_prefix_and_sorted() {
    let store = Objects::in_memory();
    for path in ["log/2", "log/1", "logs/1", "objects/ab/x", "objects/aa/y"] {
        store.create(path, &mut path.as_bytes()).unwrap();
    }
    let paths =
        |prefix| store.list(prefix).unwrap().into_iter().map(|one| format!("{} {}", one.path, one.size)).collect::<Vec<_>>();
    assert_eq!(paths("log/"), ["log/1 5", "log/2 5"]);
    assert_eq!(paths("objects/"), ["objects/aa/y 12", "objects/ab/x 12"]);
    assert_eq!(paths("nothing/"), [""; 0]);
    assert_eq!(paths("").len(), 5);
}

#[test]
fn of_many_that_create_the_same_exactly_one_did() {
    let store = Objects::in_memory();
    let barrier = Barrier::new(8);
    let created = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|number: u8| {
                let (store, barrier) = (&store, &barrier);
                scope.spawn(move || {
                    barrier.wait();
                    store.create("log/7", &mut &[number][..]).unwrap()
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).filter(|one| *one == Creation::Created).count()
    });
    assert_eq!(created, 1);
}

#[test]
fn what_is_large_goes_in_parts_and_only_under_its_digest() {
    let mut store = Objects::in_memory();
    store.part = 4;
    let bytes = b"0123456789";
    let path = format!("objects/ab/{}", digest(bytes));
    let wrong = format!("objects/ab/{}", digest(b"other"));
    // Exactly one part is written whole.
    assert_eq!(store.create("log/1", &mut &b"0123"[..]).unwrap(), Creation::Created);
    let error = store.create("log/2", &mut &bytes[..]).unwrap_err().to_string();
    assert_eq!(error, "cannot write s3://memory/archive/log/2: only what is named by its digest may have more than 4 bytes");
    let error = store.create(&wrong, &mut &bytes[..]).unwrap_err().to_string();
    assert!(error.ends_with("the bytes are not those of its digest"), "{error}");
    assert!(store.list("objects/").unwrap().is_empty());
    assert_eq!(store.create(&path, &mut &bytes[..]).unwrap(), Creation::Created);
    assert_eq!(store.create(&path, &mut &bytes[..]).unwrap(), Creation::Exists);
    assert_eq!(store.read(&path, 10).unwrap(), bytes);
}

/// Content that breaks off.
struct Broken(usize);

impl Read for Broken {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.0 == 0 {
            return Err(io::Error::other("the disk is gone"));
        }
        self.0 -= 1;
        buffer[0] = b'x';
        Ok(1)
    }
}

#[test]
fn content_that_breaks_off_leaves_nothing() {
    let mut store = Objects::in_memory();
    store.part = 4;
    for (length, path) in [(2, "log/1".to_owned()), (9, format!("objects/ab/{}", digest(b"xxxxxxxxx")))] {
        let error = store.create(&path, &mut Broken(length)).unwrap_err();
        assert!(error.is_output() && error.to_string().ends_with("the disk is gone"), "{error}");
    }
    assert!(store.list("").unwrap().is_empty());
}

#[test]
fn messages_are_short_and_hold_no_secret() {
    let secrets = ["hunter2hunter2".to_owned()];
    let of = |text: String| said(&object_store::Error::Generic { store: "S3", source: text.into() }, &secrets);
    let answer = "Server returned non-2xx status code: 403 Forbidden: <?xml version=\"1.0\"?><Error><Code>AccessDenied</Code>\n<Message>no hunter2hunter2\u{1b}[31m</Message></Error>";
    assert_eq!(of(answer.into()), "the server says AccessDenied: no …\\u{1b}[31m");
    assert_eq!(of("x".repeat(10_000)).len(), MAX_SAID);
    assert_eq!(of("<Code>a<Message>b</Code>".into()), "<Code>a<Message>b</Code>");
}

#[test]
fn eight_writers_make_one_chain() {
    let now = "2026-11-29T00:00:00Z".parse().unwrap();
    let store = Generations::new(Box::new(Objects::in_memory()));
    let barrier = Barrier::new(8);
    std::thread::scope(|scope| {
        for writer in 0..8 {
            let (store, barrier) = (&store, &barrier);
            scope.spawn(move || {
                barrier.wait();
                let mut chain = Chain::open_or_begin(store, now, &format!("nonce {writer}")).unwrap();
                for number in 0..10 {
                    let record = objects::put(store, format!("{writer} {number}").as_bytes()).unwrap();
                    let (name, version, target) = (format!("writer-{writer}"), format!("{number}.0.0"), "t".to_owned());
                    chain.append(store, now, &Event::Release { name, version, target, record }).unwrap();
                }
            });
        }
    });
    let chain = Chain::open(&store).unwrap();
    assert_eq!((chain.entries().len(), chain.state().all().count()), (81, 80));
    for release in chain.state().all() {
        objects::check(&store, release.record).unwrap();
    }
    // An entry that is gone, and one that is another.
    let last = crate::archive::chain::path_of(81);
    let bytes = store.read(&last, 1 << 20).unwrap();
    store.remove(&last).unwrap();
    assert!(Chain::open(&store).unwrap().expect_head(chain.head()).is_err());
    store.create(&last, &mut &bytes[..bytes.len() - 1]).unwrap();
    assert!(Chain::open(&store).is_err());
}
