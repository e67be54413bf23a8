//! `licence/denied`: a package of the build offers no licence that the policy accepts.

use crate::base::text;
use crate::check::licensed::{self, Licensed};
use crate::check::{Facts, Rule};
use crate::finding::{Area, Finding, Severity};
use crate::model::licence::{Declared, Term};

pub(super) static RULE: Rule = Rule {
    id: "licence/denied",
    severity: Severity::High,
    area: Area::Licences,
    summary: "a package of the build offers no licence that the policy accepts",
    docs: "\
`[licences] allow` lists what is accepted; `deny` what is not, whatever is allowed. Of an `OR` one side has to be accepted, of an
`AND` all of them. Without either list nothing is judged. A package that declares something other than an SPDX expression (or only a
`license-file`) cannot be judged and is reported: unknown is not a pass. Only what takes part in the build counts, own packages do not.
These are *declared* licences: nobody read the files.

`GPL-3.0-or-later` in `allow` does not accept `GPL-3.0-only`, which offers less; `GPL-3.0-only` accepts both. `GPL-3.0` in `deny`
means all its forms.

**Behind it:** not an attack, but what stops a release late: a licence that came with an update of a dependency.

```toml
[licences]
allow = [\"MIT\", \"Apache-2.0\"]      # a dependency under `GPL-3.0-only` is found
```

**What to do:** replace the package, or accept the licence for just this one:

```toml
[licences]
exceptions = [{ package = \"ring\", version = \"^0.17\", allow = [\"ISC\"], reason = \"looked at by the legal department\" }]
clarify = [{ package = \"old\", version = \"=1.0.0\", expression = \"MIT\", reason = \"see its LICENSE file\" }]
```
",
    options: &[],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    if !facts.settings.licences.is_asked_for() {
        return Vec::new();
    }
    licensed::packages(facts).iter().filter_map(|package| finding(facts, package)).collect()
}

fn finding(facts: &Facts<'_>, package: &Licensed<'_>) -> Option<Finding> {
    let component = package.component;
    let (name, version) = (&component.name, &component.version);
    let unclear = |declared: String| {
        let message = format!("{name} {version} declares {declared}, not an SPDX expression");
        let entry = format!("{{ package = \"{name}\", version = \"={version}\", expression = \"…\", reason = \"…\" }}");
        let help = format!("look at its licence and clarify it: add {entry} to `[licences] clarify`");
        Some(package.finding(RULE.id, RULE.severity, message).help(help))
    };
    match &package.declared {
        // `licence/missing` has it.
        Declared::Missing => return None,
        Declared::Unparsed(written) => return unclear(format!("`{}`", text::one_line(written))),
        Declared::File(file) => return unclear(format!("the file {}", text::plain(file))),
        Declared::Expression { .. } => {}
    }
    let expression = package.expression()?;
    if expression.holds(|term| is_accepted(facts, package, term)) {
        return None;
    }
    let refused: Vec<_> =
        expression.terms().into_iter().filter(|term| !is_accepted(facts, package, term)).map(|term| term.to_string()).collect();
    let message = format!("{name} {version} is under {}, which the policy does not accept", expression.text);
    let entry =
        format!("{{ package = \"{name}\", version = \"={version}\", allow = [\"{}\"], reason = \"…\" }}", refused.join("\", \""));
    let finding = package.finding(RULE.id, RULE.severity, message).because(format!("not accepted: {}", refused.join(", ")));
    Some(finding.help(format!("replace it, or accept that: add {entry} to `[licences] exceptions`")))
}

