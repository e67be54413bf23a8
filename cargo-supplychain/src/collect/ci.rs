//! The CI run that we are part of, from variables that hold no secrets. They are the runner's word, not proof.

use std::collections::BTreeMap;

use crate::base::{Context, text};
use crate::model::CiRun;

/// Facts recorded where they are set, by provider.
const GITHUB: [&str; 15] = [
    "GITHUB_ACTOR_ID",
    "GITHUB_EVENT_NAME",
    "GITHUB_JOB",
    "GITHUB_REF",
    "GITHUB_REPOSITORY",
    "GITHUB_REPOSITORY_ID",
    "GITHUB_REPOSITORY_OWNER_ID",
    "GITHUB_RUN_ATTEMPT",
    "GITHUB_RUN_ID",
    "GITHUB_SERVER_URL",
    "GITHUB_SHA",
    "GITHUB_WORKFLOW_REF",
    "GITHUB_WORKFLOW_SHA",
    "RUNNER_ENVIRONMENT",
    "RUNNER_OS",
];
const GITLAB: [&str; 7] = [
    "CI_COMMIT_REF_NAME",
    "CI_COMMIT_SHA",
    "CI_JOB_ID",
    "CI_PIPELINE_ID",
    "CI_PIPELINE_SOURCE",
    "CI_PROJECT_ID",
    "CI_PROJECT_URL",
];
const BUILDKITE: [&str; 5] =
    ["BUILDKITE_BUILD_ID", "BUILDKITE_COMMIT", "BUILDKITE_JOB_ID", "BUILDKITE_PIPELINE_SLUG", "BUILDKITE_SOURCE"];
const CIRCLE: [&str; 4] = ["CIRCLE_BUILD_NUM", "CIRCLE_PROJECT_REPONAME", "CIRCLE_SHA1", "CIRCLE_WORKFLOW_ID"];

/// The run, when a CI system runs us.
#[must_use]
pub fn read(context: &Context) -> Option<CiRun> {
    if !context.in_ci() {
        return None;
    }
    let url = |name: &str| context.var(name).map(text::without_credentials);
    let (provider, run_url, names): (&str, Option<String>, &[&str]) = if context.var("GITHUB_ACTIONS").is_some() {
        let parts = ["GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID"].map(|name| context.var(name));
        let run = match parts {
            [Some(server), Some(repository), Some(run)] => {
                let attempt = context.var("GITHUB_RUN_ATTEMPT").map_or(String::new(), |attempt| format!("/attempts/{attempt}"));
                Some(format!("{}/{repository}/actions/runs/{run}{attempt}", text::without_credentials(server)))
            }
            _ => None,
        };
        ("github-actions", run, &GITHUB)
    } else if context.var("GITLAB_CI").is_some() {
        ("gitlab-ci", url("CI_JOB_URL"), &GITLAB)
    } else if context.var("BUILDKITE").is_some() {
        ("buildkite", url("BUILDKITE_BUILD_URL"), &BUILDKITE)
    } else if context.var("CIRCLECI").is_some() {
        ("circleci", url("CIRCLE_BUILD_URL"), &CIRCLE)
    } else {
        ("other", None, &[])
    };
    let facts: BTreeMap<_, _> =
        names.iter().filter_map(|name| Some(((*name).to_owned(), text::without_credentials(context.var(name)?)))).collect();
    Some(CiRun { provider: provider.to_owned(), run_url, facts })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Timestamp;

    fn context(variables: &[(&str, &str)]) -> Context {
        let stamp = Timestamp::from_unix(0).unwrap();
        Context {
            cwd: "/".into(),
            env: variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            now: stamp,
            now_is_given: false,
            stamp,
            offline: true,
            cache_dir: "/".into(),
        }
    }

    #[test]
    fn a_github_run_is_named_and_tokens_are_not() {
        let github = [
            ("CI", "true"),
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_SERVER_URL", "https://github.com"),
            ("GITHUB_REPOSITORY", "o/r"),
            ("GITHUB_RUN_ID", "7"),
            ("GITHUB_RUN_ATTEMPT", "2"),
            ("GITHUB_TOKEN", "ghs_secret"),
        ];
        let run = read(&context(&github)).unwrap();
        assert_eq!(run.run_url.as_deref(), Some("https://github.com/o/r/actions/runs/7/attempts/2"));
        assert!(!format!("{run:?}").contains("ghs_secret"));
        assert_eq!(read(&context(&[("CI", "false")])), None);
        assert_eq!(read(&context(&[("CI", "1")])).unwrap().provider, "other");
    }
}
