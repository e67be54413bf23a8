//! The list of references that a git server gives a client ("Git HTTP protocol", smart replies; "gitprotocol-common", pkt-line;
//! "gitprotocol-pack", reference discovery; version 0 or 1). Pure parser. What it does not understand as a whole it refuses: of a list that
//! was cut off nobody can say what is not in it.

/// The branches and tags of a repository, in the order of the list, and the commit of its default branch. Others
/// (`refs/pull/…`, where everybody can put commits) are not among them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Advertisement {
    /// What `HEAD` leads to.
    pub head: Option<String>,
    pub references: Vec<Reference>,
}

/// A branch or a tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// Without `refs/heads/` or `refs/tags/`; what is not UTF-8 is replaced.
    pub name: String,
    pub is_tag: bool,
    /// The object that it names: 40 hexadecimal digits in lower case.
    pub id: String,
    /// Of an annotated tag: what it is about.
    pub peeled: Option<String>,
}

impl Reference {
    /// The commit that it leads to.
    #[must_use]
    pub fn commit(&self) -> &str {
        self.peeled.as_deref().unwrap_or(&self.id)
    }

    /// Whether it names this object, itself or as what the tag is about.
    #[must_use]
    pub fn names(&self, id: &str) -> bool {
        self.id == id || self.peeled.as_deref() == Some(id)
    }
}

/// The largest pkt-line, its length included.
const MAX_LINE: usize = 65_520;
const HEADER: &[u8] = b"# service=git-upload-pack";

/// Reads the whole answer to `GET …/info/refs?service=git-upload-pack`.
///
/// # Errors
/// What is wrong with it, a fragment.
pub fn parse(bytes: &[u8]) -> Result<Advertisement, &'static str> {
    let mut lines = Lines { rest: bytes };
    if lines.next()? != Line::Data(HEADER) {
        return Err("answered no list of references");
    }
    let mut line = lines.next()?;
    if line == Line::Flush {
        line = lines.next()?;
    }
    if line == Line::Data(b"version 1") {
        line = lines.next()?;
    }
    let mut found = Advertisement::default();
    let mut is_first = true;
    while let Line::Data(text) = line {
        // The capabilities stand behind the first.
        let end = text.iter().position(|byte| *byte == 0).filter(|_| is_first).unwrap_or(text.len());
        read_reference(&text[..end], &mut found)?;
        is_first = false;
        line = lines.next()?;
    }
    if lines.rest.is_empty() { Ok(found) } else { Err("answered more than a list of references") }
}

fn read_reference(line: &[u8], found: &mut Advertisement) -> Result<(), &'static str> {
    const WRONG: &str = "answered a list of references with a line that is none";
    if line.starts_with(b"shallow ") {
        return Ok(());
    }
    let (id, name) = line.split_at_checked(40).ok_or(WRONG)?;
    let name = name.strip_prefix(b" ").filter(|name| !name.is_empty()).ok_or(WRONG)?;
    if !id.iter().all(u8::is_ascii_hexdigit) {
        return Err(WRONG);
    }
    let id = String::from_utf8_lossy(id).to_ascii_lowercase();
    if name == b"HEAD" {
        found.head = Some(id);
        return Ok(());
    }
    let (is_tag, name) = match (name.strip_prefix(b"refs/heads/"), name.strip_prefix(b"refs/tags/")) {
        (Some(name), _) => (false, name),
        (_, Some(name)) => (true, name),
        _ => return Ok(()),
    };
    if let Some(peeled) = name.strip_suffix(b"^{}") {
        let tag = found.references.last_mut().ok_or(WRONG)?;
        if !is_tag || !tag.is_tag || tag.peeled.is_some() || tag.name != String::from_utf8_lossy(peeled) {
            return Err(WRONG);
        }
        tag.peeled = Some(id);
    } else {
        found.references.push(Reference { name: String::from_utf8_lossy(name).into_owned(), is_tag, id, peeled: None });
    }
    Ok(())
}

#[derive(Debug, PartialEq, Eq)]
enum Line<'b> {
    Flush,
    /// Without the line feed at its end.
    Data(&'b [u8]),
}

/// pkt-lines: four hexadecimal digits of length, which they count too, then the data; `0000` ends a section.
struct Lines<'b> {
    rest: &'b [u8],
}

