//! What a document says of a field: values, that they are unknown, that they are withheld, or nothing (CISA 2026 minimum elements,
//! "Known Unknowns": what is not known is stated, and what is withheld is told apart from it).

/// Why there is no value, stated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Absence {
    Unknown,
    Withheld,
}

impl Absence {
    /// A text that stands for the absence of a value: SPDX's `NOASSERTION`, `unknown`, also with a reason behind a colon, `redacted`.
    #[must_use]
    pub fn of(text: &str) -> Option<Self> {
        let text = text.trim();
        let word = text.split_once(':').map_or(text, |(word, _)| word).trim_end();
        let is = |one: &&str| word.eq_ignore_ascii_case(one);
        if ["noassertion", "unknown"].iter().any(is) {
            Some(Self::Unknown)
        } else if ["withheld", "redacted"].iter().any(is) {
            Some(Self::Withheld)
        } else {
            None
        }
    }
}

/// A field: its values, and what is stated where a value is missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said<T> {
    pub values: Vec<T>,
    pub absence: Option<Absence>,
}

impl<T> Default for Said<T> {
    fn default() -> Self {
        Self { values: Vec::new(), absence: None }
    }
}

impl<T> Said<T> {
    /// Adds a value, or notes what its text stands for. Text without anything in it says nothing.
    pub(super) fn say(&mut self, text: &str, value: impl FnOnce(&str) -> T) {
        match (text.trim(), Absence::of(text)) {
            ("", _) => {}
            (_, Some(absence)) => self.absence = Some(absence),
            (text, None) => self.values.push(value(text)),
        }
    }

    /// What is stated where there is no value.
    #[must_use]
    pub fn absent(&self) -> Option<Absence> {
        self.absence.filter(|_| self.values.is_empty())
    }
}

impl Said<String> {
    /// The one value.
    #[must_use]
    pub fn first(&self) -> Option<&str> {
        self.values.first().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absence_is_told_from_values() {
        for (text, expected) in [
            ("NOASSERTION", Some(Absence::Unknown)),
            ("unknown: part of the toolchain", Some(Absence::Unknown)),
            (" Redacted ", Some(Absence::Withheld)),
            ("withheld: contract", Some(Absence::Withheld)),
            ("Unknown Software Ltd", None),
            ("NONE", None),
            ("", None),
        ] {
            assert_eq!(Absence::of(text), expected, "{text}");
        }
        let mut said = Said::default();
        said.say("unknown", str::to_owned);
        assert_eq!(said.absent(), Some(Absence::Unknown));
        said.say("x", str::to_owned);
        assert_eq!((said.absent(), said.first()), (None, Some("x")));
    }
}
