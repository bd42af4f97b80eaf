//! The fields of a form as somebody filled them in.
//!
//! Owns: looking one up. Never: judges what was typed.

/// Names and values, in the order of the form.
pub(crate) struct Typed(Vec<(String, String)>);

impl Typed {
    pub(crate) fn new(fields: Vec<(String, String)>) -> Self {
        Self(fields)
    }

    /// What was typed, without the blanks around it; empty where there is no such field.
    pub(crate) fn text(&self, name: &str) -> &str {
        let found = self.0.iter().find(|(field, _)| field == name);
        found.map_or("", |(_, value)| value.trim())
    }

    /// The same, where something was.
    pub(crate) fn given(&self, name: &str) -> Option<String> {
        let text = self.text(name);
        (!text.is_empty()).then(|| text.to_owned())
    }

    /// Whether a box is ticked.
    pub(crate) fn is_on(&self, name: &str) -> bool {
        !self.text(name).is_empty()
    }

    /// Words that stand with blanks, commas or line breaks between them.
    pub(crate) fn words(&self, name: &str) -> Vec<String> {
        let words = self
            .text(name)
            .split(|c: char| c.is_whitespace() || c == ',');
        let words = words.filter(|word| !word.is_empty());
        words.map(str::to_owned).collect()
    }

    /// The fields whose name begins so: the rest of the name, and the value.
    pub(crate) fn each<'a>(
        &'a self,
        prefix: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a str)> + 'a {
        let known = self.0.iter();
        known.filter_map(move |(name, value)| Some((name.strip_prefix(prefix)?, value.trim())))
    }
}