impl<'b> Lines<'b> {
    fn next(&mut self) -> Result<Line<'b>, &'static str> {
        const WRONG: &str = "answered a list of references that is cut off or broken";
        let (digits, rest) = self.rest.split_at_checked(4).ok_or(WRONG)?;
        let digits = std::str::from_utf8(digits).ok().filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        let length = digits.and_then(|digits| usize::from_str_radix(digits, 16).ok()).ok_or(WRONG)?;
        if length == 0 {
            self.rest = rest;
            return Ok(Line::Flush);
        }
        let (data, rest) =
            length.checked_sub(4).filter(|_| length <= MAX_LINE).and_then(|length| rest.split_at_checked(length)).ok_or(WRONG)?;
        self.rest = rest;
        Ok(Line::Data(data.strip_suffix(b"\n").unwrap_or(data)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::fixture::{advertised, line};
    use super::*;

    const A: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    const B: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

    #[test]
    fn branches_and_tags_and_nothing_else() {
        let found = parse(&advertised(&[
            (A, "HEAD"),
            (A, "refs/heads/main"),
            (B, "refs/pull/1/head"),
            (B, "refs/tags/v1"),
            (A, "refs/tags/v1^{}"),
            (B, "refs/tags/light"),
        ]))
        .unwrap();
        assert_eq!(found.head.as_deref(), Some(A));
        let refs: Vec<_> = found.references.iter().map(|one| (one.name.as_str(), one.is_tag, one.commit())).collect();
        assert_eq!(refs, [("main", false, A), ("v1", true, A), ("light", true, B)]);
        assert!(found.references[1].names(A) && found.references[1].names(B) && !found.references[0].names(B));
    }

    #[test]
    fn other_forms_of_the_same_list() {
        let header = "001e# service=git-upload-pack\n";
        let main = line(&format!("{A} refs/heads/main\n"));
        for text in [
            format!("{header}0000{main}0000"),
            format!("{header}{main}0000"),
            format!("{header}0000{}{main}0000", line("version 1\n")),
            format!("{header}0000{main}{}0000", line(&format!("shallow {B}\n"))),
            format!("{header}0000{}0000", line(&format!("{} refs/heads/main\0caps", A.to_uppercase()))),
        ] {
            assert_eq!(parse(text.as_bytes()).unwrap().references.len(), 1, "{text}");
        }
        let empty = format!("{header}0000{}0000", line(&format!("{} capabilities^{{}}\0caps", "0".repeat(40))));
        assert_eq!(parse(empty.as_bytes()), Ok(Advertisement::default()));
    }

    #[test]
    fn what_is_not_whole_is_refused() {
        let whole = advertised(&[(A, "HEAD"), (A, "refs/heads/main"), (B, "refs/tags/v1"), (A, "refs/tags/v1^{}")]);
        for end in 0..whole.len() {
            assert!(parse(&whole[..end]).is_err(), "{end}");
        }
        assert!(parse(&[whole.as_slice(), b"0000"].concat()).is_err());
        let header = "001e# service=git-upload-pack\n0000";
        for text in [
            "<html>".to_owned(),
            "001f# service=git-receive-pack\n0000".to_owned(),
            format!("{header}{}0000", line("version 2\n")),
            format!("{header}{}0000", line("ERR not found\n")),
            format!("{header}{}0000", line(&format!("{A}refs/heads/main"))),
            format!("{header}{}0000", line(&format!("{} refs/heads/main", "g".repeat(40)))),
            format!("{header}{}0000", line(&format!("{A}{} refs/heads/main", "0".repeat(24)))),
            format!("{header}{}0000", line(&format!("{A} refs/tags/v1^{{}}"))),
            format!("{header}00010000"),
            format!("{header}+0050000"),
            format!("{header}ffff{}", "x".repeat(70_000)),
        ] {
            assert!(parse(text.as_bytes()).is_err(), "{}", &text[..text.len().min(200)]);
        }
    }

    proptest! {
        #[test]
        fn never_panics(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = parse(&bytes);
            let _ = parse(&[b"001e# service=git-upload-pack\n0000".as_slice(), &bytes].concat());
        }

        #[test]
        fn never_panics_within_lines(lines in prop::collection::vec("[0-9a-f]{38,42} ?(refs/(heads|tags)/)?.{0,6}(\\^\\{\\})?", 0..5)) {
            let lines: String = lines.iter().map(|text| line(text)).collect();
            if let Ok(found) = parse(format!("001e# service=git-upload-pack\n0000{lines}0000").as_bytes()) {
                prop_assert!(found.references.iter().all(|one| one.commit().len() == 40));
            }
        }
    }
}
