//! What somebody has decided about a vulnerability (VEX): `[[vex]]` of the policy, and documents of others that whoever runs this has named. A
//! decision stands with the finding that it is about; one that says that nothing is to be done (`not_affected`, `fixed`) exempts it, as an
//! exemption does. An expired one does neither. The project's own outranks those of others, and others exempt only where all of them do.

use super::natives::{Native, natives};
use super::{Advisories, Facts, Level, Scope, level_of, leveled, rules};
use crate::config::VexDecision;
use crate::finding::{Area, Decision, Exempted, Finding, ReportInput, Status};
use crate::vex::{Pattern, Source, Statement};

pub(super) fn apply(facts: &Facts<'_>, scope: &Scope, input: ReportInput) -> ReportInput {
    let own = &facts.settings.vex;
    if own.is_empty() && facts.sources.vex.is_empty() {
        return input;
    }
    let natives = natives(facts);
    let mut used = vec![false; own.len()];
    let mut output = ReportInput { findings: Vec::new(), ..input };
    for mut finding in input.findings {
        let mut applying: Vec<&VexDecision> = Vec::new();
        for (decision, used) in own.iter().zip(&mut used) {
            if is_about(decision, &finding, &natives) {
                *used = true;
                applying.extend(decision.is_in_force(facts.now).then_some(decision));
            }
        }
        // The newest counts; of one day the one that exempts nothing.
        applying.sort_by_key(|decision| (std::cmp::Reverse(decision.date), decision.status.exempts()));
        let mut decisions: Vec<_> = applying.iter().map(|decision| decision.decision()).collect();
        let of_others: Vec<_> = facts.sources.vex.iter().flat_map(|source| stated(facts, source, &finding, &natives)).collect();
        let exempting = match decisions.first() {
            Some(own) => exemption(own),
            None if of_others.iter().all(|one| one.status.exempts()) => of_others.first().and_then(exemption),
            None => None,
        };
        decisions.extend(of_others);
        finding.evidence.extend(decisions.iter().map(Decision::line));
        finding.decisions = decisions;
        match exempting {
            Some((reason, expires)) => output.exempted.push(Exempted { finding, reason, expires }),
            None => output.findings.push(finding),
        }
    }
    output.findings.extend(unused(facts, scope, &used));
    output
}

/// Reason and end, where the decision exempts.
fn exemption(decision: &Decision) -> Option<(String, Option<crate::base::Timestamp>)> {
    decision.status.exempts().then(|| (decision.line(), decision.expires))
}

/// What a document says of the finding: of several statements the newest, or those of one time.
fn stated(facts: &Facts<'_>, source: &Source, finding: &Finding, natives: &[Native<'_>]) -> Vec<Decision> {
    let applies = |said: &&Statement| is_stated_about(facts, said, finding, natives);
    let said: Vec<&Statement> = source.document.statements.iter().filter(applies).collect();
    let newest = said.iter().map(|said| said.date).max();
    let decision = |said: &Statement| Decision {
        status: said.status,
        justification: said.justification.clone(),
        reason: said.reason.clone(),
        action: said.action.clone(),
        author: source.document.author.clone(),
        date: said.date,
        expires: None,
        source: source.file.clone(),
        product: said.product.as_ref().map(|product| product.name.clone()),
    };
    let mut decisions: Vec<_> = said.into_iter().filter(|said| Some(said.date) == newest).map(decision).collect();
    decisions.dedup();
    decisions
}

/// By an id, by the component, and by the product: one that is spoken of has to be a package of this workspace.
fn is_stated_about(facts: &Facts<'_>, said: &Statement, finding: &Finding, natives: &[Native<'_>]) -> bool {
    let Some(subject) = &finding.subject else { return false };
    let is_component = || {
        said.component.is_crate(&subject.name, &subject.version)
            || of_crate(natives, finding).any(|native| said.component.is_library(native.part.name, native.version()))
    };
    let is_ours = |purl: &Pattern| {
        let locked = facts.lock.lockfile().map_or(&[][..], |lockfile| &lockfile.packages);
        let mut own = locked.iter().filter(|package| package.source.is_none());
        own.any(|package| purl.is_crate(&package.name, &package.version.to_string()))
    };
    said.ids.iter().any(|id| finding.ids.contains(id))
        && is_component()
        && said.product.as_ref().is_none_or(|product| product.purls.iter().any(is_ours))
}

