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
