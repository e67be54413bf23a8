//! What the user selected to be built: the arguments of `cargo build` that decide packages, targets and features.

use serde::Serialize;

/// A selection, as `cargo build` reads its arguments.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Selection {
    /// `-p` specs: names, `name@version`, package id specs, or patterns with `*`, `?`, `[…]`.
    pub packages: Vec<String>,
    pub workspace: bool,
    pub exclude: Vec<String>,
    pub lib: bool,
    pub bins: bool,
    pub examples: bool,
    pub tests: bool,
    pub benches: bool,
    pub all_targets: bool,
    pub bin: Vec<String>,
    pub example: Vec<String>,
    pub test: Vec<String>,
    pub bench: Vec<String>,
    /// Split at commas and blanks already.
    pub features: Vec<String>,
    pub all_features: bool,
    pub no_default_features: bool,
    /// The profile's name.
    pub profile: String,
    /// An explicit `--target`.
    pub target: Option<String>,
}

impl Selection {
    /// Whether any target was named, so that cargo's default (library and binaries) does not apply.
    #[must_use]
    pub fn names_targets(&self) -> bool {
        self.lib || self.bins || self.all_targets || self.dev_units() || !self.bin.is_empty() || !self.example.is_empty()
    }

    /// Whether units with dev-dependencies are built: tests, benches, examples (docs/accuracy.md, correction 3).
    #[must_use]
    pub fn dev_units(&self) -> bool {
        self.all_targets
            || self.examples
            || self.tests
            || self.benches
            || !self.example.is_empty()
            || !self.test.is_empty()
            || !self.bench.is_empty()
    }

    /// Reads back what [`Selection::to_arguments`] has written, as a provenance records it: the selection, the keys of `--config`
    /// arguments, and what else was passed to cargo.
    #[must_use]
    pub fn from_arguments(arguments: &[String]) -> (Self, Vec<String>, Vec<String>) {
        let mut selection = Self::default();
        let (mut config, mut passed) = (Vec::new(), Vec::new());
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            let mut value = || rest.next().cloned().unwrap_or_default();
            match argument.as_str() {
                "--workspace" => selection.workspace = true,
                "--lib" => selection.lib = true,
                "--bins" => selection.bins = true,
                "--examples" => selection.examples = true,
                "--tests" => selection.tests = true,
                "--benches" => selection.benches = true,
                "--all-targets" => selection.all_targets = true,
                "--all-features" => selection.all_features = true,
                "--no-default-features" => selection.no_default_features = true,
                "--package" => selection.packages.push(value()),
                "--exclude" => selection.exclude.push(value()),
                "--bin" => selection.bin.push(value()),
                "--example" => selection.example.push(value()),
                "--test" => selection.test.push(value()),
                "--bench" => selection.bench.push(value()),
                "--features" => selection.features.extend(value().split(',').map(str::to_owned)),
                "--profile" => selection.profile = value(),
                "--target" => selection.target = Some(value()),
                "--config" => config.push(value()),
                other => passed.push(other.to_owned()),
            }
        }
        (selection, config, passed)
    }

    /// The arguments after `cargo build`.
    #[must_use]
    pub fn to_arguments(&self) -> Vec<String> {
        let mut arguments = Vec::new();
        let mut flag = |on: bool, name: &str| {
            if on {
                arguments.push(name.to_owned());
            }
        };
        flag(self.workspace, "--workspace");
        flag(self.lib, "--lib");
        flag(self.bins, "--bins");
        flag(self.examples, "--examples");
        flag(self.tests, "--tests");
        flag(self.benches, "--benches");
        flag(self.all_targets, "--all-targets");
        flag(self.all_features, "--all-features");
        flag(self.no_default_features, "--no-default-features");
        let lists = [
            ("--package", &self.packages),
            ("--exclude", &self.exclude),
            ("--bin", &self.bin),
            ("--example", &self.example),
            ("--test", &self.test),
            ("--bench", &self.bench),
        ];
        for (name, values) in lists {
            for value in values {
                arguments.extend([name.to_owned(), value.clone()]);
            }
        }
        if !self.features.is_empty() {
            arguments.extend(["--features".to_owned(), self.features.join(",")]);
        }
        arguments.extend(["--profile".to_owned(), self.profile.clone()]);
        if let Some(target) = &self.target {
            arguments.extend(["--target".to_owned(), target.clone()]);
        }
        arguments
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_read_back() {
        let some = |values: &[&str]| values.iter().map(|&value| value.to_owned()).collect::<Vec<_>>();
        let selection = Selection {
            packages: some(&["a", "b@1"]),
            workspace: true,
            exclude: some(&["c"]),
            bins: true,
            bin: some(&["--odd"]),
            features: some(&["x", "y/z"]),
            no_default_features: true,
            profile: "dist".to_owned(),
            target: Some("t".to_owned()),
            ..Selection::default()
        };
        let mut arguments = selection.to_arguments();
        arguments.extend(some(&["--config", "build.jobs=…", "--jobs", "2", "-Z", "x"]));
        let (read, config, passed) = Selection::from_arguments(&arguments);
        assert_eq!((read, config, passed), (selection, some(&["build.jobs=…"]), some(&["--jobs", "2", "-Z", "x"])));
        assert_eq!(Selection::from_arguments(&some(&["--target"])).0.target.as_deref(), Some(""));
    }
}
