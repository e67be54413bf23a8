//! From YAML to a [`Workflow`]. What is not as GitHub wants it is left out: GitHub refuses such a file itself.

use std::fmt;

use super::yaml::{self, Node, Value};
use super::{Entry, Job, Permissions, Step, Text, Trigger, Workflow};
use crate::base::Location;

/// Why a file could not be read, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    pub location: Location,
    pub message: String,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.location, self.message)
    }
}

impl std::error::Error for Error {}

/// Reads a workflow, or the steps of a composite action. `path` is what people are shown.
pub fn parse(path: &str, text: &str) -> Result<Workflow, Error> {
    let root = yaml::parse(text).map_err(|error| Error {
        location: Location { file: path.to_owned(), line: error.line, column: error.column },
        message: error.message,
    })?;
    let permissions = root.get("permissions").and_then(|node| permissions(node));
    let mut jobs: Vec<_> = match root.get("jobs") {
        Some(jobs) => jobs.entries().map(|(id, node)| job(id, node, permissions.as_ref())).collect(),
        None => Vec::new(),
    };
    if let Some(runs) = root.get("runs").filter(|runs| runs.has("steps")) {
        jobs.push(job("runs", runs, None));
    }
    let lines: Vec<_> = text.lines().collect();
    for job in &mut jobs {
        for uses in job.steps.iter_mut().filter_map(|step| step.uses.as_mut()).chain(&mut job.uses) {
            uses.comment = comment(&lines, uses);
        }
    }
    Ok(Workflow {
        path: path.to_owned(),
        name: root.get("name").and_then(|name| name.text()).map(str::to_owned),
        triggers: root.get("on").map(|on| triggers(on)).unwrap_or_default(),
        env: entries(root.get("env").map(AsRef::as_ref)),
        jobs,
    })
}

fn triggers(on: &Node) -> Vec<Trigger> {
    let trigger = |event: &str, of_tags, line| Trigger { event: event.to_owned(), of_tags, line };
    match &on.value {
        Value::Scalar(event) => vec![trigger(event, false, on.line)],
        Value::List(events) => events.iter().filter_map(|event| Some(trigger(event.text()?, false, event.line))).collect(),
        Value::Map(_) => {
            let narrowed = |node: &Node| node.has("tags") && !node.has("branches");
            on.entries().map(|(event, node)| trigger(event, narrowed(node), node.line)).collect()
        }
    }
}

fn permissions(node: &Node) -> Option<Permissions> {
    match &node.value {
        Value::Scalar(word) if word == "write-all" => Some(Permissions::WriteAll),
        Value::Scalar(word) if word == "read-all" => Some(Permissions::ReadAll),
        Value::Map(_) => {
            let scopes = node.entries().filter_map(|(scope, level)| Some((scope.to_owned(), level.text()?.to_owned())));
            Some(Permissions::Scopes(scopes.collect()))
        }
        _ => None,
    }
}

fn job(id: &str, node: &Node, of_workflow: Option<&Permissions>) -> Job {
    let own = node.get("permissions").and_then(|node| permissions(node));
    Job {
        id: id.to_owned(),
        line: node.line,
        permissions: own.or_else(|| of_workflow.cloned()),
        env: entries(node.get("env").map(AsRef::as_ref)),
        outputs: entries(node.get("outputs").map(AsRef::as_ref)),
        condition: node.get("if").and_then(|condition| placed(condition)),
        uses: node.get("uses").and_then(|uses| placed(uses)),
        steps: node.get("steps").map(|steps| steps.items().iter().map(|one| step(one)).collect()).unwrap_or_default(),
    }
}

fn step(node: &Node) -> Step {
    Step {
        line: node.line,
        condition: node.get("if").and_then(|condition| placed(condition)),
        uses: node.get("uses").and_then(|uses| placed(uses)),
        run: node.get("run").and_then(|run| placed(run)),
        with: entries(node.get("with").map(AsRef::as_ref)),
        env: entries(node.get("env").map(AsRef::as_ref)),
    }
}

fn entries(node: Option<&Node>) -> Vec<Entry> {
    let Some(node) = node else { return Vec::new() };
    node.entries().filter_map(|(key, value)| Some(Entry { key: key.to_owned(), value: placed(value)? })).collect()
}

fn placed(node: &Node) -> Option<Text> {
    Some(Text { text: node.text()?.to_owned(), line: node.line, column: node.column, comment: None })
}

/// The comment behind a text that stands whole on its line.
fn comment(lines: &[&str], of: &Text) -> Option<String> {
    let line = lines.get(usize::try_from(of.line).ok()?.checked_sub(1)?)?;
    let (_, behind) = line.split_once(of.text.trim()).filter(|_| !of.text.trim().is_empty())?;
    let (_, comment) = behind.split_once(" #")?;
    Some(comment.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_workflow_is_read_with_its_lines() {
        let text = "\
name: Release
on:
  push:
    tags: ['v*']
  pull_request:
permissions: {contents: read}
env:
  A: b
jobs:
  build:
    permissions:
      id-token: write
    steps:
      - uses: 'actions/checkout@v4'  # what it was
        with: {ref: main}
      - run: |
          echo
        env: {X: '${{ github.head_ref }}'}
  call:
    uses: org/repo/.github/workflows/w.yml@v1
";
        let workflow = parse("w.yml", text).unwrap();
        let triggers: Vec<_> = workflow.triggers.iter().map(|one| (one.event.as_str(), one.of_tags)).collect();
        assert_eq!(triggers, [("push", true), ("pull_request", false)]);
        let build = &workflow.jobs[0];
        assert!(build.permissions.as_ref().unwrap().writes("id-token"));
        assert_eq!(build.steps[0].action(), Some("actions/checkout"));
        let comment = |uses: &Option<Text>| uses.as_ref().unwrap().comment.clone();
        assert_eq!(comment(&build.steps[0].uses).as_deref(), Some("what it was"));
        assert_eq!(comment(&workflow.jobs[1].uses), None);
        assert_eq!(build.steps[0].input("REF").unwrap().text, "main");
        assert_eq!(build.steps[1].run.as_ref().unwrap().line, 17);
        assert_eq!(workflow.jobs[1].uses.as_ref().unwrap().line, 20);
        assert!(!workflow.jobs[1].permissions.as_ref().unwrap().writes("contents"));
        let action = parse("action.yml", "runs:\n  using: composite\n  steps: [{run: x}]\n").unwrap();
        assert_eq!(action.jobs[0].steps.len(), 1);
        assert_eq!(parse("w.yml", "a: [").unwrap_err().location.line, 2);
    }
}