/// The libraries that the crate of a finding brings along: those of the same package, by its line. Of an archive one version of a crate may be there
/// several times, each with another version of the library.
fn of_crate<'n, 'f>(natives: &'n [Native<'f>], finding: &'n Finding) -> impl Iterator<Item = &'n Native<'f>> {
    let at = |native: &Native<'_>| finding.locations.iter().any(|place| place.line == native.package.line);
    let is_subject = |native: &Native<'_>| {
        finding
            .subject
            .as_ref()
            .is_some_and(|subject| native.package.name == subject.name && native.package.version.to_string() == subject.version)
    };
    natives.iter().filter(move |native| is_subject(native) && at(native))
}

/// By an id of the advisory, and by the crate or by a library that the crate brings along.
fn is_about(decision: &VexDecision, finding: &Finding, natives: &[Native<'_>]) -> bool {
    let Some(subject) = &finding.subject else { return false };
    if !decision.ids().any(|id| finding.ids.iter().any(|known| known == id)) {
        return false;
    }
    decision.component.is_crate(&subject.name, &subject.version)
        || of_crate(natives, finding).any(|native| decision.component.is_library(native.part.name, native.version()))
}

fn unused(facts: &Facts<'_>, scope: &Scope, used: &[bool]) -> Vec<Finding> {
    let rule = &rules::policy_vex_unused::RULE;
    let is_judged = scope.includes(Area::Advisories) && matches!(facts.advisories, Advisories::Loaded { .. });
    if level_of(facts, rule) == Some(Level::Off) || !is_judged {
        return Vec::new();
    }
    let own = facts.settings.vex.iter().zip(used).filter(|(decision, used)| !**used && could_be_used(facts, decision));
    own.map(|(decision, _)| leveled(facts, rule, rules::policy_vex_unused::finding(decision))).collect()
}

/// What is fixed is no finding any more: such a statement has its use as long as its component is locked. Expired decisions, and those whose
/// id names nothing, have findings of their own.
fn could_be_used(facts: &Facts<'_>, decision: &VexDecision) -> bool {
    let is_locked = || {
        let locked = facts.lock.lockfile().map_or(&[][..], |lockfile| &lockfile.packages);
        locked.iter().any(|package| decision.component.is_crate(&package.name, &package.version.to_string()))
            || natives(facts).iter().any(|native| decision.component.is_library(native.part.name, native.version()))
    };
    decision.is_in_force(facts.now)
        && super::exemptions::names(&decision.id) == super::exemptions::Names::Advisory
        && !(decision.status == Status::Fixed && is_locked())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisory::Kind;
    use crate::check::case::{Case, advisory, lock_with_lib};
    use crate::check::check;

    fn entry(component: &str, id: &str, rest: &str) -> String {
        format!(
            "[[vex]]\nid = \"{id}\"\n{component}\nreason = \"r\"\nauthor = \"a\"\ndate = 2026-11-01\nexpires = 2027-01-01\n{rest}\n"
        )
    }

    fn shown(policy: &str, version: &str) -> Vec<String> {
        let case = Case::new().lock(&lock_with_lib(version)).advisory(advisory(Kind::Vulnerability)).policy(policy);
        let input = case.with(|facts| check(facts, &Scope::default()));
        let found = input.findings.iter().filter(|finding| finding.id != "toolchain/unpinned");
        let found = found.map(|finding| format!("{} {}", finding.id, finding.decisions.len()));
        found.chain(input.exempted.iter().map(|one| format!("exempted {}: {}", one.finding.id, one.reason))).collect()
    }

    #[test]
    fn two_of_the_statuses_exempt_and_two_only_say_where_things_stand() {
        const ID: &str = "RUSTSEC-2026-0001";
        let lib = "package = \"lib\"\nversion = \"^1\"";
        for (component, id, rest, version, expected) in [
            (
                lib,
                ID,
                "status = \"not_affected\"",
                "1.0.0",
                &["exempted advisory/vulnerability: VEX: not_affected, by a on 2026-11-01, supplychain.toml:1: r"][..],
            ),
            (
                lib,
                "CVE-2026-1000",
                "status = \"fixed\"",
                "1.0.0",
                &["exempted advisory/vulnerability: VEX: fixed, by a on 2026-11-01, supplychain.toml:1: r"],
            ),
            (
                lib,
                "GHSA-x",
                "aliases = [\"CVE-2026-1000\"]\nstatus = \"fixed\"",
                "1.0.0",
                &["exempted advisory/vulnerability: VEX: fixed, by a on 2026-11-01, supplychain.toml:1: r"],
            ),
            (
                "purl = \"pkg:cargo/lib@1.0.0\"",
                ID,
                "status = \"fixed\"",
                "1.0.0",
                &["exempted advisory/vulnerability: VEX: fixed, by a on 2026-11-01, supplychain.toml:1: r"],
            ),
            (lib, ID, "status = \"under_investigation\"", "1.0.0", &["advisory/vulnerability 1"]),
            (lib, ID, "status = \"affected\"\naction = \"wait\"", "1.0.0", &["advisory/vulnerability 1"]),
            // Another component, another vulnerability.
            (
                "package = \"lib\"\nversion = \"^2\"",
                ID,
                "status = \"fixed\"",
                "1.0.0",
                &["advisory/vulnerability 0", "policy/vex-unused 0"],
            ),
            (
                "purl = \"pkg:generic/lib\"",
                ID,
                "status = \"not_affected\"",
                "1.0.0",
                &["advisory/vulnerability 0", "policy/vex-unused 0"],
            ),
            (lib, "CVE-2026-1001", "status = \"not_affected\"", "1.0.0", &["advisory/vulnerability 0", "policy/vex-unused 0"]),
            // What is fixed is locked, and no finding.
            (lib, ID, "status = \"fixed\"", "1.2.0", &[]),
            (lib, ID, "status = \"not_affected\"", "1.2.0", &["policy/vex-unused 0"]),
        ] {
            assert_eq!(shown(&entry(component, id, rest), version), expected, "{component} {id} {rest} {version}");
        }
    }

    #[test]
    fn the_newest_decision_counts_and_an_expired_one_does_not() {
        let entry = |status: &str, date: &str, expires: &str| {
            format!(
                "[[vex]]\nid = \"CVE-2026-1000\"\npackage = \"lib\"\nstatus = \"{status}\"\nreason = \"r\"\nauthor = \"a\"\ndate = {date}\nexpires = {expires}\n"
            )
        };
        let (safe, open) =
            (entry("not_affected", "2026-11-01", "2027-01-01"), entry("under_investigation", "2026-11-02", "2027-01-01"));
        assert_eq!(shown(&(safe.clone() + &open), "1.0.0"), ["advisory/vulnerability 2"]);
        let newer = entry("not_affected", "2026-11-03", "2027-01-01");
        assert_eq!(shown(&(open.clone() + &newer), "1.0.0").len(), 1);
        assert!(shown(&(open + &newer), "1.0.0")[0].starts_with("exempted"));
        let same_day = safe + &entry("under_investigation", "2026-11-01", "2027-01-01");
        assert_eq!(shown(&same_day, "1.0.0"), ["advisory/vulnerability 2"]);
        // The case is of 2026-11-23.
        assert_eq!(
            shown(&entry("not_affected", "2026-11-01", "2026-11-23"), "1.0.0"),
            ["advisory/vulnerability 0", "policy/vex-expired 0"]
        );
    }

    /// A statement of others about `lib`.
    fn stated(status: Status, date: &str, component: &str, product: Option<&str>) -> Statement {
        Statement {
            ids: vec!["CVE-2026-1000".into()],
            status,
            justification: None,
            reason: None,
            action: None,
            date: date.parse().ok(),
            component: Pattern::of(component).unwrap(),
            product: product
                .map(|purl| crate::vex::Product { name: purl.into(), purls: Pattern::of(purl).into_iter().collect() }),
        }
    }

    fn with_others(policy: &str, documents: Vec<Vec<Statement>>) -> String {
        let lock = lock_with_lib("1.0.0") + "\n[[package]]\nname = \"app\"\nversion = \"0.1.0\"\n";
        let mut case = Case::new().lock(&lock).advisory(advisory(Kind::Vulnerability)).policy(policy);
        case.sources.vex = (documents.into_iter().enumerate())
            .map(|(number, statements)| Source {
                file: format!("{number}.json"),
                sha256: crate::base::Sha256::of(b""),
                document: crate::vex::VexDocument {
                    format: "OpenVEX 0.2.0".into(),
                    author: "others".into(),
                    date: None,
                    statements,
                    left_out: 0,
                },
            })
            .collect();
        let input = case.with(|facts| check(facts, &Scope::default()));
        match (&input.exempted[..], input.findings.iter().find(|one| one.id == "advisory/vulnerability")) {
            ([one], None) => format!("exempted: {}", one.reason),
            ([], Some(finding)) => format!("stays, {} said", finding.decisions.len()),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn others_count_where_they_speak_of_what_is_here_and_agree() {
        use Status::{Affected, Fixed, NotAffected, UnderInvestigation};
        let lib = "pkg:cargo/lib@1.0.0";
        let one = |status, date, component, product| vec![stated(status, date, component, product)];
        for (documents, expected) in [
            (vec![one(NotAffected, "2026-11-01", lib, None)], "exempted: VEX: not_affected, by others on 2026-11-01, 0.json"),
            (
                vec![one(Fixed, "2026-11-01", "pkg:cargo/lib", Some("pkg:cargo/app@0.1.0"))],
                "exempted: VEX: fixed of pkg:cargo/app@0.1.0, by others on 2026-11-01, 0.json",
            ),
            // Another version, library, product; a product that cannot be compared.
            (vec![one(NotAffected, "2026-11-01", "pkg:cargo/lib@1.0.1", None)], "stays, 0 said"),
            (vec![one(NotAffected, "2026-11-01", "pkg:generic/lib@1.0.0", None)], "stays, 0 said"),
            (vec![one(NotAffected, "2026-11-01", lib, Some("pkg:cargo/app@0.2.0"))], "stays, 0 said"),
            (vec![one(NotAffected, "2026-11-01", lib, Some("pkg:cargo/lib@1.0.0"))], "stays, 0 said"),
            (vec![one(NotAffected, "2026-11-01", lib, Some("pkg:oci/image"))], "stays, 0 said"),
            (vec![one(Affected, "2026-11-01", lib, None)], "stays, 1 said"),
            // Of one document the newest counts; documents have to agree.
            (
                vec![vec![stated(UnderInvestigation, "2026-10-01", lib, None), stated(NotAffected, "2026-11-01", lib, None)]],
                "exempted: VEX: not_affected, by others on 2026-11-01, 0.json",
            ),
            (vec![one(NotAffected, "2026-11-01", lib, None), one(Affected, "2026-10-01", lib, None)], "stays, 2 said"),
        ] {
            assert_eq!(with_others("", documents.clone()), expected, "{documents:?}");
        }
    }

    #[test]
    fn the_projects_own_decision_outranks_others() {
        let own = |status: &str| entry("package = \"lib\"", "CVE-2026-1000", &format!("status = \"{status}\""));
        let says = |status| vec![vec![stated(status, "2026-11-20", "pkg:cargo/lib@1.0.0", None)]];
        assert_eq!(with_others(&own("under_investigation"), says(Status::NotAffected)), "stays, 2 said");
        assert!(with_others(&own("not_affected"), says(Status::Affected)).starts_with("exempted: VEX: not_affected, by a"));
    }
}
