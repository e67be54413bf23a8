//! CSAF 2.0 and 2.1: the profiles VEX and security advisory. The product tree may be large (a vendor lists every package of every product that
//! it sells): only what leads to a crate or library is kept.

use std::collections::{BTreeMap, BTreeSet};

use super::json::{Object, list, object, optional, required, text, time, words};
use super::{Error, Pattern, Product, Statement, VexDocument};
use crate::base::Timestamp;
use crate::finding::Status;

const PROFILES: [&str; 2] = ["csaf_vex", "csaf_security_advisory"];

/// The lists of `product_status`, and what they come to; `recommended` says nothing of the kind.
const GROUPS: [(&str, Status); 7] = [
    ("known_not_affected", Status::NotAffected),
    ("known_affected", Status::Affected),
    ("first_affected", Status::Affected),
    ("last_affected", Status::Affected),
    ("fixed", Status::Fixed),
    ("first_fixed", Status::Fixed),
    ("under_investigation", Status::UnderInvestigation),
];

/// How often a relation may lead to a relation.
const MAX_STEPS: usize = 8;

/// What product ids stand for.
#[derive(Default)]
struct Tree<'v> {
    names: BTreeMap<&'v str, &'v str>,
    /// Package URLs that can be compared.
    purls: BTreeMap<&'v str, Vec<Pattern>>,
    /// The component and the product that it is in, of products that are such a pair.
    pairs: BTreeMap<&'v str, (&'v str, &'v str)>,
    /// Lists of product ids.
    groups: BTreeMap<&'v str, Vec<&'v str>>,
}

pub(super) fn read(csaf: &Object) -> Result<VexDocument, Error> {
    let document = required(csaf, "document", object)?;
    let within = |error: Error| error.within("document");
    let version = required(document, "csaf_version", text).map_err(within)?;
    if !["2.0", "2.1"].contains(&version) {
        return Err(Error::new(format!("`{version}` is no version that is known: 2.0, 2.1"))
            .within("csaf_version")
            .within("document"));
    }
    let category = required(document, "category", text).map_err(within)?;
    if !PROFILES.contains(&category) {
        let what = format!("`{category}` states nothing of the kind: {} do", PROFILES.join(" and "));
        return Err(Error::new(what).within("category").within("document"));
    }
    let publisher = required(document, "publisher", object).map_err(within)?;
    let author = required(publisher, "name", words).map_err(|error| within(error.within("publisher")))?;
    let tracking = required(document, "tracking", object).map_err(within)?;
    let date = tracked(tracking).map_err(|error| within(error.within("tracking")))?;
    let tree = match optional(csaf, "product_tree", object)? {
        Some(tree) => Tree::read(tree).map_err(|error| error.within("product_tree"))?,
        None => Tree::default(),
    };
    let mut all =
        VexDocument { format: format!("CSAF {version}"), author, date: Some(date), statements: Vec::new(), left_out: 0 };
    for (statements, left_out) in list(csaf, "vulnerabilities", |value| vulnerability(object(value)?, &tree, date))? {
        all.statements.extend(statements);
        all.left_out += left_out;
    }
    Ok(all)
}

/// The date of the document, which is no draft.
fn tracked(tracking: &Object) -> Result<Timestamp, Error> {
    required(tracking, "status", |value| match text(value)? {
        "draft" => Err(Error::new("it is a draft, which states nothing yet")),
        _ => Ok(()),
    })?;
    required(tracking, "current_release_date", time)
}

impl<'v> Tree<'v> {
    fn read(of: &'v Object) -> Result<Self, Error> {
        let mut tree = Self::default();
        tree.branches(of, false)?;
        for product in list(of, "full_product_names", object)? {
            tree.product(product, false)?;
        }
        for relation in list(of, "relationships", object)? {
            let ends =
                (required(relation, "product_reference", text)?, required(relation, "relates_to_product_reference", text)?);
            let name = required(relation, "full_product_name", object)?;
            let id = tree.product(name, false)?;
            tree.pairs.insert(id, ends);
        }
        // CSAF 2.1 has paths in the place of relations: from a component on to what it is in.
        for path in list(of, "product_paths", object)? {
            let steps = list(path, "subpaths", |step| required(object(step)?, "next_product_reference", text))?;
            let start = required(path, "beginning_product_reference", text)?;
            let name = required(path, "full_product_name", object)?;
            let id = tree.product(name, false)?;
            tree.pairs.extend(steps.last().map(|end| (id, (start, *end))));
        }
        for group in list(of, "product_groups", object)? {
            tree.groups.insert(required(group, "group_id", text)?, list(group, "product_ids", text)?);
        }
        Ok(tree)
    }

