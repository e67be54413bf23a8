//! How far an advisory reaches into the build: what is compiled for which platform, what is linked, and which of the functions that it names.
//! Facts beside a finding: nothing here changes whether there is one, or how severe it is.

use super::Facts;
use crate::advisory::Advisory;
use crate::base::text::counted;
use crate::finding::{FunctionAnswer, FunctionReach, Reach, ReachAnswer};
use crate::model::functions::{Asked, Found, FunctionFacts, Named};
use crate::model::surroundings::Platform;
use crate::model::{Artifact, ArtifactKind, Build, LockedPackage};

/// So many functions are named where nothing was compiled.
const MAX_NAMED: usize = 4;

/// What is known; none: the crate is linked, and the advisory is about all of it, or there is no plan to compare with.
pub(super) fn reach(facts: &Facts<'_>, advisory: &Advisory, package: &LockedPackage) -> Option<Reach> {
    if facts.archived.is_some() {
        return None;
    }
    let build = facts.build.ok().filter(|build| !build.artifacts.is_empty())?;
    let version = package.version.to_string();
    // Of several with this name and version any counts: nothing is said to be absent that a fork brings.
    let same = build.components.values().filter(|other| other.name == package.name && other.version == version);
    let same: Vec<&str> = same.map(|component| component.purl.as_str()).collect();
    if same.is_empty() {
        return None;
    }
    let place = Place::of(build, &same);
    if place.linked.is_empty() && place.host.is_empty() {
        return Some(Reach::of_crate(ReachAnswer::ResolvedOnly, "Cargo.lock names it, and nothing that is built needs it"));
    }
    if let Some(reach) = place.elsewhere(build, advisory) {
        return Some(reach);
    }
    if place.linked.is_empty() {
        let why = format!("a build script or procedural macro of {} needs it, no artifact does", names(&place.host));
        return Some(Reach::of_crate(ReachAnswer::BuildOnly, why));
    }
    let functions: Vec<&str> = advisory.affects.functions_of(&package.version).collect();
    match facts.functions {
        _ if functions.is_empty() => None,
        None => Some(not_compiled(&functions)),
        Some(known) => {
            Some(compiled(&functions, &Looked { known, place: &place, purls: &same, has_others: has_others(build, package) }))
        }
    }
}

/// Whether another version of the crate is linked as well: a symbol does not tell of which it is.
fn has_others(build: &Build, package: &LockedPackage) -> bool {
    let version = package.version.to_string();
    let mut others = build.components.values().filter(|other| other.name == package.name && other.version != version);
    others.any(|other| build.artifacts.iter().any(|artifact| artifact.linked.iter().any(|one| one.purl == other.purl)))
}

/// Where a crate is, by artifact.
struct Place<'b> {
    linked: Vec<&'b Artifact>,
    host: Vec<&'b Artifact>,
}

impl<'b> Place<'b> {
    fn of(build: &'b Build, purls: &[&str]) -> Self {
        let having = |uses: fn(&Artifact) -> &[crate::model::Use]| {
            let has = |artifact: &&Artifact| uses(artifact).iter().any(|one| purls.contains(&one.purl.as_str()));
            build.artifacts.iter().filter(has).collect()
        };
        Self { linked: having(|artifact| &artifact.linked), host: having(|artifact| &artifact.host) }
    }

    /// Where the advisory is about none of the platforms that the crate is compiled for.
    fn elsewhere(&self, build: &Build, advisory: &Advisory) -> Option<Reach> {
        let sides = &build.invocation.sides;
        let of_target = (!self.linked.is_empty()).then_some(&sides.target);
        let of_host = (!self.host.is_empty()).then_some(&sides.host);
        let mut compiled_for: Vec<&Platform> = of_target.into_iter().chain(of_host).collect();
        compiled_for.dedup();
        let is_about = |platform: &&Platform| !platform.is_known() || advisory.affects.is_about(&platform.os, &platform.arch);
        if compiled_for.iter().any(is_about) {
            return None;
        }
        let triples: Vec<_> = compiled_for.iter().map(|platform| platform.triple.as_str()).collect();
        let why = format!("it is about {}, and this is compiled for {}", advisory.affects.platforms(), triples.join(" and "));
        Some(Reach::of_crate(ReachAnswer::OtherPlatform, why))
    }
}

fn names(artifacts: &[&Artifact]) -> String {
    artifacts.iter().map(|artifact| artifact.name.as_str()).collect::<Vec<_>>().join(", ")
}

/// What was looked at after the build.
struct Looked<'b> {
    known: &'b FunctionFacts,
    place: &'b Place<'b>,
    purls: &'b [&'b str],
    has_others: bool,
}