fn is_accepted(facts: &Facts<'_>, package: &Licensed<'_>, term: &Term) -> bool {
    let policy = &facts.settings.licences;
    let mut exceptions = policy.exceptions.iter().filter(|exception| {
        exception.package == package.component.name && licensed::is_version(exception.version.as_ref(), package.component)
    });
    if exceptions.any(|exception| exception.allow.iter().any(|allowed| allowed.accepts(term))) {
        return true;
    }
    !policy.deny.iter().any(|denied| denied.denies(term))
        && (policy.allow.is_empty() || policy.allow.iter().any(|allowed| allowed.accepts(term)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::licensed::fixture;
    use crate::model::Role;

    fn says(license: &str, policy: &str) -> Vec<String> {
        fixture::case("Proprietary", &[("lib", "1.2.0", Some(license), Some(Role::Runtime))]).policy(policy).run(&RULE)
    }

    #[test]
    fn expressions_against_lists() {
        let allow = "[licences]\nallow = ['MIT', 'Apache-2.0', 'GPL-3.0-or-later', 'Apache-2.0 WITH LLVM-exception']\n";
        let deny = "[licences]\ndeny = ['AGPL-3.0']\n";
        let both = "[licences]\nallow = ['MIT', 'AGPL-3.0-only']\ndeny = ['AGPL-3.0']\n";
        let exception = "[licences]\nallow = ['MIT']\nexceptions = [{ package = 'lib', version = '^1.2', allow = ['ISC'] }]\n";
        let other = "[licences]\nallow = ['MIT']\nexceptions = [{ package = 'lib', version = '^1.3', allow = ['ISC'] }]\n";
        let clarified = "[licences]\nallow = ['MIT']\nclarify = [{ package = 'lib', expression = 'MIT' }]\n";
        for (license, policy, fires) in [
            ("GPL-2.0-only", "", false),
            ("MIT", allow, false),
            ("MIT/Apache-2.0", allow, false),
            ("MIT OR GPL-2.0-only", allow, false),
            ("MIT AND ISC", allow, true),
            ("(MIT OR Apache-2.0) AND Unicode-3.0", allow, true),
            ("GPL-3.0-or-later", allow, false),
            ("LGPL-3.0-or-later OR MPL-2.0", allow, true),
            ("GPL-2.0-or-later", allow, false),
            ("GPL-3.0-only", allow, true),
            ("Apache-2.0 WITH LLVM-exception", allow, false),
            ("LicenseRef-Own", allow, true),
            ("non-standard", allow, true),
            ("AGPL-3.0-or-later", deny, true),
            ("AGPL-3.0-only OR MIT", deny, false),
            ("AGPL-3.0-only AND MIT", deny, true),
            ("GPL-3.0-only", deny, false),
            ("non-standard", deny, true),
            ("AGPL-3.0-only", both, true),
            ("MIT AND ISC", exception, false),
            ("MIT AND ISC", other, true),
            ("non-standard", clarified, false),
        ] {
            assert_eq!(!says(license, policy).is_empty(), fires, "{license} {policy}");
        }
        assert_eq!(
            says("MIT/ISC", "[licences]\nallow = ['Zlib']\n"),
            ["high Cargo.lock:3: lib 1.2.0 is under MIT OR ISC, which the policy does not accept"]
        );
        assert_eq!(says("own", allow), ["high Cargo.lock:3: lib 1.2.0 declares `own`, not an SPDX expression"]);
    }

    #[test]
    fn only_packages_of_others_that_take_part() {
        let policy = "[licences]\nallow = ['MIT']\n";
        let packages = [
            ("built", "1.0.0", Some("GPL-3.0-only"), Some(Role::Build)),
            ("macro", "1.0.0", Some("GPL-3.0-only"), Some(Role::ProcMacro)),
            ("not-built", "1.0.0", Some("GPL-3.0-only"), None),
        ];
        let case = fixture::case("GPL-3.0-only", &packages).policy(policy);
        let names: Vec<_> = case.findings(&RULE).into_iter().filter_map(|finding| Some(finding.subject?.name)).collect();
        assert_eq!(names, ["built", "macro"]);
        let mut case = fixture::case("MIT", &[("lib", "1.0.0", None, Some(Role::Runtime))]).policy(policy);
        assert!(case.run(&RULE).is_empty(), "without a licence it is `licence/missing`");
        let build = case.build.as_mut().unwrap();
        build.components.get_mut("pkg:cargo/lib@1.0.0").unwrap().license_file = Some("LICENSE\u{1b}".into());
        let says = "high Cargo.lock:3: lib 1.0.0 declares the file LICENSE\\u{1b}, not an SPDX expression";
        assert_eq!(case.run(&RULE), [says]);
    }
}