    /// `is_range`: below a range of versions, where a package URL without a version would mean all.
    fn branches(&mut self, of: &'v Object, is_range: bool) -> Result<(), Error> {
        for branch in list(of, "branches", object)? {
            let within = |error: Error| error.within("branches");
            let is_range = is_range || required(branch, "category", text).map_err(within)? == "product_version_range";
            if let Some(product) = optional(branch, "product", object).map_err(within)? {
                self.product(product, is_range).map_err(|error| within(error.within("product")))?;
            }
            self.branches(branch, is_range).map_err(within)?;
        }
        Ok(())
    }

    fn product(&mut self, product: &'v Object, is_range: bool) -> Result<&'v str, Error> {
        let id = required(product, "product_id", text)?;
        if self.names.insert(id, required(product, "name", text)?).is_some() {
            return Err(Error::new(format!("the product id `{id}` is given twice")));
        }
        if let Some(helper) = optional(product, "product_identification_helper", object)? {
            let of_helper = optional(helper, "purl", text)?.into_iter().chain(list(helper, "purls", text)?);
            let purls = of_helper.filter_map(Pattern::of).filter(|purl| !is_range || purl.has_version());
            self.purls.insert(id, purls.collect());
        }
        Ok(id)
    }

    fn purls(&self, id: &str) -> &[Pattern] {
        self.purls.get(id).map_or(&[], Vec::as_slice)
    }

    /// What a product id is about: components, and the product that they are in.
    fn about(&self, id: &str) -> (&[Pattern], Option<Product>) {
        let Some((mut component, product)) = self.pairs.get(id).copied() else { return (self.purls(id), None) };
        // Of a component in a component in a product the innermost is meant.
        for _ in 0..MAX_STEPS {
            let Some((inner, _)) = self.pairs.get(component) else { break };
            component = inner;
        }
        let mut outermost = product;
        for _ in 0..MAX_STEPS {
            let Some((_, outer)) = self.pairs.get(outermost) else { break };
            outermost = outer;
        }
        let name = self.names.get(outermost).copied().unwrap_or(outermost).to_owned();
        (self.purls(component), Some(Product { name, purls: self.purls(outermost).to_vec() }))
    }

    /// The ids that an entry lists, groups resolved.
    fn listed(&self, of: &'v Object) -> Result<BTreeSet<&'v str>, Error>
    where
        Self: 'v,
    {
        let mut ids: BTreeSet<&str> = list(of, "product_ids", text)?.into_iter().collect();
        for group in list(of, "group_ids", text)? {
            ids.extend(self.groups.get(group).into_iter().flatten());
        }
        Ok(ids)
    }
}

/// What is said of product ids: a word or text by id, the first where there are several.
fn by_product<'v>(
    of: &'v Object,
    key: &str,
    tree: &Tree<'v>,
    read: impl Fn(&'v Object) -> Result<Option<String>, Error>,
) -> Result<BTreeMap<&'v str, String>, Error> {
    let mut said = BTreeMap::new();
    for (ids, text) in list(of, key, |value| Ok((tree.listed(object(value)?)?, read(object(value)?)?)))? {
        let Some(text) = text else { continue };
        for id in ids {
            said.entry(id).or_insert_with(|| text.clone());
        }
    }
    Ok(said)
}

/// What is stated, and of how many products that cannot be compared.
fn vulnerability<'v>(of: &'v Object, tree: &Tree<'v>, date: Timestamp) -> Result<(Vec<Statement>, usize), Error> {
    let mut ids: Vec<String> = optional(of, "cve", text)?.map(str::to_owned).into_iter().collect();
    ids.extend(list(of, "ids", |value| required(object(value)?, "text", text))?.into_iter().map(str::to_owned));
    let flags = by_product(of, "flags", tree, |flag| required(flag, "label", words).map(Some))?;
    let impacts = by_product(of, "threats", tree, |threat| match required(threat, "category", text)? {
        "impact" => required(threat, "details", words).map(Some),
        _ => Ok(None),
    })?;
    let remedies = by_product(of, "remediations", tree, |remedy| optional(remedy, "details", words))?;
    let (mut statements, mut left_out) = (Vec::new(), 0);
    let Some(states) = optional(of, "product_status", object)? else { return Ok((statements, 0)) };
    for (key, status) in GROUPS {
        for id in list(states, key, text).map_err(|error| error.within("product_status"))? {
            let (components, product) = tree.about(id);
            left_out += usize::from(components.is_empty());
            statements.extend(components.iter().map(|component| Statement {
                ids: ids.clone(),
                status,
                justification: flags.get(id).cloned(),
                reason: impacts.get(id).cloned(),
                action: remedies.get(id).cloned(),
                date: Some(date),
                component: component.clone(),
                product: product.clone(),
            }));
        }
    }
    Ok((statements, left_out))
}