fn compiled(functions: &[&str], looked: &Looked<'_>) -> Reach {
    let judged: Vec<_> = functions.iter().map(|function| looked.at(function)).collect();
    let linked = judged.iter().filter(|one| one.answer == FunctionAnswer::Linked).count();
    let absent = judged.iter().filter(|one| one.answer == FunctionAnswer::Absent).count();
    let of = counted(judged.len(), "function");
    let why = match (linked, absent) {
        (0, 0) => format!("of the {of} that it affects nothing can be said"),
        (0, absent) if absent == judged.len() => {
            format!("none of the {of} that it affects is in {}", names(&looked.place.linked))
        }
        (linked, absent) => format!("of the {of} that it affects {linked} linked, {absent} absent"),
    };
    Reach::of_functions(judged, why)
}

impl Looked<'_> {
    fn at(&self, function: &str) -> FunctionReach {
        let (answer, why) = match self.purls.iter().find_map(|purl| self.judged(purl, function)) {
            Some(judged) => judged,
            None => (FunctionAnswer::Unknown, "it was not looked for".to_owned()),
        };
        FunctionReach { function: function.to_owned(), answer, why }
    }

    /// None: another of several crates of this name and version is the one.
    fn judged(&self, purl: &str, function: &str) -> Option<(FunctionAnswer, String)> {
        let asked = Asked { purl: purl.to_owned(), function: function.to_owned() };
        let named = self.known.sources.as_ref().map(|sources| sources.get(&asked));
        if named == Ok(None) {
            return None;
        }
        let named = named.map(|named| named.cloned().unwrap_or_default());
        Some(match self.symbol(&asked, named.as_ref().ok()) {
            Ok(Some(linked)) if self.has_others => (
                FunctionAnswer::Unknown,
                format!("{linked}; several versions of the crate are linked, and a symbol does not tell which it is of"),
            ),
            Ok(Some(linked)) => (FunctionAnswer::Linked, linked),
            Err(why) => (FunctionAnswer::Unknown, why),
            Ok(None) => without_symbol(named),
        })
    }

    /// The symbol that shows that it is linked; the error is why the symbols do not tell.
    fn symbol(&self, asked: &Asked, named: Option<&Named>) -> Result<Option<String>, String> {
        let mut unknown = None;
        for artifact in &self.place.linked {
            let name = &artifact.name;
            if artifact.kind == ArtifactKind::Crate {
                unknown = Some(format!("{name} is released as source: what it links, whoever compiles it decides"));
                continue;
            }
            match self.known.symbols.get(name) {
                Some(Ok(found)) => match (found.get(asked).unwrap_or(&Found::Nothing), named) {
                    (Found::Exact(symbol), _) => return Ok(Some(format!("`{symbol}` is in {name}"))),
                    // There is only one function of this name in the crate, so that it has to be this one.
                    (Found::Similar(symbol), Some(Named { definitions: 1, .. })) => {
                        return Ok(Some(format!("it is in {name} as `{symbol}`")));
                    }
                    (Found::Plain(symbol), Some(Named { is_foreign: true, .. })) => {
                        return Ok(Some(format!("`{symbol}` is in {name}")));
                    }
                    (Found::Similar(symbol) | Found::Plain(symbol), _) => {
                        unknown = Some(format!("`{symbol}` in {name} may be it"));
                    }
                    (Found::Nothing, _) => {}
                },
                Some(Err(why)) => unknown = Some(format!("the symbols of {name} do not tell: {why}")),
                None => unknown = Some(format!("{name} was not looked at")),
            }
        }
        unknown.map_or(Ok(None), Err)
    }
}

/// A function without a symbol is absent only where nothing calls it: the compiler may have put its code into its callers.
fn without_symbol(named: Result<Named, &String>) -> (FunctionAnswer, String) {
    let unknown = |why: String| (FunctionAnswer::Unknown, format!("it has no symbol; {why}"));
    match named {
        Err(why) => unknown(format!("whether it was inlined is not known, not all sources were read: {why}")),
        Ok(Named { definitions: 0, .. }) => unknown("the sources of the crate define no function of that name".to_owned()),
        Ok(Named { implicit: Some(why), .. }) => unknown(format!("{why}, so that it may have been called and inlined unnamed")),
        Ok(Named { mention: Some(place), .. }) => unknown(format!("it may have been inlined where it is named: {place}")),
        Ok(_) => (FunctionAnswer::Absent, "it has no symbol, and nothing that was compiled names it".to_owned()),
    }
}

