//! Puts a [`Bom`] together: references to indices, bounds, and what contradicts itself. What every reader ends with.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use super::{Absence, Bom, Completeness, Dependencies, Error, Format, Kind, MAX_EDGES, MAX_PARTS, Part, Said, Scope, Traits};

impl Part {
    pub(super) fn new(kind: Kind, name: &str) -> Self {
        Self {
            reference: String::new(),
            parent: None,
            kind,
            type_word: String::new(),
            group: None,
            name: name.to_owned(),
            version: Said::default(),
            purls: Vec::new(),
            identifiers: Said::default(),
            hashes: Said::default(),
            licences: Said::default(),
            producers: Said::default(),
            scope: Scope::Included,
            dependencies: Dependencies { on: Vec::new(), is_stated: false, completeness: Completeness::Unstated },
            is_used: false,
            file_name: None,
            links: Vec::new(),
            distribution_hashes: Vec::new(),
            traits: Box::default(),
        }
    }
}

impl Part {
    /// Takes what our own documents, and BSI's taxonomy for CycloneDX, say in properties because the format has no field for it.
    pub(super) fn property(&mut self, name: &str, value: &str) {
        let stated = Absence::of(value);
        let absence = match name {
            "cargo-supplychain:hash" => &mut self.hashes.absence,
            "cargo-supplychain:version" => &mut self.version.absence,
            "cargo-supplychain:licence" => &mut self.licences.absence,
            "cargo-supplychain:producer" => &mut self.producers.absence,
            "cargo-supplychain:identifiers" => &mut self.identifiers.absence,
            "cargo-supplychain:file" | "bsi:component:filename" => {
                self.file_name = Some(value.to_owned()).filter(|name| !name.is_empty());
                return;
            }
            name => return self.traits.property(name, value),
        };
        *absence = absence.or(stated);
    }
}

impl Traits {
    pub(super) fn property(&mut self, name: &str, value: &str) {
        match name {
            "cargo-supplychain:features" => {
                let list = value.split(',').map(str::trim).filter(|one| !one.is_empty());
                self.features = Some(list.map(str::to_owned).collect());
            }
            "cargo-supplychain:origin" => self.is_local = matches!(value, "workspace" | "path" | "replaced"),
            "cargo-supplychain:build-script" if value == "true" => self.capabilities.push("build script".to_owned()),
            "cargo-supplychain:role" | "cargo-supplychain:also-role" if value == "proc-macro" => {
                self.capabilities.push("proc macro".to_owned());
            }
            "cargo-supplychain:links" => self.capabilities.push(format!("links {value}")),
            "cargo-supplychain:linkage" => self.capabilities.push(format!("native code, {value}")),
            "bsi:component:executable" => self.is_executable_said = true,
            "bsi:component:archive" => self.is_archive_said = true,
            "bsi:component:structured" => self.is_structured_said = true,
            _ => {}
        }
    }
}

/// The parts of a document while it is read.
pub(super) struct Builder {
    pub bom: Bom,
    /// Owned references, because parts move into the document.
    by_reference: HashMap<String, u32>,
    edges: usize,
    /// Edges to what only helps to build or test.
    helping: HashSet<(u32, u32)>,
    dangling: usize,
    first_dangling: Option<String>,
    circle: Option<String>,
}

impl Builder {
    pub(super) fn new(format: Format, format_version: &str) -> Self {
        let bom = Bom {
            format,
            format_version: format_version.to_owned(),
            serial: None,
            version: None,
            timestamp: None,
            authors: Said::default(),
            tools: Vec::new(),
            contexts: Said::default(),
            signature: None,
            subjects: Vec::new(),
            parts: Vec::new(),
            notes: Vec::new(),
        };
        Self {
            bom,
            by_reference: HashMap::new(),
            edges: 0,
            helping: HashSet::new(),
            dangling: 0,
            first_dangling: None,
            circle: None,
        }
    }

    /// Adds a part; two of one reference are an error, because then nobody knows which of them is meant.
    pub(super) fn add(&mut self, mut part: Part) -> Result<u32, Error> {
        let index = u32::try_from(self.bom.parts.len()).unwrap_or(u32::MAX);
        if self.bom.parts.len() >= MAX_PARTS {
            return Err(Error::whole(format!("it has more than {MAX_PARTS} parts")));
        }
        part.traits.capabilities.sort();
        part.traits.capabilities.dedup();
        part.is_used |= part.parent.is_some();
        if !part.reference.is_empty() {
            match self.by_reference.entry(part.reference.clone()) {
                Entry::Vacant(place) => drop(place.insert(index)),
                Entry::Occupied(place) => {
                    return Err(Error::at(format!("the reference {:?}", place.key()), "two parts have it"));
                }
            }
        }
        self.bom.parts.push(part);
        Ok(index)
    }

    pub(super) fn find(&self, reference: &str) -> Option<u32> {
        self.by_reference.get(reference).copied()
    }

    pub(super) fn part(&mut self, index: u32) -> Option<&mut Part> {
        self.bom.parts.get_mut(usize::try_from(index).ok()?)
    }

    /// Notes that a part has an entry of its own.
    pub(super) fn states(&mut self, from: u32) {
        if let Some(part) = self.part(from) {
            part.dependencies.is_stated = true;
        }
    }

    /// How complete the dependencies of a part are said to be.
    pub(super) fn completeness(&mut self, of: u32, completeness: Completeness) {
        if let Some(part) = self.part(of) {
            part.dependencies.completeness = completeness;
        }
    }