fn not_compiled(functions: &[&str]) -> Reach {
    let mut why = format!("nothing was compiled; it affects {}", functions[..functions.len().min(MAX_NAMED)].join(", "));
    if functions.len() > MAX_NAMED {
        why.push_str(&format!(" and {} more functions", functions.len() - MAX_NAMED));
    }
    let unknown =
        |function: &&str| FunctionReach { function: (*function).to_owned(), answer: FunctionAnswer::Unknown, why: String::new() };
    Reach::of_functions(functions.iter().map(unknown).collect(), why)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const PURL: &str = "pkg:cargo/lib@1.0.0";

    fn artifact(name: &str, kind: ArtifactKind) -> Artifact {
        Artifact {
            name: name.to_owned(),
            kind,
            package: String::new(),
            linked: Vec::new(),
            host: Vec::new(),
            dependencies: BTreeMap::new(),
            native: Vec::new(),
            file: None,
        }
    }

    fn asked() -> Asked {
        Asked { purl: PURL.to_owned(), function: "lib::f".to_owned() }
    }

    type Symbols = Result<Found, &'static str>;

    /// What is said of `lib::f`, linked into artifacts with these symbols.
    fn said(symbols: &[Symbols], sources: Result<Named, &str>, kind: ArtifactKind, has_others: bool) -> String {
        let artifacts: Vec<_> = (0..symbols.len()).map(|number| artifact(&format!("a{number}"), kind)).collect();
        let place = Place { linked: artifacts.iter().collect(), host: Vec::new() };
        let of_file = |symbols: &Symbols| match symbols {
            Ok(found) => Ok(BTreeMap::from([(asked(), found.clone())])),
            Err(why) => Err((*why).to_owned()),
        };
        let known = FunctionFacts {
            symbols: artifacts.iter().map(|artifact| artifact.name.clone()).zip(symbols.iter().map(of_file)).collect(),
            sources: sources.map(|named| BTreeMap::from([(asked(), named)])).map_err(str::to_owned),
        };
        let reach = compiled(&["lib::f"], &Looked { known: &known, place: &place, purls: &["other", PURL], has_others });
        reach.lines().join("\n").replace("reach: ", "")
    }

    fn one(symbol: Found, named: Named) -> String {
        said(&[Ok(symbol)], Ok(named), ArtifactKind::Bin, false).split_once("lib::f: ").unwrap().1.to_owned()
    }

    #[test]
    fn absent_needs_both_witnesses() {
        let plain = Named { definitions: 1, ..Named::default() };
        let named = Named { mention: Some("app 1.0.0, src/main.rs:2".to_owned()), ..plain.clone() };
        let method = Named { implicit: Some("it is a method of a trait"), ..plain.clone() };
        let symbol = |text: &str| text.to_owned();
        for (found, named, expected) in [
            (Found::Nothing, &plain, "it has no symbol, and nothing that was compiled names it"),
            (Found::Nothing, &named, "it has no symbol; it may have been inlined where it is named: app 1.0.0, src/main.rs:2"),
            (
                Found::Nothing,
                &method,
                "it has no symbol; it is a method of a trait, so that it may have been called and inlined unnamed",
            ),
            (Found::Nothing, &Named::default(), "it has no symbol; the sources of the crate define no function of that name"),
            (Found::Exact(symbol("lib::f")), &named, "`lib::f` is in a0"),
            (Found::Similar(symbol("lib::m::f")), &named, "it is in a0 as `lib::m::f`"),
            (Found::Similar(symbol("lib::m::f")), &Named { definitions: 2, ..named.clone() }, "`lib::m::f` in a0 may be it"),
            (Found::Plain(symbol("f")), &Named { is_foreign: true, ..Named::default() }, "`f` is in a0"),
            (Found::Plain(symbol("f")), &named, "`f` in a0 may be it"),
        ] {
            assert_eq!(one(found, named.clone()), expected);
        }
        let unread = said(&[Ok(Found::Nothing)], Err("src/lib.rs of x 1.0.0 cannot be read"), ArtifactKind::Bin, false);
        assert!(unread.contains("whether it was inlined is not known"), "{unread}");
    }

    #[test]
    fn every_artifact_counts() {
        let plain = || Ok(Named { definitions: 1, ..Named::default() });
        let exact = || Ok(Found::Exact("lib::f".to_owned()));
        for (symbols, kind, has_others, expected) in [
            (
                vec![Ok(Found::Nothing), Ok(Found::Nothing)],
                ArtifactKind::Bin,
                false,
                "function absent: none of the 1 function that it affects is in a0, a1",
            ),
            (
                vec![Ok(Found::Nothing), exact()],
                ArtifactKind::Bin,
                false,
                "function linked: of the 1 function that it affects 1 linked, 0 absent",
            ),
            (vec![Err("it was stripped"), exact()], ArtifactKind::Bin, false, "function linked: "),
            (
                vec![Ok(Found::Nothing), Err("it was stripped")],
                ArtifactKind::Bin,
                false,
                "unknown: of the 1 function that it affects nothing can be said",
            ),
            (vec![Ok(Found::Nothing)], ArtifactKind::Crate, false, "unknown: "),
            (vec![exact()], ArtifactKind::Bin, true, "unknown: "),
            (vec![Ok(Found::Nothing)], ArtifactKind::Bin, true, "function absent: "),
        ] {
            let said = said(&symbols, plain(), kind, has_others);
            assert!(said.starts_with(expected), "{symbols:?} {said}");
        }
    }
}