    /// An edge between references; one that leads to nothing listed is counted and told.
    pub(super) fn edge(&mut self, from: &str, to: &str) -> Result<(), Error> {
        match (self.find(from), self.find(to)) {
            (Some(from), Some(to)) => self.edge_between(from, to),
            (None, _) => self.dangles(from),
            (_, None) => self.dangles(to),
        }
    }

    /// An edge to what only helps to build or test what is at its start.
    pub(super) fn helping_edge(&mut self, from: &str, to: &str) -> Result<(), Error> {
        if let (Some(from), Some(to)) = (self.find(from), self.find(to)) {
            self.helping.insert((from, to));
        }
        self.edge(from, to)
    }

    pub(super) fn edge_between(&mut self, from: u32, to: u32) -> Result<(), Error> {
        self.edges += 1;
        if self.edges > MAX_EDGES {
            return Err(Error::whole(format!("it has more than {MAX_EDGES} edges")));
        }
        self.states(from);
        // A part that names itself says nothing.
        if from != to {
            if let Some(part) = self.part(from) {
                part.dependencies.on.push(to);
            }
            if let Some(part) = self.part(to) {
                part.is_used = true;
            }
        }
        Ok(())
    }

    pub(super) fn dangles(&mut self, reference: &str) -> Result<(), Error> {
        self.edges += 1;
        if self.edges > MAX_EDGES {
            return Err(Error::whole(format!("it has more than {MAX_EDGES} edges")));
        }
        self.dangling += 1;
        self.first_dangling.get_or_insert_with(|| reference.to_owned());
        Ok(())
    }

    /// Nests a part in another, where it is in none yet. Where containment is a relationship, documents contain in a circle, examples of the
    /// specification among them: what would close it is told and left out.
    pub(super) fn nest(&mut self, inner: u32, outer: u32) -> Result<(), Error> {
        let mut above = Some(outer);
        let mut steps = 0_usize;
        while let Some(one) = above {
            if one == inner || steps > super::json::MAX_DEPTH {
                let name = self.part(inner).map_or_else(String::new, |part| part.reference.clone());
                if one == inner {
                    self.circle.get_or_insert(name);
                    return Ok(());
                }
                return Err(Error::at(format!("the part {name:?}"), "it is nested too deeply"));
            }
            above = self.part(one).and_then(|part| part.parent);
            steps += 1;
        }
        if let Some(part) = self.part(inner) {
            part.is_used = true;
            part.parent.get_or_insert(outer);
        }
        Ok(())
    }

    /// The document, with its edges in order.
    pub(super) fn finish(mut self) -> Bom {
        for part in &mut self.bom.parts {
            part.dependencies.on.sort_unstable();
            part.dependencies.on.dedup();
        }
        self.exclude();
        if let Some(first) = &self.first_dangling {
            let note = format!("{} relations lead to nothing that is listed, the first to {first:?}", self.dangling);
            self.bom.notes.push(note);
        }
        if let Some(name) = &self.circle {
            self.bom.notes.push(format!("the part {name:?} contains itself"));
        }
        if let Some(cycle) = cycle(&self.bom.parts) {
            self.bom.notes.push(format!("the dependencies form a cycle through {cycle:?}"));
        }
        self.bom.subjects.sort_unstable();
        self.bom.subjects.dedup();
        self.bom
    }
}

impl Builder {
    /// What the subjects reach only by edges of help is not in them. What they do not reach at all stays as it is.
    fn exclude(&mut self) {
        if self.helping.is_empty() {
            return;
        }
        let needed = self.reached(|edge| !self.helping.contains(&edge));
        let all = self.reached(|_| true);
        for (part, (needed, reached)) in self.bom.parts.iter_mut().zip(needed.into_iter().zip(all)) {
            if reached && !needed {
                part.scope = Scope::Excluded;
            }
        }
    }

    /// Which parts are reached from the subjects by the edges that count.
    fn reached(&self, counts: impl Fn((u32, u32)) -> bool) -> Vec<bool> {
        let mut reached = vec![false; self.bom.parts.len()];
        let mut open: Vec<usize> = self.bom.subjects.clone();
        while let Some(at) = open.pop() {
            let Some(part) = self.bom.parts.get(at).filter(|_| !std::mem::replace(&mut reached[at], true)) else { continue };
            let from = u32::try_from(at).unwrap_or(u32::MAX);
            let next = part.dependencies.on.iter().filter(|to| counts((from, **to)));
            open.extend(next.filter_map(|to| usize::try_from(*to).ok()).filter(|to| !reached[*to]));
        }
        reached
    }
}

/// The name of a part that depends on itself by a way of edges, if one does. Without recursion: the way may be as long as the document.
fn cycle(parts: &[Part]) -> Option<&str> {
    #[derive(Clone, Copy, PartialEq)]
    enum State {
        New,
        OnTheWay,
        Done,
    }
    let mut states = vec![State::New; parts.len()];
    let index = |one: u32| usize::try_from(one).unwrap_or(usize::MAX);
    for start in 0..parts.len() {
        if states[start] != State::New {
            continue;
        }
        states[start] = State::OnTheWay;
        let mut way = vec![(start, 0_usize)];
        while let Some((at, next)) = way.last_mut() {
            let Some(to) = parts[*at].dependencies.on.get(*next).copied().map(index) else {
                states[*at] = State::Done;
                way.pop();
                continue;
            };
            *next += 1;
            match states.get(to) {
                Some(State::OnTheWay) => return Some(&parts[to].name),
                Some(State::New) => {
                    states[to] = State::OnTheWay;
                    way.push((to, 0));
                }
                _ => {}
            }
        }
    }
    None
}
